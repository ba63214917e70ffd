"""The file that ``workshop calibrate`` writes is one that ``connect`` reads; ``compare`` shows both runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from infra.cloud import connect
from infra.cloud.local.latency import packaged, parse
from infra.cloud.views.environments import Environment, Span
from labs.calibration.scenario import CALLS, Row, measure, text, unchanged, write
from labs.toolkit import notebooks
from labs.toolkit.compare import experiment, picture


def test_what_was_measured_in_a_cloud_comes_back_as_its_latency(tmp_path: Path) -> None:
    """The simulation calibrated against itself: what it takes is what it was told."""
    with connect("local", latency={"*": 0, "sqs.SendMessage": {"median": 7, "p99": 7}}) as cloud:
        rows = measure(cloud, count=5, cold_starts=2)
        path = write(rows, tmp_path / "latency.toml", cloud)
        assert not cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert {row.name for row in rows} >= {*CALLS, "lambda.runtime_overhead"}
    with connect("local", latency=path) as again:
        found = again.world.latency.figure("sqs.SendMessage")  # type: ignore[attr-defined]
        assert (found.median, found.p99) == (7.0, 7.0)
        assert found.source.startswith("workshop calibrate, us-east-1, local")


def test_the_way_of_a_message_begins_half_way_through_the_call_that_published_it() -> None:
    told = {"*": 0, "sns.Publish": 40, "sns.delivery": 30, "events.PutEvents": 20, "lambda.init": 250}
    with connect("local", latency=told) as cloud:
        found = {row.name: row.median for row in measure(cloud, count=5, cold_starts=2)}
    assert found["sns.delivery"] == pytest.approx(30, abs=1)  # SQS's clock counts milliseconds
    assert found["events.delivery"] == 1.0  # at once, as far as that clock tells
    assert found["lambda.init"] == 250


def test_some_deliveries_that_took_no_time_make_no_file_that_is_refused(tmp_path: Path) -> None:
    with connect("local", latency={"*": 0, "events.delivery": {"median": 0.4, "p99": 9}}) as cloud:
        path = write(measure(cloud, count=20, cold_starts=1), tmp_path / "latency.toml", cloud)
    with connect("local", latency=path) as again:
        assert again.world.latency.figure("events.delivery").median == 1.0  # type: ignore[attr-defined]


def test_p99_is_the_largest_of_few_samples_and_the_file_says_how_many() -> None:
    rows = [Row("sqs.SendMessage", (3.0, 1.0, 2.0)), Row("lambda.init", (250.0,))]
    document = text(rows, "eu-west-1, aws", "2026-11-25")
    assert 'SendMessage = { median = 2.000, p99 = 3.000, source = "measured" }' in document
    assert "Samples per row: 1 or more." in document
    import tomllib

    assert set(parse(tomllib.loads(document), "x")) == {"sqs.SendMessage", "lambda.init"}
    assert "sqs.DeleteMessage" in unchanged(rows, packaged())
    assert "sqs.SendMessage" not in unchanged(rows, packaged())


@dataclasses.dataclass
class _Run:
    sent: list[float]
    done: list[float]
    latencies: list[float]
    environments: list[Environment]


def _run(slower: float) -> _Run:
    sent = [float(second) for second in range(30)]
    spans = [Span(0.0, 0.2 * slower, "init", "r"), Span(0.2 * slower, 1.0, "busy", "r")]
    return _Run(
        sent, [time + slower for time in sent], [slower] * 30, [Environment("e", "f", 0.0, None, spans)]
    )


def test_both_runs_are_on_the_same_axes_and_in_the_same_table() -> None:
    plot = picture(_run(0.1), _run(0.2))
    assert plot.finding == "Half of it was done in 100 ms simulated, 200 ms measured"
    rows = {line.split("  ")[0]: line.split()[-3:] for line in plot.table.splitlines()[1:]}
    assert rows["latency p50 (ms)"] == ["100", "200", "2"]
    assert rows["cold starts"] == ["1", "1", "1"]
    assert rows["init, median (ms)"] == ["20", "40", "2"]
    assert len(plot.figure.axes) == 3


def test_a_lesson_without_an_experiment_says_so() -> None:
    assert callable(experiment(notebooks.find("04")))
    with pytest.raises(notebooks.LessonError, match=r"00_welcome has nothing to compare.*These have: .*04"):
        experiment(notebooks.find("00"))
