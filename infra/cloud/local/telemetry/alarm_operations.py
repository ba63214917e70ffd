"""The alarm operations of CloudWatch's API."""

from __future__ import annotations

import json
from typing import Any

from ..service import Call, NotSimulated, Service
from . import queries
from .alarm_requests import describe, parse_alarm
from .alarm_watch import Alarm, AlarmWatch
from .dashboard_operations import check_json
from .paging import page_of
from .queries import DAY, SECOND, micros, moment
from .refusals import invalid, not_found
from .series import MetricId

INITIAL_STATE = {"stateValue": "INSUFFICIENT_DATA", "stateReason": "Unchecked: Initial alarm creation"}


class AlarmOperations(Service):
    """Metric alarms. Their history is in the journal."""

    watch: AlarmWatch
    _tags: dict[str, dict[str, str]]

    def PutMetricAlarm(self, call: Call) -> dict[str, Any]:
        """A new alarm begins as INSUFFICIENT_DATA; an existing one keeps its state. Then it is evaluated."""
        params = dict(call.params)
        tags = params.pop("Tags", None) or []
        alarm = parse_alarm(params, call.account, self.kernel.now)
        known = self.watch.alarms.get(alarm.name)
        if known is not None:
            alarm.state, alarm.reason, alarm.reason_data = known.state, known.reason, known.reason_data
            alarm.updated_at, alarm.transitioned_at = known.updated_at, known.transitioned_at
        else:
            alarm.updated_at = alarm.transitioned_at = self.kernel.now
            self._tags[self._alarm_arn(alarm.name)] = {tag["Key"]: tag["Value"] for tag in tags}
        self._configured(call, alarm, "updated" if known else "created")
        self.watch.put(alarm)
        return {}

    def PutCompositeAlarm(self, call: Call) -> dict[str, Any]:
        raise NotSimulated("NotSimulated: PutCompositeAlarm - composite alarms are not simulated")

    def DescribeAlarms(self, call: Call) -> dict[str, Any]:
        params = call.params
        if "ChildrenOfAlarmName" in params or "ParentsOfAlarmName" in params:
            raise NotSimulated("NotSimulated: composite alarms (ChildrenOfAlarmName, ParentsOfAlarmName)")
        if "AlarmNames" in params and "AlarmNamePrefix" in params:
            raise invalid(
                "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive "
                "and you have specified both.",
                "InvalidParameterCombination",
            )
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        found = [
            alarm
            for name, alarm in sorted(self.watch.alarms.items())
            if (not names or name in names)
            and name.startswith(prefix)
            and params.get("StateValue") in (None, alarm.state)
            and _has_action(alarm, params.get("ActionPrefix"))
            and "MetricAlarm" in params.get("AlarmTypes", ["MetricAlarm"])
        ]
        page, token = page_of(found, params.get("NextToken"), params.get("MaxRecords", 50))
        answer: dict[str, Any] = {
            "MetricAlarms": [self._describe(one) for one in page],
            "CompositeAlarms": [],
        }
        return answer | token

    def DescribeAlarmsForMetric(self, call: Call) -> dict[str, Any]:
        params = call.params
        metric = MetricId(
            params["Namespace"], params["MetricName"], queries.dimensions(params.get("Dimensions"))
        )
        found = [
            self._describe(alarm)
            for _, alarm in sorted(self.watch.alarms.items())
            if any(query.metric == metric for query in alarm.queries)
            and all(
                params.get(key) in (None, alarm.given.get(key))
                for key in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def DescribeAlarmHistory(self, call: Call) -> dict[str, Any]:
        """From the journal: state changes and changes of the configuration, of the last 30 days.

        As recorded in localstack/localstack, tests/aws/services/cloudwatch/test_cloudwatch.snapshot.json
        (test_put_metric_alarm: describe-alarm-history).
        """
        params = call.params
        start = micros(params["StartDate"]) if "StartDate" in params else 0
        end = micros(params["EndDate"]) if "EndDate" in params else self.kernel.now
        since = max(start, self.kernel.now - 30 * DAY)
        items = []
        states: dict[str, dict[str, Any]] = {}
        for entry in self.journal.select("cloudwatch.alarm", "cloudwatch.alarm.configured"):
            data, name = entry.data, entry.resource
            if entry.what == "cloudwatch.alarm":
                kind, summary = "StateUpdate", f"Alarm updated from {data['from']} to {data['to']}"
                new = {"stateValue": data["to"], "stateReason": data["reason"]}
                if "reason_data" in data:
                    new["stateReasonData"] = json.loads(data["reason_data"])
                detail: dict[str, Any] = {"oldState": states.get(name, INITIAL_STATE), "newState": new}
                states[name] = new
            else:
                if data["change"] != "updated":
                    states.pop(name, None)
                kind, summary = "ConfigurationUpdate", f'Alarm "{name}" {data["change"]}'
                detail = {
                    "type": {"created": "Create", "updated": "Update", "deleted": "Delete"}[data["change"]]
                }
            if (
                since <= entry.time <= end
                and params.get("AlarmName", name) == name
                and params.get("HistoryItemType", kind) == kind
            ):
                items.append(
                    {
                        "AlarmName": name,
                        "AlarmType": "MetricAlarm",
                        "Timestamp": moment(entry.time),
                        "HistoryItemType": kind,
                        "HistorySummary": summary,
                        "HistoryData": json.dumps({"version": "1.0", **detail}, separators=(",", ":")),
                    }
                )
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        page, token = page_of(items, params.get("NextToken"), params.get("MaxRecords", 100))
        return {"AlarmHistoryItems": page} | token

    def DeleteAlarms(self, call: Call) -> dict[str, Any]:
        """Either all of them exist and are deleted, or none is."""
        names = call.params["AlarmNames"]
        for name in names:
            self._alarm(name)
        for name in dict.fromkeys(names):
            self._configured(call, self.watch.alarms[name], "deleted")
            self.watch.remove(name)
            self._tags.pop(self._alarm_arn(name), None)
        return {}

    def EnableAlarmActions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, True)

    def DisableAlarmActions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, False)

    def SetAlarmState(self, call: Call) -> dict[str, Any]:
        """Until the next evaluation, which finds the state that the metric gives."""
        params = call.params
        alarm = self._alarm(params["AlarmName"])
        data = params.get("StateReasonData", "")
        if data:
            check_json(data, "StateReasonData", "InvalidFormat")
        if params["StateValue"] not in ("OK", "ALARM", "INSUFFICIENT_DATA"):
            raise invalid(
                f"1 validation error detected: Value '{params['StateValue']}' at 'stateValue' failed to "
                "satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
            )
        self.watch.set_state(alarm, params["StateValue"], params["StateReason"], data)
        self.watch.wake(alarm)
        return {}

    def _switch_actions(self, call: Call, enabled: bool) -> dict[str, Any]:
        for name in call.params["AlarmNames"]:
            alarm = self.watch.alarms.get(name)
            if alarm is not None:
                alarm.given["ActionsEnabled"] = enabled
                self._configured(call, alarm, "updated")
        return {}

    def _configured(self, call: Call, alarm: Alarm, change: str) -> None:
        metrics = sum(query.metric is not None for query in alarm.queries)
        data = {"change": change, "metrics": metrics, "high_resolution": alarm.period < 60 * SECOND}
        self.journal.record("cloudwatch.alarm.configured", alarm.name, actor=call.caller.name, data=data)

    def _alarm(self, name: str) -> Alarm:
        alarm = self.watch.alarms.get(name)
        if alarm is None:
            raise not_found(f"Unknown alarm: {name}")
        return alarm

    def _describe(self, alarm: Alarm) -> dict[str, Any]:
        return describe(alarm, self._alarm_arn(alarm.name))

    def _alarm_arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self.world.region}:{self.world.account}:alarm:{name}"


def _has_action(alarm: Alarm, prefix: str | None) -> bool:
    actions = [
        action
        for key in ("OKActions", "AlarmActions", "InsufficientDataActions")
        for action in alarm.given.get(key, ())
    ]
    return prefix is None or any(action.startswith(prefix) for action in actions)
