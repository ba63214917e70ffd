import json
import os


def handler(event, context):
    headers, order = event["headers"], json.loads(event["body"])
    if headers.get("x-api-key") != os.environ["KEY"]:
        return {"statusCode": 401}
    if order["cents"] < 0:
        return {"statusCode": 500}
    seen = [event["pathParameters"]["id"], order, headers["x-from"], event["queryStringParameters"]]
    print("seen", json.dumps(seen))
    return {"statusCode": 200}
