"""One trace as X-Ray sees it: its segments, who served whom, and its summary.

https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .xray_documents import Document, walk

Node = tuple[str, str]
"""A service: its name and its type ("" if it has none)."""


def node_of(segment: Document) -> Node:
    """The node of the service graph that a segment belongs to. A call to AWS goes to the resource's node."""
    named = (segment.get("aws") or {}).get("resource_names")
    if segment.get("inferred"):
        remote = "" if segment.get("origin") else "remote"
        return (named[0] if named else segment["name"]), segment.get("origin") or remote
    return segment["name"], segment.get("origin", "")


def status_of(segment: Document) -> int | None:
    status = ((segment.get("http") or {}).get("response") or {}).get("status")
    return status if isinstance(status, int) else None


def flags_of(segment: Document) -> dict[str, bool]:
    """error, throttle, fault: said by the segment itself, or by the status of its answer."""
    status = status_of(segment) or 0
    return {
        "error": bool(segment.get("error")) or 400 <= status < 500,
        "throttle": bool(segment.get("throttle")) or status == 429,
        "fault": bool(segment.get("fault")) or status >= 500,
    }


def took(segment: Document) -> float:
    """Seconds from its start to its end; 0 while it is in progress."""
    return max(ended(segment) - float(segment["start_time"]), 0.0)


def ended(segment: Document) -> float:
    """When it ended; its start while it is in progress. Seconds since the epoch."""
    end = segment.get("end_time")
    return float(segment["start_time"] if end is None else end)


_MACHINES = {"availabilityzone": "availability_zone", "instance.id": "instance_id"}


class Cause:
    """A service, an entity or an exception of a root cause, at its place in the list of them."""

    def __init__(self, shown: dict[str, Any], at: int, of: int) -> None:
        self._shown = shown
        self._at = at
        self._of = of

    def flag(self, name: str) -> bool:
        if name in ("first", "last"):
            return self._at == (0 if name == "first" else self._of - 1)
        return bool(self._shown.get(name.capitalize()))

    def number(self, name: str) -> float | None:
        return self._at if name == "index" else None

    def strings(self, name: str) -> list[str]:
        return [self._shown[name.capitalize()]] if name.capitalize() in self._shown else []

    def annotations(self, key: str) -> list[Any]:
        return []

    def services(self, name: str, type: str) -> list[Cause]:
        return []

    def edges(self, source: Node, target: Node) -> list[Cause]:
        return []

    def causes(self, kind: str, of: str) -> list[Cause]:
        return []


class Segments:
    """Some segments, as a filter expression asks about them: the first of them is asked for its answer."""

    def __init__(self, segments: list[Document]) -> None:
        self.segments = segments

    @property
    def _first(self) -> Document:
        return self.segments[0]

    def flag(self, name: str) -> bool:
        if name == "partial":
            return any(node.get("in_progress") for each in self.segments for node in walk(each))
        if name == "inferred":
            return any(each.get("inferred") for each in self.segments)
        if name == "root":
            return "parent_id" not in self._first
        flags = flags_of(self._first)
        return flags[name] if name in flags else name == "ok" and not any(flags.values())

    def number(self, name: str) -> float | None:
        if name == "http.status":
            return status_of(self._first)
        return took(self._first) if name in ("responsetime", "duration") else None

    def strings(self, name: str) -> list[str]:
        asked = (self._first.get("http") or {}).get("request") or {}
        members = {
            "http.url": "url",
            "http.method": "method",
            "http.useragent": "user_agent",
            "http.clientip": "client_ip",
        }
        if name in members:
            return [asked[members[name]]] if members[name] in asked else []
        if name == "user":
            return [each["user"] for each in self.segments if isinstance(each.get("user"), str)]
        if name == "name":
            return [node_of(each)[0] for each in self.segments]
        if name == "type":
            return [node_of(each)[1] for each in self.segments]
        if name == "resource.arn":
            return [each["resource_arn"] for each in self.segments if "resource_arn" in each]
        if name == "message":
            return [each.get("message", "") for every in self.segments for each in _exceptions(every)]
        if name in _MACHINES:
            machines = ((each.get("aws") or {}).get("ec2") or {} for each in self.segments)
            return [each[_MACHINES[name]] for each in machines if _MACHINES[name] in each]
        return []

    def annotations(self, key: str) -> list[Any]:
        return [
            node["annotations"][key]
            for each in self.segments
            for node in walk(each)
            if key in (node.get("annotations") or {})
        ]

    def services(self, name: str, type: str) -> list[Segments]:
        """Each segment of the services of that name and type; "" is any."""
        return [Segments([each]) for each in self.segments if _is(node_of(each), name, type)]

    def edges(self, source: Node, target: Node) -> list[Segments]:
        return []

    def causes(self, kind: str, of: str) -> list[Cause]:
        return []


