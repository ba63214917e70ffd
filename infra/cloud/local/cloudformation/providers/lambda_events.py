"""AWS::Lambda: who may invoke a function, and how events reach it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .schema import (
    BOOLEAN,
    CORS,
    INTEGER,
    NUMBER,
    STRING,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_GONE = ("ResourceNotFoundException",)
_DESTINATION = struct(_required=("Destination",), Destination=STRING)
_DESTINATIONS = struct(OnFailure=_DESTINATION, OnSuccess=_DESTINATION)


class Permission(Provider):
    """One statement of a function's resource policy. Any change makes a new one."""

    type = "AWS::Lambda::Permission"
    properties = accepts(
        Action=required(STRING, replaces=True),
        EventSourceToken=replaces(STRING),
        FunctionName=required(STRING, replaces=True),
        FunctionUrlAuthType=replaces(STRING),
        InvokedViaFunctionUrl=replaces(BOOLEAN),
        Principal=required(STRING, replaces=True),
        PrincipalOrgID=replaces(STRING),
        SourceAccount=replaces(STRING),
        SourceArn=replaces(STRING),
    )
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        statement = ctx.name(100)
        ctx.call("lambda", "AddPermission", {"StatementId": statement, **picked(props, *self.properties)})
        return Outcome(statement, {"Id": statement})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"FunctionName": props["FunctionName"], "StatementId": physical_id}
        ctx.call("lambda", "RemovePermission", params)


class EventInvokeConfig(Provider):
    """Asynchronous invocation: retries, event age, destinations."""

    type = "AWS::Lambda::EventInvokeConfig"
    properties = accepts(
        DestinationConfig=optional(_DESTINATIONS),
        FunctionName=required(STRING, replaces=True),
        MaximumEventAgeInSeconds=optional(INTEGER),
        MaximumRetryAttempts=optional(INTEGER),
        Qualifier=required(STRING, replaces=True),
    )
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, new)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("lambda", "DeleteFunctionEventInvokeConfig", picked(props, "FunctionName", "Qualifier"))

    def _put(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        ctx.call("lambda", "PutFunctionEventInvokeConfig", picked(props, *self.properties))
        return Outcome(f"{props['FunctionName']}|{props['Qualifier']}")


class EventSourceMapping(Provider):
    type = "AWS::Lambda::EventSourceMapping"
    properties = accepts(
        BatchSize=optional(INTEGER),
        BisectBatchOnFunctionError=optional(BOOLEAN),
        DestinationConfig=optional(struct(OnFailure=struct(Destination=STRING))),
        Enabled=optional(BOOLEAN),
        EventSourceArn=replaces(STRING),
        FilterCriteria=optional(struct(Filters=list_of(struct(Pattern=STRING)))),
        FunctionName=required(STRING),
        FunctionResponseTypes=optional(STRINGS),
        MaximumBatchingWindowInSeconds=optional(INTEGER),
        MaximumRecordAgeInSeconds=optional(INTEGER),
        MaximumRetryAttempts=optional(INTEGER),
        MetricsConfig=optional(struct(Metrics=STRINGS)),
        ParallelizationFactor=optional(INTEGER),
        ScalingConfig=optional(struct(MaximumConcurrency=INTEGER)),
        StartingPosition=replaces(STRING),
        StartingPositionTimestamp=replaces(NUMBER),
        TumblingWindowInSeconds=optional(INTEGER),
    )
    attributes = ("EventSourceMappingArn", "Id")
    missing = _GONE
    _only_at_creation = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")
    _removed: ClassVar[dict[str, Any]] = {
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {},
        "Enabled": True,
        "FilterCriteria": {},
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "MetricsConfig": {},
        "ParallelizationFactor": 1,
        "ScalingConfig": {},
        "TumblingWindowInSeconds": 0,
    }

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, *self.properties)
        if "StartingPositionTimestamp" in params:
            seconds = float(params["StartingPositionTimestamp"])
            params["StartingPositionTimestamp"] = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        made = ctx.call("lambda", "CreateEventSourceMapping", params)
        ctx.created(made["UUID"])
        return self._until_settled(ctx, made["UUID"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        changes = {
            name: new.get(name, self._default(name, new))
            for name in self.properties
            if name not in self._only_at_creation and old.get(name) != new.get(name)
        }
        if changes:
            ctx.call("lambda", "UpdateEventSourceMapping", {"UUID": physical_id, **changes})
        return self._until_settled(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("lambda", "DeleteEventSourceMapping", {"UUID": physical_id})

        def gone() -> bool:
            try:
                ctx.call("lambda", "GetEventSourceMapping", {"UUID": physical_id})
            except ServiceError as error:
                if error.code not in _GONE:
                    raise
                return True
            return False

        ctx.until(gone, f"Event source mapping {physical_id}")

    def _default(self, name: str, props: dict[str, Any]) -> Any:
        """What a setting becomes when its property is removed from the template."""
        if name == "BatchSize":
            return 10 if ":sqs:" in props.get("EventSourceArn", "") else 100
        return self._removed.get(name)

    @staticmethod
    def _until_settled(ctx: Context, identifier: str) -> Outcome:
        found: dict[str, Any] = {}

        def settled() -> bool:
            found.update(ctx.call("lambda", "GetEventSourceMapping", {"UUID": identifier}))
            return found.get("State", "Enabled") in ("Enabled", "Disabled")

        ctx.until(settled, f"Event source mapping {identifier}")
        region, account = ctx.region, ctx.account
        arn = found.get(
            "EventSourceMappingArn", f"arn:aws:lambda:{region}:{account}:event-source-mapping:{identifier}"
        )
        return Outcome(identifier, {"EventSourceMappingArn": arn, "Id": identifier})


class Url(Provider):
    type = "AWS::Lambda::Url"
    properties = accepts(
        AuthType=required(STRING),
        Cors=optional(CORS),
        InvokeMode=optional(STRING),
        Qualifier=replaces(STRING),
        TargetFunctionArn=required(STRING, replaces=True),
    )
    attributes = ("FunctionArn", "FunctionUrl")
    missing = _GONE

    def refused(self, props: dict[str, Any]) -> list[str]:
        streams = props.get("InvokeMode", "BUFFERED") == "RESPONSE_STREAM"
        return ["property AWS::Lambda::Url.InvokeMode RESPONSE_STREAM"] if streams else []

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, "AuthType", "Cors", "InvokeMode")
        return self._outcome(ctx.call("lambda", "CreateFunctionUrlConfig", {**_target(props), **params}))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {**picked(new, "AuthType", "InvokeMode"), "Cors": new.get("Cors", {})}
        return self._outcome(ctx.call("lambda", "UpdateFunctionUrlConfig", {**_target(new), **params}))

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("lambda", "DeleteFunctionUrlConfig", _target(props))

    @staticmethod
    def _outcome(made: dict[str, Any]) -> Outcome:
        return Outcome(made["FunctionArn"], picked(made, "FunctionArn", "FunctionUrl"))


def _target(props: dict[str, Any]) -> dict[str, Any]:
    return picked(props, "Qualifier", FunctionName="TargetFunctionArn")


PROVIDERS: tuple[type[Provider], ...] = (Url, Permission, EventInvokeConfig, EventSourceMapping)
