# expect: should be a text
def key_for(payment, record):
    print(payment["paymentId"])
