"""What is private to an environment, what is shared, and that nothing leaks out of it."""

# ruff: noqa: E501 - a handler is one string
from __future__ import annotations

import gc
import json
import logging
import os
import random
import sys
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.functions.environment import Environment, Outcome
from infra.cloud.local.functions.package import Package
from infra.cloud.local.world import World

from .test_environment_run import ARN, ID, error, make, run, spec


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    yield world
    world.close()


def value(outcome: Outcome) -> Any:
    assert outcome.error is None, outcome.payload
    return json.loads(outcome.payload)


def lines(outcome: Outcome) -> list[str]:
    """What the function itself logged."""
    platform = ("INIT_START", "START", "END", "REPORT")
    return [line for line in outcome.log if not line.startswith(platform)]


def test_modules_are_private(world: World) -> None:
    """Two environments of one function, and one of another with equal names, each have their own modules."""
    counter = {
        "app.py": "import state\ndef handler(event, context):\n    state.n += 1\n    return state.n\n",
        "state.py": "n = 0",
    }
    one, two = make(world, counter), make(world, counter)
    other = make(world, {**counter, "state.py": "n = 100"})
    assert [value(run(world, each)) for each in (one, one, two, other, one)] == [1, 2, 1, 101, 3]
    assert "app" not in sys.modules
    assert "state" not in sys.modules


def test_a_module_of_the_process_is_hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler's module wins over one of the same name that the notebook has imported, and only inside."""
    outside = type(sys)("app")
    monkeypatch.setitem(sys.modules, "app", outside)
    monkeypatch.setitem(sys.modules, "queue", sys.modules["json"])
    environment = make(
        world,
        {
            "app.py": "import sys, queue, tests\n"
            "def handler(event, context): return [queue.NAME, tests.__name__, sys.modules[__name__].__file__[-6:]]",
            "queue.py": "NAME = 'mine'",
        },
    )
    assert value(run(world, environment)) == ["mine", "tests", "app.py"]
    assert sys.modules["app"] is outside
    assert sys.modules["queue"] is sys.modules["json"]


def test_imports_inside_the_handler(world: World) -> None:
    """Lazy, relative, dynamic and namespace imports work across waits and on later invocations."""
    environment = make(
        world,
        {
            "app.py": "import time, importlib\ndef handler(event, context):\n    time.sleep(1)\n"
            "    from space.deep import inner\n    time.sleep(1)\n    from space.deep import inner as again\n"
            "    return [inner.who(), inner is again, importlib.import_module('helpers.late').x]\n",
            "space/deep/inner.py": "from .. import deep\nfrom . import names\ndef who(): return names.NAME",
            "space/deep/names.py": "NAME = __name__",
            "helpers/__init__.py": "",
            "helpers/late.py": "x = 7",
        },
    )
    assert value(run(world, environment)) == ["space.deep.names", True, 7]
    assert value(run(world, environment)) == ["space.deep.names", True, 7]


def test_layers(world: World) -> None:
    """Layers lie under /opt: behind the function's own files, a later one before an earlier one."""
    lower = Package.from_source({"python/common.py": "who = 'lower'", "python/only.py": "who = 'only'"})
    upper = Package.from_source({"python/common.py": "who = 'upper'", "python/app.py": "nobody = 1"})
    source = "import common, only\ndef fail(): raise KeyError\ndef handler(event, context): return common.who, only.who"
    assert value(run(world, make(world, source, layers=(lower, upper)))) == ["upper", "only"]


def test_shared_libraries_see_nothing_private(world: World, tmp_path: Any, monkeypatch: Any) -> None:
    """A library that is first imported by a handler gets the process's own modules, and stays for everybody."""
    (tmp_path / "shared_library.py").write_text(
        "import logging, random, os\nroot = logging.root\nLOGGER = logging.getLogger('shared_library')\n"
        "def variables(): return dict(os.environ)\nat_import = variables()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = make(
        world,
        "import shared_library, random, logging\ndef handler(event, context):\n"
        "    return [shared_library.random is random, shared_library.root is logging.root,\n"
        "            'AWS_LAMBDA_FUNCTION_NAME' in shared_library.at_import,\n"
        "            'AWS_LAMBDA_FUNCTION_NAME' in shared_library.variables()]",
    )
    assert value(run(world, environment)) == [False, False, False, True]
    library = sys.modules.pop("shared_library")
    assert library.random is random
    assert library.LOGGER is logging.getLogger("shared_library")


