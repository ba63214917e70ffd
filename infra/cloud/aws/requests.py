"""What the notebook itself asked AWS for: every request by service and operation, every message it sent."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from typing import Any

import boto3


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A message that the notebook sent; ``time`` in seconds since 1970, when SQS had answered."""

    id: str
    queue: str
    time: float


class Requests:
    """Counts through botocore's events, for all clients of a session that are made after it.

    https://docs.aws.amazon.com/boto3/latest/guide/events.html
    """

    def __init__(self, session: boto3.Session) -> None:
        self.sent: list[Sent] = []
        self._made: list[tuple[float, str, str]] = []
        self._lock = threading.Lock()
        session.events.register("before-parameter-build.sqs", self._keep_queue, unique_id="workshop-queue")
        session.events.register("after-call", self._count, unique_id="workshop-requests")

    def counts(self, service: str, since: float = 0.0) -> Counter[str]:
        """Operation -> how many requests from ``since`` (s since 1970) on."""
        with self._lock:
            return Counter(
                operation for moment, name, operation in self._made if name == service and moment >= since
            )

    def _keep_queue(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["workshop-queue"] = str(params.get("QueueUrl", "")).rpartition("/")[2]

    def _count(self, http_response: Any, parsed: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
        now = time.time()
        service = model.service_model.service_name
        with self._lock:
            self._made.append((now, service, model.name))
            if service == "sqs" and http_response.status_code < 300:
                queue = (context or {}).get("workshop-queue", "")
                answers = parsed.get("Successful", [parsed]) if model.name.startswith("SendMessage") else []
                self.sent += [Sent(each["MessageId"], queue, now) for each in answers if "MessageId" in each]
