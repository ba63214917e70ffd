"""Whose an access key is: what a signed request is checked against.

There are three kinds in a world: the notebook's (it may do everything), those of functions (one set for each
role) and those that ``sts:AssumeRole`` gave out.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from ..access.identity import user_arn
from ..functions.spec import role_credentials
from ..patches import ACCESS_KEY, SECRET_KEY
from ..service import Caller, NotSimulated

if TYPE_CHECKING:
    from ..world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """A set of keys and who goes by it: ``arn`` and ``user_id`` as GetCallerIdentity answers them.

    ``expires``: virtual microseconds, or None for never.
    """

    access_key: str
    secret: str
    token: str
    caller: Caller
    arn: str
    user_id: str
    expires: int | None = None

    def shown(self) -> dict[str, str | None]:
        """As a function finds it in ``requestContext.authorizer.iam``:
        https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""
        return {
            "accessKey": self.access_key,
            "accountId": self.arn.split(":")[4],
            "callerId": self.user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": self.arn,
            "userId": self.user_id,
        }


def find(world: World, access_key: str) -> Credentials | None:
    """The credentials with this access key; None if nobody has it. Keys of IAM users: NotSimulated."""
    if access_key == ACCESS_KEY:
        arn = f"arn:aws:iam::{world.account}:user/notebook"
        return Credentials(access_key, SECRET_KEY, "", Caller("notebook", "notebook"), arn, access_key)
    for function in world.functions.functions.values():
        for version in function.versions:
            role = version.configuration.role
            if role_credentials(role)[0] == access_key:
                return _of_function(world, role, function.name)
    return _assumed(world, access_key)


def _of_function(world: World, role: str, name: str) -> Credentials:
    """A role's functions share keys: the one that is running now, if it has that role, has signed."""
    task = world.kernel.current
    running = task.context if task is not None else None
    if isinstance(running, Caller) and running.role == role:
        name = running.name
    caller = Caller("function", name, role)
    identifier = world.identity.role_id(role)
    return Credentials(*role_credentials(role), caller, user_arn(caller), f"{identifier}:{name}")


def _assumed(world: World, access_key: str) -> Credentials | None:
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    backend: Any = sts_backends[world.account]["aws"]
    held = backend.get_assumed_role_from_access_key(access_key)
    if held is not None:
        caller = Caller("service", held.session_name, held.role_arn)
        expires = round(held.expiration.replace(tzinfo=datetime.UTC).timestamp() * 1_000_000)
        return Credentials(
            access_key, held.secret_access_key, held.session_token, caller, held.arn, held.user_id, expires
        )
    users: Any = iam_backends[world.account]["aws"]
    if users.get_user_from_access_key_id(access_key) is not None:
        raise NotSimulated(
            f"NotSimulated: a request signed with an IAM user's access key ({access_key}) - sign with the "
            "notebook's credentials, a function's, or those of sts:AssumeRole"
        )
    return None
