"""What ``cloud.deploy`` takes, told apart: each kind becomes one or more assemblies."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import cloud_assembly, packaging
from .assembly import Assembly, synthesize

ACCEPTED = (
    "deploy() takes a CDK stack class (deploy(QueueProcessing)), a CDK App, a template file of "
    'CloudFormation or AWS SAM (deploy("template.yaml")), a folder with one (template.yaml), '
    "a CDK project (a folder with cdk.json) or its output (cdk.out)"
)
_TEMPLATES = tuple(f"{name}{suffix}" for name in ("template", "packaged") for suffix in packaging.SUFFIXES)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to deploy, in order, and the parameter values of its stacks."""

    assemblies: list[Assembly]
    parameters: dict[str, str]


def plan(
    source: Any,
    stack_name: str | None,
    parameters: Mapping[str, Any] | None,
    properties: dict[str, Any],
    *,
    account: str,
    region: str,
) -> Plan:
    """Raises TypeError or ValueError that says what would be accepted."""
    values = {name: _text(value) for name, value in (parameters or {}).items()}
    if isinstance(source, type) and _is_of(source, "Stack"):
        return Plan([synthesize(source, stack_name or source.__name__, properties)], values)
    if not isinstance(source, type) and _is_of(type(source), "App"):
        _no_properties("a CDK App", properties)
        return Plan(_chosen(cloud_assembly.synthesize_app(source), stack_name), values)
    if not isinstance(source, str | Path):
        raise TypeError(f"{ACCEPTED}; got {source!r}")
    path = Path(source).expanduser()
    if not path.exists():
        raise ValueError(f"there is no file or folder {str(source)!r}; {ACCEPTED}")
    if path.is_dir():
        if (path / "manifest.json").is_file():
            _no_properties("a cloud assembly", properties)
            return Plan(_chosen(cloud_assembly.read(path), stack_name), values)
        if (path / "cdk.json").is_file():
            _no_properties("a CDK project", properties)
            found = cloud_assembly.synthesize_folder(path, account, region)
            return Plan(_chosen(found, stack_name), values)
        templates = [path / name for name in _TEMPLATES if (path / name).is_file()]
        if not templates:
            raise ValueError(f"{path} holds no template.yaml, no cdk.json and no manifest.json; {ACCEPTED}")
        path = templates[0]
    if path.suffix not in packaging.SUFFIXES:
        raise ValueError(f"{path} does not end in {', '.join(packaging.SUFFIXES)}; {ACCEPTED}")
    synthesized = cloud_assembly.read_template(path, stack_name)
    known = packaging.parameters_of(path)
    for name in properties:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known) or 'none'}"
            raise TypeError(f"{path.name} has no parameter {name!r}; {hint}")
    values.update({name: _text(value) for name, value in properties.items()})
    if synthesized is not None:
        return Plan([synthesized], values)
    return Plan([packaging.package(path, stack_name or _name(path), account, region)], values)


def _is_of(kind: type, name: str) -> bool:
    return any(each.__module__ == "aws_cdk" and each.__name__ == name for each in kind.__mro__)


def _no_properties(what: str, properties: dict[str, Any]) -> None:
    if properties:
        raise TypeError(
            f"{what} takes no properties ({', '.join(properties)}); values of CloudFormation parameters go "
            "into parameters={...}"
        )


def _chosen(found: list[Assembly], stack_name: str | None) -> list[Assembly]:
    if stack_name is None:
        return found
    chosen = [assembly for assembly in found if assembly.stack_name == stack_name]
    if not chosen:
        names = ", ".join(assembly.stack_name for assembly in found) or "none"
        raise ValueError(f"the application has no stack {stack_name!r}; it has: {names}")
    return chosen


def _name(path: Path) -> str:
    """A stack name from the file's, or from its folder's if the file just says template."""
    stem = path.resolve().parent.name if path.stem in ("template", "packaged") else path.stem
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem).strip("-")
    return name if name[:1].isalpha() else f"stack-{name}"


def _text(value: Any) -> str:
    """A parameter's value as CloudFormation's API takes it: text; a list is joined with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    return str(value)