def test_environment_variables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's own and Lambda's reserved ones; nothing of the notebook's; writes stay inside."""
    monkeypatch.setenv("NOTEBOOK_SECRET", "1")
    environment = make(
        world,
        "import os\ndef handler(event, context):\n    os.environ['N'] = str(int(os.environ['N']) + 1)\n"
        "    return dict(os.environ)\n",
        env={"N": "1"},
    )
    first, second = value(run(world, environment)), value(run(world, environment))
    assert (first["N"], second["N"]) == ("2", "3")
    assert "NOTEBOOK_SECRET" not in first
    assert "N" not in os.environ
    expected = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/worker",
        "AWS_LAMBDA_LOG_STREAM_NAME": environment.log_stream,
        "AWS_REGION": "us-east-1",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
        "_X_AMZN_TRACE_ID": f"Root=1-0-1;Parent={environment.id[:16]};Sampled=0",
    }
    assert {name: first.get(name) for name in expected} == expected
    assert environment.log_stream == f"2026/01/05/[$LATEST]{environment.id}"


def test_files_beside_the_code(world: World) -> None:
    environment = make(
        world,
        {
            "app.py": "import os, pathlib\ndef handler(event, context):\n"
            "    path = os.path.join(os.environ['LAMBDA_TASK_ROOT'], 'data.txt')\n"
            "    return [open(path).read(), (pathlib.Path(__file__).parent / 'data.txt').read_text()]\n",
            "data.txt": "42",
        },
    )
    assert value(run(world, environment)) == ["42", "42"]


def test_printing(world: World) -> None:
    """One event per printed line; a rest without end of line comes at the end."""
    environment = make(
        world,
        "import sys\ndef handler(event, context):\n    print('a', 1)\n    print('b\\nc', end='')\n"
        "    sys.stderr.write('d\\n')\n    print('rest', end='')\n",
    )
    outcome = run(world, environment)
    assert lines(outcome) == ["a 1\n", "b\n", "cd\n", "rest"]
    entries = [
        (entry.resource, entry.data["message"], entry.data.get("request_id"), entry.data["stream"])
        for entry in world.journal.select("logs.event")
    ][1:3]
    assert entries == [
        ("/aws/lambda/worker", f"START RequestId: {ID} Version: $LATEST\n", ID, environment.log_stream),
        ("/aws/lambda/worker", "a 1\n", ID, environment.log_stream),
    ]


def test_logging_as_text(world: World) -> None:
    """Root at WARNING, Lambda's line format, and one event per record."""
    environment = make(
        world,
        "import logging\nlogging.warning('at init')\ndef handler(event, context):\n"
        "    logging.info('hidden')\n    logging.getLogger('x').error('two\\nlines')\n"
        "    try: 1 / 0\n    except ZeroDivisionError: logging.exception('bad')\n",
    )
    shown = lines(run(world, environment))
    assert shown[0] == "[WARNING]\t2026-01-05T09:00:00.000Z\t\tat init\n"
    assert shown[1] == f"[ERROR]\t2026-01-05T09:00:00.000Z\t{ID}\ttwo\nlines\n"
    assert shown[2].startswith(
        f"[ERROR]\t2026-01-05T09:00:00.000Z\t{ID}\tbad\nTraceback (most recent call last):\n"
        '  File "/var/task/app.py", line 6, in handler\n    try: 1 / 0\n'
    )
    assert len(shown) == 3


def test_logging_as_json(world: World) -> None:
    environment = make(
        world,
        "import logging\ndef handler(event, context):\n    logging.debug('hidden')\n"
        "    logging.getLogger('x').info('hi %s', 'ü', extra={'order': 7})\n    raise ValueError('no')\n",
        log_format="JSON",
    )
    outcome = run(world, environment)
    shown = [json.loads(line) for line in outcome.log]
    assert [entry.get("type") for entry in shown] == [
        "platform.initStart",
        "platform.start",
        None,
        None,
        "platform.report",
    ]
    assert shown[2] == {
        "timestamp": "2026-01-05T09:00:00.000Z",
        "level": "INFO",
        "message": "hi ü",
        "logger": "x",
        "requestId": ID,
        "order": 7,
    }
    assert shown[3]["errorType"] == "ValueError"
    assert shown[3]["level"] == "ERROR"
    assert shown[4]["record"]["metrics"] == {
        "durationMs": 0.0,
        "billedDurationMs": 0,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 85,
    }


