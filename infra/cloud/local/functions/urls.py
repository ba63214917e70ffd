"""Function URLs: HTTP(S) endpoints of functions and aliases.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ..constraints import constraint
from ..lineage import root
from ..routes.credentials import Credentials
from ..routes.http import HttpRequest, HttpResponse
from ..routes.signatures import Unsigned, verify
from ..service import Call, Caller, NotSimulated, ServiceError
from .model import Function
from .names import conflict, not_found
from .permissions import Permissions

if TYPE_CHECKING:
    from ..world import World
    from .invocation import Invocation

_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_JSON = {"Content-Type": "application/json"}
_GONE = "The resource you requested does not exist."
_ALIAS = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)"


@dataclasses.dataclass(slots=True)
class FunctionUrl:
    """``qualifier`` is an alias, or empty."""

    function: Function
    qualifier: str
    id: str
    auth: str
    cors: dict[str, Any]
    invoke_mode: str | None
    created: int
    modified: int


class Urls(Permissions):
    """Create, Get, Update, Delete, List, and the requests that come in."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._urls: dict[tuple[str, str], FunctionUrl] = {}

    def _respond(self, function: str, payload: bytes, trace: str) -> Invocation:
        raise NotImplementedError  # Functions does

    def CreateFunctionUrlConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier = self._url_target(call, "Function does not exist")
        if self._live(function.name, qualifier) is not None:
            raise conflict(
                f"Failed to create function url config for [functionArn = {function.arn}]. Error message:  "
                f"FunctionUrlConfig exists for this Lambda function"
            )
        _check(call.params)
        rng = self.kernel.rng("lambda.urls")
        identifier = "".join(rng.choice(_ID_LETTERS) for _ in range(32))
        url = self._urls[function.name, qualifier] = FunctionUrl(
            function,
            qualifier,
            identifier,
            call.params["AuthType"],
            dict(call.params.get("Cors") or {}),
            call.params.get("InvokeMode"),
            self.kernel.now,
            self.kernel.now,
        )
        self.world.http.register(self._host(url), lambda request: self._counted(url, request))
        shown = self._changed(url)
        del shown["LastModifiedTime"]
        return {"$status": 201, **shown}

    def GetFunctionUrlConfig(self, call: Call) -> dict[str, Any]:
        return self._shown(self._found(call))

    def UpdateFunctionUrlConfig(self, call: Call) -> dict[str, Any]:
        url = self._found(call, "Function does not exist")
        _check(call.params)
        url.auth = call.params.get("AuthType", url.auth)
        if "Cors" in call.params:
            url.cors = dict(call.params["Cors"])
        url.invoke_mode = call.params.get("InvokeMode", url.invoke_mode)
        url.modified = self.kernel.now
        return self._changed(url)

    def DeleteFunctionUrlConfig(self, call: Call) -> dict[str, Any]:
        url = self._found(call)
        del self._urls[url.function.name, url.qualifier]
        self.world.http.remove(self._host(url))
        return {"$status": 204}

    def ListFunctionUrlConfigs(self, call: Call) -> dict[str, Any]:
        function = self.functions.get(self.named(call).name)
        if function is None:
            raise not_found("Function does not exist")
        items = [self._shown(url) for url in self._urls.values() if url.function is function]
        return self.page(items, "FunctionUrlConfigs", call)

    # -- parts -----------------------------------------------------------------------------------

    def _url_target(self, call: Call, missing: str = _GONE) -> tuple[Function, str]:
        """The function and alias; ``missing`` is what is said if there is none (recorded from AWS:
        LocalStack's test_lambda_api, test_url_config_exceptions)."""
        qualifier = call.params.get("Qualifier")
        if qualifier is not None and not re.fullmatch(_ALIAS, qualifier):
            raise constraint(qualifier, "qualifier", f"satisfy regular expression pattern: {_ALIAS}")
        reference = self.named(call)
        function, qualifier = self.functions.get(reference.name), reference.qualifier or ""
        if function is None or (qualifier and qualifier not in function.aliases):
            raise not_found(missing)
        return function, qualifier

    def _live(self, name: str, qualifier: str) -> FunctionUrl | None:
        url = self._urls.get((name, qualifier))
        if url is not None and url.function.deleted:
            del self._urls[name, qualifier]
            self.world.http.remove(self._host(url))
            return None
        return url

    def _found(self, call: Call, missing: str = _GONE) -> FunctionUrl:
        function, qualifier = self._url_target(call, missing)
        url = self._live(function.name, qualifier)
        if url is None:
            raise not_found(_GONE)
        return url

    def _host(self, url: FunctionUrl) -> str:
        return f"{url.id}.lambda-url.{self.world.region}.on.aws"

    def _shown(self, url: FunctionUrl) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "FunctionUrl": f"https://{self._host(url)}/",
            "FunctionArn": f"{url.function.arn}:{url.qualifier}" if url.qualifier else url.function.arn,
            "AuthType": url.auth,
            "CreationTime": _time(self, url.created),
            "LastModifiedTime": _time(self, url.modified),
            "InvokeMode": "BUFFERED",
        }
        return {**answer, "Cors": url.cors} if url.cors else answer

    def _changed(self, url: FunctionUrl) -> dict[str, Any]:
        """As a change is answered: without an invoke mode that nobody ever set (recorded: LocalStack's
        test_url_config_lifecycle, test_lambda_update_function_url_config)."""
        shown = self._shown(url)
        if url.invoke_mode is None:
            del shown["InvokeMode"]
        return shown

    def _trace(self) -> str:
        """Of whoever asks: a service's own tasks have no caller."""
        task = self.kernel.current
        return task.context.trace if task is not None and isinstance(task.context, Caller) else ""

    # -- requests --------------------------------------------------------------------------------

    def _counted(self, url: FunctionUrl, request: HttpRequest) -> HttpResponse:
        started = self.kernel.now
        response = self._serve(url, request)
        self.world.journal.record(
            "lambda.url",
            url.function.name,
            actor="lambda",
            duration=self.kernel.now - started,
            trace=self._trace(),
            data={"qualifier": url.qualifier, "status": response.status},
        )
        return response

    def _serve(self, url: FunctionUrl, request: HttpRequest) -> HttpResponse:
        """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""
        headers = request.joined()
        extra = _cors_headers(url.cors, headers.get("origin", ""))
        if request.method == "OPTIONS" and url.cors and "access-control-request-method" in headers:
            return HttpResponse(200, "", {**extra, **_preflight(url.cors)})
        if url.function.deleted:
            return nobody(request)
        signed: Credentials | None = None
        try:
            if url.auth == "AWS_IAM":
                signed = verify(self.world, request, "lambda")
        except Unsigned as error:
            return _refused(error)
        if (url.qualifier and url.qualifier not in url.function.aliases) or not self._allowed(url, signed):
            return _FORBIDDEN
        trace = self._trace()
        event = self._event(url, request, headers, signed)
        if trace:
            event["headers"]["x-amzn-trace-id"] = f"Root={root(trace)}"
        name = f"{url.function.name}:{url.qualifier}" if url.qualifier else url.function.name
        try:
            result = self._respond(name, json.dumps(event).encode(), trace)
        except ServiceError as error:
            if error.status != 429:
                raise
            return HttpResponse(429, '{"Message":"Rate Exceeded."}', {**_JSON, **extra})
        extra["x-amzn-RequestId"] = result.request_id
        if not result.ok:
            return HttpResponse(502, "Internal Server Error", {"Content-Type": "text/plain", **extra})
        response = answer(result.payload.decode() or "null")
        return dataclasses.replace(response, headers={**response.headers, **extra})

    def _allowed(self, url: FunctionUrl, signed: Credentials | None) -> bool:
        """Who signs needs two permissions, since October 2025. Without a signature the policy of the function
        must let everybody invoke the URL; that it allows lambda:InvokeFunction as well, as new URLs need by
        now, is not asked for (as recorded in November 2025: LocalStack's test_lambda_url_invocation).
        https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
        """
        arn = f"{url.function.arn}:{url.qualifier}" if url.qualifier else url.function.arn
        identity = self.world.identity
        by_type: dict[str, str | list[str]] = {"lambda:functionurlauthtype": url.auth}
        if signed is None:
            return identity.anybody_may("lambda:InvokeFunctionUrl", arn, by_type)
        region, by_url = self.world.region, {"lambda:invokedviafunctionurl": "true"}
        return (
            identity.may(signed.caller, "lambda:InvokeFunctionUrl", arn, by_type, region).allowed
            and identity.may(signed.caller, "lambda:InvokeFunction", arn, by_url, region).allowed
        )

    def _event(
        self, url: FunctionUrl, request: HttpRequest, headers: dict[str, str], signed: Credentials | None
    ) -> dict[str, Any]:
        """A request as the function gets it: payload format 2.0."""
        parts = urlsplit(request.url)
        now = self.date()
        query: dict[str, str] = {}
        for key, value in parse_qsl(parts.query, keep_blank_values=True):
            query[key] = f"{query[key]},{value}" if key in query else value
        host = self._host(url)
        cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
        path = parts.path or "/"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": parts.query,
        }
        if cookies:
            event["cookies"] = cookies
        event["headers"] = {
            **headers,
            "content-length": str(len(request.body.encode("utf-8", "surrogateescape"))),
            "host": host,
            "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
            "x-amzn-tls-version": "TLSv1.3",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-forwarded-for": "203.0.113.10",
        }
        if query:
            event["queryStringParameters"] = query
        event["requestContext"] = {
            "accountId": "anonymous" if signed is None else self.world.account,
            "apiId": url.id,
            **({"authorizer": {"iam": signed.shown()}} if signed is not None else {}),
            "domainName": host,
            "domainPrefix": url.id,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.10",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": self.new_id(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": self.kernel.now // 1000,
        }
        if request.body:
            kind = headers.get("content-type", "")
            is_text = kind.startswith(("text/", "application/json", "application/xml", "application/java"))
            raw = request.body.encode("utf-8", "surrogateescape")
            event["body"] = request.body if is_text else base64.b64encode(raw).decode()
            event["isBase64Encoded"] = not is_text
        else:
            event["isBase64Encoded"] = False
        return event


def nobody(request: HttpRequest) -> HttpResponse:
    """Answers at the addresses of no URL (recorded: LocalStack's test_lambda_url_non_existing_url)."""
    return HttpResponse(403, '{"Message":null}', {**_JSON, "x-amzn-ErrorType": _DENIED})


def _refused(error: Unsigned) -> HttpResponse:
    """Without any signature Lambda says Forbidden, else what is wrong with it."""
    if error.code == "MissingAuthenticationTokenException":
        return _FORBIDDEN
    body = json.dumps({"message": error.message}, separators=(",", ":"))
    return HttpResponse(403, body, {**_JSON, "x-amzn-ErrorType": error.code})


_DENIED = "AccessDeniedException"
_FORBIDDEN = HttpResponse(
    403,
    '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: '
    'https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}',
    {**_JSON, "x-amzn-ErrorType": _DENIED},
)
"""Recorded in November 2025: LocalStack's test_lambda_permission_url_invocation, and the one of an alias that
was deleted."""


def _time(urls: Urls, micros: int) -> str:
    return urls.date(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _check(params: dict[str, Any]) -> None:
    if params.get("AuthType", "NONE") not in ("NONE", "AWS_IAM"):
        raise constraint(params["AuthType"], "authType", "satisfy enum value set: [NONE, AWS_IAM]")
    mode = params.get("InvokeMode", "BUFFERED")
    if mode not in ("RESPONSE_STREAM", "BUFFERED"):
        raise constraint(mode, "invokeMode", "satisfy enum value set: [RESPONSE_STREAM, BUFFERED]")
    if mode != "BUFFERED":
        raise NotSimulated("NotSimulated: function URL InvokeMode RESPONSE_STREAM - no response is streamed")


def answer(payload: str) -> HttpResponse:
    """The HTTP response that a function's result stands for; what is no text is the body as it was written.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload; recorded:
    LocalStack's test_lambda_url_invocation.
    """
    result = json.loads(payload)
    if not (isinstance(result, dict) and "statusCode" in result):
        return HttpResponse(200, result if isinstance(result, str) else payload, _JSON)
    body = result.get("body") or ""
    text = body if isinstance(body, str) else json.dumps(body)
    if result.get("isBase64Encoded"):
        text = base64.b64decode(text).decode("utf-8", "surrogateescape")
    headers = {str(name): str(value) for name, value in (result.get("headers") or {}).items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers.update(_JSON)
    cookies = tuple(("Set-Cookie", str(cookie)) for cookie in result.get("cookies") or ())
    return HttpResponse(int(result["statusCode"]), text, headers, cookies)


def _cors_headers(cors: dict[str, Any], origin: str) -> dict[str, str]:
    origins = cors.get("AllowOrigins") or []
    if not origin or not ("*" in origins or origin in origins):
        return {}
    headers = {"Access-Control-Allow-Origin": origin if origin in origins else "*"}
    if cors.get("AllowCredentials"):
        headers["Access-Control-Allow-Credentials"] = "true"
    if cors.get("ExposeHeaders"):
        headers["Access-Control-Expose-Headers"] = ",".join(cors["ExposeHeaders"])
    return headers


def _preflight(cors: dict[str, Any]) -> dict[str, str]:
    headers = {
        "Access-Control-Allow-Methods": ",".join(cors.get("AllowMethods") or []),
        "Access-Control-Allow-Headers": ",".join(cors.get("AllowHeaders") or []),
    }
    if cors.get("MaxAge"):
        headers["Access-Control-Max-Age"] = str(cors["MaxAge"])
    return headers
