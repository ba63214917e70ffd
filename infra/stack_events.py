"""A deployment as it happens: each event of CloudFormation, and how far it is.

In a notebook one output that is redrawn, anywhere else a line for each event. Only a real account needs
it: the local cloud deploys in no time that anybody could watch.
"""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from typing import Any

LAST = 8
"""Events that are shown while it runs."""
WIDTH = 24


class StackEvents:
    """The events of one operation on one stack. ``total`` resources are expected to change."""

    def __init__(
        self, cloudformation: Any, stack: str, total: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.stack = stack
        """Its name, or its id: that still finds the events of a stack that is gone."""
        self.name = stack.split("/")[1] if stack.startswith("arn:") else stack
        self.total = total
        self._cloudformation = cloudformation
        self._clock = clock
        self._started = clock()
        self._seen: set[str] = set()
        self._seen = {event["EventId"] for event in self._read()}  # of what was done to it before
        self._done: set[str] = set()
        self._lines: list[str] = []
        self._display: Any = None

    def poll(self) -> None:
        """Read what is new, and show it."""
        new = [event for event in self._read() if event["EventId"] not in self._seen]
        for event in reversed(new):  # the latest comes first
            self._seen.add(event["EventId"])
            self._take(event)
        if new:
            self._show(len(new))

    def __repr__(self) -> str:
        return "\n".join([self._bar(), *self._lines[-LAST:]])

    def _repr_html_(self) -> str:
        percent = 100 * min(len(self._done) / max(self.total, 1), 1)
        lines = html.escape("\n".join(self._lines[-LAST:]))
        return (
            f'<progress value="{percent:.0f}" max="100" aria-label="{html.escape(self.name)}"></progress> '
            f"{html.escape(self._summary())}<pre>{lines}</pre>"
        )

    def _read(self) -> list[dict[str, Any]]:
        """Events, the latest first, back to one that was seen before."""
        events: list[dict[str, Any]] = []
        try:
            pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.stack)
            for page in pages:
                events += page["StackEvents"]
                if any(event["EventId"] in self._seen for event in page["StackEvents"]):
                    break
        except self._cloudformation.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":  # the stack is not there (any more)
                raise
        return events

    def _take(self, event: dict[str, Any]) -> None:
        status, kind = event["ResourceStatus"], event["ResourceType"]
        reason = event.get("ResourceStatusReason", "")
        name = event["LogicalResourceId"]
        own = kind == "AWS::CloudFormation::Stack" and name == event.get("StackName")
        if status.endswith(("_COMPLETE", "_SKIPPED")) and not own:
            self._done.add(name)
        at = self._clock() - self._started
        shown = f" ({reason})" if reason and status.endswith("_FAILED") else ""
        self._lines.append(f"{at:5.0f} s  {status:<24} {kind}  {name}{shown}")

    def _summary(self) -> str:
        seconds = self._clock() - self._started
        return f"{self.name}: {min(len(self._done), self.total)} of {self.total} resources, {seconds:.0f} s"

    def _bar(self) -> str:
        full = round(WIDTH * min(len(self._done) / max(self.total, 1), 1))
        return f"{'█' * full}{'░' * (WIDTH - full)} {self._summary()}"

    def _show(self, new: int) -> None:
        ipython = sys.modules.get("IPython")
        shell = None if ipython is None else ipython.get_ipython()
        if shell is None or not hasattr(shell, "kernel"):
            print(*self._lines[-new:], self._bar(), sep="\n", flush=True)
            return
        from IPython.display import display

        if self._display is None:
            self._display = display(self, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(self)
