"""AppConfig's data plane: sessions that poll for the latest configuration.

https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_Operations_AWS_AppConfig_Data.html: a token
is good for one call within 24 hours; the answer is empty if the client has the latest version already.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...kernel import SECOND
from ...service import Call, Service, ServiceError
from . import flags
from .model import FLAGS, Application, Deployment, Environment, Profile

if TYPE_CHECKING:
    from ...world import World
    from .service import AppConfig

_VALID = 24 * 3600 * SECOND
_DEFAULT_POLL_S = 60


@dataclasses.dataclass(slots=True)
class _Session:
    """``minimum`` is the poll interval that is enforced, in seconds; 0: none. ``last``: of the last poll."""

    client: str
    application: Application
    environment: Environment
    profile: Profile
    minimum: int
    last: int | None = None
    seen: bytes | None = None


class AppConfigData(Service):
    """The service ``appconfigdata``."""

    name = "appconfigdata"

    def __init__(self, world: World, control: AppConfig) -> None:
        super().__init__(world)
        self._control = control
        self._tokens: dict[str, tuple[_Session, int]] = {}
        self._ids = self.kernel.rng("appconfig.sessions")

    def StartConfigurationSession(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = self._control.find(
            call.region,
            params["ApplicationIdentifier"],
            params["EnvironmentIdentifier"],
            params["ConfigurationProfileIdentifier"],
        )
        minimum = params.get("RequiredMinimumPollIntervalInSeconds", 0)
        if "RequiredMinimumPollIntervalInSeconds" in params and not 15 <= minimum <= 86_400:
            raise ServiceError(
                "BadRequestException",
                f"RequiredMinimumPollIntervalInSeconds is {minimum}; it must be between 15 and 86400.",
            )
        session = _Session(uuid4(self._ids), *found, minimum)
        self._check(call, session)
        return {"InitialConfigurationToken": self._new_token(session)}

    def GetLatestConfiguration(self, call: Call) -> dict[str, Any]:
        token = call.params["ConfigurationToken"]
        known = self._tokens.get(token)
        if known is None:
            raise _refused("Request token is invalid", "Corrupted")
        session, made = known
        self._check(call, session)
        now = self.kernel.now
        if now > made + _VALID:
            raise _refused("Request token is expired", "Expired")
        if session.last is not None and now < session.last + session.minimum * SECOND:
            raise _refused("Request too early", "PollIntervalNotSatisfied")
        deployment = self._control.deployments.served(session.environment, session.profile.id, session.client)
        if deployment is None and session.environment.running is None:
            raise ServiceError(
                "ResourceNotFoundException",
                "There is no deployment of the configuration profile in the environment.",
                404,
                ResourceType="Deployment",
            )
        del self._tokens[token]
        session.last = now
        answer: dict[str, Any] = {
            "NextPollConfigurationToken": self._new_token(session),
            "NextPollIntervalInSeconds": session.minimum or _DEFAULT_POLL_S,
            "ContentType": "application/octet-stream" if deployment is None else deployment.content_type,
            "Configuration": b"",
        }
        if deployment is not None:
            content = _content(deployment)
            if content != session.seen:
                session.seen = content
                answer["Configuration"] = content
                if deployment.label is not None:
                    answer["VersionLabel"] = deployment.label
        return answer

    def _new_token(self, session: _Session) -> str:
        token = f"AYADe{uuid4(self._ids).replace('-', '')}"
        self._tokens[token] = (session, self.kernel.now)
        return token

    def _check(self, call: Call, session: _Session) -> None:
        """The permission is asked for the configuration, whose ids only the service knows.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsappconfig.html
        """
        resource = (
            f"arn:aws:appconfig:{call.region}:{self.world.account}:application/{session.application.id}"
            f"/environment/{session.environment.id}/configuration/{session.profile.id}"
        )
        self.world.identity.demand(
            call.caller, "appconfigdata", call.operation, f"appconfig:{call.operation}", resource, call.region
        )


def _content(deployment: Deployment) -> bytes:
    if deployment.profile.type == FLAGS:
        return flags.delivered(deployment.content)
    return deployment.content


def _refused(message: str, problem: str) -> ServiceError:
    details = {"InvalidParameters": {"ConfigurationToken": {"Problem": problem}}}
    return ServiceError("BadRequestException", message, 400, Reason="InvalidParameters", Details=details)
