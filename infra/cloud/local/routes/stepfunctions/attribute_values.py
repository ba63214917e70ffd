"""What Step Functions' own integration of DynamoDB takes for an attribute value.

It reads the parameters into the Java SDK's ``AttributeValue``, which is made of a string as well: a string
where ``{"S": …}`` belongs is taken as that, also in a list (https://github.com/aws/aws-cdk/issues/17375), and
an attribute that is null as none. Published applications rely on it: curbside-pickup and human-task-reminder
of https://github.com/aws-samples/step-functions-workflows-collection. The SDK integrations
(``aws-sdk:dynamodb``) are made with another SDK; nothing is known of them.
"""

from __future__ import annotations

from typing import Any

MEMBERS = ("ExpressionAttributeValues", "Item", "Key")


def typed(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters as the API wants them."""
    return {
        name: {key: _value(each) for key, each in value.items() if each is not None}
        if name in MEMBERS and isinstance(value, dict)
        else value
        for name, value in params.items()
    }


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, dict):
        if isinstance(value.get("L"), list):
            return {**value, "L": [_value(each) for each in value["L"]]}
        if isinstance(value.get("M"), dict):
            return {**value, "M": {key: _value(each) for key, each in value["M"].items()}}
    return value
