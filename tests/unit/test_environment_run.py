"""One execution environment: init, invocations, and every way an invocation can end."""

# ruff: noqa: E501 - a handler is one string
from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.functions.environment import Environment, FunctionSpec, Outcome
from infra.cloud.local.functions.package import Package
from infra.cloud.local.kernel import MILLISECOND, SECOND
from infra.cloud.local.world import World

ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"
ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def world() -> Any:
    world = World(latency={"lambda.init": 200, "lambda.runtime_overhead": 1})
    yield world
    world.close()


def spec(source: str | dict[str, str], **changes: Any) -> FunctionSpec:
    files = {"app.py": source} if isinstance(source, str) else source
    values: dict[str, Any] = {
        "name": "worker",
        "arn": ARN,
        "version": "$LATEST",
        "handler": "app.handler",
        "memory_mb": 128,
        "timeout_us": 3 * SECOND,
        "env": {},
        "role": "arn:aws:iam::123456789012:role/worker",
        "package": Package.from_source(files),
        "log_group": "/aws/lambda/worker",
        "region": "us-east-1",
        "account": "123456789012",
    }
    return FunctionSpec(**{**values, **changes})


def make(world: World, source: str | dict[str, str], **changes: Any) -> Environment:
    return Environment(world, spec(source, **changes), 0)


def run(world: World, environment: Environment, event: Any = None, **more: Any) -> Outcome:
    """Invoke from a task, as the control plane does."""

    def invoke() -> Outcome:
        deadline = world.kernel.now + environment.spec.timeout_us
        payload = json.dumps(event or {}).encode()
        return environment.run(
            payload, request_id=ID, deadline_us=deadline, invoked_arn=ARN, trace="1-0-1", **more
        )

    outcome: Outcome = world.kernel.call(invoke, name="invoker")
    return outcome


def error(outcome: Outcome) -> Any:
    assert outcome.error == "Unhandled"
    return json.loads(outcome.payload)


def test_cold_then_warm(world: World) -> None:
    """Init is paid and logged once; globals survive; durations are virtual."""
    environment = make(
        world,
        "import time\ncalls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n"
        "    time.sleep(event['s'])\n    return {'calls': calls}\n",
    )
    first, second = run(world, environment, {"s": 0.5}), run(world, environment, {"s": 2})
    assert (first.payload, second.payload) == (b'{"calls": 1}', b'{"calls": 2}')
    assert (first.cold, first.init_us, first.duration_us, first.billed_ms) == (True, 200_000, 501_000, 701)
    assert (second.cold, second.init_us, second.duration_us, second.billed_ms) == (
        False,
        0,
        2_001_000,
        2001,
    )
    assert first.log[1:] == (
        f"START RequestId: {ID} Version: $LATEST\n",
        f"END RequestId: {ID}\n",
        f"REPORT RequestId: {ID}\tDuration: 501.00 ms\tBilled Duration: 701 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 85 MB\tInit Duration: 200.00 ms\t\n",
    )
    assert first.log[0].startswith(
        "INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn:aws:lambda:"
    )
    assert second.log_tail == (
        f"START RequestId: {ID} Version: $LATEST\nEND RequestId: {ID}\n"
        f"REPORT RequestId: {ID}\tDuration: 2001.00 ms\tBilled Duration: 2001 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 85 MB\t\n"
    )
    entries = [
        (entry.time - world.started, entry.duration, entry.outcome, entry.data["request_id"])
        for entry in world.journal.select("lambda.init", resource="worker")
    ]
    assert entries == [(200_000, 200_000, "ok", ID)]


