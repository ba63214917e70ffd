"""Self-checks of a lesson: a sentence with what was seen and what was expected, and errors shown as text."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterator
from typing import Any

from . import tables

_MISSING: Any = object()


def expect(
    claim: str,
    seen: Any,
    expected: Any = _MISSING,
    *,
    at_least: Any = _MISSING,
    at_most: Any = _MISSING,
    show: Callable[[Any], str] | None = None,
) -> None:
    """Print whether a claim holds, and what was seen if it does not.

    Give ``expected`` (equal), ``at_least`` or ``at_most`` (or both), or none of them: then ``seen`` itself
    must be true. ``show`` writes the values (``tables.seconds``, ``tables.usd``).

        expect("every order is processed", seen=processed, expected=1000)
        expect("p99 stays under a second", seen=p99, at_most=1, show=tables.seconds)
    """
    text = show or _value
    tests: list[tuple[bool, str]] = []
    if expected is not _MISSING:
        tests.append((seen == expected, text(expected)))
    if at_least is not _MISSING:
        tests.append((_compare(operator.ge, seen, at_least), f"at least {text(at_least)}"))
    if at_most is not _MISSING:
        tests.append((_compare(operator.le, seen, at_most), f"at most {text(at_most)}"))
    if not tests:
        print(f"{'✔' if seen else '✘'} {claim}")
        return
    holds = all(test for test, _ in tests)
    wanted = " and ".join(wish for _, wish in tests)
    if holds and expected is not _MISSING:
        print(f"✔ {claim}: {text(seen)}")
    elif holds:
        print(f"✔ {claim}: {text(seen)}, {wanted}")
    else:
        print(f"✘ {claim}: saw {text(seen)}, expected {wanted}")


def error_code(error: BaseException) -> str:
    """AWS's code of an error that boto3 raised, or the name of any other error."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        code = response["Error"].get("Code")
        if code:
            return str(code)
    return type(error).__name__


@contextlib.contextmanager
def shows_error(*expected: str) -> Iterator[None]:
    """The block must fail with one of these errors; it is printed as text, and the notebook goes on.

    An error is named by AWS's code or by its class. Nothing raised is an AssertionError, so that a lesson
    that demonstrates an error cannot pass without it; any other error is raised as it is.

        with shows_error("QueueDoesNotExist"):
            sqs.get_queue_url(QueueName="no-such-queue")
    """
    if not expected or not all(isinstance(name, str) and name for name in expected):
        raise TypeError('name the error that must be shown: with shows_error("QueueDoesNotExist"): …')
    try:
        yield
    except Exception as error:
        names = {error_code(error), error_code(error).rpartition(".")[2]}
        names.update(kind.__name__ for kind in type(error).__mro__ if kind not in (Exception, object))
        if names.isdisjoint(expected):
            raise
        print(f"{error_code(error)}: {error_message(error)}")
        return
    raise AssertionError(f"expected {' or '.join(expected)}, but nothing was raised")


def error_message(error: BaseException) -> str:
    """AWS's message of an error that boto3 raised, or the text of any other error."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        message = response["Error"].get("Message")
        if message:
            return str(message)
    return str(error)


def _compare(relation: Callable[[Any, Any], Any], seen: Any, bound: Any) -> bool:
    return seen is not None and bool(relation(seen, bound))


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tables.number(value)
    return str(value)
