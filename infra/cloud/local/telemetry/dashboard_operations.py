"""The dashboard operations of CloudWatch's API.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
"""

from __future__ import annotations

import json
from typing import Any

from ..service import Call, Service, ServiceError
from .dashboard_bodies import Problem, problems
from .paging import page_of
from .queries import moment
from .refusals import invalid, not_found


class DashboardOperations(Service):
    """Dashboards are kept as they were put: (body, time)."""

    _dashboards: dict[str, tuple[str, int]]

    def PutDashboard(self, call: Call) -> dict[str, Any]:
        name, body = call.params["DashboardName"], call.params["DashboardBody"]
        if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 255:
            raise invalid(
                f"The value {name} for field DashboardName contains invalid characters. It can only contain "
                "alphanumerics, dash (-) and underscore (_).\n",
                "InvalidParameterInput",
            )
        check_body(body)
        self._dashboards[name] = (body, self.kernel.now)
        return {"DashboardValidationMessages": []}

    def GetDashboard(self, call: Call) -> dict[str, Any]:
        name = call.params["DashboardName"]
        if name not in self._dashboards:
            raise _no_dashboard(name)
        arn = self._dashboard_arn(name)
        return {"DashboardArn": arn, "DashboardBody": self._dashboards[name][0], "DashboardName": name}

    def ListDashboards(self, call: Call) -> dict[str, Any]:
        prefix = call.params.get("DashboardNamePrefix", "")
        entries = [
            {
                "DashboardName": name,
                "DashboardArn": self._dashboard_arn(name),
                "LastModified": moment(time),
                "Size": len(body.encode()),
            }
            for name, (body, time) in sorted(self._dashboards.items())
            if name.startswith(prefix)
        ]
        page, token = page_of(entries, call.params.get("NextToken"), 1000)
        return {"DashboardEntries": page} | token

    def DeleteDashboards(self, call: Call) -> dict[str, Any]:
        names = call.params["DashboardNames"]
        for name in names:
            if name not in self._dashboards:
                raise _no_dashboard(name)
        for name in names:
            self._dashboards.pop(name, None)
        return {}

    def _dashboard_arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch::{self.world.account}:dashboard/{name}"


def check_body(text: str) -> None:
    """Raise DashboardInvalidInputError with every problem of a dashboard's body."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        message = "The field DashboardBody must be a valid JSON object"
        raise _invalid_body(message, [("/", message)])
    found = problems(body)
    if found:
        listed = json.dumps([{"dataPath": path, "message": message} for path, message in found], indent=2)
        raise _invalid_body(
            f"The dashboard body is invalid, there are {len(found)} validation errors:\n{listed}", found
        )


def _invalid_body(message: str, found: list[Problem]) -> ServiceError:
    listed = [{"DataPath": path, "Message": text} for path, text in found]
    return invalid(message, "InvalidParameterInput", dashboardValidationMessages=listed)


def check_json(text: str, name: str, code: str) -> None:
    """Raise the error ``code`` unless ``text`` is a JSON object."""
    try:
        problem = "" if isinstance(json.loads(text), dict) else "it must be a JSON object"
    except ValueError as error:
        problem = f"it is not JSON: {error}"
    if problem:
        raise invalid(f"The field {name} is invalid, {problem}", code)


def _no_dashboard(name: str) -> ServiceError:
    return not_found(f"Dashboard {name} does not exist", modeled="DashboardNotFoundError")
