"""A resource's name for people: its logical id as the stack's author wrote it."""

from __future__ import annotations

import re

_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")


def plain(logical_id: str) -> str:
    """Without the hash that the CDK appends to a construct's path.

    >>> plain("OrdersA9B65338"), plain("Orders")
    ('Orders', 'Orders')
    """
    return _HASH.sub("", logical_id)
