"""Amazon Kinesis Data Streams."""

from __future__ import annotations

from ...service import Service


class Kinesis(Service):
    """The service ``kinesis``."""

    name = "kinesis"
