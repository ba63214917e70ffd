# expect: SNS looks in the message attributes
filter_policy = {"total": [{"numeric": [">", 500]}], "country": [{"anything-but": "DE"}]}
filter_policy_scope = "MessageAttributes"
