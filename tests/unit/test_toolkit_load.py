"""Arrival processes, and the open loop in virtual time."""

import itertools
import random

import pytest

from labs.toolkit import AtOnce, Bursty, Constant, Daily, Poisson, Profile, Ramp, open_loop, send_messages
from labs.toolkit.load import Request, batches

from .toolkit_cloud import FakeCloud


def times(arrivals, seed=1):
    return list(arrivals.times(random.Random(seed)))


def request(number, intended):
    return Request(number, intended, None)


def test_constant_rate_is_evenly_spaced():
    assert times(Constant(rate=4, seconds=1)) == [0, 0.25, 0.5, 0.75]


def test_at_once():
    assert times(AtOnce(requests=3)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("arrivals", "mean"),
    [
        (Poisson(rate=50, seconds=400), 20_000),
        (Bursty(calm=10, burst=200, calm_for=9, burst_for=1, seconds=4000), 116_000),
        (Ramp(start=0, end=100, seconds=400), 20_000),
        (Profile(rate=10, points=((0, 1), (100, 1), (101, 10), (200, 10)), seconds=300), 20_955),
        (Daily(rate=0.25), 21_600),
    ],
)
def test_as_many_arrivals_as_the_rate_says(arrivals, mean):
    found = times(arrivals)
    assert len(found) == pytest.approx(mean, rel=0.1 if isinstance(arrivals, Bursty) else 0.03)
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < arrivals.seconds
    assert times(arrivals) == found
    assert times(arrivals, seed=2) != found


