"""User pools, their clients, domains, resource servers and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...routes.paging import page_of
from ...service import Call, NotSimulated, Service, ServiceError
from .model import DEFAULT_POLICY, Client, Group, Pool, invalid
from .tokens import Tokens

if TYPE_CHECKING:
    from ...world import World

_SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"
_MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DEFAULT_FLOWS = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
TRIGGERS = (
    "PostAuthentication",
    "PostConfirmation",
    "PreAuthentication",
    "PreSignUp",
    "PreTokenGeneration",
)
"""Lambda triggers that are simulated."""


class Pools(Service):
    name = "cognito-idp"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pools: dict[str, Pool] = {}
        self._ids = self.kernel.rng("cognito.ids")
        self.tokens = Tokens(world, self._pools)

    def _random(self, letters: str, length: int) -> str:
        return "".join(self._ids.choice(letters) for _ in range(length))

    # -- pools -----------------------------------------------------------------------------------------------

    def CreateUserPool(self, call: Call) -> dict[str, Any]:
        given = dict(call.params)
        if given.get("MfaConfiguration", "OFF") == "ON":
            raise NotSimulated(
                "NotSimulated: a user pool with MfaConfiguration ON - nobody receives a code here"
            )
        _check_triggers(given)
        identifier = f"{call.region}_{self._random(_MIXED, 9)}"
        arn = f"arn:aws:cognito-idp:{call.region}:{self.world.account}:userpool/{identifier}"
        pool = Pool(identifier, arn, call.region, given, self.world.datetime())
        self._pools[identifier] = pool
        self.tokens.publish(pool)
        return {"UserPool": self._shown(pool)}

    def DescribeUserPool(self, call: Call) -> dict[str, Any]:
        return {"UserPool": self._shown(self.pool(call))}

    def UpdateUserPool(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        given = {name: value for name, value in call.params.items() if name != "UserPoolId"}
        _check_triggers(given)
        pool.given.update(given)
        return {}

    def DeleteUserPool(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        if pool.domain is not None:
            raise invalid(
                "User pool cannot be deleted. It has a domain configured that should be deleted first."
            )
        if pool.given.get("DeletionProtection") == "ACTIVE":
            raise invalid(
                "The user pool cannot be deleted because deletion protection is activated. Deletion "
                "protection must "
                "be inactivated first."
            )
        del self._pools[pool.id]
        return {}

    def ListUserPools(self, call: Call) -> dict[str, Any]:
        dates = ("Id", "Name", "LambdaConfig", "CreationDate", "LastModifiedDate")
        found = [
            {name: value for name, value in self._shown(pool).items() if name in dates}
            for pool in self._pools.values()
            if pool.region == call.region
        ]
        return _page(call, "UserPools", found, call.params["MaxResults"])

    def pool(self, call: Call) -> Pool:
        identifier = call.params["UserPoolId"]
        found = self._pools.get(identifier)
        if found is None or found.region != call.region:
            raise ServiceError("ResourceNotFoundException", f"User pool {identifier} does not exist.")
        return found

    def policy(self, pool: Pool) -> dict[str, Any]:
        return {**DEFAULT_POLICY, **pool.given.get("Policies", {}).get("PasswordPolicy", {})}

    def _shown(self, pool: Pool) -> dict[str, Any]:
        given = {name: value for name, value in pool.given.items() if name not in ("PoolName", "Schema")}
        given.setdefault("LambdaConfig", {})
        given.setdefault("MfaConfiguration", "OFF")
        given["Policies"] = {**pool.given.get("Policies", {}), "PasswordPolicy": self.policy(pool)}
        return {
            "Id": pool.id,
            "Name": pool.given["PoolName"],
            "Arn": pool.arn,
            **given,
            "EstimatedNumberOfUsers": len(pool.users),
            "CreationDate": pool.created,
            "LastModifiedDate": pool.created,
            **({"Domain": pool.domain} if pool.domain else {}),
        }

    # -- clients ---------------------------------------------------------------------------------------------

    def CreateUserPoolClient(self, call: Call) -> dict[str, Any]:
        pool, given = self.pool(call), dict(call.params)
        secret = self._random(_SMALL, 52) if given.pop("GenerateSecret", False) else None
        given.setdefault("ExplicitAuthFlows", list(_DEFAULT_FLOWS))
        given.setdefault("RefreshTokenValidity", 30)
        given.setdefault("EnableTokenRevocation", True)
        client = Client(self._random(_SMALL, 26), given, self.world.datetime(), secret)
        pool.clients[client.id] = client
        return {"UserPoolClient": _client(client)}

    def DescribeUserPoolClient(self, call: Call) -> dict[str, Any]:
        return {"UserPoolClient": _client(self.client(self.pool(call), call.params["ClientId"]))}

    def UpdateUserPoolClient(self, call: Call) -> dict[str, Any]:
        client = self.client(self.pool(call), call.params["ClientId"])
        client.given.update({name: value for name, value in call.params.items() if name != "ClientId"})
        return {"UserPoolClient": _client(client)}

    def DeleteUserPoolClient(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        del pool.clients[self.client(pool, call.params["ClientId"]).id]
        return {}

    def ListUserPoolClients(self, call: Call) -> dict[str, Any]:
        names = ("ClientId", "ClientName", "UserPoolId")
        found = [
            {name: value for name, value in _client(client).items() if name in names}
            for client in self.pool(call).clients.values()
        ]
        return _page(call, "UserPoolClients", found, call.params.get("MaxResults", 60))

    def client(self, pool: Pool, identifier: str) -> Client:
        found = pool.clients.get(identifier)
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"User pool client {identifier} does not exist.")
        return found

    def of_client(self, identifier: str) -> tuple[Pool, Client]:
        """A client of whatever pool, as the calls without credentials name it."""
        for pool in self._pools.values():
            if identifier in pool.clients:
                return pool, pool.clients[identifier]
        raise ServiceError("ResourceNotFoundException", f"User pool client {identifier} does not exist.")

    # -- domains, resource servers -----------------------------------------------------------------------

    def CreateUserPoolDomain(self, call: Call) -> dict[str, Any]:
        pool, domain = self.pool(call), call.params["Domain"]
        if "CustomDomainConfig" in call.params:
            raise NotSimulated("NotSimulated: CreateUserPoolDomain with CustomDomainConfig")
        if any(each.domain == domain for each in self._pools.values()):
            raise invalid("Domain already associated with another user pool.")
        pool.domain = domain
        self.tokens.serve(pool, domain)
        return {}

    def DescribeUserPoolDomain(self, call: Call) -> dict[str, Any]:
        for pool in self._pools.values():
            if pool.domain == call.params["Domain"]:
                shown = {"UserPoolId": pool.id, "AWSAccountId": self.world.account, "Domain": pool.domain}
                return {"DomainDescription": {**shown, "Status": "ACTIVE"}}
        return {"DomainDescription": {}}

    def DeleteUserPoolDomain(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        if pool.domain != call.params["Domain"]:
            raise invalid("No such domain or user pool exists.")
        self.world.http.remove(f"{pool.domain}.auth.{pool.region}.amazoncognito.com")
        pool.domain = None
        return {}

    def CreateResourceServer(self, call: Call) -> dict[str, Any]:
        pool, given = self.pool(call), dict(call.params)
        if given["Identifier"] in pool.servers:
            raise invalid(f"{given['Identifier']} already exists in user pool {pool.id}.")
        pool.servers[given["Identifier"]] = given
        return {"ResourceServer": given}

    def DescribeResourceServer(self, call: Call) -> dict[str, Any]:
        return {"ResourceServer": self._server(call)}

    def UpdateResourceServer(self, call: Call) -> dict[str, Any]:
        server = self._server(call)
        server.update(call.params)
        return {"ResourceServer": server}

    def DeleteResourceServer(self, call: Call) -> dict[str, Any]:
        del self.pool(call).servers[self._server(call)["Identifier"]]
        return {}

    def _server(self, call: Call) -> dict[str, Any]:
        found = self.pool(call).servers.get(call.params["Identifier"])
        if found is None:
            raise ServiceError("ResourceNotFoundException", "Resource server does not exist.")
        return found

    # -- groups ------------------------------------------------------------------------------------------

    def CreateGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        given = {name: value for name, value in call.params.items() if name != "UserPoolId"}
        if given["GroupName"] in pool.groups:
            raise ServiceError("GroupExistsException", "A group with the name already exists")
        group = pool.groups[given["GroupName"]] = Group(given, self.world.datetime())
        return {"Group": group.shown(pool.id)}

    def GetGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        return {"Group": self.group(pool, call.params["GroupName"]).shown(pool.id)}

    def UpdateGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        group = self.group(pool, call.params["GroupName"])
        group.given.update({name: value for name, value in call.params.items() if name != "UserPoolId"})
        return {"Group": group.shown(pool.id)}

    def DeleteGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        self.group(pool, call.params["GroupName"])
        del pool.groups[call.params["GroupName"]]
        return {}

    def ListGroups(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        found = [group.shown(pool.id) for group in pool.groups.values()]
        return _page(call, "Groups", found, call.params.get("Limit", 60))

    def group(self, pool: Pool, name: str) -> Group:
        found = pool.groups.get(name)
        if found is None:
            raise ServiceError("ResourceNotFoundException", "Group not found.")
        return found


def _check_triggers(given: dict[str, Any]) -> None:
    wanted = given.get("LambdaConfig") or {}
    unknown = [name for name in wanted if name not in TRIGGERS and name != "PreTokenGenerationConfig"]
    version = (wanted.get("PreTokenGenerationConfig") or {}).get("LambdaVersion", "V1_0")
    if unknown or version != "V1_0":
        what = ", ".join(unknown) or f"PreTokenGenerationConfig {version}"
        raise NotSimulated(f"NotSimulated: the Lambda triggers {what} - simulated are {', '.join(TRIGGERS)}")


def _client(client: Client) -> dict[str, Any]:
    return {
        **client.given,
        "ClientId": client.id,
        **({"ClientSecret": client.secret} if client.secret else {}),
        "CreationDate": client.created,
        "LastModifiedDate": client.created,
    }


def _page(call: Call, name: str, found: Sequence[dict[str, Any]], size: int) -> dict[str, Any]:
    token = call.params.get("NextToken")
    page, more = page_of(found, token, size, lambda: invalid("Invalid pagination token"))
    return {name: page, **({"NextToken": more} if more else {})}
