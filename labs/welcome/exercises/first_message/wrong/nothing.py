# expect: no message
def send(sqs, queue_url):
    return "sent"
