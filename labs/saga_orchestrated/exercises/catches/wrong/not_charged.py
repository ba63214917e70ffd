# expect: A charge that timed out may have happened
catches = {
    "Reserve": [{"ErrorEquals": ["States.ALL"], "Next": "OrderFailed"}],
    "Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Release"}],
    "Ship": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}],
}
