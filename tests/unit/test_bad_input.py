"""Mistakes and interruptions: a clear error, nothing lost, and the next cell works."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import socket
from pathlib import Path

import boto3
import pytest

from infra.cloud import connect
from infra.cloud.local.service import NotSimulated
from infra.deploy import DeployFailed
from infra.sources import ACCEPTED
from infra.stacks.queue_processing import QueueProcessing
from infra.stacks.welcome import Welcome
from labs.queue_processing.scenario import parcels_of

from aws_cdk import CfnResource, Stack  # isort: skip - infra.stacks points jsii at its Node first
from aws_cdk import aws_sqs as sqs  # isort: skip


@pytest.fixture
def cloud():
    with connect("local") as cloud:
        yield cloud


def send_orders(cloud, app, count: int) -> list[str]:
    names = [f"order-{number}" for number in range(count)]
    queue = cloud.resource("sqs").Queue(app["QueueUrl"])
    for name in names:
        queue.send_message(MessageBody=json.dumps({"orderId": name, "items": ["tea"]}))
    return names


@pytest.fixture
def patient(monkeypatch):
    """However slow this machine is, Ctrl-C kills no handler for not waiting."""
    monkeypatch.setattr("infra.cloud.local.interrupts.GRACE", 60)


def ctrl_c_in(cloud, seconds: float) -> None:
    """Press Ctrl-C in so many virtual seconds from now."""
    cloud.world.kernel.call_later(
        round(seconds * 1_000_000), os.kill, os.getpid(), signal.SIGINT, background=True
    )


def package(folder: Path, **modules: str) -> str:
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source, "utf-8")
    return str(folder)


# -- connect -------------------------------------------------------------------------------------


def test_an_unknown_target_is_refused_with_those_there_are(monkeypatch):
    message = (
        "there is no target 'azure'; choose 'local' (moto in virtual time, on this machine) "
        "or 'aws' (a real AWS account)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        connect("azure")
    monkeypatch.setenv("WORKSHOP_TARGET", "azure")
    with pytest.raises(ValueError, match="there is no target 'azure'"):
        connect()


@pytest.mark.parametrize("seed", ["abc", "", "1.5", 1.5, True, float("nan"), float("inf"), [1]])
def test_a_seed_that_is_not_a_whole_number_is_refused(seed):
    message = f"seed={seed!r} is not a whole number; give one such as 0 or 42"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        connect("local", seed=seed)


@pytest.mark.parametrize(("seed", "used"), [(None, 0), ("12", 12), (3.0, 3), (-1, -1)])
def test_a_seed_may_come_as_text_or_as_a_whole_float(seed, used):
    with connect("local", seed=seed) as cloud:
        assert cloud.seed == used


def test_a_region_that_aws_does_not_have_is_refused():
    with pytest.raises(ValueError, match="there is no Region 'eu-wets-1'; did you mean 'eu-west-1'"):
        connect("local", region="eu-wets-1")


@pytest.mark.parametrize(
    ("latency", "message"),
    [
        (
            {"sqs.SendMessage": -5},
            "latency: sqs.SendMessage: median is -5; accepted is a number of milliseconds >= 0",
        ),
        (
            {"sqs": {"SendMessage": {"median": 5, "p99": -20}}},
            "latency: sqs.SendMessage: p99 is -20; accepted is a number of milliseconds >= 0",
        ),
        (
            {"sqs.SendMesage": 5},
            "latency: sqs.SendMesage: there is no operation of sqs 'SendMesage'; "
            "did you mean SendMessage or SendMessageBatch or DeleteMessage?",
        ),
        (
            "no/such.toml",
            "latency: there is no file no/such.toml; accepted is a TOML file, a mapping or None",
        ),
    ],
)
def test_a_latency_table_that_makes_no_sense_is_refused_by_field(latency, message):
    """And the cloud that could not be made leaves the process as it was."""
    before = dict(os.environ)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        connect("local", latency=latency)
    assert dict(os.environ) == before
    with connect("local") as cloud:
        assert cloud.client("sqs").list_queues().get("QueueUrls") is None


# -- deploy and destroy --------------------------------------------------------------------------


@pytest.mark.parametrize("stack", [None, int, QueueProcessing.__init__])
def test_what_is_nothing_to_deploy_is_refused(cloud, stack):
    with pytest.raises(TypeError, match=f"^{re.escape(f'{ACCEPTED}; got {stack!r}')}$"):
        cloud.deploy(stack)


def test_a_template_that_is_not_there_is_refused(cloud):
    message = f"there is no file or folder 'QueueProcesing'; {ACCEPTED}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cloud.deploy("QueueProcesing")


def test_a_typo_in_a_property_is_named_with_the_nearest_there_is(cloud):
    message = "QueueProcessing has no property 'visiblity_timeout'; did you mean 'visibility_timeout'?"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        cloud.deploy(QueueProcessing, visiblity_timeout=30)
    with pytest.raises(TypeError, match="has no property 'zzz'; it has: worker_code, worker_handler, "):
        cloud.deploy(QueueProcessing, zzz=1)


def test_a_stack_that_cannot_be_synthesized_leaves_nothing_behind(cloud, tmp_path, monkeypatch):
    monkeypatch.setattr("infra.assembly.CACHE", tmp_path)
    with pytest.raises(RuntimeError, match="visibility timeout must be between 0 and 43,200 seconds"):
        cloud.deploy(QueueProcessing, visibility_timeout=50_000)
    with pytest.raises(RuntimeError, match=r"Cannot find asset at /no/such/folder"):
        cloud.deploy(QueueProcessing, worker_code="/no/such/folder")
    assert list(tmp_path.iterdir()) == []
    assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []


def test_what_cloudformation_refuses_names_the_resource_and_is_rolled_back(cloud, capfd):
    """Lambda refuses a mapping whose queue hides messages for less than the function's timeout."""
    with pytest.raises(DeployFailed) as refused:
        cloud.deploy(QueueProcessing, visibility_timeout=5)
    assert re.sub(r"Orders\w+", "Orders…", str(refused.value)) == (
        "QueueProcessing was not deployed: WorkerSqsEventSourceQueueProcessingOrders… "
        '(AWS::Lambda::EventSourceMapping): Resource handler returned message: "Queue visibility timeout: '
        "5 seconds is less than Function timeout: 10 seconds (Status Code: 400, Error Code: "
        'InvalidParameterValueException)" (HandlerErrorCode: InvalidRequest)'
    )
    assert cloud.client("sqs").list_queues().get("QueueUrls") is None
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert repr(cloud.deploy(QueueProcessing)).startswith("QueueProcessing deployed: ")
    assert capfd.readouterr() == ("", "")


