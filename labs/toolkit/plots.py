"""The plots of the lessons. Each takes its finding first (it becomes the title), then what was measured.

    plots.timeline("The queue grows for a minute", sent=…, done=…, queue=cloud.queue_depth(app["QueueUrl"]))

Times are seconds on one clock, ``cloud.elapsed`` or since the load began. Each returns a ``Plot``: shown as
the last line of a cell, with the numbers that it shows printed below.
"""

from .figures import Plot
from .plots_alongside import compare_backlog, compare_throughput, concurrency
from .plots_compared import OUTCOMES, compare_latency, cost, lines, outcomes
from .plots_counts import bars
from .plots_explored import explored, story
from .plots_flow import event_flow
from .plots_over_time import PHASES, gantt, latency_over_time, timeline
from .plots_traces import execution, trace

__all__ = [
    "OUTCOMES",
    "PHASES",
    "Plot",
    "bars",
    "compare_backlog",
    "compare_latency",
    "compare_throughput",
    "concurrency",
    "cost",
    "event_flow",
    "execution",
    "explored",
    "gantt",
    "latency_over_time",
    "lines",
    "outcomes",
    "story",
    "timeline",
    "trace",
]
