"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh world with seed 0; closed, and the process unpatched, at the end."""
    world = World()
    yield world
    world.close()
