"""The Lambda API: functions, versions, aliases, layers, permissions, tags, and what it refuses."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest

from infra.cloud.local.access import policies
from infra.cloud.local.functions.deployment import trusts_lambda
from infra.cloud.local.functions.names import Reference, parse
from infra.cloud.local.service import NotSimulated, ServiceError

from .lambda_fakes import ROLE, TRUST, FakeWorld, HandlerError, zipped

ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"


@pytest.fixture
def world() -> FakeWorld:
    world = FakeWorld()
    world.create()
    return world


# -- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("worker", Reference("worker", None, None, None)),
        ("worker:live", Reference("worker", "live", None, None)),
        ("worker:$LATEST", Reference("worker", "$LATEST", None, None)),
        ("123456789012:function:worker", Reference("worker", None, None, "123456789012")),
        (ARN, Reference("worker", None, "us-east-1", "123456789012")),
        (f"{ARN}:7", Reference("worker", "7", "us-east-1", "123456789012")),
    ],
)
def test_a_function_has_many_names(text: str, expected: Reference) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "worker:", "arn:aws:sqs:us-east-1:123456789012:queue", "x" * 257]
)
def test_a_malformed_name_is_refused(text: str) -> None:
    with pytest.raises(ServiceError) as error:
        parse(text)
    assert error.value.code == "ValidationException"
    assert f"Value '{text}' at 'functionName' failed to satisfy constraint" in error.value.message


def test_a_name_and_a_qualifier_must_agree(world: FakeWorld) -> None:
    with pytest.raises(ServiceError, match="derived qualifier from the function name does not match"):
        world.do("GetFunction", FunctionName="worker:1", Qualifier="2")


def test_an_unknown_function_is_not_found(world: FakeWorld) -> None:
    with pytest.raises(ServiceError) as error:
        world.do("Invoke", FunctionName="ghost")
    assert (error.value.code, error.value.status) == ("ResourceNotFoundException", 404)
    ghost = "arn:aws:lambda:us-east-1:123456789012:function:ghost"
    assert error.value.message == f"Function not found: {ghost}:$LATEST"
    with pytest.raises(ServiceError) as error:
        world.do("GetFunction", FunctionName="ghost")
    assert error.value.message == f"Function not found: {ghost}"
    with pytest.raises(ServiceError, match=f"Function not found: {ARN}:live"):
        world.do("Invoke", FunctionName="worker", Qualifier="live")
    with pytest.raises(ServiceError, match="not reachable in this region"):
        world.do("GetFunction", FunctionName=ARN.replace("us-east-1", "eu-west-1"))


# -- functions -------------------------------------------------------------------------------------------


def test_a_function_is_described_as_aws_describes_it() -> None:
    world = FakeWorld()
    created = world.create(
        Description="does the work",
        Timeout=30,
        MemorySize=512,
        Environment={"Variables": {"TABLE": "orders"}},
        TracingConfig={"Mode": "Active"},
        Architectures=["arm64"],
        Tags={"team": "parcel"},
    )
    assert (created.pop("StateReason"), created.pop("StateReasonCode")) == (
        "The function is being created.",
        "Creating",
    )
    assert created.pop("State") == "Pending"
    described = {
        "FunctionName": "worker",
        "FunctionArn": ARN,
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(zipped()),
        "Description": "does the work",
        "Timeout": 30,
        "MemorySize": 512,
        "LastModified": "1970-01-12T13:46:40.000+0000",
        "CodeSha256": created["CodeSha256"],
        "Version": "$LATEST",
        "Environment": {"Variables": {"TABLE": "orders"}},
        "TracingConfig": {"Mode": "Active"},
        "RevisionId": created["RevisionId"],
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": created["RuntimeVersionConfig"],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/worker"},
    }
    assert created == described
    assert created["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith(
        "arn:aws:lambda:us-east-1::runtime:"
    )
    described |= {"State": "Active", "LastUpdateStatus": "Successful"}
    assert world.do("GetFunctionConfiguration", FunctionName=ARN) == described
    found = world.do("GetFunction", FunctionName="worker")
    assert found["Configuration"] == described
    assert found["Tags"] == {"team": "parcel"}
    assert found["Code"]["RepositoryType"] == "S3"
    for name in ("State", "LastUpdateStatus", "RuntimeVersionConfig"):
        del described[name]
    assert world.do("ListFunctions") == {"Functions": [described]}


def test_an_empty_environment_is_shown_and_an_absent_one_is_not() -> None:
    world = FakeWorld()
    assert world.create("empty", Environment={"Variables": {}})["Environment"] == {"Variables": {}}
    assert "Environment" not in world.create("absent")


def test_code_can_come_from_s3() -> None:
    world = FakeWorld()
    world.answers["s3.GetObject"] = {"Body": zipped()}
    created = world.create(Code={"S3Bucket": "assets", "S3Key": "worker.zip"})
    assert created["CodeSize"] == len(zipped())
    assert world.calls[-1][2] == {"Bucket": "assets", "Key": "worker.zip"}
    world.answers["s3.GetObject"] = ServiceError("NoSuchKey", "The specified key does not exist.", 404)
    with pytest.raises(ServiceError, match=r"S3 Error Code: NoSuchKey\. S3 Error Message: The specified key"):
        world.create("other", Code={"S3Bucket": "assets", "S3Key": "missing.zip"})


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        (
            {"Timeout": 901},
            "ValidationException",
            "'timeout' failed to satisfy constraint: Member must have value less",
        ),
        ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
        ({"Handler": "app handler"}, "ValidationException", "'handler'"),
        ({"Role": "worker"}, "ValidationException", "'role'"),
        ({"Architectures": ["mips"]}, "ValidationException", r"\[x86_64, arm64\]"),
        ({"Runtime": "python"}, "InvalidParameterValueException", "Value python at 'runtime'"),
        ({"Runtime": None}, "InvalidParameterValueException", "Runtime and Handler are mandatory"),
        ({"Code": {}}, "InvalidParameterValueException", "provide a source for function code"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException", "Could not unzip uploaded file"),
        ({"Code": {"ZipFile": b""}}, "InvalidParameterValueException", "non-empty zip"),
        ({"FunctionName": "x" * 65}, "InvalidParameterValueException", "less than or equal to 64"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}},
            "InvalidParameterValueException",
            "Reserved keys used in this request: AWS_REGION",
        ),
        (
            {"Environment": {"Variables": {"BIG": "x" * 4096}}},
            "InvalidParameterValueException",
            "exceeded the 4KB",
        ),
        (
            {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:deps:1"]},
            "InvalidParameterValueException",
            "exist",
        ),
        ({"DeadLetterConfig": {"TargetArn": ROLE}}, "InvalidParameterValueException", "not an SQS queue"),
    ],
)
def test_what_create_function_refuses(settings: dict[str, Any], code: str, message: str) -> None:
    world = FakeWorld()
    with pytest.raises(ServiceError, match=message) as error:
        world.create(**settings)
    assert error.value.code == code
    assert world.functions.functions == {}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"Runtime": "nodejs22.x"}, "nodejs22.x"),
        ({"PackageType": "Image"}, "PackageType Image"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "VpcConfig"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "SnapStart"),
        ({"FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt"}]}, "FileSystemConfigs"),
    ],
)
def test_what_is_not_simulated_says_so(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(NotSimulated, match=name):
        FakeWorld().create(**settings)


def test_the_role_must_exist_and_trust_lambda() -> None:
    world = FakeWorld()
    message = r"The role defined for the function cannot be assumed by Lambda\."
    world.answers["iam.GetRole"] = ServiceError("NoSuchEntity", "Role not found", 404)
    with pytest.raises(ServiceError, match=message):
        world.create()
    policy = json.loads(json.dumps(TRUST).replace("lambda.", "ec2."))
    world.answers["iam.GetRole"] = {"Role": {"AssumeRolePolicyDocument": policy}}
    with pytest.raises(ServiceError, match=message):
        world.create()


def test_trust_policies_come_in_many_forms() -> None:
    assert trusts_lambda(TRUST)
    assert trusts_lambda(json.dumps(TRUST))
    assert trusts_lambda("%7B%22Statement%22%3A" + json.dumps(TRUST["Statement"]) + "%7D")
    both = {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}
    assert trusts_lambda({"Statement": {"Effect": "Allow", "Principal": both, "Action": ["sts:AssumeRole"]}})
    assert not trusts_lambda({"Statement": {"Effect": "Deny", "Principal": both, "Action": "sts:AssumeRole"}})
    assert not trusts_lambda(None)


def test_a_name_is_taken_once(world: FakeWorld) -> None:
    with pytest.raises(ServiceError) as error:
        world.create()
    assert (error.value.code, error.value.status) == ("ResourceConflictException", 409)
    assert error.value.message == "Function already exist: worker"


def test_an_update_changes_what_it_names_and_nothing_else(world: FakeWorld) -> None:
    before = world.do("GetFunctionConfiguration", FunctionName="worker")
    after = world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=9)
    assert {key for key in after if after[key] != before.get(key)} == {
        "Timeout",
        "RevisionId",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
    }
    assert after["LastUpdateStatus"] == "InProgress"
    now = world.do("GetFunctionConfiguration", FunctionName="worker")
    assert {key for key in now if now[key] != before[key]} == {"Timeout", "RevisionId"}
    code = world.do("UpdateFunctionCode", FunctionName="worker", ZipFile=zipped("handler = print\n"))
    assert code["CodeSha256"] != before["CodeSha256"]
    assert code["Timeout"] == 9
    published = world.do(
        "UpdateFunctionCode", FunctionName="worker", ZipFile=zipped("handler = max\n"), Publish=True
    )
    assert (published["Version"], published["State"]) == ("1", "Pending")
    assert "LastUpdateStatus" not in published
    with pytest.raises(ServiceError) as error:
        world.do("UpdateFunctionConfiguration", FunctionName="worker", RevisionId=before["RevisionId"])
    assert (error.value.code, error.value.status) == ("PreconditionFailedException", 412)


def test_a_deleted_function_is_gone_and_its_environments_with_it(world: FakeWorld) -> None:
    world.do("Invoke", FunctionName="worker")
    world.do("DeleteFunction", FunctionName="worker")
    assert world.do("ListFunctions") == {"Functions": []}
    assert [data["reason"] for *_, data in world.facts("lambda.environment.ended")] == ["deleted"]
    with pytest.raises(ServiceError, match="Function not found"):
        world.do("DeleteFunction", FunctionName="worker")


def test_lists_come_in_pages() -> None:
    world = FakeWorld()
    for number in range(5):
        world.create(f"worker-{number}")
    first = world.do("ListFunctions", MaxItems=3)
    second = world.do("ListFunctions", MaxItems=3, Marker=first["NextMarker"])
    assert [len(page["Functions"]) for page in (first, second)] == [3, 2]
    assert "NextMarker" not in second


# -- invoke ----------------------------------------------------------------------------------------------


def test_invoke_answers_with_the_functions_payload(world: FakeWorld) -> None:
    answer = world.do("Invoke", FunctionName="worker", Payload='{"a": 1}', LogType="Tail")
    assert answer == {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": b'{"a": 1}',
        "LogResult": base64.b64encode(b"END").decode(),
    }
    ((_, _, outcome, data),) = world.facts("lambda.invocation")
    assert outcome == "ok"
    assert data == {
        "request_id": data["request_id"],
        "environment": "env-1",
        "version": "$LATEST",
        "cold": True,
        "init_us": 0,
        "billed_ms": 1,
        "memory_mb": 128,
        "max_memory_mb": 64,
        "invoked_by": "api",
        "arrived": data["arrived"],
    }


def test_a_function_error_is_an_answer_not_an_exception(world: FakeWorld) -> None:
    def fail(payload: bytes) -> None:
        raise HandlerError("no")

    world.behaviour = fail
    answer = world.do("Invoke", FunctionName="worker")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"])["errorType"] == "ValueError"


def test_a_dry_run_runs_nothing(world: FakeWorld) -> None:
    assert world.do("Invoke", FunctionName="worker", InvocationType="DryRun")["StatusCode"] == 204
    assert world.facts("lambda.invocation") == []


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_payloads_have_a_limit(world: FakeWorld, kind: str, limit: int) -> None:
    payload = b'"' + b"x" * (limit - 2) + b'"'
    world.do("Invoke", FunctionName="worker", InvocationType=kind, Payload=payload)
    with pytest.raises(ServiceError) as error:
        world.do("Invoke", FunctionName="worker", InvocationType=kind, Payload=payload + b" ")
    assert (error.value.code, error.value.status) == ("RequestTooLargeException", 413)
    assert error.value.message == (
        f"{limit + 1} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
    )


@pytest.mark.parametrize("payload", [b"hello", b"{", b"NaN", b"\xff"])
def test_a_payload_must_be_json(world: FakeWorld, payload: bytes) -> None:
    with pytest.raises(ServiceError, match="Could not parse request body into json") as error:
        world.do("Invoke", FunctionName="worker", Payload=payload)
    assert error.value.code == "InvalidRequestContentException"


_SOURCE = " at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: "
_A_VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"


@pytest.mark.parametrize(
    ("payload", "said", "column"),
    [
        (b"n\x87r\x9e\xe9", "Invalid UTF-8 start byte 0x87", 3),
        (
            b"\x99\xeb,j",
            f"Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ({_A_VALUE})",
            1,
        ),
        (b"Hello World", f"Unrecognized token 'Hello': was expecting ({_A_VALUE})", 7),
        (
            b"{client: 1}",
            "Unexpected character ('c' (code 99)): was expecting double-quote to start field name",
            2,
        ),
        (
            b'{"a": "b" 1}',
            "Unexpected character ('1' (code 49)): was expecting comma to separate Object entries",
            11,
        ),
    ],
)
def test_a_payload_that_is_no_json_is_refused_in_jacksons_words(
    world: FakeWorld, payload: bytes, said: str, column: int
) -> None:
    """The first two recorded: LocalStack's test_lambda_invoke_payload_encoding_error (cut short here)."""
    with pytest.raises(ServiceError) as error:
        world.do("Invoke", FunctionName="worker", Payload=payload)
    prefix = "Could not parse request body into json: Could not parse payload into json: "
    assert error.value.message == f"{prefix}{said}\n{_SOURCE}{column}]"


