"""State machines through the API: versions, aliases, names, pages, logs, events, metrics, templates."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .stepfunctions_world import FUNCTION, StepFunctionsWorld


@pytest.fixture
def cloud() -> Iterator[StepFunctionsWorld]:
    opened = StepFunctionsWorld()
    yield opened
    opened.close()


def passing(result: Any) -> dict[str, Any]:
    return {"Pass": {"Type": "Pass", "Result": result, "End": True}}


def definition(result: Any) -> str:
    return json.dumps({"StartAt": "Pass", "States": passing(result)})


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**params)
    shown = error.value.response["Error"]
    return shown["Code"], shown["Message"]


def test_creating_twice(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine(passing(1), name="orders")
    assert cloud.machine(passing(1), name="orders") == arn
    params = {"name": "orders", "definition": definition(2), "roleArn": cloud.role}
    assert refusal(cloud.api.create_state_machine, **params) == (
        "StateMachineAlreadyExists",
        f"State Machine Already Exists: '{arn}'",
    )


def test_a_running_execution_keeps_its_revision(cloud: StepFunctionsWorld) -> None:
    wait = {"Wait": {"Type": "Wait", "Seconds": 60, "Next": "Pass"}, **passing("old")}
    arn = cloud.machine(wait, name="orders")
    execution = cloud.api.start_execution(stateMachineArn=arn)["executionArn"]
    cloud.advance(10)
    cloud.api.update_state_machine(stateMachineArn=arn, definition=definition("new"))
    cloud.kernel.settle()
    assert cloud.describe(execution)["output"] == "old"
    shown = cloud.api.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(shown["definition"])["StartAt"] == "Wait"


def test_deleting_ends_what_runs_at_its_next_transition(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 60, "Next": "Pass"}, **passing(1)})
    execution = cloud.api.start_execution(stateMachineArn=arn)["executionArn"]
    cloud.advance(10)
    cloud.api.delete_state_machine(stateMachineArn=arn)
    assert cloud.describe(execution)["status"] == "RUNNING"
    cloud.kernel.settle()
    shown = cloud.describe(execution)
    assert (shown["status"], shown["seconds"]) == ("ABORTED", 60)
    assert refusal(cloud.api.list_executions, stateMachineArn=arn)[0] == "StateMachineDoesNotExist"


def test_versions_and_aliases(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine(passing(1), name="orders", publish=True)
    cloud.api.update_state_machine(stateMachineArn=arn, definition=definition(2))
    second = cloud.api.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"]
    assert second == f"{arn}:2"
    routing = [{"stateMachineVersionArn": f"{arn}:{n}", "weight": 50} for n in (1, 2)]
    alias = cloud.api.create_state_machine_alias(name="prod", routingConfiguration=routing)
    outputs = []
    for _ in range(20):
        started = cloud.api.start_execution(stateMachineArn=alias["stateMachineAliasArn"])
        cloud.kernel.settle()
        outputs.append(cloud.describe(started["executionArn"])["output"])
    assert sorted(dict.fromkeys(outputs)) == [1, 2]
    shown = cloud.describe(started["executionArn"])
    assert shown["stateMachineAliasArn"] == f"{arn}:prod"
    listed = cloud.api.list_executions(stateMachineArn=f"{arn}:2")["executions"]
    assert len(listed) == outputs.count(2)
    assert refusal(cloud.api.delete_state_machine_version, stateMachineVersionArn=second) == (
        "ConflictException",
        "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this "
        "version: [prod]",
    )
    uneven = [{"stateMachineVersionArn": second, "weight": 60}]
    assert refusal(cloud.api.create_state_machine_alias, name="x", routingConfiguration=uneven) == (
        "ValidationException",
        "Sum of routing configuration weights must equal 100. Received: [60]",
    )


def test_names_of_executions(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 60, "End": True}})
    start = cloud.api.start_execution
    first = start(stateMachineArn=arn, name="one", input="{}")
    again = start(stateMachineArn=arn, name="one", input="{}")
    assert again["executionArn"] == first["executionArn"]
    taken = f"Execution Already Exists: '{first['executionArn']}'"
    assert refusal(start, stateMachineArn=arn, name="one", input="[]") == ("ExecutionAlreadyExists", taken)
    cloud.kernel.settle()
    assert refusal(start, stateMachineArn=arn, name="one", input="{}") == ("ExecutionAlreadyExists", taken)
    cloud.advance(91 * 86_400)
    start(stateMachineArn=arn, name="one", input="{}")
    assert refusal(start, stateMachineArn=arn, name="a b") == ("InvalidName", "Invalid Name: 'a b'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Invalid execution input."),
        (
            "not",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', "
            "'true' or 'false')",
        ),
        ("{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
    ],
)
def test_input_that_is_not_json(cloud: StepFunctionsWorld, text: str, said: str) -> None:
    """Texts recorded from AWS (LocalStack's test_sfn_api.snapshot.json)."""
    arn = cloud.machine(passing(1))
    assert refusal(cloud.api.start_execution, stateMachineArn=arn, input=text) == (
        "InvalidExecutionInput",
        f"Invalid State Machine Execution Input: '{said}'",
    )


def test_pages_and_filters(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 60, "End": True}})
    for n in range(5):
        cloud.api.start_execution(stateMachineArn=arn, name=f"e{n}")
    cloud.api.stop_execution(executionArn=f"{arn.replace('stateMachine', 'execution')}:e3")
    first = cloud.api.list_executions(stateMachineArn=arn, maxResults=2)
    second = cloud.api.list_executions(stateMachineArn=arn, maxResults=2, nextToken=first["nextToken"])
    assert [each["name"] for each in first["executions"] + second["executions"]] == ["e4", "e3", "e2", "e1"]
    running = cloud.api.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
    assert [each["name"] for each in running] == ["e4", "e2", "e1", "e0"]
    assert refusal(cloud.api.list_executions, stateMachineArn=arn, nextToken="x")[0] == "InvalidToken"


