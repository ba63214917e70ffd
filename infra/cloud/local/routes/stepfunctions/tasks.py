"""The interpreter's Task states, made to call services the way ``integrations.py`` says.

Nothing is polled: a task that waits for another execution or for its token waits for an event.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...service import NotSimulated
from ...tasks import TaskKilled
from . import http_task, integrations
from .attribute_values import typed
from .casing import from_api, to_api
from .integrations import CallFailed, SdkClientFailed
from .language import failures
from .names import unqualified

if TYPE_CHECKING:
    from ...world import World

Patch = tuple[Any, str, Any]


def patches(world: World) -> list[Patch]:
    """What is replaced in the interpreter's Task states."""
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
        FailureEvent,
        FailureEventException,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import (
        lambda_eval_utils,
        state_task_activitiy,
        state_task_factory,
        state_task_lambda,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_aws_sdk,
        state_task_service_callback,
        state_task_service_dynamodb,
        state_task_service_events,
        state_task_service_lambda,
        state_task_service_sfn,
        state_task_service_sns,
        state_task_service_sqs,
    )
    from moto.stepfunctions.parser.asl.eval.callback import callback

    client_for = integrations.client_maker(world)
    callback_base = state_task_service_callback.StateTaskServiceCallback
    sdk = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    functions = state_task_service_lambda.StateTaskServiceLambda
    machines = state_task_service_sfn.StateTaskServiceSfn
    optimized = [
        functions,
        machines,
        state_task_service_dynamodb.StateTaskServiceDynamoDB,
        state_task_service_events.StateTaskServiceEvents,
        state_task_service_sns.StateTaskServiceSns,
        state_task_service_sqs.StateTaskServiceSqs,
    ]

    def made_event(env: Any, error: str, kind: str, details: Any) -> FailureEvent:
        return FailureEvent(env, CustomErrorName(error), HistoryEventType(kind), details)

    def failure(self: Any, env: Any, error: str, cause: str | None) -> Any:
        details: dict[str, Any] = {
            "error": error,
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
        }
        if cause is not None:
            details["cause"] = cause
        return made_event(env, error, "TaskFailed", {"taskFailedEventDetails": details})

    def from_error(original: Any) -> Any:
        def translate(self: Any, env: Any, ex: Exception) -> Any:
            if isinstance(ex, CallFailed):
                service = self.resource.service_name
                if service == "aws-sdk":
                    return failure(self, env, *integrations.sdk_error(self.resource.api_name, ex))
                return failure(self, env, *integrations.optimized_error(service, ex))
            if isinstance(ex, SdkClientFailed):
                prefix = "Sqs" if self.resource.service_name == "aws-sdk" else "SQS"
                return failure(self, env, f"{prefix}.SdkClientException", str(ex))
            if isinstance(ex, state_task_service_events.SfnFailedEntryCountException):
                cause = json.dumps(
                    dict(sorted((ex.cause or {}).items())), separators=(",", ":"), ensure_ascii=False
                )
                return failure(self, env, "EventBridge.FailedEntry", cause)
            if isinstance(ex, NotSimulated):
                return failure(self, env, "NotSimulated", str(ex))
            if isinstance(ex, lambda_eval_utils.LambdaFunctionErrorException):
                return failure(self, env, *integrations.function_error(ex.payload, compact=True))
            return original(self, env=env, ex=ex)

        return translate

    def lambda_from_error(original: Any) -> Any:
        def translate(self: Any, env: Any, ex: Exception) -> Any:
            if isinstance(ex, CallFailed | lambda_eval_utils.LambdaFunctionErrorException):
                if isinstance(ex, CallFailed):
                    error, cause = integrations.optimized_error("lambda", ex)
                else:
                    error, cause = integrations.function_error(ex.payload, compact=False)
                details = {"lambdaFunctionFailedEventDetails": {"error": error, "cause": cause}}
                return made_event(env, error, "LambdaFunctionFailed", details)
            return original(self, env=env, ex=ex)

        return translate

    def eval_sdk(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        service = integrations.sdk_service(self.resource.api_name)
        client = client_for(resource_runtime_part.region, service, state_credentials)
        operation = client.operation(self.resource.api_action)
        model = client.model.operation_model(operation)
        params = to_api(normalised_parameters, model.input_shape)
        answer = dict(client.call(operation, params))
        answer.pop("ResponseMetadata", None)
        env.stack.append(from_api(answer, model.output_shape))

    def eval_optimized(original: Any) -> Any:
        def evaluate(self: Any, env: Any, **parts: Any) -> None:
            service = self.resource.service_name
            if service == "dynamodb":
                parts["normalised_parameters"] = typed(parts["normalised_parameters"])
            original(self, env=env, **parts)
            env.stack.append(integrations.with_metadata(world, service, env.stack.pop()))

        return evaluate

    def eval_machines(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = client_for(resource_runtime_part.region, "stepfunctions", state_credentials)
        operation = client.operation(self.resource.api_action)
        model = client.model.operation_model(operation)
        answer = dict(client.call(operation, to_api(normalised_parameters, model.input_shape)))
        answer.pop("ResponseMetadata", None)
        env.stack.append(shown(answer, model.output_shape))

    def sync_resolver(parse: bool) -> Any:
        """Wait for the execution that was started, then look once."""

        def build(
            self: Any,
            env: Any,
            resource_runtime_part: Any,
            normalised_parameters: Any,
            state_credentials: Any,
        ) -> Any:
            arn = env.stack.pop()["ExecutionArn"]
            execution = world.stepfunctions.executions[arn]

            def resolve() -> Any:
                try:
                    execution.over.wait()
                except TaskKilled:  # its parent is over, and takes it along
                    execution.stop("ABORTED")
                    raise
                client = client_for(resource_runtime_part.region, "stepfunctions", state_credentials)
                answer = dict(client.call("DescribeExecution", {"executionArn": arn}))
                answer.pop("ResponseMetadata", None)
                result = shown(answer, client.model.operation_model("DescribeExecution").output_shape)
                if parse:
                    for key in ("Input", "Output"):
                        if key in result:
                            result[key] = json.loads(result[key])
                if result["Status"] == "SUCCEEDED":
                    return result
                cause = json.dumps(result, separators=(",", ":"), ensure_ascii=False)
                raise FailureEventException(failure_event=failure(self, env, "States.TaskFailed", cause))

            return resolve

        return build

    def wait_sync(self: Any, env: Any, sync_resolver: Any, **others: Any) -> Any:
        return sync_resolver()

    def eval_http(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        role = state_credentials.role_arn
        env.stack.append(http_task.invoke(world, normalised_parameters, unqualified(machine), role))

    def http_from_error(original: Any) -> Any:
        def translate(self: Any, env: Any, ex: Exception) -> Any:
            if isinstance(ex, http_task.HttpFailed):
                return failure(self, env, ex.error, ex.cause)
            return original(self, env=env, ex=ex)

        return translate

    def task_service_for(original: Any) -> Any:
        def make(service_name: str) -> Any:
            if service_name in integrations.REFUSED:
                shown = integrations.REFUSED[service_name]
                raise NotSimulated(
                    f"NotSimulated: arn:aws:states:::{service_name} - the local cloud has no {shown}"
                )
            if service_name == "http":
                return http_task.task_class()()
            return original(service_name)

        return make

    def spent(original: Any) -> Any:
        def interrupt_all(self: Any) -> None:
            original(self)
            world.stepfunctions.spend(self.callback_id)

        return interrupt_all

    def eval_activity(original: Any) -> Any:
        def evaluate(self: Any, env: Any) -> None:
            arn = self.resource.resource_arn
            if arn not in world.stepfunctions.activities:
                raise failures.failure(env, failures.RUNTIME, f"The activity {arn} does not exist.")
            original(self, env)

        return evaluate

    def invoke(env: Any, parameters: Any, region: str, state_credentials: Any) -> None:
        client = client_for(region, "lambda", state_credentials)
        answer = dict(client.call("Invoke", parameters))
        answer.pop("ResponseMetadata", None)
        text = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            raise lambda_eval_utils.LambdaFunctionErrorException(answer["FunctionError"], text)
        try:
            answer["Payload"] = json.loads(text)
        except ValueError:
            answer["Payload"] = text
        env.stack.append(answer)

    made: list[Patch] = [
        (sdk, "_from_error", from_error(sdk._from_error)),
        (sdk, "_eval_service_task", eval_sdk),
        (machines, "_eval_service_task", eval_machines),
        (machines, "_build_sync_resolver", sync_resolver(parse=False)),
        (machines, "_build_sync2_resolver", sync_resolver(parse=True)),
        (callback_base, "_eval_sync", wait_sync),
        (
            state_task_activitiy.StateTaskActivity,
            "_eval_execution",
            eval_activity(state_task_activitiy.StateTaskActivity._eval_execution),
        ),
        (
            state_task_lambda.StateTaskLambda,
            "_from_error",
            lambda_from_error(state_task_lambda.StateTaskLambda._from_error),
        ),
        (lambda_eval_utils, "execute_lambda_function_integration", invoke),
        (callback.CallbackEndpoint, "interrupt_all", spent(callback.CallbackEndpoint.interrupt_all)),
    ]
    http = http_task.task_class()
    made += [
        (http, "_eval_service_task", eval_http),
        (http, "_from_error", http_from_error(from_error(http._from_error))),
    ]
    for kind in optimized:
        made.append((kind, "_from_error", from_error(kind._from_error)))
    for kind in optimized:
        evaluate = eval_machines if kind is machines else kind._eval_service_task
        made.append((kind, "_eval_service_task", eval_optimized(evaluate)))
    make = task_service_for(vars(state_task_factory)["state_task_service_for"])
    made.append((state_task_factory, "state_task_service_for", make))
    return made


def shown(answer: dict[str, Any], shape: Any) -> Any:
    """An answer of Step Functions' own integration: its times are milliseconds since the epoch.

    Its members are in the order of their names, as recorded.
    """
    times = {
        key: round(each.timestamp() * 1000) for key, each in answer.items() if hasattr(each, "timestamp")
    }
    return dict(sorted(from_api({**answer, **times}, shape).items()))
