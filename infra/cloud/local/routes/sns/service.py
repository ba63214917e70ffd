"""Amazon SNS: topics and what they deliver to."""

from __future__ import annotations

from ...service import Service


class Sns(Service):
    """The service ``sns``."""

    name = "sns"