def test_logging_does_not_leak(world: World) -> None:
    """Levels, handlers, factories, even logging.disable and dictConfig, end at the environment's border."""
    handlers = list(logging.getLogger().handlers)
    known = len(logging._handlerList)  # type: ignore[attr-defined]
    loud = make(
        world,
        "import logging, logging.config\nlogging.config.dictConfig({'version': 1, 'root': {'level': 'DEBUG'}})\n"
        "logging.setLogRecordFactory(lambda *a, **k: logging.LogRecord(*a, **k))\n"
        "logging.disable(logging.INFO)\n"
        "def handler(event, context): return [logging.getLogger().level, logging.root.manager.disable]",
    )
    quiet = make(
        world,
        "import logging\ndef handler(event, context): return [logging.getLogger().level, logging.root.manager.disable]",
    )
    assert value(run(world, loud)) == [10, 20]
    assert value(run(world, quiet)) == [30, 0]
    assert logging.getLogger().handlers == handlers
    assert logging.root.manager.disable == 0
    assert logging.getLogRecordFactory() is logging.LogRecord
    assert len(logging._handlerList) <= known + 2  # type: ignore[attr-defined]


POWERTOOLS = """
import os
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
logger = Logger(service=os.environ["SERVICE"], level="INFO")
metrics = Metrics(namespace="orders", service=os.environ["SERVICE"])
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    logger.info("hello")
    metrics.add_metric("Handled", MetricUnit.Count, 1)
"""


def test_powertools_state_is_private(world: World) -> None:
    """Each environment has its own cold start flag, keys and metric set."""

    def shown(environment: Environment) -> list[Any]:
        records = [json.loads(line) for line in lines(run(world, environment))]
        log = next(record for record in records if "message" in record)
        names = [
            metric["Name"]
            for record in records
            if "_aws" in record
            for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        ]
        return [log["service"], log["cold_start"], log["timestamp"], sorted(names)]

    one = make(world, POWERTOOLS, env={"SERVICE": "one"})
    two = make(world, POWERTOOLS, env={"SERVICE": "two"})
    cold = ["ColdStart", "Handled"]
    assert shown(one) == ["one", True, "2026-01-05 09:00:00,000+0000", cold]
    assert shown(two) == ["two", True, "2026-01-05 09:00:00,000+0000", cold]
    assert shown(one) == ["one", False, "2026-01-05 09:00:00,000+0000", ["Handled"]]


def test_powertools_batch_and_import_forms(world: World) -> None:
    environment = make(
        world,
        "import time\nimport aws_lambda_powertools.utilities.batch as batch\nimport aws_lambda_powertools\n"
        "from aws_lambda_powertools.utilities import data_classes\n"
        "processor = batch.BatchProcessor(event_type=batch.EventType.SQS)\n"
        "def handle(record):\n    time.sleep(1)\n    if record.body == 'bad': raise ValueError('bad')\n"
        "def handler(event, context):\n"
        "    from aws_lambda_powertools.utilities.batch import process_partial_response\n"
        "    assert aws_lambda_powertools.utilities.batch.EventType is batch.EventType\n"
        "    return process_partial_response(event=event, record_handler=handle,\n"
        "        processor=processor, context=context)\n",
        timeout_us=60_000_000,
    )
    records = [
        {"messageId": name, "body": name, "eventSource": "aws:sqs", "receiptHandle": name}
        for name in ("good", "bad")
    ]
    answer = value(run(world, environment, {"Records": records}))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_entropy_comes_from_the_seed() -> None:
    """random, uuid4, secrets and os.urandom: equal for equal seeds, different for each environment."""
    source = (
        "import os, random, secrets, uuid\nrng = random.Random()\ndef handler(event, context):\n"
        "    return [random.random(), rng.random(), random.Random(1).random(), str(uuid.uuid4()), str(uuid.uuid1()),\n"
        "            secrets.token_hex(4), os.urandom(4).hex(), random.SystemRandom().random()]\n"
    )

    def draw(seed: int) -> list[Any]:
        world = World(seed=seed)
        try:
            return [value(run(world, make(world, source))) for _ in range(2)]
        finally:
            world.close()

    first, other = draw(1), draw(2)
    assert first == draw(1)
    assert first[0][0] != first[1][0] != other[0][0]
    assert first[0][2] == random.Random(1).random()
    assert len({draws[index] for draws in first for index in (3, 5, 6)}) == 6


