"""``cloud.watch()``: virtual time at a chosen pace, what is shown of it, and nothing where nobody looks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.cloud import audience, connect
from infra.cloud.aws import watch as aws_watch
from infra.cloud.interface import Application
from infra.cloud.live import Gauge, LiveView
from infra.cloud.local import cloud as local_cloud
from infra.cloud.local import pace
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import Kernel
from labs.toolkit import notebooks

SAMPLES = Path(__file__).parents[1] / "samples"


class Wall:
    """A real clock that nobody has to wait for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.frames: list[tuple[float, int]] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pace(self, speed: float) -> Callable[[int], None]:
        def frame(at: int) -> None:
            self.frames.append((round(self.now, 3), at))

        return pace.Pace(0, round(speed * 1e6), frame, lambda: None, clock=self.clock, sleep=self.sleep)


def test_virtual_time_waits_for_real_time_and_frames_come_in_between() -> None:
    wall, kernel = Wall(), Kernel(0, 0)
    kernel.pace = wall.pace(10)
    done: list[tuple[float, int]] = []

    def work() -> None:
        for _ in range(2):
            kernel.sleep(5_000_000)
            done.append((round(wall.now, 3), kernel.now))

    kernel.call(work, name="work")
    assert done == [(0.5, 5_000_000), (1.0, 10_000_000)]
    times = [at for _, at in wall.frames]
    assert times == sorted(times)
    assert wall.frames[:3] == [(0.0, 0), (0.2, 2_000_000), (0.4, 4_000_000)]
    kernel.advance(10_000_000)
    assert round(wall.now, 3) == 2.0, "an empty stretch takes its time, too"


def test_what_is_slower_than_the_pace_is_not_made_up_for_by_a_rush() -> None:
    wall = Wall()
    keep = wall.pace(1)
    wall.now = 60.0  # a minute of computing for the first second
    keep(1_000_000)
    keep(2_000_000)
    assert wall.now == pytest.approx(61 - pace.FRAME)


def test_a_paced_run_is_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watched or not: the same journal; a frame shows queues, dead-letter queues and functions by name."""
    shown: list[tuple[str, list[Gauge]]] = []
    monkeypatch.setattr(LiveView, "show", lambda self, at, gauges: shown.append((at, list(gauges))))

    def run(watched: bool) -> str:
        monkeypatch.setattr(local_cloud, "watched", lambda: watched)
        with connect("local") as cloud:
            app = cloud.deploy(SAMPLES / "queue_worker", Stage="prod")
            with cloud.watch(speed="1h"):
                for body in ({"kind": "order", "id": "1"}, {"kind": "order", "id": "bad"}):
                    cloud.client("sqs").send_message(QueueUrl=app["QueueUrl"], MessageBody=json.dumps(body))
                cloud.settle()
            return cloud.fingerprint()

    assert run(watched=True) == run(watched=False)
    heading, last = shown[-1]
    assert max(gauge.value for _, gauges in shown for gauge in gauges if gauge.name == "Worker") > 0
    assert heading == "0:02:13.3 since connect, at 3600 × real time"
    assert last[:2] == [Gauge("Orders", "queue", 0), Gauge("Failed", "dead-letter queue", 1)]
    assert (last[2].name, last[2].kind, last[2].note) == ("Worker", "function", "environments at work")


def test_where_nobody_looks_on_nothing_is_shown_and_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with connect("local") as cloud, cloud.watch(speed=1):
        cloud.advance("1h")
    assert time.monotonic() - began < 5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("speed", [0, -1, "fast"])
def test_a_speed_that_is_none_is_refused(speed: Any) -> None:
    with connect("local") as cloud, pytest.raises(ValueError, match="speed="), cloud.watch(speed=speed):
        pass


def test_the_kernel_is_as_before_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "watched", lambda: True)
    monkeypatch.setattr(LiveView, "show", lambda *_: None)
    with connect("local") as cloud:
        assert isinstance(cloud, LocalCloud)
        with pytest.raises(RuntimeError), cloud.watch():
            raise RuntimeError
        assert cloud.world.kernel.pace is None


def test_in_a_terminal_the_lines_are_drawn_over() -> None:
    written: list[str] = []
    view = LiveView(written.append)
    view.show("0:00:01.0", [Gauge("Orders", "queue", 4, "1 in flight"), Gauge("Worker", "function", 0)])
    view.show("0:00:02.0", [Gauge("Orders", "queue", 8), Gauge("Worker", "function", 0)])
    assert written == [
        "\x1b[2K0:00:01.0\n\x1b[2KOrders        4 1 in flight          █\n\x1b[2KWorker        0\n",
        "\x1b[3A\x1b[2K0:00:02.0\n\x1b[2KOrders        8                      ▄█\n\x1b[2KWorker        0\n",
    ]


def test_in_a_notebook_it_is_a_table_with_a_picture_that_has_words() -> None:
    view = LiveView(lambda _: None)
    view.show("now", [Gauge("<Orders>", "queue", 4)])
    page = view._repr_html_()
    assert 'aria-label="&lt;Orders&gt;: 4, at most 4"' in page
    assert "<Orders>" not in page


def test_on_a_real_account_the_queues_are_asked() -> None:
    sqs = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    redrive = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:failed", "maxReceiveCount": 3})
    counts = {"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "2"}
    answers = [
        {"QueueArn": "arn:aws:sqs:us-east-1:1:failed", "ApproximateNumberOfMessages": "1"},
        {"QueueArn": "arn:aws:sqs:us-east-1:1:orders", "RedrivePolicy": redrive, **counts},
    ]
    with Stubber(sqs) as stub:
        for answer in answers:
            stub.add_response("get_queue_attributes", {"Attributes": answer})
        found = aws_watch.gauges(sqs, {"https://sqs/1/failed": "failed", "https://sqs/1/orders": "orders"})
    assert found == [
        Gauge("orders", "queue", 9, "2 in flight"),
        Gauge("failed", "dead-letter queue", 1),
    ]


def test_queues_are_called_as_in_their_stacks() -> None:
    apps = {
        name: Application(name, {}, {"OrdersA9B65338": f"https://sqs/1/{name}-orders", "Other": "x"}, "")
        for name in ("First", "Second")
    }
    urls = ["https://sqs/1/First-orders", "https://sqs/1/mine"]
    assert aws_watch.queue_names(urls, apps) == {urls[0]: "Orders", urls[1]: "mine"}
    urls = [f"https://sqs/1/{name}-orders" for name in apps]
    assert list(aws_watch.queue_names(urls, apps).values()) == ["First.Orders", "Second.Orders"]


def test_a_real_account_is_looked_at_while_the_block_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(LiveView, "show", lambda self, at, gauges: shown.append(at))
    sqs = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with aws_watch.watching(sqs, {}, lambda: float(len(shown)), LiveView(), every=0.001):
        deadline = time.monotonic() + 5
        while len(shown) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert shown[:3] == [f"{second} s since connect, real time" for second in range(3)]


@pytest.mark.parametrize(("session", "looks"), [("/lesson.ipynb", True), ("", False), (None, False)])
def test_a_kernel_knows_by_its_session_whether_somebody_looks_on(
    monkeypatch: pytest.MonkeyPatch, session: str | None, looks: bool
) -> None:
    """A Jupyter server names it; papermill, nbval and `workshop outputs` have none, or an empty one."""
    monkeypatch.setattr(audience, "in_notebook", lambda: True)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if session is not None:
        monkeypatch.setenv("JPY_SESSION_NAME", session)
    assert audience.watched() is looks
    assert notebooks.ENVIRONMENT["JPY_SESSION_NAME"] == ""
