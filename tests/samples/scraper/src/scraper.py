import hashlib
import json
import os
import urllib.request

import boto3
from aws_lambda_powertools.utilities import parameters

ssm = boto3.client("ssm")
sns = boto3.client("sns")
s3 = boto3.client("s3")
prefix = os.environ["PREFIX"]


def handler(event, context):
    known = parameters.get_parameters(prefix, max_age=60)
    settings = parameters.get_parameter(f"{prefix}/settings", transform="json")
    with urllib.request.urlopen(known["address"], timeout=10) as response:
        text = response.read().decode()
    mark = hashlib.sha256(text.encode()).hexdigest()
    if settings["word"] not in text or mark == known.get("last"):
        return
    ssm.put_parameter(Name=f"{prefix}/last", Value=mark, Type="String", Overwrite=True)
    s3.put_object(Bucket=os.environ["BUCKET"], Key=f"pages/{mark}.html", Body=text, IfNoneMatch="*")
    message = json.dumps({"text": text, "reason": event["reason"]})
    sns.publish(TopicArn=os.environ["TOPIC"], Subject="changed", Message=message)
