"""Distributed Map states.

moto knows no ItemBatcher, JSON Lines, pointers or delimiters, reads one page of a listing, writes a manifest
without files, lets any number of children fail, and lets children read the variables of their parent. So the
fields that read, batch and write are taken out of the text before moto parses it (a state's name is unique in
a state machine) and put into effect here. So is the type of the child executions: an Express one may take
five minutes.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from ....ids import uuid4
from ....service import NotSimulated
from ..execution import LONGEST
from ..interpreter import copy_json, iso
from .distributed import (
    Unreadable,
    Unsupported,
    cut_batches,
    exceeds,
    file_text,
    read_items,
    transformed,
)
from .failures import RUNTIME, failure
from .intrinsics import Scope, compile_intrinsic, find
from .jsonpath import NoResult
from .text import json_text

if TYPE_CHECKING:
    from ....world import World

_NOTHING: tuple[dict[str, Any], bool] = ({}, True)
FIELDS = ("ItemReader", "ItemBatcher", "ResultWriter")
PERCENTAGE = "ToleratedFailurePercentage"
MOST_INLINE = 40
"""Iterations of an inline Map at a time, if MaxConcurrency does not say less.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"""
READER_FAILED = "States.ItemReaderFailed"
_INSIDE = "value"
_ARRAY = re.compile(r'"Parameters"\s*:\s*\[')
_FILES = {"FAILED": "FAILED", "SUCCEEDED": "SUCCEEDED", "TIMED_OUT": "FAILED"}
"""In which result file a child execution stands: those that failed, timed out or were aborted are together.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html"""


def take_out(definition: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """The definition without the fields of distributed Maps, and those fields by the name of the state."""
    marks = (*FIELDS, "ItemSelector", PERCENTAGE, "EXPRESS")
    if not any(f'"{mark}"' in definition for mark in marks) and not _ARRAY.search(definition):
        return definition, {}
    machine = json.loads(definition)
    taken: dict[str, dict[str, Any]] = {}

    def visit(scope: dict[str, Any]) -> None:
        for name, state in scope.get("States", {}).items():
            if state.get("Type") == "Pass" and isinstance(state.get("Parameters"), list):
                state["Parameters"] = {_INSIDE: state["Parameters"]}  # the grammar knows objects only
                taken[name] = {"Parameters": _INSIDE}
            if state.get("Type") == "Map":
                found = {field: state.pop(field) for field in FIELDS if field in state}
                if isinstance(state.get("ItemSelector"), str):
                    found["ItemSelector"] = state.pop("ItemSelector")
                if isinstance(state.get(PERCENTAGE), int):
                    state[PERCENTAGE] = float(state[PERCENTAGE])  # the only form that the grammar knows
                for field in ("ItemProcessor", "Iterator"):
                    config = state.get(field, {}).get("ProcessorConfig", {})
                    if config.get("ExecutionType") == "EXPRESS":
                        config["ExecutionType"] = "STANDARD"  # the only one that the grammar knows
                        found["ExecutionType"] = "EXPRESS"
                if found:
                    taken[name] = found
            for field in ("ItemProcessor", "Iterator"):
                if field in state:
                    visit(state[field])
            for branch in state.get("Branches", ()):
                visit(branch)

    visit(machine)
    return json.dumps(machine, ensure_ascii=False), taken


def attach(program: Any, taken: dict[str, dict[str, Any]]) -> None:
    """Hand the fields to the Map states of a parsed program."""
    for name, state in program.states.states.items():
        component = getattr(state, "iteration_component", None)
        if component is not None:
            fields = taken.get(name, {})
            component.distributed = (fields, state._is_language_query_jsonpath())
            if "ItemReader" in fields:
                state.item_reader = _Part(component, "read")
            if "ItemSelector" in fields:
                state.item_selector = _Selector(fields["ItemSelector"])
            if "ResultWriter" in fields:
                state.result_writer = _Part(component, "write")
            attach(component._get_iteration_program(), taken)
        elif "Parameters" in taken.get(name, ()):
            state.parameters = _Inside(state.parameters)
        decl = getattr(state, "branches", None)
        for branch in decl.programs if decl is not None else ():
            attach(branch, taken)


class _Part:
    """Stands where moto keeps its ItemReader or ResultWriter."""

    def __init__(self, component: Any, name: str) -> None:
        self._component = component
        self._name = name

    def eval(self, env: Any) -> None:
        getattr(self._component, self._name)(env)


class _Inside:
    """The Parameters of a Pass state that are an array, as AWS takes them besides objects:
    https://github.com/aws/aws-toolkit-vscode/issues/2459"""

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters

    def eval(self, env: Any) -> None:
        self._parameters.eval(env)
        env.stack.append(env.stack.pop()[_INSIDE])


