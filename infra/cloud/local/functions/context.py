"""The context object that a Python handler gets, with the attributes and the repr of Lambda's own.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html; shapes as in awslambdaric's
lambda_context.py (github.com/aws/aws-lambda-python-runtime-interface-client, read 2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..kernel import Kernel

_W3C = ("traceparent", "tracestate", "baggage")


class _Fields:
    """An object whose attributes are ``__slots__``, each None unless given."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, values: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}([{','.join(f'{name}={getattr(self, name)}' for name in self.__slots__)}])"
        )


class CognitoIdentity(_Fields):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Fields):
    __slots__ = (  # noqa: RUF023 - the order of the repr
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )


class ClientContext(_Fields):
    __slots__ = ("custom", "env", "client")  # noqa: RUF023 - the order of the repr
    client: Client | None


class LambdaContext:
    """Made for each invocation. ``deadline_us`` is the virtual time at which the invocation times out."""

    def __init__(
        self,
        kernel: Kernel,
        variables: dict[str, str],
        request_id: str,
        deadline_us: int,
        invoked_arn: str,
        client_context: dict[str, Any] | None,
        identity: dict[str, Any] | None,
    ) -> None:
        self.aws_request_id = request_id
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.function_version = variables["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = invoked_arn
        self.tenant_id: str | None = None
        self._w3c_fields: dict[str, str] = {}
        self.client_context: ClientContext | None = None
        if client_context is not None:
            w3c = client_context.get("w3c")
            if isinstance(w3c, dict):
                self._w3c_fields = {key: w3c[key] for key in _W3C if isinstance(w3c.get(key), str)}
            self.client_context = ClientContext(client_context)
            client = client_context.get("client")
            self.client_context.client = None if client is None else Client(client)
        given = identity or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": given.get("cognitoIdentityId"),
                "cognito_identity_pool_id": given.get("cognitoIdentityPoolId"),
            }
        )
        self._kernel = kernel
        self._deadline_ms = deadline_us // 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time until the invocation times out."""
        return max(self._deadline_ms - self._kernel.now // 1000, 0)

    def w3c(self) -> dict[str, str]:
        """The W3C trace context that came with the client context."""
        return dict(self._w3c_fields)

    def log(self, message: object) -> None:
        """Write to the function's log."""
        print(message, end="")

    def __repr__(self) -> str:
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"
