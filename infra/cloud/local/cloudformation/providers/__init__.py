"""Resource types: one file per service, one class per type. ``provider_for`` finds the class of a type."""

from __future__ import annotations

from . import (
    apigateway,
    apigateway_methods,
    apigateway_parts,
    apigateway_plans,
    apigateway_stages,
    apigatewayv2,
    appconfig,
    applicationautoscaling,
    cdk,
    cloudformation_,
    cloudwatch,
    codedeploy,
    cognito,
    custom,
    dynamodb,
    dynamodb_global,
    events,
    iam,
    iam_principals,
    kinesis,
    kms,
    labels,
    lambda_,
    lambda_events,
    logs,
    pipes,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
    stepfunctions,
    xray,
)
from .base import Provider

_PROVIDERS: dict[str, Provider] = {
    provider.type: provider()
    for module in (
        appconfig,
        applicationautoscaling,
        apigatewayv2,
        apigateway,
        apigateway_methods,
        apigateway_parts,
        apigateway_plans,
        apigateway_stages,
        cdk,
        cloudformation_,
        cloudwatch,
        cognito,
        codedeploy,
        custom,
        dynamodb,
        dynamodb_global,
        events,
        iam,
        iam_principals,
        kinesis,
        kms,
        labels,
        lambda_,
        lambda_events,
        logs,
        pipes,
        s3,
        scheduler,
        secretsmanager,
        sns,
        sqs,
        ssm,
        stepfunctions,
        xray,
    )
    for provider in module.PROVIDERS
}


def register(provider: type[Provider]) -> None:
    """Add a type, or replace one. The type ``Custom::*`` answers for all that begin so."""
    _PROVIDERS[provider.type] = provider()


def provider_for(kind: str) -> Provider | None:
    """The provider of a resource type, or None if the type is not simulated."""
    found = _PROVIDERS.get(kind)
    if found is None and "::" in kind:
        found = _PROVIDERS.get(kind.split("::", 1)[0] + "::*")
    return found


def handled_types() -> list[str]:
    return sorted(_PROVIDERS)
