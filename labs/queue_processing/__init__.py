"""Parcel's order worker: orders arrive in a queue, a function ships them."""
