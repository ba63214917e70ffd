"""What an execution environment is made from, and what an invocation in it comes to."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Literal

from .package import Package

LOG_TAIL_BYTES = 4096

Initialization = Literal["on-demand", "provisioned-concurrency"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FunctionSpec:
    """What an environment must know of a function's version. ``timeout_us`` in µs, ``memory_mb`` in MB."""

    name: str
    arn: str
    version: str
    handler: str
    memory_mb: int
    timeout_us: int
    env: dict[str, str]
    role: str
    package: Package
    log_group: str
    region: str
    account: str
    layers: tuple[Package, ...] = ()
    log_format: str = "Text"
    log_level: str = ""
    runtime: str = "python3.12"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended.

    ``error`` is None or "Unhandled" (the FunctionError of the response); ``error_type`` is the payload's
    errorType, or "Timeout" or "Killed". ``duration_us`` is without init, ``billed_ms`` with it. ``alive``
    False: the environment has ended and must not be used again.
    """

    payload: bytes
    error: str | None
    error_type: str | None
    duration_us: int
    billed_ms: int
    init_us: int
    cold: bool
    alive: bool
    max_memory_mb: int
    log: tuple[str, ...]

    @property
    def log_tail(self) -> str:
        """The last 4 KB of what the invocation logged, as LogResult shows it."""
        return "".join(self.log).encode()[-LOG_TAIL_BYTES:].decode(errors="ignore")


def role_credentials(role: str) -> tuple[str, str, str]:
    """Access key, secret key and session token of the functions with this role."""
    digest = hashlib.sha256(f"{role}/credentials".encode()).hexdigest()
    return "ASIA" + digest[:16].upper(), digest[:40], digest


def variables(spec: FunctionSpec, log_stream: str, initialization: Initialization) -> dict[str, str]:
    """The environment variables of a function: its own, and those that Lambda reserves.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime, and
    as recorded from AWS in February 2026: LocalStack's test_lambda_init_environment.
    Besides them: HOME (else Python would look up the machine's user) and two switches that moto needs
    botocore to have. LAMBDA_TASK_ROOT is the real folder of the unpacked code, so that paths made from it can
    be opened.
    """
    access_key, secret, token = role_credentials(spec.role)
    variables = {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
        "AWS_REGION": spec.region,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(spec.package.folder),
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
        "/var/task:/var/task/lib:/opt/lib",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "PWD": "/var/task",
        "PYTHONPATH": "/var/runtime",
        "SHLVL": "0",
        "TZ": ":UTC",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": spec.handler,
        "HOME": "/home/sbx_user1051",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if spec.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = spec.log_level or "INFO"
    return {**spec.env, **variables}
