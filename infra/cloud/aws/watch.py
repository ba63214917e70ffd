"""``cloud.watch()`` on a real account: the deployed queues, asked every two seconds while a block runs.

Functions are left out: CloudWatch tells their concurrency a minute and more too late.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from infra.cloud.interface import Application
from infra.cloud.live import Gauge, LiveView
from infra.cloud.views.names import plain

from .quiet import COUNTS

EVERY = 2.0
"""Seconds between two looks. Each asks SQS once per queue, which is a request on the bill."""


@contextlib.contextmanager
def watching(
    sqs: Any, queues: Mapping[str, str], elapsed: Callable[[], float], view: LiveView, every: float = EVERY
) -> Iterator[None]:
    """Show the queues (URL -> name) in a thread of its own until the block ends."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(every):
            with contextlib.suppress(sqs.exceptions.ClientError):  # one that is being deleted, or throttled
                view.show(f"{elapsed():.0f} s since connect, real time", gauges(sqs, queues))

    view.show(f"{elapsed():.0f} s since connect, real time", gauges(sqs, queues))
    thread = threading.Thread(target=look, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def queue_names(urls: Sequence[str], apps: Mapping[str, Application]) -> dict[str, str]:
    """URL -> the queue's logical id, with its stack where two have the same."""
    short: dict[str, tuple[str, str]] = {
        url: (stack, plain(name)) for stack, app in apps.items() for name, url in app.resources.items()
    }
    found = {url: short.get(url, ("", url.rpartition("/")[2])) for url in urls}
    every = [name for _, name in found.values()]
    return {
        url: f"{stack}.{name}" if stack and every.count(name) > 1 else name
        for url, (stack, name) in found.items()
    }


def gauges(sqs: Any, queues: Mapping[str, str]) -> list[Gauge]:
    """Queues, then dead-letter queues; SQS counts approximately.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
    """
    answers = [
        (url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*COUNTS, "QueueArn", "RedrivePolicy"]))
        for url in queues
    ]
    policies = "".join(answer["Attributes"].get("RedrivePolicy", "") for _, answer in answers)
    found = []
    for url, answer in answers:
        said = answer["Attributes"]
        visible, hidden, delayed = (int(said.get(name, 0)) for name in COUNTS)
        kind = "dead-letter queue" if f'"{said["QueueArn"]}"' in policies else "queue"
        note = f"{hidden:,} in flight" if hidden else ""
        found.append(Gauge(queues[url], kind, visible + hidden + delayed, note))
    return sorted(found, key=lambda gauge: gauge.kind != "queue")
