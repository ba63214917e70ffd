"""Mapping templates, parameter mappings and the choice of an integration response: pure functions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.routes.apigateway.mappings import (
    filled_uri,
    integration_request,
    mapped,
    method_response,
)
from infra.cloud.local.routes.apigateway.model import (
    GatewayFailure,
    IntegrationRequest,
    IntegrationResponse,
    MethodResponse,
    Rendered,
)
from infra.cloud.local.routes.apigateway.templates import escape_java_script, render
from infra.cloud.local.routes.apigateway.validation import body_problems
from infra.cloud.local.service import NotSimulated
from tests.unit.api_exchange import exchange

AGENT = {"Accept": ("application/json",), "User-Agent": ("AmazonAPIGateway_api1234567",)}


@pytest.mark.parametrize("wrong", ["%", "%4", "%zz", "100%"])
def test_a_percent_sign_alone_cannot_be_decoded(wrong: str) -> None:
    """As java.net.URLDecoder: compared on OpenJDK 17."""
    with pytest.raises(GatewayFailure):
        text("$util.urlDecode($input.body)", wrong)


@pytest.mark.parametrize("name", ["$input", "$util", '"$input"'])
def test_objects_of_java_have_no_text(name: str) -> None:
    with pytest.raises(NotSimulated):
        text(f"#set($x = {name})$x")


@pytest.mark.parametrize("regex", [r"\p{L}", "[a-z&&[^b]]", "[[:alpha:]]"])
def test_regular_expressions_that_python_reads_otherwise_are_refused_by_name(regex: str) -> None:
    with pytest.raises(NotSimulated):
        text(f"$input.body.replaceAll('{regex}', '')", "abc")


def text(template: str, body: str = "", **request: Any) -> str:
    return render(template, body, exchange(body=body, **request)).text


def answer(body: str = "{}", matched: str = "200", **headers: str) -> IntegrationResponse:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return IntegrationResponse(200, named, body.encode(), matched)


def failure(**request: Any) -> tuple[str, str, int]:
    with pytest.raises(GatewayFailure) as found:
        integration_request(exchange(**request), ())
    return found.value.kind, found.value.message, found.value.status


# -- templates -------------------------------------------------------------------------------------------


def test_the_input_is_read_as_json_and_what_is_missing_is_empty() -> None:
    body = '{"a": {"b": [1, 2.5, null]}, "t": "x\\"y", "n": null, "ü": "é"}'
    assert text("$input.json('$')", body) == '{"a":{"b":[1,2.5,null]},"t":"x\\"y","n":null,"ü":"é"}'
    assert text("$input.json('$.t') $input.path('$.t')", body) == '"x\\"y" x"y'
    assert text("$input.json('$.none')|$input.path('$.none')|$input.path('$.n')", body) == '""||'
    assert text("$input.json('$.a.b[1]') $input.path('$.a.b').size() $input.path('$.a')", body) == (
        "2.5 3 {b=[1,2.5,null]}"
    )
    assert text("$input.body|$input.json('$')") == "{}|{}"


def test_what_templates_in_the_field_do() -> None:
    put = "#set($b = $input.path('$'))#set($x = $b.put('id', $context.id))$input.json('$')"
    assert text(put, '{"a": 1}', context={"id": "c"}) == '{"a":1,"id":"c"}'
    assert text("#set($Integer = 0)#set($n = $Integer.parseInt('5'))$n#if($n > 4)!#end") == "5!"
    assert text("#if(!$input.body.empty)some#end#if($input.params('x').empty) none#end") == "some none"
    assert text("$input.path('$.arn').split(':')[2]", '{"arn": "a:b:c"}') == "c"
    assert text("#foreach($i in [1..9])#if($i == 3)#break#end$i#end") == "12"
    assert len(text("#foreach($i in [1..2000000000])x#end#break y")) == 1000
    assert text("#foreach($v in $input.path('$'))$v;#end", '{"a": 1, "b": "x"}') == "1;x;"
    assert text("#[[ $a #if ]]#|$input.path('$.a')", '{"a": 1e10}') == " $a #if |1.0E10"


def test_a_body_that_is_no_json_matters_only_where_it_is_read_as_json() -> None:
    assert text("MessageBody=$input.body", "<xml>Hello</xml>") == "MessageBody=<xml>Hello</xml>"
    assert text("$input.path('$').split('&').get(1) $input.json('$') $input.path('$.a')", "a=1&b=2") == (
        'b=2 "a=1&b=2" '
    )
    with pytest.raises(GatewayFailure) as found:
        text("$input.json('$')", "{a")
    assert (found.value.kind, found.value.status) == ("DEFAULT_4XX", 400)


def test_params_look_in_the_path_then_the_query_string_then_the_headers() -> None:
    request: dict[str, Any] = {
        "path": {"a": "p"},
        "query": {"a": ["q"], "b": ["1", "2"]},
        "headers": {"a": ["h"], "b": ["h"], "X-One": ["h"]},
    }
    assert text("$input.params('a') $input.params('b') $input.params('x-one')", **request) == "p 2 h"
    assert text("[$input.params('none')] $input.params().header.X-One", **request) == "[] h"
    assert text("#if($input.params('none'))set#end#if($input.params('none') == '')empty#end") == "setempty"


def test_util() -> None:
    assert escape_java_script('it\'s "a/b"\n\\é\x01') == 'it\\\'s \\"a\\/b\\"\\n\\\\\\u00E9\\u0001'
    assert escape_java_script("😀") == "\\uD83D\\uDE00"
    assert text("$util.urlEncode('a b&c=d+é*~')") == "a+b%26c%3Dd%2B%C3%A9*%7E"
    assert text("$util.base64Decode($util.base64Encode('grün'))") == "grün"
    assert (
        text("$util.parseJson($input.body).a.b $util.parseJson('[1,2]')", '{"a": {"b": true}}')
        == "true [1,2]"
    )


@pytest.mark.parametrize(
    "broken",
    [
        "#if(true",
        "$util.parseJson('{')",
        "#foreach($x in",
        "${a",
        "$input.body.charAt(9)",
        "#set($a)",
        "$input.body.substring(1, 9)",
        "$input.body.matches('(')",
    ],
)
def test_a_template_that_fails_is_an_internal_server_error(broken: str) -> None:
    with pytest.raises(GatewayFailure) as found:
        text(broken)
    assert (found.value.kind, found.value.status) == ("DEFAULT_5XX", 500)


def test_pythons_own_attributes_are_out_of_reach() -> None:
    assert text("[$util.methods][$context.items()][$context.keys][$input.members][$input.body.encode()]") == (
        "[][][][][]"
    )


def test_overrides() -> None:
    template = """#set($context.requestOverride.header.X-Amz-Target = "AWSEvents.PutEvents")
