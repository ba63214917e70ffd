"""Which permissions an API call needs: for each operation the IAM actions and the ARNs they are asked for.

From the Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/,
one page per service: actions, resource types) and, for transactions and PartiQL,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html and ql-iam.html.
An operation that is not listed needs ``service:Operation`` on ``*``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from . import permissions_gateway
from .routes.stepfunctions.names import machine_of
from .stores.dynamodb.conditions import request_keys
from .stores.kinesis.iterators import stream_of

Permission = tuple[str, str]
"""An IAM action and the ARN (or ``*``) it is needed on."""

Params = Mapping[str, Any]

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


class Directory(Protocol):
    """What the names in a call stand for, where only the service knows."""

    def secret(self, name: str, region: str, account: str) -> str: ...
    def key(self, name: str, region: str, account: str) -> str: ...
    def ciphertext_key(self, ciphertext: bytes, region: str, account: str) -> str: ...
    def deployment_group(self, deployment: str) -> str: ...


class Scope:
    """Region, account and names of one call, and the ARNs made of them."""

    __slots__ = ("account", "directory", "region")

    def __init__(self, region: str, account: str, directory: Directory) -> None:
        self.region = region
        self.account = account
        self.directory = directory

    def arn(self, service: str, resource: str) -> str:
        """Leaves alone what already is an ARN."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def named(self, service: str, kind: str, name: str) -> str:
        return name if name.startswith("arn:") else self.arn(service, kind + name)


def needed(
    service: str, operation: str, params: Params, region: str, account: str, directory: Directory
) -> list[Permission]:
    """The permissions one call needs, all of them; none for the few free operations."""
    if (service, operation) in FREE or (service == "cognito-idp" and operation in _UNSIGNED):
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


# -- the rules, one function per service: None means "service:Operation on *" --------------------------------


