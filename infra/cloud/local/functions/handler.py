"""Finding the function that a handler's name stands for, with the errors of Lambda's runtime."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from . import errors
from .context import LambdaContext


def find_handler(handler: str) -> Callable[[Any, LambdaContext], Any]:
    """Import what ``module.function`` names, with the runtime's errors."""
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        raise errors.Fault(
            "Runtime.MalformedHandlerName",
            f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)",
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise errors.Fault(
            "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as problem:
        raise errors.Fault(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {problem}"
        ) from problem
    except SyntaxError as problem:
        raise errors.syntax_error(module_name, problem) from problem
    function: Callable[[Any, LambdaContext], Any] | None = getattr(module, function_name, None)
    if function is None:
        raise errors.Fault(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        )
    return function
