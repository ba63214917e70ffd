"""Amazon EventBridge Scheduler: schedules and schedule groups.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...constraints import constraint
from ...service import Call, Service, ServiceError
from ..paging import page_of
from .delivery import Clockwork
from .model import Group, Schedule, check_name, check_request, counted_from, invalid, moment
from .targets import check_target

if TYPE_CHECKING:
    from ...world import World

DEFAULT = "default"


class Scheduler(Service):
    """The service ``scheduler``. Schedules are kept by Region, group and name."""

    name = "scheduler"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._schedules: dict[tuple[str, str, str], Schedule] = {}
        self._groups: dict[tuple[str, str], Group] = {}
        self._clockwork = Clockwork(world, self._completed)

    # -- schedules ---------------------------------------------------------------------------------

    def CreateSchedule(self, call: Call) -> dict[str, Any]:
        request = self._checked(call)
        key = (call.region, request["GroupName"], request["Name"])
        token = call.params.get("ClientToken", "")
        known = self._schedules.get(key)
        if known is not None:
            if token and known.token == token and known.request == request:
                return {"ScheduleArn": known.arn}
            raise ServiceError("ConflictException", f"Schedule {request['Name']} already exists.", 409)
        self._check_role(call, request)
        now = self.kernel.now
        last, anchor = counted_from(request, now)
        schedule = Schedule(
            arn=self._arn(call.region, f"schedule/{key[1]}/{key[2]}"),
            group=key[1],
            name=key[2],
            region=call.region,
            request=request,
            created=now,
            modified=now,
            offset=self._clockwork.offset(),
            last=last,
            anchor=anchor,
            token=token,
        )
        self._schedules[key] = schedule
        self._clockwork.arm(schedule)
        return {"ScheduleArn": schedule.arn}

    def UpdateSchedule(self, call: Call) -> dict[str, Any]:
        """Replaces all settings: what is not given becomes its default. What is under way goes on."""
        request = self._checked(call)
        schedule = self._find(call)
        self._check_role(call, request)
        schedule.request = request
        schedule.modified = self.kernel.now
        schedule.last, schedule.anchor = counted_from(request, self.kernel.now)
        self._clockwork.arm(schedule)
        return {"ScheduleArn": schedule.arn}

    def GetSchedule(self, call: Call) -> dict[str, Any]:
        schedule = self._find(call)
        return {
            "Arn": schedule.arn,
            **schedule.request,
            "CreationDate": moment(schedule.created),
            "LastModificationDate": moment(schedule.modified),
        }

    def DeleteSchedule(self, call: Call) -> dict[str, Any]:
        self._delete(self._find(call))
        return {}

    def ListSchedules(self, call: Call) -> dict[str, Any]:
        params = call.params
        if "GroupName" in params:
            self._group(call.region, params["GroupName"])
        found = [
            schedule
            for (region, group, name), schedule in sorted(self._schedules.items(), key=lambda item: item[0])
            if region == call.region
            and params.get("GroupName") in (None, group)
            and name.startswith(params.get("NamePrefix") or "")
            and params.get("State") in (None, schedule.request["State"])
        ]
        page, token = _page(found, params)
        shown = [
            {
                "Arn": schedule.arn,
                "Name": schedule.name,
                "GroupName": schedule.group,
                "State": schedule.request["State"],
                "CreationDate": moment(schedule.created),
                "LastModificationDate": moment(schedule.modified),
                "Target": {"Arn": schedule.request["Target"]["Arn"]},
            }
            for schedule in page
        ]
        return {"Schedules": shown, **token}

    # -- groups ------------------------------------------------------------------------------------

    def CreateScheduleGroup(self, call: Call) -> dict[str, Any]:
        name = call.params["Name"]
        check_name(name, "name")
        token = call.params.get("ClientToken", "")
        known = self._groups.get((call.region, name))
        if known is not None and token and known.token == token:
            return {"ScheduleGroupArn": known.arn}
        if known is not None or name == DEFAULT:
            raise ServiceError("ConflictException", f"Schedule group {name} already exists.", 409)
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
        now = self.kernel.now
        group = Group(self._arn(call.region, f"schedule-group/{name}"), name, now, now, token, tags)
        self._groups[call.region, name] = group
        return {"ScheduleGroupArn": group.arn}

    def GetScheduleGroup(self, call: Call) -> dict[str, Any]:
        return _shown_group(self._group(call.region, call.params["Name"]))

    def DeleteScheduleGroup(self, call: Call) -> dict[str, Any]:
        """Deletes its schedules as well; here at once, on AWS within minutes (state DELETING)."""
        name = call.params["Name"]
        if name == DEFAULT:
            raise invalid("You cannot delete the default schedule group.")
        self._group(call.region, name)
        for schedule in list(self._schedules.values()):
            if (schedule.region, schedule.group) == (call.region, name):
                self._delete(schedule)
        del self._groups[call.region, name]
        return {}

    def ListScheduleGroups(self, call: Call) -> dict[str, Any]:
        self._group(call.region, DEFAULT)
        found = [
            group
            for (region, name), group in sorted(self._groups.items(), key=lambda item: item[0])
            if region == call.region and name.startswith(call.params.get("NamePrefix") or "")
        ]
        page, token = _page(found, call.params)
        return {"ScheduleGroups": [_shown_group(group) for group in page], **token}

    # -- tags (of groups; schedules have none) ----------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        group = self._tagged(call)
        group.tags.update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        group = self._tagged(call)
        for key in call.params["TagKeys"]:
            group.tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    # -- parts -------------------------------------------------------------------------------------

    def _checked(self, call: Call) -> dict[str, Any]:
        request = check_request(call.params, self.kernel.now)
        check_target(self.world, request["Target"])
        self._group(call.region, request["GroupName"])
        return request

    def _check_role(self, call: Call, request: dict[str, Any]) -> None:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html:
        the source of the request to assume the role is the schedule's group."""
        source = self._arn(call.region, f"schedule-group/{request['GroupName']}")
        role = request["Target"]["RoleArn"]
        if not self.world.identity.may_assume(role, "scheduler.amazonaws.com", source):
            raise invalid(
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            )

    def _completed(self, schedule: Schedule) -> None:
        key = (schedule.region, schedule.group, schedule.name)
        if schedule.request["ActionAfterCompletion"] == "DELETE" and self._schedules.get(key) is schedule:
            self._delete(schedule)

    def _delete(self, schedule: Schedule) -> None:
        self._clockwork.disarm(schedule)
        del self._schedules[schedule.region, schedule.group, schedule.name]

    def _find(self, call: Call) -> Schedule:
        name, group = call.params["Name"], call.params.get("GroupName") or DEFAULT
        self._group(call.region, group)
        found = self._schedules.get((call.region, group, name))
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)
        return found

    def _group(self, region: str, name: str) -> Group:
        found = self._groups.get((region, name))
        if found is None and name == DEFAULT:
            started = self.world.started
            found = Group(self._arn(region, "schedule-group/default"), DEFAULT, started, started)
            self._groups[region, DEFAULT] = found
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)
        return found

    def _tagged(self, call: Call) -> Group:
        kind, _, name = call.params["ResourceArn"].rpartition(":")[2].partition("/")
        if kind != "schedule-group":
            raise constraint(
                call.params["ResourceArn"],
                "resourceArn",
                r"satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:scheduler:[a-z0-9\-]+:\d{12}:"
                r"schedule-group\/[0-9a-zA-Z-_.]+$",
            )
        return self._group(call.region, name)

    def _arn(self, region: str, resource: str) -> str:
        return f"arn:aws:scheduler:{region}:{self.world.account}:{resource}"


def _shown_group(group: Group) -> dict[str, Any]:
    return {
        "Arn": group.arn,
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": moment(group.created),
        "LastModificationDate": moment(group.modified),
    }


def _page(found: Sequence[Any], params: dict[str, Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """One page, and NextToken if there are more (at most 100 a page)."""
    size = params.get("MaxResults") or 100
    if not 1 <= size <= 100:
        raise constraint(size, "maxResults", "have value between 1 and 100")
    page, token = page_of(found, params.get("NextToken"), size, lambda: invalid("Invalid NextToken."))
    return page, {"NextToken": token} if token else {}
