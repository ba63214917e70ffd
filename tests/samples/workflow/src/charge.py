def handler(event, context):
    return {"state": "charged" if event["total"] < 1000 else "review"}
