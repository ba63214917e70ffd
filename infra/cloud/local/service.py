"""What a simulated AWS service looks like to the wire: operations as methods, errors as ``ServiceError``.

A service that the local cloud answers itself (SQS, Lambda, CloudFormation, CloudWatch, Logs) is a class
whose methods carry the names of AWS's operations. The wire has validated the parameters against botocore's
model; the method acts at the present instant of virtual time and returns the operation's output as a dict.
It may wait (a long poll, an invocation) with the kernel's means.

    class Sqs(Service):
        name = "sqs"
        def DeleteMessage(self, call: Call) -> dict: ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .world import World


class NotSimulated(NotImplementedError):
    """The local cloud does not do this, and says so by name instead of pretending."""


class ServiceError(Exception):
    """An error as AWS answers it; the wire turns it into botocore's ``ClientError`` subclass.

    ``code`` is the error code a caller sees in ``response["Error"]["Code"]``; ``fields`` are further
    members of the error (Lambda's ``Type``, ``Reason``).
    """

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call. ``role`` is the ARN whose policies are asked; ``None`` may do everything.

    A service that delivers for somebody without a role calls as its ``principal`` (``sns.amazonaws.com``):
    then the policy of the called resource must allow it, for that ``source_arn`` and ``source_account``.
    """

    kind: Literal["notebook", "function", "service"]
    name: str
    role: str | None = None
    environment: str = ""
    invocation: str = ""
    trace: str = ""
    principal: str = ""
    source_arn: str = ""
    source_account: str = ""
    account: str = ""
    """The account it calls in, if that is not the world's."""


NOTEBOOK = Caller("notebook", "notebook")

BeforeMoto = Callable[[str, Mapping[str, Any], str, Caller], dict[str, Any] | None]
"""Sees a call before moto does: operation, parameters, region, caller. May answer it, or refuse it."""


class Call:
    """One API call as a service sees it."""

    __slots__ = ("account", "caller", "operation", "params", "region", "service")

    def __init__(
        self, service: str, operation: str, params: dict[str, Any], caller: Caller, region: str, account: str
    ) -> None:
        self.service = service
        self.operation = operation
        self.params = params
        self.caller = caller
        self.region = region
        self.account = account


class Service:
    """Base of the services that the local cloud answers itself. ``name`` is botocore's service name."""

    name = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel
        self.journal = world.journal
        self._operations: dict[str, Callable[[Call], dict[str, Any] | None]] = {}

    def operation(self, name: str) -> Callable[[Call], dict[str, Any] | None]:
        """The method that answers an operation, or NotSimulated by name."""
        found = self._operations.get(name)
        if found is None:
            found = getattr(self, name, None) if name[:1].isupper() else None
            if found is None:
                raise NotSimulated(
                    f"NotSimulated: {self.name}:{name} - the local cloud does not answer this operation"
                )
            self._operations[name] = found
        return found
