# expect: DelaySeconds
import json


def send(sqs, queue_url):
    sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"name": "Ada"}), DelaySeconds=3600)
