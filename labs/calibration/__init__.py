"""Measures what the latency file of the simulation holds, inside a Region of a real account."""
