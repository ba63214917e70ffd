"""Service integrations: look-alikes of boto3's clients, whose calls the state machine's role makes.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...service import Caller, NotSimulated, ServiceError

if TYPE_CHECKING:
    from ...world import World


class Client:
    """Looks like a boto3 client of one service and Region: its methods call as the current execution."""

    def __init__(self, world: World, service: str, region: str, role: str | None) -> None:
        self._world = world
        self._service = service
        self._region = region
        self._role = role
        self._real = world.client(service, region=region, internal=True)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._real.meta.method_to_api_mapping.get(method)
        if operation is None:
            raise AttributeError(method)

        def call(**params: Any) -> dict[str, Any]:
            return self.call(operation, params)

        return call

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        task = world.kernel.current
        assert task is not None
        caller: Caller = task.context
        if self._role is not None and self._role != caller.role:
            caller = dataclasses.replace(caller, role=self._role)
        try:
            return world.call(self._service, operation, params, caller, region=self._region)
        except ServiceError as error:
            raise client_error(self._real, operation, error, world.wire.request_id()) from error


def client_error(client: Any, operation: str, error: ServiceError, request_id: str) -> Exception:
    """The exception that boto3 would raise."""
    response = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {"HTTPStatusCode": error.status, "RequestId": request_id},
    }
    made: Exception = client.exceptions.from_code(error.code)(response, operation)
    return made


def client_maker(world: World) -> Callable[..., Client]:
    """What stands in place of the interpreter's ``boto_client_for``."""
    clients: dict[tuple[str, str, str | None], Client] = {}

    def client_for(region: str, service: str, state_credentials: Any = None) -> Client:
        role = getattr(state_credentials, "role_arn", None)
        key = (service, region, role)
        found = clients.get(key)
        if found is None:
            try:
                found = clients[key] = Client(world, service, region, role)
            except Exception as error:
                if type(error).__name__ != "UnknownServiceError":
                    raise
                raise NotSimulated(f"NotSimulated: {service} in a state machine") from error
        return found

    return client_for