class TraceView(Segments):
    """A trace with at least one segment. Times are seconds since the epoch."""

    def __init__(self, id: str, segments: list[Document]) -> None:
        self.id = id
        self._owner: dict[str, Document] = {}
        self._through: dict[str, Document] = {}
        """Call -> the inferred segment of whom was called; what it passed the call on to comes after that."""
        for segment in segments:
            if segment.get("inferred"):
                self._through[segment["parent_id"]] = segment
            for node in walk(segment):
                self._owner[node["id"]] = segment
        roots = [each for each in segments if self.caller(each) is None and each.get("type") is None]
        first = (roots or segments)[0]
        super().__init__([first, *(each for each in segments if each is not first)])
        self.root = first
        self.roots = roots or [first]

    @property
    def start(self) -> float:
        return float(min(each["start_time"] for each in self.segments))

    @property
    def end(self) -> float:
        return max(ended(node) for each in self.segments for node in walk(each))

    def caller(self, segment: Document) -> Document | None:
        """The segment that one was called from."""
        parent = segment.get("parent_id", "")
        found = self._owner.get(parent)
        if not segment.get("inferred"):
            found = self._through.get(parent, found)
        return None if found is segment else found

    def number(self, name: str) -> float | None:
        return self.end - self.start if name == "duration" else super().number(name)

    def edges(self, source: Node, target: Node) -> list[Segments]:
        found = []
        for each in self.segments:
            caller = self.caller(each)
            if caller is not None and _is(node_of(caller), *source) and _is(node_of(each), *target):
                found.append(Segments([each]))
        return found

    def causes(self, kind: str, of: str) -> list[Cause]:
        lists = [cause["Services"] for cause in self._causes(kind, "")]
        if of != "service":
            lists = [service["EntityPath"] for services in lists for service in services]
        if of == "exception":
            lists = [entity["Exceptions"] for entities in lists for entity in entities]
        return [Cause(each, at, len(every)) for every in lists for at, each in enumerate(every)]

    def service_id(self, node: Node, account: str) -> dict[str, Any]:
        found: dict[str, Any] = {"Name": node[0], "Names": [node[0]], "AccountId": account}
        return {**found, "Type": node[1]} if node[1] else found

    def summary(self, account: str) -> dict[str, Any]:
        """As GetTraceSummaries shows it, but for the members that are times."""
        flags = flags_of(self.root)
        shown: dict[str, Any] = {
            "Id": self.id,
            "Duration": round(self.end - self.start, 6),
            "ResponseTime": round(took(self.root), 6),
            "HasFault": flags["fault"],
            "HasError": flags["error"],
            "HasThrottle": flags["throttle"],
            "IsPartial": self.flag("partial"),
            "Http": self._http(),
            "Annotations": self._annotations(account),
            "Users": self._users(account),
            "ServiceIds": [
                self.service_id(node, account) for node in dict.fromkeys(map(node_of, self.segments))
            ],
            "ResourceARNs": [{"ARN": arn} for arn in dict.fromkeys(self.strings("resource.arn"))],
            "InstanceIds": [{"Id": id} for id in dict.fromkeys(self.strings("instance.id"))],
            "AvailabilityZones": [{"Name": zone} for zone in dict.fromkeys(self.strings("availabilityzone"))],
            "EntryPoint": self.service_id(node_of(self.root), account),
            "FaultRootCauses": self._causes("fault", account),
            "ErrorRootCauses": self._causes("error", account),
            "ResponseTimeRootCauses": [],
            "Revision": 1,
        }
        return shown

    def _http(self) -> dict[str, Any]:
        asked = (self.root.get("http") or {}).get("request") or {}
        shown = {
            "HttpURL": asked.get("url"),
            "HttpStatus": status_of(self.root),
            "HttpMethod": asked.get("method"),
            "UserAgent": asked.get("user_agent"),
            "ClientIp": asked.get("client_ip"),
        }
        return {name: value for name, value in shown.items() if value is not None}

    def _annotations(self, account: str) -> dict[str, list[dict[str, Any]]]:
        """Key -> each value that it has, with the services that wrote it."""
        found: dict[str, dict[tuple[str, Any], list[Node]]] = {}
        for segment in self.segments:
            for node in walk(segment):
                for key, value in (node.get("annotations") or {}).items():
                    writers = found.setdefault(key, {}).setdefault((_kind(value), value), [])
                    if node_of(segment) not in writers:
                        writers.append(node_of(segment))
        return {
            key: [
                {
                    "AnnotationValue": {kind: float(value) if kind == "NumberValue" else value},
                    "ServiceIds": [self.service_id(node, account) for node in writers],
                }
                for (kind, value), writers in values.items()
            ]
            for key, values in found.items()
        }

    def _users(self, account: str) -> list[dict[str, Any]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self.segments:
            if isinstance(each.get("user"), str):
                found.setdefault(each["user"], []).append(self.service_id(node_of(each), account))
        return [{"UserName": name, "ServiceIds": services} for name, services in found.items()]

    def _causes(self, kind: str, account: str) -> list[dict[str, Any]]:
        """The services from the first to the one where the fault (or error) came from; none without one."""
        services: list[dict[str, Any]] = []
        segment: Document | None = self.root if flags_of(self.root)[kind] else None
        while segment is not None and len(services) < len(self.segments):
            path = list(_failing(segment, kind))
            services.append(
                {
                    **self.service_id(node_of(segment), account),
                    "EntityPath": [_entity(node) for node in path],
                    "Inferred": bool(segment.get("inferred")),
                }
            )
            ids = {node["id"] for node in path}
            below = (each for each in self.segments if each is not segment and each.get("parent_id") in ids)
            segment = next((each for each in below if flags_of(each)[kind]), None)
        return [{"Services": services, "ClientImpacting": True}] if services else []


def _is(node: Node, name: str, type: str) -> bool:
    return name in ("", node[0]) and type in ("", node[1])


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "BooleanValue"
    return "NumberValue" if isinstance(value, int | float) else "StringValue"


def _exceptions(document: Document) -> Iterable[dict[str, Any]]:
    for node in walk(document):
        cause = node.get("cause")
        if isinstance(cause, dict):
            yield from cause.get("exceptions") or ()


def _failing(document: Document, kind: str) -> Iterable[Document]:
    """A segment and, below it, the subsegments that failed in the same way: first of each level."""
    yield document
    for each in document.get("subsegments") or ():
        if flags_of(each)[kind]:
            yield from _failing(each, kind)
            return


def _entity(node: Document) -> dict[str, Any]:
    cause = node.get("cause")
    exceptions = cause.get("exceptions") or [] if isinstance(cause, dict) else []
    return {
        "Name": node["name"],
        "Exceptions": [
            {"Name": each.get("type", ""), "Message": each.get("message", "")} for each in exceptions
        ],
        "Remote": node.get("namespace") in ("aws", "remote"),
    }
