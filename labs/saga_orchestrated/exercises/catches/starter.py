# Which error of a step leads back to which state? The way back is
# Cancel -> Refund -> Release -> OrderFailed: whoever enters it goes on to its end.
catches = {
    "Reserve": [{"ErrorEquals": ["SoldOut"], "Next": "OrderFailed"}],
    "Charge": [{"ErrorEquals": ["CardDeclined"], "Next": ____}],
    "Ship": [{"ErrorEquals": ["AddressUnknown"], "Next": ____}],
}
