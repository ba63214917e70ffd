"""Who may do what: callers and their roles, policies, and the permissions that a call needs."""
