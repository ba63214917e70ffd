"""What ``cloud.story`` tells of a state machine: its states, attempts that failed, and how it ended."""

from __future__ import annotations

import json

from infra.cloud import connect

DEFINITION = {
    "StartAt": "Look",
    "States": {
        "Look": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl",
            "Parameters": {"QueueName": "nobody"},
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Failed"}],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "NoQueue"},
    },
}


def test_an_execution_that_fails_is_told_state_by_state() -> None:
    with connect("local") as cloud:
        iam, machines = cloud.client("iam"), cloud.client("stepfunctions")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.create_role(
            RoleName="machine",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        may = {"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "*"}
        iam.put_role_policy(
            RoleName="machine",
            PolicyName="may",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]}),
        )
        arn = machines.create_state_machine(name="finder", definition=json.dumps(DEFINITION), roleArn=role)
        started = cloud.elapsed
        machines.start_execution(stateMachineArn=arn["stateMachineArn"], name="one")
        cloud.settle()
        steps = [step for step in cloud.story(started) if step.kind == "state"]
    assert {step.who for step in steps} == {"finder"}
    told = [step.what.partition(" after ")[0] for step in steps]
    assert told == [
        "starts the execution one",
        "one: enters Look",
        "one: an attempt fails with Sqs.QueueDoesNotExistException",
        "one: enters Failed",
        "one: ends FAILED with NoQueue",
    ]
    assert [step.ok for step in steps] == [True, True, False, True, False]


def test_what_services_tell_a_bus_to_which_nobody_listens_is_not_told() -> None:
    with connect("local") as cloud:
        machines = cloud.client("stepfunctions")
        cloud.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        machine = machines.create_state_machine(
            name="done", definition=definition, roleArn="arn:aws:iam::123456789012:role/machine"
        )
        machines.start_execution(stateMachineArn=machine["stateMachineArn"], name="one")
        cloud.settle()
        assert {step.who for step in cloud.story()} == {"done"}
