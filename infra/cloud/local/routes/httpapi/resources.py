"""What the operations of ``apigatewayv2`` have in common: finding, listing, changing."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ...service import Call, NotSimulated, Service
from ..paging import page_of
from .model import Api, Shown, bad, missing

if TYPE_CHECKING:
    from ...world import World

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_IDS = ("ApiId", "RouteId", "IntegrationId")


class Resources(Service):
    """The APIs of a world, by their id."""

    name = "apigatewayv2"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.apis: dict[str, Api] = {}

    def api(self, call: Call) -> Api:
        identifier = call.params["ApiId"]
        found = self.apis.get(identifier)
        if found is None:
            raise missing("API", f"{call.account}:{identifier}")
        return found

    def found(self, collection: dict[str, Shown], call: Call, kind: str) -> Shown:
        """One of an API's resources; ``kind`` is ``Route``, ``Integration``, ``Authorizer``."""
        identifier = call.params[f"{kind}Id"]
        found = collection.get(identifier)
        if found is None:
            raise missing(kind, identifier)
        return found

    def new_id(self, length: int) -> str:
        rng = self.kernel.rng("apigatewayv2.ids")
        return "".join(rng.choice(_LETTERS) for _ in range(length))

    def now(self) -> datetime.datetime:
        """To the second, as the API shows times."""
        return self.world.datetime().replace(microsecond=0)

    def page(self, items: list[Shown], call: Call) -> dict[str, Any]:
        size = int(call.params.get("MaxResults") or 100)
        chosen, token = page_of(
            items, call.params.get("NextToken"), size, lambda: bad("Invalid value for NextToken")
        )
        return {"Items": chosen, **({"NextToken": token} if token else {})}


def settings(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters without the ids in the path."""
    return {name: value for name, value in params.items() if name not in _IDS}


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Maps are merged key by key, and an empty text removes a key; the rest is replaced."""
    result = dict(old)
    for name, value in new.items():
        if name in ("RequestParameters", "StageVariables") and isinstance(value, dict):
            result[name] = _without_empty({**result.get(name, {}), **value})
        elif name == "ResponseParameters" and isinstance(value, dict):
            whole = dict(result.get(name, {}))
            for status, mappings in value.items():
                whole[status] = _without_empty({**whole.get(status, {}), **mappings}) if mappings else {}
            result[name] = {status: mappings for status, mappings in whole.items() if mappings}
        else:
            result[name] = value
    return result


def _without_empty(texts: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text != ""}


def refuse(given: dict[str, Any], *names: str) -> None:
    """Raise NotSimulated for a setting that only WebSocket APIs have, or that does nothing here."""
    for name in names:
        if given.get(name):
            raise NotSimulated(
                f"NotSimulated: apigatewayv2 {name} - not a setting of the simulated HTTP APIs"
            )
