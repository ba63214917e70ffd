# expect: reserved for nobody
catches = {
    "Reserve": [{"ErrorEquals": ["States.ALL"], "Next": "Release"}],
    "Charge": [
        {"ErrorEquals": ["CardDeclined"], "Next": "OrderFailed"},
        {"ErrorEquals": ["States.ALL"], "Next": "Refund"},
    ],
    "Ship": [{"ErrorEquals": ["States.ALL"], "Next": "Cancel"}],
}
