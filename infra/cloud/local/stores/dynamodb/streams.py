"""Amazon DynamoDB Streams: what a table's writes leave behind."""

from __future__ import annotations

from ...service import Service


class DynamoDBStreams(Service):
    """The service ``dynamodbstreams``."""

    name = "dynamodbstreams"