def test_lists_show_less(world: FakeWorld) -> None:
    """Recorded: LocalStack's test_list_functions."""
    world.do("PublishVersion", FunctionName="worker")
    every = world.do("ListFunctions", FunctionVersion="ALL")["Functions"]
    assert [each["FunctionArn"] for each in every] == [f"{ARN}:$LATEST", f"{ARN}:1"]
    [one] = world.do("ListFunctions")["Functions"]
    assert one["FunctionArn"] == ARN
    made = world.create("other", Publish=True)
    assert (made["FunctionArn"], made["Version"]) == (ARN.replace("worker", "other"), "1")
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & one.keys()


def test_the_client_context_reaches_the_environment(world: FakeWorld) -> None:
    context = base64.b64encode(b'{"custom": {"a": "1"}}').decode()
    world.do("Invoke", FunctionName="worker", ClientContext=context)
    with pytest.raises(ServiceError, match="Client context must be"):
        world.do("Invoke", FunctionName="worker", ClientContext="e30")
    environment = world.functions.functions["worker"].latest.pool.idle[0].environment
    assert environment.calls[0]["client_context"] == {"custom": {"a": "1"}}  # type: ignore[attr-defined]
    assert environment.calls[0]["invoked_arn"] == ARN  # type: ignore[attr-defined]


