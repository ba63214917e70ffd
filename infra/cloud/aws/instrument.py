"""Put the probe before the handler of every Python function of an assembly.

The code asset of such a function gets one more file, and so another key; the function's ``Handler`` becomes
the probe's, and an environment variable names the real one. What is not Python, or has its code inline or in
an image, stays as it is: it is not measured message by message.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from infra.assembly import Assembly, Asset
from infra.template_text import load

PROBE = Path(__file__).with_name("workshop_probe.py")
"""Not imported here: it looks for the handler that it stands before."""
HANDLER = f"{PROBE.stem}.handler"
VARIABLE = "WORKSHOP_HANDLER"


def instrument(assembly: Assembly) -> Assembly:
    """The assembly with a probe in each of its Python functions."""
    template = load(assembly.template)
    assets = {asset.key: asset for asset in assembly.assets}
    made: dict[str, Asset] = {}
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource.get("Type") != "AWS::Lambda::Function" or not _is_measurable(properties):
            continue
        key = _key(properties["Code"], assets)
        if key is None:
            continue
        if key not in made:
            made[key] = _with_probe(assets[key])
        properties["Code"]["S3Key"] = made[key].key
        variables = properties.setdefault("Environment", {}).setdefault("Variables", {})
        variables[VARIABLE] = properties["Handler"]
        properties["Handler"] = HANDLER
    kept = tuple(asset for asset in assembly.assets if asset.key not in made or _still_used(asset, template))
    if not made:
        return assembly
    return dataclasses.replace(
        assembly, template=json.dumps(template, indent=1), assets=(*kept, *made.values())
    )


def _is_measurable(properties: dict[str, Any]) -> bool:
    return (
        str(properties.get("Runtime", "")).startswith("python")
        and isinstance(properties.get("Handler"), str)
        and "S3Key" in properties.get("Code", {})
        and isinstance(properties.get("Environment", {}).get("Variables", {}), dict)
    )


def _key(code: dict[str, Any], assets: dict[str, Asset]) -> str | None:
    """Which asset a function's code is."""
    key = code["S3Key"]
    return key if isinstance(key, str) and key in assets else None


def _still_used(asset: Asset, template: dict[str, Any]) -> bool:
    return asset.key in json.dumps(template)


def _with_probe(asset: Asset) -> Asset:
    buffer = io.BytesIO(asset.content())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(PROBE.name, (2026, 1, 1, 0, 0, 0))  # equal code gives equal bytes
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, PROBE.read_bytes(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    key = hashlib.sha256(content).hexdigest() + ".zip"
    return Asset(key, asset.path, False, bucket=asset.bucket, content_given=content)
