"""How a client makes a call: by the short way or the long one. Decided once for a client and an operation.

A client with event hooks of its own takes the long way, where botocore calls them. The decision is kept on
the client, and dropped when somebody registers another hook.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from botocore.model import OperationModel

from .moto_bridge import SHORT

_HOOKS = ("before-call", "request-created", "before-send", "before-parse", "response-received")
"""botocore events that only the long way emits."""

_HARMLESS = ("botocore.", "boto3.", "s3transfer.", "moto.", "aws_lambda_powertools.shared.user_agent")
"""Modules whose hooks on these events change nothing here (Powertools adds its name to the user agent)."""


class Plan:
    """``short``: no HTTP; ``build``, ``after_call``: somebody listens to botocore's events of these names."""

    __slots__ = ("after_call", "build", "operation", "short", "validate")

    def __init__(self, operation: OperationModel, short: bool, build: bool, after_call: bool) -> None:
        self.operation = operation
        self.short = short
        self.build = build
        self.after_call = after_call
        self.validate = operation.input_shape is not None


def plan_for(client: Any, operation_name: str, answered_here: Container[str]) -> Plan:
    """The plan for a call. ``answered_here``: the services that the local cloud answers itself."""
    events = client.meta.events
    emitter = getattr(events, "_emitter", events)
    known: Any = client.__dict__.get("_workshop_plans")
    if known is None or known[0] is not emitter._lookup_cache:
        known = client.__dict__["_workshop_plans"] = (emitter._lookup_cache, {})
    found: Plan | None = known[1].get(operation_name)
    if found is None:
        model = client._service_model
        operation = model.operation_model(operation_name)
        suffix = f"{model.service_id.hyphenize()}.{operation_name}"
        service = model.service_name
        hooked = any(_own_hooks(emitter, f"{event}.{suffix}") for event in _HOOKS)
        adaptive = (client.meta.config.retries or {}).get("mode") == "adaptive"  # waits before it sends
        short = (
            not hooked
            and not adaptive
            and (service in answered_here or operation_name in SHORT.get(service, ()))
        )
        # botocore's own handlers of these events matter only where a request token is to be filled in.
        build = bool(operation.idempotent_members) or any(
            _foreign(emitter, f"{event}.{suffix}")
            for event in ("provide-client-params", "before-parameter-build")
        )
        after = _foreign(emitter, f"after-call.{suffix}")
        found = known[1][operation_name] = Plan(operation, short, build, after)
    return found


def _own_hooks(emitter: Any, event: str) -> bool:
    """Did somebody register for this event who wants to see or change it?"""
    return any(not module.startswith(_HARMLESS) for module in _owners(emitter, event))


def _foreign(emitter: Any, event: str) -> bool:
    """Does anybody but botocore listen to this event?"""
    return any(not module.startswith("botocore.") for module in _owners(emitter, event))


def _owners(emitter: Any, event: str) -> list[str]:
    """The modules that the handlers of an event come from."""
    functions = [getattr(handler, "func", handler) for handler in emitter._handlers.prefix_search(event)]
    return [getattr(function, "__module__", None) or type(function).__module__ for function in functions]
