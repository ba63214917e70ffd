"""Fan-out: one fact, published once, consumed by three teams that do not know each other."""