class _Selector:
    """An ItemSelector that is one expression, which moto's grammar does not know."""

    def __init__(self, text: str) -> None:
        self._expression = text[2:-2].strip()

    def eval(self, env: Any) -> None:
        from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata

        outer, env.location = env.location, "ItemSelector"
        try:
            StringJSONata(self._expression)._eval_body(env)
        finally:
            env.location = outer


def patches(world: World) -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        distributed_iteration_component as distributed,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
        inline_iteration_component as inline_component,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
        distributed_item_processor_worker as processor_worker,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iterator import (
        distributed_iterator_worker as iterator_worker,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
        resource_eval_s3,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
        StateCredentials,
    )
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramError
    from moto.stepfunctions.parser.asl.parse import asl_parser

    Inline = inline_component.InlineIterationComponent  # noqa: N806
    Component = distributed.DistributedIterationComponent  # noqa: N806
    chance = world.kernel.rng("states.functions")
    ids = world.kernel.rng("states.ids")
    threads = world.stepfunctions.interpreter.threads
    original_parse = asl_parser.AmazonStateLanguageParser.parse

    def parse(definition: str) -> Any:
        text, taken = take_out(definition)
        program, tree = original_parse(text)
        attach(program, taken)
        return program, tree

    def filled(env: Any, template: Any, paths: bool, place: str) -> Any:
        """A template of the state, with its paths or expressions replaced by what they stand for."""
        if isinstance(template, dict):
            out = {}
            for key, value in template.items():
                if paths and key.endswith(".$"):
                    out[key[:-2]] = looked_up(env, value, key)
                else:
                    out[key] = filled(env, value, paths, f"{place}/{key}")
            return out
        if isinstance(template, list):
            return [filled(env, each, paths, f"{place}[{index}]") for index, each in enumerate(template)]
        if not paths and isinstance(template, str) and template.startswith("{%"):
            outer, env.location = env.location, place
            try:
                StringJSONata(template[2:-2])._eval_body(env)
            finally:
                env.location = outer
            return env.stack.pop()
        return template

    def looked_up(env: Any, path: str, field: str) -> Any:
        value = env.states.get_input()
        scope = Scope(value, env.states.context_object.context_object_data, env.variable_store.get, chance)
        if not path.startswith("$"):
            return compile_intrinsic(path)(scope)
        try:
            return copy_json(find(path, scope))
        except NoResult:
            text = f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input"
            raise failure(env, RUNTIME, f"{text} '{json_text(value)}'") from None

    def client(env: Any) -> Any:
        details = env.aws_execution_details
        credentials = StateCredentials(role_arn=details.role_arn)
        return resource_eval_s3.boto_client_for(  # type: ignore[attr-defined]
            region=details.region, service="s3", state_credentials=credentials
        )

    def parameters(env: Any, raw: dict[str, Any], paths: bool, place: str) -> dict[str, Any]:
        field = "Parameters" if paths else "Arguments"
        return dict(filled(env, raw.get(field) or {}, paths, f"{place}/{field}"))

    def whole(
        env: Any, raw: dict[str, Any], field: str, paths: bool, place: str, early: bool = False
    ) -> int | None:
        value = raw.get(field)
        if f"{field}Path" in raw:
            value = looked_up(env, raw[f"{field}Path"], f"{field}Path")
            if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
                shown = value if isinstance(value, str) else json_text(value)
                said = f'The {field}Path field refers to value "{shown}" which is not a valid integer'
                raise failure(env, RUNTIME, f"{said}: {raw[f'{field}Path']}")
            if int(value) < 0 and not early:
                raise failure(env, READER_FAILED, f"field {field} must be positive")
        value = filled(env, value, paths, f"{place}/{field}")
        return int(value) if value is not None else None

    def checked(original: Any) -> Any:
        """What MaxItemsPath refers to is looked at before there is a map run; its sign after, as recorded."""

        def body(self: Any, env: Any) -> None:
            fields, paths = getattr(self, "distributed", _NOTHING)
            config = fields.get("ItemReader", {}).get("ReaderConfig") or {}
            if "MaxItemsPath" in config:
                whole(env, config, "MaxItems", paths, "ItemReader/ReaderConfig", early=True)
            original(self, env)

        return body

    def read(self: Any, env: Any) -> None:
        fields, paths = self.distributed
        raw = fields["ItemReader"]
        config = raw.get("ReaderConfig") or {}
        most = whole(env, config, "MaxItems", paths, "ItemReader/ReaderConfig")
        given = parameters(env, raw, paths, "ItemReader")
        try:
            if raw["Resource"].endswith(":listObjectsV2"):
                items = listed(client(env), given, most)
            else:
                body = client(env).get_object(**given)["Body"]
                items = read_items(body.read().decode("utf-8-sig"), config)
        except Unreadable as error:
            raise failure(env, READER_FAILED, str(error)) from None
        except Unsupported as error:
            raise NotSimulated(f"NotSimulated: states:{error}") from None
        except (NotSimulated, UnicodeDecodeError):
            raise
        except Exception as error:
            raise failure(env, READER_FAILED, str(getattr(error, "message", error))) from error
        env.stack.append(items[:most] if most else items)

    def listed(s3: Any, given: dict[str, Any], most: int | None) -> list[Any]:
        items: list[Any] = []
        while True:
            page = s3.list_objects_v2(**given)
            for each in page.get("Contents", ()):
                shown = {"Etag": each["ETag"]} if "ETag" in each else {}
                items.append({**shown, **{key: plain(value) for key, value in each.items() if key != "ETag"}})
            if not page.get("IsTruncated") or (most and len(items) >= most):
                return items
            given = {**given, "ContinuationToken": page["NextContinuationToken"]}

    def plain(value: Any) -> Any:
        return int(value.timestamp()) if hasattr(value, "timestamp") else value

    def map_run(self: Any, env: Any, eval_input: Any) -> None:
        items = env.stack.pop()
        fields, paths = getattr(self, "distributed", _NOTHING)
        record = eval_input.map_run_record
        record.children = []
        record.items = len(items)
        record.express = fields.get("ExecutionType") == "EXPRESS"
        batcher = fields.get("ItemBatcher")
        if batcher is not None:
            items = batches(env, eval_input, items, batcher, paths)
        pool = JobPool(job_program=self._get_iteration_program(), job_inputs=items)
        most = record.max_concurrency or len(items)
        for _ in range(min(most, len(items))):
            self._launch_worker(env=env, eval_input=eval_input, job_pool=pool)
        pool.await_jobs()
        if exceeded(record):
            cause = "The specified tolerated failure threshold was exceeded"
            raise failure(env, "States.ExceedToleratedFailureThreshold", cause)
        env.stack.append([job.job_output for job in pool.get_closed_jobs()])

    def batches(
        env: Any, eval_input: Any, items: list[Any], batcher: dict[str, Any], paths: bool
    ) -> list[Any]:
        selector = eval_input.item_selector or eval_input.parameters
        chosen = []
        for index, item in enumerate(items):
            if selector is None:
                chosen.append(item)
                continue
            frame = env.open_inner_frame()
            frame.states.context_object.context_object_data["Map"] = {"Item": {"Index": index, "Value": item}}
            frame.states.reset(env.states.get_input())
            frame.stack.append(env.states.get_input())
            selector.eval(frame)
            chosen.append(frame.stack.pop())
            env.delete_frame(frame)
        eval_input.item_selector = eval_input.parameters = None
        head = filled(env, batcher.get("BatchInput"), paths, "ItemBatcher/BatchInput")
        most_items = whole(env, batcher, "MaxItemsPerBatch", paths, "ItemBatcher")
        most_bytes = whole(env, batcher, "MaxInputBytesPerBatch", paths, "ItemBatcher")
        try:
            return cut_batches(chosen, most_items, most_bytes, head)
        except Unreadable as error:
            raise failure(env, RUNTIME, str(error)) from None

    def exceeded(record: Any) -> bool:
        failed = record.item_counter.failed.get() + record.item_counter.timed_out.get()
        return exceeds(
            failed, record.items, record.tolerated_failure_count, record.tolerated_failure_percentage
        )

    def eval_job(self: Any, env: Any, job: Any) -> None:
        record = self._map_run_record
        weight = len(job.job_input["Items"]) if is_batch(job.job_input) else 1
        items, executions = record.item_counter, record.execution_counter
        for counter, amount in ((items, weight), (executions, 1)):
            counter.total.offset(amount)
            counter.running.offset(amount)
        context = env.states.context_object.context_object_data
        context["Map"] = {"Item": {"Index": job.job_index, "Value": job.job_input}}
        env.states.reset(job.job_input)
        env.stack.append(env.states.get_input())
        self._eval_input(env_frame=env)
        env.variable_store._outer_scope.clear()  # a child is an execution of its own
        name = uuid4(ids)
        machine = record.map_state_machine_arn
        value = env.states.get_input()
        resource = "express" if record.express else "execution"
        child: dict[str, Any] = {
            "ExecutionArn": f"{machine.replace(':stateMachine:', f':{resource}:')}:{name}",
            "Input": json_text(value),
            "InputDetails": {"Included": True},
            "Name": name,
        }
        began = world.kernel.now
        context["Execution"] = {
            **context["Execution"],
            "Id": child["ExecutionArn"],
            "Name": name,
            "Input": value,
            "StartTime": iso(began),
        }
        context.pop("Map", None)
        in_time = True
        if record.express:
            env.execution_type = "EXPRESS"
            child["ExecutionArn"] += f":{uuid4(ids)}"
            in_time = threads.within(LONGEST["EXPRESS"], lambda: job.job_program.eval(env), "states.child")
        else:
            job.job_program.eval(env)
        ended = env.program_state()
        failed = isinstance(ended, ProgramError) or not in_time
        if not in_time:
            job.job_output = None
        elif isinstance(ended, ProgramError):
            error: Any = ended.error or {}
            child.update(Cause=error.get("cause", ""), Error=error.get("error", ""))
            job.job_output = None
        else:
            job.job_output = env.states.get_input()
            child.update(Output=json_text(job.job_output), OutputDetails={"Included": True})
        status = "TIMED_OUT" if not in_time else "FAILED" if failed else "SUCCEEDED"
        child.update(
            RedriveCount=0,
            RedriveStatus="REDRIVABLE" if failed else "NOT_REDRIVABLE",
            StartDate=iso(began),
            StateMachineArn=machine,
            Status=status,
            StopDate=iso(world.kernel.now),
        )
        if not failed:
            child["RedriveStatusReason"] = "Execution is SUCCEEDED and cannot be redriven"
        record.children.append(child)
        for counter, amount in ((items, weight), (executions, 1)):
            counter.running.offset(-amount)
            getattr(counter, status.lower()).offset(amount)
            counter.results_written.offset(amount)
        if failed and exceeded(record):
            pool = self._job_pool
            pool._jobs_number -= len(pool._open_jobs)
            pool._open_jobs.clear()

    def inline(original: Any) -> Any:
        def evaluate(self: Any, env: Any) -> None:
            given = env.stack[-1]
            items = len(given.input_items)
            if items:
                most = given.max_concurrency or MOST_INLINE
                given.max_concurrency = min(most, items)
            original(self, env)

        return evaluate

    def is_batch(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get("Items"), list)

    def write(self: Any, env: Any) -> None:
        fields, paths = self.distributed
        raw = fields["ResultWriter"]
        config = raw.get("WriterConfig") or {}
        record = env.map_run_record_pool_manager.get_all()[-1]
        if "Resource" not in raw:
            env.stack.pop()
            env.stack.append(transformed(record.children, config))
            return
        given = parameters(env, raw, paths, "ResultWriter")
        prefix = given.get("Prefix", "")
        prefix += "/" if prefix and not prefix.endswith("/") else ""
        prefix += record.map_run_arn.rpartition(":")[2]
        env.stack.pop()
        s3 = client(env)
        files: dict[str, list[Any]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
        ending = "jsonl" if config.get("OutputType") == "JSONL" else "json"
        for status, shown in files.items():
            children = [child for child in record.children if _FILES[child["Status"]] == status]
            if children:
                body = file_text(transformed(children, config), config).encode()
                key = f"{prefix}/{status}_0.{ending}"
                put(env, s3, given["Bucket"], key, body)
                shown.append({"Key": key, "Size": len(body)})
        manifest = {
            "DestinationBucket": given["Bucket"],
            "MapRunArn": record.map_run_arn,
            "ResultFiles": files,
        }
        key = f"{prefix}/manifest.json"
        put(env, s3, given["Bucket"], key, json_text(manifest).encode())
        where = {"Bucket": given["Bucket"], "Key": key}
        env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": where})

    def put(env: Any, s3: Any, bucket: str, key: str, body: bytes) -> None:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        except NotSimulated:
            raise
        except Exception as error:
            raise failure(env, "States.ResultWriterFailed", str(getattr(error, "message", error))) from error

    quiet = "moto.stepfunctions.parser.asl.parse.preprocessor"
    return [
        (logging.getLogger(quiet), "disabled", True),  # "currently have no effect": now they have
        (asl_parser.AmazonStateLanguageParser, "parse", staticmethod(parse)),
        (Inline, "_eval_body", inline(Inline._eval_body)),
        (Component, "_eval_body", checked(Component._eval_body)),
        (Component, "read", read),
        (Component, "write", write),
        (Component, "_map_run", map_run),
        (processor_worker.DistributedItemProcessorWorker, "_eval_job", eval_job),
        (iterator_worker.DistributedIteratorWorker, "_eval_job", eval_job),
    ]
