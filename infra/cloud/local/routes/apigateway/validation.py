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
    validator = _validator(str(model["name"]), schemas)
    return [said for error in validator.iter_errors(document) for said in _words(error, validator)]


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


_OF_SIZE = {
    "minItems": "array is too short: must have at least {limit} elements but instance has {found} elements",
    "maxItems": "array is too long: must have at most {limit} elements but instance has {found} elements",
    "minProperties": "object has too few properties (found {found} but schema requires at least {limit})",
    "maxProperties": "object has too many properties (found {found} but schema requires at most {limit})",
}


def _words(error: Any, validator: Any) -> Iterator[str]:
    """The messages of the validator that AWS uses (https://github.com/java-json-tools/json-schema-validator,
    src/main/resources/com/github/fge/jsonschema/validator/validation.properties). Those of sizes, multiples
    and alternatives are remembered: the file could not be read when they were written."""
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
    elif keyword == "minimum" and error.schema.get("exclusiveMinimum"):
        yield f"numeric instance is not strictly greater than the required minimum {value}"
    elif keyword == "maximum" and error.schema.get("exclusiveMaximum"):
        yield f"numeric instance is not strictly lower than the required maximum {value}"
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
    elif keyword in _OF_SIZE:
        yield _OF_SIZE[keyword].format(limit=value, found=len(instance))
    elif keyword == "multipleOf":
        yield f"remainder of division is not zero ({compact(instance)} / {compact(value)})"
    elif keyword == "anyOf":
        yield f"instance failed to match at least one required schema among {len(value)}"
    elif keyword == "oneOf":
        matched = sum(validator.evolve(schema=each).is_valid(instance) for each in value)
        yield f"instance failed to match exactly one schema (matched {matched} out of {len(value)})"
    elif keyword == "uniqueItems":
        yield "array must not contain duplicate elements"
    elif keyword == "not":
        yield "instance matched a schema which it should not have"
    else:
        yield f"instance does not match the schema's {keyword}"  # an estimate: its words are not known here


def _type(instance: Any) -> str:
    if isinstance(instance, bool):
        return "boolean"
    kinds = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return kinds.get(type(instance), "null")
