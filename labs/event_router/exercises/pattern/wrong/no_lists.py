# expect: EventBridge does not accept the pattern
detail = {"$or": [{"total": 620}, {"totalAmount": 620}], "address": {"country": "FR"}}
