"""Authorizers, models, request validators, gateway responses and the account.

https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from ...service import Call, NotSimulated
from .authorizer_settings import checked_authorizer, patch_authorizer
from .callers import PRINCIPAL
from .deployments import Deployments
from .errors import bad_request, conflict, not_found
from .gateway_responses import TYPES, shown_response
from .patching import boolean, edit_map, invalid_path, only_replace, patches, put, replace_only
from .store import Record, RestApi

_MODEL_NAME = re.compile(r"[a-zA-Z0-9]+")
_EMPTY_SCHEMA = "Model schema must have at least 1 property or array items defined"
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+")
_NO_TRUST = (
    "The role ARN does not have required permissions configured. Please grant trust permission for API "
    "Gateway and add the required role policy."
)
_NO_VALIDATOR = "Invalid Request Validator identifier specified"


class Configuration(Deployments):
    """What methods refer to."""

    # -- authorizers -------------------------------------------------------------------------------

    def CreateAuthorizer(self, call: Call) -> dict[str, Any]:
        api = self.apis.get(call.params["restApiId"])
        if api is None:
            raise conflict(
                "Unable to complete operation due to concurrent modification. Please try again later."
            )
        name = call.params["name"]
        if any(each["name"] == name for each in api.authorizers.values()):
            raise bad_request(
                f"Authorizer name must be unique. Authorizer name {name} already exists in this RestApi."
            )
        authorizer = {"id": self.new_id(), **checked_authorizer(call.params)}
        api.authorizers[authorizer["id"]] = authorizer
        return {"$status": 201, **copy.deepcopy(authorizer)}

    def GetAuthorizer(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._authorizer(call)[1])

    def GetAuthorizers(self, call: Call) -> dict[str, Any]:
        return self.page([copy.deepcopy(each) for each in self.api(call).authorizers.values()], call)

    def UpdateAuthorizer(self, call: Call) -> dict[str, Any]:
        api, authorizer = self._authorizer(call)
        changed = copy.deepcopy(authorizer)
        for patch in patches(call.params.get("patchOperations")):
            patch_authorizer(changed, patch)
        api.authorizers[changed["id"]] = changed
        return copy.deepcopy(changed)

    def DeleteAuthorizer(self, call: Call) -> dict[str, Any]:
        api, authorizer = self._authorizer(call)
        for resource in api.resources.values():
            for verb, method in resource.methods.items():
                if method.get("authorizerId") == authorizer["id"]:
                    raise conflict(
                        f"Cannot delete authorizer '{authorizer['id']}', is referenced in method: "
                        f"{resource.path}/{verb}"
                    )
        del api.authorizers[authorizer["id"]]
        return {"$status": 202}

    def TestInvokeAuthorizer(self, call: Call) -> dict[str, Any]:
        raise NotSimulated("NotSimulated: apigateway:TestInvokeAuthorizer - call a method that uses it")

    # -- models ------------------------------------------------------------------------------------

    def CreateModel(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["name"]
        if not name:
            raise bad_request("Model name must be non-empty")
        if not _MODEL_NAME.fullmatch(name):
            raise bad_request(f"Model name must be alphanumeric: {name}")
        api = self.api(call)
        if name in api.models:
            raise conflict("Model name already exists for this REST API")
        model: Record = {"id": self.new_id(), "name": name}
        put(model, "description", params.get("description"))
        model["schema"] = check_schema(params.get("schema"), params["contentType"])
        model["contentType"] = params["contentType"]
        api.models[name] = model
        return {"$status": 201, **model}

    def GetModel(self, call: Call) -> dict[str, Any]:
        return dict(self._model(call)[1])

    def GetModels(self, call: Call) -> dict[str, Any]:
        found = sorted(self.api(call).models.values(), key=lambda model: str(model["name"]))
        return self.page([dict(model) for model in found], call)

    def UpdateModel(self, call: Call) -> dict[str, Any]:
        api, model = self._model(call)
        changed = dict(model)
        for patch in patches(call.params.get("patchOperations")):
            replace_only(patch, ("/description", "/schema"))
            if patch.path == "/schema":
                changed["schema"] = check_schema(patch.value, changed["contentType"])
            else:
                put(changed, "description", patch.value)
        api.models[changed["name"]] = changed
        return dict(changed)

    def DeleteModel(self, call: Call) -> dict[str, Any]:
        api, model = self._model(call)
        name = model["name"]
        for resource in api.resources.values():
            for verb, method in resource.methods.items():
                if name in (method.get("requestModels") or {}).values():
                    raise conflict(
                        f"Cannot delete model '{name}', is referenced in method request: "
                        f"{resource.path.rstrip('/') or '/'}/{verb}"
                    )
        del api.models[name]
        return {"$status": 202}

    # -- request validators ------------------------------------------------------------------------

    def CreateRequestValidator(self, call: Call) -> dict[str, Any]:
        api = self.apis.get(call.params["restApiId"])
        if api is None:
            raise bad_request("Invalid REST API identifier specified")
        validator: Record = {"id": self.new_id()}
        put(validator, "name", call.params.get("name"))
        for field in ("validateRequestBody", "validateRequestParameters"):
            validator[field] = bool(call.params.get(field, False))
        api.validators[validator["id"]] = validator
        return {"$status": 201, **validator}

    def GetRequestValidator(self, call: Call) -> dict[str, Any]:
        return dict(self._validator(call)[1])

    def GetRequestValidators(self, call: Call) -> dict[str, Any]:
        return self.page([dict(each) for each in self.api(call).validators.values()], call)

    def UpdateRequestValidator(self, call: Call) -> dict[str, Any]:
        _, validator = self._validator(call)
        changed = dict(validator)
        accepted = ("/name", "/validateRequestParameters", "/validateRequestBody")
        for patch in patches(call.params.get("patchOperations")):
            replace_only(patch, accepted)
            if patch.path == "/name":
                if not patch.value:
                    raise bad_request("Request Validator name cannot be blank")
                changed["name"] = patch.value
            else:
                changed[patch.parts[0]] = boolean(patch.value)
        validator.update(changed)
        return dict(validator)

    def DeleteRequestValidator(self, call: Call) -> dict[str, Any]:
        api, validator = self._validator(call)
        del api.validators[validator["id"]]
        return {"$status": 202}

    # -- gateway responses -------------------------------------------------------------------------

    def PutGatewayResponse(self, call: Call) -> dict[str, Any]:
        params, kind = call.params, call.params["responseType"]
        api = self.api(call)
        api.gateway_responses[kind] = {
            name: copy.deepcopy(params[name])
            for name in ("statusCode", "responseParameters", "responseTemplates")
            if params.get(name)
        }
        return {"$status": 201, **shown_response(api.gateway_responses, kind)}

    def GetGatewayResponse(self, call: Call) -> dict[str, Any]:
        kind = call.params["responseType"]
        return shown_response(self.api(call).gateway_responses, kind)

    def GetGatewayResponses(self, call: Call) -> dict[str, Any]:
        known = self.api(call).gateway_responses
        return self.page([shown_response(known, kind) for kind in sorted(TYPES)], call)

    def UpdateGatewayResponse(self, call: Call) -> dict[str, Any]:
        kind = call.params["responseType"]
        api = self.api(call)
        changed = copy.deepcopy(api.gateway_responses.get(kind) or {})
        for patch in patches(call.params.get("patchOperations")):
            name = patch.parts[0] if patch.parts else ""
            if name in ("responseParameters", "responseTemplates"):
                if patch.op != "remove" and not patch.value:
                    raise bad_request(f"Invalid null or empty value in {name}")
                missing = "Invalid parameter name specified"
                edit_map(changed, patch, convert=lambda value: value or "", missing=missing)
            elif name == "statusCode" and patch.op == "replace":
                put(changed, name, patch.value)
            else:
                raise invalid_path(patch)
        api.gateway_responses[kind] = changed
        return shown_response(api.gateway_responses, kind)

    def DeleteGatewayResponse(self, call: Call) -> dict[str, Any]:
        kind = call.params["responseType"]
        if self.api(call).gateway_responses.pop(kind, None) is None:
            raise not_found("Gateway response type not defined on api")
        return {"$status": 202}

    # -- the account -------------------------------------------------------------------------------

    def GetAccount(self, call: Call) -> dict[str, Any]:
        return {
            **self.account,
            "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
            "features": ["UsagePlans"],
            "apiKeyVersion": "4",
        }

    def UpdateAccount(self, call: Call) -> dict[str, Any]:
        """The role that API Gateway writes to CloudWatch Logs with."""
        for patch in patches(call.params.get("patchOperations")):
            if patch.path != "/cloudwatchRoleArn":
                raise invalid_path(patch)
            only_replace(patch)
            source = f"arn:aws:apigateway:{call.region}:{call.account}:/account"
            role = patch.value or ""
            if role and not (
                _ROLE.fullmatch(role) and self.world.identity.may_assume(role, PRINCIPAL, source)
            ):
                raise bad_request(_NO_TRUST)
            put(self.account, "cloudwatchRoleArn", patch.value)
        return self.GetAccount(call)

    # -- parts -------------------------------------------------------------------------------------

    def _authorizer(self, call: Call) -> tuple[RestApi, Record]:
        api = self.api(call)
        found = api.authorizers.get(call.params["authorizerId"])
        if found is None:
            raise not_found("Invalid Authorizer identifier specified")
        return api, found

    def _model(self, call: Call) -> tuple[RestApi, Record]:
        name = call.params["modelName"]
        api = self.apis.get(call.params["restApiId"])
        found = api.models.get(name) if api is not None else None
        if api is None or found is None:
            raise not_found(f"Invalid model name specified: {name}")
        return api, found

    def _validator(self, call: Call) -> tuple[RestApi, Record]:
        api = self.apis.get(call.params["restApiId"])
        found = api.validators.get(call.params["requestValidatorId"]) if api is not None else None
        if api is None or found is None:
            raise not_found(_NO_VALIDATOR)
        return api, found


def check_schema(schema: str | None, content_type: str) -> str:
    """A model's JSON schema, as text. Raises ServiceError."""
    if not schema:
        raise bad_request(_EMPTY_SCHEMA)
    if "json" in content_type:
        try:
            parsed = json.loads(schema)
        except ValueError:
            raise bad_request(f"Invalid model schema specified: {schema}") from None
        if parsed in ({}, ""):
            raise bad_request(_EMPTY_SCHEMA)
    return schema
