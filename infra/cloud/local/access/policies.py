"""IAM policy documents, evaluated: does a set of policies allow an action on a resource?

Pure functions over documents and a request; where the documents come from is ``identity.py``'s business.
The rules, each from the IAM User Guide:

- an explicit deny wins; the default is deny; a permissions boundary only limits; a resource-based policy of
  the same account allows on its own (reference_policies_evaluation-logic.html), and whom it allows by the
  ARN of its session, a boundary that is silent does not limit (access_policies_boundaries.html)
- ``*`` and ``?`` in actions (any case) and resources; an ARN with fewer than six parts is completed with
  ``*`` (reference_policies_elements_resource.html, reference_identifiers.html)
- variables ``${aws:…}`` in resources and in string conditions, with defaults ``${key, 'default'}``, in
  documents of version 2012-10-17 (reference_policies_variables.html)
- conditions: ``policy_conditions.py``
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..service import NotSimulated
from .conditions import NO_WILDCARDS, OPERATORS, Operator, wildcard

Context = Mapping[str, str | Sequence[str]]
"""Condition keys in lower case, with what the request holds for each."""

Verdict = Literal["allow", "deny", "none"]


class PolicyError(ValueError):
    """A policy document that IAM would not have accepted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what. ``principals`` are the names the caller goes by: the ARNs of its role and its
    session, or the principal of a service (``sns.amazonaws.com``)."""

    action: str
    resource: str
    context: Context
    principals: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` ends AWS's message ("because no …", "with an explicit deny in …"); "" if allowed.

    ``conditional``: a condition was consulted, so the same question may be answered differently next time.
    """

    allowed: bool
    reason: str = ""
    conditional: bool = False


class Statement:
    """One statement, with its patterns compiled."""

    def __init__(self, document: Mapping[str, Any], variables: bool) -> None:
        self.effect: Verdict = "allow" if document["Effect"] == "Allow" else "deny"
        self._variables = variables
        self._not_action = "NotAction" in document
        actions = _strings(document.get("NotAction", document.get("Action", ())))
        self._action = re.compile("|".join(wildcard(action) for action in actions), re.IGNORECASE | re.DOTALL)
        self._not_resource = "NotResource" in document
        self._resources = _strings(document.get("NotResource", document.get("Resource", "*")))
        self._resource = None if self._varies(self._resources) else _resource_pattern(self._resources)
        self._principal = document.get("NotPrincipal", document.get("Principal", "*"))
        self._not_principal = "NotPrincipal" in document
        self.conditions: list[tuple[Operator, str, list[str]]] = []
        for name, tests in document.get("Condition", {}).items():
            operator = Operator.parse(name)
            if operator is None:
                accepted = ", ".join(OPERATORS)
                raise PolicyError(f"Condition: there is no operator {name!r}; accepted are {accepted}")
            for key, values in tests.items():
                self.conditions.append((operator, key, _strings(values)))

    def allows_action(self, request: Request) -> bool:
        """Whether it speaks of this action, on whatever resource."""
        return (self._action.fullmatch(request.action) is not None) is not self._not_action

    def concerns(self, request: Request) -> bool:
        """Whether it speaks of this action on this resource, whatever its conditions say."""
        if (self._action.fullmatch(request.action) is not None) is self._not_action:
            return False
        pattern = self._resource
        if pattern is None:
            filled = [_fill(resource, request.context, True) for resource in self._resources]
            pattern = _resource_pattern([resource for resource in filled if resource is not None])
        return (pattern.fullmatch(request.resource) is not None) is not self._not_resource

    def holds(self, request: Request) -> bool:
        """Whether all conditions are true of the request."""
        for operator, key, values in self.conditions:
            if self._variables and operator.takes_variables:
                filled = [_fill(value, request.context, operator.takes_wildcards) for value in values]
                values = [value for value in filled if value is not None]
            found = request.context.get(key.lower())
            if found is None:
                _known(key)
            if not operator.test(found, values):
                return False
        return True

    def names(self, principals: Sequence[str]) -> Literal["", "account", "caller"]:
        """Whether a resource-based policy's statement means the caller itself, or its whole account."""
        kind = _principal_kind(self._principal, principals)
        if self._not_principal:
            return "" if kind else "caller"
        return kind

    def names_session(self, principals: Sequence[str]) -> bool:
        """Whether a resource-based policy's statement means the caller by the ARN of its role's session."""
        if self._not_principal or not isinstance(self._principal, Mapping):
            return False
        named = _strings(self._principal.get("AWS", ()))
        return any(":assumed-role/" in name and name in principals for name in named)

    def _varies(self, values: Iterable[str]) -> bool:
        return self._variables and any("${" in value for value in values)


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a policy document in JSON."""
    document = json.loads(text)
    statements = document.get("Statement", [])
    if isinstance(statements, Mapping):
        statements = [statements]
    variables = document.get("Version") == "2012-10-17"
    return tuple(Statement(statement, variables) for statement in statements)


def decide(
    request: Request,
    identity: Sequence[Statement],
    boundary: Sequence[Statement] | None = None,
    resource: Sequence[Statement] = (),
) -> Decision:
    """Put the policies of a role, its boundary and the resource together, as within one account."""
    own, own_conditional = _evaluate(identity, request)
    limit, limit_conditional = ("allow", False) if boundary is None else _evaluate(boundary, request)
    granted, resource_conditional = _evaluate_resource_policy(resource, request)
    conditional = own_conditional or limit_conditional or resource_conditional
    for verdict, kind in (
        (own, "an identity-based policy"),
        (limit, "a permissions boundary"),
        (granted, "a resource-based policy"),
    ):
        if verdict == "deny":
            return Decision(False, f"with an explicit deny in {kind}", conditional)
    if own == "allow" or granted == "allow":
        to_session = [each for each in resource if each.names_session(request.principals)]
        if limit == "allow" or _evaluate(to_session, request)[0] == "allow":
            return Decision(True, "", conditional)
        kind = "permissions boundary"
    else:
        kind = "identity-based policy"
    return Decision(False, f"because no {kind} allows the {request.action} action", conditional)


def decide_on_key(
    request: Request,
    identity: Sequence[Statement],
    boundary: Sequence[Statement] | None,
    key_policy: Sequence[Statement],
) -> Decision:
    """As ``decide``, of a KMS key: identity policies count only where the key's policy names the account.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    decision = decide(request, identity, boundary, key_policy)
    if not decision.allowed:
        return decision
    granted, _ = _evaluate_resource_policy(key_policy, request)
    delegates = [each for each in key_policy if each.names(request.principals)]
    if granted == "allow" or _evaluate(delegates, request)[0] == "allow":
        return decision
    reason = f"because no resource-based policy allows the {request.action} action"
    return Decision(False, reason, decision.conditional)


