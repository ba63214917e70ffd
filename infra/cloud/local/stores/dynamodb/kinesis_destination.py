"""Kinesis Data Streams for DynamoDB: every change of a table as a record of a data stream.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
States, their length and the messages as measured on AWS (ack-api-quirks, DDB-TABLE-268, -299 and -304 of
2026-10-09); the record as https://github.com/localstack/localstack/issues/4351 shows one of AWS's.

DynamoDB writes as itself, a moment after the change, and tries again what a shard refuses. So records may
arrive in another order than the changes happened; that they may arrive twice is left out.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException
from moto.dynamodb.responses import DynamoResult

from ...ids import uuid4
from ...service import Caller, ServiceError

if TYPE_CHECKING:
    from .metering import Action, Owner
    from .streams import DynamoDBStreams

ENABLING, FAILING, DISABLING = 6_140_000, 2_020_000, 2_200_000
"""How long a destination is on its way to ACTIVE, ENABLE_FAILED, DISABLED (µs)."""

RETRY = 1_000_000
"""When a record that was throttled is tried again (µs). An estimate: AWS documents none."""

_LIVE = ("ENABLING", "ACTIVE", "DISABLING")
_STATE = "Table is not in a valid state to enable Kinesis Streaming Destination: "
_CONFIGURATION, _PRECISION = "EnableKinesisStreamingConfiguration", "ApproximateCreationDateTimePrecision"
_SERVICE = '{"type":"Service","principalId":"dynamodb.amazonaws.com"}'


class Destination:
    """One data stream that a table's changes go to, or went to."""

    def __init__(self, service: DynamoDBStreams, table: Any, arn: str) -> None:
        self._service = service
        self._table = table
        self.arn = arn
        self.status = "DISABLED"
        self.description = ""
        self.precision = ""

    def shown(self) -> dict[str, Any]:
        found = {"StreamArn": self.arn, "DestinationStatus": self.status}
        if self.description:
            found["DestinationStatusDescription"] = self.description
        if self.precision:
            found[_PRECISION] = self.precision
        return found

    def enable(self, precision: str) -> None:
        """Active soon, if the stream is there."""
        self.status, self.description, self.precision = "ENABLING", "", precision
        there = self._service.world.kinesis.stream(self.arn) is not None
        self._service.kernel.call_later(ENABLING if there else FAILING, self._enabled, there)

    def _enabled(self, there: bool) -> None:
        if self.status != "ENABLING":
            return
        if there:
            self.status = "ACTIVE"
            self._service.send_to(self._table, self)
        else:
            self.status = "ENABLE_FAILED"
            self.description = "User does not have a permission to use kinesis stream"

    def disable(self) -> None:
        self.status = "DISABLING"
        self._service.send_to(self._table, None)
        self._service.kernel.call_later(DISABLING, self._disabled)

    def _disabled(self) -> None:
        self.status = "DISABLED"

    def send(self, name: str, keys: str, new: str, old: str, size: int, expired: bool) -> None:
        """A change: ``keys`` and the images are JSON text ("": there is no such image)."""
        service = self._service
        now = service.kernel.now
        micro = self.precision == "MICROSECOND"
        created = now if micro else now // 1000
        precision = f',"{_PRECISION}":"MICROSECOND"' if micro else ""
        images = "".join(f'"{key}":{text},' for key, text in (("NewImage", new), ("OldImage", old)) if text)
        record = (
            f'{{"awsRegion":"{self.arn.split(":", 4)[3]}",'
            f'"eventID":"{uuid4(service.kernel.rng("dynamodb.kinesis"))}","eventName":"{name}",'
            f'"userIdentity":{_SERVICE if expired else "null"},"recordFormat":"application/json",'
            f'"tableName":"{self._table.name}",'
            f'"dynamodb":{{"ApproximateCreationDateTime":{created},"Keys":{keys},{images}'
            f'"SizeBytes":{size}{precision}}},'
            '"eventSource":"aws:dynamodb"}'
        )
        service.kernel.spawn(lambda: self._put(keys, record), name=f"{self._table.name} to its data stream")

    def _put(self, keys: str, record: str) -> None:
        """The changes of one item go to one shard; how DynamoDB makes a partition key of 32 digits is not
        documented."""
        key = hashlib.md5(f"{self._table.name}{keys}".encode()).hexdigest().upper()
        params = {"StreamARN": self.arn, "Data": record.encode(), "PartitionKey": key}
        region = self.arn.split(":", 4)[3]
        while True:
            try:
                self._service.world.call(
                    "kinesis", "PutRecord", params, Caller("service", "dynamodb"), region=region
                )
                return
            except ServiceError as error:
                if error.code != "ProvisionedThroughputExceededException":
                    self._service.note("dynamodb.replication_failed", self._table.name, {"error": error.code})
                    return
                self._service.kernel.sleep(RETRY)


def enable(owner: Owner) -> Action:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_EnableKinesisStreamingDestination.html"""

    def acted(handler: Any) -> ActionResult:
        table, arn = _table(handler), handler.body["StreamArn"]
        found = _destinations(table)
        if any(each.status in _LIVE for each in found):
            wanted = "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE"
            raise MockValidationException(f"{_STATE}{wanted} operation.")
        configuration = handler.body.get(_CONFIGURATION) or {}
        destination = next((each for each in found if each.arn == arn), None)
        if destination is None:
            destination = Destination(owner(), table, arn)
            found.insert(0, destination)
        destination.enable(configuration.get(_PRECISION, ""))
        return _changed(handler, destination, configuration)

    return acted


def disable(owner: Owner) -> Action:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DisableKinesisStreamingDestination.html"""

    def acted(handler: Any) -> ActionResult:
        arn = handler.body["StreamArn"]
        active = [
            each for each in _destinations(_table(handler)) if each.arn == arn and each.status == "ACTIVE"
        ]
        if not active:
            wanted = "KinesisStreamingDestination must be ACTIVE to perform DISABLE operation."
            raise MockValidationException(_STATE + wanted)
        active[0].disable()
        return _changed(handler, active[0], handler.body.get(_CONFIGURATION) or {})

    return acted


def describe(handler: Any) -> ActionResult:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeKinesisStreamingDestination.html"""
    table = _table(handler)
    shown = [each.shown() for each in _destinations(table)]
    return DynamoResult({"TableName": table.name, "KinesisDataStreamDestinations": shown})


def _changed(handler: Any, destination: Destination, configuration: dict[str, Any]) -> ActionResult:
    return DynamoResult(
        {
            "TableName": handler.body["TableName"],
            "StreamArn": destination.arn,
            "DestinationStatus": destination.status,
            _CONFIGURATION: configuration,
        }
    )


def _destinations(table: Any) -> list[Destination]:
    found: list[Destination] = table.__dict__.setdefault("_destinations", [])
    return found


def _table(handler: Any) -> Any:
    name = handler.body["TableName"]
    try:
        return handler.dynamodb_backend.get_table(name)
    except ResourceNotFoundException as error:
        raise ResourceNotFoundException(table_name=name) from error