def test_entropy_outside_is_real(world: World) -> None:
    assert uuid.uuid4() != uuid.uuid4()
    state = random.getstate()
    run(
        world,
        make(world, "import random\ndef handler(event, context): random.seed(1); return random.random()"),
    )
    assert random.getstate() == state


def test_asyncio(world: World) -> None:
    """asyncio.run in virtual time: tasks interleave at their timers, and timeouts fire."""
    environment = make(
        world,
        "import asyncio, time\nasync def one(seconds):\n    await asyncio.sleep(seconds)\n    return time.time()\n"
        "async def main():\n    start = time.time()\n    times = await asyncio.gather(one(1), one(0.25))\n"
        "    try:\n        await asyncio.wait_for(asyncio.Event().wait(), 0.5)\n"
        "    except asyncio.TimeoutError:\n        times.append(time.time())\n"
        "    return [round(t - start, 6) for t in times]\n"
        "def handler(event, context): return asyncio.run(main())\n",
    )
    assert value(run(world, environment)) == [1.0, 0.25, 1.5]
    assert value(run(world, environment)) == [1.0, 0.25, 1.5]


def test_asyncio_under_a_running_loop(world: World) -> None:
    """In Jupyter a loop is running already; the handler does not see it, and it is there again afterwards."""
    import asyncio

    environment = make(
        world,
        "import asyncio\nasync def main():\n    await asyncio.sleep(1)\n    return 'done'\n"
        "def handler(event, context): return asyncio.run(main())\n",
    )

    async def cell() -> Any:
        before = asyncio.get_running_loop()
        answer = value(run(world, environment))
        assert asyncio.get_running_loop() is before
        return answer

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(cell()) == "done"
    finally:
        loop.close()


def test_threads_are_refused(world: World) -> None:
    environment = make(
        world,
        "import concurrent.futures\ndef handler(event, context):\n"
        "    with concurrent.futures.ThreadPoolExecutor() as pool: return list(pool.map(str, [1]))\n",
    )
    told = error(run(world, environment))
    assert told["errorType"] == "NotSimulated"
    assert told["errorMessage"].startswith("NotSimulated: a handler started the thread 'ThreadPoolExecutor")


def test_local_time_is_utc(world: World) -> None:
    source = "import datetime, time\ndef handler(event, context): return [str(datetime.datetime.now()), time.localtime()[3]]"
    assert value(run(world, make(world, source))) == ["2026-01-05 09:00:00", 9]


def test_context(world: World) -> None:
    environment = make(
        world,
        "def handler(event, context):\n    return [repr(context), context.client_context.custom, "
        "context.client_context.client.app_title,\n            context.identity.cognito_identity_id, context.tenant_id,"
        " context.get_remaining_time_in_millis()]\n",
    )
    client = {"custom": {"k": "v"}, "client": {"app_title": "shop"}}
    identity = {"cognitoIdentityId": "me"}
    shown = value(run(world, environment, client_context=client, identity=identity))
    assert shown[1:] == [{"k": "v"}, "shop", "me", None, 3000]
    assert shown[0].startswith(
        f"LambdaContext([aws_request_id={ID},log_group_name=/aws/lambda/worker,"
        f"log_stream_name={environment.log_stream},function_name=worker,memory_limit_in_mb=128,"
        f"function_version=$LATEST,invoked_function_arn={ARN},client_context=ClientContext([custom={{'k': 'v'}},"
    )


