"""Alarms in virtual time: each is evaluated when its result can have changed, and holds no timer otherwise.

An evaluation happens at a full minute (every ten seconds for an alarm with a shorter period), as on AWS. On
AWS it sees data that is a minute or two late; here it sees everything up to that minute.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from ..journal import Entry, Journal
from ..kernel import Kernel, Timer
from . import queries
from .alarm_schedule import following, next_evaluation, next_for_age, next_while_mixed
from .alarm_states import Actions, Stated
from .alarms import Point, Rule, State, Verdict, enough_samples, judge
from .expressions import TimeSeries
from .metrics import CUSTOM_KINDS, KINDS_OF_NAMESPACE, Metrics
from .queries import SECOND, Query
from .series import MetricId
from .sqs_metrics import NAMESPACE as SQS
from .statistics import is_percentile


@dataclasses.dataclass(slots=True, kw_only=True)
class Alarm(Stated):
    """One metric alarm; ``given`` are PutMetricAlarm's parameters."""

    rule: Rule
    queries: list[Query]
    watched: Query
    timer: Timer | None = None

    @property
    def period(self) -> int:
        return max(query.period for query in self.queries)

    @property
    def step(self) -> int:
        """Microseconds between two evaluations."""
        return 10 * SECOND if self.period < 60 * SECOND else 60 * SECOND


