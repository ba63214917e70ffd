"""Connections: how an API destination is authorized. The secret is kept in Secrets Manager.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ...kernel import SECOND
from ...service import NOTEBOOK, Call, NotSimulated
from ..http import HttpRequest, HttpResponse, Unreachable
from . import errors, http_requests
from .replays import Replays
from .store import page

TIME_OUT = 5 * SECOND

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


class Connections(Replays):
    """The operations on connections."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.connections: dict[tuple[str, str, str], Connection] = {}

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
