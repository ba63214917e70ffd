"""Access logs: a line for each request, as the stage's format says.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .request import Incoming, Variables

if TYPE_CHECKING:
    from ...world import World

_VARIABLE = re.compile(r"\$(context(?:\.[A-Za-z0-9_-]+)+)")
_NO_REQUEST = Incoming("", "", "", "", {}, "")


def line(template: str, context: Mapping[str, Any]) -> str:
    """The format filled in; what a request does not have is a hyphen."""
    variables = Variables(_NO_REQUEST, "", {}, {}, dict(context))
    return _VARIABLE.sub(lambda found: variables.value(found[1]) or "-", template)


def write(
    world: World, settings: Mapping[str, str], api: str, stage: str, context: Mapping[str, Any]
) -> None:
    """To the log group; one that does not exist (any more) gets nothing."""
    group = settings.get("DestinationArn", "").partition(":log-group:")[2].removesuffix(":*")
    if group in world.logs.group_names():
        stream = hashlib.md5(f"{api}/{stage}".encode(), usedforsecurity=False).hexdigest()
        data = {"stream": stream, "message": line(settings.get("Format", ""), context)}
        world.journal.record("logs.event", group, actor="apigateway", data=data)
