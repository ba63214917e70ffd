"""Replays: archived events go to the bus again.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html: minute by minute of
the events' own time. A minute without events takes no time.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Call, ServiceError
from . import errors
from .archives import Archive, Archives, at_most_one, time_of
from .entries import replayed
from .model import Bus, Event, micros
from .store import page

if TYPE_CHECKING:
    from ...world import World

MINUTE = 60 * SECOND

BETWEEN_MINUTES = SECOND
"""How long a replay takes for a minute that has events. AWS publishes no figure: an assumption."""


@dataclasses.dataclass(eq=False, slots=True)
class Replay:
    name: str
    arn: str
    archive: Archive
    given: dict[str, Any]
    started: int
    state: str = "STARTING"
    minutes: collections.deque[list[Event]] = dataclasses.field(default_factory=collections.deque)
    last: int | None = None  # time (µs) of the last event replayed
    ended: int | None = None


class Replays(Archives):
    """The operations on replays."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.replays: dict[str, Replay] = {}

    def StartReplay(self, call: Call) -> dict[str, Any]:
        params = call.params
        name, destination = params["ReplayName"], params["Destination"]
        if ":event-bus/" not in destination["Arn"]:
            raise errors.invalid(
                "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN."
            )
        bus = self.find(destination["Arn"], call.region, call.account)
        if bus is None:
            raise errors.no_bus(destination["Arn"].rpartition("event-bus/")[2])
        archive = self.archives.get(params["EventSourceArn"])
        if archive is None:
            archive_name = params["EventSourceArn"].rpartition("archive/")[2]
            raise errors.invalid(
                f"Parameter EventSourceArn is not valid. Reason: Archive {archive_name} does not exist."
            )
        if archive.bus is not bus:
            raise errors.invalid(
                "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."
            )
        start, end = micros(params["EventStartTime"]), micros(params["EventEndTime"])
        if start >= end:
            raise errors.invalid(
                "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."
            )
        arn = f"arn:aws:events:{call.region}:{call.account}:replay/{name}"
        if arn in self.replays:
            raise errors.exists(f"Replay {name} already exists.")
        replay = self.replays[arn] = Replay(name, arn, archive, dict(params), self.kernel.now)
        self.kernel.call_later(
            self.world.latency.sample("events.replay_start"), self._run, replay, start, end
        )
        return {
            "ReplayArn": arn,
            "State": "STARTING",
            "ReplayStartTime": self.world.datetime(replay.started),
        }

    def _run(self, replay: Replay, start: int, end: int) -> None:
        if self._cancelled(replay):
            return
        replay.state = "RUNNING"
        replay.archive.expire(self.kernel.now)
        by_minute: dict[int, list[Event]] = {}
        for _, time, _, event in replay.archive.events:
            if start <= time <= end:
                by_minute.setdefault(time // MINUTE, []).append(event)
        replay.minutes.extend(events for _, events in sorted(by_minute.items()))
        self._next_minute(replay)

    def _next_minute(self, replay: Replay) -> None:
        if self._cancelled(replay):
            return
        if not replay.minutes:
            self._finish(replay, "COMPLETED")
            return
        bus = replay.archive.bus
        filters = replay.given["Destination"].get("FilterArns") or None
        for event in replay.minutes.popleft():
            fields = replayed(event.fields, replay.name)
            again = Event(fields, self.kernel.now, event.trace or self.world.new_trace(), event.hops)
            self.ingest(again, bus, filters)
            replay.last = time_of(event)
        self.kernel.call_later(BETWEEN_MINUTES, self._next_minute, replay)

    def _cancelled(self, replay: Replay) -> bool:
        if replay.state == "CANCELLING":
            self._finish(replay, "CANCELLED")
        return replay.state == "CANCELLED"

    def _finish(self, replay: Replay, state: str) -> None:
        replay.state, replay.ended = state, self.kernel.now
        replay.minutes.clear()
        self.journal.record(
            "events.replay", replay.archive.arn, actor="events", outcome=state, data={"replay": replay.name}
        )

    def ingest(self, event: Event, bus: Bus, only: list[str] | None = None) -> None:
        """An event enters a bus; ``only`` these rules (ARNs) may match it, if given."""
        raise NotImplementedError

    def _replay(self, call: Call) -> Replay:
        name = call.params["ReplayName"]
        replay = self.replays.get(f"arn:aws:events:{call.region}:{call.account}:replay/{name}")
        if replay is None:
            raise errors.not_found(f"Replay {name} does not exist.")
        return replay

    def DescribeReplay(self, call: Call) -> dict[str, Any]:
        replay = self._replay(call)
        shown = {
            "ReplayArn": replay.arn,
            "Destination": replay.given["Destination"],
            **self._listed_replay(replay),
        }
        if "Description" in replay.given:
            shown["Description"] = replay.given["Description"]
        return shown

    def _listed_replay(self, replay: Replay) -> dict[str, Any]:
        given = replay.given
        shown = {
            "ReplayName": replay.name,
            "EventSourceArn": replay.archive.arn,
            "State": replay.state,
            "EventStartTime": self.world.datetime(micros(given["EventStartTime"])),
            "EventEndTime": self.world.datetime(micros(given["EventEndTime"])),
            "ReplayStartTime": self.world.datetime(replay.started),
        }
        if replay.last is not None:
            shown["EventLastReplayedTime"] = self.world.datetime(replay.last)
        if replay.ended is not None:
            shown["ReplayEndTime"] = self.world.datetime(replay.ended)
        return shown

    def ListReplays(self, call: Call) -> dict[str, Any]:
        params = call.params
        at_most_one(call)
        found = [
            replay
            for _, replay in sorted(self.replays.items())
            if replay.arn.startswith(f"arn:aws:events:{call.region}:{call.account}:")
            and replay.name.startswith(params.get("NamePrefix", ""))
            and params.get("EventSourceArn", replay.archive.arn) == replay.archive.arn
            and params.get("State", replay.state) == replay.state
        ]
        return page(found, params, "Replays", self._listed_replay)

    def CancelReplay(self, call: Call) -> dict[str, Any]:
        replay = self._replay(call)
        if replay.state not in ("STARTING", "RUNNING"):
            raise ServiceError(
                "IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation."
            )
        replay.state = "CANCELLING"
        return {"ReplayArn": replay.arn, "State": "CANCELLING"}
