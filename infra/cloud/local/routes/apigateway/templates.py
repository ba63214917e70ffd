"""Mapping templates."""

from __future__ import annotations

from ...service import NotSimulated
from .model import Exchange, Rendered


def render(template: str, body: str, exchange: Exchange) -> Rendered:
    """The text of a mapping template for ``body`` (``$input``): the request's, or the integration's answer.

    Raises NotSimulated for a template with VTL in it; plain text is its own result.
    """
    if "$" in template or "#" in template:
        raise NotSimulated(f"NotSimulated: VTL in a mapping template of API Gateway: {template[:80]!r}")
    return Rendered(template)
