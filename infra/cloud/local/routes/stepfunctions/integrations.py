"""Service integrations: the interpreter's tasks call services as the state machine's role.

Optimized integrations (``lambda:invoke``, ``sqs:sendMessage`` …) name their errors as the Java SDK 1 did and
add its metadata to the answer; ``aws-sdk`` ones name them as the Java SDK 2 does.
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import botocore.validate
from botocore.exceptions import UnknownServiceError

from ...service import Caller, NotSimulated, ServiceError

if TYPE_CHECKING:
    from ...world import World

SDK_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
}
"""What Step Functions calls a service, where boto3 calls it otherwise."""

_SHOWN = {
    "apigateway": "ApiGateway",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "ec2": "Ec2",
    "eventbridge": "EventBridge",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
}
"""The names of services in errors of ``aws-sdk`` tasks, where not the name with a capital letter."""

_OPTIMIZED = {
    "lambda": ("Lambda", "AWSLambda", "AWSLambdaException"),
    "sqs": ("SQS", "AmazonSQS", "AmazonSQSException"),
    "sns": ("SNS", "AmazonSNS", "AmazonSNSException"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "events": ("EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"),
    "states": ("StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException"),
}
"""Of an optimized integration: its errors' prefix, its name in causes, what an unknown error is called."""

REFUSED = {
    "apigateway": "API Gateway",
    "athena": "Athena",
    "batch": "AWS Batch",
    "bedrock": "Bedrock",
    "codebuild": "CodeBuild",
    "databrew": "Glue DataBrew",
    "ecs": "ECS and Fargate",
    "eks": "EKS",
    "elasticmapreduce": "EMR",
    "emr-containers": "EMR on EKS",
    "emr-serverless": "EMR Serverless",
    "glue": "Glue",
    "mediaconvert": "MediaConvert",
    "sagemaker": "SageMaker",
}
"""Integrations that the local cloud does not have: a definition that uses them is refused by name."""


