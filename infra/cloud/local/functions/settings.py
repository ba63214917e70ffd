"""Operations on what hangs on a function: reserved concurrency, tags, account settings.

What is refused, and its words: LocalStack's test_lambda_api (TestLambdaTags, TestLambdaReservedConcurrency).
"""

from __future__ import annotations

import re
from typing import Any

from ..constraints import constraint
from ..service import Call, ServiceError
from ..sources.mapping import Mapping
from .concurrency import UNRESERVED_MINIMUM
from .model import Function
from .names import LATEST, invalid, not_found
from .provisioning import Provisioning

_TAGGABLE = (
    r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:"
    r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|"
    r"event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
    r"(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})"
)
"""botocore's pattern of TaggableResource."""


class Settings(Provisioning):
    # -- reserved concurrency ------------------------------------------------------------------------

    def PutFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
        reference = self.named(call)
        if reference.qualifier is not None:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support "
                "this operation. Please specify either a function name or an unqualified function ARN."
            )
        function = self.functions.get(reference.name)
        if function is None:
            raise not_found(f"Function not found: {self.function_arn(reference.name)}:{LATEST}")
        wanted: int = call.params["ReservedConcurrentExecutions"]
        if wanted < 0:
            raise constraint(wanted, "reservedConcurrentExecutions", "have value greater than or equal to 0")
        if wanted and self.concurrency.unreserved(without=function) - wanted < UNRESERVED_MINIMUM:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}].",
                Type=None,
            )
        provisioned = sum(each.requested for each in function.provisioned.values())
        if wanted < provisioned:
            raise invalid(
                f" ReservedConcurrentExecutions  {wanted} should not be lower than function's total "
                f"provisioned concurrency [{provisioned}].",
                Type=None,
            )
        self._reserve(function, wanted)
        return {"ReservedConcurrentExecutions": wanted}

    def GetFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        reserved = self.find_unqualified(call).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def DeleteFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        self._reserve(self.find_unqualified(call), None)
        return {"$status": 204}

    def _reserve(self, function: Function, concurrency: int | None) -> None:
        function.reserved = concurrency
        self.concurrency.recount()
        self.journal.record("lambda.reserved", function.name, data={"concurrency": concurrency})

    def GetAccountSettings(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html"""
        functions = self.functions.values()
        sizes = {(v.function.name, v.code.sha256): v.code.size for f in functions for v in f.versions}
        reserved = sum(function.reserved or 0 for function in functions)
        return {
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": self.concurrency.limit,
                "UnreservedConcurrentExecutions": self.concurrency.limit - reserved,
            },
            "AccountUsage": {"TotalCodeSize": sum(sizes.values()), "FunctionCount": len(self.functions)},
        }

    # -- tags ------------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        tagged = self._tagged(call)
        if not call.params["Tags"]:
            raise invalid("An error occurred and the request cannot be processed.")
        tags = {**tagged.tags, **call.params["Tags"]}
        if len(tags) > 50:
            raise invalid("Number of tags exceeds resource tag limit.")
        tagged.tags = tags
        self._retagged(tagged)
        return {"$status": 204}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tagged = self._tagged(call)
        if not call.params["TagKeys"]:
            raise ServiceError(
                "ValidationException",
                "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member "
                "must not be null",
            )
        for key in call.params["TagKeys"]:
            tagged.tags.pop(key, None)
        self._retagged(tagged)
        return {"$status": 204}

    def ListTags(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self._tagged(call).tags)}

    def _retagged(self, tagged: Function | Mapping) -> None:
        """Other tags are another revision (recorded: LocalStack's test_lambda_api, test_tag_lifecycle)."""
        if isinstance(tagged, Function):
            tagged.latest.revision = self.new_revision()

    def _tagged(self, call: Call) -> Function | Mapping:
        """What has tags: functions and event source mappings."""
        arn = call.params["Resource"]
        if not re.fullmatch(_TAGGABLE, arn):
            raise constraint(arn, "resource", f"satisfy regular expression pattern: {_TAGGABLE}")
        if ":event-source-mapping:" in arn:
            mapping: Mapping | None = self.world.sources.mappings.get(arn.rpartition(":")[2])
            if mapping is None:
                raise not_found("The resource you requested does not exist.")
            return mapping
        reference = self.reference(arn)
        if reference.qualifier is not None:
            raise invalid(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        function = self.functions.get(reference.name)
        if function is None:
            raise not_found(f"Function not found: {arn}")
        return function
