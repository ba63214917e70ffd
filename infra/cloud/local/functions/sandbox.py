"""What an execution environment has for itself although all share one process.

A sandbox is in place while a task of its environment runs (the kernel's ``Scope``). It holds

- the function's own modules and Powertools' stateful ones, in ``sys.modules`` while it is entered. An import
  goes through ``_Finder``: it loads the sandbox's modules from the function's package; any other library is
  imported with the sandbox left, so that what all share never sees anything private. Powertools' modules are
  put back on demand instead of at every switch; those of its modules that keep no state (``STATELESS``) are
  shared;
- ``os.environ``, ``sys.stdout``, ``sys.stderr``, and the cache of source lines that tracebacks read;
- logging's root, tree of loggers and settings: the module and its classes are shared, its state is swapped;
- ``random``, with its own generator; ``os.urandom``, ``uuid`` and ``secrets`` draw from the seed as well;
- the asyncio event loop policy and running loop (see ``event_loop.py``).

Not private: ``/tmp`` and the working directory are the machine's, ``boto3.DEFAULT_SESSION`` and botocore's
loggers are everybody's, and ``sys.path`` is the process's.
"""

from __future__ import annotations

import asyncio.events
import asyncio.tasks
import contextlib
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import linecache
import logging
import operator
import os
import random
import sys
import types
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .event_loop import LoopPolicy
from .instrumentation import TAMED, WRAPT, TamedLoader, Wrapper, WraptLoader
from .package import INSTALLED, OPENTELEMETRY, POWERTOOLS, XRAY_SDK, Modules

if TYPE_CHECKING:
    from ..kernel import Kernel

STATELESS = tuple(
    f"{POWERTOOLS}.{name}"
    for name in (
        "exceptions",
        "logging.buffer",
        "logging.constants",
        "logging.exceptions",
        "logging.filters",
        "metrics.exceptions",
        "metrics.provider.cloudwatch_emf.constants",
        "metrics.provider.cloudwatch_emf.exceptions",
        "metrics.provider.cloudwatch_emf.metric_properties",
        "middleware_factory",
        "package_logger",
        "shared",
        "utilities.batch",
        "utilities.data_classes",
        "utilities.idempotency",
        "utilities.jmespath_utils",
        "utilities.parser",
        "utilities.typing",
        "warnings",
    )
)
"""Parts of Powertools that only define functions and classes: shared, which saves most of a cold start."""

DEFINITIONS = (f"{OPENTELEMETRY}.proto", f"{OPENTELEMETRY}.semconv")
"""Parts of OpenTelemetry that only define names and messages: shared."""

_active: Sandbox | None = None
_logging = vars(logging)
_linecache = vars(linecache)
_policy = vars(asyncio.events)
_manager = logging.Logger.manager
_environ: Any = os.environ
_environb: Any = os.environb if os.supports_bytes_environ else None
_get_running_loop = asyncio.events._get_running_loop
_set_running_loop = asyncio.events._set_running_loop
# Since Python 3.14 the running task belongs to the thread, not to its loop, so it has to be swapped as well.
_swap_task: Any = getattr(asyncio.tasks, "_swap_current_task", None) if sys.version_info >= (3, 14) else None
_logging_state = operator.itemgetter("root", "_loggerClass", "_logRecordFactory", "_handlers", "_handlerList")


def _set_logging(state: tuple[Any, ...]) -> None:
    (
        _logging["root"],
        _logging["_loggerClass"],
        _logging["_logRecordFactory"],
        _logging["_handlers"],
        _logging["_handlerList"],
    ) = state


def _swap_loop(loop: Any, task: Any) -> tuple[Any, Any]:
    """Make this asyncio's running loop and task; return what they were."""
    before = _get_running_loop()
    running = _swap_task(before, None) if _swap_task is not None and before is not None else None
    _set_running_loop(loop)
    if task is not None:
        _swap_task(loop, task)
    return before, running


def active() -> Sandbox | None:
    """The sandbox that is entered."""
    return _active


