"""A template file -> assembly: what it names on this machine is packed, as ``sam build`` and ``deploy`` do.

A property that holds a local path gets the place of the upload instead. Functions' requirements are not
installed: they run on this Python, so what they import has to be installed here.

https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-build.html
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

from .assembly import ASSET_BUCKET, Assembly, Asset
from .template_text import load

SUFFIXES = (".yaml", ".yml", ".json", ".template")
_SERVERLESS = {
    ("AWS::Serverless::Function", "CodeUri"),
    ("AWS::Serverless::LayerVersion", "ContentUri"),
    ("AWS::Serverless::StateMachine", "DefinitionUri"),
    ("AWS::Serverless::Api", "DefinitionUri"),
    ("AWS::Serverless::HttpApi", "DefinitionUri"),
    ("AWS::Serverless::GraphQLApi", "SchemaUri"),
}
"""Properties that take ``s3://bucket/key``."""
_STRUCTS = {
    ("AWS::Lambda::Function", "Code"): ("S3Bucket", "S3Key"),
    ("AWS::Lambda::LayerVersion", "Content"): ("S3Bucket", "S3Key"),
    ("AWS::StepFunctions::StateMachine", "DefinitionS3Location"): ("Bucket", "Key"),
    ("AWS::ApiGateway::RestApi", "BodyS3Location"): ("Bucket", "Key"),
    ("AWS::ApiGatewayV2::Api", "BodyS3Location"): ("Bucket", "Key"),
}
"""Properties that take an object, and how it names bucket and key."""
_NESTED = {
    ("AWS::CloudFormation::Stack", "TemplateURL"),
    ("AWS::Serverless::Application", "Location"),
}
"""Properties that name another template, which is packed first."""


def package(path: Path, stack_name: str, account: str, region: str) -> Assembly:
    """The assembly of a template file. Raises ValueError for what is not a template or not there."""
    found = _Packer(account, region)
    text = found.template(path)
    for line in found.missing:
        print(line)
    return Assembly(stack_name, text, tuple(found.assets.values()))


def parameters_of(path: Path) -> list[str]:
    """The names of a template's parameters."""
    declared = _body(path).get("Parameters")
    return list(declared) if isinstance(declared, dict) else []


