# expect: 0 of 40 orders arrived
detail = {
    "total": [{"numeric": [">", 500]}],
    "totalAmount": [{"numeric": [">", 500]}],
    "address": {"country": [{"anything-but": "DE"}]},
}
