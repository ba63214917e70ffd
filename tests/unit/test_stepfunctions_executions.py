"""Executions in virtual time: time-outs, retries, branches, callbacks, nested executions, redrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.access.permissions import needed
from infra.cloud.local.routes.http import HttpRequest, HttpResponse

from .stepfunctions_world import FUNCTION, QUEUE, StepFunctionsWorld

TOKEN = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": QUEUE, "MessageBody": {"token.$": "$$.Task.Token"}},
    "End": True,
}


@pytest.fixture
def cloud() -> Iterator[StepFunctionsWorld]:
    opened = StepFunctionsWorld()
    yield opened
    opened.close()


def test_a_year_of_waiting_passes_at_once(cloud: StepFunctionsWorld) -> None:
    shown = cloud.run({"Wait": {"Type": "Wait", "Seconds": 300 * 86_400, "End": True}}, {"a": 1})
    assert (shown["status"], shown["seconds"], shown["output"]) == ("SUCCEEDED", 300 * 86_400, {"a": 1})


def test_an_execution_ends_after_a_year_and_settle_does_not_wait_for_it(cloud: StepFunctionsWorld) -> None:
    arn = cloud.start({"Ask": TOKEN})
    cloud.kernel.settle()
    assert cloud.describe(arn)["status"] == "RUNNING"
    cloud.advance(366 * 86_400)
    assert cloud.describe(arn)["status"] == "TIMED_OUT"


def test_retries_back_off(cloud: StepFunctionsWorld) -> None:
    retry = {"ErrorEquals": ["Declined"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxDelaySeconds": 50}
    task = {"Type": "Task", "Resource": FUNCTION, "Retry": [{**retry, "MaxAttempts": 4}], "End": True}
    shown = cloud.run({"Work": task}, {"fail": 3})
    assert (shown["status"], shown["output"]["call"]) == ("SUCCEEDED", 4)
    assert 90 <= shown["seconds"] <= 92  # 10 + 30 + 50, and the function


def test_a_state_times_out_and_the_function_goes_on(cloud: StepFunctionsWorld) -> None:
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    task = {"Type": "Task", "Resource": FUNCTION, "TimeoutSeconds": 5, "Catch": catch, "End": True}
    shown = cloud.run({"Work": task, "Late": {"Type": "Pass", "End": True}}, {"sleep": 20})
    assert (shown["output"], shown["seconds"]) == ({"Error": "States.Timeout", "Cause": ""}, 5)
    (invocation,) = [entry for entry in cloud.world.journal.entries if entry.what == "lambda.invocation"]
    assert invocation.outcome == "ok"


def test_a_machine_times_out(cloud: StepFunctionsWorld) -> None:
    definition = {
        "StartAt": "Wait",
        "TimeoutSeconds": 7,
        "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}},
    }
    arn = cloud.start(definition)
    cloud.kernel.settle()
    assert (cloud.describe(arn)["status"], cloud.describe(arn)["seconds"]) == ("TIMED_OUT", 7)
    assert cloud.types(arn) == ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]


def test_a_failing_branch_ends_the_others(cloud: StepFunctionsWorld) -> None:
    branches = [
        {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Bad", "Cause": "no"}}},
        {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 900, "End": True}}},
    ]
    shown = cloud.run({"Both": {"Type": "Parallel", "Branches": branches, "End": True}})
    assert (shown["status"], shown["error"], shown["cause"], shown["seconds"]) == ("FAILED", "Bad", "no", 0)


def test_a_map_of_many_items_one_by_one(cloud: StepFunctionsWorld) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}},
    }
    each = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1, "End": True}
    shown = cloud.run({"Each": each}, list(range(150)))
    assert shown["output"] == list(range(150))
    assert 150 <= shown["seconds"] <= 165


def test_a_callback_with_heartbeats(cloud: StepFunctionsWorld) -> None:
    arn = cloud.start({"Ask": {**TOKEN, "HeartbeatSeconds": 30}})
    cloud.advance(10)
    token = cloud.message()["token"]
    cloud.advance(15)
    cloud.api.send_task_heartbeat(taskToken=token)
    cloud.advance(25)
    assert cloud.describe(arn)["status"] == "RUNNING"
    with pytest.raises(ClientError, match="Invalid Output"):
        cloud.api.send_task_success(taskToken=token, output="{")
    cloud.api.send_task_success(taskToken=token, output='{"paid": true}')
    cloud.kernel.settle()
    assert cloud.describe(arn)["output"] == {"paid": True}
    with pytest.raises(ClientError, match="Provided task does not exist anymore"):
        cloud.api.send_task_success(taskToken=token, output="1")
    with pytest.raises(ClientError, match="Invalid Token: 'Invalid token'"):
        cloud.api.send_task_heartbeat(taskToken="made up")


def test_a_callback_that_never_comes(cloud: StepFunctionsWorld) -> None:
    catch = [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent"}]
    states = {
        "Ask": {**TOKEN, "HeartbeatSeconds": 30, "Catch": catch},
        "Silent": {"Type": "Pass", "End": True},
    }
    shown = cloud.run(states)
    assert (shown["output"]["Error"], shown["seconds"]) == ("States.Timeout", 30)


def test_a_callback_that_fails(cloud: StepFunctionsWorld) -> None:
    arn = cloud.start({"Ask": TOKEN})
    cloud.advance(1)
    cloud.api.send_task_failure(taskToken=cloud.message()["token"], error="Rejected", cause="by ada")
    cloud.kernel.settle()
    shown = cloud.describe(arn)
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Rejected", "by ada")


@pytest.mark.parametrize("suffix", [".sync", ".sync:2"])
def test_nested_executions(cloud: StepFunctionsWorld, suffix: str) -> None:
    child = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 100, "End": True}}, name="child")
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{suffix}",
        "Parameters": {"StateMachineArn": child, "Input": {"n": 1}},
        "End": True,
    }
    shown = cloud.run({"Nested": task})
    assert shown["seconds"] == 100
    assert shown["output"]["Output"] == ({"n": 1} if suffix.endswith("2") else '{"n":1}')
    assert shown["output"]["OutputDetails"] == {"Included": True}
    arn = cloud.start({"Nested": task})
    cloud.advance(10)
    cloud.api.stop_execution(executionArn=arn)
    cloud.kernel.settle()
    listed = cloud.api.list_executions(stateMachineArn=child)["executions"]
    assert [execution["status"] for execution in listed] == ["ABORTED", "SUCCEEDED"]


def test_the_role_must_be_allowed() -> None:
    cloud = StepFunctionsWorld(actions=("sqs:SendMessage",))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": FUNCTION},
        "End": True,
    }
    shown = cloud.run({"Work": task})
    assert (shown["status"], shown["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction" in shown["cause"]
    cloud.close()


def test_who_answers_a_token_must_be_allowed_for_its_state_machine(cloud: StepFunctionsWorld) -> None:
    machine = cloud.describe(cloud.start({"Ask": TOKEN}))["stateMachineArn"]
    cloud.advance(1)
    params = {"taskToken": cloud.message()["token"], "output": "1"}
    directory: Any = None  # a task token needs none
    found = needed("stepfunctions", "SendTaskSuccess", params, "us-east-1", "1", directory)
    assert found == [("states:SendTaskSuccess", machine)]


def test_failed_entries_of_put_events(cloud: StepFunctionsWorld) -> None:
    entry = {"Source": "aws.s3", "DetailType": "x", "Detail": {"a": 1}}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Parameters": {"Entries": [entry]},
        "End": True,
    }
    shown = cloud.run({"Put": task})
    assert shown["error"] == "EventBridge.FailedEntry"
    assert json.loads(shown["cause"])["FailedEntryCount"] == 1


def test_a_task_calls_an_http_endpoint_with_a_connection(cloud: StepFunctionsWorld) -> None:
    seen: list[HttpRequest] = []

    def shop(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        if request.url.endswith("/busy"):
            return HttpResponse(503, "later")
        return HttpResponse(200, '{"price": 7}', {"Content-Type": "application/json"})

    cloud.world.http.register("shop.example", shop)
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}}
    connection = cloud.world.client("events").create_connection(
        Name="shop", AuthorizationType="API_KEY", AuthParameters=key
    )["ConnectionArn"]

    def call(path: str) -> dict[str, Any]:
        parameters = {
            "ApiEndpoint": f"https://shop.example/{path}",
            "Method": "POST",
            "Authentication": {"ConnectionArn": connection},
            "RequestBody": {"n": 1},
        }
        task = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters}
        return cloud.run({"Call": {**task, "End": True}})

    assert call("price")["output"] == {
        "Headers": {"content-type": ["application/json"]},
        "ResponseBody": {"price": 7},
        "StatusCode": 200,
        "StatusText": "OK",
    }
    assert (seen[0].body, seen[0].headers["x-key"]) == ('{"n":1}', "secret")
    assert call("busy")["error"] == "States.Http.StatusCode.503"


def test_errors_of_integrations(cloud: StepFunctionsWorld) -> None:
    def error(resource: str, **parameters: Any) -> str:
        task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
        return str(cloud.run({"Work": task})["error"])

    gone = QUEUE + "-gone"
    sdk = "arn:aws:states:::aws-sdk:"
    assert error(f"{sdk}sqs:sendMessage", QueueUrl=gone, MessageBody="x") == "Sqs.QueueDoesNotExistException"
    assert error(f"{sdk}dynamodb:getItem", TableName="no", Key={"a": {"S": "b"}}) == (
        "DynamoDb.ResourceNotFoundException"
    )
    assert error(f"{sdk}dynamodb:putItem", TableName="no") == "DynamoDb.DynamoDbException"
    put = {"TableName": "no", "Item": {"a": {"S": "b"}}}
    assert error("arn:aws:states:::dynamodb:putItem", **put) == "DynamoDB.ResourceNotFoundException"
    assert (
        error("arn:aws:states:::sqs:sendMessage", QueueUrl=QUEUE, MessageBody=None)
        == "SQS.AmazonSQSException"
    )
    nobody = "arn:aws:states:us-east-1:123456789012:stateMachine:nobody"
    assert error("arn:aws:states:::states:startExecution", StateMachineArn=nobody) == (
        "StepFunctions.StateMachineDoesNotExistException"
    )


def test_redrive_goes_on_at_the_state_that_failed(cloud: StepFunctionsWorld) -> None:
    states = {
        "First": {"Type": "Pass", "Result": {"fail": 1}, "Next": "Work"},
        "Work": {"Type": "Task", "Resource": FUNCTION, "End": True},
    }
    arn = cloud.start(states)
    cloud.kernel.settle()
    shown = cloud.describe(arn)
    assert (shown["status"], shown["error"], shown["redriveStatus"]) == ("FAILED", "Declined", "REDRIVABLE")
    cloud.api.redrive_execution(executionArn=arn)
    cloud.kernel.settle()
    shown = cloud.describe(arn)
    assert (shown["status"], shown["redriveCount"], shown["output"]["call"]) == ("SUCCEEDED", 1, 2)
    assert cloud.types(arn)[4:] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "ExecutionFailed",
        "ExecutionRedriven",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    with pytest.raises(ClientError, match="Execution is SUCCEEDED and cannot be redriven"):
        cloud.api.redrive_execution(executionArn=arn)


def test_an_activity(cloud: StepFunctionsWorld) -> None:
    activity = cloud.api.create_activity(name="pack")["activityArn"]
    arn = cloud.start({"Pack": {"Type": "Task", "Resource": activity, "End": True}}, {"box": 1})
    task = cloud.api.get_activity_task(activityArn=activity, workerName="eve")
    assert task["input"] == '{"box":1}'
    cloud.api.send_task_success(taskToken=task["taskToken"], output='{"packed": 1}')
    cloud.kernel.settle()
    assert cloud.describe(arn)["output"] == {"packed": 1}
    before = cloud.kernel.now
    assert "taskToken" not in cloud.api.get_activity_task(activityArn=activity)
    assert 60 <= (cloud.kernel.now - before) / 1_000_000 < 61


def test_an_express_workflow(cloud: StepFunctionsWorld) -> None:
    arn = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}, kind="EXPRESS")
    shown = cloud.api.start_sync_execution(stateMachineArn=arn, input='{"a": 1}')
    assert (shown["status"], shown["output"]) == ("SUCCEEDED", '{"a":1}')
    assert shown["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 2100}
    long = cloud.machine({"Wait": {"Type": "Wait", "Seconds": 301, "End": True}}, kind="EXPRESS")
    assert cloud.api.start_sync_execution(stateMachineArn=long)["status"] == "TIMED_OUT"
    started = cloud.api.start_execution(stateMachineArn=arn)["executionArn"]
    for call in ("describe_execution", "get_execution_history", "stop_execution"):
        with pytest.raises(ClientError, match="Resource type not valid in this context: express"):
            getattr(cloud.api, call)(executionArn=started)


def test_what_happened_is_in_the_journal_and_one_trace_spans_it(cloud: StepFunctionsWorld) -> None:
    cloud.run({"Work": {"Type": "Task", "Resource": FUNCTION, "End": True}})
    entries = [entry for entry in cloud.world.journal.entries if entry.what.startswith("states.")]
    assert [entry.what for entry in entries] == [
        "states.started",
        "states.task",
        "states.state",
        "states.execution",
    ]
    (invocation,) = [entry for entry in cloud.world.journal.entries if entry.what == "lambda.invocation"]
    assert {entry.trace for entry in entries} == {invocation.trace}
    assert entries[1].resource == FUNCTION
    assert entries[2].data["state"] == "Work"


def test_the_same_seed_gives_the_same_journal() -> None:
    def journal() -> str:
        cloud = StepFunctionsWorld(seed=7)
        retry = [{"ErrorEquals": ["Declined"], "IntervalSeconds": 9, "JitterStrategy": "FULL"}]
        cloud.run(
            {
                "Work": {"Type": "Task", "Resource": FUNCTION, "Retry": retry, "Next": "Id"},
                "Id": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, "End": True},
            },
            {"fail": 2},
        )
        shown = json.dumps([entry.as_tuple() for entry in cloud.world.journal.entries])
        cloud.close()
        return shown

    assert journal() == journal()


def test_closing_leaves_the_interpreter_as_it_was() -> None:
    import threading

    from moto.stepfunctions.parser.asl.component.program import program

    cloud = StepFunctionsWorld()
    before = program.Program.eval
    cloud.run({"Pass": {"Type": "Pass", "End": True}})
    assert program.threading is not threading
    cloud.close()
    assert program.threading is threading
    assert program.Program.eval is before
