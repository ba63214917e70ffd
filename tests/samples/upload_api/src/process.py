import os
from pathlib import Path

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    key = event["object"]["key"]
    local = Path("/tmp") / key
    s3.download_file(event["bucket"]["name"], key, str(local))
    text = local.read_text()
    s3.put_object(
        Bucket=os.environ["RESULTS"],
        Key=f"short/{key}",
        Body=text[:5].upper(),
        ContentType="text/plain",
        Metadata={"words": str(len(text.split()))},
    )
