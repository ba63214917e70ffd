"""Which permissions an API call needs: for each operation the IAM actions and the ARNs they are asked for.

From the Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/,
one page per service: actions, resource types) and, for transactions and PartiQL,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html and ql-iam.html.
An operation that is not listed needs ``service:Operation`` on ``*``.
"""

from __future__ import annotations

from ..stores.dynamodb.conditions import request_keys
from . import permissions_gateway, permissions_messages, permissions_operations, permissions_stores
from .permissions_operations import UNSIGNED
from .scope import Directory, Params, Permission, Rule, Scope

PREFIXES = {
    "dynamodbstreams": "dynamodb",
    "resourcegroupstaggingapi": "tag",
    "sesv2": "ses",
    "stepfunctions": "states",
}
"""IAM's name of a service where it differs from boto3's."""

FREE = frozenset(
    {
        ("appconfigdata", "GetLatestConfiguration"),  # asked for by the service: it knows whose token it is
        ("appconfigdata", "StartConfigurationSession"),
        ("sts", "GetCallerIdentity"),
        ("sts", "GetSessionToken"),
    }
)
"""Operations that need no permission."""


def needed(
    service: str, operation: str, params: Params, region: str, account: str, directory: Directory
) -> list[Permission]:
    """The permissions one call needs, all of them; none for the few free operations."""
    if (service, operation) in FREE or (service == "cognito-idp" and operation in UNSIGNED):
        return []
    if service in ("apigateway", "apigatewayv2"):
        return permissions_gateway.needed(service, operation, params, region)
    rule = _RULES.get(service)
    found = rule(operation, params, Scope(region, account, directory)) if rule else None
    return found or [(f"{PREFIXES.get(service, service)}:{operation}", "*")]


def context_keys(service: str, operation: str, params: Params) -> dict[str, str | list[str]]:
    """The service's own condition keys that a call carries, in lower case."""
    if service == "cloudwatch" and "Namespace" in params:
        return {"cloudwatch:namespace": params["Namespace"]}
    if service == "events" and operation == "PutEvents":
        entries = params.get("Entries", ())
        return {
            "events:source": [entry["Source"] for entry in entries if "Source" in entry],
            "events:detail-type": [entry["DetailType"] for entry in entries if "DetailType" in entry],
        }
    if service == "dynamodb":
        return request_keys(operation, params)
    if service == "s3":
        names = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}
        return {key: str(params[name]) for name, key in names.items() if name in params}
    if service == "sns" and operation == "Subscribe":
        return {"sns:protocol": params["Protocol"], "sns:endpoint": params.get("Endpoint", "")}
    if service == "kms":
        encryption = params.get("EncryptionContext") or {}
        keys: dict[str, str | list[str]] = {
            f"kms:encryptioncontext:{name.lower()}": value for name, value in encryption.items()
        }
        if encryption:
            keys["kms:encryptioncontextkeys"] = list(encryption)
        return keys
    if service == "lambda" and "EventSourceMapping" in operation and "FunctionName" in params:
        return {"lambda:functionarn": params["FunctionName"]}
    return {}


_RULES: dict[str, Rule] = {
    **permissions_messages.RULES,
    **permissions_operations.RULES,
    **permissions_stores.RULES,
}

KEY_PARAMETER: dict[str, dict[str, str]] = {
    "sqs": dict.fromkeys(
        ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch",
         "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "GetQueueAttributes"),
        "QueueUrl",
    ),
    "dynamodb": dict.fromkeys(("GetItem", "PutItem", "UpdateItem", "DeleteItem"), "TableName"),
    "sns": dict.fromkeys(("PublishBatch",), "TopicArn"),
    "secretsmanager": {"GetSecretValue": "SecretId"},
    "ssm": {"GetParameter": "Name"},
}  # fmt: skip
"""Hot operations whose permissions follow from one parameter alone."""
