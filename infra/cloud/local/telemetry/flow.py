"""Who delivered what to whom, counted from the journal.

Counts are of what goes over an arrow: messages, events, records, invocations, reads and writes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from infra.cloud.views.flow import Flow, Hop, Node

from ..cloudformation.stack import Stack
from ..journal import Entry, Journal
from .parties import NOTEBOOK, Party, caller, function_of, labels, logical_ids, of_arn

_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteTransaction"}
)
_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_DELIVERIES = {
    "sns.delivery": "messages",
    "events.delivery": "events",
    "scheduler.delivery": "invocations",
    "pipes.enrichment": "events",
    "pipes.delivery": "events",
    "s3.delivery": "events",
    "cloudwatch.delivery": "alarms",
    "codedeploy.delivery": "messages",
    "codedeploy.hook": "invocations",
    "logs.delivery": "log events",
}
_DEAD_LETTERS = frozenset({"sns.dead_letter", "events.dead_letter", "scheduler.dead_letter"})
_ASSETS = "workshop-assets-"
_OURS = ("notebook", "states", "apigateway")
"""Who acts for the application besides its functions."""


@dataclasses.dataclass(slots=True)
class _Counts:
    delivered: int = 0
    failed: int = 0
    filtered: int = 0


_Key = tuple[Party, Party, str, bool]


class _Counter:
    """Goes through the journal once, entry by entry."""

    def __init__(self, functions: frozenset[str], since: int) -> None:
        self._functions = functions
        self._since = since
        self._counting = True
        self.hops: dict[_Key, _Counts] = {}
        self.runs: dict[Party, list[int]] = {}
        """Party -> [runs, failed runs]."""
        self._unclaimed: list[Entry] = []
        """Events that entered a bus, and executions that started, whose caller the next entry tells."""
        self.apis: dict[str, Party] = {}
        """Trace -> the API that a request came to in it."""
        self.url_callers: dict[str, str] = {}
        """Trace -> the function that called a function URL in it."""
        self._machines: dict[str, list[Party]] = {}
        """Trace -> the state machines that run in it."""
        self._answered: dict[tuple[str, str], Entry] = {}
        """(Trace, function) -> its last run that somebody waited for: what the call got back."""
        self._kinds: dict[str, Callable[[Entry], None]] = {
            "sqs.sent": self._sent,
            "sqs.received": self._received,
            "sqs.moved": self._moved,
            "sns.published": self._published,
            "sns.filtered": self._filtered,
            "events.event": self._event,
            "events.put": self._claim,
            "states.started": self._started,
            "states.execution": self._ended,
            "kinesis.put": self._put_records,
            "esm.batch": self._batch,
            "esm.delivery": self._given_up,
            "lambda.invocation": self._ran,
            "lambda.throttle": self._throttled,
            "lambda.async.destination": self._destination,
            "http.request": self._http,
            "apigateway.request": self._requested,
            "httpapi.request": self._requested,
        }

    def read(self, entry: Entry) -> None:
        self._counting = entry.time >= self._since
        what = entry.what
        if self._unclaimed and entry.time > self._unclaimed[0].time:
            self._unclaimed_events()
        if what in self._kinds:
            self._kinds[what](entry)
        elif what in _DELIVERIES:
            self._delivery(entry)
        elif what in _DEAD_LETTERS:
            self._count(of_arn(entry.resource), of_arn(entry.data["to"]), "dead letters", entry, dead=True)
        elif what.startswith("api."):
            self._api(entry)

    def end(self) -> None:
        self._unclaimed_events()

    def _count(
        self,
        source: Party,
        target: Party,
        what: str,
        entry: Entry | None = None,
        *,
        delivered: int | None = None,
        failed: int | None = None,
        filtered: int = 0,
        dead: bool = False,
    ) -> None:
        """Add to an arrow; without numbers, one, by the entry's outcome."""
        if not self._counting:
            return
        ok = entry is None or entry.outcome == "ok"
        counts = self.hops.setdefault((source, target, what, dead), _Counts())
        counts.delivered += int(ok) if delivered is None else delivered
        counts.failed += int(not ok) if failed is None else failed
        counts.filtered += filtered

    # -- queues and topics -----------------------------------------------------------------------

    def _sent(self, entry: Entry) -> None:
        if entry.actor in self._functions or entry.actor in _OURS:
            count = len(entry.data["messages"])
            source = self._caller(entry)
            self._count(source, of_arn(entry.resource), "messages", delivered=count, failed=0)

    def _received(self, entry: Entry) -> None:
        if entry.actor == "notebook" and entry.data["messages"]:
            count = len(entry.data["messages"])
            self._count(of_arn(entry.resource), NOTEBOOK, "messages", delivered=count, failed=0)

    def _moved(self, entry: Entry) -> None:
        count = len(entry.data["messages"])
        target = of_arn(entry.data["to"])
        self._count(of_arn(entry.resource), target, "dead letters", delivered=count, failed=0, dead=True)

    def _published(self, entry: Entry) -> None:
        count = len(entry.data["messages"])
        self._count(self._caller(entry), of_arn(entry.resource), "messages", delivered=count, failed=0)

    def _filtered(self, entry: Entry) -> None:
        target = of_arn(entry.data["to"])
        self._count(of_arn(entry.resource), target, "messages", delivered=0, failed=0, filtered=1)

    def _delivery(self, entry: Entry) -> None:
        source, target = of_arn(entry.resource), of_arn(entry.data["to"])
        many = len(entry.data.get("ids", "1"))
        good = many if entry.outcome == "ok" else 0
        self._count(source, target, _DELIVERIES[entry.what], delivered=good, failed=many - good)

    # -- buses and state machines ----------------------------------------------------------------

    def _event(self, entry: Entry) -> None:
        if entry.data["rules"] or not entry.data["source"].startswith("aws."):
            self._unclaimed.append(entry)
        bus = of_arn(entry.resource)
        for rule in entry.data["rules"]:
            self._count(bus, Party("rule", _rule_of(bus, rule)), "events")

    def _started(self, entry: Entry) -> None:
        self._machines.setdefault(entry.trace, []).append(of_arn(entry.resource))
        self._unclaimed.append(entry)

    def _ended(self, entry: Entry) -> None:
        machine = of_arn(entry.resource)
        running = self._machines.get(entry.trace, [])
        if machine in running:
            running.remove(machine)
        self._run(machine, entry)

    def _claim(self, entry: Entry) -> None:
        """Whoever made the call at this instant sent them."""
        mine = [one for one in self._unclaimed if (one.time, one.trace) == (entry.time, entry.trace)]
        wanted = "events.event" if entry.what == "events.put" else "states.started"
        for one in mine:
            if one.what == wanted and not (wanted == "events.event" and one.actor.startswith("aws.")):
                self._unclaimed.remove(one)
                what = "events" if wanted == "events.event" else "executions"
                if entry.actor in self._functions or entry.actor in _OURS:
                    self._count(self._caller(entry, one), of_arn(one.resource), what)
        if entry.what == "events.put" and entry.data["failed"]:
            bus = Party("bus", "default")
            self._count(self._caller(entry), bus, "events", delivered=0, failed=entry.data["failed"])

    def _unclaimed_events(self) -> None:
        """Events of AWS services: nobody of ours put them."""
        for one in self._unclaimed:
            if one.what == "events.event":
                self._count(Party("caller", one.actor), of_arn(one.resource), "events")
        self._unclaimed.clear()

    # -- streams and mappings --------------------------------------------------------------------

    def _put_records(self, entry: Entry) -> None:
        good, bad = entry.data["records"], entry.data["throttled"]
        self._count(self._caller(entry), of_arn(entry.resource), "records", delivered=good, failed=bad)

    def _batch(self, entry: Entry) -> None:
        data = entry.data
        target = Party("pipe" if entry.actor == "pipes" else "function", data["function"])
        if "queue" in data:
            tried, bad, filtered = len(data["messages"]), len(data["failed"]), len(data["filtered"])
            source, what = of_arn(data["queue"]), "messages"
        else:
            tried, bad, filtered = data["records"], data["failed"], data["dropped"]
            source, what = of_arn(data["stream"]), "records"
        self._count(source, target, what, delivered=tried - bad, failed=bad, filtered=filtered)

    def _given_up(self, entry: Entry) -> None:
        source = Party("function", entry.data["function"])
        self._count(source, of_arn(entry.data["to"]), "dead letters", entry, dead=True)

    # -- functions -------------------------------------------------------------------------------

    def _ran(self, entry: Entry) -> None:
        function = Party("function", entry.resource)
        self._run(function, entry)
        if entry.actor in ("states", "apigateway"):
            self._count(self._caller(entry), function, "invocations", entry)
        elif entry.actor == "function-url":
            who = self.url_callers.get(entry.trace)
            source = NOTEBOOK if who is None else Party("function", who)
            self._count(source, function, "requests", entry)
        elif entry.actor == "api":
            self._answered[entry.trace, entry.resource] = entry

    def _throttled(self, entry: Entry) -> None:
        if entry.actor in ("states", "apigateway"):
            self._count(self._caller(entry), Party("function", entry.resource), "invocations", entry)

    def _destination(self, entry: Entry) -> None:
        source = Party("function", entry.resource)
        dead = entry.data["reason"] != "Success"
        what = "dead letters" if dead else "results"
        self._count(source, of_arn(entry.data["to"]), what, entry, dead=dead)

    def _http(self, entry: Entry) -> None:
        host = entry.resource.partition("//")[2].partition("/")[0]
        if ".execute-api." in host:
            return  # the API's own entry tells it
        if ".lambda-url." in host and entry.outcome in ("ok", "502"):
            return  # so does the function's
        if entry.actor == "apigateway":
            self._count(self._caller(entry), Party("endpoint", host), "requests", entry)
        elif entry.actor in self._functions:
            self._count(Party("function", entry.actor), Party("endpoint", host), "requests", entry)

    def _requested(self, entry: Entry) -> None:
        self._count(caller(entry.actor, self._functions), Party("API", entry.data["api"]), "requests", entry)

    def _run(self, party: Party, entry: Entry) -> None:
        if self._counting:
            runs = self.runs.setdefault(party, [0, 0])
            runs[0] += 1
            runs[1] += entry.outcome != "ok"

    # -- calls -----------------------------------------------------------------------------------

    def _api(self, entry: Entry) -> None:
        _, service, operation = entry.what.split(".", 2)
        actor = entry.actor
        if service == "stepfunctions" and operation in ("StartExecution", "StartSyncExecution"):
            self._claim(entry)
        if actor not in self._functions and actor not in _OURS:
            return
        if service == "dynamodb":
            self._table(entry, operation)
        elif service == "lambda" and operation == "Invoke" and actor not in ("states", "apigateway"):
            name = function_of(entry.resource)
            answer = self._answered.pop((entry.trace, name.name), entry)
            answer = answer if answer.time == entry.time and entry.outcome == "ok" else entry
            self._count(self._caller(entry), name, "invocations", answer)
        elif service == "s3" and operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
            if not entry.resource.startswith(_ASSETS):
                self._count(self._caller(entry), Party("bucket", entry.resource), "objects", entry)
        elif (
            entry.outcome != "ok"
            and entry.resource
            and operation in ("SendMessage", "SendMessageBatch", "Publish", "PublishBatch")
        ):
            self._count(self._caller(entry), of_arn(entry.resource), "messages", entry)

    def _table(self, entry: Entry, operation: str) -> None:
        writes = operation in _WRITES
        if not (writes or operation in _READS) or (entry.actor == "notebook" and not writes):
            return  # the notebook looks, to measure: that is no part of the application
        what = "writes" if writes else "reads"
        many = entry.data.get("tables") or {entry.resource: 1}
        ok = entry.outcome == "ok"
        for name, count in many.items():
            table = of_arn(name) if ":" in name else Party("table", name)
            if name:
                counts = (count, 0) if ok else (0, count)
                self._count(self._caller(entry), table, what, delivered=counts[0], failed=counts[1])

    def _caller(self, entry: Entry, started: Entry | None = None) -> Party:
        """Who made a call; for Step Functions, the state machine (not the one that the call started); for API
        Gateway, the API."""
        if entry.actor == "apigateway":
            return self.apis.get(entry.trace, Party("caller", "apigateway"))
        if entry.actor != "states":
            return caller(entry.actor, self._functions)
        running = self._machines.get(entry.trace, [])
        if started is not None:
            running = running[:-1]
        return running[-1] if running else Party("caller", "states")


