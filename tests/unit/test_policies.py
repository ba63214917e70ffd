"""IAM policies: what a document allows, which permissions a call needs, and how a refusal reads."""

from __future__ import annotations

import json
import timeit
from types import SimpleNamespace
from typing import Any

import pytest

from infra.cloud.local.access.conditions import Operator
from infra.cloud.local.access.identity import Identity, MotoSource, Role, user_arn
from infra.cloud.local.access.permissions import needed
from infra.cloud.local.access.policies import Decision, PolicyError, Request, decide, parse
from infra.cloud.local.kernel import Kernel
from infra.cloud.local.service import NOTEBOOK, Caller, NotSimulated, ServiceError
from infra.cloud.local.world import World

ROLE = "arn:aws:iam::123456789012:role/stack/worker-role"
SESSION = "arn:aws:sts::123456789012:assumed-role/worker-role/worker"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
WORKER = Caller("function", "worker", ROLE)


def statement(
    action: Any = "sqs:SendMessage", resource: Any = "*", effect: str = "Allow", **more: Any
) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def ask(
    *statements: dict[str, Any],
    action: str = "sqs:SendMessage",
    resource: str = QUEUE,
    context: dict[str, Any] | None = None,
    boundary: str | None = None,
    queue_policy: str = '{"Statement": []}',
) -> Decision:
    request = Request(action, resource, context or {}, (ROLE, SESSION))
    limit = None if boundary is None else parse(boundary)
    return decide(request, parse(document(*statements)), limit, parse(queue_policy))


class Fixed(MotoSource):
    """IAM with one role."""

    def __init__(
        self, *policies: str, boundary: str | None = None, tags: dict[str, str] | None = None
    ) -> None:
        self.held = Role(policies, boundary, tags or {}, "AROAEXAMPLE")

    def role(self, arn: str) -> Role:
        return self.held if arn == ROLE else Role()


def identity(*statements: dict[str, Any], **more: Any) -> Identity:
    sqs = SimpleNamespace(queues={})
    world: Any = SimpleNamespace(kernel=Kernel(1_767_603_600_000_000, 0), sqs=sqs)  # 2026-01-05T09:00:00Z
    return Identity(world, Fixed(document(*statements), **more))


def refusal(of: Identity, service: str, operation: str, params: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        of.check(WORKER, service, operation, params, "us-east-1", "123456789012")
    return refused.value


# -- one statement -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("sqs:SendMessage", "sqs:SendMessage", True),
        ("SQS:sendmessage", "sqs:SendMessage", True),
        ("sqs:*", "sqs:SendMessage", True),
        ("sqs:Send*", "sqs:SendMessage", True),
        ("sqs:SendMessag?", "sqs:SendMessage", True),
        ("*", "sqs:SendMessage", True),
        ("sqs:Send", "sqs:SendMessage", False),
        ("sqs.*", "sqs:SendMessage", False),
        (["sns:*", "sqs:*"], "sqs:SendMessage", True),
    ],
)
def test_actions_match_in_any_case_and_with_wildcards(pattern: Any, action: str, matches: bool) -> None:
    assert ask(statement(pattern), action=action).allowed is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (QUEUE, True),
        (QUEUE + "2", False),
        (QUEUE.upper(), False),
        ("arn:aws:sqs:*:*:orders", True),
        ("arn:aws:sqs:us-east-1:123456789012:ord*", True),
        ("arn:aws:sqs:us-east-1:123456789012:order?", True),
        ("arn:aws:sqs", True),
        ("arn:aws:sns", False),
        ("arn:aws:sqs:us-east-1", True),
        ("arn:aws:sqs:us-west-2", False),
    ],
)
def test_resources_match_with_wildcards_and_an_incomplete_arn_is_completed(
    pattern: str, matches: bool
) -> None:
    assert ask(statement(resource=pattern)).allowed is matches


def test_not_action_and_not_resource_are_everything_else() -> None:
    others = {"Effect": "Allow", "NotAction": "sqs:Delete*", "Resource": "*"}
    assert ask(others).allowed
    assert not ask(others, action="sqs:DeleteMessage").allowed
    elsewhere = {"Effect": "Allow", "Action": "*", "NotResource": QUEUE}
    assert not ask(elsewhere).allowed
    assert ask(elsewhere, resource=QUEUE + "2").allowed


