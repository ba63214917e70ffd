# expect: euros to FR arrived
filter_policy = {
    "$or": [{"total": [{"numeric": [">", 500]}]}, {"address": {"country": [{"anything-but": "DE"}]}}]
}
filter_policy_scope = "MessageBody"
