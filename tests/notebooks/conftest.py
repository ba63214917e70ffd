"""The lessons' runs, shared by all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .runs import Done, Job, Runs


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """All jobs of the selected tests, started."""
    runs = Runs()
    selected = [getattr(item, "callspec", None) for item in request.session.items]
    runs.start(spec.params["job"] for spec in selected if spec and "job" in spec.params)
    yield runs
    runs.close()


@pytest.fixture
def done(runs: Runs, job: Job) -> Done:
    """The program of this test's job, ended."""
    return runs.wait(job)
