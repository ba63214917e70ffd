"""Groups: traces that a filter expression selects, under a name.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..ids import uuid4
from ..routes.paging import page_of
from ..service import Call, NotSimulated, ServiceError
from .xray_filters import Filter, Malformed, parse
from .xray_rules import SamplingRules, refused

MAX_GROUPS = 25


@dataclasses.dataclass(slots=True)
class Group:
    name: str
    arn: str
    expression: str
    insights: dict[str, bool]

    def shown(self) -> dict[str, Any]:
        return {
            "GroupName": self.name,
            "GroupARN": self.arn,
            "FilterExpression": self.expression,
            "InsightsConfiguration": self.insights,
        }


class Groups(SamplingRules):
    """The groups by name, and the tags of groups and rules."""

    _groups: dict[str, Group]

    def filter(self, expression: str | None) -> Filter:
        """A filter that may name groups; everything passes without an expression."""
        if not expression or not expression.strip():
            return lambda values: True

        def of_group(name: str) -> Filter:
            found = self._groups.get(name) or next(
                (each for each in self._groups.values() if each.arn == name), None
            )
            if found is None:
                raise refused(f"Group {name} does not exist")
            return parse(found.expression) if found.expression else lambda values: True

        try:
            return parse(expression, of_group)
        except Malformed as error:
            raise refused(f"Invalid filter expression: {error}") from None
        except NotImplementedError as error:
            raise NotSimulated(f"NotSimulated: xray {error} - in {expression!r}") from None

    def group_of(self, call: Call) -> Group | None:
        """The group that GroupName or GroupARN names; None if neither is given."""
        params = call.params
        if not params.get("GroupName") and not params.get("GroupARN"):
            return None
        for group in self._groups.values():
            if group.name == params.get("GroupName", group.name) and group.arn == params.get(
                "GroupARN", group.arn
            ):
                return group
        raise refused(f"Group {params.get('GroupName') or params.get('GroupARN')} does not exist")

    def CreateGroup(self, call: Call) -> dict[str, Any]:
        name = call.params["GroupName"]
        if name in self._groups:
            raise refused(f"Group {name} already exists")
        if len(self._groups) >= MAX_GROUPS:
            raise refused("The maximum number of groups has been reached")
        expression = call.params.get("FilterExpression", "")
        self.filter(expression)
        arn = f"arn:aws:xray:{self.world.region}:{self.world.account}:group/{name}/"
        arn += uuid4(self.kernel.rng("xray.groups")).replace("-", "").upper()
        group = self._groups[name] = Group(name, arn, expression, _insights(call.params))
        self._tags[arn] = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
        return {"Group": group.shown()}

    def GetGroup(self, call: Call) -> dict[str, Any]:
        return {"Group": self._needed(call).shown()}

    def GetGroups(self, call: Call) -> dict[str, Any]:
        groups = list(self._groups.values())
        page, token = page_of(groups, call.params.get("NextToken"), 100, _bad_token)
        shown: dict[str, Any] = {"Groups": [group.shown() for group in page]}
        return {**shown, "NextToken": token} if token else shown

    def UpdateGroup(self, call: Call) -> dict[str, Any]:
        group = self._needed(call)
        if "FilterExpression" in call.params:
            self.filter(call.params["FilterExpression"])
            group.expression = call.params["FilterExpression"]
        if "InsightsConfiguration" in call.params:
            group.insights = _insights(call.params)
        return {"Group": group.shown()}

    def DeleteGroup(self, call: Call) -> dict[str, Any]:
        del self._groups[self._needed(call).name]
        return {}

    def _needed(self, call: Call) -> Group:
        group = self.group_of(call)
        if group is None:
            raise refused("Either GroupName or GroupARN must be specified")
        return group

    # -- tags ------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tagged(call).update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        for key in call.params["TagKeys"]:
            self._tagged(call).pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(call).items()]}

    def _tagged(self, call: Call) -> dict[str, str]:
        arn = call.params["ResourceARN"]
        known = [rule["RuleARN"] for rule in self._rules.values()] + [
            each.arn for each in self._groups.values()
        ]
        if arn not in known:
            raise ServiceError(
                "ResourceNotFoundException", f"Resource {arn} not found", 404, ResourceName=arn
            )
        return self._tags.setdefault(arn, {})


def _insights(params: dict[str, Any]) -> dict[str, bool]:
    given = params.get("InsightsConfiguration") or {}
    if given.get("InsightsEnabled"):
        raise NotSimulated("NotSimulated: xray InsightsConfiguration.InsightsEnabled - there are no insights")
    return {"InsightsEnabled": False, "NotificationsEnabled": False}


def _bad_token() -> ServiceError:
    return refused("Invalid NextToken")