# -- statements together -----------------------------------------------------------------------------------


def test_nothing_is_allowed_by_default_and_an_explicit_deny_wins() -> None:
    assert ask() == Decision(False, "because no identity-based policy allows the sqs:SendMessage action")
    assert ask(statement()) == Decision(True)
    denied = ask(statement(), statement(effect="Deny"))
    assert denied == Decision(False, "with an explicit deny in an identity-based policy")


def test_a_boundary_only_limits() -> None:
    wide, narrow = document(statement("*")), document(statement("dynamodb:*"))
    assert ask(statement(), boundary=wide).allowed
    assert not ask(boundary=wide).allowed
    assert ask(statement(), boundary=narrow) == Decision(
        False, "because no permissions boundary allows the sqs:SendMessage action"
    )
    assert ask(statement(), boundary=document(statement("*"), statement(effect="Deny"))) == Decision(
        False, "with an explicit deny in a permissions boundary"
    )


@pytest.mark.parametrize(("principal", "allowed"), [(ROLE, False), (SESSION, True), ([ROLE, SESSION], True)])
def test_a_silent_boundary_does_not_limit_what_a_queue_allows_a_session(
    principal: Any, allowed: bool
) -> None:
    """IAM User Guide, access_policies_boundaries.html: resource-based policies for IAM role sessions"""
    policy = document(statement(resource=QUEUE, Principal={"AWS": principal}))
    assert ask(boundary=document(statement("dynamodb:*")), queue_policy=policy).allowed is allowed
    denying = document(statement("*"), statement(effect="Deny"))
    assert not ask(boundary=denying, queue_policy=policy).allowed


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": [SESSION, "arn:aws:iam::123456789012:role/other"]}, True),
        ({"AWS": "arn:aws:iam::123456789012:role/other"}, False),
        ({"AWS": "123456789012"}, False),  # delegates to the account's identity policies
        ({"AWS": "arn:aws:iam::123456789012:root"}, False),
        ({"Service": "sns.amazonaws.com"}, False),
    ],
)
def test_a_queue_policy_of_the_same_account_allows_whom_it_names(principal: Any, allowed: bool) -> None:
    policy = document(statement(resource=QUEUE, Principal=principal))
    assert ask(queue_policy=policy).allowed is allowed


def test_a_queue_policy_s_deny_beats_the_role_s_allow() -> None:
    policy = document(statement(effect="Deny", Principal={"AWS": "123456789012"}))
    assert ask(statement(), queue_policy=policy) == Decision(
        False, "with an explicit deny in a resource-based policy"
    )
    spared = {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*", "Resource": "*"}
    assert ask(statement(), queue_policy=document(spared)).allowed


# -- conditions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "found", "wanted", "true"),
    [
        ("StringEquals", "a", ["a", "b"], True),
        ("StringEquals", "A", ["a"], False),
        ("StringEquals", None, ["a"], False),
        ("StringEqualsIfExists", None, ["a"], True),
        ("StringNotEquals", "c", ["a", "b"], True),
        ("StringNotEquals", "b", ["a", "b"], False),
        ("StringNotEquals", None, ["a"], True),
        ("StringEqualsIgnoreCase", "A", ["a"], True),
        ("StringLike", "orders-7", ["orders-?"], True),
        ("StringLike", "orders-77", ["orders-?"], False),
        ("StringNotLike", "orders-77", ["orders-*"], False),
        ("ArnLike", QUEUE, ["arn:aws:sqs:*:*:ord*"], True),
        ("ArnEquals", QUEUE, ["arn:aws:sqs:*"], False),
        ("ArnNotLike", QUEUE, ["arn:aws:sns:*:*:*"], True),
        ("Bool", "true", ["true"], True),
        ("Bool", None, ["false"], False),
        ("NumericLessThanEquals", "10", ["10.0"], True),
        ("NumericGreaterThan", "9", ["10"], False),
        ("NumericEquals", "many", ["10"], False),
        ("NumericNotEquals", "9", ["10"], True),
        ("DateGreaterThan", "2026-01-05T09:00:00Z", ["2026-01-01T00:00:00Z"], True),
        ("DateLessThan", "2026-01-05T09:00:00Z", ["1767603601"], True),
        ("DateLessThan", "2026-01-05T09:00:00Z", ["soon"], False),
        ("IpAddress", "192.0.2.1", ["192.0.2.0/24"], True),
        ("NotIpAddress", "192.0.2.1", ["198.51.100.7"], True),
        ("BinaryEquals", "QQ==", ["QQ=="], True),
        ("Null", None, ["true"], True),
        ("Null", "x", ["true"], False),
        ("Null", "x", ["false"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "c"], True),
        ("ForAllValues:StringEquals", ["a", "d"], ["a", "b", "c"], False),
        ("ForAllValues:StringEquals", None, ["a"], True),
        ("ForAnyValue:StringEquals", ["a", "d"], ["a", "b"], True),
        ("ForAnyValue:StringLike", ["d"], ["a*"], False),
        ("ForAnyValue:StringEquals", None, ["a"], False),
        ("ForAnyValue:StringNotEquals", None, ["a"], False),
    ],
)
def test_condition_operators(operator: str, found: Any, wanted: list[str], true: bool) -> None:
    parsed = Operator.parse(operator)
    assert parsed is not None
    assert parsed.test(found, wanted) is true


