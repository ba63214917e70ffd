"""The only place that knows moto: its state, its HTTP imitation (the long way), its handlers (the short way).

The long way is botocore unchanged: a real request is built, signed, and handed to moto instead of a socket.
The short way calls the same moto handler with the same parameters and skips building, signing, routing and
parsing HTTP. It exists for DynamoDB's data operations, where it is ten times faster; errors still go
through moto's serializer and botocore's parser, and tests prove that both ways answer alike.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.model import OperationModel
from botocore.parsers import create_parser
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.exceptions import ServiceException
from moto.core.model_instances import reset_model_data
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler
from moto.moto_api._internal import mock_random
from werkzeug.exceptions import HTTPException

from .access import managed_policies
from .service import NotSimulated, ServiceError

SHORT: dict[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        }
    )
}
"""Operations that take the short way."""

ANSWERED = frozenset(
    {
        "dynamodb",
        "iam",
        "kms",
        "resourcegroupstaggingapi",
        "s3",
        "sts",
    }
)
"""Services whose API moto answers here. Each keeps state and has nobody to deliver to, so what moto says is
all there is to it. A service that delivers (EventBridge, SNS …) must be simulated or it says NotSimulated."""


# moto tells its backends apart by a uuid4, and one that is imported inside a task draws it from the world's
# seed: two of them, first used in two worlds, would be taken for one, and one of them never be reset.
setattr(BackendDict, "__eq__", object.__eq__)  # noqa: B010 - mypy refuses the plain assignment
setattr(BackendDict, "__hash__", object.__hash__)  # noqa: B010


class Moto:
    """moto's backends as the local cloud uses them."""

    def __init__(self, seed: int, account: str) -> None:
        self.account = account
        self._stubber = BotocoreStubber()
        self._actions: dict[str, Callable[[DynamoHandler], ActionResult]] = {}
        self.reset()
        managed_policies.load_on_demand()
        self.reseed(seed)

    @staticmethod
    def reseed(seed: int) -> None:
        """Draw ids from another seed from here on."""
        mock_random.seed(seed)

    @staticmethod
    def reset() -> None:
        """Forget everything every backend holds."""
        BackendDict.reset()
        reset_model_data()

    def send(self, request: AWSPreparedRequest, service: str, operation: str, region: str) -> AWSResponse:
        """The long way: answer a prepared HTTP request."""
        try:
            answer = self._stubber.process_request(request)
        except NotSimulated:
            raise
        except NotImplementedError as error:
            raise NotSimulated(f"NotSimulated: {service}:{operation} - moto does not implement it") from error
        except ValueError as error:
            if service == "dynamodb":
                raise _malformed_expression(error) from error
            raise
        if answer is None or (answer[0] == 404 and answer[2] == "Not yet implemented"):
            raise NotSimulated(f"NotSimulated: {service}:{operation} - moto does not implement it")
        status, headers, body = answer
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    def act(
        self, operation: OperationModel, params: dict[str, Any], region: str
    ) -> tuple[int, dict[str, Any]]:
        """The short way: status and what botocore's parser would have returned (without ResponseMetadata)."""
        name = operation.name
        handler = DynamoHandler()
        # A JSON round trip is a private copy in moto's terms: blobs are base64 text, as in a real body.
        handler.body = json.loads(json.dumps(params, default=_blob))
        handler.region = region
        handler.current_account = self.account
        handler.response_headers = {}
        action = self._actions.get(name)
        if action is None:
            action = self._actions[name] = getattr(DynamoHandler, _snake(name))
        try:
            result = action(handler).result
        except ServiceException as error:
            handler.headers = {"X-Amz-Target": f"DynamoDB_20120810.{name}", "Content-Type": _JSON}
            handler.querystring = {}
            status, headers, body = handler.serialized(ActionResult(error))
            return int(status), _parse_error(operation, int(status), headers, str(body))
        except ValueError as error:
            raise _malformed_expression(error) from error
        except HTTPException as error:
            code = int(error.code or 400)
            return code, _parse_error(
                operation, code, dict(error.get_headers() or []), str(error.description)
            )
        if not result:
            return 200, {}
        parsed = _PARSER._parse_shape(operation.output_shape, json.loads(json.dumps(result, default=_blob)))
        return 200, parsed


_JSON = "application/x-amz-json-1.0"
_PARSER = create_parser("json")


def _parse_error(
    operation: OperationModel, status: int, headers: dict[str, Any], body: str
) -> dict[str, Any]:
    """An error as botocore parses it: once for its code, once more for the members its shape adds."""
    response = {"status_code": status, "headers": headers, "body": body.encode()}
    parsed: dict[str, Any] = _PARSER.parse(response, operation.output_shape)
    shape = operation.service_model.shape_for_error_code(parsed["Error"]["Code"])
    if shape is not None:
        parsed.update(_PARSER.parse(response, shape))
    parsed.pop("ResponseMetadata", None)
    return parsed


def _malformed_expression(error: ValueError) -> ServiceError:
    """moto's condition parser raises a bare ValueError where DynamoDB answers ValidationException."""
    return ServiceError("ValidationException", f"Invalid ConditionExpression: Syntax error; {error}")


def _blob(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no place in a DynamoDB request")


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
