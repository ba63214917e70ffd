import json


def handler(event, context):
    known = event["requestContext"].get("authorizer") or {}
    return {"statusCode": 200, "body": json.dumps({"path": event["path"], "who": known.get("principalId")})}
