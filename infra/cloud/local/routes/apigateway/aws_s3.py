"""S3's REST protocol, as far as an API hands out a bucket: objects read, written, deleted and listed.

https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
"""

from __future__ import annotations

import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from botocore.model import OperationModel

from ...service import NotSimulated, ServiceError
from .aws_model import AwsAnswer, AwsRequest, Malformed
from .aws_query import xml

_SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_QUERY = {"prefix": "Prefix", "delimiter": "Delimiter", "continuation-token": "ContinuationToken"}
_LISTING = {"Name", "Prefix", "Delimiter", "KeyCount", "MaxKeys", "IsTruncated", "Contents", "CommonPrefixes"}


def operation_of(request: AwsRequest) -> OperationModel:
    """By method and path; a sub-resource (``?acl``) or a bucket's own operations are refused by name."""
    bucket, key = _place(request)
    if request.action or not bucket:
        raise NotSimulated(
            f"NotSimulated: API Gateway's S3 integration {request.action or 'without a bucket'}"
        )
    plain = {"prefix", "delimiter", "continuation-token", "max-keys", "list-type", "versionId"}
    other = sorted(name for name in request.query if name not in plain and not name.startswith("x-id"))
    name = _OBJECT.get(request.method) if key else {"GET": "ListObjectsV2"}.get(request.method)
    if name is None or other:
        what = f"{request.method} {'object' if key else 'bucket'}{''.join(f' ?{each}' for each in other)}"
        raise NotSimulated(f"NotSimulated: API Gateway's S3 integration: {what}")
    return request.model.operation_model(name)


def params_of(request: AwsRequest, operation: OperationModel) -> dict[str, Any]:
    bucket, key = _place(request)
    params: dict[str, Any] = {"Bucket": bucket}
    query = {name: values[0] for name, values in request.query.items()}
    if operation.name == "ListObjectsV2":
        params |= {_QUERY[name]: value for name, value in query.items() if name in _QUERY}
        if query.get("max-keys", "").isdigit():
            params["MaxKeys"] = int(query["max-keys"])
        return params
    params["Key"] = key
    if "versionId" in query:
        params["VersionId"] = query["versionId"]
    if operation.name == "PutObject":
        params["Body"] = request.body
        kind = request.headers.get("content-type")
        if kind:
            params["ContentType"] = kind
        metadata = {
            name.removeprefix("x-amz-meta-"): value
            for name, value in request.headers.items()
            if name.startswith("x-amz-meta-")
        }
        if metadata:
            params["Metadata"] = metadata
    return params


def _place(request: AwsRequest) -> tuple[str, str]:
    """Bucket and key: of ``bucket.s3:path/key`` or of ``s3:path/bucket/key``."""
    path = unquote(request.path.lstrip("/"))
    if request.subdomain:
        return request.subdomain, path
    bucket, _, key = path.partition("/")
    return bucket, key


def answer(request: AwsRequest, operation: OperationModel, result: dict[str, Any]) -> AwsAnswer:
    headers = {"x-amz-request-id": request.request_id}
    for member, name in (("ETag", "ETag"), ("VersionId", "x-amz-version-id")):
        if result.get(member):
            headers[name] = str(result[member])
    if operation.name == "ListObjectsV2":
        shape = operation.output_shape
        assert shape is not None
        inner = "".join(
            xml(result[name], member, member.serialization.get("name", name), False)
            for name, member in shape.members.items()
            if name in _LISTING and result.get(name) not in (None, [])
        )
        root = f'<ListBucketResult xmlns="{_SPACE}">{inner}</ListBucketResult>'
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'
        return AwsAnswer(200, text.encode(), {**headers, "Content-Type": "application/xml"})
    if operation.name == "DeleteObject":
        return AwsAnswer(204, b"", headers)
    if operation.name == "PutObject":
        return AwsAnswer(200, b"", headers)
    body = result["Body"].read() if "Body" in result else b""
    headers["Content-Type"] = result.get("ContentType") or "binary/octet-stream"
    headers["Content-Length"] = str(result.get("ContentLength", len(body)))
    if isinstance(result.get("LastModified"), datetime.datetime):
        headers["Last-Modified"] = format_datetime(
            result["LastModified"].astimezone(datetime.UTC), usegmt=True
        )
    headers |= {f"x-amz-meta-{name}": value for name, value in (result.get("Metadata") or {}).items()}
    return AwsAnswer(200, body, headers)


def refusal(request: AwsRequest, error: ServiceError | Malformed) -> AwsAnswer:
    headers = {"Content-Type": "application/xml", "x-amz-request-id": request.request_id}
    if request.method == "HEAD":
        return AwsAnswer(error.status, b"", headers)
    _, key = _place(request)
    more = f"<Key>{escape(key)}</Key>" if error.code == "NoSuchKey" else ""
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message>{more}<RequestId>{request.request_id}</RequestId></Error>"
    )
    return AwsAnswer(error.status, text.encode(), headers)
