"""The progress bar: only for those who look on, only for what takes long, and gone in the end."""

from __future__ import annotations

import pytest

from labs.toolkit import progress as module
from labs.toolkit.progress import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test moves; somebody looks on."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "watched", lambda: True)
    return now


def test_it_is_drawn_after_a_while_and_gone_in_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("seeds", 200) as bar:
        clock[0] += 1
        bar.update(100)
        clock[0] += 0.01
        bar.update(101)
    shown = f"{'█' * 15}{'░' * 15} 100 of 200 seeds"
    assert capsys.readouterr().out == f"\r{shown}\r{' ' * len(shown)}\r"


def test_what_is_short_has_none(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress("seeds", 2) as bar:
        clock[0] += 0.2
        bar.update(2)
    assert capsys.readouterr().out == ""


def test_a_headless_run_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("seeds", 2) as bar:
        bar.update(2)
    assert capsys.readouterr().out == ""
