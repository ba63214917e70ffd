"""AWS::S3: buckets and their policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, changed, picked
from .schema import (
    BOOLEAN,
    INTEGER,
    JSON,
    STRING,
    STRINGS,
    Shape,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_FILTER = struct(
    _required=("S3Key",),
    S3Key=struct(
        _required=("Rules",), Rules=list_of(struct(_required=("Name", "Value"), Name=STRING, Value=STRING))
    ),
)


def _destination(member: str) -> Shape:
    return list_of(struct(_required=("Event", member), Event=STRING, Filter=_FILTER, **{member: STRING}))


_TAGS = list_of(struct(_required=("Key", "Value"), Key=STRING, Value=STRING))
_TRANSITION = struct(
    _required=("StorageClass",),
    StorageClass=STRING,
    TransitionDate=STRING,
    TransitionInDays=INTEGER,
)
_NONCURRENT_TRANSITION = struct(
    _required=("StorageClass", "TransitionInDays"),
    NewerNoncurrentVersions=INTEGER,
    StorageClass=STRING,
    TransitionInDays=INTEGER,
)
_LIFECYCLE_RULE = struct(
    _required=("Status",),
    AbortIncompleteMultipartUpload=struct(DaysAfterInitiation=INTEGER),
    ExpirationDate=STRING,
    ExpirationInDays=INTEGER,
    ExpiredObjectDeleteMarker=BOOLEAN,
    Id=STRING,
    NoncurrentVersionExpiration=struct(
        _required=("NoncurrentDays",), NewerNoncurrentVersions=INTEGER, NoncurrentDays=INTEGER
    ),
    NoncurrentVersionExpirationInDays=INTEGER,
    NoncurrentVersionTransition=_NONCURRENT_TRANSITION,
    NoncurrentVersionTransitions=list_of(_NONCURRENT_TRANSITION),
    ObjectSizeGreaterThan=INTEGER,
    ObjectSizeLessThan=INTEGER,
    Prefix=STRING,
    Status=STRING,
    TagFilters=_TAGS,
    Transition=_TRANSITION,
    Transitions=list_of(_TRANSITION),
)

_DASHED = frozenset(
    {
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "eu-west-1",
        "sa-east-1",
    }
)
"""Regions whose website endpoint has a dash before the Region, the others a dot:
https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints"""


class Bucket(Provider):
    type = "AWS::S3::Bucket"
    properties = accepts(
        BucketEncryption=optional(
            struct(
                ServerSideEncryptionConfiguration=list_of(
                    struct(
                        BucketKeyEnabled=BOOLEAN,
                        ServerSideEncryptionByDefault=struct(
                            _required=("SSEAlgorithm",), KMSMasterKeyID=STRING, SSEAlgorithm=STRING
                        ),
                    )
                )
            )
        ),
        BucketName=replaces(STRING),
        CorsConfiguration=optional(
            struct(
                _required=("CorsRules",),
                CorsRules=list_of(
                    struct(
                        _required=("AllowedMethods", "AllowedOrigins"),
                        AllowedHeaders=STRINGS,
                        AllowedMethods=STRINGS,
                        AllowedOrigins=STRINGS,
                        ExposedHeaders=STRINGS,
                        Id=STRING,
                        MaxAge=INTEGER,
                    )
                ),
            )
        ),
        LifecycleConfiguration=optional(struct(_required=("Rules",), Rules=list_of(_LIFECYCLE_RULE))),
        NotificationConfiguration=optional(
            struct(
                EventBridgeConfiguration=struct(EventBridgeEnabled=BOOLEAN),
                LambdaConfigurations=_destination("Function"),
                QueueConfigurations=_destination("Queue"),
                TopicConfigurations=_destination("Topic"),
            )
        ),
        OwnershipControls=optional(
            struct(
                _required=("Rules",),
                Rules=list_of(struct(_required=("ObjectOwnership",), ObjectOwnership=STRING)),
            )
        ),
        PublicAccessBlockConfiguration=optional(
            struct(
                BlockPublicAcls=BOOLEAN,
                BlockPublicPolicy=BOOLEAN,
                IgnorePublicAcls=BOOLEAN,
                RestrictPublicBuckets=BOOLEAN,
            )
        ),
        Tags=optional(_TAGS),
        VersioningConfiguration=optional(struct(_required=("Status",), Status=STRING)),
        WebsiteConfiguration=optional(
            struct(
                ErrorDocument=STRING,
                IndexDocument=STRING,
                RedirectAllRequestsTo=struct(_required=("HostName",), HostName=STRING, Protocol=STRING),
            )
        ),
    )
    attributes = ("Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL")
    named_by = "BucketName"
    missing = ("NoSuchBucket", "404")

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("BucketName") or ctx.name(63, lowercase=True)
        if "BucketName" in props:
            self._must_be_free(ctx, name)
        params: dict[str, Any] = {"Bucket": name}
        if ctx.region != "us-east-1":
            params["CreateBucketConfiguration"] = {"LocationConstraint": ctx.region}
        ctx.call("s3", "CreateBucket", params)
        ctx.created(name)
        self._apply(ctx, name, {}, props)
        return _outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._apply(ctx, physical_id, old, new)
        return _outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("s3", "DeleteBucket", {"Bucket": physical_id})

    @staticmethod
    def _must_be_free(ctx: Context, name: str) -> None:
        """CreateBucket answers with an existing bucket; CloudFormation must not adopt it."""
        try:
            ctx.call("s3", "HeadBucket", {"Bucket": name})
        except ServiceError as error:
            if error.status == 404:
                return
            raise
        raise ServiceError("AlreadyExists", f"{name} already exists")

    @staticmethod
    def _apply(ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        for prop in changed(old, new):
            setting = _SETTINGS.get(prop)
            if setting is None:
                continue
            put, without = setting
            operation, params = put(new[prop]) if prop in new else without
            ctx.call("s3", operation, {"Bucket": name, **params})


Made = tuple[str, dict[str, Any]]
"""An operation of S3 and its parameters, without the bucket."""


def _encryption(value: Any) -> Made:
    rules = [
        picked(rule, "BucketKeyEnabled", ApplyServerSideEncryptionByDefault="ServerSideEncryptionByDefault")
        for rule in value.get("ServerSideEncryptionConfiguration", [])
    ]
    return "PutBucketEncryption", {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _cors(value: Any) -> Made:
    rules = [
        picked(
            rule,
            "AllowedHeaders",
            "AllowedMethods",
            "AllowedOrigins",
            ID="Id",
            ExposeHeaders="ExposedHeaders",
            MaxAgeSeconds="MaxAge",
        )
        for rule in value["CorsRules"]
    ]
    return "PutBucketCors", {"CORSConfiguration": {"CORSRules": rules}}


def _lifecycle(value: Any) -> Made:
    rules = [_lifecycle_rule(rule) for rule in value["Rules"]]
    return "PutBucketLifecycleConfiguration", {"LifecycleConfiguration": {"Rules": rules}}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made = picked(rule, "Status", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", ID="Id")
    filters = picked(rule, "Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan", Tags="TagFilters")
    if len(filters) > 1 or "Tags" in filters:
        made["Filter"] = {"And": filters}
    else:
        made["Filter"] = filters or {"Prefix": ""}
    expiration = picked(rule, "ExpiredObjectDeleteMarker", Days="ExpirationInDays", Date="ExpirationDate")
    if expiration:
        made["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:  # this and the two singular names: an older form
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    transitions = [*rule.get("Transitions", []), *([rule["Transition"]] if "Transition" in rule else [])]
    if transitions:
        made["Transitions"] = [
            picked(each, "StorageClass", Days="TransitionInDays", Date="TransitionDate")
            for each in transitions
        ]
    transitions = [
        *rule.get("NoncurrentVersionTransitions", []),
        *([rule["NoncurrentVersionTransition"]] if "NoncurrentVersionTransition" in rule else []),
    ]
    if transitions:
        made["NoncurrentVersionTransitions"] = [
            picked(each, "StorageClass", "NewerNoncurrentVersions", NoncurrentDays="TransitionInDays")
            for each in transitions
        ]
    return made


def _notification(value: Any) -> Made:
    configuration: dict[str, Any] = {}
    for prop, member in (("Lambda", "Function"), ("Queue", "Queue"), ("Topic", "Topic")):
        given = value.get(f"{prop}Configurations")
        if given:
            kind = "LambdaFunction" if prop == "Lambda" else prop
            configuration[f"{kind}Configurations"] = [
                {
                    f"{kind}Arn": each[member],
                    "Events": [each["Event"]],
                    **(
                        {"Filter": {"Key": {"FilterRules": each["Filter"]["S3Key"]["Rules"]}}}
                        if "Filter" in each
                        else {}
                    ),
                }
                for each in given
            ]
    if "EventBridgeConfiguration" in value and value["EventBridgeConfiguration"].get(
        "EventBridgeEnabled", True
    ):
        configuration["EventBridgeConfiguration"] = {}
    return "PutBucketNotificationConfiguration", {"NotificationConfiguration": configuration}


def _website(value: Any) -> Made:
    configuration = picked(value, "RedirectAllRequestsTo")
    if "IndexDocument" in value:
        configuration["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in value:
        configuration["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    return "PutBucketWebsite", {"WebsiteConfiguration": configuration}


_SETTINGS: dict[str, tuple[Callable[[Any], Made], Made]] = {
    "BucketEncryption": (_encryption, ("DeleteBucketEncryption", {})),
    "CorsConfiguration": (_cors, ("DeleteBucketCors", {})),
    "LifecycleConfiguration": (_lifecycle, ("DeleteBucketLifecycle", {})),
    "NotificationConfiguration": (
        _notification,
        ("PutBucketNotificationConfiguration", {"NotificationConfiguration": {}}),
    ),
    "OwnershipControls": (
        lambda value: ("PutBucketOwnershipControls", {"OwnershipControls": value}),
        ("DeleteBucketOwnershipControls", {}),
    ),
    "PublicAccessBlockConfiguration": (
        lambda value: ("PutPublicAccessBlock", {"PublicAccessBlockConfiguration": value}),
        ("DeletePublicAccessBlock", {}),
    ),
    "Tags": (
        lambda value: ("PutBucketTagging", {"Tagging": {"TagSet": value}}),
        ("DeleteBucketTagging", {}),
    ),
    "VersioningConfiguration": (
        lambda value: ("PutBucketVersioning", {"VersioningConfiguration": value}),
        ("PutBucketVersioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    ),
    "WebsiteConfiguration": (_website, ("DeleteBucketWebsite", {})),
}
"""Property -> how it is set, and the call when it is taken out of the template."""


def _outcome(ctx: Context, name: str) -> Outcome:
    separator = "-" if ctx.region in _DASHED else "."
    return Outcome(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{ctx.region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{ctx.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website{separator}{ctx.region}.amazonaws.com",
        },
    )


class BucketPolicy(Provider):
    type = "AWS::S3::BucketPolicy"
    properties = accepts(Bucket=required(STRING, replaces=True), PolicyDocument=required(JSON))
    missing = ("NoSuchBucket", "NoSuchBucketPolicy")

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("s3", "DeleteBucketPolicy", {"Bucket": props["Bucket"]})

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> Outcome:
        bucket = props["Bucket"]
        policy = json.dumps(props["PolicyDocument"])
        ctx.call("s3", "PutBucketPolicy", {"Bucket": bucket, "Policy": policy})
        return Outcome(bucket)


PROVIDERS: tuple[type[Provider], ...] = (Bucket, BucketPolicy)
