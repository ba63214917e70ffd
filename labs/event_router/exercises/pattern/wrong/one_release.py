# expect: with `totalAmount` 620 to FR did not arrive
detail = {"total": [{"numeric": [">", 500]}], "address": {"country": [{"anything-but": "DE"}]}}
