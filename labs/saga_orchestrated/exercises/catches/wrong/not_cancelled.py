# expect: does not pass `Cancel`
catches = {
    "Reserve": [{"ErrorEquals": ["States.ALL"], "Next": "OrderFailed"}],
    "Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}],
    "Ship": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}],
}
