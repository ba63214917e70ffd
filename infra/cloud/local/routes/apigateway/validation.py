"""Request validation: required parameters, and the body against a model's JSON schema (draft 4).

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .model import GatewayFailure, MethodRequest, value_of, values_of

Record = Mapping[str, Any]

_MODELS = "https://apigateway.amazonaws.com/restapis/"


def check(
    request: MethodRequest,
    method: Record,
    validators: Mapping[str, Record],
    models: Mapping[str, Record],
) -> None:
    """Raise GatewayFailure for a request that the method's validator does not let pass."""
    validator = validators.get(method.get("requestValidatorId", ""))
    if validator is None:
        return
    if validator["validateRequestParameters"]:
        missing = [
            name.rpartition(".")[2]
            for name, required in sorted((method.get("requestParameters") or {}).items())
            if required and not _present(request, name)
        ]
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise GatewayFailure("BAD_REQUEST_PARAMETERS", message)
    if validator["validateRequestBody"]:
        problems = body_problems(request, method, models)
        if problems:
            raise GatewayFailure("BAD_REQUEST_BODY", validation=f"[{', '.join(problems)}]")


def _present(request: MethodRequest, parameter: str) -> bool:
    _, _, place, name = parameter.split(".", 3)
    if place == "path":
        return bool(request.path_parameters.get(name))
    if place == "querystring":
        return any(request.query.get(name, ()))
    return any(values_of(request.headers, name))


def body_problems(request: MethodRequest, method: Record, models: Mapping[str, Record]) -> list[str]:
    """What is wrong with the body, in the words of ``$context.error.validationErrorString``.

    A request without a Content-Type counts as JSON; where no model matches the type, nothing is checked.
    """
    chosen = method.get("requestModels") or {}
    kind = (value_of(request.headers, "content-type") or "application/json").partition(";")[0].strip().lower()
    name = chosen.get(kind) or chosen.get("$default")
    model = models.get(name or "")
    if model is None or "json" not in model["contentType"]:
        return []
    try:
        document = json.loads(request.text or "{}")
    except ValueError:
        return ["Invalid JSON"]
    schemas = tuple((each["name"], each["schema"]) for each in models.values())
    errors = _validator(str(model["name"]), schemas).iter_errors(document)
    return [said for error in errors for said in _words(error)]


@functools.lru_cache(maxsize=256)
def _validator(name: str, schemas: tuple[tuple[str, str], ...]) -> Any:
    """``$ref`` to another model is ``https://apigateway.amazonaws.com/restapis/{api}/models/{name}``."""
    # A tenth of a second of imports: only who validates bodies waits for them.
    import jsonschema
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    def uri(model: str) -> str:
        return f"{_MODELS}api/models/{model}"

    def contents(schema: str) -> Any:
        return json.loads(re.sub(re.escape(_MODELS) + '[^/"]+/models/', uri(""), schema))

    resources = [
        (uri(each), Resource.from_contents(contents(schema), default_specification=DRAFT4))
        for each, schema in schemas
        if _is_json(schema)
    ]
    registry: Any = Registry().with_resources(resources)
    return jsonschema.Draft4Validator({"$ref": uri(name)}, registry=registry)


def _is_json(schema: str) -> bool:
    try:
        return isinstance(json.loads(schema), dict)
    except ValueError:
        return False


def _words(error: Any) -> Iterator[str]:
    """The messages of the validator that AWS uses (json-schema-validator), for its frequent complaints."""
    keyword, value, instance = str(error.validator), error.validator_value, error.instance
    compact = functools.partial(json.dumps, separators=(",", ":"))
    if keyword == "required":
        missing = sorted(name for name in value if name not in instance)
        if error.message.startswith(repr(missing[0])):  # jsonschema complains once for each
            yield f"object has missing required properties ({compact(missing)})"
    elif keyword == "type":
        allowed = sorted([value] if isinstance(value, str) else value)
        yield (
            f"instance type ({_type(instance)}) does not match any allowed primitive type (allowed: "
            f"{compact(allowed)})"
        )
    elif keyword == "enum":
        yield f"instance value ({compact(instance)}) not found in enum (possible values: {compact(value)})"
    elif keyword == "minLength":
        yield f"string {compact(instance)} is too short (length: {len(instance)}, required minimum: {value})"
    elif keyword == "maxLength":
        yield f"string {compact(instance)} is too long (length: {len(instance)}, maximum allowed: {value})"
    elif keyword == "minimum":
        yield f"numeric instance is lower than the required minimum (minimum: {value}, found: {instance})"
    elif keyword == "maximum":
        yield f"numeric instance is greater than the required maximum (maximum: {value}, found: {instance})"
    elif keyword == "pattern":
        yield f"ECMA 262 regex {compact(value)} does not match input string {compact(instance)}"
    elif keyword == "additionalProperties":
        known = set(error.schema.get("properties", ()))
        extra = sorted(name for name in instance if name not in known)
        yield f"object instance has properties which are not allowed by the schema: {compact(extra)}"
    else:
        yield error.message


def _type(instance: Any) -> str:
    if isinstance(instance, bool):
        return "boolean"
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return kinds.get(type(instance), "null")