class Sandbox:
    """The private half of the process of one environment. ``write`` gets what it prints."""

    def __init__(
        self, kernel: Kernel, modules: Modules, variables: dict[str, str], write: Any, entropy: str
    ) -> None:
        self.kernel = kernel
        self.modules = modules
        self.stream = write
        self.entropy = entropy
        self.tops = modules.tops | {*INSTALLED, "random", WRAPT}
        self.wrappers: dict[str, list[Wrapper]] = {}
        """Name of a shared method -> what this environment's libraries have put around it."""
        self.stateless = () if modules.bundles_powertools else STATELESS
        if OPENTELEMETRY not in modules.tops:
            self.stateless += DEFINITIONS
        self._environ: Any = {
            _environ.encodekey(name): _environ.encodevalue(value) for name, value in variables.items()
        }
        self._own: dict[str, types.ModuleType] = {}
        self._library: dict[str, types.ModuleType] = {}
        self._imported: list[str] = []
        self._hidden: dict[str, types.ModuleType] = {}
        self._closed = False
        self._random: random.Random | None = None
        root = logging.RootLogger(logging.WARNING)
        root.root = root  # type: ignore[misc]
        self.root = root
        self._manager = vars(logging.Manager(root))
        self._logging: tuple[Any, ...] = (
            root,
            logging.Logger,
            logging.LogRecord,
            weakref.WeakValueDictionary(),
            [],
        )
        self._policy: Any = LoopPolicy(kernel)
        self._running: tuple[Any, Any] = (None, None)
        self._outside: tuple[Any, ...] = ()

    def setenv(self, name: str, value: str) -> None:
        """Set an environment variable of this sandbox, entered or not."""
        data = _environ._data if _active is self else self._environ
        data[_environ.encodekey(name)] = _environ.encodevalue(value)

    def close(self) -> None:
        """Free the modules. A task that is still being killed may enter once more; it finds none."""
        self._closed = True
        if _active is not self:
            self._own.clear()
            self._library.clear()

    # -- the kernel's Scope ----------------------------------------------------------------------

    def enter(self) -> None:
        global _active
        modules = sys.modules
        names = _hidden_by(self.tops, self.stateless)
        self._hidden = {name: modules.pop(name) for name in names if name in modules}
        modules.update(self._own)
        _active = self
        self._outside = (
            _environ._data,
            sys.stdout,
            sys.stderr,
            _manager.__dict__,
            _logging_state(_logging),
            _linecache["cache"],
            _policy["_event_loop_policy"],
            _swap_loop(*self._running),
        )
        _environ._data = self._environ
        if _environb is not None:
            _environb._data = self._environ
        sys.stdout = sys.stderr = self.stream
        _manager.__dict__ = self._manager
        _set_logging(self._logging)
        _linecache["cache"] = self.modules.linecache
        _policy["_event_loop_policy"] = self._policy

    def leave(self) -> None:
        global _active
        modules = sys.modules
        if self._imported:
            self._take_back()
        else:
            for name in self._own:
                modules.pop(name, None)
        modules.update(self._hidden)
        _active = None
        self._logging = _logging_state(_logging)
        data, stdout, stderr, manager, state, cache, policy, running = self._outside
        _environ._data = data
        if _environb is not None:
            _environb._data = data
        sys.stdout, sys.stderr = stdout, stderr
        _manager.__dict__ = manager
        _set_logging(state)
        _linecache["cache"] = cache
        _policy["_event_loop_policy"] = policy
        self._running = _swap_loop(*running)
        if self._closed:
            self._own.clear()
            self._library.clear()

    def _take_back(self) -> None:
        """Take everything private out of ``sys.modules``, including what was imported in this turn."""
        modules = sys.modules
        own: dict[str, types.ModuleType] = {}
        for name in dict.fromkeys([*self._own, *self._imported]):
            module = modules.pop(name, None)
            if module is None:
                continue
            if name == "random" or (name.startswith(POWERTOOLS) and not self.modules.bundles_powertools):
                self._library[name] = module
            else:
                own[name] = module
        self._own = own
        self._imported.clear()

    # -- imports ---------------------------------------------------------------------------------

    def find_spec(self, name: str) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if top not in self.tops:
            return self._shared(name)
        if name == "random":
            spec = importlib.machinery.ModuleSpec(name, _RandomLoader(self))
        elif top == WRAPT:
            real = self._outside_import(name)
            if name != WRAPT or real is None:
                return self._spec_of(real, name)
            spec = importlib.machinery.ModuleSpec(name, WraptLoader(real, active), is_package=True)
        elif name.startswith(self.stateless):
            return self._shared(name)
        else:
            found = self.modules.find(name)
            if found is None:
                if name == top:
                    return self._shared(name)
                self._imported.append(name)  # an extension module that the next finder may find
                return None
            spec = found
            change = TAMED.get(name)
            if change is not None and not (
                name.startswith(f"{XRAY_SDK}.ext.httpx") and "httpx" in self.modules.tops
            ):
                spec.loader = TamedLoader(spec.loader, change)
        self._imported.append(name)
        existing = self._library.get(name)
        if existing is not None:
            original = existing.__spec__
            return importlib.machinery.ModuleSpec(name, _Existing(existing, original), origin=spec.origin)
        return spec

    def _shared(self, name: str) -> importlib.machinery.ModuleSpec | None:
        """A module that everybody shares; None if there is none."""
        return self._spec_of(self._outside_import(name), name)

    def _outside_import(self, name: str) -> types.ModuleType | None:
        """Import a module with this sandbox left; None if there is none."""
        before = {known: sys.modules[known] for known in self._imported if known in sys.modules}
        with self.kernel.uninterrupted():
            self.leave()
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return None
        finally:
            with self.kernel.uninterrupted():
                self.enter()
                sys.modules.update(before)
                self._imported.extend(before)

    @staticmethod
    def _spec_of(module: types.ModuleType | None, name: str) -> importlib.machinery.ModuleSpec | None:
        """A spec that hands out a module which is there."""
        if module is None:
            return None
        original = module.__spec__
        spec = importlib.machinery.ModuleSpec(
            name, _Existing(module, original), origin=getattr(original, "origin", None)
        )
        # importlib sees that the module has appeared meanwhile, and takes the module's own spec for ours.
        module.__spec__ = spec
        return spec

    def private_random(self) -> random.Random:
        """The environment's own source of chance, from the world's seed."""
        if self._random is None:
            digest = hashlib.sha256(f"{self.kernel.seed}/entropy.{self.entropy}".encode()).digest()
            self._random = random.Random(int.from_bytes(digest, "big"))
        return self._random


