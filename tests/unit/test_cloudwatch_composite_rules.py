"""The rules of composite alarms."""

from __future__ import annotations

import pytest

from infra.cloud.local.telemetry.composite_rules import RuleError, parse_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "Queue Age (s)": "ALARM"}
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        (f"ALARM({ARN}b)", False),
        (f'OK("{ARN}b") AND INSUFFICIENT_DATA(c)', True),
        ("ALARM(a) AND NOT ALARM(b)", True),
        ("ALARM(b) AND ALARM(b) OR ALARM(a)", True),  # AND before OR
        ("ALARM(a) OR ALARM(b) AND ALARM(b)", True),
        ("(ALARM(a) OR ALARM(b)) AND ALARM(b)", False),
        ("NOT ALARM(a) OR ALARM(a)", True),  # NOT before OR
        ("NOT (ALARM(a) OR ALARM(a))", False),
        ("not not alarm( a )", True),
        ("TRUE", True),
        ("False", False),
        ("((ALARM(a) AND (NOT (INSUFFICIENT_DATA(b)))) OR FALSE)", True),  # as the CDK writes
        ('ALARM("Queue Age (s)")', True),
        ("AT_LEAST(1, ALARM, (a, b, c))", True),
        ("AT_LEAST(2, ALARM, (a, b, c))", False),
        ('AT_LEAST(60%, NOT OK, ("a", "b", "c"))', True),
        ('AT_LEAST(67%, NOT OK, ("a", "b", "c"))', False),
    ],
)
def test_a_rule_holds_or_not(text: str, holds: bool) -> None:
    assert parse_rule(text).holds(STATES.__getitem__) is holds


def test_children_are_named_once_in_order() -> None:
    assert parse_rule(f'OK(b) AND (ALARM("{ARN}a") OR NOT OK(b)) OR AT_LEAST(1, OK, (c))').children == (
        "b",
        "a",
        "c",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (  # aws/aws-cdk issue 13953
            "(ALARM(SampleQueue Oldest Age))",
            "Error in AlarmRule [Unsupported token 'Oldest' at char 19, must be: ')']",
        ),
        (  # aws/aws-cdk issue 34662
            "()",
            "Error in AlarmRule [Unsupported token ')' at char 1, must be: '(', 'NOT', AT_LEAST, TRUE or "
            "FALSE, ALARM, OK, or INSUFFICIENT_DATA]",
        ),
        (" ALARM(a)", "AlarmRule must not contain leading or trailing whitespace or be null"),
        (
            "ALARM(a) ALARM(b)",
            "Error in AlarmRule [Unsupported token 'ALARM' at char 9, must be: 'AND', 'OR']",
        ),
        ("ALARM()", "Error in AlarmRule [Unsupported token ')' at char 6, must be: alarm name or alarm ARN]"),
        (
            "AT_LEAST(4, OK, (a, b))",
            "Error in AlarmRule [The threshold of AT_LEAST must be between 1 and 2, it is 4]",
        ),
        (" OR ".join(f"ALARM(a{n})" for n in range(101)), "AlarmRule must not contain more than 100 alarms"),
        (" OR ".join(["TRUE"] * 501), "AlarmRule must not contain more than 500 elements"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert str(caught.value) == message
