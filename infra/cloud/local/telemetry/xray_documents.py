"""Segment documents: what X-Ray takes, and what it makes of all that it took of one trace.

The journal's entries ``xray.document`` are the documents as they were sent; everything else here is read from
them. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..journal import Entry, Journal

Document = dict[str, Any]

MAX_BYTES = 64 * 1024
"""The longest document. https://docs.aws.amazon.com/general/latest/gr/xray.html"""

_ID = re.compile(r"[0-9a-fA-F]{16}")
_TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@',\[\]]{1,200}")
"""The documented characters, and those that the SDK for Python leaves in the names that it sends
(aws_xray_sdk.core.models.entity); a ``?`` is refused: https://github.com/Napp/xray-laravel/issues/29."""
_ORDER = (
    "id",
    "name",
    "start_time",
    "trace_id",
    "end_time",
    "parent_id",
    "in_progress",
    "inferred",
    "error",
    "throttle",
    "fault",
    "cause",
    "http",
    "aws",
    "service",
    "user",
    "annotations",
    "metadata",
    "links",
    "origin",
    "resource_arn",
    "subsegments",
    "namespace",
)
"""The order in which X-Ray shows the members of a document."""

_SERVICES = {
    "dynamodb": ("DynamoDB", "AWS::DynamoDB::Table"),
    "sqs": ("SQS", "AWS::SQS::Queue"),
    "sns": ("SNS", "AWS::SNS"),
    "s3": ("S3", "AWS::S3::Bucket"),
    "lambda": ("Lambda", "AWS::Lambda"),
    "events": ("Events", "AWS::Events"),
    "states": ("StepFunctions", "AWS::StepFunctions"),
    "kinesis": ("Kinesis", "AWS::Kinesis"),
    "ssm": ("SSM", "AWS::SSM"),
    "secretsmanager": ("SecretsManager", "AWS::SecretsManager"),
    "sts": ("STS", "AWS::STS"),
    "kms": ("KMS", "AWS::KMS"),
}
"""Endpoint prefix, as the SDK for Python names a subsegment -> the name and type that X-Ray shows."""

_RESOURCES = ("table_name", "queue_url", "bucket_name", "function_name", "stream_name")


