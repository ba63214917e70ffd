"""A CloudFormation template: read from JSON or YAML, its sections and references checked.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from infra.template_text import load

from .intrinsics import PSEUDO_PARAMETERS
from .references import check_condition, function_of, invalid, mentions

SECTIONS = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
    "Hooks",
    "Globals",
)
RESOURCE_ATTRIBUTES = (
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
)
MAX_RESOURCES = 500
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


@dataclasses.dataclass(frozen=True)
class Definition:
    """One entry of ``Resources``, as written."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    policies: tuple[str, ...] = ()
    """Which of CreationPolicy and UpdatePolicy it asks for."""
    update_policy: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The UpdatePolicy as written."""

    @property
    def expressions(self) -> dict[str, Any]:
        """Everything of it that may refer to other resources."""
        if not self.update_policy:
            return self.properties
        return {"Properties": self.properties, "UpdatePolicy": self.update_policy}


@dataclasses.dataclass(frozen=True)
class Template:
    """A checked template. Sections are as written: no intrinsic function is evaluated yet."""

    text: str
    resources: dict[str, Definition]
    description: str = ""
    parameters: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    mappings: dict[str, Any] = dataclasses.field(default_factory=dict)
    conditions: dict[str, Any] = dataclasses.field(default_factory=dict)
    rules: dict[str, Any] = dataclasses.field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    transforms: tuple[str, ...] = ()
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    processed: str = ""
    """The text after its transforms, as ``GetTemplate`` shows it; empty if there were none."""
    refused: tuple[str, ...] = ()
    """Names of language features that are not simulated."""


def parse(text: str) -> Template:
    """Read a template and check it as ``ValidateTemplate`` does; raise ValidationError with AWS's text.

    Texts as recorded in localstack/localstack, tests/aws/services/cloudformation: api/test_validations,
    api/test_stacks and engine/test_mappings (``*.snapshot.json``).
    """
    return check(read(text), text)


def check(body: dict[str, Any], text: str, transforms: tuple[str, ...] = ()) -> Template:
    """The template of this body, checked. ``transforms`` are the ones that have been applied to it."""
    for section in SECTIONS:
        if section != "Metadata" and section in body:
            _no_nulls(body[section], f"/{section}")
    unknown = [name for name in body if name not in SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    refused = _take_loops(body)
    version = body.get("AWSTemplateFormatVersion", "2010-09-09")
    if str(version) != "2010-09-09":
        raise invalid(
            f"Template format error: {version} is not a supported value for AWSTemplateFormatVersion."
        )
    for section in ("Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs"):
        members = body.get(section, {})
        if not isinstance(members, dict):
            raise invalid(f"Template format error: Any {section} member must be an object.")
        _members_are_objects(section, members)
    if not body.get("Resources") and not refused:
        raise invalid("Template format error: At least one Resources member must be defined.")
    if not isinstance(body.get("Description", ""), str):
        raise invalid("Template format error: Description must be a string.")
    _check_mappings(body.get("Mappings", {}))
    body.setdefault("Resources", {})
    if len(body["Resources"]) > MAX_RESOURCES:
        raise invalid(
            f"Template format error: Number of resources, {len(body['Resources'])}, "
            f"is greater than maximum allowed, {MAX_RESOURCES}"
        )
    for name in body["Resources"]:
        if not (isinstance(name, str) and name.isascii() and name.isalnum()):
            raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    template = Template(
        text=text,
        resources={name: _definition(name, body["Resources"][name]) for name in body["Resources"]},
        description=body.get("Description") or "",
        parameters=body.get("Parameters") or {},
        mappings=body.get("Mappings") or {},
        conditions=body.get("Conditions") or {},
        rules=body.get("Rules") or {},
        outputs=body.get("Outputs") or {},
        transforms=tuple(dict.fromkeys([*transforms, *transform_names(body)])),
        metadata=body.get("Metadata") or {},
        processed=json.dumps(body) if transforms else "",
        refused=refused,
    )
    if refused:  # what a loop would have made is missing, so references cannot be checked
        return template
    _check_outputs(template)
    _check_conditions(template)
    _check_references(template)
    return template


def read(text: str) -> dict[str, Any]:
    """The template as plain data, with YAML's short forms (``!Ref``) spelled out."""
    try:
        body = load(text)
    except ValueError as error:
        raise invalid(f"Template format error: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Template format error: unsupported structure.")
    return body


def _take_loops(body: dict[str, Any]) -> tuple[str, ...]:
    """Remove what stands where a name should (Fn::ForEach, Fn::Transform), and say what it was."""
    taken = []
    for section in ("Conditions", "Resources", "Outputs"):
        members = body.get(section)
        if not isinstance(members, dict):
            continue
        for name in [name for name in members if str(name).startswith("Fn::")]:
            taken.append(f"{name} in {section}")
            del members[name]
    if body.pop("Hooks", None):
        taken.append("Hooks")
    return tuple(taken)


def _no_nulls(value: Any, path: str) -> None:
    """YAML's empty value is the usual cause: ``Parameters:`` with nothing below it."""
    if value is None:
        raise invalid(f"[{path}] 'null' values are not allowed in templates")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        _no_nulls(item, f"{path}/{key}")


def _members_are_objects(section: str, members: dict[str, Any]) -> None:
    for name, member in members.items():
        if isinstance(member, dict):
            continue
        if section == "Resources":
            raise invalid(f"Template format error: [/Resources/{name}] resource definition is malformed")
        raise invalid(f"Template format error: Every {section} member {name} must be a map")


