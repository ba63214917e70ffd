"""The first deploy and the first message."""
