"""Runs ``capacity.json``: what reads and writes cost, what indexes cost, what steps and alarms make of a
capacity."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import DynamoType

from infra.cloud.local.scaling.alarms import wanted
from infra.cloud.local.scaling.decisions import stepped
from infra.cloud.local.stores.dynamodb.units import entry_halves, entry_of, read_halves, units, write_halves

CASES = json.loads(Path(__file__).with_name("capacity.json").read_text(encoding="utf-8"))
INDEX = SimpleNamespace(
    projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["p"]},
    table_key_attrs=["id"],
    schema_key_attrs=["g"],
)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_capacity(case: dict[str, Any]) -> None:
    how = {name: case[name] for name in ("consistent", "transactional") if name in case}
    match case["kind"]:
        case "read":
            assert units(read_halves(case["bytes"], **how)) == case["units"]
        case "write":
            assert units(write_halves(case["before"], case["after"], **how)) == case["units"]
        case "index":
            before, after = (entry_of(INDEX, item(case[name])) for name in ("before", "after"))
            assert units(entry_halves(before, after)) == case["units"]
        case "step":
            assert stepped(case["current"], case["breach"], case["config"]) == case["capacity"]
        case "alarms":
            predefined = {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}
            config = {"TargetValue": case["target"], "PredefinedMetricSpecification": predefined}
            target = SimpleNamespace(key=("dynamodb", "table/t", "dynamodb:table:WriteCapacityUnits"))
            policy: Any = SimpleNamespace(config=config, target=target)
            assert {
                kind: [alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]]
                for kind, alarm in wanted(policy, case["capacity"]).items()
            } == case["thresholds"]


def item(attributes: dict[str, str] | None) -> Any:
    if attributes is None:
        return None
    return SimpleNamespace(attrs={name: DynamoType({"S": value}) for name, value in attributes.items()})
