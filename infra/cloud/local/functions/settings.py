"""Operations on what hangs on a function: reserved concurrency, asynchronous settings, tags, account
settings."""

from __future__ import annotations

from typing import Any

from ..service import Call
from ..sources.mapping import Mapping
from .concurrency import UNRESERVED_MINIMUM
from .model import EventInvokeConfig, Function
from .names import LATEST, constraint, invalid, not_found
from .provisioning import Provisioning
from .validation import check_destination


class Settings(Provisioning):
    # -- reserved concurrency ------------------------------------------------------------------------

    def PutFunctionConcurrency(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
        function = self.find_unqualified(call)
        wanted: int = call.params["ReservedConcurrentExecutions"]
        if wanted < 0:
            raise constraint(wanted, "reservedConcurrentExecutions", "have value greater than or equal to 0")
        if wanted and self.concurrency.unreserved(without=function) - wanted < UNRESERVED_MINIMUM:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
            )
        provisioned = sum(each.requested for each in function.provisioned.values())
        if wanted < provisioned:
            raise invalid(
                f"ReservedConcurrentExecutions  {wanted} should not be lower than function's total "
                "provisioned "
                f"concurrency [{provisioned}]."
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

    # -- asynchronous invocation -----------------------------------------------------------------------

    def PutFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html"""
        function, qualifier = self._event_invoke_target(call)
        return self._set_event_invoke(function, qualifier, call.params, None)

    def UpdateFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_invoke_target(call)
        return self._set_event_invoke(
            function, qualifier, call.params, self._event_invoke(function, qualifier)
        )

    def GetFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_invoke_target(call)
        return self._described_event_invoke(function, qualifier, self._event_invoke(function, qualifier))

    def DeleteFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._event_invoke_target(call)
        self._event_invoke(function, qualifier)
        del function.event_invoke[qualifier]
        return {"$status": 204}

    def ListFunctionEventInvokeConfigs(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        items = [
            self._described_event_invoke(function, qualifier, config)
            for qualifier, config in function.event_invoke.items()
        ]
        return self.page(items, "FunctionEventInvokeConfigs", call)

    def _event_invoke_target(self, call: Call) -> tuple[Function, str]:
        function, qualifier = self.find(call)
        self.find_version(function, qualifier)
        return function, qualifier or LATEST

    def _event_invoke(self, function: Function, qualifier: str) -> EventInvokeConfig:
        config = function.event_invoke.get(qualifier)
        if config is None:
            raise not_found(f"The function {function.arn}:{qualifier} doesn't have an EventInvokeConfig")
        return config

    def _set_event_invoke(
        self, function: Function, qualifier: str, params: dict[str, Any], before: EventInvokeConfig | None
    ) -> dict[str, Any]:
        retries, age = params.get("MaximumRetryAttempts"), params.get("MaximumEventAgeInSeconds")
        destinations = params.get("DestinationConfig")
        if retries is None and age is None and destinations is None:
            raise invalid("You must specify at least one of error handling or destination setting.")
        if retries is not None and not 0 <= retries <= 2:
            raise constraint(retries, "maximumRetryAttempts", "have value between 0 and 2 (both included)")
        if age is not None and not 60 <= age <= 21_600:
            raise constraint(
                age, "maximumEventAgeInSeconds", "have value between 60 and 21600 (both included)"
            )
        success = ((destinations or {}).get("OnSuccess") or {}).get("Destination") or None
        failure = ((destinations or {}).get("OnFailure") or {}).get("Destination") or None
        for member, arn in (("OnSuccess", success), ("OnFailure", failure)):
            if arn is not None:
                check_destination(arn, member)
                if arn == function.arn or arn.startswith(f"{function.arn}:"):
                    raise invalid(
                        "You can't specify the function as a destination for itself. Destination: " + arn
                    )
        if before is not None:
            retries = before.retries if retries is None else retries
            age = before.max_age_s if age is None else age
            if destinations is None:
                success, failure = before.on_success, before.on_failure
        config = EventInvokeConfig(retries, age, success, failure, self.kernel.now)
        function.event_invoke[qualifier] = config
        return self._described_event_invoke(function, qualifier, config)

    def _described_event_invoke(
        self, function: Function, qualifier: str, config: EventInvokeConfig
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "LastModified": self.date(config.last_modified),
            "FunctionArn": f"{function.arn}:{qualifier}",
            "DestinationConfig": {
                "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
                "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
            },
        }
        if config.retries is not None:
            answer["MaximumRetryAttempts"] = config.retries
        if config.max_age_s is not None:
            answer["MaximumEventAgeInSeconds"] = config.max_age_s
        return answer

    # -- tags ------------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        tagged = self._tagged(call)
        tags = {**tagged.tags, **call.params["Tags"]}
        if len(tags) > 50:
            raise invalid("Number of tags exceeds resource tag limit.")
        tagged.tags = tags
        return {"$status": 204}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tagged = self._tagged(call)
        for key in call.params["TagKeys"]:
            tagged.tags.pop(key, None)
        return {"$status": 204}

    def ListTags(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self._tagged(call).tags)}

    def _tagged(self, call: Call) -> Function | Mapping:
        """What has tags: functions and event source mappings."""
        arn = call.params["Resource"]
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
