"""What is behind a route: a function, an HTTP endpoint, or an AWS service.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from ...kernel import MILLISECOND
from ...service import ServiceError
from ..http import HttpRequest, HttpResponse, Unreachable
from .events import About, MalformedAnswer, all_headers, answer, event
from .functions import Failed, caller_for, invoke
from .mapping import Outgoing, apply
from .matching import DEFAULT
from .model import Shown
from .request import SOURCE_IP, Incoming, Variables
from .subtypes import SUBTYPES, BadParameters, answered

if TYPE_CHECKING:
    from ...world import World

_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "upgrade")


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` is what access logs show as $context.integrationErrorMessage."""

    response: HttpResponse
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Errand:
    """One request for one integration. ``source_arn`` is what a function's policy is asked for."""

    integration: Shown
    request: Incoming
    about: About
    variables: Variables
    source_arn: str


def failed(status: int, error: str = "") -> Outcome:
    said = _SAID[status]
    return Outcome(HttpResponse(status, json.dumps({"message": said}, separators=(",", ":")), _JSON), error)


LARGEST_EVENT = 6 * 1024 * 1024
"""Bytes that Lambda takes in a synchronous invocation."""
_JSON = {"content-type": "application/json"}
_SAID = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Integrations:
    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel

    def run(self, errand: Errand) -> Outcome:
        """Wait for the integration, for as long as it may take. What began goes on behind a timeout."""
        kernel, found = self._kernel, list[Outcome | BaseException]()
        done = kernel.event("an integration")

        def work() -> None:
            try:
                found.append(self._work(errand))
            except Exception as error:  # noqa: BLE001 - raised again below
                found.append(error)
            done.set()

        task = kernel.current
        kernel.spawn(work, name="apigateway.integration", context=task.context if task else None)
        if not done.wait(errand.integration["TimeoutInMillis"] * MILLISECOND):
            return failed(503, "The integration timed out")
        outcome = found[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return self._mapped(errand, outcome)

    def _work(self, errand: Errand) -> Outcome:
        integration = errand.integration
        if "IntegrationSubtype" in integration:
            return self._service(errand)
        if integration["IntegrationType"] == "HTTP_PROXY":
            return self._endpoint(errand)
        return self._function(errand)

    def _mapped(self, errand: Errand, outcome: Outcome) -> Outcome:
        response = outcome.response
        mappings = (errand.integration.get("ResponseParameters") or {}).get(str(response.status))
        if not mappings:
            return outcome
        headers = {name.lower(): value for name, value in response.headers.items()}
        errand.variables.response = {"headers": headers, "body": response.body}
        outgoing = Outgoing(dict(headers), [], status=response.status)
        apply(mappings, errand.variables, outgoing)
        changed = dataclasses.replace(response, status=outgoing.status, headers=outgoing.headers)
        return dataclasses.replace(outcome, response=changed)

    # -- functions -------------------------------------------------------------------------------

    def _function(self, errand: Errand) -> Outcome:
        integration, version = errand.integration, errand.integration["PayloadFormatVersion"]
        request = errand.request
        mappings = integration.get("RequestParameters")
        if mappings:
            outgoing = Outgoing(dict(request.headers), request.query)
            apply(mappings, errand.variables, outgoing)
            request = dataclasses.replace(
                request,
                headers=outgoing.headers,
                query_string=urlencode(outgoing.query),
                path=outgoing.path or request.path,
            )
        payload = json.dumps(event(request, errand.about, version), separators=(",", ":")).encode()
        if len(payload) > LARGEST_EVENT:
            return failed(413)
        uri = errand.variables.fill(integration["IntegrationUri"]) or ""
        role = integration.get("CredentialsArn", "")
        try:
            result = invoke(self._world, uri, payload, errand.source_arn, role, errand.about.trace)
            return Outcome(answer(result, version))
        except Failed as error:
            return failed(503 if error.throttled else 500, str(error))
        except MalformedAnswer as error:
            return failed(500, f"The response from the Lambda function doesn't match the format: {error}")

    # -- HTTP endpoints --------------------------------------------------------------------------

    def _endpoint(self, errand: Errand) -> Outcome:
        integration, request = errand.integration, errand.request
        url = self._url(errand)
        parts = urlsplit(url)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        if "iam" in errand.about.authorizer:
            headers.pop("authorization", None)
        query = [*request.query]
        outgoing = Outgoing(headers, query)
        apply(integration.get("RequestParameters") or {}, errand.variables, outgoing)
        sent = outgoing.headers
        sent["host"] = parts.netloc
        sent["forwarded"] = f"for={SOURCE_IP};host={request.host};proto=https"
        sent["via"] = "HTTP/1.1 AmazonAPIGateway"
        sent["x-amzn-trace-id"] = all_headers(request, errand.about)["x-amzn-trace-id"]
        if request.body:
            sent["content-length"] = str(len(request.body.encode("utf-8", "surrogateescape")))
        path = quote(outgoing.path, safe="/%") if outgoing.path else parts.path
        joined = "&".join(each for each in (parts.query, urlencode(outgoing.query)) if each)
        target = f"{parts.scheme}://{parts.netloc}{path or '/'}" + (f"?{joined}" if joined else "")
        method = integration["IntegrationMethod"]
        method = request.method if method == "ANY" else method
        try:
            got = self._world.http.send(
                HttpRequest(method, target, sent, request.body), actor="apigateway", trace=errand.about.trace
            )
        except Unreachable as error:
            return failed(503, str(error))
        kept = {name.lower(): value for name, value in got.headers.items() if name.lower() not in _HOP}
        return Outcome(dataclasses.replace(got, headers=kept))

    def _url(self, errand: Errand) -> str:
        """With the path variables filled in; behind ``$default`` the request's path is appended."""
        url = errand.variables.fill(errand.integration["IntegrationUri"]) or ""
        if errand.about.route_key == DEFAULT:
            return url.rstrip("/") + quote(errand.variables.path, safe="/")
        parameters = errand.variables.path_parameters

        def value(found: re.Match[str]) -> str:
            return quote(parameters.get(found[1], ""), safe="/")

        return re.sub(r"\{([\w.:-]+)\+?\}", value, url)

    # -- AWS services ----------------------------------------------------------------------------

    def _service(self, errand: Errand) -> Outcome:
        """An error of the service is a 500 (recorded from AWS); what is not there for a mapping is a 400."""
        integration, world = errand.integration, self._world
        subtype = SUBTYPES[integration["IntegrationSubtype"]]
        given = {}
        for name, template in integration["RequestParameters"].items():
            value = errand.variables.fill(template)
            if not value:
                return failed(400, f"Unable to resolve {name} from {template}")
            given[name] = value
        try:
            service, operation, params = subtype.make(given)
        except BadParameters as error:
            return failed(400, str(error))
        try:
            role = caller_for(world, integration["CredentialsArn"], errand.source_arn, errand.about.trace)
            result = world.call(service, operation, params, role, region=given.get("Region"))
        except (ServiceError, Failed) as error:
            return failed(500, str(error))
        request_id = world.wire.request_id()
        kind, body = answered(service, operation, result, request_id)
        return Outcome(HttpResponse(200, body, {"content-type": kind, "x-amzn-requestid": request_id}))
