"""Event source mappings of streams (Kinesis, DynamoDB): see ``shard_reader`` for the rules, ``cuts`` for the
decisions."""
