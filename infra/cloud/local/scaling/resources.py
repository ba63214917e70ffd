"""What can be scaled: reading a resource's capacity, setting it, and the metric that says how used it is.

https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-dynamodb.html
https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-lambda.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..kernel import SECOND
from ..service import Caller, NotSimulated, ServiceError
from .model import DIMENSIONS, Key, Target, invalid

if TYPE_CHECKING:
    from ..world import World

_LOOK = 5 * SECOND
_ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "dynamodb": ("DynamoDBTable", ("dynamodb:DescribeTable", "dynamodb:UpdateTable")),
    "lambda": (
        "LambdaConcurrency",
        (
            "lambda:PutProvisionedConcurrencyConfig",
            "lambda:GetProvisionedConcurrencyConfig",
            "lambda:DeleteProvisionedConcurrencyConfig",
        ),
    ),
}
_ALARMS = ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms")


def check_key(key: Key) -> None:
    """Raises ValidationException, NotSimulated."""
    namespace, resource, dimension = key
    if namespace not in _ROLES:
        raise NotSimulated(f"NotSimulated: Application Auto Scaling of {namespace} ({dimension})")
    kind = "function" if namespace == "lambda" else "index" if "/index/" in resource else "table"
    fits = resource.startswith("function:" if namespace == "lambda" else "table/")
    if dimension not in DIMENSIONS or not dimension.startswith(f"{namespace}:{kind}:") or not fits:
        raise invalid("Unsupported service namespace, resource type or scalable dimension")


class Resources:
    def __init__(self, world: World) -> None:
        self._world = world

    def role(self, namespace: str) -> str:
        """The service-linked role's ARN; it is made when it is first needed."""
        from moto.iam.models import iam_backends

        suffix, actions = _ROLES[namespace]
        service = f"{namespace}.application-autoscaling.amazonaws.com"
        name = f"AWSServiceRoleForApplicationAutoScaling_{suffix}"
        arn = f"arn:aws:iam::{self._world.account}:role/aws-service-role/{service}/{name}"
        backend: Any = iam_backends[self._world.account]["aws"]
        if all(role.name != name for role in backend.get_roles()):
            trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            backend.create_role(
                name, document, f"/aws-service-role/{service}/", None, "", [], "3600", service
            )
            allowed = {"Effect": "Allow", "Action": [*actions, *_ALARMS], "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            backend.put_role_policy(name, f"AWSApplicationAutoscaling{suffix}Policy", policy)
            self._world.identity.invalidate()
        return arn

    def caller(self, target: Target) -> Caller:
        return Caller("service", "application-autoscaling", role=target.role)

    def check_exists(self, key: Key) -> None:
        try:
            self.capacity(key)
        except ServiceError as error:
            kind = "Lambda function" if key[0] == "lambda" else "DynamoDB table"
            raise invalid(f"{kind} does not exist: {key[1]}") from error

    def capacity(self, key: Key) -> int:
        """What is provisioned now. Raises ServiceError if there is no such resource."""
        namespace, resource, dimension = key
        if namespace == "lambda":
            config = self._provisioned(resource)
            return config.requested if config is not None else 0
        return int(self._throughput(resource)[dimension.rpartition(":")[2]])

    def set(self, target: Target, wanted: int) -> None:
        """Ask the service, as the service-linked role. Raises ServiceError."""
        namespace, resource, dimension = target.key
        if namespace == "lambda":
            _, name, qualifier = resource.split(":")
            params: dict[str, Any] = {"FunctionName": name, "Qualifier": qualifier}
            operation = "PutProvisionedConcurrencyConfig"
            if wanted:
                params["ProvisionedConcurrentExecutions"] = wanted
            else:
                operation = "DeleteProvisionedConcurrencyConfig"
            self._world.call("lambda", operation, params, self.caller(target))
            return
        table, _, index = resource.removeprefix("table/").partition("/index/")
        have = self._throughput(resource)
        units = {name: have[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
        units[dimension.rpartition(":")[2]] = wanted
        params = {"TableName": table}
        if index:
            change = {"IndexName": index, "ProvisionedThroughput": units}
            params["GlobalSecondaryIndexUpdates"] = [{"Update": change}]
        else:
            params["ProvisionedThroughput"] = units
        self._world.call("dynamodb", "UpdateTable", params, self.caller(target))

    def wait(self, target: Target) -> None:
        """Until the change is made. Looks at the resource, every five seconds while it is changing."""
        while self._changing(target.key):
            self._world.kernel.sleep(_LOOK)

    def _changing(self, key: Key) -> bool:
        try:
            if key[0] == "lambda":
                config = self._provisioned(key[1])
                return config is not None and config.status == "IN_PROGRESS"
            return self._table(key[1]).__dict__.get("_pending") is not None
        except ServiceError:
            return False

    def _provisioned(self, resource: str) -> Any:
        parts = resource.split(":")
        functions = self._world.functions
        function = functions.functions.get(parts[1]) if len(parts) == 3 else None
        if function is None or parts[2] not in {*function.aliases, *function.published}:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {resource}", 404)
        return function.provisioned.get(parts[2])

    def _table(self, resource: str) -> Any:
        from moto.dynamodb.models import dynamodb_backends

        name = resource.removeprefix("table/").partition("/index/")[0]
        table = dynamodb_backends[self._world.account][self._world.region].tables.get(name)
        if table is None:
            raise ServiceError("ResourceNotFoundException", f"Requested resource not found: Table: {name}")
        return table

    def _throughput(self, resource: str) -> dict[str, int]:
        table = self._table(resource)
        index = resource.partition("/index/")[2]
        if not index:
            found: dict[str, int] = table.throughput
            return found
        for each in table.global_indexes:
            if each.name == index:
                return dict(each.throughput)
        raise ServiceError("ResourceNotFoundException", f"Requested resource not found: Index: {index}")