def test_handler_error(world: World) -> None:
    """The payload has AWS's four keys and paths; the environment stays."""
    environment = make(
        world,
        {
            "app.py": "from lib import util\ndef handler(event, context):\n    return util.work()\n",
            "lib/util.py": "def work():\n    raise ValueError('no such order')\n",
        },
    )
    outcome = run(world, environment)
    assert error(outcome) == {
        "errorMessage": "no such order",
        "errorType": "ValueError",
        "requestId": ID,
        "stackTrace": [
            '  File "/var/task/app.py", line 3, in handler\n    return util.work()\n',
            "  File \"/var/task/lib/util.py\", line 2, in work\n    raise ValueError('no such order')\n",
        ],
    }
    assert outcome.alive
    assert outcome.error_type == "ValueError"
    assert outcome.log[2] == (
        "[ERROR] ValueError: no such order\nTraceback (most recent call last):\n"
        '\u00a0\u00a0File "/var/task/app.py", line 3, in handler\n\u00a0\u00a0\u00a0\u00a0return util.work()\n'
        '\u00a0\u00a0File "/var/task/lib/util.py", line 2, in work\n'
        "\u00a0\u00a0\u00a0\u00a0raise ValueError('no such order')"
    )


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message", "stack"),
    [
        (
            "import nope",
            "app.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'nope'",
            [],
        ),
        (
            "x = 1",
            "other.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'other': No module named 'other'",
            [],
        ),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'", []),
        (
            "x = 1",
            "app",
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
            [],
        ),
        (
            "x = 1",
            "sys.exit",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module sys as a handler module",
            [],
        ),
        (
            "1 / 0",
            "app.handler",
            "ZeroDivisionError",
            "division by zero",
            ['  File "/var/task/app.py", line 1, in <module>\n    1 / 0\n'],
        ),
        (
            "def f(:",
            "app.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': invalid syntax (app.py, line 1)",
            ['  File "/var/task/app.py" Line 1\n    def f(:\n'],
        ),
    ],
)
def test_init_errors(
    world: World, source: str, handler: str, kind: str, message: str, stack: list[str]
) -> None:
    """A failing init runs twice, as on AWS: once ahead, once within the invocation. Then the environment ends."""
    outcome = run(world, make(world, source, handler=handler))
    assert error(outcome) == {
        "errorMessage": message,
        "errorType": kind,
        "requestId": "",
        "stackTrace": stack,
    }
    assert (outcome.alive, outcome.init_us, outcome.duration_us, outcome.billed_ms) == (
        False,
        0,
        200_000,
        200,
    )
    assert [line for line in outcome.log if not line.startswith("[ERROR]")][1:] == [
        f"INIT_REPORT Init Duration: 200.00 ms\tPhase: init\tStatus: error\tError Type: {kind}\n",
        f"INIT_REPORT Init Duration: 200.00 ms\tPhase: invoke\tStatus: error\tError Type: {kind}\n",
        f"START RequestId: {ID} Version: $LATEST\n",
        f"END RequestId: {ID}\n",
        f"REPORT RequestId: {ID}\tDuration: 200.00 ms\tBilled Duration: 200 ms\tMemory Size: 128 MB\t"
        f"Max Memory Used: 85 MB\tStatus: error\tError Type: {kind}\n",
    ]
    assert [entry.outcome for entry in world.journal.select("lambda.init")] == [kind, kind]


def test_results(world: World) -> None:
    """JSON as the runtime writes it; what JSON cannot hold is Runtime.MarshalError."""
    source = (
        "import decimal, collections\nPair = collections.namedtuple('Pair', 'a b')\n"
        "def handler(event, context): return eval(event['value'])"
    )
    environment = make(world, source)
    for value, expected in {
        "{'ü': (1, decimal.Decimal('1.50'))}": '{"ü": [1, 1.50]}',
        "Pair(1, 2)": '{"a": 1, "b": 2}',
        "b'raw'": "raw",
        "None": "null",
    }.items():
        assert run(world, environment, {"value": value}).payload.decode() == expected
    assert error(run(world, environment, {"value": "{1}"})) == {
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "errorType": "Runtime.MarshalError",
        "requestId": ID,
        "stackTrace": [],
    }
    old = make(world, source, runtime="python3.11")
    assert run(world, old, {"value": "'ü'"}).payload == b'"\\u00fc"'


def test_response_too_large(world: World) -> None:
    environment = make(world, "def handler(event, context): return 'x' * event['n']")
    assert run(world, environment, {"n": 6_291_554}).error is None
    outcome = run(world, environment, {"n": 6_291_555})
    assert error(outcome) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def test_timeout(world: World) -> None:
    """At the deadline the handler is killed where it stands: what it still prints or calls is not heard."""
    environment = make(
        world,
        "import time\ndef handler(event, context):\n    print(context.get_remaining_time_in_millis())\n"
        "    try:\n        time.sleep(60)\n    finally:\n        print('cleaning up')\n        time.sleep(1)\n"
        "        print('done')\n",
    )
    outcome = run(world, environment)
    world.kernel.settle()
    assert error(outcome) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {ID} Error: Task timed out after 3.00 seconds",
    }
    assert (outcome.error_type, outcome.alive, outcome.duration_us) == ("Timeout", False, 3 * SECOND)
    assert outcome.log[2:] == (
        "2999\n",
        f"2026-01-05T09:00:03.200Z {ID} Task timed out after 3.00 seconds\n\n",
        f"END RequestId: {ID}\n",
        f"REPORT RequestId: {ID}\tDuration: 3000.00 ms\tBilled Duration: 3200 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 85 MB\tInit Duration: 200.00 ms\tStatus: timeout\n",
    )
    assert len(list(world.journal.select("logs.event"))) == len(outcome.log)