def test_invoke_async_is_an_event(world: FakeWorld) -> None:
    assert world.do("InvokeAsync", FunctionName="worker", InvokeArgs=b"{}") == {"Status": 202}
    world.kernel.settle()
    assert len(world.facts("lambda.invocation")) == 1


def test_an_internal_invocation_says_who_and_what(world: FakeWorld) -> None:
    invocation = world.kernel.call(
        lambda: world.functions.invoke(
            ARN, b"{}", invoked_by="sqs", messages=["m1", "m2"], arrived=7, request_id="r", trace="t"
        ),
        name="poller",
    )
    assert (invocation.ok, invocation.payload, invocation.executed_version) == (True, b"{}", "$LATEST")
    ((_, _, _, data),) = world.facts("lambda.invocation")
    assert {key: data[key] for key in ("request_id", "invoked_by", "messages", "arrived")} == {
        "request_id": "r",
        "invoked_by": "sqs",
        "messages": ["m1", "m2"],
        "arrived": 7,
    }


# -- versions and aliases --------------------------------------------------------------------------------


def test_a_published_version_never_changes(world: FakeWorld) -> None:
    first = world.do("PublishVersion", FunctionName="worker", Description="first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{ARN}:1", "first")
    assert world.do("PublishVersion", FunctionName="worker")["Version"] == "1"  # nothing changed
    world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=9)
    assert world.do("PublishVersion", FunctionName="worker")["Version"] == "2"
    assert world.do("GetFunctionConfiguration", FunctionName="worker:1")["Timeout"] == 3
    listed = world.do("ListVersionsByFunction", FunctionName="worker")["Versions"]
    assert [version["FunctionArn"] for version in listed] == [f"{ARN}:$LATEST", f"{ARN}:1", f"{ARN}:2"]
    assert world.do("Invoke", FunctionName="worker", Qualifier="1")["ExecutedVersion"] == "1"
    with pytest.raises(ServiceError, match="CodeSHA256"):
        world.do("PublishVersion", FunctionName="worker", CodeSha256="other")


