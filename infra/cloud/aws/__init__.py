"""The aws target: a real account, in real time."""