def test_history_with_and_without_data(cloud: StepFunctionsWorld) -> None:
    arn = cloud.start(passing(1), {"a": 1})
    cloud.kernel.settle()
    history = cloud.api.get_execution_history(executionArn=arn, reverseOrder=True)["events"]
    assert [event["id"] for event in history] == [4, 3, 2, 1]
    bare = cloud.api.get_execution_history(executionArn=arn, includeExecutionData=False)["events"]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "Pass"}
    assert bare[0]["executionStartedEventDetails"] == {"roleArn": cloud.role}


def test_a_history_of_25000_events_ends_the_execution(cloud: StepFunctionsWorld, monkeypatch: Any) -> None:
    from infra.cloud.local.routes.stepfunctions import history

    monkeypatch.setattr(history, "LIMIT", 100)
    choice = {"Variable": "$.stop", "IsPresent": True, "Next": "End"}
    loop = {
        "Again": {"Type": "Choice", "Choices": [choice], "Default": "Work"},
        "Work": {"Type": "Pass", "Next": "Again"},
        "End": {"Type": "Succeed"},
    }
    arn = cloud.start(loop)
    cloud.kernel.settle()
    assert cloud.describe(arn)["status"] == "FAILED"
    assert "maximum number of history events" in cloud.describe(arn)["cause"]
    assert cloud.events(arn)[-1]["id"] == 100


def test_logs_by_level(cloud: StepFunctionsWorld) -> None:
    arns = {}
    for level in ("ALL", "ERROR"):
        cloud.world.client("logs").create_log_group(logGroupName=f"/states/{level}")
        group = f"arn:aws:logs:us-east-1:123456789012:log-group:/states/{level}:*"
        logging = {
            "level": level,
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
        }
        failing = {"Fail": {"Type": "Fail", "Error": "Bad"}}
        arns[level] = cloud.machine(failing, kind="EXPRESS", loggingConfiguration=logging)
        cloud.api.start_sync_execution(stateMachineArn=arns[level])
    lines = [json.loads(line) for line in cloud.world.logs.lines("/states/ALL")]
    assert [line["type"] for line in lines] == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]
    assert lines[0]["details"] == {"roleArn": cloud.role}
    assert lines[2]["previous_event_id"] == "2"
    lines = [json.loads(line) for line in cloud.world.logs.lines("/states/ERROR")]
    assert [line["type"] for line in lines] == ["FailStateEntered", "ExecutionFailed"]
    bad = {"level": "ALL"}
    params = {"name": "x", "definition": definition(1), "roleArn": cloud.role, "loggingConfiguration": bad}
    assert refusal(cloud.api.create_state_machine, **params) == (
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    )
    gone = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:gone:*"}}
    params["loggingConfiguration"] = {"level": "ALL", "destinations": [gone]}
    assert refusal(cloud.api.create_state_machine, **params) == (
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Log Destination not found.",
    )


def test_express_as_recorded(cloud: StepFunctionsWorld) -> None:
    """LocalStack's recordings of AWS: v2/test_sfn_api_express and express/test_express_sync."""
    failing = cloud.machine({"Fail": {"Type": "Fail", "Error": "Bad"}}, kind="EXPRESS")
    answer = cloud.api.start_sync_execution(stateMachineArn=failing)
    assert (answer["status"], answer["outputDetails"]) == ("FAILED", {"included": True})
    told = {"A": {"Type": "Pass", "Parameters": {"told.$": "$$.Execution"}, "End": True}}
    answer = cloud.api.start_sync_execution(stateMachineArn=cloud.machine(told, kind="EXPRESS"))
    assert sorted(json.loads(answer["output"])["told"]) == ["Id", "Input", "Name", "RoleArn", "StartTime"]


