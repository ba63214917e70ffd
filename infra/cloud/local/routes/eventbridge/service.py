"""Amazon EventBridge, answered natively: buses, PutEvents, tags; rules, archives, connections are its bases.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html (each method is the operation
of its name). Partner event sources, global endpoints and schemas are not simulated and say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...access.policies import Request
from ...constraints import complaint, violation
from ...lineage import joined
from ...patterns import InvalidPattern, parse
from ...service import Call, NotSimulated, ServiceError
from . import bus_policies, entries, errors
from .api_destinations import ApiDestinations
from .delivery import Deliveries
from .entries import envelope
from .model import Bus, Event, Rule, micros, seconds
from .rules import invalid_pattern
from .store import DEFAULT, page

if TYPE_CHECKING:
    from ...world import World

_REQUIRED_TO_TEST = ("id", "account", "source", "time", "region", "detail-type")
"""Of an event in TestEventPattern; ``resources`` is documented to be, and is not (LocalStack's finding)."""

_SETTINGS = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")

MAX_BUSES = 100


class EventBridge(ApiDestinations):
    """The service ``events``."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._deliveries = Deliveries(world, self)

    # -- events ----------------------------------------------------------------------------------

    def emit(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        resources: Sequence[str] = (),
        region: str | None = None,
        account: str | None = None,
        trace: str = "",
    ) -> str:
        """A service's own event (``aws.s3``, ``aws.states`` …) enters the default bus; returns its id.

        Never waits and takes no API call's time, so a timer may call it too. ``detail`` is plain data and is
        not changed afterwards. Region and account are the world's if not given.
        """
        region, account = region or self.world.region, account or self.world.account
        now = self.kernel.now
        fields = envelope(
            id=self.new_id(),
            detail_type=detail_type,
            source=source,
            account=account,
            time=seconds(now),
            region=region,
            resources=resources,
            detail=detail,
        )
        bus = self.find(DEFAULT, region, account)
        assert bus is not None
        self.ingest(Event(fields, now, trace), bus)
        return str(fields["id"])

    def ingest(self, event: Event, bus: Bus, only: list[str] | None = None) -> None:
        """An event enters a bus; ``only`` these rules (ARNs) may match it, if given."""
        rules = bus.matching(event.fields)
        if only is not None:
            rules = [rule for rule in rules if rule.arn in only]
        self.deliver(event, bus, rules)

    def deliver(self, event: Event, bus: Bus, rules: list[Rule]) -> None:
        fields = event.fields
        self.journal.record(
            "events.event",
            bus.arn,
            actor=fields["source"],
            trace=event.trace,
            data={
                "id": fields["id"],
                "source": fields["source"],
                "detail_type": fields["detail-type"],
                "rules": [rule.name for rule in rules],
                "targets": sum(len(rule.targets) for rule in rules),
            },
        )
        for rule in rules:
            if rule.archive is not None:
                rule.archive.add(event)
            for target in rule.targets.values():
                self._deliveries.start(event, rule, target)

    def PutEvents(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
        params = call.params
        given = params["Entries"]
        if "EndpointId" in params:
            raise NotSimulated("NotSimulated: EndpointId - global endpoints are not simulated")
        if len(given) > entries.MAX_ENTRIES:
            value = f"[{', '.join(map(entries.shown, given))}]"
            most = f"have length less than or equal to {entries.MAX_ENTRIES}"
            raise violation([complaint(value, "entries", most)])
        size = sum(map(entries.size, given))
        if size >= entries.MAX_REQUEST:
            raise errors.invalid("Total size of the entries in the request is over the limit.")
        answers = [self._put(entry, call) for entry in given]
        failed = sum("ErrorCode" in answer for answer in answers)
        self.journal.record(
            "events.put",
            actor=call.caller.name,
            trace=call.caller.trace,
            data={"entries": len(given), "failed": failed, "size": size},
        )
        return {"FailedEntryCount": failed, "Entries": answers}

    def _put(self, entry: dict[str, Any], call: Call) -> dict[str, str]:
        missing = entries.missing(entry)
        if missing is not None:
            message = f"Parameter {missing} is not valid. Reason: {missing} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
        if entry["Source"].startswith("aws."):
            return {"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "Not authorized for the source."}
        try:
            detail = entries.detail(entry["Detail"])
        except entries.Malformed:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        bus = self.find(entry.get("EventBusName", DEFAULT), call.region, call.account)
        if bus is not None and bus.account != call.account and not self._admitted(bus, entry, call):
            raise ServiceError(
                "AccessDeniedException",
                f"User: {call.caller.role or call.account} is not authorized to perform: events:PutEvents on "
                f"resource: {bus.arn} because no resource-based policy allows the events:PutEvents action",
            )
        id = self.new_id()
        if bus is not None:  # recorded: to a bus that does not exist an entry succeeds, and is lost
            now = self.kernel.now
            fields = envelope(
                id=id,
                detail_type=entry["DetailType"],
                source=entry["Source"],
                account=call.account,
                time=seconds(micros(entry["Time"]) if "Time" in entry else now),
                region=call.region,
                resources=entry.get("Resources", ()),
                detail=detail,
            )
            self.ingest(Event(fields, now, joined(call.caller.trace, entry.get("TraceHeader", ""))), bus)
        return {"EventId": id}

    @staticmethod
    def _admitted(bus: Bus, entry: Mapping[str, Any], call: Call) -> bool:
        context = {
            "aws:principalaccount": call.account,
            "events:source": entry["Source"],
            "events:detail-type": entry["DetailType"],
        }
        caller = call.caller.role or f"arn:aws:iam::{call.account}:root"
        return bus_policies.admits(bus.policy, Request("events:PutEvents", bus.arn, context, (caller,)))

    def TestEventPattern(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html"""
        try:
            event = json.loads(call.params["Event"])
        except ValueError:
            raise errors.invalid("Parameter Event is not valid.") from None
        if not isinstance(event, dict) or any(name not in event for name in _REQUIRED_TO_TEST):
            raise errors.invalid("Parameter Event is not valid.")
        try:
            pattern = parse(call.params["EventPattern"])
        except InvalidPattern as error:
            raise invalid_pattern(error) from None
        return {"Result": pattern.matches(event)}

    # -- buses -----------------------------------------------------------------------------------

    def CreateEventBus(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["Name"]
        if "EventSourceName" in params:
            raise NotSimulated("NotSimulated: EventSourceName - partner event sources are not simulated")
        if "/" in name:
            raise errors.invalid("Event bus name must not contain '/'.")
        if self.find(name, call.region, call.account) is not None:
            raise errors.exists(f"Event bus {name} already exists.")
        if len(self._here(call)) >= MAX_BUSES:
            raise errors.limit()
        bus = self.add_bus(name, call.region, call.account)
        bus.settings = {key: params[key] for key in _SETTINGS if key in params}
        if params.get("Tags"):
            self.tags[bus.arn] = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        return {"EventBusArn": bus.arn, **bus.settings}

    def _here(self, call: Call) -> list[Bus]:
        self.find(DEFAULT, call.region, call.account)
        buses = [
            bus for bus in self.buses.values() if (bus.region, bus.account) == (call.region, call.account)
        ]
        return sorted(buses, key=lambda bus: bus.name)

    def DeleteEventBus(self, call: Call) -> None:
        """A bus that does not exist is no error."""
        name = call.params["Name"]
        if name == DEFAULT:
            raise errors.invalid("Cannot delete event bus default.")
        bus = self.find(name, call.region, call.account)
        if bus is None:
            return
        if any(not rule.managed_by for rule in bus.rules.values()):
            raise errors.invalid("Event bus can't be deleted since it has rules.")
        del self.buses[bus.arn]
        self.tags.pop(bus.arn, None)

    def DescribeEventBus(self, call: Call) -> dict[str, Any]:
        bus = self.bus_of(call, "Name")
        return {**self._shown_bus(bus), **bus.settings}

    def _shown_bus(self, bus: Bus) -> dict[str, Any]:
        shown: dict[str, Any] = {"Name": bus.name, "Arn": bus.arn}
        if bus.policy is not None:
            shown["Policy"] = json.dumps(bus.policy, separators=(",", ":"))
        shown["CreationTime"] = self.world.datetime(bus.created)
        shown["LastModifiedTime"] = self.world.datetime(bus.modified)
        if "Description" in bus.settings:
            shown["Description"] = bus.settings["Description"]
        return shown

    def ListEventBuses(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("NamePrefix", "")
        buses = [bus for bus in self._here(call) if bus.name.startswith(prefix)]
        return page(buses, call.params, "EventBuses", self._shown_bus)

    def UpdateEventBus(self, call: Call) -> dict[str, Any]:
        bus = self.bus_of(call, "Name")
        bus.settings.update({key: call.params[key] for key in _SETTINGS if key in call.params})
        bus.modified = self.kernel.now
        return {"Arn": bus.arn, "Name": bus.name, **bus.settings}

    # -- permissions -----------------------------------------------------------------------------

    def PutPermission(self, call: Call) -> None:
        bus = self.bus_of(call)
        self.set_policy(bus, bus_policies.with_permission(bus.policy, bus.arn, call.params))

    def RemovePermission(self, call: Call) -> None:
        bus = self.bus_of(call)
        everything = call.params.get("RemoveAllPermissions", False)
        sid = call.params.get("StatementId")
        self.set_policy(bus, bus_policies.without_permission(bus.policy, sid, everything=everything))

    def set_policy(self, bus: Bus, policy: dict[str, Any] | None) -> None:
        bus.policy = policy
        bus.modified = self.kernel.now

    def policy(self, arn: str) -> str | None:
        """A bus's policy as JSON, for ``identity``."""
        bus = self.buses.get(arn)
        return None if bus is None or bus.policy is None else json.dumps(bus.policy)

    # -- tags ------------------------------------------------------------------------------------

    def _tagged(self, call: Call) -> str:
        arn = str(call.params["ResourceARN"])
        kind, _, rest = arn.split(":", 5)[5].partition("/")
        if kind == "event-bus":
            if self.find(arn, call.region, call.account) is None:
                raise errors.no_bus(rest)
        elif kind == "rule":
            bus_name, _, name = rest.rpartition("/")
            bus = self.find(bus_name or DEFAULT, call.region, call.account)
            if bus is None or name not in bus.rules:
                raise errors.no_rule(name, bus_name or DEFAULT)
        return arn

    def TagResource(self, call: Call) -> None:
        tags = {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
        self.tags.setdefault(self._tagged(call), {}).update(tags)

    def UntagResource(self, call: Call) -> None:
        tags = self.tags.get(self._tagged(call), {})
        for key in call.params["TagKeys"]:
            tags.pop(key, None)

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        tags = self.tags.get(self._tagged(call), {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