def test_all_conditions_of_a_statement_must_hold_and_make_the_answer_conditional() -> None:
    conditions = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}, "Bool": {"aws:SecureTransport": True}}
    guarded = statement(Condition=conditions)
    here = {"aws:requestedregion": "us-east-1", "aws:securetransport": "true"}
    assert ask(guarded, context=here) == Decision(True, "", True)
    assert not ask(guarded, context={**here, "aws:securetransport": "false"}).allowed
    assert ask(statement(), statement("sns:*", Condition=conditions), context=here) == Decision(True)


def test_an_unknown_operator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PolicyError, match="there is no operator 'StringIs'; accepted are StringEquals, "):
        parse(document(statement(Condition={"StringIs": {"aws:username": "x"}})))


def test_a_key_that_nobody_computes_says_so() -> None:
    row = statement("dynamodb:*", Condition={"ForAllValues:StringEquals": {"dynamodb:FullTableScan": "7"}})
    with pytest.raises(NotSimulated, match="the condition key dynamodb:FullTableScan in a policy"):
        ask(row, action="dynamodb:GetItem", resource=TABLE)


def test_variables_stand_for_the_request_s_values() -> None:
    own = statement(resource="arn:aws:sqs:*:*:${aws:PrincipalTag/team}-*")
    team = {"aws:principaltag/team": "ord*"}
    assert ask(
        own, context={"aws:principaltag/team": "ord"}, resource=QUEUE.replace("orders", "ord-7")
    ).allowed
    assert not ask(own, context=team).allowed  # the star in a value is a star
    assert not ask(own).allowed  # no value: no match
    default = statement(resource="arn:aws:sqs:*:*:${aws:PrincipalTag/team, 'orders'}")
    assert ask(default).allowed
    star = statement(Condition={"StringEquals": {"aws:PrincipalTag/team": "ord${*}"}})
    assert ask(star, context=team).allowed
    like = statement(Condition={"StringLike": {"aws:PrincipalTag/team": "o${*}*"}})
    assert not ask(like, context=team).allowed


def test_variables_are_plain_text_in_documents_of_the_old_version() -> None:
    old = document(statement(resource="${aws:PrincipalTag/team}"), version="2008-10-17")
    request = Request("sqs:SendMessage", "orders", {"aws:principaltag/team": "orders"})
    assert not decide(request, parse(old)).allowed


# -- what a call needs -------------------------------------------------------------------------------------

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:worker"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"


