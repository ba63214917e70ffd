"""Arguments of JSONata's functions against their signatures, with the errors that AWS reports.

The package ``jsonata-python`` takes null for a missing value, counts the wrong argument, and names the
function by its class. https://docs.jsonata.org/embedding-extending#function-signature-syntax
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.signature import Signature  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

MISMATCHES = ("T0410", "T0411")


class Strict(Signature):  # type: ignore[misc]
    """A signature of the package, in which null is a value."""

    def get_symbol(self, value: Any) -> str:
        return "l" if value is Utils.NULL_VALUE else str(super().get_symbol(value))

    def throw_validation_error(self, bad_args: Sequence[Any], bad_sig: str, function_name: str) -> NoReturn:
        pattern, good_to = "^", 0
        for param in self._params:
            pattern += param.regex
            found = re.match(pattern, bad_sig)
            if found is None:
                break
            good_to = found.end()
        raise JException("T0410", -1, good_to + 1)


@functools.lru_cache(1024)
def strict(signature: Signature) -> Strict:
    """The same signature, read strictly."""
    found = Strict.__new__(Strict)
    found.__dict__.update(signature.__dict__)
    return found


def named(error: JException, procedure: Any) -> None:
    """Tell an error about arguments the name by which the function was called."""
    code = str(error.error)
    if code == "T0411" and isinstance(error.expected, int):
        error.current, error.expected = error.expected, None  # the package has the context's value first
    if code in MISMATCHES and error.expected is None:
        steps = getattr(procedure, "steps", None)
        error.expected = steps[0].value if steps else procedure.value
