"""Permissions for what is kept: items, objects, parameters, secrets, keys, configuration.

A rule gives None for ``service:Operation`` on ``*``. Where from: ``permissions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .scope import Params, Permission, Rule, Scope, once

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
        return once(
            (_TRANSACT[kind], table(body["TableName"]))
            for item in params["TransactItems"]
            for kind, body in item.items()
        )
    statements = params.get("Statements") or params.get("TransactStatements") or [params]
    if "Statement" in statements[0]:
        return once(_partiql(statement["Statement"], table) for statement in statements)
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
        return once(("s3:DeleteObject", f"{bucket_arn}/{key}") for key in keys)
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


RULES: dict[str, Rule] = {
    "appconfig": _appconfig,
    "dynamodb": _dynamodb,
    "dynamodbstreams": _dynamodb,
    "kms": _kms,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "ssm": _ssm,
}