@pytest.mark.parametrize(
    ("service", "operation", "params", "permissions"),
    [
        ("sqs", "SendMessageBatch", {"QueueUrl": URL}, [("sqs:SendMessage", QUEUE)]),
        ("sqs", "SendMessage", {"QueueUrl": "orders"}, [("sqs:SendMessage", QUEUE)]),
        ("sqs", "GetQueueUrl", {"QueueName": "orders"}, [("sqs:GetQueueUrl", QUEUE)]),
        ("sqs", "ListQueues", {}, [("sqs:ListQueues", "*")]),
        ("dynamodb", "PutItem", {"TableName": "orders"}, [("dynamodb:PutItem", TABLE)]),
        ("dynamodb", "PutItem", {"TableName": TABLE}, [("dynamodb:PutItem", TABLE)]),
        (
            "dynamodb",
            "Query",
            {"TableName": "orders", "IndexName": "by-day"},
            [("dynamodb:Query", TABLE + "/index/by-day")],
        ),
        (
            "dynamodb",
            "BatchWriteItem",
            {"RequestItems": {"orders": [], "lines": []}},
            [
                ("dynamodb:BatchWriteItem", TABLE),
                ("dynamodb:BatchWriteItem", TABLE.replace("orders", "lines")),
            ],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "orders"}},
                    {"Put": {"TableName": "orders"}},
                    {"ConditionCheck": {"TableName": "orders"}},
                ]
            },
            [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)],
        ),
        (
            "dynamodb",
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "orders"}}]},
            [("dynamodb:GetItem", TABLE)],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": 'SELECT * FROM "orders"."by-day" WHERE id = ?'},
            [("dynamodb:PartiQLSelect", TABLE + "/index/by-day")],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": 'update "orders" set a = 1 where id = 2'},
            [("dynamodb:PartiQLUpdate", TABLE)],
        ),
        (
            "dynamodb",
            "ExecuteTransaction",
            {
                "TransactStatements": [
                    {"Statement": "INSERT INTO orders VALUE {'id': ?}"},
                    {"Statement": "DELETE FROM orders WHERE id=1"},
                ]
            },
            [("dynamodb:PartiQLInsert", TABLE), ("dynamodb:PartiQLDelete", TABLE)],
        ),
        ("lambda", "Invoke", {"FunctionName": "worker"}, [("lambda:InvokeFunction", LAMBDA)]),
        ("lambda", "Invoke", {"FunctionName": "worker:live"}, [("lambda:InvokeFunction", LAMBDA + ":live")]),
        (
            "lambda",
            "Invoke",
            {"FunctionName": LAMBDA, "Qualifier": "7"},
            [("lambda:InvokeFunction", LAMBDA + ":7")],
        ),
        (
            "lambda",
            "CreateFunction",
            {"FunctionName": "worker", "Role": ROLE},
            [("lambda:CreateFunction", LAMBDA), ("iam:PassRole", ROLE)],
        ),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k/1"}, [("s3:GetObject", "arn:aws:s3:::b/k/1")]),
        (
            "s3",
            "HeadObject",
            {"Bucket": "b", "Key": "k", "VersionId": "v"},
            [("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
        ),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "new", "CopySource": "a/old"},
            [("s3:GetObject", "arn:aws:s3:::a/old"), ("s3:PutObject", "arn:aws:s3:::b/new")],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObject", "arn:aws:s3:::b/2")],
        ),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        (
            "sns",
            "PublishBatch",
            {"TopicArn": "arn:aws:sns:us-east-1:1:t"},
            [("sns:Publish", "arn:aws:sns:us-east-1:1:t")],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{}, {"EventBusName": "orders"}, {}]},
            [
                ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/default"),
                ("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/orders"),
            ],
        ),
        (
            "events",
            "PutRule",
            {"Name": "r", "EventBusName": "orders"},
            [("events:PutRule", "arn:aws:events:us-east-1:123456789012:rule/orders/r")],
        ),
        (
            "events",
            "ListRules",
            {"NamePrefix": "r"},
            [("events:ListRules", "arn:aws:events:us-east-1:123456789012:rule/*")],
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": "arn:x"},
            [("states:StartExecution", "arn:x")],
        ),
        (
            "kinesis",
            "PutRecord",
            {"StreamName": "s"},
            [("kinesis:PutRecord", "arn:aws:kinesis:us-east-1:123456789012:stream/s")],
        ),
        (
            "firehose",
            "PutRecord",
            {"DeliveryStreamName": "s"},
            [("firehose:PutRecord", "arn:aws:firehose:us-east-1:123456789012:deliverystream/s")],
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/app/db"},
            [("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/app/db")],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "arn:s"},
            [("secretsmanager:GetSecretValue", "arn:s")],
        ),
        ("kms", "Decrypt", {"KeyId": "7"}, [("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/7")]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            [("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/g:log-stream:s")],
        ),
        (
            "logs",
            "StartQuery",
            {"logGroupNames": ["a", "b"]},
            [
                ("logs:StartQuery", "arn:aws:logs:us-east-1:123456789012:log-group:a:log-stream:"),
                ("logs:StartQuery", "arn:aws:logs:us-east-1:123456789012:log-group:b:log-stream:"),
            ],
        ),
        ("cloudwatch", "PutMetricData", {"Namespace": "n"}, [("cloudwatch:PutMetricData", "*")]),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"AlarmName": "a"},
            [("cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a")],
        ),
        (
            "scheduler",
            "CreateSchedule",
            {"Name": "s"},
            [("scheduler:CreateSchedule", "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s")],
        ),
        ("iam", "GetRole", {"RoleName": "r"}, [("iam:GetRole", "arn:aws:iam::123456789012:role/r")]),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, [("sts:AssumeRole", ROLE)]),
        ("sts", "GetCallerIdentity", {}, []),
        ("athena", "ListWorkGroups", {}, [("athena:ListWorkGroups", "*")]),
    ],
)
def test_which_permissions_a_call_needs(service: str, operation: str, params: Any, permissions: Any) -> None:
    assert needed(service, operation, params, "us-east-1", "123456789012", MotoSource()) == permissions


