"""May this caller do that? Asked on every call that is made with a role.

The role's policies come from IAM (moto's backend), a queue's policy from the queue. A refusal carries the
code and the message that AWS's service would answer, so that a forgotten grant reads here as it will there:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from ..kernel import SECOND
from ..service import Caller, ServiceError
from .permissions import KEY_PARAMETER, context_keys, needed
from .policies import Decision, Request, Statement, decide, decide_on_key, parse
from .scope import Directory, Params

if TYPE_CHECKING:
    from ..world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Role:
    """What IAM holds of a role: its policy documents (JSON), the boundary's if it has one, its tags."""

    policies: tuple[str, ...] = ()
    boundary: str | None = None
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    id: str = ""


class Source(Directory, Protocol):
    """Where policies are kept."""

    deployment_groups: dict[str, str]

    def role(self, arn: str) -> Role: ...
    def trust(self, arn: str) -> str | None: ...


class Identity:
    """Evaluates and remembers. Call ``invalidate`` when anything in IAM may have changed; a queue's policy is
    looked at on every call, so a changed one counts at once."""

    def __init__(self, world: World, source: Source | None = None) -> None:
        self._world = world
        self._kernel = world.kernel
        self._source = source or MotoSource(world)
        self._roles: dict[str, tuple[Role, list[Statement], list[Statement] | None]] = {}
        self._allowed: dict[tuple[str, ...], tuple[str, str | None]] = {}
        self.deployment_groups: dict[str, str] = {}
        """The ARN of every CodeDeploy deployment's group, by the deployment's id; CodeDeploy adds to it."""
        self._source.deployment_groups = self.deployment_groups
        self.policy_readers: dict[str, Callable[[str], str | None]] = {"sqs": self._queue_policy}
        """How to read the policy (JSON) of a resource by its ARN, for each service that has such policies."""
        self.context_readers: dict[str, Callable[[Params, str], dict[str, str | list[str]]]] = {}
        """How to read a service's own condition keys of a call, where only the service knows them."""
        self.grants: Callable[[Request], bool] = lambda request: False
        """Whether a grant on a KMS key allows what no policy does."""

    def invalidate(self) -> None:
        """Forget what was read from IAM."""
        self._roles.clear()
        self._allowed.clear()

    def check(
        self, caller: Caller, service: str, operation: str, params: Params, region: str, account: str
    ) -> None:
        """Raise the ServiceError that AWS would answer, if the caller's role may not make this call."""
        role = caller.role
        if role is None:
            if caller.principal:
                self._check_principal(caller, service, operation, params, region, account)
            return
        hot = KEY_PARAMETER.get(service)
        field = hot.get(operation) if hot else None
        key: tuple[str, ...] | None = None
        if field is not None:
            key = (role, service, operation, params[field], region)
            known = self._allowed.get(key)
            if known is not None and self._resource_policy(service, known[0]) == known[1]:
                return
        self._decide(caller, service, operation, params, region, account, key)

    def may(
        self,
        caller: Caller,
        action: str,
        resource: str,
        context: Mapping[str, str | list[str]] | None = None,
        region: str = "us-east-1",
    ) -> Decision:
        """The decision on one action; ``context`` adds condition keys (in lower case) to the global ones."""
        if caller.role is None:
            return Decision(True)
        policy = self._resource_policy(action.partition(":")[0], resource)
        return self._ask(caller, action, resource, context or {}, region, policy)

    def may_with(
        self,
        caller: Caller,
        action: str,
        resource: str,
        context: Mapping[str, str | list[str]],
        region: str,
        policy: str | None,
    ) -> Decision:
        """As ``may``, with the resource's policy given."""
        return self._ask(caller, action, resource, context, region, policy)

    def anybody_may(self, action: str, resource: str, context: Mapping[str, str | list[str]]) -> bool:
        """Does the resource's own policy allow it to whoever asks, without a signature?"""
        policy = self._resource_policy(action.partition(":")[0], resource)
        request = Request(action, resource, context, ())
        return policy is not None and decide(request, (), None, parse(policy)).allowed

    def role_id(self, role: str) -> str:
        """The unique id (``AROA…``) of a role; "" if there is none."""
        return self._source.role(role).id

    def demand(
        self, caller: Caller, service: str, operation: str, action: str, resource: str, region: str
    ) -> None:
        """Ask for a permission that does not follow from a call's parameters. Raises what AWS answers."""
        decision = self.may(caller, action, resource, region=region)
        if not decision.allowed:
            raise refusal(user_arn(caller), service, operation, action, resource, decision)

    @staticmethod
    def name_of(caller: Caller) -> str:
        """Who was refused, as a message shows it."""
        return caller.principal if caller.role is None else user_arn(caller)

    def may_assume(self, role: str, principal: str, source_arn: str) -> bool:
        """Does the role exist, and does its trust policy let this service assume it for that resource?

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
        """
        document = self._source.trust(role)
        if document is None:
            return False
        context: dict[str, str | list[str]] = {
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": source_arn.split(":")[4],
            "aws:principalservicename": principal,
            "aws:principalisawsservice": "true",
        }
        request = Request("sts:AssumeRole", role, context, _names(principal, self._world.region))
        return decide(request, (), None, parse(document)).allowed

    def _check_principal(
        self, caller: Caller, service: str, operation: str, params: Params, region: str, account: str
    ) -> None:
        """A service without a role: the called resource's policy must allow it.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html (SourceArn, SourceAccount)
        """
        context = service_context(caller, region, account)
        if caller.source_arn and service == "sns" and caller.principal == "cloudwatch.amazonaws.com":
            context["aws:sourceowner"] = caller.source_account  # a topic's default policy asks for it
        if service == "s3" and "ACL" in params:
            context["s3:x-amz-acl"] = params["ACL"]
        for action, resource in needed(service, operation, params, region, account, self._source):
            policy = self._resource_policy(service, resource)
            key = (caller.principal, caller.source_arn, caller.source_account, action, resource)
            if policy is not None and self._allowed.get(key) == (resource, policy):
                continue
            request = Request(action, resource, context, _names(caller.principal, region))
            decision = decide(request, (), None, parse(policy) if policy else ())
            if not decision.allowed:
                reason = decision.reason.replace("identity-based", "resource-based")
                shown = _shown(service, params, resource)
                said = dataclasses.replace(decision, reason=reason)
                raise refusal(caller.principal, service, operation, action, shown, said)
            self._allowed[key] = (resource, policy)

    def _resource_policy(self, service: str, arn: str) -> str | None:
        reader = self.policy_readers.get(service)
        return None if reader is None else reader(arn)

    def _queue_policy(self, arn: str) -> str | None:
        queue = self._world.sqs.queues.get(arn)
        return queue.attributes.get("Policy") if queue is not None else None

    def _decide(
        self,
        caller: Caller,
        service: str,
        operation: str,
        params: Params,
        region: str,
        account: str,
        key: tuple[str, ...] | None,
    ) -> None:
        assert caller.role is not None
        permissions = needed(service, operation, params, region, account, self._source)
        extra: dict[str, str | list[str]] | None = None
        for action, resource in permissions:
            policy = self._resource_policy(service, resource)
            one = (caller.role, action, resource)
            if self._allowed.get(one) == (resource, policy):
                continue
            if extra is None:  # only now: most calls have been allowed before
                reader = self.context_readers.get(service)
                extra = context_keys(service, operation, params) | (reader(params, region) if reader else {})
            decision = self._ask(caller, action, resource, extra, region, policy)
            if not decision.allowed:
                shown = _shown(service, params, resource)
                raise refusal(user_arn(caller), service, operation, action, shown, decision)
            if not decision.conditional:
                self._allowed[one] = (resource, policy)
                if key is not None:
                    self._allowed[key] = (resource, policy)

    def _ask(
        self,
        caller: Caller,
        action: str,
        resource: str,
        extra: Mapping[str, str | list[str]],
        region: str,
        policy: str | None,
    ) -> Decision:
        assert caller.role is not None
        known = self._roles.get(caller.role)
        if known is None:
            role = self._source.role(caller.role)
            own = [statement for document in role.policies for statement in parse(document)]
            limit = None if role.boundary is None else list(parse(role.boundary))
            known = self._roles[caller.role] = (role, own, limit)
        role, own, limit = known
        context = {**self._context(caller, role, region), **extra}
        request = Request(action, resource, context, (caller.role, user_arn(caller)))
        if policy is not None and action.startswith("kms:"):
            decision = decide_on_key(request, own, limit, parse(policy))
            if decision.reason.startswith("because") and self.grants(request):
                return Decision(True, "", True)
            return decision
        return decide(request, own, limit, parse(policy) if policy else ())

    def _context(self, caller: Caller, role: Role, region: str) -> dict[str, str | list[str]]:
        """The global condition keys of a call made with a role's credentials:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
        assert caller.role is not None
        now = self._kernel.now
        account = caller.role.split(":")[4]
        moment = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC)
        context: dict[str, str | list[str]] = {
            "aws:currenttime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:epochtime": str(now // SECOND),
            "aws:principalaccount": account,
            "aws:principalarn": caller.role,
            "aws:principaltype": "AssumedRole",
            "aws:requestedregion": region,
            "aws:resourceaccount": account,
            "aws:securetransport": "true",
            "aws:sourceip": "192.0.2.1",  # a documentation address: a function calls from an address of AWS's
            "aws:userid": f"{role.id}:{caller.name}",
            "aws:viaawsservice": "false",
            "kms:calleraccount": account,
        }
        for name, value in role.tags.items():
            context[f"aws:principaltag/{name.lower()}"] = value
        if caller.kind == "function":
            context["lambda:sourcefunctionarn"] = f"arn:aws:lambda:{region}:{account}:function:{caller.name}"
        return context


def _names(principal: str, region: str) -> tuple[str, ...]:
    """What policies call a service. CloudWatch Logs goes by a name with its Region, too."""
    if principal == "logs.amazonaws.com":
        return principal, f"logs.{region}.amazonaws.com"
    return (principal,)


def user_arn(caller: Caller) -> str:
    """The ARN of the caller's session: a function's session is named after the function."""
    assert caller.role is not None
    prefix, _, path = caller.role.partition(":role/")
    session = _SESSIONS.get(caller.name, caller.name) if caller.kind == "service" else caller.name
    return f"{prefix.replace(':iam:', ':sts:')}:assumed-role/{path.rpartition('/')[2]}/{session}"


_SESSIONS = {"apigateway": "BackplaneAssumeRoleSession"}
"""How a service names its sessions, as error messages in public forums show it."""


_CODES = {
    "apigateway": ("AccessDeniedException", 403),
    "apigatewayv2": ("AccessDeniedException", 403),
    "appconfig": ("AccessDeniedException", 403),
    "appconfigdata": ("AccessDeniedException", 403),
    "cloudformation": ("AccessDenied", 403),
    "cloudwatch": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "iam": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "s3": ("AccessDenied", 403),
    "scheduler": ("AccessDeniedException", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
}
_WITHOUT_RESOURCE = ("cloudwatch", "s3")


def service_context(caller: Caller, region: str, account: str) -> dict[str, str | list[str]]:
    """The condition keys of what a service asks for as its principal, for a resource of ``account``."""
    context: dict[str, str | list[str]] = {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": caller.principal,
        "aws:requestedregion": region,
        "aws:securetransport": "true",
    }
    if caller.source_arn:
        context["aws:sourcearn"] = caller.source_arn
        context["aws:sourceaccount"] = caller.source_account or account
    return context


def refusal(
    user: str, service: str, operation: str, action: str, resource: str, decision: Decision
) -> ServiceError:
    """The error as the service words it: SQS shows actions in lower case, SNS its own name in capitals, S3
    puts the resource in quotes, and an answer to HEAD has no body to hold a message."""
    code, status = _CODES.get(service, ("AccessDeniedException", 400))
    if operation in ("HeadObject", "HeadBucket") and service == "s3":
        return ServiceError("403", "Forbidden", 403)
    shown = action
    if service == "sqs":
        shown = action.lower()
    elif service == "sns":
        shown = action.replace("sns:", "SNS:")
    target = f" on resource: {resource}"
    if resource == "*" and service in _WITHOUT_RESOURCE:
        target = ""
    elif service == "s3":
        target = f' on resource: "{resource}"'
    reason = decision.reason.replace(action, shown)
    return ServiceError(code, f"User: {user} is not authorized to perform: {shown}{target} {reason}", status)


def _shown(service: str, params: Params, resource: str) -> str:
    """Secrets Manager names the secret as the caller did."""
    return str(params.get("SecretId", resource)) if service == "secretsmanager" else resource


class MotoSource:
    """Roles and keys as moto's backends hold them; deployments and secrets as their services have told."""

    deployment_groups: dict[str, str]
    _world: World | None = None

    def __init__(self, world: World | None = None) -> None:
        self._world = world

    def deployment_group(self, deployment: str) -> str:
        return self.deployment_groups.get(deployment, "*")

    def role(self, arn: str) -> Role:
        from moto.iam.exceptions import NotFoundException
        from moto.iam.models import iam_backends

        backend: Any = iam_backends[arn.split(":")[4]]["aws"]
        try:
            role = backend.get_role(arn.rpartition("/")[2])
        except NotFoundException:
            return Role()
        documents = [*role.policies.values(), *map(_document, role.managed_policies.values())]
        boundary = None
        if role.permissions_boundary_arn:
            try:
                boundary = _document(backend.get_policy(role.permissions_boundary_arn))
            except NotFoundException:
                boundary = '{"Statement": []}'  # allows nothing
        tags = {tag["Key"]: tag["Value"] for tag in _tags(role.tags)}
        return Role(tuple(map(_text, documents)), boundary, tags, role.id)

    def trust(self, arn: str) -> str | None:
        """The role's trust policy in JSON; None if there is no such role."""
        if arn.count(":") < 5:
            return None
        from moto.iam.exceptions import NotFoundException
        from moto.iam.models import iam_backends

        backend: Any = iam_backends[arn.split(":")[4]]["aws"]
        try:
            role = backend.get_role(arn.rpartition("/")[2])
        except NotFoundException:
            return None
        return unquote(_text(role.assume_role_policy_document))

    def secret(self, name: str, region: str, account: str) -> str:
        if name.startswith("arn:"):
            return name
        found = None if self._world is None else self._world.secrets.arn_of(name, region)
        return found or f"arn:aws:secretsmanager:{region}:{account}:secret:{name}"

    def key(self, name: str, region: str, account: str) -> str:
        from moto.kms.models import kms_backends

        if ":key/" in name:
            return name
        alias = name.rpartition(":")[2]
        if alias.startswith("alias/"):
            name = kms_backends[account][region].get_key_id_from_alias(alias) or alias
        return f"arn:aws:kms:{region}:{account}:key/{name}"

    def ciphertext_key(self, ciphertext: bytes, region: str, account: str) -> str:
        from ..stores.kms.moto_keys import key_of

        return f"arn:aws:kms:{region}:{account}:key/{key_of(ciphertext) or '*'}"


def _document(policy: Any) -> str:
    versions = {version.version_id: version.document for version in policy.versions}
    return _text(versions[policy.default_version_id])


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _tags(tags: Any) -> list[dict[str, str]]:
    return list(tags.values()) if isinstance(tags, Mapping) else list(tags or ())
