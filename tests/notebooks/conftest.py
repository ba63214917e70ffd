"""The lessons' runs, shared by all tests of a session."""

from __future__ import annotations

import pytest

from .runs import Done, Job, Runs

RUNS = pytest.StashKey[Runs]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the jobs of the selected tests."""
    runs = session.config.stash[RUNS] = Runs()
    selected = [getattr(item, "callspec", None) for item in session.items]
    if not session.config.option.collectonly:
        runs.start(spec.params["job"] for spec in selected if spec and "job" in spec.params)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    if RUNS in session.config.stash:
        session.config.stash[RUNS].close()


@pytest.fixture
def runs(pytestconfig: pytest.Config) -> Runs:
    """All jobs of the selected tests, started."""
    return pytestconfig.stash[RUNS]


@pytest.fixture
def done(runs: Runs, job: Job) -> Done:
    """The program of this test's job, ended."""
    return runs.wait(job)
