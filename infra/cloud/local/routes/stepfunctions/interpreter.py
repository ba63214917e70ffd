"""moto's interpreter of the Amazon States Language, made to run in virtual time, one execution at a time.

The interpreter was written for threads. Its modules get look-alikes of ``threading`` and ``time``
(``threads.py``) and of its boto3 clients (``integrations.py``); a definition is parsed once; and the places
where it polled, or copied a whole program to ask whether it still runs, are replaced. ``language/`` adds what
differs from AWS in the language itself. All of it is undone when the world closes.

Importing the interpreter takes a second, so that waits until a state machine is made.
"""

from __future__ import annotations

import copy
import datetime
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from .threads import Threads

if TYPE_CHECKING:
    from ...world import World

PREFIX = "moto.stepfunctions.parser"
_MISSING = object()
_programs: dict[str, Any] = {}
"""Definitions by their text: a program holds no state of an execution, so it serves all worlds."""


class Interpreter:
    """The patches on moto, from the first state machine of a world until the world closes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.threads = Threads(world.kernel)
        self._undo: list[tuple[Any, str, Any]] | None = None

    def program(self, definition: str) -> Any:
        """The program of a definition, parsed once. Raises what the parser raises."""
        self.install()
        found = _programs.get(definition)
        if found is None:
            from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

            found = _programs[definition] = AmazonStateLanguageParser.parse(definition)[0]
        return found

    def state_type(self, definition: str, resume: tuple[str, Any, Any] | None) -> str:
        """The type of the state where an execution would go on."""
        from .states import type_of

        return "" if resume is None else type_of(self.program(definition).states.states[resume[0]])

    def install(self) -> None:
        """Patch moto, if that is not done."""
        if self._undo is not None:
            return
        self._undo = []
        from . import language, maps, states, tasks
        from .integrations import client_maker

        _import_all()
        threads = self.threads
        replacements = [
            (threading, threads),
            (time, threads),
            (threading.Thread, threads.Thread),
            (threading.Event, threads.Event),
            (threading.Lock, threads.Lock),
            (copy, FastCopy),
        ]
        client = client_maker(self._world)
        for name in sorted(sys.modules):
            if not name.startswith(PREFIX):
                continue
            module = sys.modules[name]
            for attribute, value in list(vars(module).items()):
                for old, new in replacements:
                    if value is old:
                        self._patch(module, attribute, new)
                if attribute == "boto_client_for":
                    self._patch(module, attribute, client)
                elif attribute == "to_json_str":
                    self._patch(module, attribute, to_json)
                elif attribute == "TMP_THREADS":
                    self._patch(module, attribute, _Nowhere())
        world = self._world
        for made in (states.patches, maps.patches, tasks.patches, language.patches):
            for owner, attribute, value in made(world):
                self._patch(owner, attribute, value)

    def uninstall(self) -> None:
        for owner, attribute, value in reversed(self._undo or ()):
            if value is _MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, value)
        self._undo = None

    def _patch(self, owner: Any, attribute: str, value: Any) -> None:
        assert self._undo is not None
        self._undo.append((owner, attribute, vars(owner).get(attribute, _MISSING)))
        setattr(owner, attribute, value)


class _Nowhere:
    """Where the interpreter keeps every thread that it ever started."""

    def append(self, thread: Any) -> None:
        pass


class FastCopy:
    """``copy`` for values that are JSON, which need no memory of what was already copied."""

    copy = staticmethod(copy.copy)

    @staticmethod
    def deepcopy(value: Any) -> Any:
        return copy_json(value)


_ATOMS = frozenset({str, int, float, bool, type(None)})


def copy_json(value: Any) -> Any:
    """A deep copy; quick for JSON, right for everything else."""
    kind = value.__class__
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {key: each if each.__class__ in _ATOMS else copy_json(each) for key, each in value.items()}
    if kind is list:
        return [each if each.__class__ in _ATOMS else copy_json(each) for each in value]
    return copy.deepcopy(value)


def to_json(value: Any, separators: tuple[str, str] | None = None) -> str:
    """JSON as Step Functions writes it: compact, and not escaped to ASCII."""
    return _encode(value)


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)


_encode = json.JSONEncoder(default=_shown, separators=(",", ":"), ensure_ascii=False).encode


def _import_all() -> None:
    """Everything that the interpreter imports only when it first needs it."""
    import moto.stepfunctions.parser.asl.eval.environment
    import moto.stepfunctions.parser.asl.parse.asl_parser  # noqa: F401


class Moments:
    """``datetime`` for the context object: times as AWS writes them, ``2026-01-05T09:00:00.000Z``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.datetime = self
        self.timezone = self
        self.utc = None

    def now(self, tz: Any = None) -> Moments:
        return self

    def isoformat(self) -> str:
        return iso(self._world.kernel.now)


def iso(micros: int) -> str:
    """A time as the context object shows it."""
    when = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{micros // 1000 % 1000:03d}Z"
