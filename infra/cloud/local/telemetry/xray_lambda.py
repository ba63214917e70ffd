"""What Lambda writes into a trace: a segment of the service, and one of the function with its phases.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. The documents' shapes are those of recorded
traces (X-Ray Developer Guide, "Getting data from X-Ray"; BatchGetTraces answers published on GitHub).

- A function with active tracing follows the decision that came with the request, and decides itself where
  none came. A function without tracing writes no segment; it passes on what it was given, and where there
  was nothing, ``Sampled=0`` (its variable ``_X_AMZN_TRACE_ID`` says so, and the AWS SDK sends that).
- A batch from a queue is processed in a trace of its own, linked with the traces that its messages came from
  (https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html). That it is recorded if any of
  them is, is an assumption; so is that a batch from a stream begins a trace without links.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from ..lineage import BEGINS_ANEW, Trace, under
from .xray_documents import Document, make_id, make_trace_id
from .xray_sampling import LAMBDA_RATE, LAMBDA_RESERVOIR

if TYPE_CHECKING:
    from ..functions.invocation import Request
    from ..functions.model import Version
    from ..functions.spec import Outcome
    from ..world import World
    from .xray import XRay

_FRAME = re.compile(r'\s*File "(.+)", line (\d+), in (.+)')


@dataclasses.dataclass(frozen=True, slots=True)
class Hop:
    """One invocation in a trace. ``trace`` is what the function runs in; no ``id``: not recorded."""

    trace: Trace
    started: int
    id: str = ""
    function_id: str = ""
    invocation_id: str = ""
    parent: str = ""
    links: tuple[tuple[str, str], ...] = ()


class LambdaSegments:
    """Called at the beginning and at the end of each invocation of a function with active tracing."""

    def __init__(self, world: World, xray: XRay) -> None:
        self._kernel = world.kernel
        self._account = world.account
        self._xray = xray

    def decided(self, version: Version, trace: str, invoked_by: str) -> Trace:
        """The trace with the decision in it: the one it came with, or Lambda's own."""
        known = trace if isinstance(trace, Trace) else Trace.of(trace, {})
        if known.sampled is not None:
            return known
        anew = invoked_by in BEGINS_ANEW
        if anew and known.links:
            sampled = True
        elif not anew and sum(known.lineage.values()) > 1:
            sampled = False
        else:
            key, now = f"lambda/{version.function.arn}", self._kernel.now
            sampled = self._xray.reservoirs.decide(key, LAMBDA_RESERVOIR, LAMBDA_RATE, now, known.root)
        return Trace.of(
            known.plain,
            known.lineage,
            root=known.own_root,
            parent=known.parent,
            sampled=sampled,
            links=known.links,
        )

    def begin(self, version: Version, request: Request) -> Hop:
        """The invocation's place in its trace, from now on."""
        now, seed = self._kernel.now, self._kernel.seed
        trace = self.decided(version, request.trace, request.invoked_by)
        root = trace.root
        if request.invoked_by in BEGINS_ANEW or not root:
            root = make_trace_id(now, seed, request.request_id)
        id = make_id(seed, request.request_id, "lambda")
        attempt = f"{id}/{now}"
        invocation = make_id(attempt, "invocation")
        inside = under(trace, invocation, trace.sampled, root)
        if not trace.sampled:
            return Hop(inside, now)
        parent = "" if request.invoked_by in BEGINS_ANEW else trace.parent
        return Hop(inside, now, id, make_id(attempt, "function"), invocation, parent, trace.links)

    def end(self, hop: Hop, version: Version, request: Request, outcome: Outcome) -> None:
        """Write the segments of an invocation that was recorded."""
        if not hop.id:
            return
        service = self._service(hop, version, request)
        parent, faulty = hop.id, outcome.error is not None
        if request.invoked_by == "async":
            attempt = self._attempt(hop, request, faulty)
            parent = attempt["id"]
            before = self._xray.documents.latest(hop.trace.root, hop.id) or {}
            service["subsegments"] = [*(before.get("subsegments") or [self._dwell(hop, request)]), attempt]
        elif faulty:
            service["fault"] = True
        self._send(service, hop)
        self._send(self._function(hop, version, outcome, parent), hop)

    def throttled(self, version: Version, request: Request) -> None:
        """An invocation that Lambda refused."""
        hop = self.begin(version, request)
        if not hop.id:
            return
        document = self._service(hop, version, request)
        document.update(error=True, throttle=True, http={"response": {"status": 429}})
        self._send(document, hop)

    # -- documents -------------------------------------------------------------------------------

    def _send(self, document: Document, hop: Hop) -> None:
        self._xray.record(document, "lambda", hop.trace.plain)

    def _service(self, hop: Hop, version: Version, request: Request) -> Document:
        """The segment of the service; of an asynchronous invocation it ends when Lambda has the event."""
        late = request.invoked_by == "async"
        document: Document = {
            "id": hop.id,
            "name": version.function.name,
            "start_time": _seconds(request.arrived if late else hop.started),
            "trace_id": hop.trace.root,
            "end_time": _seconds(request.arrived if late else self._kernel.now),
            "http": {"response": {"status": 202 if late else 200}},
            "aws": {"request_id": request.request_id},
            "origin": "AWS::Lambda",
            "resource_arn": version.function.arn,
        }
        if hop.parent:
            document["parent_id"] = hop.parent
        if hop.links:
            document["links"] = [
                {"trace_id": trace, "id": id, "attributes": {"ReferenceType": "parent"}}
                for trace, id in hop.links
            ]
        return document

    def _dwell(self, hop: Hop, request: Request) -> Document:
        return {
            "id": make_id(hop.id, "dwell"),
            "name": "Dwell Time",
            "start_time": _seconds(request.arrived),
            "end_time": _seconds(hop.started),
        }

    def _attempt(self, hop: Hop, request: Request, faulty: bool) -> Document:
        before = self._xray.documents.latest(hop.trace.root, hop.id) or {}
        number = max(len(before.get("subsegments") or ()), 1)
        attempt: Document = {
            "id": make_id(hop.id, "attempt", number),
            "name": f"Attempt #{number}",
            "start_time": _seconds(hop.started),
            "end_time": _seconds(self._kernel.now),
            "http": {"response": {"status": 200}},
        }
        return {**attempt, "fault": True} if faulty else attempt

    def _function(self, hop: Hop, version: Version, outcome: Outcome, parent: str) -> Document:
        end = self._kernel.now
        start = end - outcome.duration_us
        about = {"function_arn": version.function.arn}
        phases: list[Document] = []
        if outcome.init_us:
            phases.append(_phase(hop, "Initialization", start - outcome.init_us, start, about))
        invocation = _phase(hop, "Invocation", start, end, about)
        phases += [{**invocation, "id": hop.invocation_id}, _phase(hop, "Overhead", end, end, about)]
        document: Document = {
            "id": hop.function_id,
            "name": version.function.name,
            "start_time": _seconds(start),
            "trace_id": hop.trace.root,
            "end_time": _seconds(end),
            "parent_id": parent,
            "aws": {
                "account_id": self._account,
                "function_arn": version.function.arn,
                "resource_names": [version.function.name],
            },
            "origin": "AWS::Lambda::Function",
            "subsegments": phases,
        }
        if outcome.error is not None:
            document["fault"] = phases[-2]["fault"] = True
            cause = cause_of(outcome.payload, hop.function_id)
            if cause is not None:
                document["cause"] = cause
        return document


def _phase(hop: Hop, name: str, start: int, end: int, about: dict[str, str]) -> Document:
    return {
        "id": make_id(hop.function_id, name),
        "name": name,
        "start_time": _seconds(start),
        "end_time": _seconds(end),
        "aws": dict(about),
    }


def cause_of(payload: bytes, id: str) -> dict[str, Any] | None:
    """What the runtime tells X-Ray of an exception (awslambdaric's bootstrap.py, make_xray_fault); None for
    an error that the runtime did not live to tell."""
    try:
        error = json.loads(payload)
    except ValueError:
        return None
    if not (isinstance(error, dict) and error.get("errorType")):
        return None
    frames = [match for line in error.get("stackTrace") or () if (match := _FRAME.match(line))]
    stack = [{"label": match[3], "path": match[1], "line": int(match[2])} for match in frames]
    return {
        "working_directory": "/var/task",
        "paths": list(dict.fromkeys(frame["path"] for frame in stack)),
        "exceptions": [
            {
                "id": make_id(id, "exception"),
                "message": error.get("errorMessage", ""),
                "type": error["errorType"],
                "stack": stack,
            }
        ],
    }


def _seconds(micros: int) -> float:
    return micros / 1_000_000