def test_deploying_twice_changes_nothing(cloud):
    first = cloud.deploy(Welcome)
    second = cloud.deploy(Welcome)
    assert repr(second) == "Welcome is up to date: nothing to deploy"
    assert (dict(second), second.resources) == (dict(first), first.resources)
    assert cloud.client("sqs").list_queues()["QueueUrls"] == [first["LettersUrl"], first["UnreadUrl"]]


def test_an_output_that_does_not_exist_is_refused_with_those_that_do(cloud):
    app = cloud.deploy(Welcome)
    with pytest.raises(KeyError) as missing:
        app["QueueUrll"]
    assert missing.value.args == (
        "stack Welcome has no output 'QueueUrll'; it has: GreeterName, LettersUrl, UnreadUrl",
    )


class Unsupported(Stack):
    """A queue, and two resources that the local cloud does not know."""

    def __init__(self, scope, name, **kwargs):
        super().__init__(scope, name, **kwargs)
        sqs.Queue(self, "Known")
        CfnResource(self, "Api", type="AWS::AppSync::GraphQLApi", properties={"Name": "api"})
        CfnResource(self, "Blockchain", type="AWS::ManagedBlockchain::Member", properties={})


def test_every_resource_type_that_is_not_simulated_is_named_before_anything_is_created(cloud):
    with pytest.raises(DeployFailed) as refused:
        cloud.deploy(Unsupported)
    assert "Unsupported was not deployed: " in str(refused.value)
    assert "AWS::AppSync::GraphQLApi" in str(refused.value)
    assert "AWS::ManagedBlockchain::Member" in str(refused.value)
    assert cloud.client("sqs").list_queues().get("QueueUrls") is None
    assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_stack_whose_export_is_in_use_is_not_destroyed_and_says_so(cloud):
    client = cloud.client("cloudformation")
    for name, output in (
        ("Giver", {"Value": "v", "Export": {"Name": "shared"}}),
        ("Taker", {"Value": {"Fn::ImportValue": "shared"}}),
    ):
        template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"O": output}}
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))
        client.get_waiter("stack_create_complete").wait(StackName=name)
    reason = "Giver was not deleted: Delete canceled. Cannot delete export shared as it is in use by Taker."
    with pytest.raises(DeployFailed, match=f"^{re.escape(reason)}$"):
        cloud.destroy("Giver")
    cloud.destroy("Taker")
    cloud.destroy("Giver")


