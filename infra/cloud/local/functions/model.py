"""What Lambda knows of a function: configuration as data. Nothing here acts.

A function has versions: ``$LATEST``, which updates replace by a new ``Version``, and published ones, which
never change. Each version has its own pool of execution environments, so replacing a version replaces its
environments."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from .concurrency import SCALING_BURST, Pool, Provisioned, RateLimit
from .names import LATEST, runtime_arn

if TYPE_CHECKING:
    from .environment import FunctionSpec
    from .package import Package


ACTIVE = "Active"
"""The tracing mode of a function that writes segments to X-Ray."""


@dataclasses.dataclass(frozen=True, slots=True)
class Code:
    """A deployment package, and the address at which GetFunction says it is."""

    package: Package
    location: str

    @property
    def sha256(self) -> str:
        """Base64 of the zip's SHA-256."""
        return self.package.sha256

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return self.package.size


@dataclasses.dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a version, as CreateFunction takes them; units in the names."""

    runtime: str
    handler: str
    role: str
    description: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    environment: dict[str, str] | None = None
    layers: tuple[LayerVersion, ...] = ()
    architecture: str = "x86_64"
    tracing: str = "PassThrough"
    ephemeral_mb: int = 512
    dead_letter_arn: str = ""
    log_format: str = "Text"
    log_group: str = ""
    application_log_level: str = ""
    system_log_level: str = ""


@dataclasses.dataclass(eq=False, slots=True)
class Version:
    """One version of a function: ``number`` is ``$LATEST`` or a positive integer as text."""

    function: Function
    number: str
    configuration: Configuration
    code: Code
    last_modified: str
    revision: str
    pool: Pool
    spec: FunctionSpec | None = None

    @property
    def arn(self) -> str:
        return f"{self.function.arn}:{self.number}"


@dataclasses.dataclass(eq=False, slots=True)
class Alias:
    """A name for a version, or for two: ``weights`` maps the second version to its share of the traffic."""

    name: str
    arn: str
    version: str
    description: str
    weights: dict[str, float]
    revision: str


@dataclasses.dataclass(eq=False, slots=True)
class EventInvokeConfig:
    """How asynchronous events of a function or qualifier are treated; None means AWS's default.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
    """

    retries: int | None
    max_age_s: int | None
    on_success: str | None
    on_failure: str | None
    last_modified: int


@dataclasses.dataclass(eq=False, slots=True)
class Function:
    """A function with everything that hangs on it. ``running`` counts its invocations in flight."""

    name: str
    arn: str
    latest: Version
    published: dict[str, Version] = dataclasses.field(default_factory=dict)
    next_version: int = 1
    aliases: dict[str, Alias] = dataclasses.field(default_factory=dict)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    policies: dict[str, dict[str, dict[str, Any]]] = dataclasses.field(default_factory=dict)
    event_invoke: dict[str, EventInvokeConfig] = dataclasses.field(default_factory=dict)
    reserved: int | None = None
    provisioned: dict[str, Provisioned] = dataclasses.field(default_factory=dict)
    running: int = 0
    environments: int = 0
    longest_us: int = 0
    longest_init_us: int = 0
    scaling: RateLimit = dataclasses.field(default_factory=lambda: RateLimit(SCALING_BURST))
    requests: RateLimit = dataclasses.field(default_factory=lambda: RateLimit(1_000_000))
    deleted: bool = False
    recursive_loop: str = "Terminate"

    def version(self, number: str) -> Version | None:
        return self.latest if number == LATEST else self.published.get(number)

    @property
    def versions(self) -> list[Version]:
        return [self.latest, *self.published.values()]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class LayerVersion:
    """One version of a layer: code that is put under ``/opt`` of the functions that name it."""

    name: str
    layer_arn: str
    number: int
    description: str
    code: Code
    runtimes: tuple[str, ...] | None
    architectures: tuple[str, ...] | None
    license: str
    created: str

    @property
    def arn(self) -> str:
        return f"{self.layer_arn}:{self.number}"


_IN_PROGRESS: dict[str, dict[str, str]] = {
    "": {"State": "Active", "LastUpdateStatus": "Successful"},
    "creating": {
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
    },
    "updating": {
        "State": "Active",
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
    },
}


def describe(version: Version, *, qualified: bool = True, progress: str = "") -> dict[str, Any]:
    """A version as GetFunctionConfiguration answers it.

    A function here is ready as soon as it exists. Who creates or updates it is nevertheless answered as on
    AWS, that this is in ``progress``: "creating" or "updating" (recorded from AWS: LocalStack's test_lambda,
    test_function_state and test_lambda_versions_with_code_changes). A version that is published as a function
    is created has the function's ARN then (``qualified``; recorded: test_invocation_with_qualifier).
    """
    configuration, code = version.configuration, version.code
    latest = version.number == LATEST
    logging = {"LogFormat": configuration.log_format, "LogGroup": configuration.log_group}
    if configuration.log_format == "JSON":
        logging["ApplicationLogLevel"] = configuration.application_log_level
        logging["SystemLogLevel"] = configuration.system_log_level
    answer: dict[str, Any] = {
        "FunctionName": version.function.name,
        "FunctionArn": version.arn if qualified and not latest else version.function.arn,
        "Runtime": configuration.runtime,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": code.size,
        "Description": configuration.description,
        "Timeout": configuration.timeout_s,
        "MemorySize": configuration.memory_mb,
        "LastModified": version.last_modified,
        "CodeSha256": code.sha256,
        "Version": version.number,
        "TracingConfig": {"Mode": configuration.tracing},
        "RevisionId": version.revision,
        **_IN_PROGRESS[progress],
        "PackageType": "Zip",
        "Architectures": [configuration.architecture],
        "EphemeralStorage": {"Size": configuration.ephemeral_mb},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_arn(configuration.runtime)},
        "LoggingConfig": logging,
    }
    if configuration.environment is not None:
        answer["Environment"] = {"Variables": dict(configuration.environment)}
    if configuration.dead_letter_arn:
        answer["DeadLetterConfig"] = {"TargetArn": configuration.dead_letter_arn}
    if configuration.layers:
        answer["Layers"] = [{"Arn": layer.arn, "CodeSize": layer.code.size} for layer in configuration.layers]
    return answer


_NOT_LISTED = ("State", "StateReason", "LastUpdateStatus", "RuntimeVersionConfig")


def listed(version: Version, arn: str) -> dict[str, Any]:
    """A version as lists show it: by which ARN, and without what changes on its own.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
    """
    shown = describe(version)
    return {**{name: value for name, value in shown.items() if name not in _NOT_LISTED}, "FunctionArn": arn}
