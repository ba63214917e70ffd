"""Event source mappings: what reads a queue (later: a stream) for a function and invokes it with batches."""
