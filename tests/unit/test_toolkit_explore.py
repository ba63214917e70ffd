"""Explore: the race is found, the same seeds in every run, however many processes, and told as a story."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

from infra.cloud import connect
from labs.idempotency import scenario as idempotency
from labs.toolkit import explore_pool, explore_worker, paths, plots_explored
from labs.toolkit.explore import ExploreError, explore
from labs.toolkit.explore_job import Job

from . import explore_scenarios as scenarios


def test_a_race_is_found_and_its_cure_survives_every_seed() -> None:
    racy = explore(scenarios.count, seeds=20, invariant=scenarios.is_two)
    assert 0 < len(racy.broken) < 20
    assert racy.smallest == min(racy.broken)
    assert str(racy).startswith(f"✘ 20 seeds: {len(racy.broken)} break the invariant")
    assert f"seed {racy.smallest}: two added one each, and the number is 1" in str(racy)
    safe = explore(scenarios.count, seeds=20, invariant=scenarios.is_two, atomic=True)
    assert str(safe) == "✔ 20 seeds: none breaks the invariant"
    assert safe.smallest is None
    with pytest.raises(LookupError, match="none of the 20 seeds breaks it"):
        safe.story()


def test_the_outcome_of_a_seed_depends_on_nothing_but_the_seed() -> None:
    """Not on how many run at once, not on the order, not on a new process."""
    once = explore(scenarios.count, seeds=12, invariant=scenarios.is_two)
    explore_pool.stop()
    again = explore(scenarios.count, seeds=12, invariant=scenarios.is_two, processes=3)
    assert once.broken == again.broken
    assert [judged.seed for judged in again] == list(range(12))


def test_without_fork_it_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: each seed deploys anew."""
    forked = explore(scenarios.count, seeds=8, invariant=scenarios.is_two)
    monkeypatch.setattr(explore_worker, "_FORKS", False)
    told: list[dict[str, object]] = []
    job = Job(forked._job.scenario, forked._job.invariant, forked._job.arguments)
    explore_worker.play(job, range(8), 1, told.append)
    assert {one["seed"]: one["broken"] for one in told if one["broken"]} == forked.broken


def test_the_notebooks_cloud_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with connect("local", seed=3) as cloud:
        cloud.advance("1m")
        before = cloud.fingerprint()
        explore(scenarios.count, seeds=2, invariant=scenarios.is_two)
        assert cloud.fingerprint() == before
        assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []
    assert capsys.readouterr() == ("", "")


def test_the_story_tells_who_did_what_and_when_it_went_wrong() -> None:
    found = explore(
        idempotency.trial,
        seeds=20,
        invariant=idempotency.charged_once,
        moment=idempotency.second_charge,
        faults={"duplicate": 0.5, "on": "QueueArn"},
        charger_handler="check_then_act.handler",
    )
    story = found.story()
    assert story.seed == found.smallest
    assert story.broken == found.broken[story.seed]
    assert story.moment is not None
    assert story.moment.call == "dynamodb.PutItem"
    assert story.moment.on == "Charges"
    payment = story.moment.data["item"]["paymentId"]
    told = story.about(payment)
    lines = str(told).splitlines()
    assert lines[0] == f"seed {story.seed}: {payment} was charged 2 times"
    assert sum(line.startswith("▶ ") and "PutItem Charges" in line for line in lines) == 1
    assert sum("GetItem Marks" in line and "finds nothing" in line for line in lines) == 2
    assert len(told.steps) <= len(story.steps)
    assert str(found.story()) == str(story)
    times = [step.time for step in story.steps]
    assert times == sorted(times)
    assert times[0] >= 0


def test_marks_that_would_cover_one_another_stand_one_below_the_other() -> None:
    """The look of a charger, 4 ms before it calls the provider, was hidden behind that call."""
    marks = [(0, 1.004), (0, 1.0), (1, 1.0), (0, 1.7), (1, 1.01), (1, 1.019)]
    assert plots_explored.apart(marks, 0.01) == pytest.approx([0.15, -0.15, 1.0, 0.0, 0.85, 1.15])
    assert plots_explored.apart([], 0.01) == []


def test_a_scenario_that_fails_under_a_seed_is_a_broken_seed() -> None:
    found = explore(scenarios.count, seeds=2, invariant=scenarios.is_two, give_up=True)
    assert found.broken == dict.fromkeys(range(2), "the scenario raised RuntimeError: no more")


def test_what_fails_before_the_seeds_begin_is_one_clear_error() -> None:
    with pytest.raises(ExploreError, match="the scenario deployed nothing"):
        explore(scenarios.deploys_nothing, seeds=2, invariant=scenarios.is_two)
    with pytest.raises(ExploreError, match=r"no/such/template\.yaml"):
        explore(scenarios.deploys_what_is_not_there, seeds=2, invariant=scenarios.is_two)
    with pytest.raises(ExploreError, match="unexpected keyword argument"):
        explore(scenarios.count, seeds=2, invariant=scenarios.is_two, speed=3)
    with pytest.raises(ExploreError, match="its process ended"):
        explore(scenarios.dies, seeds=2, invariant=scenarios.is_two)
    assert explore(scenarios.count, seeds=1, invariant=scenarios.is_two).seeds == 1  # it begins anew


def test_bad_input_is_one_sentence() -> None:
    def local(result: object) -> str:
        return ""

    with pytest.raises(TypeError, match="the invariant 'local' cannot be imported by another process"):
        explore(scenarios.count, invariant=local)
    with pytest.raises(TypeError, match="the scenario is a partial"):
        explore(functools.partial(scenarios.count, apart=1), invariant=scenarios.is_two)
    with pytest.raises(ValueError, match="seeds=0"):
        explore(scenarios.count, seeds=0, invariant=scenarios.is_two)
    with pytest.raises(TypeError, match="give a mapping such as"):
        explore(scenarios.count, invariant=scenarios.is_two, faults=["duplicate"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        explore(scenarios.count, invariant=scenarios.is_two, apart=lambda: 1)
    found = explore(scenarios.count, seeds=2, invariant=scenarios.is_two)
    with pytest.raises(ValueError, match="seed=7 was not explored"):
        found.story(7)


MEASURED = """
import resource
from labs.idempotency import scenario
from labs.toolkit import explore, explore_pool
found = explore(scenario.trial, seeds=200, invariant=scenario.charged_once, faults=scenario.DUPLICATES)
assert not found.broken
explore_pool.stop()
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(spent.ru_utime + spent.ru_stime)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork each seed deploys anew, which takes longer")
def test_two_hundred_seeds_of_the_idempotency_lesson_take_less_than_half_a_minute_on_two_cores() -> None:
    """As seconds of computing, since other tests may hold the cores."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], cwd=paths.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2 * 30
