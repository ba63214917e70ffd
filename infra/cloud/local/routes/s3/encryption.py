"""Objects under a KMS key: who writes or reads one must be allowed to use the key, too.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html, and per operation its page in
the API reference, "Permissions". An object that S3 encrypts with its own keys needs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from ...service import Caller, ServiceError
from . import moto_buckets

if TYPE_CHECKING:
    from ...world import World

_OPERATIONS = frozenset(
    [
        "CopyObject",
        "CreateMultipartUpload",
        "GetObject",
        "HeadObject",
        "PutObject",
        "UploadPart",
        "UploadPartCopy",
    ]
)
_KMS = ("aws:kms", "aws:kms:dsse")


class Encryption:
    """Asks KMS before moto answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def before(self, operation: str, params: Mapping[str, Any], region: str, caller: Caller) -> None:
        if operation not in _OPERATIONS:
            return
        bucket = moto_buckets.bucket(self._world.account, params["Bucket"])
        if bucket is None:
            return  # moto says so
        if "CopySource" in params:
            self._read_source(params["CopySource"], caller)
        name = params["Key"]
        if operation == "GetObject":
            self._read(bucket, name, params.get("VersionId"), caller)
        elif operation == "HeadObject":
            if params.get("ChecksumMode") == "ENABLED":
                self._read_head(bucket, name, params.get("VersionId"), caller)
        elif "UploadId" in params:
            upload = bucket.multiparts.get(params["UploadId"])
            if upload is not None:
                self._write(
                    bucket, name, upload.sse_encryption, upload.kms_key_id, None, caller, "kms:Decrypt"
                )
        else:
            wanted, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
            with_bucket_key = params.get("BucketKeyEnabled")
            self._write(bucket, name, wanted, key, with_bucket_key, caller, "kms:GenerateDataKey")

    def _write(
        self,
        bucket: Any,
        name: str,
        wanted: str | None,
        key: str | None,
        with_bucket_key: bool | None,
        caller: Caller,
        action: str,
    ) -> None:
        """What a request leaves open, the bucket's default encryption says."""
        rule: Mapping[str, Any] = (bucket.encryption or {}).get("Rule", {})
        default: Mapping[str, Any] = rule.get("ApplyServerSideEncryptionByDefault", {})
        if with_bucket_key is None:
            with_bucket_key = rule.get("BucketKeyEnabled") == "true"
        if (wanted or default.get("SSEAlgorithm")) in _KMS:
            self._use(bucket, name, key or default.get("KMSMasterKeyID"), with_bucket_key, caller, action)

    def _read_source(self, source: str | Mapping[str, str], caller: Caller) -> None:
        """Of a copy: ``bucket/key?versionId=…``, or its parts."""
        if isinstance(source, str):
            path, _, query = source.partition("?")
            name, _, key = unquote(path).lstrip("/").partition("/")
            version = parse_qs(query).get("versionId", [None])[0]
        else:
            name, key, version = source["Bucket"], source["Key"], source.get("VersionId")
        bucket = moto_buckets.bucket(self._world.account, name)
        if bucket is not None:
            self._read(bucket, key, version, caller)

    def _read_head(self, bucket: Any, name: str, version: str | None, caller: Caller) -> None:
        """An answer to HEAD has no body that could say more."""
        try:
            self._read(bucket, name, version, caller)
        except ServiceError as problem:
            said = "Forbidden" if problem.status == 403 else "Bad Request"
            raise ServiceError(str(problem.status), said, problem.status) from problem

    def _read(self, bucket: Any, name: str, version: str | None, caller: Caller) -> None:
        found = moto_buckets.version(bucket, name, version)
        if found is None or moto_buckets.is_marker(found) or found.encryption not in _KMS:
            return
        with_bucket_key = str(found.bucket_key_enabled).lower() == "true"
        self._use(bucket, name, found.kms_key_id, with_bucket_key, caller, "kms:Decrypt")

    def _use(
        self, bucket: Any, name: str, key: str | None, with_bucket_key: bool, caller: Caller, action: str
    ) -> None:
        """The encryption context is the object's ARN, with a bucket key the bucket's. No key is named:
        then it is aws/s3, which lets in everybody in the account that S3 lets in."""
        if not key:
            return
        region = bucket.region_name
        if key.startswith("arn:") and key.split(":")[3] != region:
            raise ServiceError("KMS.NotFoundException", f"Invalid arn {key.split(':')[3]}")
        arn = f"arn:aws:s3:::{bucket.name}" if with_bucket_key else f"arn:aws:s3:::{bucket.name}/{name}"
        try:
            self._world.keys.use(caller, key, (action,), "s3", region, {"aws:s3:arn": arn})
        except ServiceError as problem:
            if problem.code == "AccessDeniedException":
                raise ServiceError("AccessDenied", problem.message, 403) from problem
            raise ServiceError(f"KMS.{problem.code}", problem.message) from problem
