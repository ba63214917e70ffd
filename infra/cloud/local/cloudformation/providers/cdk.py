"""What the CDK puts in that is no resource of any service."""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider
from .schema import STRING, accepts, optional


class Metadata(Provider):
    """The CDK's usage report. https://docs.aws.amazon.com/cdk/v2/guide/usage-data.html"""

    type = "AWS::CDK::Metadata"
    properties = accepts(Analytics=optional(STRING), Modules=optional(STRING))

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return Outcome(ctx.name())

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        return None


PROVIDERS: tuple[type[Provider], ...] = (Metadata,)
