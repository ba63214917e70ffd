"""Amazon SQS, answered natively: the operations on queues. Those on messages are in ``messaging``.

Amazon SQS API Reference, the page of each operation
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Call
from . import attributes, errors, policy
from .fifo import FifoQueue
from .messaging import Messaging
from .move_tasks import MoveTasks
from .queue import Queue
from .standard import StandardQueue

if TYPE_CHECKING:
    from ...world import World

_AFTER_DELETE = 60 * SECOND
_BETWEEN_PURGES = 60 * SECOND
_MAX_RESULTS = 1000
_MAX_TAGS = 50


class Sqs(Messaging, MoveTasks):
    """Every operation of SQS."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._deleted: dict[str, int] = {}

    # -- queues ------------------------------------------------------------------------------------

    def CreateQueue(self, call: Call) -> dict[str, Any]:
        name = call.params["QueueName"]
        given = attributes.normalized(call.params.get("Attributes", {}))
        fifo = name.endswith(".fifo") and given.get("FifoQueue") == "true"
        if "FifoQueue" in given and not (fifo or name.endswith(".fifo")):
            if given["FifoQueue"] == "true":
                attributes.check_name(name, fifo=True)
            raise errors.error("InvalidAttributeName", "Unknown Attribute FifoQueue.")
        attributes.check(given, fifo, creating=True)
        attributes.check_name(name, fifo)
        arn = self.arn_of(name, call.region)
        existing = self.queues.get(arn)
        if existing is not None:
            self._check_same(existing, given)
            return {"QueueUrl": existing.url}
        if self.kernel.now < self._deleted.get(arn, -_AFTER_DELETE) + _AFTER_DELETE:
            raise errors.error(
                "QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same "
                "name.",
            )
        merged = attributes.merge(attributes.defaults(fifo), given)
        attributes.check_redrive_policy(merged.get("RedrivePolicy", ""), arn, fifo, self._kind_of)
        tags = call.params.get("tags", {})
        self._check_tags(name, tags)
        kind = FifoQueue if fifo else StandardQueue
        queue: Queue = kind(
            self.world, name, arn, self.url_of(name, call.region), merged, attributes.settings(merged)
        )
        queue.tags = dict(tags)
        self._add(queue)
        return {"QueueUrl": queue.url}

    def _check_same(self, queue: Queue, given: dict[str, str]) -> None:
        for name, value in given.items():
            present = queue.attributes.get(name, "")
            if value != present and not (name in ("RedrivePolicy", "Policy") and _same_json(value, present)):
                raise errors.error(
                    "QueueNameExists",
                    f"A queue already exists with the same name and a different value for attribute {name}",
                )

    def _kind_of(self, arn: str) -> tuple[bool, str] | None:
        queue = self.queues.get(arn)
        return None if queue is None else (queue.fifo, queue.attributes.get("RedriveAllowPolicy", ""))

    def DeleteQueue(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        self._remove(queue)
        self._data_keys.pop(queue.arn, None)
        self._deleted[queue.arn] = self.kernel.now
        return {}

    def GetQueueUrl(self, call: Call) -> dict[str, Any]:
        account = call.params.get("QueueOwnerAWSAccountId", self.world.account)
        queue = self.queues.get(f"arn:aws:sqs:{call.region}:{account}:{call.params['QueueName']}")
        if queue is None:
            raise errors.no_such_queue()
        return {"QueueUrl": queue.url}

    def ListQueues(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("QueueNamePrefix", "")
        urls = sorted(
            queue.url
            for queue in self.queues.values()
            if queue.name.startswith(prefix) and queue.arn.split(":")[3] == call.region
        )
        return _page(urls, "QueueUrls", call.params)

    def ListDeadLetterSourceQueues(self, call: Call) -> dict[str, Any]:
        target = self._of(call)
        urls = sorted(
            queue.url for queue in self.queues.values() if queue.settings.dead_letter_arn == target.arn
        )
        return {"queueUrls": [], **_page(urls, "queueUrls", call.params)}

    def PurgeQueue(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        if queue.purged_at is not None and self.kernel.now < queue.purged_at + _BETWEEN_PURGES:
            raise errors.error(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds.",
            )
        queue.purge()
        return {}

    # -- attributes --------------------------------------------------------------------------------

    def GetQueueAttributes(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        names: list[str] = call.params.get("AttributeNames", [])
        for name in names:
            if name != "All" and name not in attributes.KNOWN:
                raise errors.error("InvalidAttributeName", f"Unknown Attribute {name}.")
        if not names:
            return {}
        visible, in_flight, delayed = queue.counts()
        shown = {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "CreatedTimestamp": str(queue.created // SECOND),
            "LastModifiedTimestamp": str(queue.modified // SECOND),
            **queue.attributes,
        }
        if "All" not in names:
            shown = {name: value for name, value in shown.items() if name in names}
        return {"Attributes": shown} if shown else {}

    def SetQueueAttributes(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        given = attributes.normalized(call.params["Attributes"])
        attributes.check(given, queue.fifo, creating=False)
        self._set(queue, given)
        return {}

    def _set(self, queue: Queue, given: dict[str, str]) -> None:
        merged = attributes.merge(queue.attributes, given)
        if "RedrivePolicy" in given:
            attributes.check_redrive_policy(given["RedrivePolicy"], queue.arn, queue.fifo, self._kind_of)
        queue.attributes = merged
        queue.modified = self.kernel.now
        queue.reconfigure(attributes.settings(merged))

    def AddPermission(self, call: Call) -> dict[str, Any]:
        queue, params = self._of(call), call.params
        changed = policy.with_permission(
            queue.attributes.get("Policy", ""),
            queue.arn,
            params["Label"],
            params["AWSAccountIds"],
            params["Actions"],
        )
        self._set(queue, {"Policy": changed})
        return {}

    def RemovePermission(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        changed = policy.without_permission(queue.attributes.get("Policy", ""), call.params["Label"])
        self._set(queue, {"Policy": changed})
        return {}

    # -- tags --------------------------------------------------------------------------------------

    def TagQueue(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        merged = {**queue.tags, **call.params["Tags"]}
        self._check_tags(queue.name, merged)
        queue.tags = merged
        return {}

    def UntagQueue(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        for key in call.params["TagKeys"]:
            queue.tags.pop(key, None)
        return {}

    def ListQueueTags(self, call: Call) -> dict[str, Any]:
        queue = self._of(call)
        return {"Tags": dict(queue.tags)} if queue.tags else {}

    def _check_tags(self, name: str, tags: dict[str, str]) -> None:
        if len(tags) > _MAX_TAGS:
            raise errors.invalid(f"Too many tags added for queue {name}.")
        for key, value in tags.items():
            if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
                raise errors.invalid(
                    f"Tag {key!r} of queue {name} is invalid: a key has 1 to 128 characters and does not "
                    "begin with aws:, a value has at most 256."
                )


def _same_json(one: str, other: str) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _page(urls: Sequence[str], name: str, params: dict[str, Any]) -> dict[str, Any]:
    """One page. Without MaxResults there are 1,000 results and never a NextToken (API Reference,
    ListQueues).
    """
    maximum = params.get("MaxResults")
    if maximum is not None and not 1 <= maximum <= _MAX_RESULTS:
        raise errors.invalid_value(
            maximum, "MaxResults", f"Must be between 1 and {_MAX_RESULTS}, if provided."
        )
    token = params.get("NextToken")
    if token:
        try:
            after = base64.b64decode(token, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise errors.invalid_value(token, "NextToken", "Invalid or expired next token.") from None
        urls = [url for url in urls if url > after]
    page = list(urls[: maximum or _MAX_RESULTS])
    answer: dict[str, Any] = {name: page} if page else {}
    if maximum is not None and len(urls) > len(page):
        answer["NextToken"] = base64.b64encode(page[-1].encode()).decode()
    return answer