def test_a_version_in_use_by_an_alias_cannot_be_deleted(world: FakeWorld) -> None:
    world.do("PublishVersion", FunctionName="worker")
    world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    with pytest.raises(ServiceError, match="referenced by alias live"):
        world.do("DeleteFunction", FunctionName="worker", Qualifier="1")
    world.do("DeleteAlias", FunctionName="worker", Name="live")
    world.do("DeleteFunction", FunctionName="worker", Qualifier="1")
    with pytest.raises(ServiceError, match=f"Function not found: {ARN}:1"):
        world.do("Invoke", FunctionName="worker:1")
    with pytest.raises(ServiceError, match=r"\$LATEST version cannot be deleted"):
        world.do("DeleteFunction", FunctionName="worker", Qualifier="$LATEST")


def test_an_alias_names_a_version_and_can_move(world: FakeWorld) -> None:
    world.do("PublishVersion", FunctionName="worker")
    world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=9)
    world.do("PublishVersion", FunctionName="worker")
    alias = world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    assert alias == {
        "AliasArn": f"{ARN}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "",
        "RevisionId": alias["RevisionId"],
    }
    assert world.do("Invoke", FunctionName="worker:live")["ExecutedVersion"] == "1"
    world.do("UpdateAlias", FunctionName="worker", Name="live", FunctionVersion="2")
    assert world.do("Invoke", FunctionName="worker:live")["ExecutedVersion"] == "2"
    assert [each["Name"] for each in world.do("ListAliases", FunctionName="worker")["Aliases"]] == ["live"]
    with pytest.raises(ServiceError, match="Alias already exists"):
        world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")
    with pytest.raises(ServiceError, match=f"Cannot find alias arn: {ARN}:old"):
        world.do("GetAlias", FunctionName="worker", Name="old")
    with pytest.raises(ServiceError, match=f"Function not found: {ARN}:9"):
        world.do("UpdateAlias", FunctionName="worker", Name="live", FunctionVersion="9")
    with pytest.raises(ServiceError, match="'name'"):
        world.do("CreateAlias", FunctionName="worker", Name="123", FunctionVersion="1")


