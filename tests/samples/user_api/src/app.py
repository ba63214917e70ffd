import json


def handler(event, context):
    known = event["requestContext"].get("authorizer") or {}
    if "jwt" in known:
        return {"scopes": known["jwt"]["scopes"], "use": known["jwt"]["claims"]["token_use"]}
    if event["version"] == "1.0":
        return {"statusCode": 200, "body": json.dumps({"tenant": known["tenant"], "path": event["path"]})}
    return {"hello": "world"}
