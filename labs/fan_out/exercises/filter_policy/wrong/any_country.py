# expect: an order of 620 euros to DE arrived
filter_policy = {"total": [{"numeric": [">", 500]}]}
filter_policy_scope = "MessageBody"
