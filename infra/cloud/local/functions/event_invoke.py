"""The settings of asynchronous invocation: of a function, and each of its versions and aliases.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html. Which error comes first,
and its words, are as recorded from AWS: TestLambdaEventInvokeConfig in
https://github.com/localstack/localstack/blob/main/tests/aws/services/lambda_/test_lambda_api.snapshot.json
"""

from __future__ import annotations

import re
from typing import Any

from ..constraints import constraint
from ..service import Call
from .model import EventInvokeConfig, Function
from .names import LATEST, invalid, not_found, parse
from .registry import Registry
from .validation import arn_service, check_range

_SHOWN_ARN = (
    r"^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
_ARN = re.compile(_SHOWN_ARN[3:])


class EventInvoke(Registry):
    def PutFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        self._check_given(call.params)
        function, qualifier = self._event_invoke_target(call)
        return self._set_event_invoke(function, qualifier, call.params, None)

    def UpdateFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html"""
        self._check_given(call.params)
        function, qualifier = self._event_invoke_target(call)
        before = self._event_invoke(function.name, qualifier)[1]
        return self._set_event_invoke(function, qualifier, call.params, before)

    def GetFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        reference = self.reference(call.params["FunctionName"], call.params.get("Qualifier"))
        qualifier = reference.qualifier or LATEST
        function, config = self._event_invoke(reference.name, qualifier)
        return self._described_event_invoke(function, qualifier, config)

    def DeleteFunctionEventInvokeConfig(self, call: Call) -> dict[str, Any]:
        reference = self.reference(call.params["FunctionName"], call.params.get("Qualifier"))
        function, _ = self._event_invoke(reference.name, reference.qualifier or LATEST)
        del function.event_invoke[reference.qualifier or LATEST]
        return {"$status": 204}

    def ListFunctionEventInvokeConfigs(self, call: Call) -> dict[str, Any]:
        function = self.functions.get(self.reference(call.params["FunctionName"]).name)
        if function is None:
            raise not_found("The function doesn't exist.")
        items = [
            self._described_event_invoke(function, qualifier, config)
            for qualifier, config in function.event_invoke.items()
        ]
        return self.page(items, "FunctionEventInvokeConfigs", call)

    @staticmethod
    def _check_given(params: dict[str, Any]) -> None:
        check_range(params, "MaximumRetryAttempts", "maximumRetryAttempts", 0, 2)
        check_range(params, "MaximumEventAgeInSeconds", "maximumEventAgeInSeconds", 60, 21_600)
        for member in ("OnFailure", "OnSuccess"):
            arn = _destination(params, member)
            if arn and not _ARN.fullmatch(arn):
                place = f"destinationConfig.{member[0].lower()}{member[1:]}.destination"
                raise constraint(arn, place, f"satisfy regular expression pattern: {_SHOWN_ARN}")
        given = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        if all(params.get(name) is None for name in given):
            raise invalid("You must specify at least one of error handling or destination setting.")

    def _event_invoke_target(self, call: Call) -> tuple[Function, str]:
        reference = self.reference(call.params["FunctionName"], call.params.get("Qualifier"))
        function, qualifier = self.functions.get(reference.name), reference.qualifier or LATEST
        if function is None or not (qualifier in function.aliases or function.version(qualifier)):
            raise not_found("The function doesn't exist.")
        return function, qualifier

    def _event_invoke(self, name: str, qualifier: str) -> tuple[Function, EventInvokeConfig]:
        function = self.functions.get(name)
        config = None if function is None else function.event_invoke.get(qualifier)
        if function is None or config is None:
            raise not_found(
                f"The function {self.function_arn(name)}:{qualifier} doesn't have an EventInvokeConfig"
            )
        return function, config

    def _set_event_invoke(
        self, function: Function, qualifier: str, params: dict[str, Any], before: EventInvokeConfig | None
    ) -> dict[str, Any]:
        retries, age = params.get("MaximumRetryAttempts"), params.get("MaximumEventAgeInSeconds")
        success, failure = _destination(params, "OnSuccess"), _destination(params, "OnFailure")
        self._check_destinations(function, success, failure)
        if before is not None:
            retries = before.retries if retries is None else retries
            age = before.max_age_s if age is None else age
            if params.get("DestinationConfig") is None:
                success, failure = before.on_success, before.on_failure
        config = EventInvokeConfig(retries, age, success, failure, self.kernel.now)
        function.event_invoke[qualifier] = config
        return self._described_event_invoke(function, qualifier, config)

    def _check_destinations(self, function: Function, success: str | None, failure: str | None) -> None:
        """Queues, topics, functions and event buses; a bucket for failures only.

        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionEventInvokeConfig.html
        """
        for arn, more in ((failure, ("s3",)), (success, ())):
            if arn is None:
                continue
            service = arn_service(arn)
            if service not in ("sqs", "sns", "lambda", "events", *more):
                shown = f"onSuccess={_shown('OnSuccess', success)}, onFailure={_shown('OnFailure', failure)}"
                raise invalid(f"The provided destination config DestinationConfig({shown}) is invalid.")
            if service != "lambda":
                continue
            other = parse(arn)
            if (other.region, other.account) != (self.world.region, self.world.account):
                continue
            if other.name not in self.functions:
                raise invalid(f"The destination ARN {arn} is invalid.")
            if other.name == function.name:
                raise invalid("You can't specify the function as a destination for itself.")

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


def _destination(params: dict[str, Any], member: str) -> str | None:
    return ((params.get("DestinationConfig") or {}).get(member) or {}).get("Destination") or None


def _shown(member: str, arn: str | None) -> str:
    return "null" if arn is None else f"{member}(destination={arn})"
