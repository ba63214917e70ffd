"""What a failure inside a Map or Parallel state aborts, as the history shows it.

When one iteration or branch fails, AWS records for the others, in their order, ``MapIterationAborted`` and
the state that they were in (``TaskStateAborted``, ``WaitStateAborted`` …); also for the Task that failed. All
of these events follow the one that failed. Recorded on AWS: localstack/localstack, below
tests/aws/services/stepfunctions/v2/: timeouts/test_timeouts.snapshot.json, test_service_lambda_map_timeout,
and states_variables/test_error_output.snapshot.json, test_parallel_catch_error.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("Task", "Wait", "Map", "Parallel")
"""Types of states that have such an event."""


def record(frames: Iterable[Any], context: Any, failed: Any) -> None:
    """The events of the frames of a state of which the frame ``failed`` has failed.

    ``context`` is the history's context that the failure left.
    """
    for frame in sorted(frames, key=lambda each: each.iteration[1] if each.iteration else 0):
        _record(frame, context, frame is failed)


def _record(frame: Any, context: Any, failed: bool) -> None:
    add = frame.event_manager.add_event
    if frame.iteration is not None and not failed:
        name, index = frame.iteration
        details = {"mapIterationAbortedEventDetails": {"name": name, "index": index}}
        add(context, "MapIterationAborted", details, update_source_event_id=False)
    if frame.open_state in KINDS:
        add(context, f"{frame.open_state}StateAborted", update_source_event_id=False)
    record(frame._frames, context, None)


def open_frames(env: Any) -> list[Any]:
    """The frames of the iterations that run in a Map state: those that have no end yet."""
    return [inner for worker in env._frames for inner in worker._frames if inner.iteration is not None]
