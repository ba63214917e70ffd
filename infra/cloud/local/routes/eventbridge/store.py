"""The buses of every account and Region, by ARN, and what the operations on all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...constraints import Method, checked
from ...ids import uuid4
from ...service import Call, Service
from ..paging import page_of
from . import errors
from .model import Bus, Rule

if TYPE_CHECKING:
    from ...world import World

DEFAULT = "default"

_PAGE = 100

T = TypeVar("T")


class Store(Service):
    """Base of the parts of the service."""

    name = "events"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.buses: dict[str, Bus] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self._wrapped: dict[str, Method] = {}

    def operation(self, name: str) -> Method:
        """The method, behind the checks that AWS makes of every parameter."""
        found = self._wrapped.get(name)
        if found is None:
            method = super().operation(name)
            model = self.world.client("events", internal=True).meta.service_model
            shape = model.operation_model(name).input_shape
            found = method if name == "PutEvents" or shape is None else checked(method, shape)
            self._wrapped[name] = found
        return found

    # -- buses -----------------------------------------------------------------------------------

    def bus_arn(self, name: str, region: str, account: str) -> str:
        """A bus by its name or ARN, as ARN."""
        return name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"

    def find(self, name: str, region: str, account: str) -> Bus | None:
        """The bus, if there is one. The default bus is always there."""
        arn = self.bus_arn(name, region, account)
        bus = self.buses.get(arn)
        if bus is None and arn.endswith(":event-bus/default"):
            _, _, _, region, account, _ = arn.split(":", 5)
            bus = self.add_bus(DEFAULT, region, account)
        return bus

    def add_bus(self, name: str, region: str, account: str) -> Bus:
        now = self.world.started if name == DEFAULT else self.kernel.now
        bus = Bus(name, self.bus_arn(name, region, account), region, account, now, now)
        self.buses[bus.arn] = bus
        return bus

    def bus_of(self, call: Call, member: str = "EventBusName") -> Bus:
        name = call.params.get(member, DEFAULT)
        bus = self.find(name, call.region, call.account)
        if bus is None:
            raise errors.no_bus(name.rpartition("event-bus/")[2])
        return bus

    def rule_of(self, call: Call, member: str = "Name") -> Rule:
        bus = self.bus_of(call)
        rule = bus.rules.get(call.params[member])
        if rule is None:
            raise errors.no_rule(call.params[member], bus.name)
        return rule

    def new_id(self) -> str:
        return uuid4(self.kernel.rng("events.ids"))


def page(items: Sequence[T], params: dict[str, Any], name: str, show: Callable[[T], Any]) -> dict[str, Any]:
    """One page of a list, and the token for the next."""
    size = params.get("Limit", _PAGE)
    shown, token = page_of(
        items, params.get("NextToken"), size, lambda: errors.invalid("NextToken is not valid.")
    )
    return {name: [show(item) for item in shown], **({"NextToken": token} if token else {})}