def test_destroying_what_is_not_there_does_nothing_and_says_so(cloud, capsys):
    app = cloud.deploy(Welcome)
    cloud.destroy(app)
    assert capsys.readouterr().out == ""
    cloud.destroy(app)
    cloud.destroy("QueueProcesing")
    assert capsys.readouterr().out == (
        "There is no stack Welcome: nothing to delete.\n"
        "There is no stack QueueProcesing: nothing to delete.\n"
    )
    message = f"destroy() takes what deploy() returned, or a stack's name; got {Welcome!r}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        cloud.destroy(Welcome)


def test_a_worker_that_does_not_parse_is_deployed_and_loses_nothing(cloud, tmp_path):
    """As on AWS: Lambda reads the code when it runs it; each message ends in the dead-letter queue."""
    code = package(tmp_path, app="def handler(event, context):\n    return [\n")
    app = cloud.deploy(QueueProcessing, worker_code=code, max_receive_count=2)
    answer = cloud.client("lambda").invoke(FunctionName=app["WorkerName"], Payload=b"{}")
    error = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Runtime.UserCodeSyntaxError"
    assert error["errorMessage"] == "Syntax error in module 'app': '[' was never closed (app.py, line 2)"
    names = send_orders(cloud, app, 3)
    cloud.settle()
    failed = cloud.resource("sqs").Queue(app["FailedQueueUrl"]).receive_messages(MaxNumberOfMessages=10)
    assert sorted(json.loads(message.body)["orderId"] for message in failed) == names
    assert {entry.outcome for entry in cloud.world.journal.select("lambda.invocation")} == {
        "Runtime.UserCodeSyntaxError"
    }


# -- time and faults -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "duration",
    [
        "soon",
        "",
        "5",
        "2 fortnights",
        -1,
        float("nan"),
        float("inf"),
        True,
        None,
        datetime.timedelta(seconds=-1),
    ],
)
def test_what_is_not_a_duration_is_refused_and_no_time_passes(cloud, duration):
    before = cloud.now
    message = f"duration={duration!r}: give a duration such as '90s', '2h', '14 days' or a number of seconds"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cloud.advance(duration)
    with pytest.raises(ValueError, match="give a duration"):
        cloud.sleep("a while")
    assert cloud.now == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dupe": 1}, "there is no fault 'dupe'. Known: duplicate: "),
        ({"duplicate": 2}, "duplicate=2: give a rate from 0 to 1"),
        ({"duplicate": True}, "duplicate=True: give a rate from 0 to 1"),
        ({"kill": "soon"}, "kill='soon': give a duration such as '90s'"),
        ({"latency": -1}, "latency=-1: give a duration such as '90s'"),
        ({"latency": datetime.timedelta(seconds=-1)}, "give a duration such as '90s'"),
        ({"on": "dynamodb"}, "name a fault, such as duplicate=0.1. Known: duplicate: "),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_none_is_on(cloud, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)), cloud.faults(**arguments):
        pytest.fail("the block must not begin")
    assert not cloud.world.faults.active


# -- closing -------------------------------------------------------------------------------------


