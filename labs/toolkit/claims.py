"""What becomes of an ``assert`` in a lesson's cell that does not hold.

In the simulation it is an error: the text states what the assertion checks, and one seed gives one outcome.
A real account has its own latencies, and SQS its own duplicates: there it is printed like a check that
failed, and the notebook goes on.
"""

from __future__ import annotations

import ast
from typing import Any

from .magics import current_cloud

_NAME = "_workshop_claim_missed"


class Claims(ast.NodeTransformer):
    """Leads the failure of each ``assert`` to ``missed``."""

    def visit_Assert(self, node: ast.Assert) -> ast.Try:
        call = ast.Call(ast.Name(_NAME, ast.Load()), [ast.Constant(ast.unparse(node.test))], [])
        handler = ast.ExceptHandler(ast.Name("AssertionError", ast.Load()), None, [ast.Expr(call)])
        guarded = ast.Try([node], [handler], [], [])
        return ast.fix_missing_locations(ast.copy_location(guarded, node))


def missed(claim: str) -> None:
    """Say that a claim does not hold on a real cloud; in the simulation, raise its error again."""
    try:
        real = not current_cloud().simulated
    except RuntimeError:  # no cloud yet
        real = False
    if not real:
        raise
    print(f"✘ {claim}: not in this run; the text has the simulation's numbers")


def register(shell: Any) -> None:
    """Watch the asserts of an IPython shell's cells; doing it again changes nothing."""
    shell.user_ns_hidden[_NAME] = shell.user_ns[_NAME] = missed
    if not any(isinstance(each, Claims) for each in shell.ast_transformers):
        shell.ast_transformers.append(Claims())
