"""The CDK's own functions get code that can run here: which logical id stands for which handler.

Their ids are fixed: a CDK singleton's id is its name with the singleton's UUID
(aws-cdk-lib, lib/aws-lambda/lib/singleton-lambda.js; the framework's functions name what they call).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path
from typing import Any

from .template import Definition, Template

_SINGLETONS = {
    "CustomS3AutoDeleteObjectsCustomResourceProviderHandler": "auto_delete_objects",
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a": "log_retention",
    "AWS679f53fac002430cb0da5b7982bd2287": "aws_call",
    "CustomCDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C": "bucket_deployment",
}
_FRAMEWORK = {
    "framework.onEvent": "on_event",
    "framework.isComplete": "is_complete",
    "framework.onTimeout": "on_timeout",
}
_HASH = re.compile(r"(?:[0-9A-F]{8}|[0-9]+MiB[0-9A-F]{8})?")
RUNTIME = "python3.13"


def substitute(template: Template) -> Template:
    """The template with the code of ``cdk_handlers`` in the CDK's own functions."""
    changed = {
        name: _replaced(definition, handler)
        for name, definition in template.resources.items()
        if (handler := handler_of(definition)) is not None
    }
    if not changed:
        return template
    return dataclasses.replace(template, resources={**template.resources, **changed})


def handler_of(definition: Definition) -> str | None:
    """The name in ``cdk_handlers`` of what stands for this function, if it is one of the CDK's own."""
    if definition.type != "AWS::Lambda::Function":
        return None
    for beginning, handler in _SINGLETONS.items():
        name = definition.logical_id
        if name.startswith(beginning) and _HASH.fullmatch(name[len(beginning) :]):
            return handler
    properties = definition.properties
    environment = properties.get("Environment")
    variables = environment.get("Variables") if isinstance(environment, dict) else None
    if isinstance(variables, dict) and "USER_ON_EVENT_FUNCTION_ARN" in variables:
        return _FRAMEWORK.get(str(properties.get("Handler")))
    return None


def _replaced(definition: Definition, handler: str) -> Definition:
    properties: dict[str, Any] = {
        name: value for name, value in definition.properties.items() if name != "Layers"
    }
    properties.update(Runtime=RUNTIME, Handler=f"index.{handler}", Code={"ZipFile": _source()})
    return dataclasses.replace(definition, properties=properties)


@functools.cache
def _source() -> str:
    return (Path(__file__).parent / "cdk_handlers.py").read_text("utf-8")
