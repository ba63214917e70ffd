# expect: to DE arrived
detail = {"$or": [{"total": [{"numeric": [">", 500]}]}, {"totalAmount": [{"numeric": [">", 500]}]}]}
