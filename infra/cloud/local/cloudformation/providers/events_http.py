"""AWS::Events: connections and API destinations.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Events.html
"""

from __future__ import annotations

from typing import Any

from .base import Context, Outcome, Provider, picked
from .schema import BOOLEAN, INTEGER, STRING, accepts, list_of, optional, replaces, required, struct

_GONE = ("ResourceNotFoundException",)

_PARAMETERS = list_of(struct(_required=("Key", "Value"), IsValueSecret=BOOLEAN, Key=STRING, Value=STRING))
_HTTP_PARAMETERS = struct(
    BodyParameters=_PARAMETERS, HeaderParameters=_PARAMETERS, QueryStringParameters=_PARAMETERS
)
_AUTH_PARAMETERS = struct(
    ApiKeyAuthParameters=struct(
        _required=("ApiKeyName", "ApiKeyValue"), ApiKeyName=STRING, ApiKeyValue=STRING
    ),
    BasicAuthParameters=struct(_required=("Password", "Username"), Password=STRING, Username=STRING),
    InvocationHttpParameters=_HTTP_PARAMETERS,
    OAuthParameters=struct(
        _required=("AuthorizationEndpoint", "ClientParameters", "HttpMethod"),
        AuthorizationEndpoint=STRING,
        ClientParameters=struct(_required=("ClientID", "ClientSecret"), ClientID=STRING, ClientSecret=STRING),
        HttpMethod=STRING,
        OAuthHttpParameters=_HTTP_PARAMETERS,
    ),
)


class Connection(Provider):
    type = "AWS::Events::Connection"
    properties = accepts(
        AuthorizationType=optional(STRING),
        AuthParameters=optional(_AUTH_PARAMETERS),
        Description=optional(STRING),
        Name=replaces(STRING),
    )
    attributes = ("Arn", "ArnForPolicy", "SecretArn")
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        ctx.call("events", "CreateConnection", {"Name": name, **self._settings(props)})
        return self._outcome(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        ctx.call("events", "UpdateConnection", {"Name": physical_id, **self._settings(new)})
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("events", "DeleteConnection", {"Name": physical_id})

    @staticmethod
    def _settings(props: dict[str, Any]) -> dict[str, Any]:
        return picked(props, "AuthorizationType", "AuthParameters", "Description")

    @staticmethod
    def _outcome(ctx: Context, name: str) -> Outcome:
        shown = ctx.call("events", "DescribeConnection", {"Name": name})
        arn = shown["ConnectionArn"]
        attributes = {"Arn": arn, "ArnForPolicy": _for_policy(arn), "SecretArn": shown["SecretArn"]}
        return Outcome(name, attributes)


class ApiDestination(Provider):
    type = "AWS::Events::ApiDestination"
    properties = accepts(
        ConnectionArn=required(STRING),
        Description=optional(STRING),
        HttpMethod=required(STRING),
        InvocationEndpoint=required(STRING),
        InvocationRateLimitPerSecond=optional(INTEGER),
        Name=replaces(STRING),
    )
    attributes = ("Arn", "ArnForPolicy")
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        params = {**picked(props, *self.properties), "Name": name}
        return self._outcome(name, ctx.call("events", "CreateApiDestination", params))

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {**picked(new, *self.properties), "Name": physical_id}
        return self._outcome(physical_id, ctx.call("events", "UpdateApiDestination", params))

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("events", "DeleteApiDestination", {"Name": physical_id})

    @staticmethod
    def _outcome(name: str, answer: dict[str, Any]) -> Outcome:
        arn = answer["ApiDestinationArn"]
        return Outcome(name, {"Arn": arn, "ArnForPolicy": _for_policy(arn)})


def _for_policy(arn: str) -> str:
    """The ARN without its last part, an id that a policy cannot know."""
    return arn.rpartition("/")[0]
