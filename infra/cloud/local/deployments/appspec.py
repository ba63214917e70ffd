"""The AppSpec of a Lambda deployment: which alias goes from which version to which, and the hooks.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-example.html#appspec-file-example-lambda
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import yaml  # type: ignore[import-untyped]

from ..service import ServiceError

_PROPERTIES = ("Name", "Alias", "CurrentVersion", "TargetVersion")
_HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")


@dataclasses.dataclass(frozen=True)
class AppSpec:
    """``hooks`` maps BeforeAllowTraffic and AfterAllowTraffic to a function's name or ARN."""

    function: str
    alias: str
    current: str
    target: str
    hooks: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def target_id(self) -> str:
        """The id of the deployment's one target."""
        return f"{self.function}:{self.alias}"

    def reversed(self) -> AppSpec:
        """Of the deployment that rolls this one back. It runs no hooks."""
        return AppSpec(self.function, self.alias, self.target, self.current)

    def content(self) -> str:
        properties = dict(
            zip(_PROPERTIES, (self.function, self.alias, self.current, self.target), strict=True)
        )
        body: dict[str, Any] = {
            "version": 0.0,
            "Resources": [{self.function: {"Type": "AWS::Lambda::Function", "Properties": properties}}],
        }
        if self.hooks:
            body["Hooks"] = [{name: function} for name, function in self.hooks.items()]
        return json.dumps(body)

    def revision(self) -> dict[str, Any]:
        """As CreateDeployment takes it."""
        text = self.content()
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {"revisionType": "String", "string": {"content": text, "sha256": digest}}


def function_name(named: str) -> str:
    """A function's name, which may be given as its ARN or with a qualifier."""
    return named.rpartition(":function:")[2].partition(":")[0]


def read(text: str) -> AppSpec:
    """Parse an AppSpec in YAML or JSON. Raises InvalidRevisionException, which says what is wrong."""
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise invalid(f"The AppSpec file is not valid YAML or JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("The AppSpec file must be an object with version, Resources and Hooks")
    fields = {str(name).lower(): value for name, value in body.items()}
    if str(fields.get("version", "")) not in ("0.0", "0"):
        raise invalid(f"The AppSpec file's version must be 0.0, not {fields.get('version')!r}")
    resource = _only(fields.get("resources"), "Resources")
    kind = resource.get("Type", resource.get("type"))
    if kind != "AWS::Lambda::Function":
        raise invalid(f"The AppSpec file's resource must be of Type AWS::Lambda::Function, not {kind!r}")
    given = resource.get("Properties") or resource.get("properties") or {}
    properties = {str(name).lower(): value for name, value in given.items()}
    values = []
    for name in _PROPERTIES:
        if properties.get(name.lower()) in (None, ""):
            raise invalid(f"The AppSpec file's resource has no property {name}")
        values.append(str(properties[name.lower()]))
    values[0] = function_name(values[0])
    hooks = {}
    for each in fields.get("hooks") or []:
        for name, function in (each if isinstance(each, dict) else {}).items():
            if name not in _HOOKS:
                raise invalid(f"The AppSpec file's hook must be one of {', '.join(_HOOKS)}, not {name!r}")
            hooks[name] = str(function)
    return AppSpec(values[0], values[1], values[2], values[3], hooks)


def _only(resources: Any, section: str) -> dict[str, Any]:
    """The one resource; AWS deploys one function in a deployment."""
    if isinstance(resources, list) and len(resources) == 1 and isinstance(resources[0], dict):
        resources = resources[0]
    if not isinstance(resources, dict) or len(resources) != 1:
        raise invalid(f"The AppSpec file's {section} must name exactly one Lambda function")
    found: dict[str, Any] = next(iter(resources.values())) or {}
    return found


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRevisionException", message)