class AlarmWatch:
    """Evaluates the alarms it holds. ``alarms`` is in the order in which they were created."""

    def __init__(
        self,
        kernel: Kernel,
        journal: Journal,
        metrics: Metrics,
        actions: Actions[Alarm],
    ) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.listeners: list[Callable[[str], None]] = []
        """Told the name of an alarm after its state changed."""
        self._actions = actions
        self._kernel = kernel
        self._journal = journal
        self._metrics = metrics
        self._fed: dict[str, dict[str, tuple[Alarm, Callable[[Entry], bool]]]] = {}

    def put(self, alarm: Alarm) -> None:
        """Watch an alarm, in place of the one of its name if there is one."""
        self._forget(alarm.name)
        self.alarms[alarm.name] = alarm
        for query in alarm.queries:
            if query.metric is None:
                continue
            for kind in KINDS_OF_NAMESPACE.get(query.metric.namespace, CUSTOM_KINDS):
                if kind not in self._fed:
                    self._fed[kind] = {}
                    self._journal.listen(kind, self._listener(self._fed[kind]))
                self._fed[kind][f"{alarm.name}/{query.id}"] = (alarm, _feeds(query.metric, kind))
        self.wake(alarm)

    def remove(self, name: str) -> None:
        self._forget(name)
        del self.alarms[name]

    def wake(self, alarm: Alarm) -> None:
        """Evaluate at the next regular moment."""
        self._schedule(alarm, following(self._kernel.now, alarm.step))

    def set_state(self, alarm: Alarm, state: State, reason: str, reason_data: str) -> None:
        """Change the state and write it down. An alarm that keeps its state keeps its reason."""
        if state == alarm.state:
            return
        data: dict[str, Any] = {"alarm": alarm.name, "from": alarm.state, "to": state, "reason": reason}
        if reason_data:
            data["reason_data"] = reason_data
        before = alarm.switch(state, reason, reason_data, self._kernel.now)
        left = self._actions.perform(alarm, before, self._actions.announce(alarm, before))
        if left:
            data["actions"] = "not simulated: " + ", ".join(left)
        self._journal.record("cloudwatch.alarm", alarm.name, actor="cloudwatch", data=data)
        for listener in self.listeners:
            listener(alarm.name)

    def _forget(self, name: str) -> None:
        alarm = self.alarms.get(name)
        if alarm is None:
            return
        if alarm.timer is not None:
            alarm.timer.cancel()
        for watchers in self._fed.values():
            for key in [key for key, (watching, _) in watchers.items() if watching is alarm]:
                del watchers[key]

    def _listener(
        self, watchers: dict[str, tuple[Alarm, Callable[[Entry], bool]]]
    ) -> Callable[[Entry], None]:
        def listen(entry: Entry) -> None:
            for alarm, feeds in watchers.values():
                due = following(entry.time, alarm.step)
                timer = alarm.timer
                if (timer is None or not timer.pending or timer.time > due) and feeds(entry):
                    self._schedule(alarm, due)

        return listen

    def _schedule(self, alarm: Alarm, time: int) -> None:
        if alarm.timer is not None:
            alarm.timer.cancel()
        alarm.timer = self._kernel.call_at(time, self._evaluate, alarm, background=True)

    def _evaluate(self, alarm: Alarm) -> None:
        now, rule = self._kernel.now, alarm.rule
        start = now - rule.range * alarm.period
        points, counts = self._points(alarm, start, now)
        verdict = judge(rule, points)
        if verdict.state is not None and not self._too_few(alarm, verdict, counts):
            if alarm.state == verdict.state:
                self._actions.repeat(alarm, [point.value for point in verdict.points])
            else:
                data = self._reason_data(alarm, verdict, points, counts)
                self.set_state(alarm, verdict.state, verdict.reason, data)
        due = self._next(alarm, points, start, now)
        alarm.timer = None
        if due is not None:
            self._schedule(alarm, due)

    def _points(self, alarm: Alarm, start: int, now: int) -> tuple[list[Point | None], dict[int, float]]:
        """The value of each period up to now, oldest first, and how many samples each comes from."""
        self._metrics.read(now)
        counts: dict[int, float] = {}
        if alarm.watched.metric is not None:
            found = queries.metric_points(self._metrics, alarm.watched, start, now, now)
            values = {time: value for time, (value, _) in found.items()}
            counts = {time: count for time, (_, count) in found.items()}
        else:
            result = queries.run(self._metrics, alarm.queries, start, now, now)[alarm.watched.id]
            if isinstance(result, list):
                result = result[0] if len(result) == 1 else TimeSeries("", {})
            values = result.points if isinstance(result, TimeSeries) else {}
        times = range(start, now, alarm.period)
        return [Point(time, values[time]) if time in values else None for time in times], counts

    def _next(self, alarm: Alarm, points: list[Point | None], start: int, now: int) -> int | None:
        step, period, periods = alarm.step, alarm.period, alarm.rule.range
        candidates: list[int | None] = []
        for query in alarm.queries:
            if query.metric is None:
                continue
            changed = list(self._metrics.steps(query.metric, start - period, step))
            mixes = self._metrics.is_sampled(query.metric) and query.stat not in ("Maximum", "Minimum")
            slide = next_while_mixed if mixes else next_evaluation
            candidates.append(slide(now, step, period, periods, changed))
            coming = self._metrics.next_step(query.metric)
            if coming is not None and coming >= now:
                candidates.append(following(-(-coming // step) * step, step))
            since = self._metrics.growing_since(query.metric)
            if since is not None:
                simple = query is alarm.watched and query.stat in ("Average", "Minimum", "Maximum")
                growing = (
                    next_for_age(now, step, alarm.rule, points, since) if simple else following(now, step)
                )
                candidates.append(growing)
        return min((time for time in candidates if time is not None), default=None)

    @staticmethod
    def _too_few(alarm: Alarm, verdict: Verdict, counts: dict[int, float]) -> bool:
        if alarm.given.get("EvaluateLowSampleCountPercentile") != "ignore":
            return False
        percent = is_percentile(alarm.watched.stat)
        return any(not enough_samples(percent, counts.get(point.time, 0)) for point in verdict.points)

    def _reason_data(
        self, alarm: Alarm, verdict: Verdict, seen: list[Point | None], counts: dict[int, float]
    ) -> str:
        """A period without data that was counted is shown by its time alone.

        As recorded in localstack/localstack, tests/aws/services/cloudwatch/test_cloudwatch.snapshot.json
        (test_put_metric_alarm, test_breaching_alarm_actions).
        """
        points = verdict.points
        end = self._kernel.now
        periods = [end - alarm.period * (back + 1) for back in range(len(seen))]
        empty = [time for time, point in zip(periods, reversed(seen), strict=True) if point is None]
        evaluated: list[tuple[int, Point | None]] = [(point.time, point) for point in points]
        evaluated += [(time, None) for time in empty[: alarm.rule.n - len(points)]]
        data: dict[str, Any] = {"version": "1.0", "queryDate": _iso(self._kernel.now)}
        if points:
            data["startDate"] = _iso(points[0].time)
        if alarm.watched.unit is not None:
            data["unit"] = alarm.watched.unit
        if alarm.watched.metric is not None:
            data["statistic"] = alarm.watched.stat
        data["period"] = alarm.period // SECOND
        data["recentDatapoints"] = [point.value for point in points]
        data["threshold"] = alarm.rule.threshold
        data["evaluatedDatapoints"] = [
            {"timestamp": _iso(time)}
            | ({"sampleCount": counts[time]} if point is not None and time in counts else {})
            | ({"value": point.value} if point is not None else {})
            for time, point in sorted(evaluated, key=lambda each: -each[0])
        ]
        return json.dumps(data, separators=(",", ":"))


def _iso(time: int) -> str:
    return queries.moment(time).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _feeds(metric: MetricId, kind: str) -> Callable[[Entry], bool]:
    """Whether an entry of this kind may change the metric. Runs on every entry of the kind: keep it cheap."""
    if metric.namespace == SQS:
        ending = f":{metric.dimension('QueueName')}"
        if kind == "sqs.moved":
            return lambda entry: entry.resource.endswith(ending) or entry.data["to"].endswith(ending)
        return lambda entry: entry.resource.endswith(ending)
    if kind == "cloudwatch.put_metric":
        return lambda entry: (
            entry.data["namespace"] == metric.namespace and entry.data["metric"] == metric.name
        )
    if metric.namespace == "AWS/Logs":
        group = metric.dimension("LogGroupName")
        return lambda entry: group is None or group in entry.resource
    if kind == "logs.event":
        return lambda entry: '"_aws"' in entry.data["message"] and metric.name in entry.data["message"]
    table = metric.dimension("TableName")
    if table is not None:
        return lambda entry: entry.resource == table or table in entry.data.get("tables", ())
    function = metric.dimension("FunctionName")
    if function is None:
        return lambda entry: True
    return lambda entry: entry.resource == function
