"""Lessons on the aws target mostly wait, so they run beside the tests that come after them."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask what became of the lessons at the very end: ``test_they_begin`` has started them long before."""
    items.sort(key=lambda item: "ran" in getattr(item, "fixturenames", ()))
