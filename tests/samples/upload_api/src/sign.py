import json
import os
import uuid

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    key = f"{uuid.uuid4()}.txt"
    params = {"Bucket": os.environ["UPLOADS"], "Key": key, "ContentType": "text/plain"}
    url = s3.generate_presigned_url("put_object", Params=params, ExpiresIn=300)
    return {"statusCode": 200, "body": json.dumps({"uploadURL": url, "Key": key})}
