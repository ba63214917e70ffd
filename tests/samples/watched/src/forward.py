import base64
import gzip
import json


def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("seen", json.dumps([each["message"].strip() for each in data["logEvents"]]))
