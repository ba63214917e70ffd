"""HTTP APIs from OpenAPI 3.0 documents, with API Gateway's extensions, as AWS SAM writes them too.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

from ...service import Call
from .apis import Apis
from .model import Api, Configuration, bad

ANY = "x-amazon-apigateway-any-method"
_EXTENSION = "x-amazon-apigateway-integration"
_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", ANY)
_NAMES = {
    "connectionType": "ConnectionType",
    "credentials": "CredentialsArn",
    "description": "Description",
    "httpMethod": "IntegrationMethod",
    "integrationSubtype": "IntegrationSubtype",
    "payloadFormatVersion": "PayloadFormatVersion",
    "requestParameters": "RequestParameters",
    "responseParameters": "ResponseParameters",
    "timeoutInMillis": "TimeoutInMillis",
    "uri": "IntegrationUri",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``security`` is the name of a scheme ("": none) and scopes."""

    route_key: str
    integration: Mapping[str, Any] | None
    security: str
    scopes: tuple[str, ...]
    name: str


class Imports(Apis):
    def ImportApi(self, call: Call) -> dict[str, Any]:
        document = read(call.params["Body"])
        api = self.make_api({"ProtocolType": "HTTP", **described(document)})
        self._fill(api, document)
        return {"$status": 201, **api.shown}

    def ReimportApi(self, call: Call) -> dict[str, Any]:
        api, document = self.api(call), read(call.params["Body"])
        api.current = Configuration()
        api.shown.pop("CorsConfiguration", None)
        api.shown.update(described(document))
        self._fill(api, document)
        return {"$status": 201, **api.shown}

    def _fill(self, api: Api, document: Mapping[str, Any]) -> None:
        api.current.cors = api.shown.get("CorsConfiguration")
        schemes = (document.get("components") or {}).get("securitySchemes") or {}
        authorizers: dict[str, str] = {}
        made: dict[str, str] = {}
        for operation in operations(document):
            route: dict[str, Any] = {"RouteKey": operation.route_key}
            if operation.name:
                route["OperationName"] = operation.name
            if operation.integration is not None:
                given = {"PayloadFormatVersion": "1.0", **integration(operation.integration)}
                key = json.dumps(given, sort_keys=True)
                if key not in made:
                    made[key] = self.add_integration(api, given)["IntegrationId"]
                route["Target"] = f"integrations/{made[key]}"
            scheme = schemes.get(operation.security, {})
            extension = scheme.get("x-amazon-apigateway-authorizer")
            if scheme.get("x-amazon-apigateway-authtype", "").lower() == "awssigv4":
                route["AuthorizationType"] = "AWS_IAM"
            elif extension is not None:
                name = operation.security
                if name not in authorizers:
                    authorizers[name] = self.add_authorizer(api, authorizer(name, extension))["AuthorizerId"]
                jwt = str(extension.get("type", "")).lower() == "jwt"
                route |= {"AuthorizationType": "JWT" if jwt else "CUSTOM", "AuthorizerId": authorizers[name]}
                if jwt and operation.scopes:
                    route["AuthorizationScopes"] = list(operation.scopes)
            elif operation.security:
                raise bad(f"Warnings found during import: no authorizer is defined for {operation.security}")
            self.add_route(api, route)


def read(body: str) -> Mapping[str, Any]:
    """The document, JSON or YAML. Raises BadRequestException."""
    try:
        document = yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise bad(f"Invalid OpenAPI input: {error}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.0"):
        raise bad("Invalid OpenAPI input. HTTP APIs take OpenAPI 3.0 documents")
    return document


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """The API's own settings."""
    info = document.get("info") or {}
    found: dict[str, Any] = {"Name": info.get("title", "")}
    if "version" in info:
        found["Version"] = str(info["version"])
    if "description" in info:
        found["Description"] = info["description"]
    cors = document.get("x-amazon-apigateway-cors")
    if cors:
        found["CorsConfiguration"] = {name[:1].upper() + name[1:]: value for name, value in cors.items()}
    endpoint = document.get("x-amazon-apigateway-endpoint-configuration") or {}
    if "disableExecuteApiEndpoint" in endpoint:
        found["DisableExecuteApiEndpoint"] = endpoint["disableExecuteApiEndpoint"]
    tags = {tag["name"]: tag["x-amazon-apigateway-tag-value"] for tag in document.get("tags") or ()
            if "x-amazon-apigateway-tag-value" in tag}  # fmt: skip
    return {**found, "Tags": tags} if tags else found


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    components = document.get("components") or {}
    shared = components.get("x-amazon-apigateway-integrations") or {}
    for path, methods in (document.get("paths") or {}).items():
        for method, operation in methods.items():
            if method not in _METHODS or not isinstance(operation, dict):
                continue
            found = operation.get(_EXTENSION)
            if found and "$ref" in found:
                found = shared.get(found["$ref"].rpartition("/")[2])
            if path.strip("/") == "$default":
                key = "$default"
            else:
                key = f"{'ANY' if method == ANY else method.upper()} {path}"
            name, scopes = _security(operation.get("security", document.get("security")))
            yield Operation(key, found, name, scopes, operation.get("operationId", ""))


def integration(found: Mapping[str, Any]) -> dict[str, Any]:
    """The extension as the API's own parameters."""
    given = {_NAMES[name]: value for name, value in found.items() if name in _NAMES}
    given["IntegrationType"] = str(found.get("type", "")).upper()
    if "IntegrationSubtype" in given:
        given.pop("IntegrationMethod", None)
    return given


def authorizer(name: str, extension: Mapping[str, Any]) -> dict[str, Any]:
    source = extension.get("identitySource") or []
    given: dict[str, Any] = {"Name": name, "AuthorizerType": str(extension.get("type", "")).upper()}
    sources = [each.strip() for each in source.split(",")] if isinstance(source, str) else list(source)
    if sources:
        given["IdentitySource"] = sources
    if "jwtConfiguration" in extension:
        jwt = extension["jwtConfiguration"]
        given["JwtConfiguration"] = {"Issuer": jwt.get("issuer"), "Audience": jwt.get("audience")}
    for key, parameter in (
        ("authorizerUri", "AuthorizerUri"),
        ("authorizerCredentials", "AuthorizerCredentialsArn"),
        ("authorizerPayloadFormatVersion", "AuthorizerPayloadFormatVersion"),
        ("authorizerResultTtlInSeconds", "AuthorizerResultTtlInSeconds"),
        ("enableSimpleResponses", "EnableSimpleResponses"),
    ):
        if key in extension:
            given[parameter] = extension[key]
    return given


def _security(security: Any) -> tuple[str, tuple[str, ...]]:
    for one in security or ():
        for name, scopes in one.items():
            if name != "NONE":
                return name, tuple(scopes)
    return "", ()