def _evaluate(statements: Iterable[Statement], request: Request) -> tuple[Verdict, bool]:
    verdict: Verdict = "none"
    conditional = False
    for statement in statements:
        if not statement.concerns(request):
            continue
        if statement.conditions:
            conditional = True
            if not statement.holds(request):
                continue
        if statement.effect == "deny":
            return "deny", conditional
        verdict = "allow"
    return verdict, conditional


def _evaluate_resource_policy(statements: Iterable[Statement], request: Request) -> tuple[Verdict, bool]:
    """Naming the account delegates to its identity policies: such an allow does not suffice, a deny does."""
    meant = []
    for statement in statements:
        kind = statement.names(request.principals)
        if kind == "caller" or (kind == "account" and statement.effect == "deny"):
            meant.append(statement)
    return _evaluate(meant, request)


def _principal_kind(principal: Any, callers: Sequence[str]) -> Literal["", "account", "caller"]:
    if principal == "*":
        return "caller"
    if not isinstance(principal, Mapping):
        return ""
    if any(name in callers for name in _strings(principal.get("Service", ()))):
        return "caller"
    named = _strings(principal.get("AWS", ()))
    accounts = {caller.split(":")[4] for caller in callers if caller.startswith("arn:")}
    kind: Literal["", "account", "caller"] = ""
    for name in named:
        if name == "*" or name in callers:
            return "caller"
        if name in accounts or (name.endswith(":root") and name.split(":")[4] in accounts):
            kind = "account"
    return kind


def _resource_pattern(resources: Iterable[str]) -> re.Pattern[str]:
    patterns = [wildcard(_complete(resource)) for resource in resources]
    return re.compile("|".join(patterns) if patterns else r"(?!)", re.DOTALL)


def _complete(resource: str) -> str:
    missing = 5 - resource.count(":") if resource.startswith("arn:") else 0
    return resource + ":*" * max(missing, 0)


_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def _fill(text: str, context: Context, pattern: bool) -> str | None:
    """Put the request's values in for the variables; None if one has no value.

    In a ``pattern``, what comes out of a variable is never a wildcard.
    """
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        name = name.strip()
        found = name if name in ("*", "?", "$") else context.get(name.lower())
        if found is None:
            default = default.strip()
            if len(default) >= 2 and default[0] == default[-1] == "'":
                found = default[1:-1]
        if isinstance(found, str):
            return found.translate(NO_WILDCARDS) if pattern else found
        _known(name)
        missing = True
        return ""

    filled = _VARIABLE.sub(value, text)
    return None if missing else filled


_COMPUTED = frozenset(
    {"cloudwatch:namespace", "dynamodb:attributes", "dynamodb:enclosingoperation", "dynamodb:leadingkeys",
     "dynamodb:returnconsumedcapacity", "dynamodb:returnvalues", "dynamodb:select",
     "events:detail-type", "events:source", "iam:passedtoservice",
     "kms:calleraccount", "kms:encryptioncontextkeys", "kms:grantisforawsresource", "kms:viaservice",
     "lambda:eventsourcetoken", "lambda:functionarn", "lambda:functionurlauthtype",
     "lambda:invokedviafunctionurl", "lambda:sourcefunctionarn", "s3:delimiter", "s3:max-keys", "s3:prefix",
     "secretsmanager:resource/allowrotationlambdaarn", "secretsmanager:secretid", "secretsmanager:versionid",
     "secretsmanager:versionstage"}
)  # fmt: skip
_NOT_COMPUTED = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")


def _known(key: str) -> None:
    """A key that is absent here may be absent on AWS too; not so for the keys nobody computes."""
    lower = key.lower()
    known = lower.startswith(("aws:", "kms:encryptioncontext:")) or lower in _COMPUTED
    if lower.startswith(_NOT_COMPUTED) or not known:
        raise NotSimulated(
            f"NotSimulated: the condition key {key} in a policy - the local cloud evaluates the global keys "
            f"(without tags) and {', '.join(sorted(_COMPUTED))}"
        )


def _strings(value: Any) -> list[str]:
    values = [value] if isinstance(value, (str, bool, int, float)) else list(value)
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]
