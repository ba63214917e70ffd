# expect: no catcher of `Charge` takes that error
catches = {
    "Reserve": [{"ErrorEquals": ["SoldOut"], "Next": "OrderFailed"}],
    "Charge": [{"ErrorEquals": ["CardDeclined"], "Next": "Release"}],
    "Ship": [{"ErrorEquals": ["AddressUnknown"], "Next": "Refund"}],
}
