"""Connections and API destinations: their operations, and an invocation over HTTP.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html: a request ends after 5
seconds; the rate limit spreads invocations evenly; a connection's secret is kept in Secrets Manager.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ...identity import refusal
from ...kernel import SECOND
from ...service import NOTEBOOK, Call, Caller, NotSimulated
from ..http import HttpRequest, HttpResponse, Unreachable
from . import errors, http_requests
from .archives import Archives
from .model import Event, Target
from .retries import own_error
from .store import page

if TYPE_CHECKING:
    from ...world import World

TIME_OUT = 5 * SECOND
DEFAULT_RATE = 300

_SECRETS = {"Password", "ClientSecret", "ApiKeyValue"}


@dataclasses.dataclass(eq=False, slots=True)
class Connection:
    name: str
    arn: str
    kind: str
    parameters: dict[str, Any]
    secret: str
    created: int
    modified: int
    authorized: int | None
    state: str
    description: str | None = None
    token: str = ""


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


class Connections(Archives):
    """The operations on connections and API destinations."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.connections: dict[tuple[str, str, str], Connection] = {}
        self.destinations: dict[tuple[str, str, str], ApiDestination] = {}

    # -- connections -----------------------------------------------------------------------------

    def CreateConnection(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["Name"]
        _refuse_private(params)
        key = (call.region, call.account, name)
        if key in self.connections:
            raise errors.exists(f"Connection {name} already exists.")
        kind, parameters = params["AuthorizationType"], params["AuthParameters"]
        _check(kind, parameters)
        secret = self.world.call(
            "secretsmanager",
            "CreateSecret",
            {
                "Name": f"events!connection/{name}/{self.new_id()}",
                "SecretString": json.dumps(_secret(kind, parameters)),
            },
            NOTEBOOK,
            region=call.region,
        )["ARN"]
        now = self.kernel.now
        connection = self.connections[key] = Connection(
            name,
            f"arn:aws:events:{call.region}:{call.account}:connection/{name}/{self.new_id()}",
            kind,
            parameters,
            secret,
            now,
            now,
            now,
            "AUTHORIZED",
            params.get("Description"),
        )
        self._authorize(connection)
        return self._changed(connection)

    def _authorize(self, connection: Connection) -> None:
        """An OAuth connection fetches a token at once; without one it ends up deauthorized."""
        if connection.kind == "OAUTH_CLIENT_CREDENTIALS":
            connection.state = "AUTHORIZING"
            self.kernel.spawn(self._fetch_token, connection, name="events.authorize")

    def _fetch_token(self, connection: Connection) -> None:
        asked = http_requests.token_request(connection.parameters["OAuthParameters"])
        try:
            response = self._exchange(asked, "")
            answer = json.loads(response.body) if response.status < 300 else {}
        except (Unreachable, TimeoutError, ValueError):
            answer = {}
        connection.token = ""
        connection.state = "DEAUTHORIZED"
        if isinstance(answer, dict) and "access_token" in answer:
            connection.token = f"{answer.get('token_type', 'Bearer')} {answer['access_token']}"
            connection.state, connection.authorized = "AUTHORIZED", self.kernel.now

    def _changed(self, connection: Connection) -> dict[str, Any]:
        return {
            "ConnectionArn": connection.arn,
            "ConnectionState": connection.state,
            "CreationTime": self.world.datetime(connection.created),
            "LastModifiedTime": self.world.datetime(connection.modified),
        }

    def _connection(self, call: Call, doing: str) -> Connection:
        name = call.params["Name"]
        connection = self.connections.get((call.region, call.account, name))
        if connection is None:
            raise errors.not_found(
                f"Failed to {doing} the connection(s). Connection '{name}' does not exist."
            )
        return connection

    def _authorized(self, connection: Connection) -> dict[str, Any]:
        return {"LastAuthorizedTime": self.world.datetime(connection.authorized)}

    def DescribeConnection(self, call: Call) -> dict[str, Any]:
        connection = self._connection(call, "describe")
        shown = {
            "Name": connection.name,
            "AuthorizationType": connection.kind,
            "AuthParameters": _public(connection.parameters),
            "SecretArn": connection.secret,
            **self._changed(connection),
            **self._authorized(connection),
        }
        if connection.description is not None:
            shown["Description"] = connection.description
        return shown

    def ListConnections(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = [
            connection
            for key, connection in sorted(self.connections.items())
            if key[:2] == (call.region, call.account)
            and connection.name.startswith(params.get("NamePrefix", ""))
            and params.get("ConnectionState", connection.state) == connection.state
        ]
        return page(
            found,
            params,
            "Connections",
            lambda connection: {
                "Name": connection.name,
                "AuthorizationType": connection.kind,
                **self._changed(connection),
                **self._authorized(connection),
            },
        )

    def UpdateConnection(self, call: Call) -> dict[str, Any]:
        params, connection = call.params, self._connection(call, "describe")
        _refuse_private(params)
        kind = params.get("AuthorizationType", connection.kind)
        parameters = {**connection.parameters, **params.get("AuthParameters", {})}
        _check(kind, parameters)
        connection.kind, connection.parameters = kind, parameters
        connection.description = params.get("Description", connection.description)
        connection.modified = self.kernel.now
        text = json.dumps(_secret(kind, parameters))
        update = {"SecretId": connection.secret, "SecretString": text}
        self.world.call("secretsmanager", "PutSecretValue", update, NOTEBOOK, region=call.region)
        self._authorize(connection)
        return {**self._changed(connection), **self._authorized(connection)}

    def DeauthorizeConnection(self, call: Call) -> dict[str, Any]:
        connection = self._connection(call, "deauthorize")
        connection.state, connection.token = "DEAUTHORIZED", ""
        connection.modified = self.kernel.now
        return {**self._changed(connection), **self._authorized(connection)}

    def DeleteConnection(self, call: Call) -> dict[str, Any]:
        connection = self._connection(call, "delete")
        del self.connections[call.region, call.account, connection.name]
        gone = {"SecretId": connection.secret, "ForceDeleteWithoutRecovery": True}
        self.world.call("secretsmanager", "DeleteSecret", gone, NOTEBOOK, region=call.region)
        return {
            **self._changed(connection),
            **self._authorized(connection),
            "ConnectionState": "DELETING",
        }

    # -- API destinations ------------------------------------------------------------------------

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
            raise _failed(
                f"API destination returned HTTP status {response.status} with payload: {response.body}",
                retry=http_requests.retried(response.status),
            )
        return response

    def _exchange(self, request: HttpRequest, trace: str) -> HttpResponse:
        """The answer, if it comes within 5 seconds. Raises Unreachable, TimeoutError."""
        answers: list[HttpResponse | Unreachable] = []
        arrived = self.kernel.event("the answer of an API destination")

        def send() -> None:
            try:
                answers.append(self.world.http.send(request, actor="events", trace=trace))
            except Unreachable as error:
                answers.append(error)
            arrived.set()

        self.kernel.spawn(send, name="events.http")
        if not arrived.wait(TIME_OUT):
            raise TimeoutError
        answer = answers[0]
        if isinstance(answer, Unreachable):
            raise answer
        return answer


def _failed(message: str, *, retry: bool) -> Exception:
    return own_error("SDK_CLIENT_ERROR", f"Unable to invoke ApiDestination endpoint: {message}", retry=retry)


def _refuse_private(params: dict[str, Any]) -> None:
    for name in ("InvocationConnectivityParameters", "ConnectivityParameters"):
        if params.get(name) or params.get("AuthParameters", {}).get(name):
            raise NotSimulated(f"NotSimulated: {name} of a connection - private APIs are not simulated")


_PARAMETERS = {
    "API_KEY": "ApiKeyAuthParameters",
    "BASIC": "BasicAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}


def _check(kind: str, parameters: dict[str, Any]) -> None:
    if _PARAMETERS[kind] not in parameters:
        raise errors.invalid(f"{_PARAMETERS[kind]} must be specified for authorization type {kind}.")


def _public(value: Any) -> Any:
    """Authorization parameters as DescribeConnection shows them: without their secrets."""
    if isinstance(value, list):
        return [_public(item) for item in value]
    if not isinstance(value, dict):
        return value
    hidden = _SECRETS | ({"Value"} if value.get("IsValueSecret") else set())
    return {name: _public(inner) for name, inner in value.items() if name not in hidden}


def _secret(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What a connection's secret holds (BASIC and API_KEY recorded)."""
    if kind == "BASIC":
        basic = parameters["BasicAuthParameters"]
        secret: dict[str, Any] = {"username": basic["Username"], "password": basic["Password"]}
    elif kind == "API_KEY":
        key = parameters["ApiKeyAuthParameters"]
        secret = {"api_key_name": key["ApiKeyName"], "api_key_value": key["ApiKeyValue"]}
    else:
        oauth = parameters["OAuthParameters"]
        secret = {
            "client_id": oauth["ClientParameters"]["ClientID"],
            "client_secret": oauth["ClientParameters"]["ClientSecret"],
            "authorization_endpoint": oauth["AuthorizationEndpoint"],
            "http_method": oauth["HttpMethod"],
        }
    if "InvocationHttpParameters" in parameters:
        secret["invocation_http_parameters"] = {
            name: [
                {
                    "key": item["Key"],
                    "value": item.get("Value", ""),
                    "is_value_secret": item.get("IsValueSecret", False),
                }
                for item in items
            ]
            for name, items in (
                (_snake(name), items) for name, items in parameters["InvocationHttpParameters"].items()
            )
        }
    return secret


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
