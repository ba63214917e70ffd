"""One request's account: what it consumed of which table and index, as the answer and the journal show it.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.dynamodb.exceptions import MockValidationException

from .throughput import Operation, Throttle, Throughput
from .units import units

if TYPE_CHECKING:
    from .streams import DynamoDBStreams


class Request:
    """``charge`` takes from the meters; ``settle`` answers and writes down; ``refuse`` makes the error."""

    def __init__(
        self,
        service: DynamoDBStreams,
        body: dict[str, Any],
        *,
        several: bool = False,
        transactional: bool = False,
    ) -> None:
        """``several``: it may be about several tables, and lists them."""
        self.now = service.kernel.now
        self._several = several
        self.asked: str = body.get("ReturnConsumedCapacity") or "NONE"
        if self.asked not in ("NONE", "TOTAL", "INDEXES"):
            raise MockValidationException(
                f"1 validation error detected: Value '{self.asked}' at 'returnConsumedCapacity' failed to "
                "satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
            )
        self._service = service
        self._transactional = transactional
        self._tables: dict[str, tuple[Throughput, dict[tuple[str, str], dict[Operation, int]]]] = {}

    def charge(
        self, table: Any, use: Throughput, operation: Operation, halves: int, key: object, index: str = ""
    ) -> None:
        """``index``: one of the table's, global or local."""
        meter = use.of_index(index, operation) if index else None
        kind = "Global" if meter is not None else "Local" if index else ""
        (meter or (use.read if operation == "Read" else use.write)).take(self.now, halves, key)
        if not use.exact and not self._several and self.asked == "NONE":
            return
        _, used = self._tables.setdefault(table.name, (use, {("", ""): {"Read": 0, "Write": 0}}))
        by_operation = used.setdefault((kind, index), {"Read": 0, "Write": 0})
        by_operation[operation] += halves

    def refuse(self, throttle: Throttle, *, single: bool = True) -> Exception:
        self.note(throttle)
        return throttle.error(single=single)

    def note(self, throttle: Throttle) -> None:
        """A read or write was refused."""
        data = {"index": throttle.index, "operation": throttle.operation, "limit": throttle.limit}
        self._service.note("dynamodb.throttled", throttle.table, data)

    def settle(self, answer: dict[str, Any]) -> None:
        """Put ConsumedCapacity into an answer if it was asked for, and write down what is to be."""
        shown = [self._shown(name, used) for name, (_, used) in self._tables.items()]
        if self.asked == "NONE" or not shown:
            answer.pop("ConsumedCapacity", None)
        else:
            answer["ConsumedCapacity"] = shown if self._several else shown[0]
        self.write_down()

    def write_down(self) -> None:
        """If one of its tables is to be accounted for exactly, all that a request used is."""
        if not any(use.exact for use, _ in self._tables.values()):
            return
        self._service.metered = True
        for name, (use, used) in self._tables.items():
            of_table: dict[Operation, int] = {"Read": 0, "Write": 0}
            for (kind, index), by_operation in used.items():
                if kind == "Global":
                    self._write_down(name, index, use, by_operation)
                else:
                    for operation, halves in by_operation.items():
                        of_table[operation] += halves
            self._write_down(name, "", use, of_table)

    def _write_down(self, name: str, index: str, use: Throughput, used: dict[Operation, int]) -> None:
        if any(used.values()):
            data = {
                "index": index,
                "read": units(used["Read"]),
                "write": units(used["Write"]),
                "on_demand": use.write.bucket is None,
            }
            self._service.note("dynamodb.consumed", name, data)

    def _shown(self, name: str, used: dict[tuple[str, str], dict[Operation, int]]) -> dict[str, Any]:
        everything: dict[Operation, int] = {"Read": 0, "Write": 0}
        for by_operation in used.values():
            for operation, halves in by_operation.items():
                everything[operation] += halves
        shown: dict[str, Any] = {"TableName": name, **self._units(everything)}
        if self.asked == "INDEXES":
            shown["Table"] = self._units(used["", ""])
            for (kind, index), by_operation in used.items():
                if kind:
                    shown.setdefault(f"{kind}SecondaryIndexes", {})[index] = self._units(by_operation)
        return shown

    def _units(self, used: dict[Operation, int]) -> dict[str, float]:
        """Of a transaction also by direction, as recorded from AWS."""
        found = {"CapacityUnits": units(used["Read"] + used["Write"])}
        if self._transactional:
            found.update({f"{name}CapacityUnits": units(halves) for name, halves in used.items() if halves})
        return found
