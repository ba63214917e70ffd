"""Reading a definition: texts as JSON has them, and what moto refuses though AWS takes it.

moto leaves escapes of JSON in paths, keys and intrinsic functions, parses those with a second ANTLR grammar
that knows neither null nor fractions, and refuses a retry without a pause.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .patch_expressions import everywhere


class _Function:
    """What moto asks of a parsed intrinsic function: its name."""

    def __init__(self, text: str) -> None:
        found = re.match(r"States\.(\w+)", text)
        self.name = self
        self.function_type = found[1] if found else ""


def patches() -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.antlt4utils import antlr4utils
    from moto.stepfunctions.parser.asl.component.common.retry.interval_seconds_decl import IntervalSecondsDecl
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import (
        StringIntrinsicFunction,
    )
    from moto.stepfunctions.parser.asl.component.state.fail.cause_decl import Cause, CausePath
    from moto.stepfunctions.parser.asl.component.state.fail.error_decl import Error, ErrorPath
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

    def text_of(parser_rule_context: Any) -> str | None:
        text = parser_rule_context.getText()
        if text == "null":
            return None
        return str(json.loads(text)) if text.startswith('"') else str(text)

    def intrinsic(self: Any, ctx: Any) -> Any:
        text = str(json.loads(ctx.STRINGINTRINSICFUNC().getText()))
        return StringIntrinsicFunction(intrinsic_function_derivation=text, function=_Function(text))  # type: ignore[arg-type]

    def interval(self: Any, seconds: int = IntervalSecondsDecl.DEFAULT_SECONDS) -> None:
        self.seconds = seconds

    return [
        *everywhere(antlr4utils.from_string_literal, text_of),
        (Preprocessor, "_inner_string_of", staticmethod(text_of)),
        (Preprocessor, "visitString_intrinsic_function", intrinsic),
        (IntervalSecondsDecl, "__init__", interval),
        (CausePath, "__init__", Cause.__init__),
        (ErrorPath, "__init__", Error.__init__),
    ]
