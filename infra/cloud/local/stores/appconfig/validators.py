"""Validators: a JSON schema, or a function that raises if a configuration is wrong.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-and-profile-validators.html:
they are asked by StartDeployment and ValidateConfiguration; a schema is one of JSON Schema draft 4.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from ...service import Caller, ServiceError
from .model import Profile, bad

if TYPE_CHECKING:
    from ...world import World


def check_schema(text: str) -> None:
    """A validator's own schema."""
    jsonschema = _jsonschema()
    try:
        jsonschema.Draft4Validator.check_schema(json.loads(text))
    except (ValueError, jsonschema.SchemaError) as error:
        message = error.message if isinstance(error, jsonschema.SchemaError) else "it is not JSON"
        raise bad(f"The JSON schema of a validator is invalid: {message}") from None


def validate(
    world: World, application: str, region: str, profile: Profile, version: str, content: bytes
) -> None:
    """Ask all validators of a profile, in the caller's task. Raises BadRequestException."""
    for validator in profile.validators:
        if validator["Type"] == "JSON_SCHEMA":
            _by_schema(validator["Content"], content)
        else:
            _by_function(world, validator["Content"], application, region, profile, version, content)


def _jsonschema() -> Any:
    """More than a second of imports, where all is installed that its formats can use: only who has such
    a validator waits for them."""
    import jsonschema

    return jsonschema


def _by_schema(schema: str, content: bytes) -> None:
    try:
        document = json.loads(content)
    except ValueError:
        raise bad("The configuration is not valid JSON, as its JSON_SCHEMA validator needs.") from None
    problems = [
        {
            "Constraint": str(error.validator),
            "Location": "/".join(map(str, error.absolute_path)),
            "Reason": error.message,
            "Type": "JSON_SCHEMA",
            "Value": json.dumps(error.instance),
        }
        for error in sorted(
            _jsonschema().Draft4Validator(json.loads(schema)).iter_errors(document),
            key=lambda error: list(map(str, error.absolute_path)),
        )
    ]
    if problems:
        reason = problems[0]["Reason"]
        raise bad(f"Error validating the configuration: {reason}", "InvalidConfiguration", problems)


def _by_function(
    world: World,
    function: str,
    application: str,
    region: str,
    profile: Profile,
    version: str,
    content: bytes,
) -> None:
    event = {
        "applicationId": application,
        "configurationProfileId": profile.id,
        "configurationVersion": version,
        "content": base64.b64encode(content).decode(),
        "uri": profile.location,
    }
    arn = f"arn:aws:appconfig:{region}:{world.account}:application/{application}"
    caller = Caller(
        "service",
        "appconfig",
        principal="appconfig.amazonaws.com",
        source_arn=f"{arn}/configurationprofile/{profile.id}",
        source_account=world.account,
    )
    params: dict[str, Any] = {"FunctionName": function, "Payload": json.dumps(event).encode()}
    try:
        answer = world.call("lambda", "Invoke", params, caller, region=region)
    except ServiceError as problem:
        raise bad(f"Error invoking the validator function {function}: {problem.message}") from problem
    if "FunctionError" in answer:
        said = json.loads(answer["Payload"].read() or b"null") or {}
        message = said.get("errorMessage", answer["FunctionError"])
        raise bad(f"Error validating the configuration: {message}", "InvalidConfiguration", [])
