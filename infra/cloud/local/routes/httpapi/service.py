"""The service ``apigatewayv2``: HTTP APIs, from the operations that make them to the requests they answer.

WebSocket APIs, custom domain names, API mappings, VPC links, models and portals raise NotSimulated.
API reference: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/operations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...service import Call
from .gateway import Gateway
from .imports import Imports
from .model import Api

if TYPE_CHECKING:
    from ...world import World


class HttpApis(Imports):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._gateway = Gateway(world)

    def opened(self, api: Api) -> None:
        host = _host(api)
        self.world.http.register(host, lambda request: self._gateway.answer(api, request))

    def closed(self, api: Api) -> None:
        self.world.http.remove(_host(api))

    # -- tags ------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tags(call).update(call.params.get("Tags") or {})
        return {"$status": 201}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags(call)
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {"$status": 204}

    def GetTags(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self._tags(call))}

    def _tags(self, call: Call) -> dict[str, str]:
        """Of ``arn:aws:apigateway:region::/apis/id`` or ``…/stages/name``."""
        parts = call.params["ResourceArn"].partition("::")[2].strip("/").split("/")
        api = self.api(Call(call.service, call.operation, {"ApiId": parts[1]}, call.caller, call.region,
                            call.account))  # fmt: skip
        shown = api.shown
        if len(parts) > 3 and parts[3] in api.stages:
            shown = api.stages[parts[3]].shown
        tags: dict[str, str] = shown.setdefault("Tags", {})
        return tags


def _host(api: Api) -> str:
    return urlsplit(api.shown["ApiEndpoint"]).hostname or ""
