"""A function's code: what was uploaded, unpacked once, compiled once, imported by many environments.

``Package`` is one zip file (a deployment package or a layer). ``Modules`` is what a function can import from
its package and its layers, in Lambda's order: the function's own folder, then ``/opt``
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath). Code objects are
compiled with the names they have on AWS (``/var/task/app.py``), so tracebacks read as they do there;
``__file__`` is the real unpacked file, so a handler finds the data files beside its code.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import functools
import hashlib
import importlib
import importlib.machinery
import io
import os
import shutil
import sys
import tempfile
import weakref
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType

TASK_ROOT = "/var/task"
LAYER_ROOT = "/opt"
POWERTOOLS = "aws_lambda_powertools"
XRAY_SDK = "aws_xray_sdk"
OPENTELEMETRY = "opentelemetry"
INSTALLED = (POWERTOOLS, XRAY_SDK, OPENTELEMETRY)
"""Libraries with a state of their own, which each environment imports for itself: the layer of Powertools
holds the first two, and OpenTelemetry may be there. A function that brings its own gets its own."""

PRELOADED = frozenset(
    {
        "abc",
        "ast",
        "builtins",
        "codecs",
        "collections",
        "contextlib",
        "copyreg",
        "datetime",
        "decimal",
        "dis",
        "enum",
        "functools",
        "importlib",
        "inspect",
        "io",
        "itertools",
        "json",
        "keyword",
        "linecache",
        "logging",
        "math",
        "operator",
        "os",
        "re",
        "reprlib",
        "signal",
        "site",
        "socket",
        "string",
        "sys",
        "threading",
        "time",
        "token",
        "tokenize",
        "traceback",
        "types",
        "typing",
        "warnings",
        "weakref",
    }
)
"""Standard modules that Lambda's runtime has imported before the function; a file of that name cannot replace
them."""


@functools.cache
def _cache() -> Path:
    """Where packages are unpacked: a folder of this process, removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="functions-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Package:
    """A zip file's content. ``sha256`` is base64 as in AWS's CodeSha256; ``size`` is the zip's, in bytes."""

    def __init__(self, digest: bytes, content: bytes) -> None:
        self.sha256 = base64.b64encode(digest).decode()
        self.size = len(content)
        self._content = content
        self._folder = digest.hex()[:16]
        self._modules: dict[tuple[str, ...], Modules] = {}

    @classmethod
    def from_zip(cls, content: bytes) -> Package:
        """The package of these zip bytes; equal bytes give the same object. ValueError if it is no zip."""
        digest = hashlib.sha256(content).digest()
        key = digest.hex()
        known = _packages.get(key)
        if known is None:
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    names = archive.namelist()
            except zipfile.BadZipFile as error:
                message = "Could not unzip uploaded file. Please check your file, then try to upload again."
                raise ValueError(message) from error
            for name in names:
                if name.startswith("/") or ".." in name.split("/"):
                    raise ValueError(f"the zip file holds {name!r}, which lies outside of its own folder")
            known = _packages[key] = cls(digest, content)
        return known

    @classmethod
    def from_source(cls, files: Mapping[str, str | bytes]) -> Package:
        """A package of these files: path in the package -> content. Equal files give equal bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in sorted(files):
                archive.writestr(zipfile.ZipInfo(name), files[name])
        return cls.from_zip(buffer.getvalue())

    @functools.cached_property
    def folder(self) -> Path:
        """The unpacked files. Processes that were forked from this one share the place: there it is whole, or
        not at all."""
        folder = _cache() / self._folder
        if not folder.exists():
            draft = folder.with_name(f"{self._folder}-{os.getpid()}")
            with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
                archive.extractall(draft)
            try:
                draft.rename(folder)
            except OSError:  # another process was faster
                shutil.rmtree(draft, ignore_errors=True)
        return folder

    def modules(self, layers: tuple[Package, ...] = ()) -> Modules:
        """What a function of this code with these layers can import."""
        key = tuple(layer.sha256 for layer in layers)
        modules = self._modules.get(key)
        if modules is None:
            modules = self._modules[key] = Modules(self, layers)
        return modules


_packages: weakref.WeakValueDictionary[str, Package] = weakref.WeakValueDictionary()


class Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from a source file, with its code compiled once and named as on AWS."""

    def __init__(self, name: str, path: str, shown: str) -> None:
        super().__init__(name, path)
        self.shown = shown
        self._code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType:
        if self._code is None:
            self._code = compile(self.get_data(self.path), self.shown, "exec", dont_inherit=True)
        return self._code


