"""The alarm operations of CloudWatch's API."""

from __future__ import annotations

from typing import Any

from ..constraints import complaint, detected
from ..service import Call, Service
from . import queries
from .alarm_actions import AlarmActions
from .alarm_history import history
from .alarm_requests import check_targets, describe, parse_alarm
from .alarm_states import Stated
from .alarm_watch import Alarm, AlarmWatch
from .composite_operations import check_children, describe_briefly, describe_composite, parse_composite
from .composite_watch import Composite, CompositeWatch
from .dashboard_operations import check_json
from .paging import page_of
from .queries import SECOND
from .refusals import invalid, not_found
from .series import MetricId

MOST_DELETED = 100
MOST_RECORDS = 100


class AlarmOperations(Service):
    """Metric alarms and composite alarms. Their history is in the journal."""

    watch: AlarmWatch
    composites: CompositeWatch
    actions: AlarmActions
    _tags: dict[str, dict[str, str]]

    def PutMetricAlarm(self, call: Call) -> dict[str, Any]:
        """A new alarm begins as INSUFFICIENT_DATA; an existing one keeps its state. Then it is evaluated."""
        params, tags = self._begin(call, self.composites.alarms)
        alarm = parse_alarm(params, call.account, self.kernel.now)
        check_targets(params, call.region)
        known = self.watch.alarms.get(alarm.name)
        if known is not None:
            alarm.keep_state_of(known)
        self._put(call, alarm, known, tags)
        self.watch.put(alarm)
        return {}

    def PutCompositeAlarm(self, call: Call) -> dict[str, Any]:
        """As PutMetricAlarm; the alarms that the rule speaks of must exist."""
        params, tags = self._begin(call, self.watch.alarms)
        alarm = parse_composite(params, self.kernel.now)
        check_targets(params, call.region)
        check_children(alarm, self.watch.alarms.keys() | self.composites.alarms.keys())
        known = self.composites.alarms.get(alarm.name)
        if known is not None:
            alarm.keep_state_of(known)
        self._put(call, alarm, known, tags)
        self.composites.put(alarm)
        return {}

    def DescribeAlarms(self, call: Call) -> dict[str, Any]:
        """Metric alarms only, unless AlarmTypes asks for others."""
        params = call.params
        if "AlarmNames" in params and "AlarmNamePrefix" in params:
            raise invalid(
                "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive "
                "and you have specified both.",
                "InvalidParameterCombination",
            )
        for relation in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if relation in params:
                return self._relatives(params, relation)
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        every: list[Stated] = [*(self.watch.alarms.values() if "MetricAlarm" in types else ())]
        every += self.composites.alarms.values() if "CompositeAlarm" in types else ()
        found = [
            alarm
            for alarm in sorted(every, key=lambda alarm: alarm.name)
            if (not names or alarm.name in names)
            and alarm.name.startswith(prefix)
            and params.get("StateValue") in (None, alarm.state)
            and _has_action(alarm, params.get("ActionPrefix"))
        ]
        page, token = page_of(found, params.get("NextToken"), _size(params, 50))
        answer: dict[str, Any] = {
            "MetricAlarms": [
                describe(one, self._alarm_arn(one.name)) for one in page if isinstance(one, Alarm)
            ],
            "CompositeAlarms": [
                describe_composite(one, self._alarm_arn(one.name))
                for one in page
                if isinstance(one, Composite)
            ],
        }
        return answer | token

    def _relatives(self, params: dict[str, Any], relation: str) -> dict[str, Any]:
        others = sorted(params.keys() - {relation, "MaxRecords", "NextToken"})
        if others:
            raise invalid(
                f"When {relation} is specified, only MaxRecords and NextToken are accepted besides; "
                f"{', '.join(others)} is not."
            )
        children = relation.startswith("Children")
        if children:
            parent = self.composites.alarms.get(params[relation])
            names = sorted(parent.rule.children) if parent else []
        else:
            names = sorted(one.name for one in self.composites.parents(params[relation]))
        page, token = page_of(names, params.get("NextToken"), _size(params, 50))
        answer: dict[str, Any] = {"MetricAlarms": [], "CompositeAlarms": []}
        for name in page:
            kind = "MetricAlarms" if name in self.watch.alarms else "CompositeAlarms"
            answer[kind].append(describe_briefly(self._alarm(name), self._alarm_arn(name), state=children))
        return answer | token

    def DescribeAlarmsForMetric(self, call: Call) -> dict[str, Any]:
        params = call.params
        metric = MetricId(
            params["Namespace"], params["MetricName"], queries.dimensions(params.get("Dimensions"))
        )
        found = [
            describe(alarm, self._alarm_arn(alarm.name))
            for _, alarm in sorted(self.watch.alarms.items())
            if any(query.metric == metric for query in alarm.queries)
            and all(
                params.get(key) in (None, alarm.given.get(key))
                for key in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def DescribeAlarmHistory(self, call: Call) -> dict[str, Any]:
        """From the journal. Of metric alarms only, unless AlarmTypes asks for others."""
        params = call.params
        items = history(self.journal, params, self.kernel.now)
        page, token = page_of(items, params.get("NextToken"), _size(params, 100))
        return {"AlarmHistoryItems": page} | token

    def DeleteAlarms(self, call: Call) -> dict[str, Any]:
        """Names that do not exist are passed over if others do. At most one of them is a composite alarm's,
        and none of an alarm that a composite alarm that stays speaks of."""
        names = list(dict.fromkeys(call.params["AlarmNames"]))
        known = [name for name in names if name in self.watch.alarms or name in self.composites.alarms]
        if not known:
            self._alarm(names[0])
        if len(names) > MOST_DELETED:
            raise invalid(f"The collection AlarmNames must not have a size greater than {MOST_DELETED}.")
        if sum(name in self.composites.alarms for name in known) > 1:
            raise invalid("DeleteAlarms can delete at most one composite alarm at a time.")
        needed = [name for name in known if set(self.composites.dependents(name)) - set(known)]
        if needed:
            them = "it" if len(needed) == 1 else "them"
            raise invalid(
                f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on {them}."
            )
        for name in known:
            alarm = self._alarm(name)
            self._configured(call, alarm, "deleted")
            self.actions.configured("delete", alarm)
            (self.watch if isinstance(alarm, Alarm) else self.composites).remove(name)
            self._tags.pop(self._alarm_arn(name), None)
        return {}

    def EnableAlarmActions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, True)

    def DisableAlarmActions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, False)

    def SetAlarmState(self, call: Call) -> dict[str, Any]:
        """A metric alarm keeps it until its next evaluation, a composite one until an alarm of its rule
        changes."""
        params = call.params
        name = params["AlarmName"]
        if name not in self.watch.alarms and name not in self.composites.alarms:
            # Without a message: localstack/localstack, test_cloudwatch.snapshot.json,
            # test_set_alarm_invalid_input.
            raise not_found("")
        alarm = self._alarm(name)
        data = params.get("StateReasonData", "")
        if data:
            check_json(data, "StateReasonData", "InvalidFormat")
        if params["StateValue"] not in ("OK", "ALARM", "INSUFFICIENT_DATA"):
            raise invalid(
                f"1 validation error detected: Value '{params['StateValue']}' at 'stateValue' failed to "
                "satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
            )
        if isinstance(alarm, Composite):
            self.composites.set_state(alarm, params["StateValue"], params["StateReason"], data)
        else:
            assert isinstance(alarm, Alarm)
            self.watch.set_state(alarm, params["StateValue"], params["StateReason"], data)
            self.watch.wake(alarm)
        return {}

    def _begin(self, call: Call, others: Any) -> tuple[dict[str, Any], dict[str, str]]:
        """The parameters without tags, and the tags. ``others``: the alarms of the other kind."""
        params = dict(call.params)
        tags = {tag["Key"]: tag["Value"] for tag in params.pop("Tags", None) or ()}
        if params["AlarmName"] in others:
            raise invalid(f"An alarm of another type with the name {params['AlarmName']} exists already.")
        return params, tags

    def _put(self, call: Call, alarm: Stated, known: Stated | None, tags: dict[str, str]) -> None:
        """Write down that an alarm is created or updated."""
        if known is None:
            alarm.updated_at = alarm.transitioned_at = self.kernel.now
            self._tags[self._alarm_arn(alarm.name)] = tags
        self._configured(call, alarm, "updated" if known else "created")
        previous = self.actions.configuration(known) if known else None
        self.actions.configured("update" if known else "create", alarm, previous)

    def _switch_actions(self, call: Call, enabled: bool) -> dict[str, Any]:
        for name in call.params["AlarmNames"]:
            alarm = self.watch.alarms.get(name) or self.composites.alarms.get(name)
            if alarm is not None:
                previous = self.actions.configuration(alarm)
                alarm.given["ActionsEnabled"] = enabled
                self._configured(call, alarm, "updated")
                self.actions.configured("update", alarm, previous)
        return {}

    def _configured(self, call: Call, alarm: Stated, change: str) -> None:
        data: dict[str, Any] = {"change": change}
        if isinstance(alarm, Alarm):
            data["metrics"] = sum(query.metric is not None for query in alarm.queries)
            data["high_resolution"] = alarm.period < 60 * SECOND
        else:
            data["composite"] = True
        self.journal.record("cloudwatch.alarm.configured", alarm.name, actor=call.caller.name, data=data)

    def _alarm(self, name: str) -> Stated:
        alarm = self.watch.alarms.get(name) or self.composites.alarms.get(name)
        if alarm is None:
            raise not_found(f"Unknown alarm: {name}")
        return alarm

    def _alarm_arn(self, name: str) -> str:
        return self.actions.arns + name


def _size(params: dict[str, Any], usual: int) -> int:
    """How many things a page may have, at most."""
    size: int = params.get("MaxRecords", usual)
    if size > MOST_RECORDS:
        bound = f"have value less than or equal to {MOST_RECORDS}"
        raise invalid(detected(complaint(size, "maxRecords", bound)))
    return size


def _has_action(alarm: Stated, prefix: str | None) -> bool:
    actions = [
        action
        for key in ("OKActions", "AlarmActions", "InsufficientDataActions")
        for action in alarm.given.get(key, ())
    ]
    return prefix is None or any(action.startswith(prefix) for action in actions)
