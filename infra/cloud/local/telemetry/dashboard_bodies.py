"""The body of a dashboard checked, with the paths and the words of CloudWatch's own validation. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
Messages are those that users report ("Should NOT have more than 2 items", "Should have required property
'region'", "Invalid metric field type, only \"String\" type is allowed", 'Field "metrics" has to be an array
of array …'); where none is known they follow the same JSON schema validator (ajv). Members that the page does
not name are ignored, but not in a metric's renderer object: an unknown one makes it no renderer object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MOST_WIDGETS = 500
TYPES = ("metric", "text", "log", "alarm", "explorer", "custom", "chart")
_NEED_PROPERTIES = {"text": ("markdown",), "log": ("query", "region"), "alarm": ("alarms",)}
_VIEWS = {
    "metric": ("timeSeries", "singleValue", "gauge", "bar", "pie", "table"),
    "log": ("timeSeries", "table", "bar", "pie"),
}
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_NO_DATA = "The metric widget should have specified a region and a data source or an alarm annotation."
_NO_ARRAY = (
    'Field "metrics" has to be an array of array of strings, with an optional metricRenderer object as last '
    "element"
)

Problem = tuple[str, str]
"""Path and message."""


def problems(body: Mapping[str, Any]) -> list[Problem]:
    """Everything that makes PutDashboard refuse a body; [] for a good one."""
    check = _Check()
    if check.required(body, "", "widgets"):
        widgets = check.kind(body["widgets"], list, "/widgets")
        if widgets is not None and len(widgets) > MOST_WIDGETS:
            check.add("/widgets", f"Should NOT have more than {MOST_WIDGETS} items")
        for index, widget in enumerate(widgets or ()):
            _widget(check, widget, f"/widgets/{index}")
    check.one_of(body, "", "periodOverride", ("auto", "inherit"))
    for name in ("start", "end"):
        check.member(body, "", name, str)
    check.member(body, "", "variables", list)
    return check.found


class _Check:
    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        self.found.append((path, message))

    def required(self, value: Mapping[str, Any], path: str, *names: str) -> bool:
        missing = [name for name in names if name not in value]
        for name in missing:
            self.add(path, f"Should have required property '{name}'")
        return not missing

    def kind(self, value: Any, kind: type, path: str) -> Any:
        """The value, or None and a problem if it is of another type."""
        good = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if not good or (isinstance(value, bool) and kind is not bool):
            self.add(path, f"Should be {_NAMES[kind]}")
            return None
        return value

    def member(self, value: Mapping[str, Any], path: str, name: str, kind: type) -> Any:
        return self.kind(value[name], kind, f"{path}/{name}") if name in value else None

    def one_of(self, value: Mapping[str, Any], path: str, name: str, allowed: tuple[str, ...]) -> None:
        if name in value and value[name] not in allowed:
            self.add(f"{path}/{name}", "Should be equal to one of the allowed values")

    def between(self, value: Mapping[str, Any], path: str, name: str, low: int, high: int | None) -> None:
        number = self.member(value, path, name, int)
        if number is not None and number < low:
            self.add(f"{path}/{name}", f"Should be >= {low}")
        elif number is not None and high is not None and number > high:
            self.add(f"{path}/{name}", f"Should be <= {high}")


_NAMES: dict[type, str] = {
    str: "string", list: "array", dict: "object", int: "integer", float: "number", bool: "boolean",
}  # fmt: skip


def _widget(check: _Check, widget: Any, path: str) -> None:
    if check.kind(widget, dict, path) is None or not check.required(widget, path, "type", "properties"):
        return
    check.between(widget, path, "x", 0, 23)
    check.between(widget, path, "y", 0, None)
    check.between(widget, path, "width", 1, 24)
    check.between(widget, path, "height", 1, 1000)
    for name, other in (("x", "y"), ("y", "x")):
        if name in widget and other not in widget:
            check.required(widget, path, other)
    check.one_of(widget, path, "type", TYPES)
    kind, inner = widget["type"], f"{path}/properties"
    properties = check.kind(widget["properties"], dict, inner)
    if properties is None or kind not in TYPES:
        return
    check.required(properties, inner, *_NEED_PROPERTIES.get(kind, ()))
    check.one_of(properties, inner, "view", _VIEWS.get(kind, (properties.get("view", ""),)))
    check.member(properties, inner, "title", str)
    of_kind: dict[str, Callable[[_Check, dict[str, Any], str], None]] = {
        "metric": _metric, "text": _text, "log": _log, "alarm": _alarm,
    }  # fmt: skip
    if kind in of_kind:
        of_kind[kind](check, properties, inner)


def _text(check: _Check, properties: dict[str, Any], path: str) -> None:
    check.member(properties, path, "markdown", str)
    check.one_of(properties, path, "background", ("solid", "transparent"))


def _log(check: _Check, properties: dict[str, Any], path: str) -> None:
    for name in ("query", "region"):
        check.member(properties, path, name, str)
    check.member(properties, path, "stacked", bool)


def _alarm(check: _Check, properties: dict[str, Any], path: str) -> None:
    for index, alarm in enumerate(check.member(properties, path, "alarms", list) or ()):
        check.kind(alarm, str, f"{path}/alarms/{index}")
    check.one_of(properties, path, "sortBy", ("default", "stateUpdatedTimestamp", "timestamp"))
    for index, state in enumerate(check.member(properties, path, "states", list) or ()):
        if state not in _STATES:
            check.add(f"{path}/states/{index}", "Should be equal to one of the allowed values")


def _metric(check: _Check, properties: dict[str, Any], path: str) -> None:
    annotations = check.member(properties, path, "annotations", dict) or {}
    if "metrics" not in properties and not annotations.get("alarms"):
        check.add(path, _NO_DATA)
    check.required(properties, path, "region")
    for name in ("region", "stat", "timezone"):
        check.member(properties, path, name, str)
    for name in ("stacked", "liveData", "sparkline", "setPeriodToTimeRange", "singleValueFullPrecision"):
        check.member(properties, path, name, bool)
    _period(check, properties, path)
    for index, metric in enumerate(check.member(properties, path, "metrics", list) or ()):
        _row(check, metric, f"{path}/metrics/{index}")
    axes = check.member(properties, path, "yAxis", dict) or {}
    for side in ("left", "right"):
        axis = check.member(axes, f"{path}/yAxis", side, dict) or {}
        for name, kind in (("min", float), ("max", float), ("label", str), ("showUnits", bool)):
            check.member(axis, f"{path}/yAxis/{side}", name, kind)
    if properties.get("view") == "gauge" and not {"min", "max"} <= (axes.get("left") or {}).keys():
        check.required(axes.get("left") or {}, f"{path}/yAxis/left", "min", "max")
    legend = check.member(properties, path, "legend", dict) or {}
    check.one_of(legend, f"{path}/legend", "position", ("right", "bottom", "hidden"))
    _annotations(check, annotations, f"{path}/annotations")


def _period(check: _Check, of: Mapping[str, Any], path: str) -> None:
    period = check.member(of, path, "period", int)
    if period is not None and period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        check.add(f"{path}/period", "Should be 1, 5, 10, 20, 30 or a multiple of 60")


def _row(check: _Check, metric: Any, path: str) -> None:
    """``[namespace, name, dimension, value, …, {renderer}]`` or ``[{expression}]``; ``...`` at the beginning
    stands for as many fields as it takes."""
    if not isinstance(metric, list) or not metric:
        check.add(path, _NO_ARRAY)
        return
    strings = metric[:-1] if isinstance(metric[-1], dict) else metric
    for index, field in enumerate(strings):
        if not isinstance(field, str):
            check.add(f"{path}/{index}", 'Invalid metric field type, only "String" type is allowed')
            return
    renderer = metric[-1] if isinstance(metric[-1], dict) else {}
    if not _is_renderer(renderer, expression=not strings):
        if strings:
            check.add(path, f"Should NOT have more than {len(strings)} items")
        else:
            check.add(f"{path}/0", "Should match exactly one schema in oneOf")
    elif len(strings) % 2 and strings[0] != "...":
        limit = len(metric) - 1
        problem = f"more than {limit}" if len(strings) > 1 else "fewer than 2"
        check.add(path, f"Should NOT have {problem} items")


_RENDERER: dict[str, Callable[[Any], bool]] = {
    "accountId": lambda value: isinstance(value, str),
    "color": lambda value: isinstance(value, str) and _COLOUR.fullmatch(value) is not None,
    "id": lambda value: isinstance(value, str) and re.fullmatch("[a-z][A-Za-z0-9_]*", value) is not None,
    "label": lambda value: isinstance(value, str),
    "period": lambda value: (
        isinstance(value, int) and (value in (1, 5, 10, 20, 30) or (value >= 60 and not value % 60))
    ),
    "region": lambda value: isinstance(value, str),
    "stat": lambda value: isinstance(value, str),
    "visible": lambda value: isinstance(value, bool),
    "yAxis": lambda value: value in ("left", "right"),
}


def _is_renderer(value: Mapping[str, Any], *, expression: bool) -> bool:
    known = dict(_RENDERER)
    if expression:
        known["expression"] = lambda text: isinstance(text, str)
        if "expression" not in value:
            return False
    return all(name in known and known[name](member) for name, member in value.items())


def _annotations(check: _Check, annotations: Mapping[str, Any], path: str) -> None:
    for side in ("horizontal", "vertical"):
        lines = check.member(annotations, path, side, list)
        for index, line in enumerate(lines or ()):
            for one in line if isinstance(line, list) else [line]:
                inner = f"{path}/{side}/{index}"
                if check.kind(one, dict, inner) is None or not check.required(one, inner, "value"):
                    continue
                check.member(one, inner, "value", float if side == "horizontal" else str)
                if "color" in one and not _COLOUR.fullmatch(str(one["color"])):
                    check.add(f"{inner}/color", f'Should match pattern "^{_COLOUR.pattern}$"')
    alarms = check.member(annotations, path, "alarms", list)
    if alarms is not None and len(alarms) > 1:
        check.add(f"{path}/alarms", "Should NOT have more than 1 items")
