"""Capacity units of DynamoDB operations on items of up to 1 KB (written) and 4 KB (read).

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

WRITES = {
    "PutItem": 1.0,
    "UpdateItem": 1.0,
    "DeleteItem": 1.0,
    "BatchWriteItem": 1.0,
    "TransactWriteItems": 2.0,
}
READS = {"GetItem": 0.5, "Query": 0.5, "Scan": 0.5, "BatchGetItem": 0.5, "TransactGetItems": 2.0}
PARTIQL = {"ExecuteStatement": 1.0, "BatchExecuteStatement": 1.0, "ExecuteTransaction": 2.0}
"""Units of a written item; a SELECT reads eventually consistently, or in a transaction."""