def test_the_weights_of_an_alias_split_the_traffic(world: FakeWorld) -> None:
    world.do("PublishVersion", FunctionName="worker")
    world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=9)
    world.do("PublishVersion", FunctionName="worker")
    world.do(
        "CreateAlias",
        FunctionName="worker",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}},
    )
    seen = Counter(invocation.executed_version for invocation in world.burst(500, "worker:live"))
    assert 70 < seen["2"] < 130
    assert seen["1"] + seen["2"] == 500
    world.do(
        "UpdateAlias", FunctionName="worker", Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert {invocation.executed_version for invocation in world.burst(50, "worker:live")} == {"1"}


@pytest.mark.parametrize(
    ("version", "weights", "message"),
    [
        ("1", {"1": 0.1}, "already included"),
        ("1", {"2": 1.1}, r"Value '\{2=1.1\}' .* less than or equal to 1.0"),
        ("1", {"$LATEST": 0.1}, "Map keys must satisfy"),
        ("$LATEST", {"1": 0.1}, r"\$LATEST is not supported"),
        ("1", {"2": 0.1, "3": 0.1}, "cannot be greater than 1"),
        ("1", {"9": 0.1}, "Function not found"),
    ],
)
def test_weights_that_make_no_sense_are_refused(
    world: FakeWorld, version: str, weights: dict[str, float], message: str
) -> None:
    for timeout in (4, 5):
        world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=timeout)
        world.do("PublishVersion", FunctionName="worker")
    with pytest.raises(ServiceError, match=message):
        world.do(
            "CreateAlias",
            FunctionName="worker",
            Name="live",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )


