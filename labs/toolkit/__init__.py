"""What every lesson uses: exercises, load, measurements, plots, checks, tables, the source on display.

    from labs.toolkit import Poisson, exercise, expect, nothing_left, open_loop, plots, show_source

In a notebook, importing it also registers the cell magic ``%%exercise``, and a failed ``assert`` of a cell
does not end a run on a real cloud.
"""

from __future__ import annotations

from typing import Any

from infra.cloud.audience import shell

from .answers import Answer, Wrong
from .arrivals import Arrivals, AtOnce, Bursty, Constant, Daily, Poisson, Profile, Ramp
from .checks import error_code, error_message, expect, shows_error
from .cleanup import left_over, nothing_left
from .dashboards import draw_dashboard
from .executions import history
from .exercises import Exercise, ExerciseError, Verdict, exercise
from .explore import Exploration, ExploreError, Story, explore
from .load import LoadReport, Outcome, Request, open_loop, send_messages
from .measure import (
    TooFewSamples,
    describe,
    ecdf,
    littles_law,
    percentile,
    percentiles,
    print_percentiles,
    throughput,
)
from .recorded import Recorded
from .source import show_source
from .tables import print_facts, print_table
from .targets import simulated_only

__all__ = [
    "Answer",
    "Arrivals",
    "AtOnce",
    "Bursty",
    "Constant",
    "Daily",
    "Exercise",
    "ExerciseError",
    "Exploration",
    "ExploreError",
    "LoadReport",
    "Outcome",
    "Poisson",
    "Profile",
    "Ramp",
    "Recorded",
    "Request",
    "Story",
    "TooFewSamples",
    "Verdict",
    "Wrong",
    "describe",
    "draw_dashboard",
    "ecdf",
    "error_code",
    "error_message",
    "exercise",
    "expect",
    "explore",
    "history",
    "left_over",
    "littles_law",
    "load_ipython_extension",
    "nothing_left",
    "open_loop",
    "percentile",
    "percentiles",
    "print_facts",
    "print_percentiles",
    "print_table",
    "send_messages",
    "show_source",
    "shows_error",
    "simulated_only",
    "throughput",
]


def load_ipython_extension(running: Any) -> None:
    """``%load_ext labs.toolkit`` does what importing it does."""
    from . import claims, magics

    magics.register(running)
    claims.register(running)


if shell() is not None:
    load_ipython_extension(shell())
