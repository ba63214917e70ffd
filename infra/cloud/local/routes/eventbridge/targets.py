"""Reads a target of a rule, and refuses what AWS refuses. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...kernel import SECOND
from ...service import NotSimulated
from ..retries import DEFAULT_AGE_S, DEFAULT_RETRIES
from . import errors, paths
from .model import Bus, Target
from .paths import InvalidPath, Path
from .retries import RetryPolicy
from .transformer import NotJson, Transformer, check

_ARN = re.compile(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:.+")

SIMULATED = ("kinesis", "lambda", "logs", "sns", "sqs", "states")
"""Services whose resources can be targets here, next to event buses and API destinations."""

_OTHER_PARAMETERS = (
    "AppSyncParameters",
    "BatchParameters",
    "EcsParameters",
    "RedshiftDataParameters",
    "RunCommandParameters",
    "SageMakerPipelineParameters",
)

MAX_TARGETS = 5


def kind(arn: str) -> str:
    """``lambda``, ``sqs`` …, ``event-bus``, ``api-destination``."""
    _, _, service, _, _, resource = arn.split(":", 5)
    return resource.partition("/")[0] if service == "events" else service


def read(given: Mapping[str, Any], bus: Bus) -> Target:
    """A target as PutTargets takes it. Raises ServiceError, and NotSimulated by name."""
    id, arn = given["Id"], given["Arn"]
    if not _ARN.fullmatch(arn):
        raise errors.invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    what = kind(arn)
    if what not in (*SIMULATED, "event-bus", "api-destination"):
        raise NotSimulated(
            f"NotSimulated: {arn} as a target of a rule - simulated are {', '.join(SIMULATED)}, event-bus, "
            "api-destination"
        )
    for name in _OTHER_PARAMETERS:
        if name in given:
            raise NotSimulated(f"NotSimulated: {name} of target {id} - that kind of target is not simulated")
    if sum(name in given for name in ("Input", "InputPath", "InputTransformer")) > 1:
        raise errors.invalid(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )
    if what == "sqs" and arn.endswith(".fifo") and "SqsParameters" not in given:
        raise errors.invalid(f"Parameter(s) SqsParameters must be specified for target: {id}.")
    if _needs_role(what, arn, bus) and "RoleArn" not in given:
        raise errors.invalid(f"RoleArn is required for target {arn}.")
    if what == "event-bus" and {"Input", "InputPath", "InputTransformer"} & given.keys():
        raise errors.invalid(f"Modifying the input for target {id} is not supported.")
    target = Target(dict(given), _retry(given.get("RetryPolicy", {})))
    _read_input(target, given, id)
    key = given.get("KinesisParameters", {}).get("PartitionKeyPath")
    if key:
        target.partition_key = _path(key, f"PartitionKeyPath for target {id}")
    dead_letter = target.dead_letter
    if dead_letter is not None and (":sqs:" not in dead_letter or dead_letter.endswith(".fifo")):
        raise errors.invalid(
            f"Parameter {dead_letter} is not valid. Reason: It must be a standard Amazon SQS queue."
        )
    return target


def _needs_role(what: str, arn: str, bus: Bus) -> bool:
    if what == "event-bus":
        _, _, _, region, account, _ = arn.split(":", 5)
        return (region, account) != (bus.region, bus.account)
    return what in ("api-destination", "kinesis", "states")


def _retry(given: Mapping[str, Any]) -> RetryPolicy:
    return RetryPolicy(
        given.get("MaximumRetryAttempts", DEFAULT_RETRIES),
        given.get("MaximumEventAgeInSeconds", DEFAULT_AGE_S) * SECOND,
    )


def _read_input(target: Target, given: Mapping[str, Any], id: str) -> None:
    if "Input" in given:
        try:
            check(given["Input"])
        except NotJson as error:
            raise errors.invalid(f"JSON syntax error in input for target {id} : {error.location}.") from None
        target.constant = given["Input"]
    elif given.get("InputPath", "$") != "$":
        target.path = _path(given["InputPath"], f"InputPath for target {id}")
    elif "InputTransformer" in given:
        target.transformer = _transformer(given["InputTransformer"], id)


def _path(text: str, what: str) -> Path:
    try:
        return paths.parse(text)
    except InvalidPath:
        raise errors.invalid(f"Invalid {what}.") from None


def _transformer(given: Mapping[str, Any], id: str) -> Transformer:
    paths_map = given.get("InputPathsMap", {})
    for name in paths_map:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name.lower().startswith("aws"):
            raise errors.invalid(f"InputPathsMap for target {id} contains invalid key {name}.")
    for name, path in paths_map.items():
        _path(path, f"InputPathsMap for target {id}: {name}")
    transformer = Transformer.of(paths_map, given["InputTemplate"])
    unknown = transformer.unknown()
    if unknown:  # recorded
        raise errors.invalid(f"InputTemplate for target {id} contains invalid placeholder {unknown[0]}.")
    try:
        transformer.check()
    except NotJson as error:
        raise errors.invalid(f"Invalid InputTemplate for target {id} : {error.location}.") from None
    return transformer
