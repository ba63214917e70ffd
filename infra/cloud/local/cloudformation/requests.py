"""From the parameters of an API call to a checked request: template, parameter values, stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from ..constraints import complaint, detected
from ..service import Call, Caller, Service, ServiceError
from .cdk_substitution import substitute
from .deployment import Deployment
from .engine import Engine
from .graph import order
from .intrinsics import Evaluator
from .outputs import Exports
from .parameters import resolve
from .preflight import active, check_resources, check_rules
from .references import invalid
from .responses import ResponseUrls
from .stack import ChangeSet, Request, Stack
from .stack_policy import check_policy
from .template import Template, read
from .transforms import LookUp, process

if TYPE_CHECKING:
    from ..world import World

_STACK_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,127}")
_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
)
"""The last two after a failure without roll-back:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html"""

_NOT_SIMULATED = (
    "DeploymentMode",
    "ImportExistingResources",
    "NotificationARNs",
    "ResourceTypes",
    "TimeoutInMinutes",
)
"""Parameters that would change what happens, and that nothing here obeys."""

_MAX_BODY = 51_200
"""Bytes of a TemplateBody; a TemplateURL may hold 1 MB.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


class Requests(Service):
    """The stacks, and what every operation needs of them."""

    name = "cloudformation"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.stacks: dict[str, Stack] = {}
        """Every stack there ever was, by id; the deleted ones answer to their id only."""
        self.engine = Engine(world)
        self.exports = Exports(self.live)
        self.responses = ResponseUrls(world)
        self.executed: dict[str, ChangeSet] = {}
        """Change sets that are done with, by id: described by their ARN for ever, also after their stack."""

    def live(self) -> Iterator[Stack]:
        return (stack for stack in self.stacks.values() if stack.status != "DELETE_COMPLETE")

    def _start(self, stack: Stack, status: str, body: Callable[[], None], caller: Caller) -> None:
        """Begin an operation. The status says so from this instant, so that a second one is refused."""
        stack.status = status
        stack.task = self.kernel.spawn(body, name=f"cloudformation {stack.name}", context=caller)

    def _find(self, name: str) -> Stack | None:
        if name in self.stacks:
            return self.stacks[name]
        return next((stack for stack in self.live() if stack.name == name), None)

    def _existing(self, name: str, message: str = "Stack with id {} does not exist") -> Stack:
        stack = self._find(name)
        if stack is None:
            raise invalid(message.format(name))
        return stack

    def _change_set(self, call: Call) -> ChangeSet:
        name, stack_name = call.params["ChangeSetName"], call.params.get("StackName")
        if not name.startswith("arn:") and not stack_name:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        if name in self.executed:
            return self.executed[name]
        stacks = (
            [self._existing(stack_name, "Stack [{}] does not exist")] if stack_name else list(self.live())
        )
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if name in (change_set.name, change_set.id):
                    return change_set
            if stack_name and stack.change_set_id in self.executed:
                last = self.executed[stack.change_set_id]
                if last.name == name:
                    return last
        raise ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def _owner(self, change_set: ChangeSet) -> Stack:
        return self.stacks[change_set.stack_id]

    def _supersede(self, stack: Stack) -> None:
        """Set aside the change sets that were made for what the stack was before."""
        for change_set in stack.change_sets.values():
            change_set.execution = "OBSOLETE"
            self.executed[change_set.id] = change_set
        stack.change_sets = {}

    @staticmethod
    def _check_updatable(stack: Stack) -> None:
        if stack.status not in _UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def _arn(self, kind: str, name: str, call: Call) -> str:
        return f"arn:aws:cloudformation:{call.region}:{call.account}:{kind}/{name}/{self.engine.new_id()}"

    def _new_stack(self, call: Call, name: str = "") -> Stack:
        name = name or call.params["StackName"]
        if not _STACK_NAME.fullmatch(name):
            pattern = "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
            raise invalid(
                detected(complaint(name, "stackName", f"satisfy regular expression pattern: {pattern}"))
            )
        nothing = Request(Template("", {}), {}, {})
        arn = self._arn("stack", name, call)
        return Stack(arn, name, call.account, call.region, nothing, self.kernel.now, root=arn)

    def _deployer(self, call: Call) -> Caller:
        """Who makes the stack's calls. Raises ValidationError for a role that CloudFormation cannot assume.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
        """
        role = call.params.get("RoleARN")
        if not role:
            return call.caller
        try:
            name = role.rpartition("/")[2]
            found = self.world.call("iam", "GetRole", {"RoleName": name}, call.caller)["Role"]
        except ServiceError as error:
            if error.code != "NoSuchEntity":
                raise
            found = {}
        if "cloudformation.amazonaws.com" not in str(found.get("AssumeRolePolicyDocument")):
            raise invalid(f"Role {role} is invalid or cannot be assumed")
        return Caller("service", "cloudformation", role=role, trace=call.caller.trace)

    def _request(self, call: Call, stack: Stack, previous: Request | None) -> tuple[Request, Evaluator]:
        _check_params(call.params)
        template = self._processed(
            self._text(call, previous),
            call,
            call.params.get("Parameters") or [],
            previous.given if previous else None,
            lambda names: self._ssm_values(names, call.caller),
        )
        request = self._asked(call, template, previous)
        return request, self._evaluator(template, request.parameters, stack, request.notifications)

    def _unprocessed(self, call: Call, previous: Request | None) -> Request:
        """What is asked for with a template whose transform failed: to be shown, never to be deployed."""
        text = self._text(call, previous)
        template = Template(text, {}, parameters=read(text).get("Parameters", {}))
        return self._asked(call, template, previous)

    def _asked(self, call: Call, template: Template, previous: Request | None) -> Request:
        params = call.params
        values = resolve(
            template,
            params.get("Parameters") or [],
            previous.given if previous else None,
            lambda names: self._ssm_values(names, call.caller),
        )
        tags = params.get("Tags")
        return Request(
            template=template,
            parameters=values.resolved,
            given=values.given,
            tags=tuple((tag["Key"], tag["Value"]) for tag in tags)
            if tags is not None
            else (previous.tags if previous else ()),
            capabilities=tuple(params.get("Capabilities") or ()),
            notifications=tuple(
                params.get("NotificationARNs") or (previous.notifications if previous else ())
            ),
            caller=self._deployer(call),
            role=params.get("RoleARN", previous.role if previous else ""),
            token=params.get("ClientRequestToken", ""),
        )

    def _processed(
        self,
        text: str,
        call: Call,
        given: Sequence[Mapping[str, Any]] = (),
        previous: Mapping[str, str] | None = None,
        look_up: LookUp | None = None,
    ) -> Template:
        """The template after its transforms, with code that can run here in the CDK's own functions."""
        pseudo = {"AWS::Region": call.region, "AWS::AccountId": call.account, "AWS::Partition": "aws"}
        made = process(text, given, previous, lambda uri: self._object(uri, call), pseudo, look_up)
        return substitute(made)

    def _deployment(self, stack: Stack, request: Request, evaluator: Evaluator) -> Deployment:
        """Checked: raises what is wrong with the template before anything is created."""
        check_rules(request.template, evaluator)
        check_resources(request.template, active(request.template, evaluator), evaluator)
        deployment = Deployment(self.engine, self.exports, stack, request, evaluator)
        order(deployment.graph)
        return deployment

    def _evaluator(
        self, template: Template, values: dict[str, Any], stack: Stack, notifications: tuple[str, ...]
    ) -> Evaluator:
        pseudo = {
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": list(notifications),
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        return Evaluator({**pseudo, **values}, template.mappings, template.conditions)

    def _ssm_values(self, names: list[str], caller: Caller) -> dict[str, str]:
        found = {}
        for name in dict.fromkeys(names):
            try:
                found[name] = self.world.call("ssm", "GetParameter", {"Name": name}, caller)["Parameter"][
                    "Value"
                ]
            except ServiceError as error:
                if error.code != "ParameterNotFound":
                    raise
                raise invalid(
                    f"Unable to fetch parameters [{name}] from parameter store for this account."
                ) from None
        return found

    def _policy(self, call: Call, name: str) -> str:
        """A stack policy of the request (``StackPolicy`` or ``StackPolicyDuringUpdate``), checked; or ""."""
        body, url = call.params.get(f"{name}Body"), call.params.get(f"{name}URL")
        if body and url:
            raise invalid(f"You cannot specify both {name}Body and {name}URL")
        if url:
            body = self._object(str(url), call)
        return check_policy(str(body)) if body else ""

    def _text(self, call: Call, previous: Request | None) -> str:
        """The template's text: TemplateBody, TemplateURL (in S3), or the previous one."""
        params = call.params
        body, url = params.get("TemplateBody"), params.get("TemplateURL")
        if params.get("UsePreviousTemplate") and previous is not None and not body and not url:
            return previous.template.text
        if bool(body) == bool(url):
            raise invalid("Either Template URL or Template Body must be specified.")
        if body:
            if len(body.encode()) > _MAX_BODY:
                raise invalid(
                    f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                    f"Member must have length less than or equal to {_MAX_BODY}"
                )
            return str(body)
        return self._object(str(url), call)

    def _object(self, url: str, call: Call) -> str:
        """The text of an object in S3."""
        bucket, key = s3_location(url)
        try:
            answer = self.world.call("s3", "GetObject", {"Bucket": bucket, "Key": key}, call.caller)
        except ServiceError as error:
            raise invalid(f"S3 error: {error.message}") from None
        content = answer["Body"]
        return (content if isinstance(content, bytes) else content.read()).decode()


def _check_params(params: dict[str, Any]) -> None:
    """Raise ValidationError for parameters that exclude each other, and for those that are not simulated."""
    if params.get("OnFailure") and params.get("DisableRollback"):
        raise invalid("Either DisableRollback or OnFailure can be specified, not both.")
    refused = [name for name in _NOT_SIMULATED if params.get(name)]
    if params.get("RollbackConfiguration", {}).get("RollbackTriggers"):
        refused.append("RollbackConfiguration")
    if refused:
        raise invalid("NotSimulated: " + ", ".join(f"parameter {name}" for name in refused))


def s3_location(url: str) -> tuple[str, str]:
    """Bucket and key of an S3 URL, in path style or virtual-hosted style.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    parts = urlparse(url)
    host = parts.hostname or ""
    path = unquote(parts.path.lstrip("/"))
    if parts.scheme == "s3":
        return parts.netloc, path
    match = re.fullmatch(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com", host)
    if match is None:
        raise invalid("TemplateURL must be a supported URL.")
    if match.group("bucket"):
        return match.group("bucket"), path
    bucket, _, key = path.partition("/")
    return bucket, key
