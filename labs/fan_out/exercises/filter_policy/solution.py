# Fraud detection wants the orders above 500 euros that go to another country than DE.
filter_policy = {
    "total": [{"numeric": [">", 500]}],
    "address": {"country": [{"anything-but": "DE"}]},
}
filter_policy_scope = "MessageBody"
