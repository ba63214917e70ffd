"""Stack class -> cloud assembly: the template and the assets it needs, cached by content.

Synthesis takes a second or more, so an assembly is kept in ``build/assemblies`` under a hash of everything
it can depend on: the stack's class and properties, the files of ``infra/stacks`` and ``labs``, and the
version of the CDK. A class of an application outside of this folder is synthesized each time.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib.metadata
import inspect
import io
import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "assemblies"
ASSET_BUCKET = "workshop-assets-${AWS::AccountId}-${AWS::Region}"

_LEFT_OUT = frozenset({".aws-sam", ".git", ".venv", "__pycache__", "cdk.out", "node_modules"})
"""Folders that no function needs."""


@dataclasses.dataclass(frozen=True)
class Asset:
    """A file or folder that the template expects in ``bucket`` under ``key``."""

    key: str
    path: Path
    zipped: bool
    bucket: str = ASSET_BUCKET
    """May hold ``${AWS::AccountId}`` and ``${AWS::Region}``."""
    inside: str = ""
    """A folder in the zip that everything goes into (``python/``)."""
    content_given: bytes | None = None

    def content(self) -> bytes:
        """What to upload. A folder is zipped with fixed dates, so equal folders give equal bytes."""
        if self.content_given is not None:
            return self.content_given
        if not self.zipped:
            return self.path.read_bytes()
        root = self.path if self.path.is_dir() else self.path.parent
        files = sorted(self.path.rglob("*")) if self.path.is_dir() else [self.path]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                name = file.relative_to(root)
                if file.is_file() and not _LEFT_OUT.intersection(name.parts):
                    entry = zipfile.ZipInfo(self.inside + name.as_posix(), (2026, 1, 1, 0, 0, 0))
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


@dataclasses.dataclass(frozen=True)
class Assembly:
    """A synthesized stack. ``template`` is CloudFormation JSON text."""

    stack_name: str
    template: str
    assets: tuple[Asset, ...]


def synthesize(stack: type, stack_name: str, properties: dict[str, Any]) -> Assembly:
    """The assembly of a CDK stack class, from the cache if nothing it depends on has changed."""
    folder = CACHE / _key(stack, stack_name, properties)
    if _is_from_elsewhere(stack):
        shutil.rmtree(folder, ignore_errors=True)
    if not (folder / "workshop.json").exists():
        _synthesize(stack, stack_name, properties, folder)
    manifest = json.loads((folder / "workshop.json").read_text("utf-8"))
    return Assembly(
        stack_name,
        (folder / manifest["template"]).read_text("utf-8"),
        tuple(Asset(key, folder / path, zipped) for key, path, zipped in manifest["assets"]),
    )


def _is_from_elsewhere(stack: type) -> bool:
    """Whether a class is of an application outside of this folder: what that depends on is not known here."""
    file = getattr(sys.modules.get(stack.__module__), "__file__", None)
    return file is not None and stack.__module__ != "__main__" and ROOT not in Path(file).resolve().parents


def _synthesize(stack: type, stack_name: str, properties: dict[str, Any], folder: Path) -> None:

    import aws_cdk as cdk  # isort: skip

    CACHE.mkdir(parents=True, exist_ok=True)
    _check_properties(stack, cdk.Stack, properties)
    outdir = Path(tempfile.mkdtemp(dir=CACHE, prefix="synth-"))
    try:
        _synthesize_into(outdir, stack, stack_name, properties)
        if not folder.exists():
            outdir.rename(folder)
    except OSError:
        if not folder.exists():  # else another process was faster, with the same result
            raise
    finally:
        shutil.rmtree(outdir, ignore_errors=True)


def _synthesize_into(outdir: Path, stack: type, stack_name: str, properties: dict[str, Any]) -> None:
    import aws_cdk as cdk

    # CloudFormation's own answer to a bad template follows at once, so the CDK need not guess it.
    app = cdk.App(outdir=str(outdir), analytics_reporting=False, builtin_cloud_formation_validation=False)
    synthesizer = cdk.DefaultStackSynthesizer(
        generate_bootstrap_version_rule=False, file_assets_bucket_name=ASSET_BUCKET
    )
    try:
        stack(app, stack_name, synthesizer=synthesizer, **properties)
        app.synth()
    except RuntimeError as error:  # what jsii makes of every error of the CDK
        if "Cannot find asset at" not in str(error):
            raise
        raise RuntimeError(
            f"{error}. The CDK looks for relative paths from the folder in which Python was started: give an "
            "absolute path, or deploy the application's folder, the one with its cdk.json"
        ) from None
    assets = json.loads((outdir / f"{stack_name}.assets.json").read_text("utf-8"))
    template = f"{stack_name}.template.json"
    found = []
    for asset in assets["files"].values():
        source = asset["source"]
        if source["path"] != template:
            for destination in asset["destinations"].values():
                found.append((destination["objectKey"], source["path"], source["packaging"] == "zip"))
    manifest = {"template": template, "assets": sorted(found)}
    (outdir / "workshop.json").write_text(json.dumps(manifest), "utf-8")


def _check_properties(stack: Any, base: Any, properties: dict[str, Any]) -> None:
    """Raise TypeError for a property that neither the class nor CDK's Stack knows."""
    own: list[str] = []
    for kind in stack.__mro__[: stack.__mro__.index(base)]:
        own += [name for name in _parameters(kind) if name not in own]
    known = [*own, *_parameters(base)]
    for name in properties:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(own) or 'none of its own'}"
            raise TypeError(f"{stack.__name__} has no property {name!r}; {hint}")


def _parameters(kind: Any) -> list[str]:
    parameters = inspect.signature(kind.__init__).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


def _key(stack: type, stack_name: str, properties: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for part in (
        importlib.metadata.version("aws-cdk-lib"),
        f"{stack.__module__}.{stack.__qualname__}",
        stack_name,
        json.dumps(properties, sort_keys=True, default=str),
    ):
        digest.update(part.encode() + b"\0")
    if not stack.__module__.startswith("infra."):
        digest.update(inspect.getsource(stack).encode())  # a class of the notebook's own
    # A path may be relative, as the CDK takes it; "" is no path, although it is that of the current folder.
    given = (Path(value) for value in properties.values() if isinstance(value, str | Path) and value != "")
    folders = [ROOT / "infra" / "stacks", ROOT / "labs", *(path for path in given if path.is_dir())]
    for folder in folders:
        for path, below, files in os.walk(folder):
            below[:] = sorted(set(below) - _LEFT_OUT - {"toolkit"})
            for name in sorted(files):
                file = Path(path, name)
                digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:20]