def _body(path: Path) -> dict[str, Any]:
    """The template without empty sections (a bare ``Parameters:``), which public samples have."""
    try:
        body = load(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        raise ValueError(f"{path} is no CloudFormation template: it has no Resources")
    return {section: content for section, content in body.items() if content is not None}


class _Packer:
    """Collects the assets of one template and of those nested in it."""

    def __init__(self, account: str, region: str) -> None:
        self.bucket = ASSET_BUCKET.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
        self.region = region
        self.assets: dict[str, Asset] = {}
        self.missing: dict[str, None] = {}

    def template(self, path: Path) -> str:
        body = _body(path)
        before = json.dumps(load(path.read_text("utf-8")), default=str)
        folder = path.resolve().parent
        common = body.get("Globals", {}).get("Function", {})
        if isinstance(common, dict) and isinstance(common.get("CodeUri"), str):
            common["CodeUri"] = self._packed(folder, common["CodeUri"], "Globals.Function", "CodeUri")
        self._includes(folder, body)
        for name, resource in body["Resources"].items():
            if not isinstance(resource, dict):
                continue
            kind = resource.get("Type")
            if kind == "AWS::Serverless::Function":
                self._default_code(resource, common)
            properties = resource.get("Properties")
            if not isinstance(properties, dict):
                continue
            for key, value in properties.items():
                if isinstance(value, str) and not _is_elsewhere(value):
                    self._rewrite(folder, name, resource, key, value)
        return path.read_text("utf-8") if json.dumps(body, default=str) == before else json.dumps(body)

    def _includes(self, folder: Path, value: Any) -> None:
        """Upload what AWS::Include names beside the template, wherever it stands."""
        if isinstance(value, dict) and value.get("Name") == "AWS::Include":
            given = value.get("Parameters") or {}
            location = given.get("Location") if isinstance(given, dict) else None
            if isinstance(location, str) and not _is_elsewhere(location):
                given["Location"] = self._packed(folder, location, "AWS::Include", "Location")
            return
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._includes(folder, item)

    @staticmethod
    def _default_code(resource: dict[str, Any], common: Any) -> None:
        """Without CodeUri and InlineCode the template's own folder is the code."""
        properties = resource.setdefault("Properties", {})
        known = {"CodeUri", "InlineCode", "ImageUri"}
        if isinstance(common, dict) and known & common.keys():
            return
        if isinstance(properties, dict) and not known & properties.keys():
            properties["CodeUri"] = "."

    def _rewrite(self, folder: Path, name: str, resource: dict[str, Any], key: str, value: str) -> None:
        kind, properties = resource["Type"], resource["Properties"]
        if (kind, key) in _NESTED:
            properties[key] = self._nested(folder, name, key, value)
        elif (kind, key) in _SERVERLESS:
            inside = "python/" if _is_built_layer(resource) else ""
            properties[key] = self._packed(folder, value, name, key, inside)
        elif (kind, key) in _STRUCTS:
            bucket_name, key_name = _STRUCTS[kind, key]
            bucket, _, place = self._packed(folder, value, name, key).removeprefix("s3://").partition("/")
            properties[key] = {bucket_name: bucket, key_name: place}

    def _nested(self, folder: Path, name: str, key: str, value: str) -> str:
        path = folder / value
        if not path.is_file():
            raise ValueError(f"{name}.{key}: there is no template {value!r} beside {folder.name}")
        text = self.template(path)
        asset = self._add(
            Asset(_digest(text.encode()) + ".template", path, False, content_given=text.encode())
        )
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket}/{asset.key}"

    def _packed(self, folder: Path, value: str, name: str, key: str, inside: str = "") -> str:
        path = folder / value
        if not path.exists():
            raise ValueError(f"{name}.{key}: there is no file or folder {value!r} beside the template")
        zipped = path.is_dir() or (key in ("CodeUri", "Code") and path.suffix == ".py")
        asset = Asset("", path, zipped, inside=inside)
        suffix = ".zip" if zipped else path.suffix
        asset = self._add(dataclasses.replace(asset, key=_digest(asset.content()) + suffix))
        if path.is_dir():
            self._note_missing(name, path)
        return f"s3://{self.bucket}/{asset.key}"

    def _add(self, asset: Asset) -> Asset:
        return self.assets.setdefault(asset.key, asset)

    def _note_missing(self, name: str, folder: Path) -> None:
        requirements = folder / "requirements.txt"
        if requirements.is_file():
            absent = [each for each in _required(requirements) if not _is_there(each, folder)]
            if absent:
                self.missing[
                    f"{name}: its requirements.txt asks for {', '.join(absent)}, not installed here. "
                    f"Run: pip install {' '.join(absent)}"
                ] = None


def _is_elsewhere(value: str) -> bool:
    return value.startswith(("s3://", "http://", "https://", "arn:"))


def _is_built_layer(resource: dict[str, Any]) -> bool:
    """``sam build`` puts the content of a layer with a Python build method under ``python/``."""
    metadata = resource.get("Metadata")
    method = str(metadata.get("BuildMethod", "")) if isinstance(metadata, dict) else ""
    return resource["Type"] == "AWS::Serverless::LayerVersion" and method.startswith("python")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _required(path: Path) -> list[str]:
    names = []
    for line in path.read_text("utf-8", "replace").splitlines():
        match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if match and not line.lstrip().startswith("-"):
            names.append(match.group(1))
    return names


def _is_there(name: str, folder: Path) -> bool:
    """Whether a distribution is installed, or lies in the function's own folder."""
    module = name.replace("-", "_").lower()
    if (folder / module).exists():
        return True
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
