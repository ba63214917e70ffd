"""Amazon S3 as a source of events."""
