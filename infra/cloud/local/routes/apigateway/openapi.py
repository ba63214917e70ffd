"""An API from an OpenAPI 2.0 or 3.0 document with API Gateway's extensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

from ...service import NotSimulated, ServiceError
from .errors import bad_request
from .gateway_responses import TYPES
from .integration_rules import checked
from .openapi_parts import models, security, validators
from .store import Record, Resource, RestApi

_VERBS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
NewId = Callable[[], str]


def read(body: Any) -> Record:
    """The document: JSON or YAML, bytes or text. Raises ServiceError."""
    text = body.read() if hasattr(body, "read") else body
    text = text.decode("utf-8") if isinstance(text, bytes | bytearray) else text
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError:
            document = None
    version = (
        str(document.get("swagger") or document.get("openapi") or "") if isinstance(document, dict) else ""
    )
    if not version.startswith(("2.", "3.0")):
        raise bad_request("Invalid OpenAPI input.")
    assert isinstance(document, dict)
    return document


def apply(
    api: RestApi, document: Record, new_id: NewId, *, overwrite: bool, base_path: str = "ignore"
) -> None:
    """Put what the document describes into the API: ``overwrite`` drops what was there, else it is merged.

    Raises ServiceError for what API Gateway would not import.
    """
    if overwrite:
        for each in list(api.resources.values()):
            if each is api.root:
                each.methods.clear()
            else:
                del api.resources[each.id]
        api.authorizers.clear()
        api.validators.clear()
        api.gateway_responses.clear()
    _settings(api, document, overwrite)
    for model in models(document, api.id):
        before = api.models.get(model["name"])
        api.models[model["name"]] = {"id": before["id"] if before else new_id(), **model}
    named_validators = validators(api, document, new_id)
    schemes = security(api, document, new_id)
    _Importer(api, document, new_id, named_validators, schemes, _prefix(document, base_path)).run()


def _settings(api: RestApi, document: Record, overwrite: bool) -> None:
    info = document.get("info") or {}
    settings = api.settings
    if overwrite and info.get("title"):
        settings["name"] = info["title"]
    for name in ("description", "version"):
        if info.get(name):
            settings[name] = str(info[name])
    kinds = document.get("x-amazon-apigateway-binary-media-types")
    if kinds:
        settings["binaryMediaTypes"] = list(dict.fromkeys([*settings.get("binaryMediaTypes", ()), *kinds]))
    if document.get("x-amazon-apigateway-minimum-compression-size") is not None:
        settings["minimumCompressionSize"] = int(document["x-amazon-apigateway-minimum-compression-size"])
    if document.get("x-amazon-apigateway-api-key-source"):
        settings["apiKeySource"] = document["x-amazon-apigateway-api-key-source"].upper()
    if document.get("x-amazon-apigateway-policy"):
        settings["policy"] = json.dumps(document["x-amazon-apigateway-policy"])
    for kind, response in (document.get("x-amazon-apigateway-gateway-responses") or {}).items():
        if kind not in TYPES:
            raise bad_request(f"Unable to put gateway response due to invalid response type: {kind}")
        kept = {"responseParameters", "responseTemplates"}
        api.gateway_responses[kind] = {
            name: copy.deepcopy(response[name]) for name in kept if name in response
        }
        if response.get("statusCode") is not None:
            api.gateway_responses[kind]["statusCode"] = str(response["statusCode"])


def _prefix(document: Record, mode: str) -> str:
    """With ``basepath=prepend`` the document's base path comes in front of its paths."""
    path: str = document.get("basePath") or ""
    if mode == "split":
        raise NotSimulated("NotSimulated: an import with basepath=split - use ignore or prepend")
    return path.rstrip("/") if mode == "prepend" else ""


class _Importer:
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

    def run(self) -> None:
        for path, item in (self._document.get("paths") or {}).items():
            resource = self._resource(self._prefix + path)
            for verb, operation in _operations(item):
                shared = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
                method = self._method(verb, operation, [self._resolved(each) for each in shared])
                try:
                    method |= self._integration(operation, resource)
                except ServiceError as error:
                    where = f"'{verb}' for resource at path '{path}'"
                    raise bad_request(f"Unable to put integration on {where}: {error.message}") from None
                resource.methods[verb] = method

    def _resource(self, path: str) -> Resource:
        """The resource at a path, made with its parents where they are missing."""
        found = self._api.root
        for part in [part for part in path.split("/") if part]:
            child = self._api.child(found.id, part)
            if child is None:
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

    def _integration(self, operation: Record, resource: Resource) -> Record:
        given = operation.get("x-amazon-apigateway-integration")
        if not given:
            return {}
        names = (
            "uri", "credentials", "requestParameters", "requestTemplates", "passthroughBehavior",
            "contentHandling", "timeoutInMillis", "cacheNamespace", "cacheKeyParameters", "connectionType",
            "connectionId", "tlsConfig", "responseTransferMode",
        )  # fmt: skip
        params: Record = {name: given[name] for name in names if given.get(name) is not None}
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


def _operations(item: Record) -> Iterator[tuple[str, Record]]:
    for verb in _VERBS:
        if verb in item:
            yield verb.upper(), item[verb]
    if _ANY in item:
        yield "ANY", item[_ANY]
