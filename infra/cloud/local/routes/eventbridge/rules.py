"""The operations on rules and their targets, and the ticks of scheduled rules.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ...kernel import SECOND
from ...patterns import InvalidPattern, parse
from ...schedules import InvalidSchedule, next_fire, validate_schedule
from ...service import Call, ServiceError
from . import errors, targets
from .entries import envelope
from .model import Bus, Event, Rule, seconds
from .store import DEFAULT, Store, page

MAX_RULES = 300
"""Rules per bus (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""


def invalid_pattern(error: InvalidPattern) -> ServiceError:
    return ServiceError("InvalidEventPatternException", str(error))


def checked_pattern(text: str) -> None:
    """Raise AWS's error if the pattern is not valid."""
    try:
        parse(text)
    except InvalidPattern as error:
        raise invalid_pattern(error) from None


class Rules(Store):
    """Rules and targets."""

    def PutRule(self, call: Call) -> dict[str, Any]:
        """Creates or replaces: what an update omits goes back to its default."""
        params, bus = call.params, self.bus_of(call)
        name, schedule = params["Name"], params.get("ScheduleExpression", "")
        text = params.get("EventPattern", "")
        if not text and not schedule:
            raise errors.invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        if text:
            checked_pattern(text)
        if schedule:
            if bus.name != DEFAULT:
                raise errors.invalid("ScheduleExpression is supported only on the default event bus.")
            try:
                validate_schedule(schedule, service="events")
            except InvalidSchedule as error:
                raise errors.invalid(str(error)) from None
        rule = bus.rules.get(name)
        if rule is None:
            if len(bus.rules) >= MAX_RULES:
                raise errors.limit()
            rule = bus.rules[name] = Rule(bus, name, self._rule_arn(bus, name), call.account)
            if params.get("Tags"):
                self.tags[rule.arn] = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
        elif rule.managed_by:
            raise errors.managed(name)
        rule.match(text)
        rule.schedule = schedule
        rule.state = params.get("State", "ENABLED")
        rule.description = params.get("Description")
        rule.role = params.get("RoleArn")
        rule.since = self.kernel.now
        bus.changed()
        self._plan(rule)
        return {"RuleArn": rule.arn}

    @staticmethod
    def _rule_arn(bus: Bus, name: str) -> str:
        on = "" if bus.name == DEFAULT else f"{bus.name}/"
        return f"arn:aws:events:{bus.region}:{bus.account}:rule/{on}{name}"

    def DescribeRule(self, call: Call) -> dict[str, Any]:
        rule = self.rule_of(call)
        return {**_shown(rule), "CreatedBy": rule.created_by}

    def ListRules(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("NamePrefix", "")
        rules = [rule for name, rule in sorted(self.bus_of(call).rules.items()) if name.startswith(prefix)]
        return page(rules, call.params, "Rules", _shown)

    def EnableRule(self, call: Call) -> None:
        self._switch(call, "ENABLED")

    def DisableRule(self, call: Call) -> None:
        self._switch(call, "DISABLED")

    def _switch(self, call: Call, state: str) -> None:
        rule = self.rule_of(call)
        if rule.managed_by:
            raise errors.managed(rule.name)
        if rule.state != state:
            rule.state = state
            rule.since = self.kernel.now
        rule.bus.changed()
        self._plan(rule)

    def DeleteRule(self, call: Call) -> None:
        """A rule that does not exist is no error."""
        bus = self.bus_of(call)
        rule = bus.rules.get(call.params["Name"])
        if rule is None:
            return
        if rule.managed_by and not call.params.get("Force"):
            raise errors.managed(rule.name)
        if rule.targets:
            raise errors.invalid("Rule can't be deleted since it has targets.")
        self.remove_rule(rule)

    def remove_rule(self, rule: Rule) -> None:
        del rule.bus.rules[rule.name]
        rule.bus.changed()
        self.tags.pop(rule.arn, None)
        if rule.timer is not None:
            rule.timer.cancel()
            rule.timer = None

    # -- targets ---------------------------------------------------------------------------------

    def PutTargets(self, call: Call) -> dict[str, Any]:
        rule = self.rule_of(call, "Rule")
        if rule.managed_by:
            raise errors.managed(rule.name)
        read = [targets.read(given, rule.bus) for given in call.params["Targets"]]
        merged = {**rule.targets, **{target.id: target for target in read}}
        if len(merged) > targets.MAX_TARGETS:
            raise errors.limit()
        rule.targets = merged
        self._plan(rule)
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def RemoveTargets(self, call: Call) -> dict[str, Any]:
        rule = self.rule_of(call, "Rule")
        if rule.managed_by and not call.params.get("Force"):
            raise errors.managed(rule.name)
        failed = [
            {
                "TargetId": id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": f"Rule {rule.name} does not have a target with the Id {id}.",
            }
            for id in call.params["Ids"]
            if id not in rule.targets
        ]
        rule.targets = {id: target for id, target in rule.targets.items() if id not in call.params["Ids"]}
        self._plan(rule)
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def ListTargetsByRule(self, call: Call) -> dict[str, Any]:
        rule = self.rule_of(call, "Rule")
        return page(list(rule.targets.values()), call.params, "Targets", lambda target: dict(target.given))

    def ListRuleNamesByTarget(self, call: Call) -> dict[str, Any]:
        arn = call.params["TargetArn"]
        names = [
            name
            for name, rule in sorted(self.bus_of(call).rules.items())
            if any(target.arn == arn for target in rule.targets.values())
        ]
        return page(names, call.params, "RuleNames", str)

    # -- schedules -------------------------------------------------------------------------------

    def _plan(self, rule: Rule) -> None:
        """Set the timer for a scheduled rule's next tick; none without a target that would notice."""
        if rule.timer is not None:
            rule.timer.cancel()
            rule.timer = None
        if rule.schedule and rule.enabled and rule.targets:
            after = next_fire(
                rule.schedule,
                self.world.datetime(),
                start=self.world.datetime(rule.since),
                service="events",
            )
            if after is not None:
                at = int(after.timestamp()) * SECOND + after.microsecond
                rule.timer = self.kernel.call_at(at, self._tick, rule, background=True)

    def _tick(self, rule: Rule) -> None:
        """The event is for the rule itself, and for every other rule whose pattern matches it.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
        """
        bus, now = rule.bus, self.kernel.now
        fields = envelope(
            id=self.new_id(),
            detail_type="Scheduled Event",
            source="aws.events",
            account=bus.account,
            time=seconds(now),
            region=bus.region,
            resources=[rule.arn],
            detail={},
        )
        others = [other for other in bus.matching(fields) if other is not rule]
        self.deliver(Event(fields, now, self.world.new_trace()), bus, [rule, *others])
        self._plan(rule)

    def deliver(self, event: Event, bus: Bus, rules: list[Rule]) -> None:
        """An event reached a bus and matched these rules."""
        raise NotImplementedError


def _shown(rule: Rule) -> dict[str, Any]:
    shown: dict[str, Any] = {"Name": rule.name, "Arn": rule.arn}
    if rule.pattern_text:
        shown["EventPattern"] = rule.pattern_text
    if rule.schedule:
        shown["ScheduleExpression"] = rule.schedule
    shown["State"] = rule.state
    for name, value in (
        ("Description", rule.description),
        ("RoleArn", rule.role),
        ("ManagedBy", rule.managed_by),
    ):
        if value:
            shown[name] = value
    return {**shown, "EventBusName": rule.bus.name}
