# expect: never charged
def key_for(payment, record):
    return payment["card"] + payment["amount"]
