"""API destinations: their operations, and an invocation over HTTP.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html: a request ends after 5
seconds; the rate limit spreads invocations evenly.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...access.identity import refusal
from ...kernel import SECOND
from ...service import Call, Caller, ServiceError
from ..http import HttpResponse, Unreachable
from . import errors, http_requests
from .connections import Connection, Connections
from .model import Event, Target
from .retries import own_error
from .store import page

if TYPE_CHECKING:
    from ...world import World

DEFAULT_RATE = 300


@dataclasses.dataclass(eq=False, slots=True)
class ApiDestination:
    name: str
    arn: str
    connection: str
    endpoint: str
    method: str
    rate: int
    created: int
    modified: int
    description: str | None = None
    next_turn: int = 0  # µs: when the rate limit lets the next invocation go


class ApiDestinations(Connections):
    """The operations on API destinations."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.destinations: dict[tuple[str, str, str], ApiDestination] = {}

    def CreateApiDestination(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["Name"]
        key = (call.region, call.account, name)
        if key in self.destinations:
            raise errors.exists(f"An api-destination '{name}' already exists.")
        self._connected(params["ConnectionArn"])
        now = self.kernel.now
        destination = self.destinations[key] = ApiDestination(
            name,
            f"arn:aws:events:{call.region}:{call.account}:api-destination/{name}/{self.new_id()}",
            params["ConnectionArn"],
            params["InvocationEndpoint"],
            params["HttpMethod"],
            params.get("InvocationRateLimitPerSecond", DEFAULT_RATE),
            now,
            now,
            params.get("Description"),
        )
        return self._made(destination)

    def _connected(self, arn: str) -> Connection:
        _, _, _, region, account, resource = arn.split(":", 5)
        name = resource.split("/")[1]
        connection = self.connections.get((region, account, name))
        if connection is None or connection.arn != arn:
            raise errors.not_found(f"Connection '{name}' does not exist.")
        return connection

    def _made(self, destination: ApiDestination) -> dict[str, Any]:
        connection = self._connected(destination.connection)
        return {
            "ApiDestinationArn": destination.arn,
            "ApiDestinationState": "ACTIVE" if connection.state == "AUTHORIZED" else "INACTIVE",
            "CreationTime": self.world.datetime(destination.created),
            "LastModifiedTime": self.world.datetime(destination.modified),
        }

    def _destination(self, call: Call) -> ApiDestination:
        name = call.params["Name"]
        destination = self.destinations.get((call.region, call.account, name))
        if destination is None:
            raise errors.not_found(
                f"Failed to describe the api-destination(s). An api-destination '{name}' does not exist."
            )
        return destination

    def DescribeApiDestination(self, call: Call) -> dict[str, Any]:
        destination = self._destination(call)
        shown = self._listed_destination(destination)
        if destination.description is not None:
            shown["Description"] = destination.description
        return shown

    def _listed_destination(self, destination: ApiDestination) -> dict[str, Any]:
        return {
            "Name": destination.name,
            "ConnectionArn": destination.connection,
            "InvocationEndpoint": destination.endpoint,
            "HttpMethod": destination.method,
            "InvocationRateLimitPerSecond": destination.rate,
            **self._made(destination),
        }

    def ListApiDestinations(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = [
            destination
            for key, destination in sorted(self.destinations.items())
            if key[:2] == (call.region, call.account)
            and destination.name.startswith(params.get("NamePrefix", ""))
            and params.get("ConnectionArn", destination.connection) == destination.connection
        ]
        return page(found, params, "ApiDestinations", self._listed_destination)

    def UpdateApiDestination(self, call: Call) -> dict[str, Any]:
        params, destination = call.params, self._destination(call)
        if "ConnectionArn" in params:
            self._connected(params["ConnectionArn"])
            destination.connection = params["ConnectionArn"]
        destination.endpoint = params.get("InvocationEndpoint", destination.endpoint)
        destination.method = params.get("HttpMethod", destination.method)
        destination.rate = params.get("InvocationRateLimitPerSecond", destination.rate)
        destination.description = params.get("Description", destination.description)
        destination.modified = self.kernel.now
        return self._made(destination)

    def DeleteApiDestination(self, call: Call) -> None:
        destination = self._destination(call)
        del self.destinations[call.region, call.account, destination.name]

    # -- an invocation ---------------------------------------------------------------------------

    def _by_arn(self, arn: str) -> ApiDestination | None:
        _, _, _, region, account, resource = arn.split(":", 5)
        found = self.destinations.get((region, account, resource.split("/")[1]))
        return found if found is not None and found.arn == arn else None

    def turn(self, arn: str) -> int:
        """When (µs) the destination's rate limit lets the next invocation go; takes that turn."""
        destination = self._by_arn(arn)
        if destination is None:
            return self.kernel.now
        at = max(self.kernel.now, destination.next_turn)
        destination.next_turn = at + SECOND // destination.rate
        return at

    def invoke_destination(
        self, target: Target, event: Event, body: str, caller: Caller, world: World
    ) -> HttpResponse:
        """Send one event over HTTP. Raises ServiceError under EventBridge's own codes."""
        destination = self._by_arn(target.arn)
        if destination is None:
            raise own_error("NO_RESOURCE", f"ApiDestination {target.arn} does not exist.", retry=False)
        action = "events:InvokeApiDestination"
        decision = world.identity.may(caller, action, target.arn)
        if not decision.allowed:
            raise refusal(str(caller.role), "events", "InvokeApiDestination", action, target.arn, decision)
        connection = self._connected(destination.connection)
        if connection.state != "AUTHORIZED":
            raise _failed("The connection is not in the AUTHORIZED state.", retry=False)
        request = http_requests.request(
            destination.method,
            destination.endpoint,
            body,
            event.fields,
            target.given.get("HttpParameters", {}),
            connection.parameters.get("InvocationHttpParameters", {}),
            http_requests.authorization(connection.kind, connection.parameters, connection.token),
        )
        try:
            response = self._exchange(request, event.trace)
        except Unreachable as error:
            raise own_error("CONNECTION_FAILURE", str(error), retry=True) from None
        except TimeoutError:
            raise own_error(
                "TIMEOUT",
                "Unable to invoke ApiDestination endpoint: The request timed out after 5 seconds.",
                retry=True,
            ) from None
        if response.status in (401, 407):
            if connection.kind == "OAUTH_CLIENT_CREDENTIALS":
                self._fetch_token(connection)
            raise _failed(
                "Request failed because the credentials included for the connection are not authorized for "
                "the API destination.",
                retry=True,
            )
        if response.status >= 300:
            wait = http_requests.retry_after(response.headers)
            raise _failed(
                f"API destination returned HTTP status {response.status} with payload: {response.body}",
                retry=http_requests.retried(response.status) and wait >= 0,
                not_before=wait * SECOND,
            )
        return response


def _failed(message: str, *, retry: bool, not_before: int = 0) -> ServiceError:
    text = f"Unable to invoke ApiDestination endpoint: {message}"
    return own_error("SDK_CLIENT_ERROR", text, retry=retry, not_before=not_before)
