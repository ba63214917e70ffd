"""Sampling rules and sampling targets, as X-Ray's API has them.

https://docs.aws.amazon.com/xray/latest/api/API_CreateSamplingRule.html and its neighbours
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..routes.paging import page_of
from ..service import Call, NotSimulated, Service, ServiceError
from .xray_graph import moment
from .xray_sampling import DEFAULT, DEFAULT_RULE, Asked, Reservoirs, choose

if TYPE_CHECKING:
    from ..world import World

MAX_RULES = 25
"""Custom rules of an account and Region. https://docs.aws.amazon.com/general/latest/gr/xray.html"""
QUOTA_S = 300
"""How long a quota of the reservoir is good for."""
INTERVAL_S = 10
_UPDATABLE = ("FixedRate", "ReservoirSize")
"""What of the default rule can be changed."""
_IDENTITY = ("RuleName", "RuleARN")


def refused(message: str, code: str = "InvalidRequestException", status: int = 400) -> ServiceError:
    return ServiceError(code, message, status)


class SamplingRules(Service):
    """The rules by name. ``decide`` is asked by whoever begins a trace and follows them."""

    name = "xray"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reservoirs = Reservoirs(self.kernel.seed)
        self._rules: dict[str, dict[str, Any]] = {}
        self._times: dict[str, tuple[int, int]] = {}
        """Rule -> (created, modified), virtual µs."""
        self._modified = self.kernel.now
        self._tags: dict[str, dict[str, str]] = {}
        self._store({**DEFAULT_RULE, "RuleARN": self._rule_arn(DEFAULT)}, created=0)

    def decide(self, asked: Asked, trace: str) -> bool:
        """Is this request recorded?"""
        rule = choose(self._rules, asked)
        key = f"rule/{rule['RuleName']}"
        return self.reservoirs.decide(key, rule["ReservoirSize"], rule["FixedRate"], self.kernel.now, trace)

    def GetSamplingRules(self, call: Call) -> dict[str, Any]:
        names = sorted(self._rules, key=lambda name: (name != DEFAULT, name))
        page, token = page_of(names, call.params.get("NextToken"), 100, _bad_token)
        shown = {"SamplingRuleRecords": [self._record(name) for name in page]}
        return {**shown, "NextToken": token} if token else shown

    def CreateSamplingRule(self, call: Call) -> dict[str, Any]:
        rule = dict(call.params["SamplingRule"])
        _refuse_boost(rule)
        name = rule.get("RuleName")
        if not name:
            raise refused("RuleName is required in the SamplingRule")
        if "RuleARN" in rule:
            raise refused("RuleARN cannot be specified when creating a sampling rule")
        if rule["Version"] != 1:
            raise refused("Version must be 1")
        _check(rule)
        if name in self._rules:
            raise refused(f"Sampling rule {name} already exists")
        if len(self._rules) > MAX_RULES:
            raise refused(
                "The maximum number of sampling rules has been reached", "RuleLimitExceededException"
            )
        rule["RuleARN"] = self._rule_arn(name)
        rule.setdefault("Attributes", {})
        self._store(rule, created=self.kernel.now)
        self._tags[rule["RuleARN"]] = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
        return {"SamplingRuleRecord": self._record(name)}

    def UpdateSamplingRule(self, call: Call) -> dict[str, Any]:
        update = dict(call.params["SamplingRuleUpdate"])
        _refuse_boost(update)
        name = self._find(update)
        changes = {key: value for key, value in update.items() if key not in _IDENTITY}
        if name == DEFAULT and not set(changes) <= set(_UPDATABLE):
            raise refused("Only the fixed rate and the reservoir size of the default rule can be changed")
        _check(changes)
        self._store({**self._rules[name], **changes}, created=self._times[name][0])
        return {"SamplingRuleRecord": self._record(name)}

    def DeleteSamplingRule(self, call: Call) -> dict[str, Any]:
        name = self._find(call.params)
        if name == DEFAULT:
            raise refused("The default sampling rule cannot be deleted")
        record = self._record(name)
        del self._rules[name], self._times[name]
        self._modified = self.kernel.now
        return {"SamplingRuleRecord": record}

    def GetSamplingTargets(self, call: Call) -> dict[str, Any]:
        """Quotas for the clients that report: here each has the whole reservoir, as there is one client."""
        now = self.kernel.now / 1_000_000
        targets, unprocessed = [], []
        for report in call.params["SamplingStatisticsDocuments"]:
            rule = self._rules.get(report["RuleName"])
            if rule is None:
                name = report["RuleName"]
                problem = {"RuleName": name, "ErrorCode": "404", "Message": f"Sampling rule {name} not found"}
                unprocessed.append(problem)
                continue
            targets.append(
                {
                    "RuleName": rule["RuleName"],
                    "FixedRate": rule["FixedRate"],
                    "ReservoirQuota": rule["ReservoirSize"],
                    "ReservoirQuotaTTL": moment(now + QUOTA_S),
                    "Interval": INTERVAL_S,
                }
            )
        return {
            "SamplingTargetDocuments": targets,
            "LastRuleModification": moment(self._modified / 1_000_000),
            "UnprocessedStatistics": unprocessed,
        }

    # -- parts -----------------------------------------------------------------------------------

    def _rule_arn(self, name: str) -> str:
        return f"arn:aws:xray:{self.world.region}:{self.world.account}:sampling-rule/{name}"

    def _store(self, rule: dict[str, Any], *, created: int) -> None:
        self._rules[rule["RuleName"]] = rule
        self._times[rule["RuleName"]] = created, self.kernel.now
        self._modified = self.kernel.now

    def _find(self, params: dict[str, Any]) -> str:
        """The name of the rule that RuleName or RuleARN names; one of them, not both."""
        name, arn = params.get("RuleName"), params.get("RuleARN")
        if bool(name) == bool(arn):
            raise refused("Specify a rule by either name or ARN, but not both.")
        found = (
            name if name else next((key for key, rule in self._rules.items() if rule["RuleARN"] == arn), "")
        )
        if found not in self._rules:
            raise refused(f"Sampling rule {name or arn} does not exist")
        return str(found)

    def _record(self, name: str) -> dict[str, Any]:
        created, modified = self._times[name]
        return {
            "SamplingRule": dict(self._rules[name]),
            "CreatedAt": moment(created / 1_000_000),
            "ModifiedAt": moment(modified / 1_000_000),
        }


def _check(rule: dict[str, Any]) -> None:
    """The limits that botocore does not check of its own accord."""
    for member, lowest, highest in (
        ("Priority", 1, 9999),
        ("FixedRate", 0, 1),
        ("ReservoirSize", 0, 2**31 - 1),
    ):
        if member in rule and not lowest <= rule[member] <= highest:
            raise refused(f"{member} must be between {lowest} and {highest}, not {rule[member]}")


def _refuse_boost(rule: dict[str, Any]) -> None:
    if rule.get("SamplingRateBoost"):
        raise NotSimulated("NotSimulated: xray SamplingRateBoost - sampling is not boosted by anomalies")


def _bad_token() -> ServiceError:
    return refused("Invalid NextToken")
