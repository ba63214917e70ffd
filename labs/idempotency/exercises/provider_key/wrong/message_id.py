# expect: charged 2 times
def key_for(payment, record):
    return record["messageId"]