# -- permissions, tags, layers, mappings -----------------------------------------------------------------


def test_the_resource_policy_answers_who_may_invoke(world: FakeWorld) -> None:
    answer = world.do(
        "AddPermission",
        FunctionName="worker",
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn="arn:aws:sns:us-east-1:123456789012:orders-*",
        SourceAccount="123456789012",
    )
    statement = json.loads(answer["Statement"])
    assert statement == {
        "Sid": "topic",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:sns:us-east-1:123456789012:orders-*"},
        },
    }
    policy = json.loads(world.do("GetPolicy", FunctionName="worker")["Policy"])
    assert policy == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    topic = "arn:aws:sns:us-east-1:123456789012:orders-eu"
    text = world.functions.policy("worker")
    assert text is not None

    def allows(principal: str, source: str, account: str) -> bool:
        context = {"aws:sourcearn": source, "aws:sourceaccount": account}
        request = policies.Request("lambda:InvokeFunction", statement["Resource"], context, (principal,))
        return policies.decide(request, (), None, policies.parse(text)).allowed

    assert allows("sns.amazonaws.com", topic, "123456789012")
    assert not allows("s3.amazonaws.com", topic, "123456789012")
    assert not allows("sns.amazonaws.com", topic, "999999999999")
    assert not allows("sns.amazonaws.com", topic.replace("orders", "bills"), "123456789012")
    with pytest.raises(ServiceError, match="already exists"):
        world.do(
            "AddPermission",
            FunctionName="worker",
            StatementId="topic",
            Action="*",
            Principal="s3.amazonaws.com",
        )
    world.do("RemovePermission", FunctionName="worker", StatementId="topic")
    with pytest.raises(ServiceError, match="does not exist"):
        world.do("GetPolicy", FunctionName="worker")
    with pytest.raises(ServiceError, match="No policy is associated with the given resource"):
        world.do("RemovePermission", FunctionName="worker", StatementId="topic")


def test_a_policy_tags_and_a_published_version_are_revisions(world: FakeWorld) -> None:
    """Recorded: LocalStack's test_lambda_permission_fn_versioning and test_tag_lifecycle."""

    def revision(**named: str) -> Any:
        return world.do("GetFunctionConfiguration", FunctionName="worker", **named)["RevisionId"]

    def add(**named: str) -> None:
        given = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "StatementId": "s3"}
        world.do("AddPermission", FunctionName="worker", **given, **named)

    seen = [revision()]
    add()
    seen.append(revision())
    assert world.do("GetPolicy", FunctionName="worker")["RevisionId"] == seen[-1]
    world.do("TagResource", Resource=ARN, Tags={"a": "1"})
    seen.append(revision())
    version = world.do("PublishVersion", FunctionName="worker")["RevisionId"]
    seen += [version, revision()]
    add(Qualifier="1")
    assert (revision(), revision(Qualifier="1") != version) == (seen[-1], True)
    alias = world.do("CreateAlias", FunctionName="worker", Name="live", FunctionVersion="1")["RevisionId"]
    add(Qualifier="live", RevisionId=alias)
    assert world.do("GetAlias", FunctionName="worker", Name="live")["RevisionId"] != alias
    assert len(set(seen)) == len(seen)


