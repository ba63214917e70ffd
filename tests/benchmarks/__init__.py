"""Benchmarks: ``python -m tests.benchmarks NAME`` prints one line of JSON."""