class InstalledLoader(importlib.machinery.SourceFileLoader):
    """Loads one module of an installed library (``INSTALLED``), its code read once."""

    _code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        if self._code is None:
            self._code = super().get_code(fullname)
        return self._code

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, "__path__") and not hasattr(module, "__getattr__"):
            module.__dict__["__getattr__"] = functools.partial(_submodule, module.__name__)


class Modules:
    """The importable modules of a package and its layers. ``tops`` are their top-level names."""

    def __init__(self, package: Package, layers: tuple[Package, ...]) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.roots = [(package.folder, TASK_ROOT)]
        self.names = [(str(package.folder), TASK_ROOT)]
        # A later layer's files lie over an earlier one's.
        for layer in reversed(layers):
            self.names.append((str(layer.folder), LAYER_ROOT))
            for inside in (f"python/lib/{version}/site-packages", "python"):
                if (layer.folder / inside).is_dir():
                    self.roots.append((layer.folder / inside, f"{LAYER_ROOT}/{inside}"))
        tops: dict[str, None] = {}
        for root, _ in self.roots:
            tops.update(dict.fromkeys(_top_level(root)))
        self.bundles_powertools = POWERTOOLS in tops
        self._installed = tuple(name for name in INSTALLED if name not in tops)
        self.tops = frozenset(tops) - PRELOADED
        self.linecache: dict[str, object] = {}
        self._found: dict[str, Loader | InstalledLoader | None] = {}
        self._places: dict[str, list[str]] = {}

    def find(self, name: str) -> importlib.machinery.ModuleSpec | None:
        """A spec of the module, fresh at each call; None if the function's files hold no such source file."""
        if name not in self._found:
            self._found[name] = self._search(name)
        loader = self._found[name]
        places = self._places.get(name)
        if loader is None and places is None:
            return None
        spec = importlib.machinery.ModuleSpec(name, loader, origin=loader.path if loader else None)
        spec.has_location = loader is not None
        spec.submodule_search_locations = None if places is None else list(places)
        return spec

    def _search(self, name: str) -> Loader | InstalledLoader | None:
        if name.partition(".")[0] in self._installed:
            return self._search_installed(name)
        relative = name.replace(".", "/")
        folders = []
        for root, shown in self.roots:
            folder = root / relative
            if (folder / "__init__.py").is_file():
                self._places[name] = [str(folder)]
                return Loader(name, str(folder / "__init__.py"), f"{shown}/{relative}/__init__.py")
            file = root / f"{relative}.py"
            if file.is_file():
                return Loader(name, str(file), f"{shown}/{relative}.py")
            if folder.is_dir():
                folders.append(str(folder))
        if folders:
            self._places[name] = folders
        return None

    def _search_installed(self, name: str) -> InstalledLoader | None:
        parent, _, _ = name.rpartition(".")
        if parent:
            self.find(parent)
        path = self._places.get(parent) if parent else None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None:
            return None
        if spec.submodule_search_locations is not None:
            self._places[name] = list(spec.submodule_search_locations)
        known = _installed.get(name)
        if known is None and spec.origin is not None:
            known = _installed[name] = InstalledLoader(name, spec.origin)
        return known


_installed: dict[str, InstalledLoader] = {}


def _submodule(package: str, name: str) -> ModuleType:
    """A package's attribute that is a module which others have imported already, so no import set it here."""
    if not name.startswith("_"):
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(f"{package}.{name}")
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def _top_level(root: Path) -> list[str]:
    """Names that ``import`` finds directly in a folder."""
    names = []
    for entry in sorted(root.iterdir()):
        if entry.is_dir():
            if entry.name.isidentifier() and any(entry.rglob("*.py")):
                names.append(entry.name)
        elif entry.suffix in (".py", ".so", ".pyd"):
            names.append(entry.name.partition(".")[0])
    return names
