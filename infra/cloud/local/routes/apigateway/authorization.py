"""May this request call this method: resource policies, IAM authorization, what an authorizer's policy says.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html: without
authentication the resource policy must allow; with IAM or an authorizer one of the two must, and a deny in
either wins.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...access.identity import user_arn
from ...access.policies import Context, Decision, Request, decide, parse
from ...kernel import SECOND
from ..credentials import Credentials
from ..http import HttpRequest
from ..signatures import Unsigned, verify
from .arriving import SOURCE_IP
from .model import Exchange, GatewayFailure
from .store import Snapshot

if TYPE_CHECKING:
    from ...world import World

ACTION = "execute-api:Invoke"
_EVERYTHING = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_SIGNATURE_KINDS = {
    "ExpiredTokenException": "EXPIRED_TOKEN",
    "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
}


def method_arn(exchange: Exchange) -> str:
    """The ARN of the method with the path that was asked for."""
    return (
        f"arn:aws:execute-api:{exchange.region}:{exchange.account}:{exchange.api}/{exchange.stage}/"
        f"{exchange.request.method}{exchange.request.path}"
    )


def conditions(exchange: Exchange, now: int) -> dict[str, Any]:
    """The condition keys that a request to an API carries, without those of a signed one (``now`` in µs).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-aws-condition-keys.html
    """
    moment = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC)
    keys: dict[str, Any] = {
        "aws:currenttime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(now // SECOND),
        "aws:requestedregion": exchange.region,
        "aws:securetransport": "true",
        "aws:sourceip": SOURCE_IP,
    }
    agent = exchange.context["identity"]["userAgent"]
    if agent:
        keys["aws:useragent"] = agent
    return keys


def check_anonymous(snapshot: Snapshot, exchange: Exchange, now: int) -> None:
    """A method without authorization: an API without a policy is open. Raises GatewayFailure."""
    policy = snapshot.settings.get("policy")
    if not policy:
        return
    decision = _ask(policy, exchange, conditions(exchange, now), _NOBODY)
    if not decision.allowed:
        raise _refused("anonymous", exchange, decision, "resource-based")


def check_denied(snapshot: Snapshot, exchange: Exchange, now: int) -> None:
    """Before a Lambda authorizer is called, what the resource policy denies is denied."""
    policy = snapshot.settings.get("policy")
    if policy:
        decision = _ask(policy, exchange, conditions(exchange, now), _NOBODY)
        if "explicit deny" in decision.reason:
            raise _refused("anonymous", exchange, decision, "resource-based")


def check_iam(world: World, snapshot: Snapshot, exchange: Exchange, request: HttpRequest) -> Exchange:
    """A signed request; adds its signer and ``$context.identity``. Raises GatewayFailure."""
    try:
        signed = verify(world, request, "execute-api")
    except Unsigned as error:
        kind = _SIGNATURE_KINDS.get(error.code, "INVALID_SIGNATURE")
        raise GatewayFailure(kind, error.message, error_type=error.code) from None
    policy = snapshot.settings.get("policy")
    keys = conditions(exchange, world.kernel.now)
    if signed.caller.role is None:
        keys |= {"aws:principalarn": signed.arn, "aws:principalaccount": exchange.account}
        decision = _ask(policy, exchange, keys, _EVERYTHING, (signed.arn,))
    else:
        decision = world.identity.may_with(
            signed.caller, ACTION, method_arn(exchange), keys, exchange.region, policy
        )
    if not decision.allowed:
        raise _refused(signed.arn, exchange, decision, "identity-based")
    identity = {**exchange.context["identity"], **_identity(signed)}
    context = {**exchange.context, "identity": identity}
    return dataclasses.replace(exchange, context=context, signer=signed.caller)


def may_invalidate(world: World, snapshot: Snapshot, exchange: Exchange) -> bool:
    """May the caller have an entry of the cache replaced? Only who signs can be allowed to.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html#invalidate-method-caching
    """
    signer = exchange.signer
    if signer is None or signer.role is None:
        return signer is not None
    keys, policy = conditions(exchange, world.kernel.now), snapshot.settings.get("policy")
    where = method_arn(exchange)
    action = "execute-api:InvalidateCache"
    return world.identity.may_with(signer, action, where, keys, exchange.region, policy).allowed


def check_policy(snapshot: Snapshot, exchange: Exchange, document: Mapping[str, Any], now: int) -> None:
    """The policy document that a Lambda authorizer returned, together with the API's own."""
    keys = conditions(exchange, now)
    decision = _ask(snapshot.settings.get("policy"), exchange, keys, json.dumps(document))
    if not decision.allowed:
        said = f"User is not authorized to access this resource {decision.reason}"
        raise GatewayFailure("ACCESS_DENIED", said)


_NOBODY = '{"Statement": []}'


def _ask(
    policy: str | None, exchange: Exchange, keys: Context, identity: str, principals: tuple[str, ...] = ()
) -> Decision:
    asked = Request(ACTION, method_arn(exchange), keys, principals)
    return decide(asked, parse(identity), None, parse(policy) if policy else ())


def _refused(user: str, exchange: Exchange, decision: Decision, kind: str) -> GatewayFailure:
    """The account in the ARN is masked but for its last four digits, as measured on AWS."""
    masked = method_arn(exchange).replace(f":{exchange.account}:", f":********{exchange.account[-4:]}:", 1)
    reason = decision.reason.replace("no identity-based policy", f"no {kind} policy")
    said = f"User: {user} is not authorized to perform: {ACTION} on resource: {masked} {reason}"
    return GatewayFailure("ACCESS_DENIED", said)


def _identity(signed: Credentials) -> dict[str, Any]:
    return {
        "accessKey": signed.access_key,
        "accountId": signed.arn.split(":")[4],
        "caller": signed.user_id,
        "user": signed.user_id,
        "userArn": signed.arn if signed.caller.role is None else user_arn(signed.caller),
    }


def incomplete_signature(header: str) -> GatewayFailure:
    """An Authorization header that is no signature, where one was expected."""
    digest = base64.b64encode(hashlib.sha256(header.encode("utf-8", "surrogateescape")).digest()).decode()
    said = (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and "
        f"encoded with Base64): '{digest}'."
    )
    return GatewayFailure("INVALID_SIGNATURE", said, error_type="IncompleteSignatureException")
