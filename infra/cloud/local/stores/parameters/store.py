"""The parameters of a world: finding one, opening a SecureString, telling EventBridge of a change.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html (events),
https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Call, Caller, NotSimulated, Service, ServiceError
from . import model
from .model import DEFAULT_KEY, SECURE, Parameter, Version
from .policies import Policy, parse

if TYPE_CHECKING:
    from ...world import World

_SECRETS = "/aws/reference/secretsmanager/"
_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"


class Store(Service):
    """What all operations stand on."""

    name = "ssm"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._regions: dict[str, dict[str, Parameter]] = {}

    # -- finding -------------------------------------------------------------------------------------------

    def known(self, region: str) -> dict[str, Parameter]:
        """By name. Every Region counts as bootstrapped for the CDK: its templates read this parameter."""
        found = self._regions.get(region)
        if found is None:
            made = Parameter(_BOOTSTRAP, self.arn(_BOOTSTRAP, region))
            user = f"arn:aws:iam::{self.world.account}:root"
            now = self.world.datetime()
            made.versions.append(Version(1, "String", "30", now, user, None, None, None, "Standard", "text"))
            found = self._regions[region] = {_BOOTSTRAP: made}
        return found

    def arn(self, name: str, region: str) -> str:
        return f"arn:aws:ssm:{region}:{self.world.account}:parameter/{name.removeprefix('/')}"

    def find(self, name: str, region: str) -> Parameter:
        """By its name, without version or label. Raises ParameterNotFound."""
        found = self.known(region).get(model.key_of(name))
        if found is None:
            if name.startswith("/aws/service/"):
                raise NotSimulated(f"NotSimulated: ssm {name} - AWS's public parameters are not here")
            raise model.not_found()
        return found

    def named(self, given: str, region: str) -> tuple[Parameter, Version, str, str]:
        """By name or ARN, each maybe with ``:version`` or ``:label``: what it is, the name and the "
        "selector."""
        name = given
        if given.startswith("arn:"):
            region = given.split(":")[3]
            name = given.split(":", 5)[5].removeprefix("parameter")
            if "/" not in name.removeprefix("/"):
                name = name.removeprefix("/")
        name, _, selector = name.partition(":")
        model.check_path(name)
        parameter = self.find(name, region)
        if not selector:
            return parameter, parameter.current, name, ""
        if selector.isdigit():
            for version in parameter.versions:
                if version.number == int(selector):
                    return parameter, version, name, selector
            raise model.no_version(selector, name)
        for version in parameter.versions:
            if selector in version.labels:
                return parameter, version, name, selector
        raise ServiceError(
            "ParameterVersionNotFound",
            f"Systems Manager could not find label {selector} for parameter {name}. Verify the label and "
            f"try again.",
        )

    def read(self, call: Call, given: str) -> dict[str, Any]:
        """One parameter, as GetParameter answers it."""
        decrypted = bool(call.params.get("WithDecryption"))
        if given.startswith(_SECRETS):
            return self._secret(call, given, decrypted)
        parameter, version, name, selector = self.named(given, call.region)
        if decrypted and version.type == SECURE:
            self.unlock(call.caller, parameter, version, ("kms:Decrypt",), call.region)
        return parameter.shown(version, decrypted, name, selector)

    def _secret(self, call: Call, given: str, decrypted: bool) -> dict[str, Any]:
        """A secret by way of a parameter's name."""
        if not decrypted:
            raise model.invalid("WithDecryption flag must be True for retrieving a Secret Manager secret.")
        name, _, selector = given.removeprefix(_SECRETS).partition(":")
        params = {"SecretId": name}
        if selector:
            params["VersionId" if len(selector) >= 32 else "VersionStage"] = selector
        try:
            found = self.world.call(
                "secretsmanager", "GetSecretValue", params, call.caller, region=call.region
            )
        except ServiceError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise ServiceError(
                "ParameterNotFound",
                "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret "
                f"{given} not found.",
            ) from error
        source = {
            "ARN": found["ARN"],
            "createdDate": int(found["CreatedDate"].timestamp() * 1000),
            "name": found["Name"],
            "secretString": found.get("SecretString"),
            "versionId": found["VersionId"],
            "versionStages": found.get("VersionStages", []),
        }
        return {
            "Name": given.partition(":")[0],
            "Type": SECURE,
            "Value": found.get("SecretString", ""),
            "Version": 0,
            "SourceResult": json.dumps(source, separators=(",", ":")),
            "LastModifiedDate": found["CreatedDate"],
            "ARN": found["ARN"],
            "DataType": "text",
        }

    # -- encryption ----------------------------------------------------------------------------------------

    def unlock(
        self, caller: Caller, parameter: Parameter, version: Version, actions: tuple[str, ...], region: str
    ) -> None:
        """The caller uses the SecureString's KMS key. The default one lets the whole account in."""
        if version.key in (None, DEFAULT_KEY):
            return
        context = {"PARAMETER_ARN": parameter.arn}
        try:
            self.world.keys.use(caller, version.key or "", actions, "ssm", region, context)
        except ServiceError as problem:
            code = problem.code if problem.code == "AccessDeniedException" else "InvalidKeyId"
            raise ServiceError(
                code,
                f"{problem.message} (Service: AWSKMS; Status Code: {problem.status}; Error Code: "
                f"{problem.code}; "
                f"Request ID: {self.world.wire.request_id()}; Proxy: null)",
            ) from problem

    # -- events and policies -------------------------------------------------------------------------------

    def changed(self, parameter: Parameter, operation: str, region: str, trace: str, **more: str) -> None:
        """Tell the default bus."""
        version = parameter.current
        detail: dict[str, Any] = {
            "operation": operation,
            "name": parameter.name,
            "type": version.type,
            **more,
        }
        if version.description is not None:
            detail["description"] = version.description
        self.world.events.emit(
            "aws.ssm",
            "Parameter Store Change",
            detail,
            resources=[parameter.arn],
            region=region,
            trace=trace or self.world.new_trace(),
        )

    def arm(self, parameter: Parameter, region: str) -> None:
        """Set the timers of the current version's policies."""
        self.disarm(parameter)
        version = parameter.current
        for policy in parse(version.policies, version.modified) if version.policies else ():
            wait = int((policy.at - self.world.datetime()).total_seconds() * SECOND)
            if wait > 0:
                timer = self.kernel.call_later(wait, self._act, parameter, policy, region, background=True)
                parameter.timers.append(timer)

    @staticmethod
    def disarm(parameter: Parameter) -> None:
        for timer in parameter.timers:
            timer.cancel()
        parameter.timers.clear()

    def _act(self, parameter: Parameter, policy: Policy, region: str) -> None:
        """A timer's callback."""
        trace = self.world.new_trace()
        self.world.events.emit(
            "aws.ssm",
            "Parameter Store Policy Action",
            {
                "policy-type": policy.kind,
                "parameter-name": parameter.name,
                "parameter-type": parameter.current.type,
                "action-status": "Success",
            },
            resources=[parameter.arn],
            region=region,
            trace=trace,
        )
        if policy.kind == "Expiration":
            self.remove(parameter, region, trace)

    def remove(self, parameter: Parameter, region: str, trace: str) -> None:
        self.disarm(parameter)
        del self.known(region)[model.key_of(parameter.name)]
        self.changed(parameter, "Delete", region, trace)
