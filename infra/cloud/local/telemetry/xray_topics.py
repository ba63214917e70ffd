"""What SNS writes into a trace: a segment of a topic with active tracing, its deliveries below it.

https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html. Only what a recorded trace published is
written, and only if X-Ray's resource policy lets SNS send segments. AWS does not publish the documents; these
have the members that X-Ray's documentation gives to any segment and call.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..lineage import Trace, under
from ..service import Caller, ServiceError
from .xray_documents import Document, make_id

if TYPE_CHECKING:
    from ..routes.sns.topic import Subscription, Topic
    from ..world import World
    from .xray import XRay

TYPE = "AWS::SNS::Topic"


class TopicSegments:
    """Called where a topic takes messages, for each of its subscriptions, and after each delivery."""

    def __init__(self, world: World, xray: XRay) -> None:
        self._world = world
        self._xray = xray
        self._published = 0
        self._segments: dict[str, str] = {}
        """Delivery under way -> the topic's segment."""

    def begin(self, topic: Topic, trace: str) -> str:
        """The trace as the subscribers get it: from inside the topic's segment, if there is one."""
        if topic.attributes.get("TracingConfig") != "Active":
            return trace
        world = self._world
        if not (isinstance(trace, Trace) and trace.sampled):
            return trace
        caller = Caller(
            "service",
            "sns",
            principal="sns.amazonaws.com",
            source_arn=topic.arn,
            source_account=topic.account,
        )
        try:
            world.identity.check(caller, "xray", "PutTraceSegments", {}, world.region, world.account)
        except ServiceError:
            return trace
        self._published += 1
        id = make_id(world.kernel.seed, "sns", self._published)
        now = world.kernel.now / 1_000_000
        document: Document = {
            "id": id,
            "name": topic.name,
            "start_time": now,
            "trace_id": trace.root,
            "end_time": now,
            "http": {"response": {"status": 200}},
            "aws": {"account_id": topic.account, "topic_arn": topic.arn, "resource_names": [topic.name]},
            "origin": TYPE,
            "resource_arn": topic.arn,
        }
        if trace.parent:
            document["parent_id"] = trace.parent
        self._xray.record(document, "sns", trace.plain)
        return under(trace, id, True)

    def to(self, subscription: Subscription, caller: Caller) -> Caller:
        """Who delivers to a subscription: from inside its own part of the topic's segment."""
        trace = caller.trace
        if subscription.topic.attributes.get("TracingConfig") != "Active" or not isinstance(trace, Trace):
            return caller
        if self._xray.documents.latest(trace.root, trace.parent) is None:
            return caller
        id = make_id(trace.parent, subscription.arn)
        self._segments[id] = trace.parent
        return dataclasses.replace(caller, trace=under(trace, id, True))

    def delivered(self, subscription: Subscription, trace: str, published: int, *, failed: bool) -> None:
        """An attempt of a delivery that hangs under a topic's segment is over."""
        segment = self._segments.get(trace.parent) if isinstance(trace, Trace) else None
        if segment is None or not isinstance(trace, Trace):
            return
        document = self._xray.documents.latest(trace.root, segment)
        assert document is not None
        now = self._world.kernel.now / 1_000_000
        delivery = self._delivery(subscription, trace.parent)
        delivery |= {"start_time": published / 1_000_000, "end_time": now}
        if failed:
            delivery["fault"] = True
        others = [each for each in document.get("subsegments", ()) if each["id"] != trace.parent]
        end = max(now, document["end_time"])
        self._xray.record(
            {**document, "end_time": end, "subsegments": [*others, delivery]}, "sns", trace.plain
        )

    def _delivery(self, subscription: Subscription, id: str) -> Document:
        """Whom a subscription delivers to, as a call."""
        endpoint, protocol = subscription.endpoint, subscription.protocol
        if protocol == "sqs":
            queue = self._world.sqs.queues.get(endpoint)
            about = {"operation": "SendMessage", "queue_url": queue.url if queue is not None else endpoint}
            return {"id": id, "name": "SQS", "namespace": "aws", "aws": about}
        if protocol == "lambda":
            about = {"operation": "Invoke", "function_name": endpoint.split(":")[6]}
            return {"id": id, "name": "Lambda", "namespace": "aws", "aws": about}
        return {"id": id, "name": urlsplit(endpoint).hostname or protocol, "namespace": "remote"}
