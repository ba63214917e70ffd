"""The queues of a world, by ARN, and how a caller names one: by URL, ARN or name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...ids import uuid4
from ...lineage import Trace
from ...service import Call, Caller, Service, ServiceError
from . import errors
from .queue import Queue

if TYPE_CHECKING:
    from ...world import World

SEND = ("kms:GenerateDataKey", "kms:Decrypt")
RECEIVE = ("kms:Decrypt",)
"""What producers and consumers of an encrypted queue need of its key."""


class Registry(Service):
    """What all operations of SQS stand on."""

    name = "sqs"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.queues: dict[str, Queue] = {}
        """Every queue of every Region, by ARN."""
        self._by_url: dict[str, Queue] = {}
        self._ids = self.kernel.rng("sqs.ids")
        self._data_keys: dict[str, dict[tuple[Any, ...], int]] = {}
        """By queue: who holds a data key for what, and until when."""

    def queue(self, arn_or_url: str) -> Queue:
        """The queue of that ARN, URL or name. Raises ServiceError NonExistentQueue."""
        found = self.queues.get(arn_or_url) or self._by_url.get(arn_or_url)
        if found is None and ":" not in arn_or_url and "/" not in arn_or_url:
            found = self.queues.get(self.arn_of(arn_or_url, self.world.region))
        if found is None:
            raise errors.no_such_queue()
        return found

    def send(
        self,
        queue_arn: str,
        body: str,
        *,
        attributes: dict[str, Any] | None = None,
        group_id: str = "",
        dedup_id: str = "",
        trace: str = "",
        actor: str = "",
    ) -> str:
        """Send one message as a service does (a destination, a dead-letter queue); returns its id.

        ``attributes`` are message attributes. Raises ServiceError as SendMessage does.
        """
        raise NotImplementedError

    def unlock(self, queue: Queue, caller: Caller, actions: tuple[str, ...]) -> None:
        """The caller uses the queue's KMS key, which its policy must allow. Raises ServiceError KMS.…

        Developer Guide, "Key management" (sqs-key-management): a producer needs kms:GenerateDataKey and
        kms:Decrypt, a consumer kms:Decrypt. Who was allowed once uses the same data key until its reuse
        period is over, and only then does SQS ask KMS again; all sessions of a role are one requester.
        """
        settings = queue.settings
        held = self._data_keys.setdefault(queue.arn, {})
        holder = (settings.key, caller.role, caller.principal, caller.source_arn, actions)
        if held.get(holder, 0) > self.kernel.now:
            return
        try:
            region = queue.arn.split(":", 4)[3]
            self.world.keys.use(caller, settings.key, actions, "sqs", region, {"aws:sqs:arn": queue.arn})
        except ServiceError as problem:
            raise errors.of_key(problem, self.world.wire.request_id()) from problem
        held[holder] = self.kernel.now + settings.key_reuse

    def arn_of(self, name: str, region: str) -> str:
        return f"arn:aws:sqs:{region}:{self.world.account}:{name}"

    def url_of(self, name: str, region: str) -> str:
        return f"https://sqs.{region}.amazonaws.com/{self.world.account}/{name}"

    def new_id(self) -> str:
        """A UUID of version 4 from the seed."""
        return uuid4(self._ids)

    def _of(self, call: Call) -> Queue:
        """The queue that a call's QueueUrl names."""
        url: str = call.params["QueueUrl"]
        found = self._by_url.get(url)
        if found is not None:
            return found
        if url and "/" not in url and ":" not in url:  # a queue's name will do (recorded from AWS)
            return self.queue(self.arn_of(url, call.region))
        parts = [part for part in urlsplit(url).path.split("/") if part]
        if len(parts) != 2:
            raise errors.error("InvalidAddress", f"The address {url} is not valid for this endpoint.")
        account, name = parts
        host = urlsplit(url).netloc.split(".")
        region = host[1] if host[0] == "sqs" and len(host) > 1 else call.region
        found = self.queues.get(f"arn:aws:sqs:{region}:{account}:{name}")
        if found is None:
            raise errors.no_such_queue()
        return found

    def _add(self, queue: Queue) -> None:
        self.queues[queue.arn] = queue
        self._by_url[queue.url] = queue

    def _remove(self, queue: Queue) -> None:
        del self.queues[queue.arn]
        del self._by_url[queue.url]
        queue.close()


_senders: dict[tuple[str, str | None], str] = {}


def sender_id(caller: Caller) -> str:
    """SenderId: the id of the IAM user, or of the role and its session (API reference, ReceiveMessage)."""
    key = (caller.name, caller.role)
    known = _senders.get(key)
    if known is None:
        digest = hashlib.sha256((caller.role or caller.name).encode()).hexdigest()[:17].upper()
        known = f"AROA{digest}:{caller.name}" if caller.role else f"AIDA{digest}"
        _senders[key] = known
    return known


def trace_header(trace: str) -> str:
    """AWSTraceHeader from a trace id or an X-Ray header (X-Ray Developer Guide, "Tracing header")."""
    if isinstance(trace, Trace):
        return trace.header
    return trace if not trace or trace.startswith("Root=") else f"Root={trace}"


def shows_trace(caller: Caller) -> bool:
    """Does a message of this caller show AWSTraceHeader? That of a function does: its SDK sends the header.

    X-Ray Developer Guide, "Amazon SQS and AWS X-Ray" (xray-services-sqs).
    """
    return bool(caller.trace) and caller.kind != "notebook"
