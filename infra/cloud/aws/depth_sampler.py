"""How full the deployed queues are, asked once a second: on a real account nobody keeps a record of it.

CloudWatch has a value a minute, and minutes late. The counts are approximate:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .quiet import counts

if TYPE_CHECKING:
    from .cloud import AwsCloud

EVERY = 1.0
"""Seconds between two samples of a queue."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """``time`` in seconds since 1970."""

    time: float
    visible: int
    in_flight: int
    delayed: int


class DepthSampler:
    """A thread that runs as long as the cloud is open and has queues."""

    def __init__(self, cloud: AwsCloud) -> None:
        self.samples: dict[str, list[Sample]] = {}
        self._cloud = cloud
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if it has not; what is deployed later is sampled as well."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="queue depth", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def sample(self) -> None:
        """Ask each queue once."""
        sqs = self._cloud.client("sqs")
        for url in self._cloud.deployed.physical_ids("AWS::SQS::Queue"):
            with contextlib.suppress(
                ClientError, BotoCoreError
            ):  # gone meanwhile, or a moment without network
                found = counts(sqs, url)
                self.samples.setdefault(url.rpartition("/")[2], []).append(Sample(time.time(), *found))

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            with contextlib.suppress(RuntimeError):  # the cloud was closed in the middle
                self.sample()
