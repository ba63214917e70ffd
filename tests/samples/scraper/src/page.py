import datetime


def handler(event, context):
    hour = datetime.datetime.now(datetime.UTC).hour
    text = f"<p>news of the {'morning' if hour < 12 else 'afternoon'}</p>"
    return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": text}
