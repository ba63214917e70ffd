import base64
import hashlib
import hmac
import json
import os

import boto3

events = boto3.client("events")
secrets = boto3.client("secretsmanager")
cached = None


def secret():
    global cached
    if cached is None:
        cached = secrets.get_secret_value(SecretId=os.environ["WEBHOOK_SECRET_ARN"])["SecretString"]
    return cached


def handler(event, context):
    headers = event["headers"]
    body = event["body"]
    body = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    expected = "sha256=" + hmac.new(secret().encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers.get("x-hub-signature-256", "")):
        print("401 Unauthorized")
        return {"statusCode": 401, "body": "Unauthorized"}
    entry = {
        "Source": "github.com",
        "DetailType": headers.get("x-github-event"),
        "Detail": json.dumps(json.loads(body)),
        "EventBusName": os.environ["EVENT_BUS_NAME"],
    }
    if events.put_events(Entries=[entry])["FailedEntryCount"]:
        return {"statusCode": 500, "body": "FailedEntry Error"}
    return {"statusCode": 202, "body": "Message forwarded to EventBridge"}
