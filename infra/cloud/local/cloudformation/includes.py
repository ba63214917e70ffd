"""``AWS::Include``: snippets from S3 that take the place of a transform, anywhere in a template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from infra.template_text import load

from .references import VARIABLE, TransformFailed

INCLUDE = "AWS::Include"
_SHORT_FORM = re.compile(r"(?:^|[\s\[{,:-])![A-Z][A-Za-z]+[\s\[{]", re.MULTILINE)


class Includer:
    """Replaces the includes of one template. ``fetch`` reads an S3 URI; ``values`` are parameters' texts."""

    def __init__(self, fetch: Callable[[str], str], values: Mapping[str, str]) -> None:
        self._fetch = fetch
        self._values = values
        self.used = False

    def template(self, body: dict[str, Any]) -> dict[str, Any]:
        """The whole template: what stands deepest first, then the ones of its Transform section."""
        done: dict[str, Any] = {
            name: content if name in ("Parameters", "Transform") else self._within(content)
            for name, content in body.items()
        }
        given = body.get("Transform")
        entries: list[Any] = given if isinstance(given, list) else [given]
        own = [each for each in entries if _is_include(each)]
        if own:
            kept = [each for each in entries if each not in own]
            del done["Transform"]
            if kept:
                done["Transform"] = kept
            for each in own:
                done = _merged(done, self._snippet(each))
        return done

    def _within(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._within(item) for item in value]
        if not isinstance(value, dict):
            return value
        done = {name: self._within(item) for name, item in value.items() if name != "Fn::Transform"}
        given = value.get("Fn::Transform")
        if given is None:
            return done
        entries = given if isinstance(given, list) else [given]
        others = [each for each in entries if not _is_include(each)]
        if others:
            done["Fn::Transform"] = others if isinstance(given, list) else others[0]
        for each in entries:
            if _is_include(each):
                found = self._snippet(each)
                if not isinstance(found, dict) and not done:
                    return found
                done = _merged(done, found)
        return done

    def _snippet(self, include: dict[str, Any]) -> Any:
        location = self._text((include.get("Parameters") or {}).get("Location"))
        text = self._fetch(location)
        try:
            found = load(text)
        except ValueError:
            found = None
        if found is None or _SHORT_FORM.search(text):  # short forms are none of plain YAML's
            raise _failed("The specified S3 object's content should be valid Yaml/JSON")
        self.used = True
        return self._within(found)

    def _text(self, location: Any) -> str:
        """A location: a text, a parameter, or a text with parameters in it."""
        if isinstance(location, dict) and list(location) == ["Ref"]:
            location = self._values.get(str(location["Ref"]))
        elif isinstance(location, dict) and isinstance(location.get("Fn::Sub"), str):
            location = VARIABLE.sub(
                lambda match: self._values.get(match[2].strip(), match[0]), location["Fn::Sub"]
            )
        if not isinstance(location, str) or not location.startswith("s3://"):
            raise _failed("The location parameter is not a valid S3 uri.")
        return location


def _is_include(value: Any) -> bool:
    return isinstance(value, dict) and value.get("Name") == INCLUDE


def _merged(body: dict[str, Any], found: Any) -> dict[str, Any]:
    """What is beside the include stays; sections that both have are put together."""
    if not isinstance(found, dict):
        raise _failed("The specified S3 object's content should be valid Yaml/JSON")
    result = dict(body)
    for name, content in found.items():
        mine = result.get(name)
        both = isinstance(mine, dict) and isinstance(content, dict)
        result[name] = {**mine, **content} if both else content  # type: ignore[dict-item]
    return result


def _failed(why: str) -> Exception:
    return TransformFailed(INCLUDE, why)
