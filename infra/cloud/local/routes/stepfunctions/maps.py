"""The interpreter's Map states: their workers, and the runs of distributed ones.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import aborted
from .history import Aside
from .states import ending_its_threads

if TYPE_CHECKING:
    from ...world import World

Patch = tuple[Any, str, Any]

INLINE_CONCURRENCY = 40
"""Iterations of an inline Map that run at once, at most.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"""


def patches(world: World) -> list[Patch]:
    """What is replaced in the interpreter's Map states."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        distributed_iteration_component as distributed,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        inline_iteration_component as inline,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        iteration_worker,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
        map_run_record,
    )

    threads = world.stepfunctions.interpreter.threads

    def eval_pool(self: Any, job: Any, worker_frame: Any) -> None:
        """One worker: job after job (the original calls itself for the next, to the end of the stack)."""
        while job is not None:
            job_frame = worker_frame.open_inner_frame()
            job_frame.iteration = (self._work_name, job.job_index)
            self._eval_job(env=job_frame, job=job)
            if isinstance(job.job_output, Exception) and self._job_pool.get_worker_exception() is None:
                context = job_frame.event_history_context
                aborted.record(aborted.open_frames(self._env), context, job_frame)
                threads.end_siblings()
            worker_frame.close_frame(job_frame)
            if isinstance(job.job_output, Exception) or self.stopped():
                break
            following = self._job_pool.next_job()
            if following is None:
                worker_frame.event_history_context.source_event_id = (
                    job_frame.event_history_context.last_published_event_id
                )
                break
            self._job_pool.close_job(job)
            job = following
        self._env.close_frame(worker_frame)
        if job is not None:
            self._job_pool.close_job(job)

    def limited(original: Any) -> Any:
        def evaluate(self: Any, env: Any) -> None:
            asked = env.stack[-1]
            most = min(asked.max_concurrency or INLINE_CONCURRENCY, INLINE_CONCURRENCY)
            asked.max_concurrency = min(most, len(asked.input_items))
            original(self, env)

        return evaluate

    def current_execution() -> Any:
        assert world.kernel.current is not None
        return world.stepfunctions.executions.get(world.kernel.current.context.invocation)

    def aside() -> Aside:
        return Aside(current_execution())

    def add_map_run(self: Any, map_run_record: Any) -> None:
        self._pool[map_run_record.map_run_arn] = map_run_record
        execution = current_execution()
        if execution is not None:
            execution.map_runs.append(map_run_record)

    pool = map_run_record.MapRunRecordPoolManager
    component = inline.InlineIterationComponent
    runs = distributed.DistributedIterationComponent
    return [
        (iteration_worker.IterationWorker, "_eval_pool", eval_pool),
        (component, "_eval_body", ending_its_threads(world, limited(component._eval_body))),
        (runs, "_eval_body", ending_its_threads(world, runs._eval_body)),
        (distributed, "EventManager", aside),
        (pool, "add", add_map_run),
    ]