def test_closing_twice_is_harmless_and_a_closed_cloud_says_what_to_do():
    cloud = connect("local")
    cloud.close()
    cloud.close()
    uses = [
        cloud.settle,
        lambda: cloud.client("sqs"),
        lambda: cloud.resource("sqs"),
        lambda: cloud.deploy(Welcome),
        lambda: cloud.destroy("Welcome"),
        lambda: cloud.advance("1s"),
        lambda: cloud.sleep(1),
        lambda: cloud.spawn(print),
        lambda: cloud.logs("worker"),
        lambda: cloud.faults(kill=1),
    ]
    for use in uses:
        with pytest.raises(
            RuntimeError, match=r"^this cloud is closed: run the cell with connect\(\) again$"
        ):
            use()


def test_what_happened_can_still_be_read_after_closing():
    with connect("local") as cloud:
        cloud.client("sqs").create_queue(QueueName="orders")
        fingerprint, cost = cloud.fingerprint(), str(cloud.cost())
    assert (cloud.fingerprint(), str(cloud.cost())) == (fingerprint, cost)


def test_a_client_that_outlives_its_cloud_never_reaches_aws(monkeypatch):
    def no_network(*_):
        raise AssertionError("something left the process")

    with connect("local") as cloud:
        clients = [cloud.client("sqs"), cloud.client("dynamodb"), boto3.client("sqs"), boto3.client("s3")]
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    for client, call in zip(
        clients, ["list_queues", "list_tables", "list_queues", "list_buckets"], strict=True
    ):
        with pytest.raises(NotSimulated, match=r"run the cell with connect\(\) again"):
            getattr(client, call)()


def test_connecting_again_closes_the_old_cloud_and_begins_anew():
    old = connect("local")
    queue = old.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    with connect("local") as new:
        with pytest.raises(RuntimeError, match="this cloud is closed"):
            old.advance("1s")
        assert new.elapsed == 0
        assert new.client("sqs").list_queues().get("QueueUrls") is None
        old.close()  # a late close of the old one does not concern the new one
        assert new.client("sqs").create_queue(QueueName="orders")["QueueUrl"] == queue


# -- Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [0.001, 0.3, 0.7, 1.5, 2.2])
@pytest.mark.usefixtures("patient")
def test_ctrl_c_while_settling_loses_no_message(cloud, moment):
    """Whenever it comes, the next settle() goes on where the first one stopped."""
    app = cloud.deploy(QueueProcessing, warehouse_seconds=0.5)
    names = send_orders(cloud, app, 8)
    ctrl_c_in(cloud, moment)
    with pytest.raises(KeyboardInterrupt):
        cloud.settle()
    cloud.settle()
    assert parcels_of(cloud, app) == dict.fromkeys(names, 1)
    assert [story.fate for story in cloud.messages(app["QueueArn"])] == ["processed"] * 8


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
@pytest.mark.usefixtures("patient")
def test_ctrl_c_at_any_real_moment_loses_no_message(cloud):
    """Wherever in the simulation's own code it strikes, every 3 ms of processor time."""
    app = cloud.deploy(QueueProcessing)
    names = send_orders(cloud, app, 40)
    kernel, pressed = cloud.world.kernel, 0

    def press(*_):
        if kernel._hub is not None:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGVTALRM, press)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.003, 0.003)
    try:
        while pressed < 20:
            try:
                cloud.settle()
                break
            except KeyboardInterrupt:
                pressed += 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    cloud.settle()
    assert pressed > 0
    assert parcels_of(cloud, app) == dict.fromkeys(names, 1)
    assert [story.fate for story in cloud.messages(app["QueueArn"])] == ["processed"] * 40


def test_ctrl_c_while_a_cell_waits_for_a_function(cloud):
    """As on AWS the function goes on; only the caller no longer waits."""
    app = cloud.deploy(QueueProcessing, warehouse_seconds=1)
    function = cloud.client("lambda")
    payload = json.dumps({"orderId": "order-1"})
    ctrl_c_in(cloud, 0.9)
    with pytest.raises(KeyboardInterrupt):
        function.invoke(FunctionName=app["WarehouseName"], Payload=payload)
    answer = function.invoke(FunctionName=app["WarehouseName"], Payload=payload)
    assert json.loads(answer["Payload"].read()) == {"orderId": "order-1", "reserved": True}
    outcomes = [entry.outcome for entry in cloud.world.journal.select("lambda.invocation")]
    assert outcomes == ["ok", "ok"]


