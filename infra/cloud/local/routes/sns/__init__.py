"""Amazon SNS: topics and what they deliver to."""
