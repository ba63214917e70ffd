"""What a template asks for and cannot have: found before anything is created, named all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..service import ServiceError
from .intrinsics import (
    EXTENSION_FUNCTIONS,
    KNOWN_AFTER_APPLY,
    LANGUAGE_EXTENSIONS,
    NOT_SIMULATED_FUNCTIONS,
    Evaluator,
)
from .known_properties import exists
from .outputs import shown
from .providers import provider_for
from .providers.base import Provider
from .references import Mention, invalid, mentions
from .template import Definition, Template
from .transforms import SIMULATED

_IAM_TYPES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""Types that need CAPABILITY_IAM, and the property whose use needs CAPABILITY_NAMED_IAM.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html"""


class Unknown:
    """Resources that do not exist yet."""

    def ref(self, logical_id: str) -> Any:
        return KNOWN_AFTER_APPLY

    def attribute(self, logical_id: str, name: str) -> Any:
        return KNOWN_AFTER_APPLY


def active(template: Template, evaluator: Evaluator) -> dict[str, Definition]:
    """The resources whose condition holds."""
    return {
        name: definition
        for name, definition in template.resources.items()
        if definition.condition is None or evaluator.holds(definition.condition)
    }


def check_capabilities(template: Template, given: Sequence[str], *, macros: bool) -> None:
    """Raise InsufficientCapabilitiesException if the template needs one that was not given."""
    if "CAPABILITY_NAMED_IAM" not in given:
        used = [definition for definition in template.resources.values() if definition.type in _IAM_TYPES]
        if any(_IAM_TYPES[definition.type] in definition.properties for definition in used):
            raise ServiceError(
                "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"
            )
        if used and "CAPABILITY_IAM" not in given:
            raise ServiceError(
                "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"
            )
    if macros and template.transforms and "CAPABILITY_AUTO_EXPAND" not in given:
        raise ServiceError(
            "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
        )


def check_rules(template: Template, evaluator: Evaluator) -> None:
    """Raise if an assertion of the ``Rules`` section does not hold.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
    """
    for name, rule in template.rules.items():
        condition = rule.get("RuleCondition")
        if condition is not None and not evaluator.decide(condition):
            continue
        for assertion in rule.get("Assertions") or []:
            if not evaluator.decide(assertion["Assert"]):
                description = assertion.get("AssertDescription", "an assertion does not hold")
                raise invalid(f"Template error: rule {name} failed: {description}")


def check_resources(template: Template, definitions: Mapping[str, Definition], evaluator: Evaluator) -> None:
    """Raise ValidationError with every type, property and feature that is not simulated, or not valid."""
    refused = list(template.refused)
    refused += [f"transform {name}" for name in template.transforms if name not in SIMULATED]
    functions = _functions(template)
    refused += functions
    problems: list[str] = []
    ahead = evaluator.with_resources(Unknown(), lambda name: KNOWN_AFTER_APPLY)
    for name, definition in definitions.items():
        provider = provider_for(definition.type)
        if provider is None:
            refused.append(f"{definition.type} ({name})")
            continue
        policies = ("UpdatePolicy",) if provider.update_policies else ()
        refused += [f"{each} ({name})" for each in definition.policies if each not in policies]
        unknown, wrong = provider.check_update_policy(ahead.evaluate(definition.update_policy))
        if policies:
            refused += [f"UpdatePolicy {each} ({name})" for each in unknown]
        problems += [f"Template error: UpdatePolicy of resource {name}: {each}" for each in wrong]
        if "Snapshot" in (definition.deletion_policy, definition.update_replace_policy):
            refused.append(f"DeletionPolicy Snapshot ({name})")
        if functions:
            continue  # no value of these, so nothing to check
        props, findings = provider.check(ahead.evaluate(definition.properties), definition.type)
        for path in dict.fromkeys(findings.unknown):
            if exists(definition.type, path.partition(".")[0]) is False:
                findings.invalid.append(f"#: extraneous key [{path}] is not permitted")
            else:
                refused.append(f"property {definition.type}.{path} ({name})")
        if findings.invalid:
            listed = ", ".join(findings.invalid)
            problems.append(f"Properties validation failed for resource {name} with message: [{listed}]")
        else:
            refused += [f"{each} ({name})" for each in provider.refused(props)]
    if refused:
        raise invalid("NotSimulated: " + ", ".join(refused))
    if problems:
        raise invalid(" ".join(problems))
    _check_attributes(template, definitions, evaluator)


def _functions(template: Template) -> list[str]:
    found: dict[str, None] = {}
    extended = LANGUAGE_EXTENSIONS in template.transforms
    for body in [
        *(d.properties for d in template.resources.values()),
        *template.outputs.values(),
        template.rules,
    ]:
        for used in mentions(body):
            if used.kind != "function":
                continue
            if used.name in NOT_SIMULATED_FUNCTIONS or used.name.startswith("Fn::ForEach"):
                found[used.name] = None
            elif used.name in EXTENSION_FUNCTIONS and not extended:
                raise invalid(f"Template error: {used.name} needs Transform: {LANGUAGE_EXTENSIONS}")
    return list(found)


def _check_attributes(
    template: Template, definitions: Mapping[str, Definition], evaluator: Evaluator
) -> None:
    for definition in definitions.values():
        for used, provider in _mentioned(
            definition.properties, "Resources", template, definitions, evaluator
        ):
            if used.attribute and not provider.allows_attribute(used.attribute):
                raise invalid(
                    f"Template error: resource {used.name} does not support attribute type "
                    f"{used.attribute} in Fn::GetAtt"
                )
    for body in shown(template, evaluator).values():
        for _ in _mentioned(body, "Outputs", template, definitions, evaluator):
            pass


def output_problem(template: Template, definitions: Mapping[str, Definition], evaluator: Evaluator) -> str:
    """An attribute that an output asks for and its resource does not have; AWS finds it when it deploys."""
    for key, body in shown(template, evaluator).items():
        for used, provider in _mentioned(body, "Outputs", template, definitions, evaluator):
            if used.attribute and not provider.allows_attribute(used.attribute):
                kind = template.resources[used.name].type
                return (
                    f"[Error] /Outputs/{key}/Value/Fn::GetAtt: Resource type {kind} does not support "
                    f"attribute {{{used.attribute}}}"
                )
    return ""


def _mentioned(
    body: Mapping[str, Any],
    block: str,
    template: Template,
    definitions: Mapping[str, Definition],
    evaluator: Evaluator,
) -> Iterator[tuple[Mention, Provider]]:
    """The resources that a body refers to. Raises ValidationError for one whose condition does not hold."""
    for used in mentions(body, holds=evaluator.holds):
        if used.kind not in ("ref", "attribute") or used.name not in template.resources:
            continue
        definition = definitions.get(used.name)
        if definition is None:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{used.name}] "
                f"in the {block} block of the template"
            )
        provider = provider_for(definition.type)
        assert provider is not None
        yield used, provider
