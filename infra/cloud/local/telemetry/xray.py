"""X-Ray's API, answered from the journal: traces, their summaries, the service graph, rules and groups.

What it does not do says so: insights, Transaction Search (StartTraceRetrieval and its neighbours), encryption
with a key of one's own. A summary's ResponseTimeRootCauses are always empty. There is one Region. What was
sent is there at once; on AWS it takes seconds. A trace is kept for 30 days.

https://docs.aws.amazon.com/xray/latest/api/Welcome.html
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from ..routes.paging import page_of
from ..service import Call, NotSimulated, ServiceError
from . import xray_documents
from .xray_daemon import Daemon
from .xray_documents import Document, Documents
from .xray_filters import Malformed, selector
from .xray_gateway import GatewaySegments
from .xray_graph import graph, moment
from .xray_lambda import LambdaSegments
from .xray_policies import ResourcePolicies
from .xray_rules import refused
from .xray_series import PERIODS, series
from .xray_states import StatesSegments
from .xray_topics import TopicSegments
from .xray_traces import TraceView

if TYPE_CHECKING:
    from ..world import World

RETENTION_S = 30 * 86400
"""https://docs.aws.amazon.com/general/latest/gr/xray.html"""
BATCH = 5
"""Traces that BatchGetTraces gives at once.
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html"""
PAGE = 100
_SUMMARY_RANGE = datetime.timedelta(hours=24)
_GRAPH_RANGE = datetime.timedelta(hours=6)


