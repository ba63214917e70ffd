"""A batch's way through a pipe: transform, enrich, transform, deliver; and what failed of it.

The readers of event source mappings read the source and hand their batches over (``sources/sink.py``); a pipe
answers them as a function that reports batch item failures would. So messages are deleted only after success,
and a stream's records are retried, bisected and given up by the same rules.

- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html#pipes-partial-batch-failure
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ...service import Caller, ServiceError
from .model import Pipe, service_of
from .targets import Shipment, call_destination, call_express, call_function, ship
from .transform import Event, as_array, enriched_event, events_of, render, source_event

if TYPE_CHECKING:
    from ...world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """As ``sources/sink.py`` wants it."""

    payload: bytes = b""
    function_error: str | None = None
    error_type: str = ""
    request_id: str = ""
    executed_version: str = ""


class Flow:
    """The sink of one pipe, with the settings it has now."""

    actor = "pipes"

    def __init__(self, world: World, pipe: Pipe) -> None:
        self._world = world
        self._kernel = world.kernel
        self._pipe = pipe
        request = pipe.request
        self._enrichment = request.get("Enrichment") or ""
        self._enrichment_template = (request.get("EnrichmentParameters") or {}).get("InputTemplate")
        self._target_template = (request.get("TargetParameters") or {}).get("InputTemplate")
        self._reserved = {
            "aws.pipes.pipe-arn": pipe.arn,
            "aws.pipes.pipe-name": pipe.name,
            "aws.pipes.source-arn": request["Source"],
            "aws.pipes.target-arn": request["Target"],
            "aws.pipes.enrichment-arn": self._enrichment,
        }

    def take(
        self, payload: bytes, ids: list[str] | None, *, source: str, trace: str, arrived: int
    ) -> Outcome:
        started = self._kernel.now
        caller = Caller("service", "pipes", role=self._pipe.request["RoleArn"], trace=trace)
        reserved = {
            **self._reserved,
            "aws.pipes.event.ingestion-time": self._world.datetime(arrived).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        records = json.loads(payload)["Records"]
        if ids is None:
            ids = [_sequence(record) for record in records]
        events = [source_event(_flat(record), source) for record in records]
        failed: list[str] = []
        error = None
        try:
            sent = self._enriched(events, ids, caller, reserved) if self._enrichment else events
            failed = self._delivered(sent, ids, caller, reserved) if sent else []
        except ServiceError as raised:
            error = raised
            failed = ids
        outcome = "ok" if not failed else "partial" if error is None and len(failed) < len(ids) else "failed"
        self._world.journal.record(
            "pipes.execution",
            self._pipe.arn,
            actor="pipes",
            duration=self._kernel.now - started,
            outcome=outcome,
            trace=trace,
            data={"events": len(ids), "bytes": len(payload), "failed": len(failed)},
        )
        if error is not None:
            return Outcome(function_error="Unhandled", error_type=error.code)
        items = [{"itemIdentifier": identifier} for identifier in failed]
        return Outcome(json.dumps({"batchItemFailures": items}).encode())

    def _enriched(
        self, events: list[Event], ids: list[str], caller: Caller, reserved: dict[str, str]
    ) -> list[Event]:
        """Partial failures of an enrichment are not known: it fails as a whole."""
        arn = self._enrichment
        texts = _rendered(self._enrichment_template, events, reserved)
        kind = service_of(arn)
        started = self._kernel.now
        outcome = "ok"
        try:
            if kind == "api-destination":  # takes one event at a time
                given = (self._pipe.request.get("EnrichmentParameters") or {}).get("HttpParameters")
                answer = call_destination(self._world, arn, given, events[0], texts[0], caller)
            elif kind == "lambda":
                answer = call_function(self._world, arn, as_array(texts), caller)
            else:
                answer = call_express(self._world, arn, as_array(texts), caller)
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            self._note("pipes.enrichment", arn, ids, caller, started, outcome)
        return [enriched_event(value) for value in events_of(answer.decode(errors="replace"))]

    def _delivered(
        self, events: list[Event], ids: list[str], caller: Caller, reserved: dict[str, str]
    ) -> list[str]:
        """Call the target; returns the ids of the source's events that have failed."""
        pipe = self._pipe
        target = pipe.request["Target"]
        started = self._kernel.now
        outcome = "ok"
        try:
            texts = _rendered(self._target_template, events, reserved)
            result = ship(self._world, Shipment(pipe, events, texts, caller))
            outcome = result.code or "ok"
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            self._note("pipes.delivery", target, ids, caller, started, outcome)
        if result.failed:
            known = len(events) == len(ids)  # an enrichment may have answered more or fewer
            return [ids[position] for position in result.failed] if known else ids
        return _reported(result.answer, ids)

    def _note(self, what: str, to: str, ids: list[str], caller: Caller, started: int, outcome: str) -> None:
        self._world.journal.record(
            what,
            self._pipe.arn,
            actor="pipes",
            duration=self._kernel.now - started,
            outcome=outcome,
            trace=caller.trace,
            data={"to": to, "id": ids[0], "attempt": 1, "ids": ids},
        )


def _rendered(template: str | None, events: list[Event], reserved: dict[str, str]) -> list[str]:
    """The template applies to each event by itself."""
    if not template:
        return [event.text for event in events]
    return [render(template, event, reserved) for event in events]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record as pipes show it: what a function's event holds under ``kinesis`` stands at the top.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
    """
    inner = record.get("kinesis")
    if inner is None:
        return record
    return {**inner, **{name: value for name, value in record.items() if name != "kinesis"}}


def _sequence(record: dict[str, Any]) -> str:
    """The sequence number by which an answer names a stream's record."""
    if "kinesis" in record:
        return str(record["kinesis"]["sequenceNumber"])
    return str(record["dynamodb"]["SequenceNumber"])


def _reported(answer: bytes, ids: list[str]) -> list[str]:
    """``batchItemFailures`` in the answer of a target function or execution; nothing else in it counts."""
    try:
        parsed = json.loads(answer or b"null")
    except ValueError:
        return []
    items = parsed.get("batchItemFailures") if isinstance(parsed, dict) else None
    if not isinstance(items, list):
        return []
    named = {item.get("itemIdentifier") for item in items if isinstance(item, dict)}
    if named - set(ids) or len(named) < len({json.dumps(item) for item in items}):
        return ids  # an item that is not of this batch: all of it is tried again
    return [identifier for identifier in ids if identifier in named]
