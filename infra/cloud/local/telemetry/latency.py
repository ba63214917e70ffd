"""What became of every message of a queue, and how long it took from being sent to being done.

A message is done when it is deleted after an invocation succeeded with it, or after whoever received it
deleted it. Between the two lie waiting, processing, failed attempts and visibility timeouts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal

from infra.cloud.views.environments import Bins, binned
from infra.cloud.views.messages import Attempt, Fate, Latency, Message
from infra.cloud.views.queue_depth import queue_name

from ..journal import Journal
from .queue_depth import belongs


def messages(journal: Journal, queue: str, start: int, end: int) -> list[Message]:
    """Messages sent to a queue in [start, end], and what became of them up to ``end``. ``queue``: name, ARN
    or URL."""
    name = queue_name(queue)
    found: dict[str, Message] = {}
    filtered: set[str] = set()

    def close(ids: Iterable[str], time: float, fate: Fate) -> None:
        for message_id in ids:
            message = found.get(message_id)
            if message is not None and message.fate == "waiting":
                message.fate, message.ended = fate, time

    for entry in journal.entries:
        if entry.time > end:
            break
        data, time = entry.data, (entry.time - start) / 1e6
        if entry.what == "lambda.invocation":
            for message_id in data.get("messages", ()):
                if message_id in found:
                    attempt = Attempt(time, data["request_id"], entry.outcome == "ok")
                    found[message_id].attempts.append(attempt)
            continue
        if entry.what == "esm.batch" and "queue" in data:
            filtered.update(data.get("filtered", ()))
            for message_id in data.get("failed", ()):
                message = found.get(message_id)
                if message is not None and message.attempts and message.attempts[-1].succeeded:
                    message.attempts[-1] = dataclasses.replace(message.attempts[-1], succeeded=False)
            continue
        if not entry.what.startswith("sqs.") or not (where := belongs(entry, name)):
            continue
        if where == "arrives":
            # A redrive brings it back, with a new id: its story goes on.
            for message_id, new in zip(data["messages"], data.get("new", data["messages"]), strict=True):
                if message_id in found:
                    found[new] = found[message_id]
                    found[new].fate, found[new].ended = "waiting", None
        elif entry.what == "sqs.sent":
            if entry.time >= start:
                for message_id, _, _ in data["messages"]:
                    found[message_id] = Message(message_id, time)
        elif entry.what == "sqs.received":
            for message_id, receives, _ in data["messages"]:
                if message_id in found:
                    found[message_id].receives = receives
        elif entry.what == "sqs.deleted":
            close(data["messages"], time, "processed")
        elif entry.what == "sqs.moved":
            close(data["messages"], time, "dead-lettered")
        elif entry.what == "sqs.expired":
            close(data["messages"], time, "expired")
        elif entry.what == "sqs.purged":
            close(list(found), time, "purged")
    for message_id in filtered & found.keys():
        if found[message_id].fate == "processed" and not found[message_id].attempts:
            found[message_id].fate = "filtered"
    return list({id(message): message for message in found.values()}.values())


def latency(journal: Journal, queue: str, start: int, end: int) -> Latency:
    """End-to-end latency of every message sent to a queue in [start, end] and processed by ``end``."""
    stories = messages(journal, queue, start, end)
    done = [message for message in stories if message.fate == "processed" and message.ended is not None]
    values = [round((message.ended or 0.0) - message.sent, 6) for message in done]
    return Latency([message.sent for message in done], values, len(stories) - len(done))


def throughput(
    journal: Journal,
    queue: str,
    start: int,
    end: int,
    width: float = 1.0,
    of: Literal["sent", "processed"] = "processed",
) -> Bins:
    """Messages of a queue that were sent, or done, in each bin of ``width`` seconds."""
    stories = messages(journal, queue, start, end)
    if of == "sent":
        times = [message.sent for message in stories]
    elif of == "processed":
        times = [message.ended or 0.0 for message in stories if message.fate == "processed"]
    else:
        raise ValueError(f"of={of!r}: it can be 'sent' or 'processed'")
    return binned(times, (end - start) / 1e6, width)
