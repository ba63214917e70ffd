"""Integrations with AWS services: the parameters of each subtype, and the call that they make.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from .model import Shown, bad

Made = tuple[str, str, dict[str, Any]]
"""boto3's service name, the operation, its parameters."""


@dataclasses.dataclass(frozen=True, slots=True)
class Subtype:
    required: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[[dict[str, str]], Made]


class BadParameters(ValueError):
    """The service would not take these parameters."""


def _send_message(given: dict[str, str]) -> Made:
    params: dict[str, Any] = {"QueueUrl": given["QueueUrl"], "MessageBody": given["MessageBody"]}
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if name in given:
            params[name] = given[name]
    if "DelaySeconds" in given:
        params["DelaySeconds"] = _number(given["DelaySeconds"])
    if "MessageAttributes" in given:
        params["MessageAttributes"] = _json(given["MessageAttributes"])
    return "sqs", "SendMessage", params


def _put_events(given: dict[str, str]) -> Made:
    entry: dict[str, Any] = {name: given[name] for name in ("Detail", "DetailType", "Source")}
    if "EventBusName" in given:
        entry["EventBusName"] = given["EventBusName"]
    if "Resources" in given:
        entry["Resources"] = _json(given["Resources"])
    return "events", "PutEvents", {"Entries": [entry]}


def _put_record(given: dict[str, str]) -> Made:
    """``Data`` goes into Kinesis's JSON as it is: base64 text (recorded from AWS)."""
    try:
        data = base64.b64decode(given["Data"], validate=True)
    except (binascii.Error, ValueError):
        raise BadParameters("Data is not base64") from None
    params: dict[str, Any] = {
        "StreamName": given["StreamName"], "Data": data, "PartitionKey": given["PartitionKey"],
    }  # fmt: skip
    for name in ("ExplicitHashKey", "SequenceNumberForOrdering"):
        if name in given:
            params[name] = given[name]
    return "kinesis", "PutRecord", params


def _execution(operation: str) -> Callable[[dict[str, str]], Made]:
    def make(given: dict[str, str]) -> Made:
        params = {"stateMachineArn": given["StateMachineArn"]}
        if "Name" in given:
            params["name"] = given["Name"]
        if "Input" in given:
            params["input"] = given["Input"]
        return "stepfunctions", operation, params

    return make


def _stop_execution(given: dict[str, str]) -> Made:
    names = {"ExecutionArn": "executionArn", "Cause": "cause", "Error": "error"}
    return "stepfunctions", "StopExecution", {names[name]: given[name] for name in names if name in given}


SUBTYPES: dict[str, Subtype] = {
    "EventBridge-PutEvents": Subtype(
        ("Detail", "DetailType", "Source"), ("EventBusName", "Region", "Resources"), _put_events
    ),
    "Kinesis-PutRecord": Subtype(
        ("Data", "PartitionKey", "StreamName"),
        ("ExplicitHashKey", "Region", "SequenceNumberForOrdering"),
        _put_record,
    ),
    "SQS-SendMessage": Subtype(
        ("MessageBody", "QueueUrl"),
        ("DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "Region"),
        _send_message,
    ),
    "StepFunctions-StartExecution": Subtype(
        ("StateMachineArn",), ("Input", "Name", "Region"), _execution("StartExecution")
    ),
    "StepFunctions-StartSyncExecution": Subtype(
        ("StateMachineArn",), ("Input", "Name", "Region"), _execution("StartSyncExecution")
    ),
    "StepFunctions-StopExecution": Subtype(("ExecutionArn",), ("Cause", "Error", "Region"), _stop_execution),
}


def check_subtype(given: Shown) -> None:
    """Has the integration the parameters and the role that its subtype needs?"""
    name = given["IntegrationSubtype"]
    subtype, parameters = SUBTYPES[name], given.get("RequestParameters") or {}
    if given["PayloadFormatVersion"] != "1.0":
        raise bad(f"Integrations of subtype {name} only support payload format version 1.0")
    if not given.get("CredentialsArn"):
        raise bad("Credentials ARN is required for AWS integrations")
    for each in subtype.required:
        if each not in parameters:
            raise bad(f"{each} is a required parameter for {name}")
    for each in parameters:
        if each not in (*subtype.required, *subtype.optional):
            raise bad(f"Parameter: {each} does not fit schema for Operation: {name}.")


_SENT = ("MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes", "SequenceNumber")
"""What SQS answers to SendMessage, in its order."""


def answered(service: str, operation: str, result: dict[str, Any], request_id: str) -> tuple[str, str]:
    """(content type, body) as the service itself answers: SQS in XML, the others in JSON."""
    if service == "sqs":
        shown = [name for name in _SENT if name in result]
        fields = "".join(f"<{name}>{result[name]}</{name}>" for name in shown)
        return "text/xml", (
            f'<?xml version="1.0"?><{operation}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
            f"<{operation}Result>{fields}</{operation}Result><ResponseMetadata><RequestId>{request_id}"
            f"</RequestId></ResponseMetadata></{operation}Response>"
        )
    kind = {"events": "application/x-amz-json-1.1", "kinesis": "application/x-amz-json-1.1"}
    text = json.dumps(result, separators=(",", ":"), default=lambda moment: moment.timestamp())
    return kind.get(service, "application/x-amz-json-1.0"), text


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadParameters(f"{text!r} is no number") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise BadParameters(f"{text!r} is no JSON") from None
