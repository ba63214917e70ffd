import json


def send(sqs, queue_url):
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=json.dumps({"name": ____}),
        DelaySeconds=____,  # let the function have it 60 seconds from now
    )
