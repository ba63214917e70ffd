import json


def send(sqs, queue_url):
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=json.dumps({"name": "Ada"}),
        DelaySeconds=60,  # let the function have it 60 seconds from now
    )
