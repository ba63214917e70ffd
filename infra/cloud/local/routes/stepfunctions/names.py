"""Names and ARNs of Step Functions, pages of lists, and the errors about them in AWS's words.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, TypeVar

from ...service import ServiceError

if TYPE_CHECKING:
    pass

T = TypeVar("T")

_MACHINE = re.compile(
    r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_.-]+(:\d+)?(:[A-Za-z0-9_.-]+)*$"
)
_EXECUTION = re.compile(
    r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:(stateMachine|execution|express):[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?"
    r"(:\d+)?(:[^ :]+)*$"
)
_ACTIVITY = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:[A-Za-z0-9_.-]{1,80}$")
_MAP_RUN = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:mapRun:[^ ]+$")
_ALIAS = re.compile(
    r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_.-]+:[A-Za-z_.-]+[A-Za-z0-9_.-]{0,80}$"
)
_ALIAS_NAME = re.compile(r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+$")
_FORBIDDEN = re.compile(r"[ <>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")

KINDS = ("stateMachine", "execution", "express", "activity", "mapRun")
PATTERNS = {"machine": _MACHINE, "execution": _EXECUTION, "activity": _ACTIVITY, "map run": _MAP_RUN}


def check_arn(arn: str, kind: str) -> str:
    """The ARN, if it is one of that kind."""
    if not PATTERNS[kind].match(arn):
        raise _invalid_arn(arn)
    return arn


def _invalid_arn(arn: str) -> ServiceError:
    """What AWS says of an ARN that is none, or one of something else (both as recorded)."""
    parts = arn.split(":")
    if parts[0] != "arn":
        return ServiceError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    if len(parts) > 6 and parts[2] == "states" and parts[5] in KINDS:
        return ServiceError(
            "InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {parts[5]}'"
        )
    return ServiceError("InvalidArn", f"Invalid arn: '{arn}'")


def check_alias_arn(arn: str) -> str:
    if not _ALIAS.match(arn):
        raise _invalid_arn(arn)
    return arn


def check_role(arn: str) -> None:
    if not _ROLE.match(arn):
        raise ServiceError("InvalidArn", f"Invalid Role Arn: '{arn}'")


def check_name(name: str) -> str:
    """A name has 1 to 80 characters, none of them white space, a bracket, a wildcard, or special."""
    if not 1 <= len(name) <= 80 or _FORBIDDEN.search(name):
        raise ServiceError("InvalidName", f"Invalid Name: '{name}'")
    return name


def check_alias_name(name: str) -> str:
    said = f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must "
    if len(name) > 80:
        raise ServiceError("ValidationException", said + "have length less than or equal to 80")
    if not _ALIAS_NAME.match(name):
        pattern = _ALIAS_NAME.pattern
        raise ServiceError("ValidationException", said + f"satisfy regular expression pattern: {pattern}")
    return name


def unqualified(arn: str) -> str:
    """A state machine's ARN without version or alias."""
    return ":".join(arn.split(":")[:7])


def execution_arn(machine: str, name: str, unique: str = "") -> str:
    """An execution's ARN; with ``unique``, that of an Express execution."""
    kind = "express" if unique else "execution"
    arn = f"{unqualified(machine).replace(':stateMachine:', f':{kind}:')}:{name}"
    return f"{arn}:{unique}" if unique else arn


def task_token(machine: str, unique: str) -> str:
    """A task token: opaque for its users, but it says whose task it is (see ``machine_of``)."""
    return base64.b64encode(f"{machine}|{unique}".encode()).decode()


def machine_of(token: str) -> str:
    """The state machine whose task a token is of; "" if it is no token."""
    try:
        return base64.b64decode(token, validate=True).decode().rpartition("|")[0]
    except ValueError:
        return ""


def complaint(text: str, error: ValueError) -> str:
    """What AWS's parser says of a text that is not JSON, for the two mistakes that are usual."""
    stripped = text.strip()
    if not stripped:
        return "Invalid execution input."
    word = re.match(r"[A-Za-z_]\w*", stripped)
    if word:
        kinds = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        return f"Unrecognized token '{word[0]}': was expecting {kinds}"
    key = re.match(r"\{\s*([^\s\"}])", stripped)
    if key:
        return (
            f"Unexpected character ('{key[1]}' (code {ord(key[1])})): was expecting double-quote to start "
            "field name"
        )
    return str(error)


def page(
    items: list[T], params: dict[str, Any], *, default: int = 100, longest: int = 1024
) -> tuple[list[T], str | None]:
    """One page, and the token of the next. ``maxResults`` 0 means the default.

    A token has at most ``longest`` characters.
    """
    size = params.get("maxResults") or default
    if not 0 < size <= 1000:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: "
            "Member must have value less than or equal to 1000",
        )
    start, token = 0, params.get("nextToken")
    if token:
        if len(token) > longest:
            raise ServiceError(
                "ValidationException",
                f"1 validation error detected: Value '{token}' at 'nextToken' failed to satisfy constraint: "
                f"Member must have length less than or equal to {longest}",
            )
        start = _position(token)
    following = start + size
    return items[start:following], _token(following) if following < len(items) else None


def _token(position: int) -> str:
    text = f"{position}/{hashlib.sha256(str(position).encode()).hexdigest()[:32]}"
    return base64.b64encode(text.encode()).decode()


def _position(token: str) -> int:
    try:
        position = int(base64.b64decode(token, validate=True).decode().partition("/")[0])
    except ValueError:
        position = -1
    if position < 0 or token != _token(position):
        raise ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")
    return position
