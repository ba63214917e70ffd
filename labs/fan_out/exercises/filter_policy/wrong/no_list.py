# expect: none of 48 orders arrived
filter_policy = {"total": {"numeric": [">", 500]}}
filter_policy_scope = "MessageBody"
