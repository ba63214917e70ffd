"""The X-Ray daemon beside a function: it takes the datagrams of the SDK and sends them on as the function.

https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html. What the role may not send is lost without
a word to the function, as on AWS, where only the daemon knows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..service import Caller, ServiceError
from . import xray_documents
from .xray_documents import Document, walk

if TYPE_CHECKING:
    from ..world import World

ADDRESSES = frozenset({("169.254.79.129", 2000), ("127.0.0.1", 2000), ("localhost", 2000)})
"""Where the SDK sends to inside a function (AWS_XRAY_DAEMON_ADDRESS), and anywhere else."""


class Daemon:
    def __init__(self, world: World) -> None:
        self._world = world

    def receive(self, data: bytes) -> None:
        """One datagram: a line that says JSON, and the document."""
        world = self._world
        head, _, text = data.decode("utf-8", "replace").partition("\n")
        task = world.kernel.current
        caller = task.context if task is not None else None
        try:
            kind = json.loads(head)
            document = xray_documents.check(text)
        except (ValueError, xray_documents.Invalid):
            return
        if not (isinstance(kind, dict) and kind.get("format") == "json" and isinstance(caller, Caller)):
            return
        self.send(document, caller)

    def send(self, document: Document, caller: Caller) -> bool:
        """Store a document if the caller's role may; says whether."""
        world = self._world
        try:
            world.identity.check(caller, "xray", "PutTraceSegments", {}, world.region, world.account)
        except ServiceError:
            return False
        for node in walk(document):
            if node.get("in_progress") is False:
                del node["in_progress"]
            cause = node.get("cause")
            if isinstance(cause, dict) and "working_directory" in cause:
                cause["working_directory"] = "/var/task"
        world.xray.record(document, caller.name, str(caller.trace))
        return True
