"""Searches for metrics: the examples of the documentation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.metric_search import SearchError, label_of, parse_search
from infra.cloud.local.telemetry.series import MetricId


def of(namespace: str, name: str, **dimensions: str) -> MetricId:
    return MetricId(namespace, name, tuple(sorted(dimensions.items())))


COUNT = of("MyNamespace", "CustomCount1")
CPU = of("AWS/EC2", "CPUUtilization", InstanceId="i-1234567890123456")
MICRO = of("AWS/EC2", "x", InstanceType="t2.micro")
FRANCE = of("N", "Europe\\France Traffic(Network)")
ERRORS = of("AWS/Lambda", "Errors", FunctionName="ProjectA-worker")
CALLS = of("AWS/Lambda", "Invocations", FunctionName="ProjectB-worker")
OTHERS = of("AWS/Lambda", "Invocations", FunctionName="other")
NESTED = (
    '{AWS/Lambda,FunctionName} MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))'
)


@pytest.mark.parametrize(
    ("text", "metric", "found"),
    [
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', CPU, True),
        ('{AWS/EC2, InstanceType} "CPUUtilization"', CPU, False),
        ("{AWS/EC2,InstanceId}", CPU, True),
        ("{AWS/EC2}", CPU, False),
        *(
            (term, COUNT, True)
            for term in ("count", "Count", "COUNT", "CustomCount", "Count1", "customcount1")
        ),
        *((term, COUNT, False) for term in ("couNT", "customcount", "count1")),
        ('{MyNamespace}, "CustomCount1"', COUNT, True),
        ('{MyNamespace}, "customcount1"', COUNT, False),
        ('{MyNamespace}, "Custom"', COUNT, False),
        ("SDB", of("N", "SDBFailure"), True),
        ("failure", of("N", "SDBFailure"), True),
        *(
            (term, of("N", name), True)
            for term in ("network/errors", "network+errors", "network-errors", "Network_Errors")
            for name in ("Network-Errors-2", "NetworkErrors2")
        ),
        ('"Network-Errors-2"', of("N", "Network-Errors-2"), True),
        ('"Network_Errors_2"', of("N", "Network-Errors-2"), False),
        (r'"Europe\\France Traffic\(Network\)"', FRANCE, True),
        ('{"My Namespace", "Dimension@Name"}, "a"', of("My Namespace", "a", **{"Dimension@Name": "x"}), True),
        ("InstanceType=micro", MICRO, True),
        ('InstanceType="t2.micro" Namespace="AWS/EC2"', MICRO, True),
        ('MetricName="CPUUtilization" NOT i-1234567890123456', CPU, False),
        ("NOT Namespace=AWS", CPU, False),
        ("NOT Namespace=AWS", COUNT, True),
        ("(EC2 OR EBS) AND MetricName=ReadOps", of("AWS/EBS", "VolumeReadOps"), True),
        ("(EC2 OR EBS) MetricName=ReadOps", of("AWS/RDS", "VolumeReadOps"), False),
        (NESTED, ERRORS, True),
        (NESTED, CALLS, True),
        (NESTED, OTHERS, False),
    ],
)
def test_a_search_finds_a_metric_or_not(text: str, metric: MetricId, found: bool) -> None:
    assert parse_search(text)(metric) is found


@pytest.mark.parametrize("text", ["", "  ", "(a", "a OR", "NOT", "a )", "x" * 1025, "{}"])
def test_what_is_no_search(text: str) -> None:
    with pytest.raises(SearchError):
        parse_search(text)


def test_labels_tell_what_differs() -> None:
    found = [ERRORS, CALLS, OTHERS]
    assert [label_of(one, found) for one in found] == [
        "Errors ProjectA-worker",
        "Invocations ProjectB-worker",
        "Invocations other",
    ]
    assert label_of(ERRORS, [ERRORS]) == "Errors"