class XRay(ResourcePolicies):
    """``documents`` are read from the journal; only rules, groups and tags are kept here.

    Whoever takes part in traces calls ``record`` with the segments of its own; Lambda's part is
    ``functions`` (``daemon`` is beside each of them), Step Functions' ``states``,
    API Gateway's ``gateway``, SNS's ``topics``.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._groups = {}
        self._policies = {}
        self.destination = "XRay"
        self.states = StatesSegments(world, self)
        self.documents = Documents(self.journal, self.states.documents)
        self.functions = LambdaSegments(world, self)
        self.daemon = Daemon(world)
        self.gateway = GatewaySegments(world, self)
        self.topics = TopicSegments(world, self)

    def record(self, document: Document, actor: str, trace: str = "") -> None:
        """Take one document; ``trace`` is the journal's id of the story, if that is not the document's."""
        id = document["trace_id"]
        self.journal.record("xray.document", id, actor=actor, trace=trace or id, data={"document": document})

    # -- documents -------------------------------------------------------------------------------

    def PutTraceSegments(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html"""
        unprocessed = []
        for text in call.params["TraceSegmentDocuments"]:
            try:
                document = xray_documents.check(text)
            except xray_documents.Invalid as problem:
                shown = {"Id": problem.id} if problem.id else {}
                unprocessed.append({**shown, "ErrorCode": problem.code, "Message": problem.message})
            else:
                self.record(document, call.caller.name)
        return {"UnprocessedTraceSegments": unprocessed}

    def PutTelemetryRecords(self, call: Call) -> dict[str, Any]:
        """What the daemon says of its own work; nothing is made of it."""
        return {}

    def BatchGetTraces(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html"""
        ids = call.params["TraceIds"]
        if len(ids) > BATCH:
            raise refused(f"Too many trace IDs: {len(ids)}. At most {BATCH} can be retrieved at once.")
        traces, missing = [], []
        for id in dict.fromkeys(ids):
            view = self._view(id)
            if view is None:
                missing.append(id)
                continue
            traces.append(
                {
                    "Id": id,
                    "Duration": round(view.end - view.start, 6),
                    "LimitExceeded": False,
                    "Segments": [
                        {"Id": each["id"], "Document": json.dumps(each, separators=(",", ":"))}
                        for each in view.segments
                    ],
                }
            )
        return {"Traces": traces, "UnprocessedTraceIds": missing}

    # -- looking for traces ----------------------------------------------------------------------

    def GetTraceSummaries(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html"""
        params = call.params
        if params.get("SamplingStrategy", {}).get("Value", 1) < 1:
            raise NotSimulated(
                "NotSimulated: xray SamplingStrategy.Value - summaries of a part of the traces"
            )
        if params.get("TimeRangeType") == "Service":
            raise NotSimulated("NotSimulated: xray TimeRangeType Service - use TraceId or Event")
        start, end = _range(params, _SUMMARY_RANGE, "24 hours")
        wanted = self.filter(params.get("FilterExpression"))
        by_event = params.get("TimeRangeType") == "Event"
        views = self._views(start, end, by_event)
        found = sorted((view for view in views if wanted(view)), key=lambda view: (-view.start, view.id))
        page, token = page_of(found, params.get("NextToken"), PAGE, _bad_token)
        shown = []
        for view in page:
            summary = {**view.summary(self.world.account), "StartTime": moment(view.start)}
            if by_event:
                summary["MatchedEventTime"] = moment(view.end)
            shown.append(summary)
        answer = {
            "TraceSummaries": shown,
            "ApproximateTime": moment(self.kernel.now / 1_000_000),
            "TracesProcessedCount": len(views),
        }
        return {**answer, "NextToken": token} if token else answer

    def GetServiceGraph(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html"""
        start, end = _range(call.params, _GRAPH_RANGE, "6 hours")
        group = self.group_of(call)
        wanted = self.filter(group.expression if group is not None else None)
        views = [view for view in self._views(start, end) if wanted(view)]
        return {
            "StartTime": call.params["StartTime"],
            "EndTime": call.params["EndTime"],
            "Services": graph(views, self.world.account),
            "ContainsOldGroupVersions": False,
        }

    def GetTraceGraph(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_GetTraceGraph.html"""
        views = [
            view for id in dict.fromkeys(call.params["TraceIds"]) if (view := self._view(id)) is not None
        ]
        return {"Services": graph(views, self.world.account)}

    def GetTimeSeriesServiceStatistics(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html"""
        params = call.params
        if params.get("ForecastStatistics"):
            raise NotSimulated("NotSimulated: xray ForecastStatistics - nothing is forecast")
        start, end = _range(params, _GRAPH_RANGE, "6 hours")
        period = params.get("Period", PERIODS[0])
        if period not in PERIODS:
            raise refused(f"Period must be 60 or 300, not {period}")
        group = self.group_of(call)
        wanted = self.filter(group.expression if group is not None else None)
        try:
            chosen = (
                selector(params["EntitySelectorExpression"])
                if params.get("EntitySelectorExpression")
                else None
            )
        except Malformed as error:
            raise refused(f"Invalid entity selector expression: {error}") from None
        views = [view for view in self._views(start, end) if wanted(view)]
        return {
            "TimeSeriesServiceStatistics": series(views, chosen, period),
            "ContainsOldGroupVersions": False,
        }

    def GetEncryptionConfig(self, call: Call) -> dict[str, Any]:
        return {"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}}

    def GetTraceSegmentDestination(self, call: Call) -> dict[str, Any]:
        return {"Destination": self.destination, "Status": "ACTIVE"}

    def UpdateTraceSegmentDestination(self, call: Call) -> dict[str, Any]:
        """Only with CloudWatch Logs as the destination does X-Ray take OpenTelemetry's spans."""
        destination = call.params.get("Destination", "XRay")
        if destination not in ("XRay", "CloudWatchLogs"):
            raise refused(f"Destination must be XRay or CloudWatchLogs, not {destination}")
        self.destination = destination
        return self.GetTraceSegmentDestination(call)

    # -- parts -----------------------------------------------------------------------------------

    def _view(self, id: str) -> TraceView | None:
        """A trace, if something of it is known and not too old."""
        return self._kept(id, self.documents.segments(id))

    def _kept(self, id: str, segments: list[Document]) -> TraceView | None:
        if not segments:
            return None
        view = TraceView(id, segments)
        return view if self.kernel.now / 1_000_000 - view.end <= RETENTION_S else None

    def _views(self, start: float, end: float, by_event: bool = False) -> list[TraceView]:
        """The traces that began (or where something happened) within a time, in the order they came in."""
        found = []
        for id, segments in self.documents.by_trace().items():
            view = self._kept(id, segments)
            if view is not None and start <= (view.end if by_event else view.start) and view.start <= end:
                found.append(view)
        return found


def _range(params: dict[str, Any], longest: datetime.timedelta, words: str) -> tuple[float, float]:
    """StartTime and EndTime in seconds since the epoch. Raises InvalidRequestException."""
    start, end = (_seconds(params[name]) for name in ("StartTime", "EndTime"))
    if start > end:
        raise refused("StartTime cannot be after EndTime.")
    if end - start > longest.total_seconds():
        raise refused(f"Time range cannot be longer than {words}.")
    return start, end


def _seconds(value: Any) -> float:
    """A time as boto3 takes it: a datetime (UTC if it says nothing), a number, or a text."""
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return aware.timestamp()
    if isinstance(value, int | float):
        return float(value)
    return _seconds(datetime.datetime.fromisoformat(str(value)))


def _bad_token() -> ServiceError:
    return refused("Invalid NextToken")
