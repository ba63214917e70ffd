# Fraud detection wants the orders above 500 euros that go to another country than DE.
filter_policy = ____
filter_policy_scope = "MessageAttributes"  # or "MessageBody"
