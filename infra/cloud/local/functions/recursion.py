"""Recursive loop detection: a function that ran 16 times in one chain of requests is not invoked again.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html: whoever invokes synchronously gets
RecursiveInvocationException; an asynchronous event goes to the on-failure destination or dead-letter queue; a
queue's message goes to the queue's dead-letter queue.
"""

from __future__ import annotations

from typing import Any

from ..constraints import constraint
from ..lineage import CARRIED_BY, LIMIT, runs
from ..service import Call
from .model import Function
from .registry import Registry

LOOP = (
    "Lambda has detected your function being invoked in a recursive loop with other AWS resources and "
    "stopped your function's invocation."
)


def loops(function: Function, trace: str, invoked_by: str) -> bool:
    """Would this invocation be one too many in its chain of requests?"""
    return (
        runs(trace, function.arn) >= LIMIT
        and invoked_by in CARRIED_BY
        and function.recursive_loop == "Terminate"
    )


class Recursion(Registry):
    """PutFunctionRecursionConfig, GetFunctionRecursionConfig, and the journal's word of a stopped loop."""

    def stop_loop(self, function: Function, invoked_by: str, trace: str) -> None:
        self.journal.record(
            "lambda.recursion",
            function.name,
            actor=invoked_by,
            outcome="RecursiveInvocationException",
            trace=trace,
            data={"invoked_by": invoked_by, "invocations": runs(trace, function.arn)},
        )

    def PutFunctionRecursionConfig(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html"""
        function, choice = self.find_unqualified(call), call.params["RecursiveLoop"]
        if choice not in ("Allow", "Terminate"):
            raise constraint(choice, "recursiveLoop", "satisfy enum value set: [Terminate, Allow]")
        function.recursive_loop = choice
        return {"RecursiveLoop": choice}

    def GetFunctionRecursionConfig(self, call: Call) -> dict[str, Any]:
        return {"RecursiveLoop": self.find_unqualified(call).recursive_loop}