def flow(journal: Journal, stacks: Iterable[Stack], since: int) -> Flow:
    """The flow of everything from a virtual time (microseconds) on."""
    functions = frozenset(entry.resource for entry in journal.select("lambda.environment.started"))
    counter = _Counter(functions, since)
    for entry in journal.select("apigateway.request", "httpapi.request"):
        counter.apis[entry.trace] = Party("API", entry.data["api"])
    for entry in journal.select("http.request"):
        if entry.actor in functions and ".lambda-url." in entry.resource:
            counter.url_callers[entry.trace] = entry.actor
    for entry in journal.entries:
        counter.read(entry)
    counter.end()
    parties = [party for source, target, _, _ in counter.hops for party in (source, target)]
    names = labels([*parties, *counter.runs], logical_ids(stacks))
    nodes = [Node(names[party], party.kind, *counter.runs.get(party, (0, 0))) for party in names]
    hops = [
        Hop(
            names[source],
            names[target],
            what,
            counts.delivered,
            counts.failed,
            counts.filtered,
            dead,
        )
        for (source, target, what, dead), counts in counter.hops.items()
    ]
    return Flow(nodes, hops)


def _rule_of(bus: Party, rule: str) -> str:
    """A rule's name in its ARN: the default bus is left out."""
    return rule if bus.name == "default" else f"{bus.name}/{rule}"
