"""The patches on botocore and boto3 that lead every call to the wire, for as long as a world is open.

Besides: no configuration file is read, no endpoint of the caller's is used, waiting is virtual, the jitter of
retries comes from the seed, and S3 transfers use no threads.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3.s3.transfer
import botocore.auth
import botocore.client
import botocore.configloader
import botocore.endpoint
import botocore.exceptions
import botocore.httpsession
import botocore.loaders
import botocore.retries.bucket
import botocore.retries.standard
import botocore.retryhandler
import botocore.session
import botocore.signers
import botocore.waiter
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConfigNotFound

from .clock import sleep_anywhere
from .service import NotSimulated

if TYPE_CHECKING:
    from .wire import Wire
    from .world import World

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""What boto3 finds for credentials while a world is open; AWS's documentation uses it, nobody owns it."""


class _Paths(list[str]):
    """Folders that service models are looked for in. Every boto3 session adds its own: once is enough."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


SHARED = botocore.loaders.create_loader()
"""Reads and keeps the service models (40 MB of them): one for all worlds and all sessions of the process."""
SHARED._search_paths = _Paths(SHARED.search_paths)


class Patches:
    """Installed and removed by the wire. ``original_call`` and ``original_response`` are botocore's own."""

    def __init__(self, wire: Wire, world: World) -> None:
        self._wire = wire
        self._world = world
        self._undo: list[tuple[Any, str, Any]] = []
        self.original_call = botocore.client.BaseClient._make_api_call
        self.original_convert = botocore.client.BaseClient._convert_to_request_dict
        self.original_response = botocore.endpoint.Endpoint._do_get_response

    def install(self) -> None:
        wire, world, patches = self._wire, self._world, self
        kernel = world.kernel

        def make_api_call(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
            return wire.from_anywhere(client, operation_name, api_params)

        def convert(client: Any, api_params: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = wire.exchanges.get(kernel.current)
            if exchange is not None:
                exchange.params = api_params
            return patches.original_convert(client, api_params, operation_model, *args, **kwargs)

        def do_get_response(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
            return wire.long_attempt(endpoint, request, operation_model, context)

        def send(session: Any, request: Any) -> AWSResponse:
            exchange = wire.exchanges.get(kernel.current)
            if exchange is None:
                raise refuse(request.url)
            return world.moto.send(request, exchange.service, exchange.operation.name, exchange.region)

        def load_config(path: str) -> Any:
            raise ConfigNotFound(path=path)

        def transfer_manager(client: Any, config: Any, osutil: Any = None) -> Any:
            config.use_threads = False  # a thread cannot wait in virtual time
            config.preferred_transfer_client = "classic"
            return original_transfer(client, config, osutil)

        def create_client(session: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs.pop("endpoint_url", None)  # there is only one place to go to, and moto knows AWS's names
            return original_create(session, *args, **kwargs)

        def loader(paths: str | None = None) -> Any:
            return SHARED if paths is None else original_loader(paths)

        def now(remove_tzinfo: bool = True) -> datetime.datetime:
            moment = world.datetime()
            return moment.replace(tzinfo=None) if remove_tzinfo else moment

        original_create = botocore.session.Session.create_client
        original_loader = botocore.session.create_loader
        guard()
        original_transfer = boto3.s3.transfer.create_transfer_manager
        self._patch(botocore.client.BaseClient, "_make_api_call", make_api_call)
        self._patch(botocore.client.BaseClient, "_convert_to_request_dict", convert)
        self._patch(botocore.endpoint.Endpoint, "_do_get_response", do_get_response)
        self._patch(botocore.httpsession.URLLib3Session, "send", send)
        self._patch(botocore.session.Session, "create_client", create_client)
        self._patch(botocore.session, "create_loader", loader)
        self._patch(botocore.configloader, "load_config", load_config)
        self._patch(boto3.s3.transfer, "create_transfer_manager", transfer_manager)
        virtual = Lookalike(time, sleep=sleep_anywhere(kernel), time=lambda: kernel.now / 1_000_000)
        self._patch(botocore.auth, "time", virtual)  # what a pre-signed URL says of its time
        self._patch(botocore.auth, "get_current_datetime", now)
        self._patch(botocore.signers, "get_current_datetime", now)  # when a pre-signed POST ends
        self._patch(botocore.endpoint, "time", virtual)
        self._patch(botocore.waiter, "time", virtual)
        self._patch(botocore.retries.bucket, "time", virtual)

        def acquire(bucket: Any, amount: int = 1, block: bool = True) -> bool:
            """As botocore's, which waits for a real condition, in real time."""
            bucket._refill()
            while bucket._current_capacity < amount:
                if not block:
                    raise botocore.exceptions.CapacityNotAvailableError
                virtual.sleep(bucket._sleep_amount(amount) + 1e-6)
                bucket._refill()
            bucket._current_capacity -= amount
            return True

        self._patch(botocore.retries.bucket.TokenBucket, "acquire", acquire)
        stream = kernel.rng("botocore.retries")
        self._patch(botocore.retryhandler, "random", Lookalike(random, random=stream.random))
        self._patch_defaults(botocore.retries.standard.ExponentialBackoff, random=stream.random)
        self._patch_defaults(botocore.retries.standard.RetryHandler, sleep=virtual.sleep)

    def uninstall(self) -> None:
        while self._undo:
            target, name, original = self._undo.pop()
            setattr(target, name, original)

    def _patch(self, target: Any, name: str, value: Any) -> None:
        self._undo.append(
            (target, name, target.__dict__[name] if isinstance(target, type) else getattr(target, name))
        )
        setattr(target, name, value)

    def _patch_defaults(self, target: type, **defaults: Any) -> None:
        """Replace the default values of a constructor's parameters (they were bound at import)."""
        original = target.__dict__["__init__"]

        def constructor(instance: Any, *args: Any, **kwargs: Any) -> None:
            original(instance, *args, **{**defaults, **kwargs})

        self._undo.append((target, "__init__", original))
        setattr(target, "__init__", constructor)  # noqa: B010


class Lookalike:
    """A module with some of its functions replaced, for the library modules that imported it."""

    def __init__(self, module: Any, **functions: Callable[..., Any]) -> None:
        self._module = module
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def guard() -> None:
    """A client that outlives its world would find the real network again: its credentials give it away.

    Put in place once, below the patches of the worlds, and left there.
    """
    original = botocore.httpsession.URLLib3Session.send
    if getattr(original, "_workshop_guard", False):
        return

    def send(session: Any, request: Any) -> AWSResponse:
        if any(ACCESS_KEY in _text(part) for part in (request.url, request.headers.get("Authorization"))):
            raise refuse(request.url)
        return original(session, request)

    send._workshop_guard = True  # type: ignore[attr-defined]
    setattr(botocore.httpsession.URLLib3Session, "send", send)  # noqa: B010


def _text(part: Any) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else str(part or "")


def refuse(url: str) -> NotSimulated:
    return NotSimulated(
        f"NotSimulated: a request to {url} would leave this process. The local cloud never reaches AWS: "
        "use a client of a cloud that is open (run the cell with connect() again), or choose the target "
        "with WORKSHOP_TARGET=aws."
    )