def test_poisson_gaps_vary_as_much_as_their_mean():
    found = times(Poisson(rate=10, seconds=2000))
    gaps = [after - before for before, after in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance**0.5 == pytest.approx(mean, rel=0.05)


def test_bursts_are_burstier_than_poisson():
    """The variance of the counts per second is the mean for Poisson, and far above it for bursts."""
    found = times(Bursty(calm=5, burst=100, calm_for=20, burst_for=5, seconds=2000))
    counts = [0] * 2000
    for time in found:
        counts[int(time)] += 1
    mean = sum(counts) / len(counts)
    assert sum((count - mean) ** 2 for count in counts) / len(counts) > 10 * mean


def test_a_day_peaks_at_its_hour():
    found = times(Daily(rate=1, swing=1, peak_hour=20))
    per_hour = [sum(hour * 3600 <= time < (hour + 1) * 3600 for time in found) for hour in range(24)]
    assert per_hour.index(max(per_hour)) in (19, 20)
    assert per_hour.index(min(per_hour)) in (7, 8)


def test_scaled_keeps_the_rates_and_shortens_the_time():
    assert Poisson(rate=50, seconds=60).scaled(0.1) == Poisson(rate=50, seconds=6)
    assert Bursty(calm=10, burst=200, calm_for=9, burst_for=1, seconds=40).scaled(2) == Bursty(
        calm=10, burst=200, calm_for=18, burst_for=2, seconds=80
    )
    spike = Profile(rate=5, points=((60, 1), (61, 10)), seconds=300).scaled(0.1)
    assert spike.seconds == pytest.approx(30)
    assert spike.points == (pytest.approx((6, 1)), pytest.approx((6.1, 10)))
    hour = Daily(rate=1).scaled(1 / 24)  # a day in an hour
    assert (hour.seconds, hour.rate_at(20 / 24 * 3600)) == (pytest.approx(3600), pytest.approx(1.8))


def test_scaled_takes_a_part_of_what_comes_at_once():
    assert len(times(AtOnce(requests=100).scaled(0.25))) == 25
    assert len(times(AtOnce(requests=3).scaled(0.01))) == 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Poisson(rate=0, seconds=1), ValueError, "rate is 0; it must be a number greater than 0"),
        (lambda: Poisson(rate="5", seconds=1), TypeError, "rate is '5', a str"),
        (lambda: Poisson(rate=1, seconds=float("inf")), ValueError, "seconds is inf"),
        (lambda: Poisson(rate=True, seconds=1), TypeError, "rate is True, a bool"),
        (lambda: Daily(rate=1, swing=2), ValueError, "swing is 2; it must be between 0 and 1"),
        (lambda: Ramp(start=0, end=0, seconds=1), ValueError, "the higher of start and end is 0"),
        (lambda: Profile(rate=1, points=(), seconds=1), ValueError, "points is empty"),
        (
            lambda: Profile(rate=1, points=((5, 1), (5, 2)), seconds=1),
            ValueError,
            "points must go forward in time, but 5 follows 5",
        ),
        (lambda: Poisson(rate=1, seconds=1).scaled(0), ValueError, "scale is 0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_open_loop_does_not_wait_for_the_slow():
    """Ten requests a second, each taking 5 s: a closed loop would send one in 5 s."""
    cloud = FakeCloud()
    report = open_loop(cloud, Constant(rate=10, seconds=1), lambda request: cloud.sleep(5))
    assert [outcome.started for outcome in report.outcomes] == report.intended
    assert report.latencies == pytest.approx([5.0] * 10)
    assert report.latest_start == 0
    assert cloud.elapsed == pytest.approx(5.9)


def test_latency_counts_from_the_intended_start():
    """A server that serves one at a time: the tenth waits for the nine before it."""
    cloud = FakeCloud()
    free_at = [0.0]

    def serve(request):
        free_at[0] = max(free_at[0], cloud.elapsed) + 1
        cloud.sleep(free_at[0] - cloud.elapsed)

    report = open_loop(cloud, Constant(rate=10, seconds=1), serve)
    assert report.latencies == pytest.approx([1 + 0.9 * number for number in range(10)])


def test_errors_are_outcomes():
    cloud = FakeCloud()

    def send(request):
        if request.number % 2:
            raise TimeoutError("too slow")
        return request.number

    report = open_loop(cloud, Constant(rate=4, seconds=1), send)
    assert report.errors == {"TimeoutError": 2}
    assert (report.sent, report.ok, report.results) == (4, 2, [0, 2])
    assert str(report).startswith(
        "4 requests in 1 s, 4 per second in the mean: 2 went well, 2 got TimeoutError\n"
    )


def test_same_seed_same_load():
    def intended(seed, name="load"):
        return open_loop(FakeCloud(seed), Poisson(rate=20, seconds=5), lambda _: None, name=name).intended

    assert intended(7) == intended(7)
    assert intended(7) != intended(8)
    assert intended(7) != intended(7, name="other")


def test_requests_carry_their_intended_time():
    cloud = FakeCloud()
    seen = open_loop(cloud, Constant(rate=2, seconds=1), lambda request: request.at.isoformat()).results
    assert seen == ["2023-11-14T22:13:20+00:00", "2023-11-14T22:13:20.500000+00:00"]


def test_batches_leave_when_full_or_when_the_first_gets_old():
    requests = [request(number, number * 0.01) for number in range(13)] + [request(13, 5.0)]
    cut = [(at, [one.number for one in batch]) for at, batch in batches(requests, linger=0.05)]
    assert cut == [
        (0.05, [0, 1, 2, 3, 4, 5]),
        (pytest.approx(0.11), [6, 7, 8, 9, 10, 11]),
        (pytest.approx(0.17), [12]),
        (5.05, [13]),
    ]
    together = [request(number, 1.0) for number in range(23)]
    assert [(at, len(batch)) for at, batch in batches(together, linger=0)] == [(1, 10), (1, 10), (1, 3)]


def test_no_linger_still_sends_one_by_one():
    apart = [request(number, number * 1.0) for number in range(3)]
    assert [(at, len(batch)) for at, batch in batches(apart, linger=0)] == [(0, 1), (1, 1), (2, 1)]


class Queue:
    """Takes 20 ms per batch; refuses the message with Id 2."""

    def __init__(self):
        self.cloud = None
        self.entries = []

    def send_message_batch(self, QueueUrl, Entries):  # noqa: N803
        self.cloud.sleep(0.02)
        self.entries += Entries
        return {
            "Successful": [
                {"Id": entry["Id"], "MessageId": f"m{entry['Id']}"} for entry in Entries if entry["Id"] != "2"
            ],
            "Failed": [
                {"Id": entry["Id"], "Code": "InternalError"} for entry in Entries if entry["Id"] == "2"
            ],
        }


def test_messages_are_batched_but_measured_one_by_one():
    queue = Queue()
    queue.cloud = cloud = FakeCloud(sqs=queue)
    report = send_messages(
        cloud,
        "https://queue",
        Constant(rate=100, seconds=0.04),
        lambda request: {"order": request.number},
        entry=lambda request: {"MessageGroupId": "g"},
    )
    assert queue.entries == [
        {"Id": str(number), "MessageBody": f'{{"order": {number}}}', "MessageGroupId": "g"}
        for number in range(4)
    ]
    assert report.errors == {"InternalError": 1}
    assert report.results == ["m0", "m1", "m3"]
    assert report.latencies == pytest.approx([0.07, 0.06, 0.04])


def test_a_whole_batch_can_fail():
    class Down:
        def send_message_batch(self, **_):
            raise ConnectionError("down")

    report = send_messages(FakeCloud(sqs=Down()), "url", Constant(rate=5, seconds=1), lambda request: "x")
    assert report.errors == {"ConnectionError": 5}
