"""What DynamoDB refuses in a request on tables where moto does not, or in other words.

Recorded by LocalStack (test_dynamodb_pay_per_request), the dynamodb-conformance suite
(error-messages/createTable, captures/cross-region-latest.json) and dynalite's tests (deleteTable, listTables,
listTagsOfResource, updateTable). A table's name may be shorter than AWS's three characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException

from ...constraints import complaint, detected
from .key_checks import INVALID
from .metering import find

_VIEWS = ("NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")
_CHANGES = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexUpdates",
    "GlobalTableWitnessUpdates",
    "MultiRegionConsistency",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "ReplicaUpdates",
    "SSESpecification",
    "StreamSpecification",
    "TableClass",
    "WarmThroughput",
)


def checked_table(action: Callable[[Any], ActionResult], operation: str) -> Callable[[Any], ActionResult]:
    check = TABLES[operation]

    def acted(handler: Any) -> ActionResult:
        check(handler)
        return action(handler)

    return acted


def _create(handler: Any) -> None:
    body = handler.body
    name = body["TableName"]
    if not re.fullmatch(r"[a-zA-Z0-9_.-]+", name):
        raise _unsatisfied(name, "tableName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    for number, each in enumerate(body["AttributeDefinitions"], start=1):
        if each["AttributeType"] not in ("B", "N", "S"):
            member = f"attributeDefinitions.{number}.member.attributeType"
            raise _unsatisfied(each["AttributeType"], member, "satisfy enum value set: [B, N, S]")
    if body.get("BillingMode") == "PAY_PER_REQUEST" and body.get("ProvisionedThroughput"):
        raise MockValidationException(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST"
        )
    _check_view(body)
    known = set()
    for index in (*(body.get("LocalSecondaryIndexes") or ()), *(body.get("GlobalSecondaryIndexes") or ())):
        if index["IndexName"] in known:
            raise MockValidationException(f"{INVALID}Duplicate index name: {index['IndexName']}")
        known.add(index["IndexName"])
    if body.get("LocalSecondaryIndexes") and len(body["KeySchema"]) < 2:
        raise MockValidationException(
            f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )


def _check_view(body: dict[str, Any]) -> None:
    view = (body.get("StreamSpecification") or {}).get("StreamViewType")
    if view is not None and view not in _VIEWS:
        member = "streamSpecification.streamViewType"
        raise _unsatisfied(view, member, f"satisfy enum value set: [{', '.join(_VIEWS)}]")


def _delete(handler: Any) -> None:
    name = handler.body["TableName"]
    table = find(handler, name)
    if table is None:
        raise ResourceNotFoundException(table_name=name)
    if table.deletion_protection_enabled:
        raise MockValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
            "protection first."
        )


def _update(handler: Any) -> None:
    _check_view(handler.body)
    if not any(name in handler.body for name in _CHANGES):
        raise MockValidationException(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
        )


def _list(handler: Any) -> None:
    limit = handler.body.get("Limit", 100)
    if limit > 100:
        raise _unsatisfied(limit, "limit", "have value less than or equal to 100")


def _list_tags(handler: Any) -> None:
    arn = handler.body["ResourceArn"]
    if find(handler, arn) is None:
        raise ResourceNotFoundException(f"Requested resource not found: ResourcArn: {arn} not found")


def _unsatisfied(value: object, member: str, must: str) -> MockValidationException:
    return MockValidationException(detected(complaint(value, member, must)))


TABLES: dict[str, Callable[[Any], None]] = {
    "create_table": _create,
    "delete_table": _delete,
    "list_tables": _list,
    "list_tags_of_resource": _list_tags,
    "update_table": _update,
}
