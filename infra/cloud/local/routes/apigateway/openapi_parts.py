"""What an OpenAPI document declares for all of its methods: models, request validators, authorizers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ...service import NotSimulated
from .authorizer_settings import checked_authorizer
from .store import Record, RestApi

NewId = Callable[[], str]
_MODEL = re.compile(r'"#/(?:definitions|components/schemas)/([^"/]+)"')


def models(document: Record, api: str) -> Iterator[Record]:
    """The models, their references to each other as API Gateway writes them."""
    schemas = document.get("definitions") or (document.get("components") or {}).get("schemas") or {}
    for name, schema in schemas.items():
        text = _MODEL.sub(rf'"https://apigateway.amazonaws.com/restapis/{api}/models/\1"', json.dumps(schema))
        model: Record = {"name": re.sub(r"[^a-zA-Z0-9]", "", name), "schema": text}
        if isinstance(schema, dict) and schema.get("description"):
            model["description"] = schema["description"]
        yield {**model, "contentType": "application/json"}


def validators(api: RestApi, document: Record, new_id: NewId) -> dict[str, str]:
    """``x-amazon-apigateway-request-validators``: name -> id."""
    found: dict[str, str] = {}
    for name, given in (document.get("x-amazon-apigateway-request-validators") or {}).items():
        known = next((each["id"] for each in api.validators.values() if each.get("name") == name), None)
        found[name] = known or new_id()
        api.validators[found[name]] = {
            "id": found[name],
            "name": name,
            "validateRequestBody": bool(given.get("validateRequestBody", False)),
            "validateRequestParameters": bool(given.get("validateRequestParameters", False)),
        }
    return found


def security(api: RestApi, document: Record, new_id: NewId) -> dict[str, Record]:
    """Security scheme -> what it makes of a method; authorizers are made on the way."""
    schemes = document.get("securityDefinitions")
    schemes = schemes or (document.get("components") or {}).get("securitySchemes") or {}
    found: dict[str, Record] = {}
    for name, scheme in schemes.items():
        kind = str(scheme.get("x-amazon-apigateway-authtype", "")).lower()
        given = scheme.get("x-amazon-apigateway-authorizer")
        if given is not None:
            made = _authorizer(api, name, scheme, new_id)
            pools = api.authorizers[made]["type"] == "COGNITO_USER_POOLS"
            found[name] = {
                "authorizationType": "COGNITO_USER_POOLS" if pools else "CUSTOM",
                "authorizerId": made,
            }
        elif kind == "awssigv4":
            found[name] = {"authorizationType": "AWS_IAM"}
        elif scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
            found[name] = {"apiKeyRequired": True}
    return found


def _authorizer(api: RestApi, name: str, scheme: Record, new_id: NewId) -> str:
    given: Record = scheme["x-amazon-apigateway-authorizer"]
    kind = str(given.get("type", "token")).upper()
    if kind == "JWT":
        raise NotSimulated("NotSimulated: a JWT authorizer of a REST API - REST APIs have none")
    params: dict[str, Any] = {"name": name, "type": kind}
    for field in ("authorizerUri", "authorizerCredentials", "identitySource", "identityValidationExpression",
                  "authorizerResultTtlInSeconds", "providerARNs"):  # fmt: skip
        if given.get(field) is not None:
            params[field] = given[field]
    if scheme.get("x-amazon-apigateway-authtype"):
        params["authType"] = scheme["x-amazon-apigateway-authtype"]
    if kind in ("TOKEN", "COGNITO_USER_POOLS") and "identitySource" not in params:
        params["identitySource"] = f"method.request.header.{scheme.get('name', 'Authorization')}"
    made = checked_authorizer(params)
    known = next((each["id"] for each in api.authorizers.values() if each["name"] == name), None)
    identifier = known or new_id()
    api.authorizers[identifier] = {"id": identifier, **made}
    return identifier
