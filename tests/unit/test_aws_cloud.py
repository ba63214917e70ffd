"""The aws target's own rules, on an account that answers from the local world: no network, no waiting."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from infra import deploy
from infra.cloud.aws import quiet, tags
from infra.cloud.aws.account import Account
from infra.cloud.aws.cloud import AwsCloud
from infra.cloud.aws.depth_sampler import DepthSampler
from infra.cloud.interface import SimulatedOnly
from infra.cloud.local.world import World
from infra.deploy import DeployFailed
from infra.stacks.welcome import Welcome

ARN = "arn:aws:sts::123456789012:assumed-role/Admin/anna,b"


class _Session:
    """As much of a boto3 session as an AwsCloud needs."""

    region_name = "us-east-1"

    def __init__(self, world: World) -> None:
        self.world = world
        self.events = world.session.events

    def client(self, service: str, **_: Any) -> Any:
        return self.world.client(service)

    def get_partition_for_region(self, region: str) -> str:
        return "aws"


@pytest.fixture
def cloud(world: World, monkeypatch: pytest.MonkeyPatch) -> AwsCloud:
    _let_virtual_time_pass(world, monkeypatch)
    monkeypatch.delenv("WORKSHOP_STACK_PREFIX", raising=False)
    session: Any = _Session(world)
    return AwsCloud(Account(session, world.account, ARN, "us-east-1", ""))


def _let_virtual_time_pass(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DepthSampler, "start", lambda self: None)  # virtual time has one thread
    monkeypatch.setattr(deploy, "sleep", lambda seconds: world.kernel.advance(seconds * 1_000_000))


def _stacks(world: World) -> dict[str, str]:
    stacks = world.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in stacks}


def test_everything_is_tagged_with_workshop_lesson_run_and_owner(cloud: AwsCloud, world: World) -> None:
    cloud.deploy(Welcome)
    stack = world.client("cloudformation").describe_stacks(StackName="Welcome")["Stacks"][0]
    expected = {
        "workshop": "event-driven-workshop",
        "workshop:lesson": "welcome",
        "workshop:run": cloud.run,
        "workshop:owner": "arn:aws:sts::123456789012:assumed-role/Admin/anna_b",
    }
    assert tags.of(stack["Tags"]) == expected
    bucket = f"workshop-assets-{cloud.account}-us-east-1"
    assert tags.of(world.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]) == expected


def test_before_the_first_deploy_it_says_where(cloud: AwsCloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.deploy(Welcome)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"AWS account {cloud.account} in us-east-1, in real time, as {ARN}"
    assert second.startswith(
        "One run of lesson welcome costs less than $0.01, and less than $0.01 for each hour"
    )
    cloud.deploy(Welcome)
    assert "AWS account" not in capsys.readouterr().out


def test_close_deletes_what_was_deployed(cloud: AwsCloud, world: World) -> None:
    cloud.deploy(Welcome)
    assert _stacks(world) == {"Welcome": "CREATE_COMPLETE"}
    cloud.close()
    cloud.close()
    assert _stacks(world) == {}
    with pytest.raises(RuntimeError, match="this cloud is closed"):
        cloud.client("sqs")


def test_a_stack_of_somebody_else_is_never_touched(cloud: AwsCloud, world: World) -> None:
    template = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
    cloudformation = world.client("cloudformation")
    cloudformation.create_stack(StackName="Welcome", TemplateBody=template)
    world.kernel.settle()
    with pytest.raises(DeployFailed, match=r"the workshop did not make: it stays.*WORKSHOP_STACK_PREFIX"):
        cloud.deploy(Welcome)
    with pytest.raises(DeployFailed, match="did not make"):
        cloud.destroy("Welcome")
    cloud.close()
    assert _stacks(world) == {"Welcome": "CREATE_COMPLETE"}


def test_a_colleague_s_stack_is_refused_by_name(cloud: AwsCloud, world: World) -> None:
    cloud.deploy(Welcome)
    session: Any = _Session(world)
    other = AwsCloud(Account(session, world.account, "arn:aws:iam::123456789012:user/ben", "us-east-1", ""))
    with pytest.raises(DeployFailed, match=r"was made by .*Admin/anna_b, and you are .*user/ben"):
        other.deploy(Welcome)
    other.close()
    assert _stacks(world) == {"Welcome": "CREATE_COMPLETE"}


def test_a_prefix_makes_room_for_several_learners_in_one_account(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _let_virtual_time_pass(world, monkeypatch)
    session: Any = _Session(world)
    cloud = AwsCloud(Account(session, world.account, ARN, "us-east-1", ""), prefix="ben-")
    assert cloud.deploy(Welcome).stack_name == "ben-Welcome"
    cloud.destroy("Welcome")
    assert _stacks(world) == {}


def test_moving_the_clock_is_simulated_only(cloud: AwsCloud) -> None:
    with pytest.raises(SimulatedOnly, match=r"'2m' would be 120 s of waiting.*wait_for"):
        cloud.advance("2m")
    before = cloud.elapsed
    cloud.advance(0.01, real=True)
    assert cloud.elapsed - before >= 0.01
    with pytest.raises(SimulatedOnly, match="fingerprint"):
        cloud.fingerprint()
    with pytest.raises(SimulatedOnly, match="Fault Injection"):
        cloud.faults(throttle=0.1)


def test_spawn_runs_in_a_thread_and_join_raises_its_error(cloud: AwsCloud) -> None:
    assert cloud.spawn(lambda: threading.current_thread() is threading.main_thread()).join() is False
    with pytest.raises(ZeroDivisionError):
        cloud.spawn(lambda: 1 // 0, name="x").join()


def test_closing_wakes_whatever_sleeps(cloud: AwsCloud) -> None:
    handle = cloud.spawn(cloud.sleep, 3600)
    cloud.close()
    with pytest.raises(RuntimeError, match="closed while something was sleeping"):
        handle.join()


def test_the_same_seed_gives_the_same_load_as_the_simulation(cloud: AwsCloud) -> None:
    from infra.cloud.local.cloud import LocalCloud

    assert cloud.rng("load").random() == LocalCloud.rng(cloud, "load").random()  # type: ignore[arg-type]


def test_wait_for_says_what_was_missing(cloud: AwsCloud) -> None:
    answers = iter([0, 0, "yes"])
    assert cloud.wait_for(lambda: next(answers), "an answer", every=0.001) == "yes"
    with pytest.raises(TimeoutError, match=r"after 0.01 s still not: the alarm is in ALARM"):
        cloud.wait_for(lambda: False, "the alarm is in ALARM", limit=0.01, every=0.001)
    with pytest.raises(ValueError, match="every=0"):
        cloud.wait_for(lambda: True, "x", every=0)


def test_settle_says_what_is_still_in_flight(cloud: AwsCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "EVERY", 0.001)
    cloud.quiet = 0.01
    app = cloud.deploy(Welcome)
    cloud.settle(1)
    cloud.client("sqs").send_message(QueueUrl=app["LettersUrl"], MessageBody="x")
    with pytest.raises(TimeoutError, match=r"still in flight after 0.05 s: queue .*: [01] waiting"):
        cloud.settle(0.05)