#set($context.requestOverride.querystring.q = 5)
#set($context.requestOverride.path.id = $input.path('$.id'))
#set($context.responseOverride.status = 202)
#set($context.responseOverride.header.Location = "/x")
#set($context.responseOverride.header.Set-Cookie = ["a=1", "b=2"])
text"""
    assert render(template, '{"id": "7"}', exchange()) == Rendered(
        "text",
        request_headers={"X-Amz-Target": ("AWSEvents.PutEvents",)},
        request_query={"q": ("5",)},
        request_path={"id": "7"},
        response_status=202,
        response_headers={"Location": ("/x",), "Set-Cookie": ("a=1", "b=2")},
    )
    for ignored in ('"202"', "99", "600", "$none"):
        template = f"#set($context.responseOverride.status = {ignored})"
        assert render(template, "", exchange()).response_status is None
    twice = "#set($context.responseOverride.status = 202)#set($context.responseOverride.status = 200)"
    with pytest.raises(GatewayFailure):
        text(twice)


# -- the request -----------------------------------------------------------------------------------------


def test_parameters_come_from_the_request_the_context_the_stage_and_literals() -> None:
    integration = {
        "uri": "arn:aws:apigateway:us-east-1:s3:path/${stageVariables.bucket}/{key}",
        "httpMethod": "PUT",
        "requestParameters": {
            "integration.request.path.key": "method.request.path.item",
            "integration.request.querystring.q": "method.request.querystring.q",
            "integration.request.querystring.all": "method.request.multivaluequerystring.q",
            "integration.request.header.X-Ip": "context.identity.sourceIp",
            "integration.request.header.X-Stage": "stageVariables.bucket",
            "integration.request.header.X-Name": "method.request.body.pet.name",
            "integration.request.header.X-Literal": "'application/xml'",
            "integration.request.header.X-Both": "method.request.multivalueheader.X-Two",
            "integration.request.header.X-None": "method.request.header.none",
            "integration.request.header.Referer": "'dropped'",
        },
    }
    request, _ = integration_request(
        exchange(
            body='{"pet": {"name": "Bella"}}',
            path={"item": "a b/c"},
            query={"q": ["1", "2"]},
            headers={"X-Two": ["1", "2"], "Content-Type": ["application/json"]},
            context={"identity": {"sourceIp": "203.0.113.10"}},
            stage_variables={"bucket": "photos"},
            integration=integration,
        ),
        (),
    )
    assert (request.method, request.uri) == ("PUT", "arn:aws:apigateway:us-east-1:s3:path/photos/a%20b/c")
    assert request.query == {"q": ("2",), "all": ("1", "2")}
    assert request.headers == {
        "X-Ip": ("203.0.113.10",),
        "X-Stage": ("photos",),
        "X-Name": ("Bella",),
        "X-Literal": ("application/xml",),
        "X-Both": ("1,2",),
        **AGENT,
        "Content-Type": ("application/json",),
    }
    assert request.body == b'{"pet": {"name": "Bella"}}'


def test_an_override_replaces_a_mapped_parameter_and_reaches_the_response_template() -> None:
    integration = {
        "requestParameters": {"integration.request.header.Content-Type": "'text/plain'"},
        "requestTemplates": {
            "application/json": "#set($context.requestOverride.header.content-type = 'application/json')"
            "#set($context.requestOverride.path.body = $input.body)x"
        },
        "integrationResponses": {
            "200": {
                "statusCode": "200",
                "responseTemplates": {"application/json": "path was $context.requestOverride.path.body"},
            }
        },
    }
    asked: list[IntegrationRequest] = []

    def ask(request: IntegrationRequest) -> IntegrationResponse:
        asked.append(request)
        return answer()

    response = mapped(exchange(body='{"a":1}', integration=integration), (), ask)
    assert asked[0].headers == {"content-type": ("application/json",), **AGENT}
    assert response.body == b'path was {"a":1}'


@pytest.mark.parametrize("name", ["Authorization", "content-length", "Transfer-Encoding", "TE", "Expect"])
def test_headers_that_api_gateway_sets_itself_cannot_be_mapped(name: str) -> None:
    mapped = {f"integration.request.header.{name}": "'x'"}
    assert failure(integration={"requestParameters": mapped}) == (
        "API_CONFIGURATION_ERROR",
        "Internal server error",
        500,
    )


@pytest.mark.parametrize(
    ("templates", "behavior", "kind", "found"),
    [
        ({"application/json": "T"}, "WHEN_NO_MATCH", None, b"T"),
        ({"application/json": "T"}, "WHEN_NO_TEMPLATES", None, b"T"),
        ({"application/json": "T"}, "NEVER", "application/json", b"T"),
        ({"application/json": "T"}, "NEVER", "application/json; charset=utf-8", b"T"),
        ({"application/json": "T"}, "WHEN_NO_MATCH", "application/xml", b"B"),
        ({"application/json": "T"}, "WHEN_NO_TEMPLATES", "application/xml", None),
        ({"application/json": "T"}, "NEVER", "application/xml", None),
        ({"$default": "T"}, "NEVER", "application/xml", b"T"),
        ({}, "WHEN_NO_MATCH", "application/json", b"B"),
        ({}, "WHEN_NO_TEMPLATES", "application/json", b"B"),
        ({}, "NEVER", None, None),
        ({"application/json": ""}, "WHEN_NO_MATCH", None, b"B"),
        ({"application/json": ""}, "WHEN_NO_TEMPLATES", None, None),
    ],
)
def test_pass_through(
    templates: dict[str, str], behavior: str, kind: str | None, found: bytes | None
) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html"""
    request: dict[str, Any] = {
        "body": "B",
        "headers": {"Content-Type": [kind]} if kind else {},
        "integration": {"requestTemplates": templates, "passthroughBehavior": behavior},
    }
    if found is None:
        assert failure(**request) == ("UNSUPPORTED_MEDIA_TYPE", "", 0)
    else:
        assert integration_request(exchange(**request), ())[0].body == found


