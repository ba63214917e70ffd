"""API keys: made, changed, listed. https://docs.aws.amazon.com/apigateway/latest/api/API_ApiKey.html

Lists begin with what was made last, and a name's query is a prefix with its case: so recorded on AWS by
LocalStack's tests (test_apigateway_extended.snapshot.json).
"""

from __future__ import annotations

import copy
import string
from typing import Any

from ...service import Call, NotSimulated
from .configuration import Configuration
from .errors import bad_request, conflict, not_found
from .patching import boolean, invalid_path, only_replace, patches, put
from .plan_store import ApiKey, PlanStore, Record

_CHARACTERS = string.ascii_letters + string.digits
_LENGTH = 40
_SHORTEST, _LONGEST = 20, 128


class ApiKeys(Configuration):
    """The operations on API keys."""

    usage: PlanStore

    def CreateApiKey(self, call: Call) -> dict[str, Any]:
        params = call.params
        value = params.get("value") or self._new_value()
        if len(value) < _SHORTEST:
            raise bad_request(f"API Key value should be at least {_SHORTEST} characters")
        if len(value) > _LONGEST:
            raise bad_request(f"API Key value exceeds maximum size of {_LONGEST} characters")
        if self.usage.key_of(call.region, value) is not None:
            raise conflict("API Key already exists")
        shown: Record = {"id": self.new_id(10), "value": value}
        for name in ("name", "customerId", "description"):
            put(shown, name, params.get(name))
        shown |= {
            "enabled": bool(params.get("enabled", False)),
            "createdDate": self.now(),
            "lastUpdatedDate": self.now(),
            "stageKeys": [
                f"{each['restApiId']}/{each['stageName']}" for each in params.get("stageKeys") or ()
            ],
        }
        put(shown, "tags", dict(params.get("tags") or {}) or None)
        self.usage.add_key(ApiKey(call.region, shown))
        return {"$status": 201, **copy.deepcopy(shown)}

    def GetApiKey(self, call: Call) -> dict[str, Any]:
        return _single(self.key(call, "apiKey"), bool(call.params.get("includeValue")))

    def GetApiKeys(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix, customer = params.get("nameQuery") or "", params.get("customerId")
        found = [
            _listed(key, bool(params.get("includeValues")))
            for key in reversed(self.usage.keys.values())
            if key.region == call.region
            and key.shown.get("name", "").startswith(prefix)
            and customer in (None, key.shown.get("customerId"))
        ]
        return self.page(found, call)

    def UpdateApiKey(self, call: Call) -> dict[str, Any]:
        key = self.key(call, "apiKey")
        changed = copy.deepcopy(key.shown)
        for patch in patches(call.params.get("patchOperations")):
            name = patch.path.removeprefix("/")
            if name == "stages":
                stages: list[str] = changed["stageKeys"]
                if patch.op == "add":
                    stages.append(patch.value or "")
                elif patch.value in stages:
                    stages.remove(patch.value)
                continue
            if name not in ("name", "description", "customerId", "enabled"):
                raise invalid_path(patch)
            only_replace(patch)
            if name == "enabled":
                changed[name] = boolean(patch.value)
            else:
                put(changed, name, patch.value)
        changed["lastUpdatedDate"] = self.now()
        key.shown = changed
        return _single(key, with_value=False)

    def DeleteApiKey(self, call: Call) -> dict[str, Any]:
        self.usage.remove_key(self.key(call, "apiKey"))
        return {"$status": 202}

    def ImportApiKeys(self, call: Call) -> dict[str, Any]:
        raise NotSimulated("NotSimulated: apigateway:ImportApiKeys - make each key with CreateApiKey")

    def key(self, call: Call, parameter: str) -> ApiKey:
        found = self.usage.keys.get(call.params[parameter])
        if found is None or found.region != call.region:
            raise not_found("Invalid API Key identifier specified")
        return found

    def _new_value(self) -> str:
        rng = self.kernel.rng("apigateway.keys")
        return "".join(rng.choice(_CHARACTERS) for _ in range(_LENGTH))


def _single(key: ApiKey, with_value: bool) -> Record:
    return {"tags": {}, **_listed(key, with_value)}


def _listed(key: ApiKey, with_value: bool) -> Record:
    return {name: copy.copy(value) for name, value in key.shown.items() if with_value or name != "value"}