def _sqs(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"sqs:{operation.removesuffix('Batch')}"
    url = params.get("QueueUrl")
    if url:
        account, name = url.split("/")[-2:] if "/" in url else (scope.account, url)
        return [(action, f"arn:aws:sqs:{scope.region}:{account}:{name}")]
    if "QueueName" in params:
        return [(action, scope.arn("sqs", params["QueueName"]))]
    if operation == "StartMessageMoveTask":
        source = params["SourceArn"]
        actions = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        moves = [(f"sqs:{name}", source) for name in actions]
        target = params.get("DestinationArn")
        return moves + ([("sqs:SendMessage", target)] if target else [])
    if "SourceArn" in params:
        return [(action, params["SourceArn"])]
    if "TaskHandle" in params:
        return [(action, _task_source(params["TaskHandle"]))]
    return None


def _task_source(handle: str) -> str:
    try:
        return str(json.loads(base64.b64decode(handle))["sourceArn"])
    except (ValueError, KeyError, binascii.Error):
        return "*"


_TRANSACT = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
_PARTIQL = re.compile(
    r"""\s*(?:EXISTS\s*\(\s*)?(?P<verb>select|insert|update|delete)\b(?:.*?\b(?:from|into)\b)?\s*
        "?(?P<table>[\w.-]+?)"?(?:\."(?P<index>[\w.-]+)")?(?:\s|$)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def _dynamodb(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"dynamodb:{operation}"

    def table(name: str) -> str:
        return scope.named("dynamodb", "table/", name)

    if "TableName" in params:
        index = params.get("IndexName")
        resource = table(params["TableName"])
        return [(action, f"{resource}/index/{index}" if index else resource)]
    if "RequestItems" in params:
        return [(action, table(name)) for name in params["RequestItems"]]
    if "TransactItems" in params:
        return _once(
            (_TRANSACT[kind], table(body["TableName"]))
            for item in params["TransactItems"]
            for kind, body in item.items()
        )
    statements = params.get("Statements") or params.get("TransactStatements") or [params]
    if "Statement" in statements[0]:
        return _once(_partiql(statement["Statement"], table) for statement in statements)
    if operation == "ListTables":
        return [(action, table("*"))]
    for name in ("StreamArn", "ResourceArn", "TableArn", "BackupArn", "ExportArn", "ImportArn"):
        if name in params:
            return [(action, params[name])]
    iterator = params.get("ShardIterator", "")
    return [(action, iterator.partition("|")[0])] if iterator.startswith("arn:") else None


def _partiql(statement: str, table: Callable[[str], str]) -> Permission:
    match = _PARTIQL.match(statement)
    if match is None:
        return "dynamodb:PartiQLSelect", "*"
    resource = table(match["table"])
    if match["index"]:
        resource += f"/index/{match['index']}"
    return f"dynamodb:PartiQL{match['verb'].capitalize()}", resource


_FUNCTION = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[^:]+):)?(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[^:]+)(?::(?P<qualifier>.+))?"
)


def _lambda(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    if operation in ("Invoke", "InvokeAsync", "InvokeWithResponseStream"):
        action = "lambda:InvokeFunction"
    else:
        action = f"lambda:{operation}"
    passed = [("iam:PassRole", params["Role"])] if "Role" in params else []
    if "UUID" in params:
        return [(action, scope.arn("lambda", f"event-source-mapping:{params['UUID']}"))]
    if "Resource" in params:
        return [(action, params["Resource"])]
    match = _FUNCTION.fullmatch(params.get("FunctionName", ""))
    if match is None or operation in ("CreateEventSourceMapping", "ListEventSourceMappings"):
        return None
    resource = f"arn:aws:lambda:{match['region'] or scope.region}:{match['account'] or scope.account}"
    resource += f":function:{match['name']}"
    qualifier = params.get("Qualifier") or match["qualifier"]
    return [(action, f"{resource}:{qualifier}" if qualifier else resource), *passed]


_S3_ACTIONS = {
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketTagging": "PutBucketTagging",
}
_S3_VERSIONED = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}


def _s3(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    """DeleteObjects asks for each key and is refused as a whole; AWS answers with an error per key."""
    bucket = params.get("Bucket", "")
    bucket_arn = bucket if bucket.startswith("arn:") else f"arn:aws:s3:::{bucket}"
    action = _S3_ACTIONS.get(operation, operation)
    if operation == "DeleteObjects":
        keys = [item["Key"] for item in params["Delete"]["Objects"]]
        return _once(("s3:DeleteObject", f"{bucket_arn}/{key}") for key in keys)
    if operation in ("CopyObject", "UploadPartCopy"):
        source = params["CopySource"]
        if isinstance(source, Mapping):
            source = f"{source['Bucket']}/{source['Key']}"
        source = source.lstrip("/").partition("?")[0]
        return [("s3:GetObject", f"arn:aws:s3:::{source}"), ("s3:PutObject", f"{bucket_arn}/{params['Key']}")]
    if not bucket:
        return [(f"s3:{action}", "*")]
    if "Key" in params:
        if "VersionId" in params:
            action = _S3_VERSIONED.get(action, action)
        return [(f"s3:{action}", f"{bucket_arn}/{params['Key']}")]
    return [(f"s3:{action}", bucket_arn)]


def _sns(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"sns:{operation.removesuffix('Batch')}"
    for name in ("TopicArn", "TargetArn", "ResourceArn"):
        if name in params:
            return [(action, params[name])]
    if "SubscriptionArn" in params:
        return [(action, params["SubscriptionArn"].rpartition(":")[0])]
    if operation == "CreateTopic":
        return [(action, scope.arn("sns", params["Name"]))]
    return None


def _events(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"events:{operation}"

    def bus(name: str) -> str:
        return scope.named("events", "event-bus/", name)

    if operation == "PutEvents":
        return _once((action, bus(entry.get("EventBusName", "default"))) for entry in params["Entries"])
    rule = params.get("Rule") or (params.get("Name") if "Rule" in operation else None)
    if rule and operation not in ("ListRules", "ListRuleNamesByTarget"):
        on = params.get("EventBusName", "default").rpartition("/")[2]
        resource = scope.arn("events", f"rule/{rule}" if on == "default" else f"rule/{on}/{rule}")
        roles = [params["RoleArn"]] if "RoleArn" in params else []
        roles += [target["RoleArn"] for target in params.get("Targets", ()) if "RoleArn" in target]
        return [(action, resource), *_once(("iam:PassRole", role) for role in roles)]
    if "Name" in params and "EventBus" in operation:
        return [(action, bus(params["Name"]))]
    for member, kind in (("ArchiveName", "archive/"), ("ReplayName", "replay/")):
        if member in params:
            return [(action, scope.arn("events", kind + params[member]))]
    if "Name" in params:
        kind = "api-destination/" if "ApiDestination" in operation else "connection/"
        return [(action, scope.arn("events", f"{kind}{params['Name']}/*"))]
    return [(action, params["ResourceARN"])] if "ResourceARN" in params else None


def _stepfunctions(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"states:{operation}"
    for name in (
        "stateMachineArn",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
        "executionArn",
        "activityArn",
        "resourceArn",
        "mapRunArn",
    ):
        if name in params:
            return [(action, params[name])]
    if operation.startswith("SendTask"):
        machine = machine_of(params["taskToken"])
        return [(action, machine)] if machine else None
    if operation == "CreateStateMachine":
        machine = scope.arn("states", f"stateMachine:{params['name']}")
        return [(action, machine), ("iam:PassRole", params["roleArn"])]
    return None


def _kinesis(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"kinesis:{operation}"
    for name in ("ConsumerARN", "StreamARN", "ResourceARN"):
        if name in params:
            return [(action, params[name])]
    if "StreamName" in params:
        return [(action, scope.arn("kinesis", f"stream/{params['StreamName']}"))]
    if "ShardIterator" in params:
        stream = stream_of(params["ShardIterator"])
        return [(action, stream)] if stream else None
    return None


def _ssm(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    names = params.get("Names") or [params.get("Name") or params.get("Path") or ""]
    if not names[0] or "Parameter" not in operation:
        return None
    arns = [
        name
        if name.startswith("arn:")
        else scope.arn("ssm", f"parameter/{name.lstrip('/').partition(':')[0]}")
        for name in names
    ]
    return [(f"ssm:{operation}", arn) for arn in arns]


def _secretsmanager(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"secretsmanager:{operation}"
    if "SecretId" in params:
        return [(action, scope.directory.secret(params["SecretId"], scope.region, scope.account))]
    if operation == "CreateSecret":
        return [(action, scope.arn("secretsmanager", f"secret:{params['Name']}"))]
    return None


def _kms(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    def key(name: str) -> str:
        return scope.directory.key(name, scope.region, scope.account)

    if operation in ("Decrypt", "ReEncrypt"):
        source = params.get("KeyId") or params.get("SourceKeyId")
        if source:
            used = key(source)
        else:
            used = scope.directory.ciphertext_key(params["CiphertextBlob"], scope.region, scope.account)
        if operation == "Decrypt":
            return [("kms:Decrypt", used)]
        return [("kms:ReEncryptFrom", used), ("kms:ReEncryptTo", key(params["DestinationKeyId"]))]
    action = f"kms:{operation}"
    if operation in ("CreateAlias", "UpdateAlias"):
        return [(action, scope.arn("kms", params["AliasName"])), (action, key(params["TargetKeyId"]))]
    if operation == "DeleteAlias":
        return [(action, scope.arn("kms", params["AliasName"])), (action, key(params["AliasName"]))]
    return [(action, key(params["KeyId"]))] if "KeyId" in params else None


def _logs(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    """A group's own actions are asked for on the group with an empty stream, as AWS's messages show them."""
    action = f"logs:{operation}"
    names = [params["logGroupName"]] if params.get("logGroupName") else params.get("logGroupNames", [])
    names = names or [params["logGroupIdentifier"]] if params.get("logGroupIdentifier") else names
    names = names or params.get("logGroupIdentifiers", [])
    if names:
        stream = params.get("logStreamName", "")
        groups = [name.split(":log-group:")[-1].removesuffix(":*") for name in names]
        return [(action, scope.arn("logs", f"log-group:{group}:log-stream:{stream}")) for group in groups]
    if operation == "DescribeLogGroups":
        return [(action, scope.arn("logs", "log-group::log-stream:"))]
    return [(action, params["resourceArn"])] if "resourceArn" in params else None


def _cloudwatch(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    names = [params["AlarmName"]] if "AlarmName" in params else params.get("AlarmNames")
    if names is None and operation == "DescribeAlarms":
        names = ["*"]
    return [(f"cloudwatch:{operation}", scope.arn("cloudwatch", f"alarm:{name}")) for name in names or ()]


def _iam(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    for field, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if field in params:
            return [(f"iam:{operation}", f"arn:aws:iam::{scope.account}:{kind}/{params[field]}")]
    if "PolicyArn" in params:
        return [(f"iam:{operation}", params["PolicyArn"])]
    return None


def _cloudformation(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    name = params.get("StackName")
    if not name:
        return None
    return [(f"cloudformation:{operation}", scope.named("cloudformation", "stack/", f"{name}/*"))]


def _codedeploy(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"codedeploy:{operation}"
    if operation in ("GetDeployment", "PutLifecycleEventHookExecutionStatus"):
        return [(action, scope.directory.deployment_group(params.get("deploymentId", "")))]
    if operation == "BatchGetDeployments":
        return _once((action, scope.directory.deployment_group(each)) for each in params["deploymentIds"])
    passed = [("iam:PassRole", params["serviceRoleArn"])] if "serviceRoleArn" in params else []
    if "applicationName" in params:
        group = params.get("deploymentGroupName") or params.get("currentDeploymentGroupName")
        kind = f"deploymentgroup:{params['applicationName']}/{group}" if group else ""
        resource = kind or f"application:{params['applicationName']}"
        return [(action, scope.arn("codedeploy", resource)), *passed]
    if "deploymentConfigName" in params:
        return [(action, scope.arn("codedeploy", f"deploymentconfig:{params['deploymentConfigName']}"))]
    return [(action, params["ResourceArn"])] if "ResourceArn" in params else None


def _scheduler(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    if "Name" not in params:
        return None
    group = params.get("GroupName", "default")
    kind = "schedule-group/" if operation.endswith("ScheduleGroup") else f"schedule/{group}/"
    return [(f"scheduler:{operation}", scope.arn("scheduler", kind + params["Name"]))]


def _firehose(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    name = params.get("DeliveryStreamName")
    return [(f"firehose:{operation}", scope.arn("firehose", f"deliverystream/{name}"))] if name else None


def _sts(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    return [(f"sts:{operation}", params["RoleArn"])] if "RoleArn" in params else None


_UNSIGNED = frozenset(
    [
        "ChangePassword",
        "GetUser",
        "GlobalSignOut",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "RevokeToken",
        "SignUp",
    ]
)
"""Operations of Cognito that anybody may call: they are not signed."""


def _cognito(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    pool = params.get("UserPoolId")
    return [(f"cognito-idp:{operation}", scope.arn("cognito-idp", f"userpool/{pool}"))] if pool else None


def _once(permissions: Any) -> list[Permission]:
    return list(dict.fromkeys(permissions))


def _appconfig(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"appconfig:{operation}"
    if "DeploymentStrategyId" in params and "ApplicationId" not in params:
        return [(action, scope.arn("appconfig", f"deploymentstrategy/{params['DeploymentStrategyId']}"))]
    if "ApplicationId" not in params:
        return [(action, params["ResourceArn"])] if "ResourceArn" in params else None
    base = scope.arn("appconfig", f"application/{params['ApplicationId']}")
    made = [(action, base)]
    if "EnvironmentId" in params:
        made = [(action, f"{base}/environment/{params['EnvironmentId']}")]
        if "DeploymentNumber" in params:
            made = [(action, f"{made[0][1]}/deployment/{params['DeploymentNumber']}")]
    if "ConfigurationProfileId" in params:
        profile = f"{base}/configurationprofile/{params['ConfigurationProfileId']}"
        if "VersionNumber" in params:
            profile += f"/hostedconfigurationversion/{params['VersionNumber']}"
        made = [*made, (action, profile)] if operation == "StartDeployment" else [(action, profile)]
    return made


_RULES: dict[str, Callable[[str, Params, Scope], list[Permission] | None]] = {
    "appconfig": _appconfig,
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "codedeploy": _codedeploy,
    "cognito-idp": _cognito,
    "dynamodb": _dynamodb,
    "dynamodbstreams": _dynamodb,
    "events": _events,
    "firehose": _firehose,
    "iam": _iam,
    "kinesis": _kinesis,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "stepfunctions": _stepfunctions,
    "sts": _sts,
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
