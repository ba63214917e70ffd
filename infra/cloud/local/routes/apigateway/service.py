"""The service ``apigateway``: REST APIs, as they are made and as they are called.

https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...service import Call
from .errors import not_found
from .pipeline import Gateway
from .plan_store import ApiKey, Plan, PlanStore
from .request_checks import check
from .store import RestApi
from .usage_plans import UsagePlans

if TYPE_CHECKING:
    from ...world import World


class ApiGateway(UsagePlans):
    """APIs by id; each answers at its own host."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.apis = {}
        self.account = {}
        self.usage = PlanStore()
        self.gateway = Gateway(world, self.usage)

    def publish(self, api: RestApi) -> None:
        self.world.http.register(self.host(api), lambda request: self.gateway.serve(api, request))

    def operation(self, name: str) -> Callable[[Call], dict[str, Any] | None]:
        found = super().operation(name)

        def checked(call: Call) -> dict[str, Any] | None:
            check(call)
            return found(call)

        return checked

    def forget_stage(self, api: RestApi, name: str) -> None:
        self.usage.forget_stage(api.id, name)

    def FlushStageCache(self, call: Call) -> dict[str, Any]:
        api, stage = self.stage(call)
        self.gateway.cache.forget(api.id, stage["stageName"])
        return {"$status": 202}

    def FlushStageAuthorizersCache(self, call: Call) -> dict[str, Any]:
        api, stage = self.stage(call)
        self.gateway.authorizers.forget(api.id, stage["stageName"])
        return {"$status": 202}

    # -- tags --------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        record = self._tagged(call)
        record["tags"] = {**record.get("tags", {}), **call.params["tags"]}
        return {"$status": 204}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        record = self._tagged(call)
        keys = set(call.params["tagKeys"])
        record["tags"] = {key: value for key, value in record.get("tags", {}).items() if key not in keys}
        return {"$status": 204}

    def GetTags(self, call: Call) -> dict[str, Any]:
        return {"tags": dict(self._tagged(call).get("tags", {}))}

    def _tagged(self, call: Call) -> dict[str, Any]:
        """``arn:aws:apigateway:REGION::/restapis/ID`` or that of one of its stages, of a key or a plan."""
        arn: str = call.params["resourceArn"]
        parts = arn.partition("::/")[2].split("/")
        owners: dict[str, Mapping[str, ApiKey | Plan]] = {
            "apikeys": self.usage.keys,
            "usageplans": self.usage.plans,
        }
        if parts[0] in owners:
            owner = owners[parts[0]].get(parts[-1])
            if owner is None:
                raise not_found("Invalid resource identifier specified")
            return owner.shown
        api = self.apis.get(parts[1]) if len(parts) > 1 and parts[0] == "restapis" else None
        if api is None:
            raise not_found("Invalid resource identifier specified")
        if len(parts) == 4 and parts[2] == "stages":
            found = api.stages.get(parts[3])
            if found is None:
                raise not_found("Invalid stage identifier specified")
            return found
        return api.settings