def make_id(*parts: object) -> str:
    """A segment's id, made from what it stands for: the same on every run, and no draw of chance."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:16]


def make_trace_id(now: int, *parts: object) -> str:
    """The id of a trace that begins at ``now`` (virtual µs)."""
    return f"1-{now // 1_000_000:08x}-{hashlib.sha256('/'.join(map(str, parts)).encode()).hexdigest()[:24]}"


class Invalid(Exception):
    """A document that X-Ray does not take: ``id`` if it has one, ``code`` and what is wrong."""

    def __init__(self, id: str, code: str, message: str) -> None:
        super().__init__(message)
        self.id = id
        self.code = code
        self.message = message


def check(text: str) -> Document:
    """A document that may be stored. Raises Invalid.

    Which codes X-Ray uses is not documented but for the kinds of error; the names here are its own
    (``ParseError``, ``MissingId`` …) as its users report them.
    """
    if len(text.encode()) > MAX_BYTES:
        raise Invalid("", "DocumentTooLarge", f"The document is larger than {MAX_BYTES // 1024} kB")
    try:
        document = json.loads(text)
    except ValueError:
        raise Invalid("", "ParseError", "Invalid segment. ErrorCode: ParseError") from None
    if document == []:  # https://github.com/humanmade/aws-xray/issues/29
        raise Invalid("", "MissingId", "Invalid segment. ErrorCode: MissingId")
    if not isinstance(document, dict):
        raise Invalid("", "ParseError", "Invalid segment. ErrorCode: ParseError")
    id = document.get("id")
    shown = id if isinstance(id, str) else ""
    code = _problem(document)
    if code and document.get("type") == "subsegment":  # https://github.com/aws/aws-xray-daemon/issues/184
        raise Invalid(shown, code, f"Invalid subsegment. ErrorCode: {code}, Cause: null")
    if code:
        raise Invalid(shown, code, f"Invalid segment. ErrorCode: {code}")
    return document


def _problem(document: Document) -> str:
    """The code of what is wrong with a document, or ""."""
    for member, code in (
        ("id", "Id"),
        ("name", "Name"),
        ("trace_id", "TraceId"),
        ("start_time", "StartTime"),
    ):
        if document.get(member) in (None, ""):
            return f"Missing{code}"
    if not (isinstance(document["id"], str) and _ID.fullmatch(document["id"])):
        return "InvalidId"
    if not (isinstance(document["trace_id"], str) and _TRACE_ID.fullmatch(document["trace_id"])):
        return "InvalidTraceId"
    if not (isinstance(document["name"], str) and _NAME.fullmatch(document["name"])):
        return "InvalidName"
    if not _is_number(document["start_time"]):
        return "InvalidStartTime"
    ended = document.get("end_time")
    if ended is None and document.get("in_progress") is not True:
        return "MissingEndTime"
    if ended is not None and not (_is_number(ended) and ended >= document["start_time"]):
        return "InvalidEndTime"
    parent = document.get("parent_id")
    if parent is not None and not (isinstance(parent, str) and _ID.fullmatch(parent)):
        return "InvalidParentId"
    if document.get("type") == "subsegment" and parent is None:
        return "MissingParentId"
    if document.get("type") not in (None, "subsegment"):
        return "InvalidType"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


class Documents:
    """The documents of each trace, read from the journal as it grows, and from ``others`` when asked."""

    def __init__(self, journal: Journal, others: Callable[[], Iterable[Document]]) -> None:
        self._of: dict[str, list[Document]] = {}
        self._others = others
        self._compiled: dict[str, tuple[int, list[Document]]] = {}
        """Trace -> how many documents there were, and what they came to; nobody changes that."""
        journal.listen("xray.document", self._add)

    def _add(self, entry: Entry) -> None:
        self._of.setdefault(entry.resource, []).append(entry.data["document"])

    def by_trace(self) -> dict[str, list[Document]]:
        """Every trace with its segments as X-Ray shows them."""
        others: dict[str, list[Document]] = {}
        for document in self._others():
            others.setdefault(document["trace_id"], []).append(document)
        return {id: self._whole(id, others.get(id, [])) for id in {**self._of, **others}}

    def latest(self, trace: str, id: str) -> Document | None:
        """The document that was last sent for a segment."""
        return next((each for each in reversed(self._of.get(trace, ())) if each["id"] == id), None)

    def segments(self, trace: str) -> list[Document]:
        """The segments of a trace as X-Ray shows them, oldest first; none if it knows nothing of it."""
        return self._whole(trace, [each for each in self._others() if each["trace_id"] == trace])

    def _whole(self, trace: str, others: list[Document]) -> list[Document]:
        documents = self._of.get(trace, [])
        if others:
            return compiled(trace, [*documents, *others])
        count, segments = self._compiled.get(trace, (-1, []))
        if count != len(documents):
            segments = compiled(trace, documents)
            self._compiled[trace] = len(documents), segments
        return segments


def compiled(trace: str, documents: Iterable[Document]) -> list[Document]:
    """Documents with the subsegments that came separately in their places, and what is inferred from calls.

    A later document of an id replaces an earlier one (a segment in progress). A subsegment whose parent is
    not there yet stands for itself.
    """
    latest: dict[str, Document] = {}
    for document in documents:
        latest[document["id"]] = json.loads(json.dumps(document))
    places: dict[str, Document] = {}
    for document in latest.values():
        for node in walk(document):
            places[node["id"]] = node
    found = []
    for document in latest.values():
        parent = places.get(document.get("parent_id", ""))
        if document.get("type") == "subsegment" and parent is not None and parent is not document:
            for member in ("type", "trace_id", "parent_id"):
                document.pop(member, None)
            parent.setdefault("subsegments", []).append(document)
        else:
            document["trace_id"] = trace
            found.append(document)
    served: dict[str, set[str]] = {}
    for document in found:
        served.setdefault(document.get("parent_id", ""), set()).add(document.get("origin", ""))
    for document in list(found):
        for node in walk(document):
            if node.get("namespace") in ("aws", "remote"):
                _name(node)
                if not node.get("in_progress") and not _answered(node, served.get(node["id"], set())):
                    found.append(_inferred(trace, node))
    return [ordered(each) for each in sorted(found, key=lambda each: (each["start_time"], each["id"]))]


def walk(document: Document) -> Iterator[Document]:
    """The document and all its subsegments."""
    yield document
    for each in document.get("subsegments") or ():
        yield from walk(each)


def ordered(document: Document) -> Document:
    """The members in X-Ray's order, in subsegments too."""
    shown = {name: document[name] for name in _ORDER if name in document}
    shown.update({name: value for name, value in document.items() if name not in shown})
    if shown.get("subsegments"):
        shown["subsegments"] = [ordered(each) for each in shown["subsegments"]]
    else:
        shown.pop("subsegments", None)
    return shown


def _name(node: Document) -> None:
    """Name a call to AWS as X-Ray does, and say which resource it went to."""
    if node["namespace"] != "aws":
        return
    node["name"] = _SERVICES.get(node["name"], (node["name"], ""))[0]
    about = node.get("aws") or {}
    named = next((about[key] for key in _RESOURCES if isinstance(about.get(key), str)), None)
    if named is not None and "resource_names" not in about:
        node["aws"] = {**about, "resource_names": [named]}


def _answered(node: Document, origins: set[str]) -> bool:
    """Did the service that was called write a segment of its own? What SNS or EventBridge passes a call on to
    hangs under the call as well, and does not answer for them.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-eventbridge.html#xray-services-eventbridge-service-map
    """
    if node["namespace"] == "remote":
        return bool(origins)
    return any(origin.split("::")[1:2] == [node["name"]] for origin in origins)


def _inferred(trace: str, node: Document) -> Document:
    """The segment of a service that sends none, from the call that went to it."""
    made: Document = {
        "id": make_id(trace, node["id"], "inferred"),
        "name": node["name"],
        "start_time": node["start_time"],
        "trace_id": trace,
        "end_time": node.get("end_time", node["start_time"]),
        "parent_id": node["id"],
        "inferred": True,
    }
    for member in ("error", "throttle", "fault", "cause", "http", "aws"):
        if node.get(member):
            made[member] = node[member]
    if node["namespace"] == "aws":
        known = dict(_SERVICES.values())
        made["origin"] = known.get(node["name"], f"AWS::{node['name']}")
    return made