def test_uris() -> None:
    uri = "arn:aws:apigateway:us-east-1:lambda:path/functions/f:${stageVariables.alias}/{proxy}/{none}"
    at = exchange(integration={"uri": uri}, stage_variables={"alias": "live"})
    assert filled_uri(at, {"proxy": "a/b"}) == (
        "arn:aws:apigateway:us-east-1:lambda:path/functions/f:live/a/b/{none}"
    )


def test_binary_bodies() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html"""
    image = {"Content-Type": ["image/png"]}

    def asked(handling: str | None, body: str, binary: tuple[str, ...]) -> bytes:
        integration = {"contentHandling": handling} if handling else {}
        return integration_request(exchange(body=body, headers=image, integration=integration), binary)[
            0
        ].body

    assert asked(None, "raw", ("image/*",)) == b"raw"
    assert asked("CONVERT_TO_TEXT", "raw", ("image/png",)) == b"cmF3"
    assert asked("CONVERT_TO_TEXT", "raw", ()) == b"raw"
    assert asked("CONVERT_TO_BINARY", "cmF3", ()) == b"raw"
    assert failure(body="-", integration={"contentHandling": "CONVERT_TO_BINARY"}) == (
        "BAD_REQUEST_BODY",
        "",
        400,
    )


# -- the answer ------------------------------------------------------------------------------------------

RESPONSES = {
    "200": {
        "statusCode": "200",
        "responseParameters": {
            "method.response.header.Location": "integration.response.body.redirect.url",
            "method.response.header.X-User": "integration.response.header.x-userid",
            "method.response.header.X-All": "integration.response.multivalueheader.x-userid",
            "method.response.header.X-Stage": "stageVariables.color",
            "method.response.header.Server": "'ours'",
            "method.response.header.Transfer-Encoding": "'chunked'",
            "method.response.header.X-None": "integration.response.body.none",
        },
        "responseTemplates": {"application/json": '{"got": $input.json("$.redirect")}'},
    },
    "404": {"statusCode": "404", "selectionPattern": "4\\d{2}"},
    "400": {"statusCode": "400", "selectionPattern": ".*Malformed.*"},
}


def test_the_answer_is_mapped() -> None:
    at = exchange(integration={"integrationResponses": RESPONSES}, stage_variables={"color": "blue"})
    response = answer('{"redirect": {"url": "https://x"}}', x_userid="7")
    assert method_response(at, response, ()) == MethodResponse(
        200,
        {
            "Location": ("https://x",),
            "X-User": ("7",),
            "X-All": ("7",),
            "X-Stage": ("blue",),
            "x-amzn-Remapped-Server": ("ours",),
            "Content-Type": ("application/json",),
        },
        b'{"got": {"url":"https://x"}}',
    )


@pytest.mark.parametrize(
    ("matched", "status"),
    [
        ("404", 404),
        ("200", 200),
        ("", 200),
        ("404 not", 200),
        ("[400] Malformed: x", 400),
        ("a\nMalformed", 200),
    ],
)
def test_the_pattern_has_to_match_all_of_it(matched: str, status: int) -> None:
    at = exchange(integration={"integrationResponses": RESPONSES})
    assert method_response(at, answer(matched=matched), ()).status == status


def test_no_response_for_it_is_an_internal_server_error() -> None:
    for responses in ({}, {"404": RESPONSES["404"]}):
        with pytest.raises(GatewayFailure) as found:
            method_response(exchange(integration={"integrationResponses": responses}), answer(), ())
        assert (found.value.kind, found.value.status) == ("API_CONFIGURATION_ERROR", 500)


def test_the_client_accepts_a_template() -> None:
    templates = {"application/xml": "<x/>", "application/json": "{}"}
    responses = {"200": {"statusCode": "200", "responseTemplates": templates}}
    found = {}
    for accepted in ("application/xml", "text/html", None):
        headers = {"Accept": [accepted]} if accepted else {}
        at = exchange(headers=headers, integration={"integrationResponses": responses})
        response = method_response(at, answer(), ())
        found[accepted] = (response.headers["Content-Type"], response.body)
    assert found == {
        "application/xml": (("application/xml",), b"<x/>"),
        "text/html": (("application/json",), b"{}"),
        None: (("application/json",), b"{}"),
    }


@pytest.mark.parametrize("templates", [{}, {"application/json": "$context.responseOverride.status"}])
def test_a_response_overridden_by_the_request_template(templates: dict[str, str]) -> None:
    early = "#set($context.responseOverride.status = 444)#set($context.responseOverride.header.foo = 'bar')"
    integration = {
        "requestTemplates": {"application/json": early},
        "integrationResponses": {"200": {"statusCode": "200", "responseTemplates": templates}},
    }
    response = mapped(exchange(integration=integration), (), lambda request: answer("{}"))
    assert response == MethodResponse(
        444, {"foo": ("bar",), "Content-Type": ("application/json",)}, b"444" if templates else b"{}"
    )


def test_a_template_cannot_take_binary_data() -> None:
    responses = {"200": {"statusCode": "200", "responseTemplates": {"application/json": "{}"}}}
    at = exchange(headers={"Accept": ["image/png"]}, integration={"integrationResponses": responses})
    with pytest.raises(GatewayFailure):
        method_response(at, answer("cmF3"), ("image/png",))


def test_the_status_and_headers_of_a_response_template() -> None:
    template = "#set($context.responseOverride.status = 418)#set($context.responseOverride.header.Date = 'x')"
    responses = {"200": {"statusCode": "200", "responseTemplates": {"application/json": template}}}
    response = method_response(exchange(integration={"integrationResponses": responses}), answer(), ())
    assert response == MethodResponse(
        418, {"x-amzn-Remapped-Date": ("x",), "Content-Type": ("application/json",)}, b""
    )


@pytest.mark.parametrize(
    ("schema", "body", "said"),
    [
        (
            {"minItems": 2},
            "[1]",
            "array is too short: must have at least 2 elements but instance has 1 elements",
        ),
        ({"maxProperties": 0}, "{}", ""),
        (
            {"maxProperties": 0},
            '{"a":1}',
            "object has too many properties (found 1 but schema requires at most 0)",
        ),
        ({"uniqueItems": True}, "[1,1]", "array must not contain duplicate elements"),
        ({"multipleOf": 2}, "7", "remainder of division is not zero (7 / 2)"),
        (
            {"minimum": 1, "exclusiveMinimum": True},
            "1",
            "numeric instance is not strictly greater than the required minimum 1",
        ),
        ({"not": {}}, "1", "instance matched a schema which it should not have"),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "1",
            "instance failed to match at least one required schema among 2",
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "null"}]},
            "1",
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        (
            {"oneOf": [{"minimum": 1}, {"maximum": 9}, {"type": "null"}]},
            "5",
            "instance failed to match exactly one schema (matched 2 out of 3)",
        ),
        ({"dependencies": {"a": ["b"]}}, '{"a":1}', "instance does not match the schema's dependencies"),
    ],
)
def test_what_a_validator_says_of_a_body(schema: dict[str, Any], body: str, said: str) -> None:
    models = {"M": {"name": "M", "contentType": "application/json", "schema": json.dumps(schema)}}
    request = exchange(body=body).request
    problems = body_problems(request, {"requestModels": {"application/json": "M"}}, models)
    assert problems == ([said] if said else [])
