def key_for(payment, record):
    """The provider charges once for a key, however often it is asked.

    payment: the message's body. record: the SQS record (messageId, attributes, …).
    """
    return ____
