"""Stack class -> cloud assembly: the template and the assets it needs, cached by content.

Synthesis takes a second or more, so an assembly is kept in ``build/assemblies`` under a hash of everything
it can depend on: the stack's class and properties, the files of ``infra/stacks`` and ``labs``, and the
version of the CDK.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import inspect
import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "assemblies"
ASSET_BUCKET = "workshop-assets-${AWS::AccountId}-${AWS::Region}"


@dataclasses.dataclass(frozen=True)
class Asset:
    """A file or folder that the template expects in the asset bucket under ``key``."""

    key: str
    path: Path
    zipped: bool

    def content(self) -> bytes:
        """What to upload. A folder is zipped with fixed dates, so equal folders give equal bytes."""
        if not self.zipped:
            return self.path.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(self.path.rglob("*")):
                if file.is_file():
                    entry = zipfile.ZipInfo(file.relative_to(self.path).as_posix(), (2026, 1, 1, 0, 0, 0))
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
    if not (folder / "workshop.json").exists():
        _synthesize(stack, stack_name, properties, folder)
    manifest = json.loads((folder / "workshop.json").read_text("utf-8"))
    return Assembly(
        stack_name,
        (folder / manifest["template"]).read_text("utf-8"),
        tuple(Asset(key, folder / path, zipped) for key, path, zipped in manifest["assets"]),
    )


def _synthesize(stack: type, stack_name: str, properties: dict[str, Any], folder: Path) -> None:
    import infra.stacks  # noqa: F401 - points jsii at the right Node before the CDK is imported

    import aws_cdk as cdk  # isort: skip

    CACHE.mkdir(parents=True, exist_ok=True)
    outdir = Path(tempfile.mkdtemp(dir=CACHE, prefix="synth-"))
    app = cdk.App(outdir=str(outdir), analytics_reporting=False)
    synthesizer = cdk.DefaultStackSynthesizer(
        generate_bootstrap_version_rule=False, file_assets_bucket_name=ASSET_BUCKET
    )
    stack(app, stack_name, synthesizer=synthesizer, **properties)
    app.synth()
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
    shutil.rmtree(folder, ignore_errors=True)
    outdir.rename(folder)


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
    given = (Path(value) for value in properties.values() if isinstance(value, str | Path))
    folders = [ROOT / "infra" / "stacks", ROOT / "labs", *(path for path in given if path.is_dir())]
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts and "toolkit" not in file.parts:
                digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:20]
