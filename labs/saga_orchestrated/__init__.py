"""An orchestrated saga: three services, one transaction, and a state machine that can undo it."""
