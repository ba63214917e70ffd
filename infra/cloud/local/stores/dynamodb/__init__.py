"""Amazon DynamoDB Streams: what a table's writes leave behind."""