# -- the check, and AWS's words ----------------------------------------------------------------------------


def test_the_notebook_may_do_everything() -> None:
    identity().check(NOTEBOOK, "sqs", "SendMessage", {"QueueUrl": URL}, "us-east-1", "123456789012")


def test_a_session_is_named_after_the_function_whatever_the_role_s_path() -> None:
    assert user_arn(WORKER) == SESSION


@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "status", "message"),
    [
        (
            "dynamodb",
            "PutItem",
            {"TableName": "orders"},
            "AccessDeniedException",
            400,
            f"User: {SESSION} is not authorized to perform: dynamodb:PutItem on resource: {TABLE} "
            "because no identity-based policy allows the dynamodb:PutItem action",
        ),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": URL},
            "AccessDenied",
            403,
            f"User: {SESSION} is not authorized to perform: sqs:sendmessage on resource: {QUEUE} "
            "because no identity-based policy allows the sqs:sendmessage action",
        ),
        (
            "sns",
            "Publish",
            {"TopicArn": "arn:t"},
            "AuthorizationError",
            403,
            f"User: {SESSION} is not authorized to perform: SNS:Publish on resource: arn:t "
            "because no identity-based policy allows the SNS:Publish action",
        ),
        (
            "s3",
            "GetObject",
            {"Bucket": "b", "Key": "k"},
            "AccessDenied",
            403,
            f'User: {SESSION} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" '
            "because no identity-based policy allows the s3:GetObject action",
        ),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, "403", 403, "Forbidden"),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "worker"},
            "AccessDeniedException",
            403,
            f"User: {SESSION} is not authorized to perform: lambda:InvokeFunction on resource: {LAMBDA} "
            "because no identity-based policy allows the lambda:InvokeFunction action",
        ),
        (
            "cloudwatch",
            "PutMetricData",
            {"Namespace": "n"},
            "AccessDenied",
            403,
            f"User: {SESSION} is not authorized to perform: cloudwatch:PutMetricData "
            "because no identity-based policy allows the cloudwatch:PutMetricData action",
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "db"},
            "AccessDeniedException",
            400,
            f"User: {SESSION} is not authorized to perform: secretsmanager:GetSecretValue on resource: db "
            "because no identity-based policy allows the secretsmanager:GetSecretValue action",
        ),
    ],
)
def test_a_refusal_reads_as_the_service_words_it(
    service: str, operation: str, params: Any, code: str, status: int, message: str
) -> None:
    error = refusal(identity(), service, operation, params)
    assert (error.code, error.status, error.message) == (code, status, message)


def test_an_explicit_deny_is_named() -> None:
    error = refusal(
        identity(statement("*"), statement(effect="Deny")), "sqs", "SendMessage", {"QueueUrl": URL}
    )
    assert error.message == (
        f"User: {SESSION} is not authorized to perform: sqs:sendmessage on resource: {QUEUE} "
        "with an explicit deny in an identity-based policy"
    )


def test_a_transaction_is_refused_for_the_first_permission_it_lacks() -> None:
    params = {"TransactItems": [{"Put": {"TableName": "orders"}}, {"Delete": {"TableName": "orders"}}]}
    error = refusal(identity(statement("dynamodb:PutItem")), "dynamodb", "TransactWriteItems", params)
    assert "perform: dynamodb:DeleteItem on" in error.message


