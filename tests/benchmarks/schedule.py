"""A simulated year of a job every 5 minutes (a trivial handler), and an idle year with a schedule."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

from .queue import package, peak_rss_mb

YEAR = 365 * 24 * 12
"""Ticks of 5 minutes."""

HANDLER = """
def handler(event, context):
    return None
"""


def build(client: Any) -> dict[str, Any]:
    """A function, and the target by which a schedule invokes it."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = client("iam")
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "logs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="job",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    function = client("lambda").create_function(
        FunctionName="job",
        Runtime="python3.11",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": package(HANDLER)},
    )
    return {"Arn": function["FunctionArn"], "RoleArn": role, "Input": '{"job": "nightly"}'}


def run(ticks: int = YEAR, seed: int = 0) -> dict[str, Any]:
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    target = build(cloud.client)
    scheduler = cloud.client("scheduler")
    scheduler.create_schedule(
        Name="job",
        ScheduleExpression="cron(0/5 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    started = time.perf_counter()
    cloud.advance(datetime.timedelta(minutes=5 * ticks + 2))  # it fires within the minute
    cloud.settle()
    wall = time.perf_counter() - started
    virtual = cloud.elapsed
    journal = cloud.world.journal  # type: ignore[attr-defined]
    invoked = sum(1 for entry in journal.select("lambda.invocation") if entry.outcome == "ok")
    assert invoked == ticks, f"{invoked} invocations in {ticks} ticks"
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    result = {
        "benchmark": "schedule",
        "events": ticks,
        "wall_s": round(wall, 3),
        "events_per_s": round(ticks / wall),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }
    cloud.close()
    return result | {"idle_year_s": idle_year()}


def idle_year() -> float:
    """Seconds for a year in which a schedule exists whose time does not come."""
    from infra.cloud import connect

    cloud = connect("local")
    cloud.client("scheduler").create_schedule(
        Name="job",
        ScheduleExpression="at(2099-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=build(cloud.client),
    )
    started = time.perf_counter()
    cloud.advance(datetime.timedelta(days=365))
    wall = time.perf_counter() - started
    cloud.close()
    return round(wall, 3)