class CallFailed(Exception):
    """A service refused the call of a task. ``code`` is the API's, ``status`` HTTP's."""

    def __init__(self, code: str, message: str, status: int, request_id: str, modelled: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.modelled = modelled


class SdkClientFailed(Exception):
    """The request could not even be sent."""


class Client:
    """One service in one Region, called as the current execution's role or as ``role``."""

    def __init__(self, world: World, service: str, region: str, role: str | None) -> None:
        self._world = world
        self._service = service
        self._region = region
        self._role = role
        self._real = world.client(service, region=region, internal=True)
        self.model = self._real.meta.service_model
        self._validator = botocore.validate.ParamValidator()

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._real.meta.method_to_api_mapping.get(method)
        if operation is None:
            raise AttributeError(method)
        return lambda **params: self.call(operation, params)

    def operation(self, method: str) -> str:
        """The API's name of an operation that a state machine names ``sendMessage``."""
        wanted = method.lower()
        for name in self.model.operation_names:
            if name.lower() == wanted:
                return str(name)
        raise NotSimulated(f"NotSimulated: {self._service}:{method} - there is no such operation")

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        task = world.kernel.current
        assert task is not None
        caller: Caller = task.context
        if self._role is not None and self._role != caller.role:
            caller = dataclasses.replace(caller, role=self._role)
        url = params.get("QueueUrl")
        if isinstance(url, str) and not url.startswith("http"):
            raise SdkClientFailed(f"Unable to execute HTTP request: {url}: Name or service not known")
        shape = self.model.operation_model(operation).input_shape
        if shape is not None:
            for name in shape.required_members:
                if params.get(name) is None:
                    member = name[:1].lower() + name[1:]
                    message = (
                        f"1 validation error detected: Value null at '{member}' failed to satisfy "
                        "constraint: Member must not be null"
                    )
                    if self._service == "sqs":
                        message = f"The request must contain the parameter {name}."
                    code = "MissingParameter" if self._service == "sqs" else "ValidationException"
                    raise self._failed(ServiceError(code, message))
            # To the Java SDK a member that is null is one that is not there (first pages: "Marker": null).
            params = {name: value for name, value in params.items() if value is not None}
            report = self._validator.validate(params, shape)
            if report.has_errors():
                raise self._failed(ServiceError("ValidationException", report.generate_report()))
        try:
            return world.call(self._service, operation, params, caller, region=self._region)
        except ServiceError as error:
            raise self._failed(error) from error

    def _failed(self, error: ServiceError) -> CallFailed:
        shape = self.model.shape_for_error_code(error.code)
        if shape is None:  # SQS has two codes for an error, one of them from older days
            shape = self.model.shape_for_error_code(error.fields.get("QueryErrorCode", ""))
        modelled = shape.name if shape is not None else None
        request_id = self._world.wire.request_id()
        message = error.message
        if self._service == "lambda" and error.code == "ResourceNotFoundException":
            message = message.removesuffix(":$LATEST")  # as recorded
        return CallFailed(error.code, message, error.status, request_id, modelled)


def client_maker(world: World) -> Callable[..., Client]:
    """What stands in place of the interpreter's ``boto_client_for``."""
    clients: dict[tuple[str, str, str | None], Client] = {}

    def client_for(region: str, service: str, state_credentials: Any = None) -> Client:
        role = getattr(state_credentials, "role_arn", None)
        key = (service, region, role)
        found = clients.get(key)
        if found is None:
            try:
                found = clients[key] = Client(world, service, region, role)
            except UnknownServiceError as error:
                raise NotSimulated(
                    f"NotSimulated: aws-sdk:{service} - the local cloud does not know this service"
                ) from error
        return found

    return client_for


def optimized_error(service: str, error: CallFailed) -> tuple[str, str]:
    """Error name and cause of an optimized integration."""
    prefix, shown, unknown = _OPTIMIZED[service]
    name = unknown if error.modelled is None else error.modelled
    if not name.endswith("Exception"):
        name += "Exception"
    cause = (
        f"{error.message} (Service: {shown}; Status Code: {error.status}; Error Code: {error.code}; "
        f"Request ID: {error.request_id}; Proxy: null)"
    )
    return f"{prefix}.{name}", cause


def sdk_error(api: str, error: CallFailed) -> tuple[str, str]:
    """Error name and cause of an ``aws-sdk`` integration: ``Sqs.QueueDoesNotExistException``."""
    shown = sdk_name(api)
    name = shown if error.modelled is None else error.modelled
    if not name.endswith("Exception"):
        name += "Exception"
    extended = f", Extended Request ID: {error.request_id}" if shown == "S3" else ""
    where = f"Service: {shown}, Status Code: {error.status}, Request ID: {error.request_id}{extended}"
    cause = f"{error.message} ({where})"
    return f"{shown}.{name}", cause


def sdk_name(api: str) -> str:
    return _SHOWN.get(api.lower()) or api[:1].upper() + api[1:].lower()


def sdk_service(api: str) -> str:
    """boto3's name of the service that a state machine calls ``api``."""
    return SDK_NAMES.get(api.lower(), api.lower())


def function_error(payload: str, compact: bool) -> tuple[str, str]:
    """Error name and cause of a function that failed: its answer, as it is or written anew (as recorded).

    https://docs.aws.amazon.com/step-functions/latest/dg/troubleshooting-states-runtime.html
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not answer.get("errorType"):
        unknown = "The cause could not be determined because Lambda did not return an error type."
        return "Lambda.Unknown", f"{unknown} Returned payload: {payload}"
    if compact:
        payload = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
    return str(answer["errorType"]), payload


def with_metadata(world: World, service: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of an optimized integration with what the Java SDK adds; members and headers in its order.

    The answer of EventBridge has no such additions (as recorded).
    """
    if service == "events":
        return dict(sorted(answer.items()))
    request_id = world.wire.request_id()
    counted = answer.get("Payload") if service == "lambda" else answer
    body = json.dumps(counted, default=str, separators=(",", ":")).encode()
    about = {"x-amzn-RequestId": request_id}
    ends = {
        "Content-Length": str(len(body)),
        "Date": f"{world.datetime():%a, %d %b %Y %H:%M:%S} GMT",
        "Content-Type": _CONTENT_TYPES.get(service, "application/x-amz-json-1.0"),
    }
    if service == "lambda":
        log = {"X-Amz-Log-Result": answer["LogResult"]} if "LogResult" in answer else {}
        version = {"X-Amz-Executed-Version": answer.get("ExecutedVersion", "$LATEST")}
        length = {"x-amzn-Remapped-Content-Length": "0"}
        task = world.kernel.current
        trace = {"X-Amzn-Trace-Id": f"Root={task.context.trace if task is not None else ''}"}
        headers = log | version | length | {"Connection": "keep-alive"} | about | trace | ends
    elif service == "dynamodb":
        checksum = {"x-amz-crc32": str(zlib.crc32(body))}
        headers = {"Server": "Server", "Connection": "keep-alive"} | about | checksum | ends
    else:
        headers = about | {"connection": "keep-alive"} | ends
    made = {
        **answer,
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": dict(sorted(headers.items(), key=lambda each: each[0].lower())),
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }
    return dict(sorted(made.items()))


_CONTENT_TYPES = {
    "lambda": "application/json",
    "sns": "text/xml",
}
