# expect: charged 2 times
import uuid


def key_for(payment, record):
    return str(uuid.uuid4())