def test_changes_of_status_are_events_on_the_bus(cloud: StepFunctionsWorld) -> None:
    events, queue = cloud.world.client("events"), "arn:aws:sqs:us-east-1:123456789012:jobs"
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"]}}
    events.put_rule(Name="failed", EventPattern=json.dumps(pattern))
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    cloud.sqs.set_queue_attributes(
        QueueUrl=cloud.sqs.get_queue_url(QueueName="jobs")["QueueUrl"],
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})},
    )
    events.put_targets(Rule="failed", Targets=[{"Id": "1", "Arn": queue}])
    arn = cloud.start({"Fail": {"Type": "Fail", "Error": "Bad", "Cause": "no"}}, {"n": 1})
    cloud.kernel.settle()
    event = cloud.message()
    assert (event["detail-type"], event["resources"]) == ("Step Functions Execution Status Change", [arn])
    detail = event["detail"]
    assert (detail["executionArn"], detail["error"], detail["input"]) == (arn, "Bad", '{"n": 1}')
    assert detail["stopDate"] >= detail["startDate"] > 1_767_000_000_000


def test_metrics(cloud: StepFunctionsWorld) -> None:
    machine = cloud.machine({"Work": {"Type": "Task", "Resource": FUNCTION, "End": True}})
    for value in ({}, {"fail": 9}):
        cloud.api.start_execution(stateMachineArn=machine, input=json.dumps(value))
        cloud.kernel.settle()

    def total(name: str, dimension: str, value: str) -> float:
        start = cloud.world.datetime() - datetime.timedelta(hours=1)
        points = cloud.world.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName=name,
            Dimensions=[{"Name": dimension, "Value": value}],
            StartTime=start,
            EndTime=start + datetime.timedelta(hours=2),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    counted = {
        name: total(name, "StateMachineArn", machine)
        for name in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
    }
    assert list(counted.values()) == [2, 1, 1, 0]
    assert total("LambdaFunctionsFailed", "LambdaFunctionArn", FUNCTION) == 1
    assert total("LambdaFunctionsScheduled", "LambdaFunctionArn", FUNCTION) == 2
    assert total("ExecutionTime", "StateMachineArn", machine) > 0


def test_templates(cloud: StepFunctionsWorld) -> None:
    cloudformation = cloud.world.client("cloudformation")

    def template(result: str) -> str:
        machine = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": cloud.role,
                "Definition": {
                    "StartAt": "Pass",
                    "States": {"Pass": {"Type": "Pass", "Result": "${Result}", "End": True}},
                },
                "DefinitionSubstitutions": {"Result": result},
                "Tags": [{"Key": "team", "Value": "parcel"}],
            },
        }
        version = {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        }
        routing = [{"StateMachineVersionArn": {"Ref": "Version"}, "Weight": 100}]
        return json.dumps(
            {
                "Resources": {
                    "Machine": machine,
                    "Version": version,
                    "Alias": {
                        "Type": "AWS::StepFunctions::StateMachineAlias",
                        "Properties": {"Name": "live", "RoutingConfiguration": routing},
                    },
                    "Pack": {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": "pack"}},
                },
                "Outputs": {"Alias": {"Value": {"Ref": "Alias"}}, "Machine": {"Value": {"Ref": "Machine"}}},
            }
        )

    def outputs() -> dict[str, str]:
        (stack,) = cloudformation.describe_stacks(StackName="app")["Stacks"]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def result() -> Any:
        arn = cloud.api.start_execution(stateMachineArn=outputs()["Alias"])["executionArn"]
        cloud.kernel.settle()
        return cloud.describe(arn)["output"]

    cloudformation.create_stack(StackName="app", TemplateBody=template("one"))
    cloud.kernel.settle()
    assert result() == "one"
    cloudformation.update_stack(StackName="app", TemplateBody=template("two"))
    cloud.kernel.settle()
    assert result() == "two"
    machine = outputs()["Machine"]
    assert cloud.api.list_tags_for_resource(resourceArn=machine)["tags"] == [
        {"key": "team", "value": "parcel"}
    ]
    cloudformation.delete_stack(StackName="app")
    cloud.kernel.settle()
    assert cloud.api.list_state_machines()["stateMachines"] == []
    assert cloud.api.list_activities()["activities"] == []
