# expect: no order there matches
filter_policy = {"total": [{"numeric": [">", 500]}], "country": [{"anything-but": "DE"}]}
filter_policy_scope = "MessageBody"
