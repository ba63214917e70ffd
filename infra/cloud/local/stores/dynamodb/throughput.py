"""Who may read or write a table or index now, and what DynamoDB answers otherwise.

The reasons and their resources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ThrottlingReason.html
A write is refused, too, if an index that it concerns has no capacity left ("back-pressure"):
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from ...service import ServiceError
from .capacity import BURST_SECONDS, FIRST_PEAK, PARTITION, Bucket, KeyRanges, Peak

Operation = Literal["Read", "Write"]
FIELDS: dict[Operation, tuple[str, str, str]] = {
    "Read": ("ReadCapacityUnits", "MaxReadRequestUnits", "ReadUnitsPerSecond"),
    "Write": ("WriteCapacityUnits", "MaxWriteRequestUnits", "WriteUnitsPerSecond"),
}

PROVISIONED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
PROVISIONED_INDEX = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table "
    "was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary "
    "indexes with the UpdateTable API"
)
ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your "
    "table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)
ON_DEMAND_INDEX = (
    "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is "
    "automatically scaling your index so please try again shortly"
)
MAXIMUM = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
ACCOUNT = (
    "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at "
    "https://aws.amazon.com/support request a limit increase"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Throttle:
    """Why a request is refused. ``index``: "" for the table itself."""

    arn: str
    table: str
    index: str
    operation: Operation
    limit: str
    provisioned: bool

    @property
    def reason(self) -> str:
        return f"{'Index' if self.index else 'Table'}{self.operation}{self.limit}"

    def error(self, *, single: bool = True) -> ServiceError:
        """As AWS answers it. A single write that an index on demand limits by its maximum gets the exception
        of provisioned capacity, several in one request do not (recorded from AWS)."""
        reasons = [{"reason": self.reason, "resource": self.arn}]
        if self.limit == "AccountLimitExceeded":
            return ServiceError("RequestLimitExceeded", ACCOUNT, ThrottlingReasons=reasons)
        back_pressure = bool(self.index) and self.operation == "Write"
        odd = back_pressure and single and self.limit == "MaxOnDemandThroughputExceeded"
        if self.provisioned or odd:
            message = PROVISIONED_INDEX if back_pressure else PROVISIONED
            return ServiceError("ProvisionedThroughputExceededException", message, ThrottlingReasons=reasons)
        message = ON_DEMAND_INDEX if back_pressure else ON_DEMAND
        if self.limit == "MaxOnDemandThroughputExceeded":
            message = MAXIMUM
        return ServiceError("ThrottlingException", message, throttlingReasons=reasons)


class Meter:
    """Reads or writes of one table or index."""

    __slots__ = ("_ranges", "arn", "bucket", "index", "maximum", "operation", "peak", "table")

    def __init__(self, arn: str, table: str, index: str, operation: Operation) -> None:
        self.arn = arn
        self.table = table
        self.index = index
        self.operation: Operation = operation
        self.bucket: Bucket | None = None
        self.maximum: Bucket | None = None
        self.peak: Peak | None = None
        self._ranges = KeyRanges(PARTITION[operation])

    def configure(self, provisioned: int | None, maximum: int | None, warm: int, now: int) -> None:
        """Provisioned units a second; on demand (None) the maximum if there is one, and the units a second
        that the table is warm for."""
        if provisioned is None:
            self.bucket = None
            if self.peak is None:
                self.peak = Peak(max(FIRST_PEAK[self.operation], warm // 2), now)
            else:
                self.peak.warm(warm // 2, now)
            self.maximum = _resized(self.maximum, maximum, now)
        else:
            self.peak = self.maximum = None
            self.bucket = _resized(self.bucket, provisioned, now)

    def refusal(self, now: int, key: object) -> Throttle | None:
        """``key``: a partition key value, or None where no one partition serves the request."""
        limit = ""
        peak = self.peak
        if peak is None:
            assert self.bucket is not None
            if self.bucket.credit(now) <= 0:
                limit = "ProvisionedThroughputExceeded"
        elif self.maximum is not None and self.maximum.credit(now) <= 0:
            limit = "MaxOnDemandThroughputExceeded"
        elif peak.exhausted(now):
            limit = "AccountLimitExceeded" if peak.at_maximum else "KeyRangeThroughputExceeded"
        if not limit:
            if key is None or self._ranges.quiet or not self._ranges.exhausted(now, key):
                return None
            limit = "KeyRangeThroughputExceeded"
        return Throttle(self.arn, self.table, self.index, self.operation, limit, peak is None)

    def take(self, now: int, halves: int, key: object) -> None:
        if not halves:
            return
        if self.peak is None:
            assert self.bucket is not None
            self.bucket.take(now, halves)
        else:
            self.peak.take(now, halves)
            if self.maximum is not None:
                self.maximum.take(now, halves)
        if key is not None:
            self._ranges.take(now, key, halves)


class Throughput:
    """What one of moto's tables may do. ``exact``: everything it consumes is written to the journal; else
    views count items of up to 1 KB (written) and 4 KB (read), as they always did for tables on demand."""

    def __init__(self, table: Any, now: int) -> None:
        self.exact = False
        self._made: dict[tuple[str, Operation], Meter] = {}
        self.configure(table, now)

    def configure(self, table: Any, now: int) -> None:
        """To be called after any change of the table's capacity or indexes."""
        provisioned = table.billing_mode != "PAY_PER_REQUEST"
        limits: dict[str, Any] = table.__dict__.get("_on_demand", {})
        self.exact = provisioned or bool(limits)
        resources: Sequence[tuple[str, Any]] = [("", table), *((i.name, i) for i in table.global_indexes)]
        wanted: dict[tuple[str, Operation], Meter] = {}
        for index, resource in resources:
            arn = f"{table.table_arn}/index/{index}" if index else table.table_arn
            for operation, (units, maximum, warm) in FIELDS.items():
                meter = self._made.get((index, operation)) or Meter(arn, table.name, index, operation)
                meter.configure(
                    int(resource.throughput[units]) if provisioned else None,
                    limits.get(index, {}).get(maximum),
                    int(resource.warm_throughput.get(warm, 0)),
                    now,
                )
                wanted[index, operation] = meter
        self._made = wanted
        self.read = wanted["", "Read"]
        self.write = wanted["", "Write"]
        self.indexes = list(table.global_indexes)
        self.local_indexes = list(table.indexes)

    def of_index(self, name: str, operation: Operation) -> Meter | None:
        """None for a local secondary index, which uses the table's capacity."""
        return self._made.get((name, operation))

    @property
    def plain(self) -> bool:
        """No index, no exact account: the cost of an item is all there is to know."""
        return not self.exact and not self.indexes and not self.local_indexes


def _resized(bucket: Bucket | None, rate: int | None, now: int) -> Bucket | None:
    if rate is None:
        return None
    if bucket is None:
        return Bucket(rate, BURST_SECONDS, now)
    if bucket.rate != rate:
        bucket.resize(rate, BURST_SECONDS, now)
    return bucket


def of(table: Any, now: int) -> Throughput:
    """The throughput of one of moto's tables; made when it is first asked for."""
    known: Throughput | None = table.__dict__.get("_throughput")
    if known is None:
        known = table._throughput = Throughput(table, now)
    return known
