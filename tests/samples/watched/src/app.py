import json


def handler(event, context):
    if event.get("lost"):
        print("ERROR lost payment", event["id"])
    if event.get("bad"):
        raise RuntimeError("bad order")
    print(json.dumps({"kind": "order", "id": event["id"], "took": event["took"]}))