def test_a_changed_queue_policy_counts_at_once_and_a_changed_role_after_invalidate() -> None:
    subject = identity(statement())
    send = (WORKER, "sqs", "SendMessage", {"QueueUrl": URL}, "us-east-1", "123456789012")
    subject.check(*send)
    policy = document(statement(effect="Deny", Principal="*"))
    world: Any = subject._world
    world.sqs.queues[QUEUE] = SimpleNamespace(attributes={"Policy": policy})
    assert "explicit deny in a resource-based" in refusal(subject, *send[1:4]).message
    world.sqs.queues.clear()
    source: Any = subject._source
    source.held = Role()
    subject.check(*send)
    subject.invalidate()
    refusal(subject, *send[1:4])


def test_a_condition_on_the_time_is_asked_every_time() -> None:
    until = {"DateLessThan": {"aws:CurrentTime": "2026-01-05T10:00:00Z"}}
    subject = identity(statement(Condition=until))
    send = (WORKER, "sqs", "SendMessage", {"QueueUrl": URL}, "us-east-1", "123456789012")
    subject.check(*send)
    subject._kernel.now += 3_600_000_000
    refusal(subject, *send[1:4])


def test_may_answers_for_one_action() -> None:
    subject = identity(statement(), tags={"Team": "orders"})
    assert subject.may(WORKER, "sqs:SendMessage", QUEUE).allowed
    assert subject.may(WORKER, "sqs:DeleteQueue", QUEUE).reason.startswith("because no identity-based policy")
    assert subject.may(NOTEBOOK, "sqs:DeleteQueue", QUEUE).allowed
    tagged = identity(
        statement(Condition={"StringEquals": {"aws:PrincipalTag/Team": "orders"}}), tags={"Team": "orders"}
    )
    assert tagged.may(WORKER, "sqs:SendMessage", QUEUE) == Decision(True, "", True)


def test_a_repeated_check_costs_next_to_nothing() -> None:
    subject = identity(statement())
    params = {"QueueUrl": URL}

    def check() -> None:
        subject.check(WORKER, "sqs", "SendMessage", params, "us-east-1", "123456789012")

    check()
    assert min(timeit.repeat(check, number=10_000, repeat=5)) / 10_000 < 4e-6  # 0.6 µs here


# -- in a world ---------------------------------------------------------------------------------------


def test_roles_are_read_from_moto() -> None:
    from moto.iam.models import iam_backends

    backend: Any = iam_backends["210987654321"]["aws"]
    arn = "arn:aws:iam::210987654321:role/app/reader"
    assert MotoSource().role(arn) == Role()
    backend.create_role("reader", "{}", "/app/", "", "", [{"Key": "team", "Value": "orders"}], 3600)
    backend.put_role_policy("reader", "inline", document(statement()))
    managed = backend.create_policy("", "/", document(statement("dynamodb:*")), "managed", {})
    backend.attach_role_policy(managed.arn, "reader")
    backend.put_role_permissions_boundary("reader", managed.arn)
    role = MotoSource().role(arn)
    assert role.policies == (document(statement()), document(statement("dynamodb:*")))
    assert role.boundary == document(statement("dynamodb:*"))
    assert role.tags == {"team": "orders"}
    backend.reset()


def test_a_call_is_refused_until_the_role_is_granted_it(world: World) -> None:
    iam, logs = world.client("iam"), world.client("logs")
    arn = iam.create_role(RoleName="writer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    logs.create_log_group(logGroupName="g")
    caller = Caller("function", "worker", arn)

    def put() -> dict[str, Any]:
        params = {"logGroupName": "g", "logStreamName": "s"}
        return world.call("logs", "CreateLogStream", params, caller)

    with pytest.raises(ServiceError) as refused:
        world.kernel.call(put, name="test")
    assert (refused.value.code, refused.value.message) == (
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/writer/worker is not authorized to perform: "
        "logs:CreateLogStream on resource: arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s "
        "because no identity-based policy allows the logs:CreateLogStream action",
    )
    grant = document(statement("logs:*", "arn:aws:logs:us-east-1:123456789012:log-group:g:*"))
    iam.put_role_policy(RoleName="writer", PolicyName="grant", PolicyDocument=grant)
    assert world.kernel.call(put, name="test") == {}
