"""A CDK application's output (``cdk.out``) -> assemblies, in the order in which they are to be deployed.

https://docs.aws.amazon.com/cdk/v2/guide/deploy.html describes cloud assemblies; their format is
https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib/cloud-assembly-schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .assembly import CACHE, Assembly, Asset


def read(folder: Path) -> list[Assembly]:
    """Every stack of a cloud assembly, also those of its stages, each after the ones it depends on."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    artifacts: dict[str, Any] = manifest.get("artifacts", {})
    found: list[Assembly] = []
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done or name not in artifacts:
            return
        done[name] = None
        artifact = artifacts[name]
        for needed in artifact.get("dependencies", []):
            visit(needed)
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            found.extend(read(folder / properties["directoryName"]))
        elif artifact["type"] == "aws:cloudformation:stack":
            found.append(_stack(folder, name, properties, artifacts, artifact.get("dependencies", [])))

    for name in artifacts:
        visit(name)
    return found


def read_template(path: Path, stack_name: str | None) -> Assembly | None:
    """One template of a cloud assembly with its assets; None if the file is no such template."""
    name = path.name.removesuffix(".template.json")
    manifest = path.with_name(f"{name}.assets.json")
    if name == path.name or not manifest.is_file():
        return None
    assets = tuple(_assets(path.parent, manifest, path.name))
    return Assembly(stack_name or name, path.read_text("utf-8"), assets)


def _stack(
    folder: Path, name: str, properties: dict[str, Any], artifacts: dict[str, Any], dependencies: list[str]
) -> Assembly:
    assets: list[Asset] = []
    for needed in dependencies:
        artifact = artifacts.get(needed, {})
        if artifact.get("type") == "cdk:asset-manifest":
            assets += _assets(folder, folder / artifact["properties"]["file"], properties["templateFile"])
    template = (folder / properties["templateFile"]).read_text("utf-8")
    return Assembly(properties.get("stackName", name), template, tuple(assets))


def _assets(folder: Path, file: Path, template: str) -> list[Asset]:
    manifest = json.loads(file.read_text("utf-8"))
    if manifest.get("dockerImages"):
        raise ValueError(
            f"{file.name} asks for container images, and the local cloud runs no containers: "
            "NotSimulated: docker image assets"
        )
    found = []
    for name, asset in manifest.get("files", {}).items():
        source = asset["source"]
        if "path" not in source:
            raise ValueError(f"{file.name}: asset {name} is made by a command, which is not run here")
        if source["path"] == template:
            continue  # the template itself goes to CloudFormation directly
        for destination in asset["destinations"].values():
            zipped = source.get("packaging", "file") == "zip"
            found.append(
                Asset(destination["objectKey"], folder / source["path"], zipped, destination["bucketName"])
            )
    return found


def synthesize_app(app: Any) -> list[Assembly]:
    """The stacks of a CDK ``App`` object."""
    return read(Path(app.synth().directory))


def _with_this_python(command: str) -> str:
    """An app that is started with Python runs on this one, which has the CDK."""
    program, _, rest = command.partition(" ")
    is_python = re.fullmatch(r"(.*[/\\\\])?python(\d(\.\d+)?)?(\.exe)?", program) is not None
    return f'"{sys.executable}" {rest}' if is_python else command


def synthesize_folder(folder: Path, account: str, region: str) -> list[Assembly]:
    """Run the application of a folder with a ``cdk.json``, as ``cdk synth`` does. Raises ValueError."""

    settings = json.loads((folder / "cdk.json").read_text("utf-8"))
    command = settings.get("app")
    if not isinstance(command, str):
        raise ValueError(f"{folder / 'cdk.json'} names no app")
    CACHE.mkdir(parents=True, exist_ok=True)
    output = CACHE / f"app-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
    shutil.rmtree(output, ignore_errors=True)
    context = {
        "aws:cdk:bundling-stacks": [],
        "aws:cdk:enable-path-metadata": True,
        **settings.get("context", {}),
    }
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", ""),
    }
    run = subprocess.run(
        _with_this_python(command),
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode or not (output / "manifest.json").is_file():
        raise ValueError(f"{command!r} in {folder} failed:\n{run.stderr.strip()[-2000:]}")
    return read(output)
