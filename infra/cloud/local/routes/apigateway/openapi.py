"""An API from an OpenAPI 2.0 or 3.0 document with API Gateway's extensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]

from .errors import bad_request
from .gateway_responses import TYPES
from .openapi_methods import Importer
from .openapi_parts import NewId, models, security, validators
from .store import Record, RestApi


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
) -> list[str]:
    """Put what the document describes into the API: ``overwrite`` drops what was there, else it is merged.

    Returns the warnings. Raises ServiceError for what API Gateway would not import.
    """
    if overwrite:
        for each in list(api.resources.values()):
            if each is api.root:
                each.methods.clear()
            else:
                del api.resources[each.id]
        api.models.clear()
        api.authorizers.clear()
        api.validators.clear()
        api.gateway_responses.clear()
    _settings(api, document, overwrite)
    for model in models(document, api.id):
        before = api.models.get(model["name"])
        api.models[model["name"]] = {"id": before["id"] if before else new_id(), **model}
    named_validators = validators(api, document, new_id)
    schemes = security(api, document, new_id)
    return Importer(api, document, new_id, named_validators, schemes, _prefix(document, base_path)).run()


def _settings(api: RestApi, document: Record, overwrite: bool) -> None:
    info = document.get("info") or {}
    settings = api.settings
    if info.get("title"):
        settings["name"] = info["title"]
    for name in ("description", "version"):
        if info.get(name):
            settings[name] = str(info[name])
    kinds = document.get("x-amazon-apigateway-binary-media-types")
    if kinds:
        before = () if overwrite else settings.get("binaryMediaTypes", ())
        settings["binaryMediaTypes"] = list(dict.fromkeys([*before, *kinds]))
    elif overwrite:
        settings.pop("binaryMediaTypes", None)
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
    """What comes in front of the document's paths: nothing (``ignore``), its base path (``prepend``), or that
    without its first part (``split``).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html
    """
    path: str = document.get("basePath") or ""
    servers = document.get("servers") or ()
    if servers:
        variable = (servers[0].get("variables") or {}).get("basePath") or {}
        path = variable.get("default") or urlsplit(str(servers[0].get("url", ""))).path
    path = path.strip("/")
    if mode == "split":
        path = path.partition("/")[2]
    return f"/{path}" if path and mode in ("prepend", "split") else ""
