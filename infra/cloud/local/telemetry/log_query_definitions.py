"""Saved queries of Logs Insights.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
"""

from __future__ import annotations

from typing import Any

from ..ids import uuid4
from ..kernel import MILLISECOND, Kernel
from ..service import Call, NotSimulated
from .insights_parser import QueryError, parse_query
from .log_checks import constraint, invalid, limit_of, not_found


class QueryDefinitions:
    """By id, in the order in which they were made."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._found: dict[str, dict[str, Any]] = {}

    def put(self, call: Call) -> dict[str, Any]:
        """Creates one, or replaces that of the id. A query that cannot be read is refused."""
        params = call.params
        if params.get("queryLanguage", "CWLI") != "CWLI":
            raise NotSimulated(f"NotSimulated: query definitions in {params['queryLanguage']} - only CWLI is")
        if params.get("parameters"):
            raise NotSimulated("NotSimulated: parameters of a query definition")
        if not 1 <= len(params["name"]) <= 255:
            bound = "greater than or equal to 1" if not params["name"] else "less than or equal to 255"
            raise constraint(params["name"], "name", f"have length {bound}")
        try:
            parse_query(params["queryString"])
        except QueryError as error:
            raise invalid(error.message) from None
        identifier = params.get("queryDefinitionId")
        if identifier is None:
            identifier = uuid4(self._kernel.rng("logs.query_definition"))
        elif identifier not in self._found:
            raise not_found("Query definition does not exist.")
        self._found[identifier] = {
            "queryLanguage": "CWLI",
            "queryDefinitionId": identifier,
            "name": params["name"],
            "queryString": params["queryString"],
            "lastModified": self._kernel.now // MILLISECOND,
            **({"logGroupNames": params["logGroupNames"]} if params.get("logGroupNames") else {}),
        }
        return {"queryDefinitionId": identifier}

    def delete(self, call: Call) -> dict[str, Any]:
        if self._found.pop(call.params["queryDefinitionId"], None) is None:
            raise not_found("Query definition does not exist.")
        return {"success": True}

    def describe(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix, size = params.get("queryDefinitionNamePrefix", ""), limit_of(params, 1000, "maxResults")
        found = [dict(one) for one in self._found.values() if one["name"].startswith(prefix)]
        ids = [one["queryDefinitionId"] for one in found]
        token = params.get("nextToken")
        if token is not None and token not in ids:
            raise invalid("The specified nextToken is invalid.")
        first = ids.index(token) if token else 0
        answer: dict[str, Any] = {"queryDefinitions": found[first : first + size]}
        if first + size < len(found):
            answer["nextToken"] = ids[first + size]
        return answer