def test_tags_belong_to_the_function(world: FakeWorld) -> None:
    world.do("TagResource", Resource=ARN, Tags={"a": "1", "b": "2"})
    world.do("UntagResource", Resource=ARN, TagKeys=["a"])
    assert world.do("ListTags", Resource=ARN) == {"Tags": {"b": "2"}}
    with pytest.raises(ServiceError, match="aliases and versions are not supported"):
        world.do("ListTags", Resource=f"{ARN}:1")


def test_a_layer_is_versioned_and_used(world: FakeWorld) -> None:
    published = world.do("PublishLayerVersion", LayerName="deps", Content={"ZipFile": zipped()})
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:deps"
    assert (published["LayerVersionArn"], published["Version"]) == (f"{layer}:1", 1)
    other = world.do("PublishLayerVersion", LayerName="deps", Content={"ZipFile": zipped("x = 1\n")})
    changed = world.do("UpdateFunctionConfiguration", FunctionName="worker", Layers=[f"{layer}:1"])
    assert changed["Layers"] == [{"Arn": f"{layer}:1", "CodeSize": len(zipped())}]
    world.do("Invoke", FunctionName="worker")
    spec = world.functions.functions["worker"].latest.spec
    assert spec is not None
    assert [package.size for package in spec.layers] == [len(zipped())]
    with pytest.raises(ServiceError, match="Two different versions of the same layer"):
        world.do(
            "UpdateFunctionConfiguration",
            FunctionName="worker",
            Layers=[f"{layer}:1", other["LayerVersionArn"]],
        )
    assert world.do("ListLayers")["Layers"][0]["LatestMatchingVersion"]["Version"] == 2
    world.do("DeleteLayerVersion", LayerName="deps", VersionNumber=1)
    assert [each["Version"] for each in world.do("ListLayerVersions", LayerName="deps")["LayerVersions"]] == [
        2
    ]
    with pytest.raises(ServiceError, match="does not exist"):
        world.do("GetLayerVersion", LayerName="deps", VersionNumber=1)


@pytest.mark.parametrize(
    ("layer", "instead"),
    [
        ("027255383542:layer:AWS-AppConfig-Extension", "call appconfigdata"),
        (
            "177933569100:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64",
            "call ssm and secretsmanager",
        ),
        ("111122223333:layer:deps", "publish it as a layer of your own"),
    ],
)
def test_a_layer_of_another_account_is_not_here(layer: str, instead: str, world: FakeWorld) -> None:
    layers = [f"arn:aws:lambda:us-east-1:{layer}:1"]
    with pytest.raises(NotSimulated, match=f"{layer}:1 of another account - .*{instead}"):
        world.do("UpdateFunctionConfiguration", FunctionName="worker", Layers=layers)


def test_event_source_mappings_are_answered_by_the_sources(world: FakeWorld) -> None:
    class Sources:
        def ListEventSourceMappings(self, call: Any) -> dict[str, Any]:
            return {"EventSourceMappings": [call.params["FunctionName"]]}

    world.sources = Sources()  # type: ignore[attr-defined]
    assert world.do("ListEventSourceMappings", FunctionName="worker") == {"EventSourceMappings": ["worker"]}


def test_an_operation_that_is_not_answered_says_so(world: FakeWorld) -> None:
    with pytest.raises(NotSimulated, match="lambda:CreateCodeSigningConfig"):
        world.do("CreateCodeSigningConfig", AllowedPublishers={})
