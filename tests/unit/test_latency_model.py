"""How long operations take: the figures, the distribution drawn from them, and what a wrong table says."""

from __future__ import annotations

import statistics
import timeit
import tomllib
from pathlib import Path

import pytest

from infra.cloud.local.kernel import Kernel
from infra.cloud.local.latency import PACKAGED, Figure, LatencyError, LatencyModel, check_names, packaged


def model(source: object = None, seed: int = 0) -> LatencyModel:
    return LatencyModel.load(Kernel(0, seed), source)  # type: ignore[arg-type]


def test_samples_have_the_median_and_the_99th_percentile_of_the_table() -> None:
    latency = model({"sqs.SendMessage": {"median": 7, "p99": 40}})
    samples = sorted(latency.sample("sqs.SendMessage") for _ in range(40_000))
    assert statistics.median(samples) == pytest.approx(7_000, rel=0.02)
    assert samples[int(len(samples) * 0.99)] == pytest.approx(40_000, rel=0.06)
    assert all(isinstance(sample, int) for sample in samples)


def test_one_seed_gives_one_sequence_and_services_do_not_disturb_each_other() -> None:
    alone = [model().sample("dynamodb.PutItem")]
    latency = model()
    for _ in range(100):
        latency.sample("sqs.SendMessage")
    assert [latency.sample("dynamodb.PutItem")] == alone
    names = ["sqs.SendMessage", "lambda.init", "dynamodb.PutItem"]
    assert [model(seed=1).sample(name) for name in names] == [model(seed=1).sample(name) for name in names]
    assert [model(seed=1).sample(name) for name in names] != [model(seed=2).sample(name) for name in names]


def test_the_very_values_of_seed_0() -> None:
    latency = model()
    assert [latency.sample("sqs.SendMessage") for _ in range(5)] == [10_990, 20_443, 2_649, 6_387, 10_284]


def test_an_operation_without_a_row_takes_its_service_s_and_a_service_without_any_the_default() -> None:
    latency = model()
    assert latency.figure("sqs.CreateQueue") == latency.figure("sqs.*")
    assert latency.figure("route53.ListHostedZones") == latency.figure("*")
    assert latency.figure("sqs.SendMessage").median == 7.0


def test_own_figures_stand_before_all_packaged_ones() -> None:
    assert model({"*": 0}).sample("sqs.SendMessage") == 0
    latency = model({"sqs": {"*": {"median": 2, "p99": 2}}, "lambda.init": 250})
    assert latency.sample("sqs.SendMessage") == 2_000
    assert latency.sample("lambda.init") == 250_000
    assert latency.figure("dynamodb.PutItem").median == 5.0


def test_a_toml_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "slow.toml"
    path.write_text("[dynamodb]\nPutItem = { median = 100, p99 = 100 }\n")
    assert model(path).sample("dynamodb.PutItem") == 100_000


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"sqs.SendMesage": 5},
            "latency: sqs.SendMesage: there is no operation of sqs 'SendMesage'; did you mean SendMessage",
        ),
        (
            {"dynamo.PutItem": 5},
            "latency: dynamo.PutItem: there is no service 'dynamo'; did you mean dynamodb",
        ),
        ({"sqs.*": -1}, "latency: sqs.*: median is -1; accepted is a number of milliseconds >= 0"),
        (
            {"sqs.*": {"median": 5, "p99": "9"}},
            "latency: sqs.*: p99 is '9'; accepted is a number of milliseconds >= 0",
        ),
        (
            {"sqs.*": {"median": 5, "p99": 4}},
            "latency: sqs.*: p99 4 does not fit median 5; accepted is a number of",
        ),
        (
            {"sqs.*": {"median": 0, "p99": 4}},
            "latency: sqs.*: p99 4 does not fit median 0; accepted is a number of",
        ),
        (
            {"sqs.*": {"median": 5}},
            "latency: sqs.* has no p99; accepted is a number of milliseconds (constant), or",
        ),
        ({"sqs.*": {"mean": 5, "p99": 6}}, "latency: sqs.*: there is no field 'mean'; did you mean median?"),
        ({"sqs.*": "5 ms"}, "latency: sqs.* is '5 ms'; accepted is a number of milliseconds (constant), or"),
        ({"sqs.*": True}, "latency: sqs.* is True; accepted is a number"),
        ({"sqs.*": float("nan")}, "latency: sqs.* is nan; accepted is a number"),
        (
            "no_such.toml",
            "latency: there is no file no_such.toml; accepted is a TOML file, a mapping or None",
        ),
    ],
)
def test_a_wrong_table_is_refused_with_the_field_the_value_and_what_is_accepted(
    source: object, message: str
) -> None:
    with pytest.raises(LatencyError) as refused:
        model(source)
    assert str(refused.value).startswith(message)


def test_every_packaged_figure_names_a_real_operation_and_a_dated_source() -> None:
    check_names(packaged())
    for name, figure in packaged().items():
        assert figure.source, name
        assert any(year in figure.source for year in ("2019", "202")), name
    sources = tomllib.loads(PACKAGED.read_text())["sources"]
    assert all(set(entry) == {"title", "url", "date", "note"} for entry in sources.values())
    assert all(
        entry["url"].startswith("https://") or entry["title"] == "estimate" for entry in sources.values()
    )
    services = {name.partition(".")[0] for name in packaged()}
    assert services >= {
        "sqs", "dynamodb", "lambda", "sns", "events", "kinesis", "s3", "stepfunctions", "iam", "sts", "logs",
        "cloudwatch", "cloudformation", "ssm", "kms", "secretsmanager", "firehose", "scheduler",
    }  # fmt: skip


def test_a_constant_uses_no_randomness() -> None:
    kernel = Kernel(0, 0)
    latency = LatencyModel(kernel, {"*": Figure(3.0, 3.0)})
    state = kernel.rng("latency.sqs").getstate()
    assert latency.sample("sqs.SendMessage") == 3_000
    assert kernel.rng("latency.sqs").getstate() == state


def test_a_sample_costs_well_under_a_microsecond() -> None:
    latency = model()
    latency.sample("sqs.SendMessage")
    best = min(timeit.repeat(lambda: latency.sample("sqs.SendMessage"), number=20_000, repeat=5)) / 20_000
    assert best < 1.5e-6  # 0.2 µs here; room for a busy machine