def _check_mappings(mappings: dict[str, Any]) -> None:
    """Two levels of keys, then a string or a list.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html
    """
    for mapping in mappings.values():
        for name, values in mapping.items():
            if name == "Fn::Transform":
                continue
            if not isinstance(values, dict):
                raise invalid(f"Template format error: Every Mappings member {name} must be a map")
            if any(isinstance(value, dict) for value in values.values()):
                raise invalid("Template format error: Every Mappings attribute must be a String or a List.")


def _definition(name: str, body: dict[str, Any]) -> Definition:
    for attribute in body:
        if attribute not in RESOURCE_ATTRIBUTES:
            raise invalid(f"Invalid template resource property '{attribute}'")
    kind = body.get("Type")
    if not isinstance(kind, str):
        raise invalid(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    depends_on = body.get("DependsOn") or []
    depends_on = depends_on if isinstance(depends_on, list) else [depends_on]
    if not all(isinstance(each, str) for each in depends_on):
        raise invalid(
            f"Template format error: [/Resources/{name}/DependsOn] must be a string or a list of strings"
        )
    properties = body.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise invalid(f"Template format error: [/Resources/{name}/Properties] must be an object")
    if not isinstance(body.get("UpdatePolicy") or {}, dict):
        raise invalid(f"Template format error: [/Resources/{name}/UpdatePolicy] must be an object")
    condition = body.get("Condition")
    if condition is not None and not isinstance(condition, str):
        raise invalid("Template format error: Every Condition member must be a string.")
    choices = {
        "DeletionPolicy": ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate"),
        "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
    }
    for attribute, allowed in choices.items():
        if body.get(attribute, "Delete") not in allowed:
            raise invalid(
                f"Template format error: Unrecognized {attribute} {body[attribute]} for resource {name}"
            )
    return Definition(
        logical_id=name,
        type=kind,
        properties=properties or {},
        depends_on=tuple(depends_on),
        condition=condition,
        deletion_policy=body.get("DeletionPolicy", "Delete"),
        update_replace_policy=body.get("UpdateReplacePolicy", "Delete"),
        metadata=body.get("Metadata") or {},
        policies=tuple(each for each in ("CreationPolicy", "UpdatePolicy") if each in body),
        update_policy=body.get("UpdatePolicy") or {},
    )


def transform_names(body: dict[str, Any]) -> tuple[str, ...]:
    """What ``Transform`` asks for, in its order."""
    transform = body.get("Transform") or []
    return tuple(
        str(each.get("Name", each)) if isinstance(each, dict) else str(each)
        for each in (transform if isinstance(transform, list) else [transform])
    )


def _check_outputs(template: Template) -> None:
    for name, output in template.outputs.items():
        if not name.isalnum():
            raise invalid(f"Template format error: Output name {name} is non alphanumeric.")
        if "Value" not in output:
            raise invalid("Template format error: Every Outputs member must contain a Value object")
        value = output["Value"]
        if isinstance(value, list) or (isinstance(value, dict) and function_of(value) is None):
            raise invalid(
                "Template format error: The Value field of every Outputs member must evaluate to a String "
                f"and not a {'List' if isinstance(value, list) else 'Map'}."
            )
        export = output.get("Export")
        if export is not None and (not isinstance(export, dict) or list(export) != ["Name"]):
            raise invalid(
                f"Template format error: Output {name} is malformed. Export must contain exactly a Name"
            )


def _check_conditions(template: Template) -> None:
    def known(name: Any, block: str) -> None:
        if name is not None and name not in template.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} "
                f"in the {block} block of the template"
            )

    for block, members in (("Resources", template.resources), ("Outputs", template.outputs)):
        for member in members.values():
            known(member.condition if isinstance(member, Definition) else member.get("Condition"), block)
            for used in mentions(member.properties if isinstance(member, Definition) else member):
                if used.kind == "condition":
                    known(used.name, block)
    for expression in template.conditions.values():
        check_condition(expression)
        for used in mentions(expression, in_condition=True):
            if used.kind == "condition":
                known(used.name, "Conditions")
            elif used.kind in ("ref", "attribute") and not _is_value(template, used.name):
                raise invalid(
                    f"Template format error: Unresolved dependencies [{used.name}]. "
                    "Cannot reference resources in the Conditions block of the template"
                )


def _is_value(template: Template, name: str) -> bool:
    return name in template.parameters or name in PSEUDO_PARAMETERS


def _check_references(template: Template) -> None:
    for block, bodies in (
        ("Resources", [definition.expressions for definition in template.resources.values()]),
        ("Outputs", list(template.outputs.values())),
    ):
        unresolved: dict[str, None] = {}
        for name, attribute in _resource_mentions(bodies):
            if name in template.resources:
                continue
            if attribute is None and _is_value(template, name):
                continue
            if attribute is not None:
                raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
            unresolved[name] = None
        if block == "Resources":
            for definition in template.resources.values():
                unresolved.update(
                    dict.fromkeys(d for d in definition.depends_on if d not in template.resources)
                )
        if unresolved:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] "
                f"in the {block} block of the template"
            )


def _resource_mentions(bodies: list[dict[str, Any]]) -> Iterator[tuple[str, str | None]]:
    for body in bodies:
        for used in mentions(body):
            if used.kind == "ref":
                yield used.name, None
            elif used.kind == "attribute":
                yield used.name, used.attribute
