"""What a lesson does on one target only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud


def simulated_only(cloud: Cloud, what: str) -> bool:
    """Whether this cloud is simulated; on a real account, prints that ``what`` is left out there.

    if simulated_only(cloud, "moving the clock"):
        cloud.advance("14 days")
    """
    if not cloud.simulated:
        print(f"simulated only: {what}")
    return cloud.simulated