def test_ctrl_c_during_a_long_poll_leaves_the_message_to_the_next_one(cloud):
    queue = cloud.resource("sqs").create_queue(QueueName="orders")
    ctrl_c_in(cloud, 3)
    with pytest.raises(KeyboardInterrupt):
        queue.receive_messages(WaitTimeSeconds=20)
    assert 3 <= cloud.elapsed < 4
    queue.send_message(MessageBody="tea")
    (message,) = queue.receive_messages(WaitTimeSeconds=20, AttributeNames=["ApproximateReceiveCount"])
    assert (message.body, message.attributes) == ("tea", {"ApproximateReceiveCount": "1"})


def test_ctrl_c_during_a_deploy_lets_the_next_one_finish_it(cloud):
    ctrl_c_in(cloud, 5)
    with pytest.raises(KeyboardInterrupt):
        cloud.deploy(Welcome)
    app = cloud.deploy(Welcome)
    assert sorted(app) == ["GreeterName", "LettersUrl", "UnreadUrl"]
    ctrl_c_in(cloud, 2)
    with pytest.raises(KeyboardInterrupt):
        cloud.destroy(app)
    assert sorted(cloud.deploy(Welcome)) == ["GreeterName", "LettersUrl", "UnreadUrl"]


@pytest.mark.usefixtures("patient")
def test_ctrl_c_while_a_handler_runs_does_not_harm_it(cloud, tmp_path):
    """The handler is at work when it comes; it finishes in the next cell, and its batch is deleted once."""
    source = (
        "import os, signal, time\n"
        "def handler(event, context):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(2)\n"
        "    print('shipped')\n"
    )
    app = cloud.deploy(
        QueueProcessing, worker_code=package(tmp_path, app=source), report_batch_item_failures=False
    )
    send_orders(cloud, app, 1)
    with pytest.raises(KeyboardInterrupt):
        cloud.settle()
    cloud.settle()
    assert [line for line in cloud.logs(app["WorkerName"]) if "shipped" in line] == ["shipped"]
    (story,) = cloud.messages(app["QueueArn"])
    assert (story.fate, [attempt.succeeded for attempt in story.attempts]) == ("processed", [True])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_ctrl_c_kills_a_handler_that_never_waits_and_its_message_comes_back(cloud, tmp_path):
    """It comes back when its visibility timeout ends, and the second attempt processes it."""
    source = (
        "import os, signal\n"
        "def handler(event, context):\n"
        "    if event['Records'][0]['attributes']['ApproximateReceiveCount'] == '1':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        while True:\n"
        "            pass\n"
        "    print('shipped')\n"
    )
    app = cloud.deploy(
        QueueProcessing,
        worker_code=package(tmp_path, app=source),
        visibility_timeout=60,
        report_batch_item_failures=False,
    )
    send_orders(cloud, app, 1)
    with pytest.raises(KeyboardInterrupt):
        cloud.settle()
    cloud.settle()
    assert [entry.outcome for entry in cloud.world.journal.select("lambda.invocation")] == ["Killed", "ok"]
    (story,) = cloud.messages(app["QueueArn"])
    assert (story.fate, [attempt.succeeded for attempt in story.attempts]) == ("processed", [False, True])
    assert 60 <= story.ended - story.sent < 62


def test_a_typo_in_a_name_lists_what_there_is():
    """logs, queue_depth, messages, latency and environments of what never existed."""
    cloud = connect("local")
    cloud.client("sqs").create_queue(QueueName="orders")
    for question in (cloud.queue_depth, cloud.messages, cloud.latency):
        with pytest.raises(ValueError, match="there is no queue 'ordres'; there is: orders"):
            question("ordres")
    with pytest.raises(ValueError, match="there is no function 'wroker'; there is: none"):
        cloud.environments("wroker")
    with pytest.raises(ValueError, match="there is no function or log group 'wroker'"):
        cloud.logs("wroker")
    assert cloud.messages("orders") == []


def test_a_connect_that_is_refused_leaves_the_open_cloud_open():
    cloud = connect("local")
    with pytest.raises(ValueError, match="latency"):
        connect("local", latency={"sqs.SendMessage": -1})
    assert cloud.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