def test_init_over_ten_seconds(world: World) -> None:
    """After 10 s Lambda gives up, and runs the init again within the function's timeout."""
    source = "import time\ntime.sleep(11)\ndef handler(event, context): return 'ok'"
    slow = run(world, make(world, source, timeout_us=60 * SECOND))
    assert (slow.payload, slow.duration_us) == (b'"ok"', 11_201_000)
    assert slow.log[1] == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n"
    short = run(world, make(world, source, timeout_us=5 * SECOND))
    assert (short.error_type, short.duration_us, short.alive) == ("Timeout", 5 * SECOND, False)


def test_init_calls_count_as_init(world: World) -> None:
    """What module code waits for is part of the init phase."""
    outcome = run(world, make(world, "import time\ntime.sleep(2)\ndef handler(event, context): return 1"))
    assert (outcome.init_us, outcome.duration_us, outcome.billed_ms) == (2_200_000, 1_000, 2201)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("3", "Runtime exited with error: exit status 3"),
        ("0", "Runtime exited without providing a reason"),
        ("'bad configuration'", "Runtime exited with error: exit status 1"),
    ],
)
def test_exit(world: World, code: str, reason: str) -> None:
    outcome = run(world, make(world, f"import sys\ndef handler(event, context): sys.exit({code})"))
    assert error(outcome) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ID} Error: {reason}",
    }
    assert not outcome.alive
    assert f"RequestId: {ID} Error: {reason}\nRuntime.ExitError\n" in outcome.log


def test_kill(world: World) -> None:
    """A fault kills the environment in the middle: the invoker gets Runtime.ExitError at that instant."""
    environment = make(
        world, "import time\ndef handler(event, context):\n    time.sleep(2)\n    print('never')\n"
    )
    run_at = world.kernel.now
    world.kernel.call_at(run_at + 700 * MILLISECOND, environment.kill, "Killed")
    outcome = run(world, environment)
    world.kernel.settle()
    assert error(outcome) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ID} Error: Runtime exited with error: signal: killed",
    }
    assert (outcome.error_type, outcome.alive, outcome.duration_us) == ("Killed", False, 500_000)
    assert "never\n" not in outcome.log


def test_killed_during_init(world: World) -> None:
    environment = make(world, "def handler(event, context): return 1")
    world.kernel.call_at(world.kernel.now + 50 * MILLISECOND, environment.kill, "Killed")
    outcome = run(world, environment)
    assert (outcome.error_type, outcome.alive, outcome.init_us, outcome.duration_us) == (
        "Killed",
        False,
        0,
        0,
    )
    assert [entry.outcome for entry in world.journal.select("lambda.init")] == ["Killed"]


def test_initialize_ahead(world: World) -> None:
    """Provisioned concurrency: the init phase before any invocation, with its longer limit."""
    source = (
        "import os, time\ntime.sleep(60)\ndef handler(event, context):\n"
        "    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    )
    environment = Environment(world, spec(source), 0, "provisioned-concurrency")
    assert world.kernel.call(environment.initialize, name="provision") is None
    outcome = run(world, environment)
    assert (outcome.payload, outcome.cold, outcome.billed_ms) == (b'"provisioned-concurrency"', False, 1)
    failing = Environment(world, spec("import nope"), 1, "provisioned-concurrency")
    assert world.kernel.call(failing.initialize, name="provision") == "Runtime.ImportModuleError"


def test_bad_event(world: World) -> None:
    environment = make(world, "def handler(event, context): return event")

    def invoke(payload: bytes) -> Outcome:
        outcome: Outcome = world.kernel.call(
            lambda: environment.run(payload, request_id=ID, invoked_arn=ARN, trace=""), name="invoker"
        )
        return outcome

    assert invoke(b"").payload == b"{}"
    assert json.loads(invoke(b"{oops").payload)["errorType"] == "Runtime.UnmarshalError"


def test_concurrent_environments_interleave(world: World) -> None:
    """Ten environments that sleep a second together take a second."""
    source = "import time\ndef handler(event, context):\n    time.sleep(1)\n    return 1"
    environments = [Environment(world, spec(source), number) for number in range(10)]

    def burst() -> list[bytes]:
        tasks = [
            world.kernel.spawn(
                lambda one: one.run(b"{}", request_id=ID, invoked_arn=ARN, trace=""), environment, name="i"
            )
            for environment in environments
        ]
        return [world.kernel.join(task).payload for task in tasks]

    start = world.kernel.now
    assert world.kernel.call(burst, name="burst") == [b"1"] * 10
    assert world.kernel.now - start == 1_201_000
