"""The paths of an OpenAPI document, made resources and methods.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...service import ServiceError
from .errors import bad_request
from .integration_rules import checked
from .openapi_parts import NewId
from .resource_rules import check_method, check_part
from .store import Record, Resource, RestApi

_ANY = "x-amazon-apigateway-any-method"
_VERBS = ("get", "put", "post", "delete", "options", "head", "patch")


class Importer:
    """The paths of a document, one method after the other."""

    def __init__(
        self,
        api: RestApi,
        document: Record,
        new_id: NewId,
        named_validators: Mapping[str, str],
        schemes: Mapping[str, Record],
        prefix: str,
    ) -> None:
        self._api = api
        self._document = document
        self._new_id = new_id
        self._validators = named_validators
        self._schemes = schemes
        self._prefix = prefix
        self._warnings: list[str] = []

    def run(self) -> list[str]:
        """Raises ServiceError; returns what was left out, in AWS's words."""
        for path, item in (self._document.get("paths") or {}).items():
            resource = self._resource(self._prefix + path)
            for verb, operation in _operations(item):
                shared = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
                method = self._method(verb, operation, [self._resolved(each) for each in shared])
                try:
                    check_method(self._api, method)
                except ServiceError as error:
                    raise _failed(
                        f"Unable to put method '{verb}' on resource at path '{path}'", error
                    ) from None
                try:
                    method |= self._integration(operation, resource, verb)
                except ServiceError as error:
                    where = f"'{verb}' for resource at path '{path}'"
                    raise _failed(f"Unable to put integration on {where}", error) from None
                resource.methods[verb] = method
        return self._warnings

    def _resource(self, path: str) -> Resource:
        """The resource at a path, made with its parents where they are missing."""
        found = self._api.root
        for part in [part for part in path.split("/") if part]:
            child = self._api.child(found.id, part)
            if child is None:
                try:
                    check_part(self._api, found, part)
                except ServiceError as error:
                    raise _failed(f"Unable to create resource at path '{path}'", error) from None
                child = Resource(self._new_id(), found.id, part, f"{found.path.rstrip('/')}/{part}")
                self._api.resources[child.id] = child
            found = child
        return found

    def _resolved(self, part: Record) -> Record:
        """What a ``$ref`` inside of the document points to."""
        if "$ref" not in part:
            return part
        found: Any = self._document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        assert isinstance(found, dict)
        return found

    def _method(self, verb: str, operation: Record, parameters: list[Record]) -> Record:
        method: Record = {
            "httpMethod": verb,
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            **self._authorization(operation),
        }
        if operation.get("operationId"):
            method["operationName"] = operation["operationId"]
        required: Record = {}
        bodies: Record = {}
        places = {"query": "querystring", "path": "path", "header": "header"}
        for each in parameters:
            if each["in"] in places:
                name = f"method.request.{places[each['in']]}.{each['name']}"
                required[name] = bool(each.get("required", False))
            elif each["in"] == "body":
                kinds = operation.get("consumes") or self._document.get("consumes") or ["application/json"]
                bodies |= {kind: each.get("schema") or {} for kind in kinds}
        content = self._resolved(operation.get("requestBody") or {}).get("content") or {}
        bodies |= {kind: each.get("schema") or {} for kind, each in content.items()}
        if required:
            method["requestParameters"] = required
        chosen = {kind: self._model(schema) for kind, schema in bodies.items() if schema}
        if chosen:
            method["requestModels"] = chosen
        validator = operation.get(
            "x-amazon-apigateway-request-validator",
            self._document.get("x-amazon-apigateway-request-validator"),
        )
        if validator:
            if validator not in self._validators:
                raise bad_request(f"Invalid Request Validator identifier specified: {validator}")
            method["requestValidatorId"] = self._validators[validator]
        responses = {
            str(status): self._response(str(status), self._resolved(response or {}), operation)
            for status, response in (operation.get("responses") or {}).items()
            if str(status).isdigit()
        }
        if responses:
            method["methodResponses"] = responses
        return method

    def _response(self, status: str, response: Record, operation: Record) -> Record:
        made: Record = {"statusCode": status}
        headers = response.get("headers") or {}
        if headers:
            made["responseParameters"] = {f"method.response.header.{name}": False for name in headers}
        kinds = operation.get("produces") or self._document.get("produces") or ["application/json"]
        bodies: Record = dict.fromkeys(kinds, response["schema"]) if response.get("schema") else {}
        bodies |= {
            kind: each["schema"]
            for kind, each in (response.get("content") or {}).items()
            if each.get("schema")
        }
        if bodies:
            made["responseModels"] = {kind: self._model(schema) for kind, schema in bodies.items()}
        return made

    def _model(self, schema: Record) -> str:
        """The name of the model of a schema: the one it refers to, or a new one for an inline schema."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        text = json.dumps(schema)
        for model in self._api.models.values():
            if model["schema"] == text:
                return str(model["name"])
        name = f"MODEL{self._new_id()}"
        self._api.models[name] = {
            "id": self._new_id(),
            "name": name,
            "schema": text,
            "contentType": "application/json",
        }
        return name

    def _authorization(self, operation: Record) -> Record:
        own = operation.get("x-amazon-apigateway-auth")
        found: Record = {}
        if own:
            found["authorizationType"] = str(own["type"]).upper()
        wanted = operation["security"] if "security" in operation else self._document.get("security")
        for requirement in wanted or ():
            for name, scopes in requirement.items():
                found |= self._schemes.get(name, {})
                if scopes and found.get("authorizerId"):
                    found["authorizationScopes"] = list(scopes)
        return found

    def _texts(self, given: Record, resource: Resource, verb: str) -> Record:
        """Only texts map parameters; others are left out with a warning."""
        for name, value in given.items():
            if not isinstance(value, str):
                shown = str(value).lower() if isinstance(value, bool) else str(value)
                self._warnings.append(
                    f"Invalid format for 'requestParameters'. Expected type string for property '{name}' of "
                    f"resource '{resource.path}' and method '{verb}' but got '{shown}'"
                )
        return {name: value for name, value in given.items() if isinstance(value, str)}

    def _integration(self, operation: Record, resource: Resource, verb: str) -> Record:
        given = operation.get("x-amazon-apigateway-integration")
        if not given:
            return {}
        names = (
            "uri", "credentials", "requestParameters", "requestTemplates", "passthroughBehavior",
            "contentHandling", "timeoutInMillis", "cacheNamespace", "cacheKeyParameters", "connectionType",
            "connectionId", "tlsConfig", "responseTransferMode",
        )  # fmt: skip
        params: Record = {name: given[name] for name in names if given.get(name) is not None}
        if "requestParameters" in params:
            params["requestParameters"] = self._texts(params["requestParameters"], resource, verb)
        for name in ("passthroughBehavior", "contentHandling", "connectionType"):
            if name in params:
                params[name] = str(params[name]).upper()
        params["type"] = str(given.get("type", "")).upper()
        params["integrationHttpMethod"] = str(given.get("httpMethod") or "").upper()
        integration = checked(params, resource.id)
        responses: Record = {}
        for pattern, response in (given.get("responses") or {}).items():
            status = str(response["statusCode"])
            made: Record = {"statusCode": status}
            if pattern != "default":
                made["selectionPattern"] = str(pattern)
            for name in ("responseParameters", "responseTemplates"):
                if response.get(name):
                    made[name] = dict(response[name])
            if response.get("contentHandling"):
                made["contentHandling"] = str(response["contentHandling"]).upper()
            responses[status] = made
        if responses:
            integration["integrationResponses"] = responses
        return {"methodIntegration": integration}


def _failed(what: str, error: ServiceError) -> ServiceError:
    return bad_request(f"Errors found during import:\n\t{what}: {error.message}")


def _operations(item: Record) -> Iterator[tuple[str, Record]]:
    for verb in _VERBS:
        if verb in item:
            yield verb.upper(), item[verb]
    if _ANY in item:
        yield "ANY", item[_ANY]
