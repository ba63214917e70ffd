"""Lambda: execution environments, concurrency, synchronous and asynchronous invocation, and its API."""
