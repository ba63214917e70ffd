"""``Fn::ForEach`` of ``Transform: AWS::LanguageExtensions``: a loop spelled out before the template is read.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .references import invalid

_LOOP = "Fn::ForEach::"


def expand(body: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The template with its loops in Resources, Conditions, Outputs and inside of resources spelled out.

    ``parameters`` are values as Ref answers them (lists split). Raises ValidationError.
    """
    mappings = body.get("Mappings") or {}

    def values(collection: Any) -> list[str]:
        if isinstance(collection, dict) and list(collection) == ["Ref"]:
            collection = parameters.get(collection["Ref"])
        elif isinstance(collection, dict) and list(collection) == ["Fn::FindInMap"]:
            name, key, attribute = collection["Fn::FindInMap"][:3]
            keys = [
                parameters.get(each["Ref"]) if isinstance(each, dict) else each for each in (key, attribute)
            ]
            collection = mappings.get(name, {}).get(keys[0], {}).get(keys[1])
        if not isinstance(collection, list):
            raise invalid(
                "Template error: the collection of Fn::ForEach must be a list of strings, or a Ref to a "
                "parameter that is a list"
            )
        found: list[str] = []
        for item in collection:
            is_ref = isinstance(item, dict) and list(item) == ["Ref"]
            value = parameters.get(item["Ref"]) if is_ref else item
            found += value if isinstance(value, list) else [str(value)]
        return found

    def spelled_out(value: Any) -> Any:
        if isinstance(value, list):
            return [spelled_out(item) for item in value]
        if not isinstance(value, dict):
            return value
        result: dict[str, Any] = {}
        for key, item in value.items():
            if not (isinstance(key, str) and key.startswith(_LOOP)):
                inner = spelled_out(item)
                result[key] = _named(inner) if key == "Fn::GetAtt" and isinstance(inner, list) else inner
                continue
            if not (isinstance(item, list) and len(item) == 3 and isinstance(item[2], dict)):
                raise invalid(f"Template error: {key} takes an identifier, a collection and one output map")
            for each in values(item[1]):
                result.update(spelled_out(_replaced(item[2], str(item[0]), each)))
        return result

    expanded: dict[str, Any] = spelled_out(body)
    return expanded


def _named(parts: list[Any]) -> list[Any]:
    """The names in Fn::GetAtt: an Fn::Sub of which the loop has left plain text is that text."""
    texts = [
        part["Fn::Sub"] if isinstance(part, dict) and list(part) == ["Fn::Sub"] else part for part in parts
    ]
    return [
        text if isinstance(text, str) and "${" not in text else part
        for text, part in zip(texts, parts, strict=True)
    ]


def _replaced(value: Any, identifier: str, text: str) -> Any:
    """The loop's body for one item: ``${Name}`` and ``&{Name}`` in keys and values, and ``Ref: Name``.

    ``&{Name}`` leaves out what is not a letter or a digit, for logical ids.
    """
    if isinstance(value, list):
        return [_replaced(item, identifier, text) for item in value]
    if isinstance(value, dict):
        if value == {"Ref": identifier}:
            return text
        return {
            _replaced(key, identifier, text): _replaced(item, identifier, text) for key, item in value.items()
        }
    if isinstance(value, str):
        value = value.replace("${" + identifier + "}", text)
        return value.replace("&{" + identifier + "}", re.sub(r"[^A-Za-z0-9]", "", text))
    return value
