# expect: Step Functions does not accept it
catches = {
    "Reserve": [{"ErrorEquals": ["States.ALL", "SoldOut"], "Next": "Release"}],
    "Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}],
    "Ship": [{"ErrorEquals": ["States.ALL"], "Next": "Cancel"}],
}