class Finder(importlib.abc.MetaPathFinder):
    """Asked first for every import; answers only while a sandbox is entered."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return None if _active is None else _active.find_spec(fullname)


class _Existing(importlib.abc.Loader):
    """Hands out a module that is there already, and leaves it as it was."""

    def __init__(self, module: types.ModuleType, spec: importlib.machinery.ModuleSpec | None) -> None:
        self._module = module
        self._spec = spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return self._module

    def exec_module(self, module: types.ModuleType) -> None:
        with contextlib.suppress(AttributeError):
            module.__spec__ = self._spec


class _RandomLoader(importlib.abc.Loader):
    """Makes a ``random`` whose generator belongs to one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return types.ModuleType("random", random.__doc__)

    def exec_module(self, module: types.ModuleType) -> None:
        source = self._sandbox.private_random()

        class Random(random.Random):
            """As ``random.Random``; without a seed it starts from the environment's own entropy."""

            def seed(self, a: Any = None, version: int = 2) -> None:
                super().seed(source.getrandbits(256) if a is None else a, version)

        generator = Random()
        spec = module.__spec__
        module.__dict__.update({name: value for name, value in vars(random).items() if name != "__spec__"})
        for name in random.__all__:
            if isinstance(getattr(random, name), types.MethodType | types.BuiltinMethodType):
                setattr(module, name, getattr(generator, name))
        module.__dict__.update({"Random": Random, "_inst": generator, "__spec__": spec})


_hidden: dict[tuple[frozenset[str], tuple[str, ...]], dict[str, None]] = {}
_hidden_size = -1


def _hidden_by(tops: frozenset[str], stateless: tuple[str, ...]) -> dict[str, None]:
    """Names of the shared modules that private ones replace; found anew when ``sys.modules`` has changed."""
    global _hidden_size
    modules = sys.modules
    if len(modules) != _hidden_size:
        _hidden.clear()
        _hidden_size = len(modules)
    key = (tops, stateless)
    names = _hidden.get(key)
    if names is not None:
        for top in tops:
            if top in modules and top not in names:
                names = None
                break
    if names is None:
        names = _hidden[key] = {
            name: None
            for name in modules
            if name.partition(".")[0] in tops and not name.startswith(stateless)
        }
    return names
