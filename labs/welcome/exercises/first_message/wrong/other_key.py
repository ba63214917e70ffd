# expect: KeyError
import json


def send(sqs, queue_url):
    sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"nmae": "Ada"}), DelaySeconds=60)
