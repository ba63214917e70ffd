# Which error of a step leads back to which state? The way back is
# Cancel -> Refund -> Release -> OrderFailed: whoever enters it goes on to its end.
catches = {
    "Reserve": [
        {"ErrorEquals": ["SoldOut"], "Next": "OrderFailed"},
        {"ErrorEquals": ["States.ALL"], "Next": "Release"},
    ],
    "Charge": [
        {"ErrorEquals": ["CardDeclined"], "Next": "Release"},
        {"ErrorEquals": ["States.ALL"], "Next": "Refund"},
    ],
    "Ship": [
        {"ErrorEquals": ["AddressUnknown"], "Next": "Refund"},
        {"ErrorEquals": ["States.ALL"], "Next": "Cancel"},
    ],
}
