"""What AppConfig deploys, and where to: applications, environments, configuration profiles and versions.

https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...routes.paging import page_of
from ...service import Call, Service, ServiceError
from . import flags, validators
from .model import (
    FLAGS,
    FREEFORM,
    MAX_BYTES,
    Application,
    Environment,
    Profile,
    Version,
    bad,
    conflict,
    not_found,
)
from .sources import check_location, fetch

if TYPE_CHECKING:
    from ...world import World

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


_Thing = TypeVar("_Thing", Application, Environment, Profile)


class Resources(Service):
    """Kept by Region and id."""

    name = "appconfig"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._applications: dict[str, dict[str, Application]] = {}

    def new_id(self) -> str:
        rng = self.kernel.rng("appconfig.ids")
        return "".join(rng.choice(_ALPHABET) for _ in range(7))

    # -- applications ------------------------------------------------------------------------------------

    def CreateApplication(self, call: Call) -> dict[str, Any]:
        made = Application(self.new_id(), call.params["Name"], call.params.get("Description"))
        self._applications.setdefault(call.region, {})[made.id] = made
        return made.shown()

    def GetApplication(self, call: Call) -> dict[str, Any]:
        return self._application(call).shown()

    def ListApplications(self, call: Call) -> dict[str, Any]:
        return paged(call, [each.shown() for each in self._applications.get(call.region, {}).values()])

    def UpdateApplication(self, call: Call) -> dict[str, Any]:
        return _updated(self._application(call), call.params).shown()

    def DeleteApplication(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        if application.environments or application.profiles:
            raise bad("An application with environments or configuration profiles cannot be deleted.")
        del self._applications[call.region][application.id]
        return {}

    # -- environments ------------------------------------------------------------------------------------

    def CreateEnvironment(self, call: Call) -> dict[str, Any]:
        application, params = self._application(call), call.params
        made = Environment(
            self.new_id(), params["Name"], params.get("Description"), list(params.get("Monitors") or ())
        )
        application.environments[made.id] = made
        return made.shown(application.id)

    def GetEnvironment(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        return self._environment(application, call).shown(application.id)

    def ListEnvironments(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        return paged(call, [each.shown(application.id) for each in application.environments.values()])

    def UpdateEnvironment(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        environment = _updated(self._environment(application, call), call.params)
        if "Monitors" in call.params:
            environment.monitors = list(call.params["Monitors"])
        return environment.shown(application.id)

    def DeleteEnvironment(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        environment = self._environment(application, call)
        if environment.running is not None:
            raise bad("An environment with a deployment in progress cannot be deleted.")
        del application.environments[environment.id]
        return {}

    # -- configuration profiles --------------------------------------------------------------------------

    def CreateConfigurationProfile(self, call: Call) -> dict[str, Any]:
        application, params = self._application(call), call.params
        kind = params.get("Type", FREEFORM)
        if kind not in (FLAGS, FREEFORM):
            raise bad(f"Type {kind} is invalid: it is {FREEFORM} or {FLAGS}.")
        check_location(params["LocationUri"], params.get("RetrievalRoleArn"))
        if kind == FLAGS and params["LocationUri"] != "hosted":
            raise bad(f"A configuration profile of type {FLAGS} must be hosted.")
        made = Profile(
            self.new_id(),
            params["Name"],
            params["LocationUri"],
            kind,
            params.get("Description"),
            params.get("RetrievalRoleArn"),
            _checked_validators(params.get("Validators") or ()),
        )
        application.profiles[made.id] = made
        return made.shown(application.id)

    def GetConfigurationProfile(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        return self._profile(application, call).shown(application.id)

    def ListConfigurationProfiles(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        wanted = call.params.get("Type")
        shown = []
        for profile in application.profiles.values():
            if wanted in (None, profile.type):
                entry = profile.shown(application.id)
                kinds = [each["Type"] for each in profile.validators]
                members = {name: entry[name] for name in ("ApplicationId", "Id", "Name", "LocationUri")}
                shown.append(
                    {**members, **({"ValidatorTypes": kinds} if kinds else {}), "Type": profile.type}
                )
        return paged(call, shown)

    def UpdateConfigurationProfile(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        profile = _updated(self._profile(application, call), call.params)
        if "RetrievalRoleArn" in call.params:
            profile.role = call.params["RetrievalRoleArn"]
        if "Validators" in call.params:
            profile.validators = _checked_validators(call.params["Validators"])
        return profile.shown(application.id)

    def DeleteConfigurationProfile(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        profile = self._profile(application, call)
        del application.profiles[profile.id]
        return {}

    def ValidateConfiguration(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        profile = self._profile(application, call)
        version = call.params["ConfigurationVersion"]
        content, _, _ = fetch(self.world, profile, version, call.region)
        validators.validate(self.world, application.id, call.region, profile, version, content)
        return {}

    # -- hosted configuration versions -------------------------------------------------------------------

    def CreateHostedConfigurationVersion(self, call: Call) -> dict[str, Any]:
        application, params = self._application(call), call.params
        profile = self._profile(application, call)
        if profile.location != "hosted":
            raise bad("The configuration profile is not hosted.")
        content = _bytes(params["Content"])
        if len(content) > MAX_BYTES:
            raise ServiceError(
                "PayloadTooLargeException",
                f"The configuration has {len(content)} bytes; at most {MAX_BYTES} are allowed.",
                413,
                Measure="KILOBYTES",
                Limit=MAX_BYTES / 1024,
                Size=len(content) / 1024,
            )
        expected = params.get("LatestVersionNumber")
        if expected is not None and expected != profile.last_version:
            raise conflict(
                f"LatestVersionNumber is {expected}, but the latest version is {profile.last_version}."
            )
        label = params.get("VersionLabel")
        if label is not None and any(each.label == label for each in profile.versions.values()):
            raise conflict(f"There is a version with the label {label} already.")
        if profile.type == FLAGS:
            flags.checked(content)
        profile.last_version += 1
        made = Version(profile.last_version, content, params["ContentType"], params.get("Description"), label)
        profile.versions[made.number] = made
        return _shown_version(application, profile, made)

    def GetHostedConfigurationVersion(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        profile = self._profile(application, call)
        return _shown_version(application, profile, self._version(profile, call))

    def ListHostedConfigurationVersions(self, call: Call) -> dict[str, Any]:
        application = self._application(call)
        profile = self._profile(application, call)
        label = call.params.get("VersionLabel")
        shown = []
        for version in sorted(profile.versions.values(), key=lambda each: -each.number):
            if label in (None, version.label):
                entry = _shown_version(application, profile, version)
                del entry["Content"]
                shown.append(entry)
        return paged(call, shown)

    def DeleteHostedConfigurationVersion(self, call: Call) -> dict[str, Any]:
        profile = self._profile(self._application(call), call)
        del profile.versions[self._version(profile, call).number]
        return {}

    # -- finding -----------------------------------------------------------------------------------------

    def find(self, region: str, application: str, environment: str, profile: str) -> tuple[Any, Any, Any]:
        """By id or name, as the data plane takes them. Raises ResourceNotFoundException."""
        found = _by_name(self._applications.get(region, {}), "Application", application)
        return (
            found,
            _by_name(found.environments, "Environment", environment),
            _by_name(found.profiles, "ConfigurationProfile", profile),
        )

    def _application(self, call: Call) -> Application:
        known = self._applications.get(call.region, {})
        found: Application = _by_name(known, "Application", call.params["ApplicationId"])
        return found

    def _environment(self, application: Application, call: Call) -> Environment:
        found: Environment = _by_name(application.environments, "Environment", call.params["EnvironmentId"])
        return found

    def _profile(self, application: Application, call: Call) -> Profile:
        name = call.params["ConfigurationProfileId"]
        found: Profile = _by_name(application.profiles, "ConfigurationProfile", name)
        return found

    def _version(self, profile: Profile, call: Call) -> Version:
        number = call.params["VersionNumber"]
        if number not in profile.versions:
            raise not_found("HostedConfigurationVersion", number)
        return profile.versions[number]


def _by_name(known: Mapping[str, Any], kind: str, name: str) -> Any:
    """By id, or by name (names need not be unique; the first is meant)."""
    found = known.get(name) or next((each for each in known.values() if each.name == name), None)
    if found is None:
        raise not_found(kind, name)
    return found


def _updated(thing: _Thing, params: Mapping[str, Any]) -> _Thing:
    if "Name" in params:
        thing.name = params["Name"]
    if "Description" in params:
        thing.description = params["Description"]
    return thing


def _checked_validators(given: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    if len(given) > 2:
        raise bad("A configuration profile has at most 2 validators.")
    for each in given:
        if each["Type"] == "JSON_SCHEMA":
            validators.check_schema(each["Content"])
    return list(given)


def _bytes(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode()
    return bytes(content.read()) if hasattr(content, "read") else bytes(content)


def _shown_version(application: Application, profile: Profile, version: Version) -> dict[str, Any]:
    optional = {"Description": version.description, "VersionLabel": version.label}
    return {
        "ApplicationId": application.id,
        "ConfigurationProfileId": profile.id,
        "VersionNumber": version.number,
        "Content": version.content,
        "ContentType": version.content_type,
        **{name: value for name, value in optional.items() if value is not None},
    }


def paged(call: Call, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    size = call.params.get("MaxResults", 50)
    page, token = page_of(items, call.params.get("NextToken"), size, lambda: bad("NextToken is invalid."))
    return {"Items": page, **({"NextToken": token} if token else {})}
