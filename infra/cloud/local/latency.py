"""How long each operation takes on AWS: lognormal, from a median and a 99th percentile (``latency.toml``).

A sample is drawn from a table of 4,096 equally likely quantiles of the distribution, each rounded to whole
microseconds. That costs one lookup and 12 random bits, and a last bit that differs between two machines'
``exp`` cannot show. The longest sample is the quantile at 99.988 %.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import statistics
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .kernel import MILLISECOND, Kernel

PACKAGED = Path(__file__).with_name("latency.toml")

PARTS: dict[str, tuple[str, ...]] = {
    "codedeploy": ("alarm_poll", "start"),
    "apigatewayv2": ("request",),
    "apigateway": ("request",),
    "dynamodb": ("billing_update", "throughput_update", "ttl_deletion"),
    "lambda": ("async_delivery", "environment_start", "init", "runtime_overhead"),
    "events": ("delivery", "replay_start"),
    "http": ("request",),
    "sns": ("delivery",),
    "kinesis": ("fan_out",),
    "stepfunctions": ("express_transition", "transition"),
    "s3": ("notification",),
}
"""Names that are parts of what a service does, not API operations of it."""

_BITS = 12
_ACCEPTED = (
    'a number of milliseconds (constant), or {"median": ms, "p99": ms} with 0 <= median <= p99 '
    "(median 0 only with p99 0)"
)


class LatencyError(ValueError):
    """A latency table is wrong; the message names the field, the value and what would be accepted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One row: milliseconds, and where they come from (title, URL, date; "" if they are the user's own)."""

    median: float
    p99: float
    source: str = ""

    def quantiles(self) -> list[int]:
        """The distribution as equally likely values in microseconds, shortest first."""
        if self.p99 == self.median:
            return [round(self.median * MILLISECOND)]
        sigma = math.log(self.p99 / self.median) / statistics.NormalDist().inv_cdf(0.99)
        scale = self.median * MILLISECOND
        return [round(scale * math.exp(sigma * z)) for z in _standard_normal()]


class LatencyModel:
    """``sample("sqs.SendMessage")`` is how long that call takes now, in microseconds.

    ``table`` maps names to figures: ``service.Operation``, ``service.*`` for a service's other operations,
    ``*`` for everything else. Each service has its own random stream, so more calls to one leave the others
    as they were.
    """

    def __init__(self, kernel: Kernel, table: Mapping[str, Figure]) -> None:
        self._kernel = kernel
        self._tables = [dict(table)]
        self._rows: dict[str, tuple[list[int], Callable[[int], int]]] = {}

    @classmethod
    def load(cls, kernel: Kernel, source: str | Path | Mapping[str, Any] | None = None) -> LatencyModel:
        """The packaged figures, with those of ``source`` (a TOML file or a mapping) in front of them.

        A name in ``source`` wins over every packaged one it covers: ``{"*": 0}`` makes all calls instant,
        ``{"sqs.*": {"median": 5, "p99": 20}}`` replaces all of SQS. Raises ``LatencyError``.
        """
        model = cls(kernel, packaged())
        if source is None:
            return model
        if isinstance(source, Mapping):
            own = parse(source, "latency")
        else:
            path = Path(source)
            try:
                own = parse(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
            except FileNotFoundError:
                raise LatencyError(
                    f"latency: there is no file {path}; accepted is a TOML file, a mapping or None"
                ) from None
            except tomllib.TOMLDecodeError as error:
                raise LatencyError(f"{path.name} is not TOML: {error}") from None
        check_names(own)
        model._tables.insert(0, own)
        return model

    def sample(self, name: str) -> int:
        """Draw one duration in microseconds."""
        row = self._rows.get(name)
        if row is None:
            row = self._prepare(name)
        values, bits = row
        return values[bits(_BITS)]

    def figure(self, name: str) -> Figure:
        """The row that applies to a name: its own, else its service's ``*``, else ``*``."""
        service = name.partition(".")[0]
        for table in self._tables:
            for key in (name, f"{service}.*", "*"):
                if key in table:
                    return table[key]
        raise LatencyError(f"latency: the table has no row for {name}, {service}.* or *")

    def _prepare(self, name: str) -> tuple[list[int], Callable[[int], int]]:
        values = _quantiles(self.figure(name))
        bits = self._kernel.rng(f"latency.{name.partition('.')[0]}").getrandbits
        row = self._rows[name] = (values, bits if len(values) > 1 else _zero)
        return row


def parse(document: Mapping[str, Any], where: str) -> dict[str, Figure]:
    """A table from a mapping, its keys dotted (``"sqs.SendMessage"``) or nested (``{"sqs": {…}}``)."""
    rows = dict(document)
    sources = rows.pop("sources", {})
    table: dict[str, Figure] = {}
    for name, value in rows.items():
        if "." not in name and isinstance(value, Mapping) and not {"median", "p99"} & set(value):
            for operation, row in value.items():
                key = "*" if name == operation == "*" else f"{name}.{operation}"
                table[key] = _figure(row, sources, f"{where}: {key}")
        else:
            table[name] = _figure(value, sources, f"{where}: {name}")
    return table


def check_names(names: Iterable[str]) -> None:
    """Raise ``LatencyError`` for a service or operation that AWS does not have, with the nearest it has."""
    import botocore.session

    session = botocore.session.get_session()
    services = session.get_available_services()
    for name in names:
        service, _, operation = name.partition(".")
        if name == "*":
            continue
        if service in PARTS and operation in PARTS[service]:
            continue
        if service not in services:
            raise LatencyError(_unknown(f"latency: {name}", "service", service, services))
        if operation != "*":
            known = [*session.get_service_model(service).operation_names]
            known += PARTS.get(service, ())
            if operation not in known:
                raise LatencyError(_unknown(f"latency: {name}", f"operation of {service}", operation, known))


@functools.cache
def packaged() -> Mapping[str, Figure]:
    """The figures of ``latency.toml``."""
    return parse(tomllib.loads(PACKAGED.read_text(encoding="utf-8")), PACKAGED.name)


def _figure(row: Any, sources: Mapping[str, Any], where: str) -> Figure:
    if _is_number(row):
        row = {"median": row, "p99": row}
    if not isinstance(row, Mapping):
        raise LatencyError(f"{where} is {row!r}; accepted is {_ACCEPTED}")
    for key in row:
        if key not in ("median", "p99", "source"):
            raise LatencyError(_unknown(where, "field", key, ["median", "p99", "source"]))
    for key in ("median", "p99"):
        if key not in row:
            raise LatencyError(f"{where} has no {key}; accepted is {_ACCEPTED}")
        if not _is_number(row[key]) or row[key] < 0:
            raise LatencyError(f"{where}: {key} is {row[key]!r}; accepted is a number of milliseconds >= 0")
    median, p99 = float(row["median"]), float(row["p99"])
    if p99 < median or (median == 0 and p99 > 0):
        raise LatencyError(f"{where}: p99 {p99:g} does not fit median {median:g}; accepted is {_ACCEPTED}")
    source = row.get("source", "")
    if sources and source:
        if source not in sources:
            raise LatencyError(_unknown(where, "source", source, list(sources)))
        entry = sources[source]
        parts = (entry["title"], entry["url"], entry["date"])
        source = ", ".join(part for part in parts if part)
    return Figure(median, p99, source)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _unknown(where: str, kind: str, value: Any, known: list[str]) -> str:
    near = difflib.get_close_matches(str(value), known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"accepted are {', '.join(sorted(known)[:12])}"
    return f"{where}: there is no {kind} {value!r}; {hint}"


def _zero(bits: int) -> int:
    return 0


@functools.cache
def _standard_normal() -> list[float]:
    inverse = statistics.NormalDist().inv_cdf
    count = 1 << _BITS
    return [inverse((index + 0.5) / count) for index in range(count)]


@functools.cache
def _quantiles(figure: Figure) -> list[int]:
    return figure.quantiles()
