# expect: the charge had gone through
catches = {
    "Reserve": [{"ErrorEquals": ["States.ALL"], "Next": "Release"}],
    "Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}],
    "Ship": [
        {"ErrorEquals": ["AddressUnknown"], "Next": "Release"},
        {"ErrorEquals": ["States.ALL"], "Next": "Cancel"},
    ],
}
