"""What CreateFunction and UpdateFunctionConfiguration accept: pure checks of parameters.

Limits: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..constraints import constraint
from ..service import NotSimulated, ServiceError
from .names import invalid
from .payloads import complaint

PYTHON_RUNTIMES = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
RETIRED_RUNTIMES = ("python3.6", "python3.7", "python3.8")
"""AWS creates no functions of these any more; many a public sample still names one, and runs as well.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated"""
SYNCHRONOUS_PAYLOAD_LIMIT = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB each for request and
response."""
ASYNCHRONOUS_PAYLOAD_LIMIT = 1024 * 1024
"""1 MB since October 2025:
https://aws.amazon.com/about-aws/whats-new/2025/10/aws-lambda-payload-size-256-kb-1-mb-invocations/"""
ENVIRONMENT_LIMIT = 4096
LAYERS_LIMIT = 5

_OTHER_RUNTIMES = re.compile(r"(nodejs|java|dotnet|dotnetcore|ruby|go|provided)[\d.a-z]*|python\d(\.\d+)?")
_ROLE = re.compile(r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_VARIABLE = re.compile(r"[a-zA-Z]([a-zA-Z0-9_])+")
_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12})?:(?P<rest>.+)"
)
_RESERVED_VARIABLES = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""
_NOT_SIMULATED = [
    "FileSystemConfigs",
    "CodeSigningConfigArn",
    "ImageConfig",
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "KMSKeyArn",
    "PublishTo",
]


def check_runtime(runtime: str) -> None:
    """Python only. Raises NotSimulated for AWS's other runtimes, InvalidParameterValueException for none of
    them."""
    if runtime in PYTHON_RUNTIMES + RETIRED_RUNTIMES:
        return
    if _OTHER_RUNTIMES.fullmatch(runtime):
        raise NotSimulated(
            f"NotSimulated: Lambda runtime {runtime} - the local cloud runs Python handlers "
            f"({', '.join(PYTHON_RUNTIMES)})"
        )
    raise invalid(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        f"[{', '.join(PYTHON_RUNTIMES)}] or be a valid ARN"
    )


def check_settings(params: dict[str, Any]) -> None:
    """Everything about the settings that can be judged from the request alone."""
    for member in _NOT_SIMULATED:
        if params.get(member):
            raise NotSimulated(
                f"NotSimulated: AWS::Lambda::Function {member} - the local cloud does not do this"
            )
    vpc = params.get("VpcConfig") or {}
    if vpc.get("SubnetIds") or vpc.get("SecurityGroupIds"):
        raise NotSimulated("NotSimulated: AWS::Lambda::Function VpcConfig - the local cloud has no VPC")
    if (params.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise NotSimulated(
            "NotSimulated: AWS::Lambda::Function SnapStart - the local cloud takes no snapshots"
        )
    if params.get("PackageType", "Zip") == "Image" or (params.get("Code") or {}).get("ImageUri"):
        raise NotSimulated("NotSimulated: Lambda PackageType Image - the local cloud runs no containers")
    if params.get("Runtime") is not None:
        check_runtime(params["Runtime"])
    check_range(params, "Timeout", "timeout", 1, 900)
    check_range(params, "MemorySize", "memorySize", 128, 10_240)
    if params.get("EphemeralStorage"):
        check_range(params["EphemeralStorage"], "Size", "ephemeralStorage.size", 512, 10_240)
    _length(params, "Description", "description", 256)
    _length(params, "Handler", "handler", 128)
    if params.get("Handler") is not None and not re.fullmatch(r"[^\s]+", params["Handler"]):
        raise constraint(params["Handler"], "handler", "satisfy regular expression pattern: [^\\s]+")
    if params.get("Role") is not None and not _ROLE.fullmatch(params["Role"]):
        raise constraint(
            params["Role"],
            "role",
            "satisfy regular expression pattern: "
            "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        )
    _architectures(params.get("Architectures"))
    check_environment((params.get("Environment") or {}).get("Variables") or {})
    _enumeration(params.get("TracingConfig"), "Mode", "tracingConfig.mode", ("Active", "PassThrough"))
    _enumeration(params.get("LoggingConfig"), "LogFormat", "loggingConfig.logFormat", ("JSON", "Text"))
    if len(params.get("Layers") or ()) > LAYERS_LIMIT:
        raise invalid(f"Cannot reference more than {LAYERS_LIMIT} layers.")
    check_dead_letter((params.get("DeadLetterConfig") or {}).get("TargetArn") or "")


def check_environment(variables: dict[str, str]) -> None:
    """At most 4 KB as JSON, names as documented, none of Lambda's own."""
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise constraint(
                name, "environment.variables", "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"
            )
    reserved = [name for name in variables if name in _RESERVED_VARIABLES]
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables "
            "you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved "
            "keys used "
            f"in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_LIMIT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables "
            "you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )


def check_dead_letter(arn: str) -> None:
    """A dead-letter queue is an SQS queue or an SNS topic."""
    if arn and arn_service(arn) not in ("sqs", "sns"):
        raise invalid(f"The target ARN {arn} is not an SQS queue or SNS topic.")


def check_payload(payload: bytes, kind: str) -> None:
    """The size and form of a request's payload. ``kind`` is RequestResponse or Event.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
    """
    limit = ASYNCHRONOUS_PAYLOAD_LIMIT if kind == "Event" else SYNCHRONOUS_PAYLOAD_LIMIT
    if len(payload) > limit:
        raise ServiceError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            413,
            Type="User",
        )
    wrong = complaint(payload or b"{}")
    if wrong is not None:
        raise ServiceError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {wrong}",
            400,
            Type="User",
        )


def arn_service(arn: str) -> str | None:
    match = _ARN.fullmatch(arn) or re.fullmatch(r"arn:aws[a-z-]*:(?P<service>s3):::(.+)", arn)
    return match["service"] if match else None


def check_range(params: dict[str, Any], key: str, member: str, low: int, high: int) -> None:
    value = params.get(key)
    if value is None:
        return
    if value < low:
        raise constraint(value, member, f"have value greater than or equal to {low}")
    if value > high:
        raise constraint(value, member, f"have value less than or equal to {high}")


def _length(params: dict[str, Any], key: str, member: str, high: int) -> None:
    value = params.get(key)
    if value is not None and len(value) > high:
        raise constraint(value, member, f"have length less than or equal to {high}")


def _enumeration(params: dict[str, Any] | None, key: str, member: str, allowed: tuple[str, ...]) -> None:
    value = (params or {}).get(key)
    if value is not None and value not in allowed:
        raise constraint(value, member, f"satisfy enum value set: [{', '.join(allowed)}]")


def _architectures(value: list[str] | None) -> None:
    if value is None:
        return
    if len(value) != 1:
        raise constraint(f"[{', '.join(value)}]", "architectures", "have length less than or equal to 1")
    if value[0] not in ("x86_64", "arm64"):
        raise constraint(
            f"[{value[0]}]",
            "architectures",
            "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be "
            "null]",
        )
