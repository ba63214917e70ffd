"""What is deployed through a cloud at this moment: its resources by type, and where functions log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cloud import AwsCloud


class Deployed:
    """Read once after each deploy, so that asking costs no call."""

    def __init__(self, cloud: AwsCloud) -> None:
        self._cloud = cloud
        self._types: dict[str, dict[str, str]] = {}  # stack -> physical id -> resource type
        self._log_groups: dict[str, str] = {}

    def know(self, stack: str) -> None:
        """Read a stack's resources."""
        client = self._cloud.client("cloudformation")
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        self._types[stack] = {
            resource["PhysicalResourceId"]: resource["ResourceType"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource.get("PhysicalResourceId")
        }

    def forget(self, stack: str) -> None:
        self._types.pop(stack, None)

    def physical_ids(self, kind: str) -> list[str]:
        """The physical ids of one resource type (``AWS::SQS::Queue``)."""
        return [name for found in self._types.values() for name, each in found.items() if each == kind]

    @property
    def functions(self) -> list[str]:
        return self.physical_ids("AWS::Lambda::Function")

    @property
    def kinds(self) -> set[str]:
        """The resource types that there are."""
        return {kind for found in self._types.values() for kind in found.values()}

    def log_group(self, function: str) -> str:
        """The log group of a function. Raises ValueError if there is no such function."""
        if function not in self._log_groups:
            client = self._cloud.client("lambda")
            try:
                answer = client.get_function_configuration(FunctionName=function)
            except client.exceptions.ResourceNotFoundException:
                known = ", ".join(self.functions) or "none"
                raise ValueError(f"there is no function {function!r}; there is: {known}") from None
            config = answer.get("LoggingConfig", {})
            self._log_groups[function] = config.get("LogGroup", f"/aws/lambda/{answer['FunctionName']}")
        return self._log_groups[function]