def test_tracebacks_hide_the_simulation(world: World) -> None:
    """A failing boto3 call shows botocore's frames under AWS's paths; no path of this machine is journaled."""
    environment = make(
        world,
        "import boto3, logging\ndef call(): boto3.client('dynamodb').describe_table(TableName='missing')\n"
        "def handler(event, context):\n    try: call()\n    except Exception: logging.exception('bad')\n    call()\n",
    )
    outcome = run(world, environment)
    stack = error(outcome)["stackTrace"]
    assert [frame.split('"')[1] for frame in stack][:3] == [
        "/var/task/app.py",
        "/var/task/app.py",
        "/var/lang/lib/python3.12/site-packages/botocore/client.py",
    ]
    everything = "".join(outcome.log) + outcome.payload.decode()
    assert os.getcwd() not in everything
    assert sys.prefix not in everything


def test_two_functions_with_one_file_name(world: World) -> None:
    """Both are /var/task/app.py; each traceback shows its own source."""
    one = make(world, "def handler(event, context): raise KeyError('one')")
    two = make(world, "def handler(event, context): raise KeyError('two')")
    for environment, name in ((one, "one"), (two, "two"), (one, "one")):
        assert f"raise KeyError('{name}')" in error(run(world, environment))["stackTrace"][0]


def test_closing_frees_the_modules(world: World) -> None:
    """An environment that has ended leaves no module behind."""
    source = "class Marker: pass\nmarker = Marker()\ndef handler(event, context): return 1"
    package = spec(source).package
    environments = [make(world, source) for _ in range(3)]
    for environment in environments:
        run(world, environment)
        environment.close()
        environment.close()
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing).__name__ == "Marker"]
    assert package.modules().find("app") is not None


def test_packages() -> None:
    one = Package.from_source({"app.py": "x = 1"})
    assert Package.from_source({"app.py": "x = 1"}) is one
    assert (len(one.sha256), one.sha256[-1], one.size) == (44, "=", 115)
    with pytest.raises(ValueError, match="Could not unzip uploaded file"):
        Package.from_zip(b"not a zip")
    with pytest.raises(ValueError, match="outside of its own folder"):
        Package.from_source({"../app.py": ""})


def test_a_traceback_reads_the_same_on_every_version_of_python(world: World) -> None:
    """Python underlines the failing part of a line, each version in its own way."""
    handler = (
        "import traceback\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        return {}['missing'] + event['n']\n"
        "    except KeyError:\n"
        "        return traceback.format_exc()\n"
    )
    assert value(run(world, make(world, {"app.py": handler}))).splitlines() == [
        "Traceback (most recent call last):",
        '  File "/var/task/app.py", line 4, in handler',
        "    return {}['missing'] + event['n']",
        "KeyError: 'missing'",
    ]


def test_a_session_without_arguments_costs_nothing_and_is_one_all_the_same(world: World) -> None:
    """Powertools makes one per environment; whatever is asked of it, it answers as boto3's own."""
    import boto3

    code = """
import boto3

session = boto3.session.Session()
untouched = "_session" not in session.__dict__
client = session.client("sqs", config=None)
still_untouched = "_session" not in session.__dict__
region = session.region_name
session.events.register("provide-client-params.sqs.ListQueues", lambda params, **_: seen.append("hook"))
seen = []


def handler(event, context):
    client.list_queues()
    session.client("sqs").list_queues()
    try:
        session.nonsense
    except AttributeError as error:
        return [untouched, still_untouched, region, seen, str(error)]
"""
    answer = value(run(world, make(world, code, role=None)))
    assert answer == [True, True, "us-east-1", ["hook"], "'Session' object has no attribute 'nonsense'"]
    world.close()
    assert not hasattr(boto3.Session, "__getattr__")


def test_a_package_is_unpacked_whole_or_not_at_all(monkeypatch):
    """Seeds are explored in forked processes that share the place; one saw half of what another unpacked."""
    package = Package.from_source({"app.py": "import rules\n", "rules.py": f"NAME = {uuid.uuid4().hex!r}\n"})
    extractall = zipfile.ZipFile.extractall

    def half(archive: zipfile.ZipFile, path: Path) -> None:
        extractall(archive, path, members=archive.namelist()[:1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(zipfile.ZipFile, "extractall", half)
        with pytest.raises(KeyboardInterrupt):
            _ = package.folder
    assert sorted(path.name for path in package.folder.iterdir()) == ["app.py", "rules.py"]
