"""Resource types that change nothing here: accepted as a whole, each with the reason.

Templates that ``sam init`` makes have the first two.
"""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider


class _WithoutEffect(Provider):
    """Takes any property and makes nothing. A subclass's docstring says why that is right."""

    open_properties = True

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return Outcome(str(props.get("Name") or props.get("ResourceGroupName") or ctx.name()))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        return None


class ResourceGroup(_WithoutEffect):
    """A view of resources in the console, by their tags."""

    type = "AWS::ResourceGroups::Group"


class Application(_WithoutEffect):
    """Dashboards and problem reports in the console, about a resource group."""

    type = "AWS::ApplicationInsights::Application"


class LayerVersionPermission(_WithoutEffect):
    """Lets other accounts use a layer; there is one account here, which may."""

    type = "AWS::Lambda::LayerVersionPermission"


class QueryDefinition(_WithoutEffect):
    """A query of Logs Insights that the console offers by name; it runs when a person asks."""

    type = "AWS::Logs::QueryDefinition"


PROVIDERS: tuple[type[Provider], ...] = (
    ResourceGroup,
    Application,
    LayerVersionPermission,
    QueryDefinition,
)
