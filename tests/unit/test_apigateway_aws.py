"""A REST API in front of AWS services, without code: each protocol as the service reads and answers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.service import NotSimulated

from .apigateway_tools import Api, invocations, make_function
from .deploy_tools import Deployer

ACCOUNT = "123456789012"
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
DEFAULT: dict[str, dict[str, Any]] = {
    "200": {},
    "400": {"selectionPattern": "4\\d{2}"},
    "500": {"selectionPattern": "5\\d{2}"},
}
FAILS = """
def handler(event, context):
    if event.get("ask") == "fail":
        raise ValueError("[BadRequest] no such pet: 7")
    if event.get("ask") == "odd":
        return "text"
    return event
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


@pytest.fixture(scope="module")
def api(cloud: LocalCloud) -> Api:
    return Api(cloud)


@pytest.fixture(scope="module")
def role(cloud: LocalCloud) -> str:
    return make_role(cloud, "api", "apigateway.amazonaws.com")


def make_role(cloud: LocalCloud, name: str, service: str, **statement: Any) -> str:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*", **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(arn)


def put(api: Api, path: str, uri: str, role: str | None, template: str | None = None, **more: Any) -> None:
    """A method (POST, if not said otherwise) with an AWS integration; live at once."""
    responses = more.pop("responses", DEFAULT)
    verb = more.pop("verb", "POST")
    method = more.pop("method", {})
    integration = {
        "type": "AWS",
        "integrationHttpMethod": more.pop("integrationHttpMethod", "POST"),
        "uri": f"arn:aws:apigateway:us-east-1:{uri}" if not uri.startswith("arn:") else uri,
        **more,
    }
    if role:
        integration["credentials"] = role
    if template is not None:
        integration["requestTemplates"] = {"application/json": template}
    api.method(verb, path, integration, responses, **method)
    api.deploy()


def messages(cloud: LocalCloud, url: str) -> list[dict[str, Any]]:
    sqs = cloud.client("sqs")
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    for message in found.get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return list(found.get("Messages", []))


# -- SQS -------------------------------------------------------------------------------------------------


def test_a_post_becomes_a_message_without_code(cloud: LocalCloud, api: Api, role: str) -> None:
    """The answer's text as in aws-samples' READMEs: every member, null where the XML has none."""
    url = cloud.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    template = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    put(api, "/orders", f"sqs:path/{ACCOUNT}/orders", role, template, requestParameters=FORM)
    response = api.call("POST", "/orders", json={"dish": "fish & chips", "sum": "1+1", "at": "50%"})
    (message,) = messages(cloud, url)
    assert json.loads(message["Body"]) == {"dish": "fish & chips", "sum": "1+1", "at": "50%"}
    request_id = response.json()["SendMessageResponse"]["ResponseMetadata"]["RequestId"]
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.text == (
        f'{{"SendMessageResponse":{{"ResponseMetadata":{{"RequestId":"{request_id}"}},"SendMessageResult":'
        f'{{"MD5OfMessageAttributes":null,"MD5OfMessageBody":"{message["MD5OfBody"]}",'
        f'"MD5OfMessageSystemAttributes":null,"MessageId":"{message["MessageId"]}","SequenceNumber":null}}}}}}'
    )


def test_a_body_that_is_not_url_encoded_is_part_of_the_request(
    cloud: LocalCloud, api: Api, role: str
) -> None:
    url = cloud.client("sqs").create_queue(QueueName="naive")["QueueUrl"]
    template = "Action=SendMessage&MessageBody=$input.body"
    put(api, "/naive", f"sqs:path/{ACCOUNT}/naive", role, template, requestParameters=FORM)
    api.call("POST", "/naive", json={"sum": "1+1", "dish": "fish & chips"})
    api.call(
        "POST",
        "/naive",
        data="hello&MessageAttribute.1.Name=role&MessageAttribute.1.Value.DataType=String"
        "&MessageAttribute.1.Value.StringValue=admin",
    )
    api.call("POST", "/naive", data="later&DelaySeconds=60")
    assert [(each["Body"], each.get("MessageAttributes")) for each in messages(cloud, url)] == [
        ('{"sum": "1 1", "dish": "fish ', None),
        ("hello", {"role": {"DataType": "String", "StringValue": "admin"}}),
    ]
    cloud.advance("61s")
    assert [each["Body"] for each in messages(cloud, url)] == ["later"]


@pytest.mark.parametrize("spelled", ["MessageAttribute", "MessageAttributes"])
def test_message_attributes(cloud: LocalCloud, api: Api, role: str, spelled: str) -> None:
    """LocalStack, test_apigateway_sqs.py::test_sqs_aws_integration_with_message_attribute (AWS)."""
    url = cloud.client("sqs").create_queue(QueueName=spelled)["QueueUrl"]
    template = (
        f"Action=SendMessage&MessageBody=$input.body&{spelled}.1.Name=user-agent&{spelled}.1.Value.DataType="
        f"String&{spelled}.1.Value.StringValue=$input.params('HeaderFoo')"
    )
    put(api, f"/{spelled}", f"sqs:path/{ACCOUNT}/{spelled}", role, template, requestParameters=FORM)
    assert api.call("POST", f"/{spelled}", json={"foo": "bar"}, headers={"HeaderFoo": "BAR-Header"}).ok
    (message,) = messages(cloud, url)
    assert json.loads(message["Body"]) == {"foo": "bar"}
    assert message["MessageAttributes"] == {"user-agent": {"DataType": "String", "StringValue": "BAR-Header"}}


def test_the_answer_is_xml_where_it_is_asked_for(cloud: LocalCloud, api: Api, role: str) -> None:
    """LocalStack, test_sqs_request_and_response_xml_templates_integration (AWS)."""
    cloud.client("sqs").create_queue(QueueName="xml")
    template = "Action=SendMessage&MessageBody=$input.body"
    accept = {**FORM, "integration.request.header.Accept": "'application/xml'"}
    put(api, "/xml", f"sqs:path/{ACCOUNT}/xml", role, template, requestParameters=accept)
    text = api.call("POST", "/xml", data="<xml>Hello World</xml>").text
    start = '<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
    digest = hashlib.md5(b"<xml>Hello World</xml>").hexdigest()
    assert text.startswith(f"{start}<SendMessageResult><MD5OfMessageBody>{digest}</MD5OfMessageBody>")
    mapped = """#set($root = $input.path('$.SendMessageResponse'))
        {"requestId": "$root.ResponseMetadata.RequestId", "messageId": "$root.SendMessageResult.MessageId"}"""
    responses = {"200": {"responseTemplates": {"application/json": mapped}}}
    put(api, "/json", f"sqs:path/{ACCOUNT}/xml", role, template, requestParameters=FORM, responses=responses)
    found = api.call("POST", "/json", data="<xml>Hello World</xml>").json()
    assert set(found) == {"requestId", "messageId"}
    assert len(found["messageId"]) == 36


def test_messages_are_received_and_batches_sent_by_query(cloud: LocalCloud, api: Api, role: str) -> None:
    cloud.client("sqs").create_queue(QueueName="batch")
    template = (
        "Action=SendMessageBatch"
        "#foreach($item in $input.path('$'))"
        "&SendMessageBatchRequestEntry.${foreach.count}.Id=m$foreach.count"
        "&SendMessageBatchRequestEntry.${foreach.count}.MessageBody=$util.urlEncode($item)#end"
    )
    put(api, "/batch", f"sqs:path/{ACCOUNT}/batch", role, template, requestParameters=FORM)
    sent = api.call("POST", "/batch", json=["a&b", "c"]).json()["SendMessageBatchResponse"]
    assert [each["Id"] for each in sent["SendMessageBatchResult"]["Successful"]] == ["m1", "m2"]
    query = {
        "integration.request.querystring.Action": "'ReceiveMessage'",
        "integration.request.querystring.MaxNumberOfMessages": "method.request.querystring.n",
        "integration.request.querystring.AttributeName": "'ApproximateReceiveCount'",
    }
    put(
        api,
        "/batch",
        f"sqs:path/{ACCOUNT}/batch",
        role,
        verb="GET",
        integrationHttpMethod="GET",
        requestParameters=query,
        method={"requestParameters": {"method.request.querystring.n": False}},
    )
    got = api.call("GET", "/batch?n=10").json()["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"]
    assert [(each["Body"], each["Attributes"]) for each in got] == [
        ("a&b", {"ApproximateReceiveCount": "1"}),
        ("c", {"ApproximateReceiveCount": "1"}),
    ]


def test_sqs_by_its_json_protocol(cloud: LocalCloud, api: Api, role: str) -> None:
    """https://repost.aws/knowledge-center/api-gateway-rest-api-sqs-errors"""
    url = cloud.client("sqs").create_queue(QueueName="jsonic")["QueueUrl"]
    headers = {
        "integration.request.header.X-Amz-Target": "'AmazonSQS.SendMessage'",
        "integration.request.header.Content-Type": "'application/x-amz-json-1.0'",
    }
    template = f'{{"QueueUrl": "{url}", "MessageBody": "$util.escapeJavaScript($input.body)"}}'
    put(api, "/jsonic", "sqs:path//", role, template, requestParameters=headers)
    answer = api.call("POST", "/jsonic", data='a/b & "c"').json()
    (message,) = messages(cloud, url)
    assert message["Body"] == 'a/b & "c"'
    assert answer == {"MessageId": message["MessageId"], "MD5OfMessageBody": message["MD5OfBody"]}
    put(api, "/nowhere", "sqs:path//", role, template.replace("jsonic", "nowhere"), requestParameters=headers)
    assert api.call("POST", "/nowhere", data="x").json() == {
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "The specified queue does not exist.",
    }


def test_errors_of_the_query_protocol(cloud: LocalCloud, api: Api, role: str) -> None:
    template = "$input.body"
    put(api, "/wrong", f"sqs:path/{ACCOUNT}/none", role, template, requestParameters=FORM)
    found = {}
    for body in ("Action=SendMessage&MessageBody=x", "Action=SendMessage", "Action=Fly", "MessageBody=x"):
        response = api.call("POST", "/wrong", data=body)
        answer = response.json()["Error"] if response.text.startswith("{") else response.text
        found[body] = (response.status_code, answer)
    assert found == {
        "Action=SendMessage&MessageBody=x": (
            400,
            {
                "Code": "AWS.SimpleQueueService.NonExistentQueue",
                "Message": "The specified queue does not exist.",
                "Type": "Sender",
            },
        ),
        "Action=SendMessage": (
            400,
            {
                "Code": "MissingParameter",
                "Message": "The request must contain the parameter MessageBody.",
                "Type": "Sender",
            },
        ),
        "Action=Fly": (
            400,
            {
                "Code": "InvalidAction",
                "Message": "The action Fly is not valid for this endpoint.",
                "Type": "Sender",
            },
        ),
        "MessageBody=x": (400, "<UnknownOperationException/>\n"),
    }


def test_the_role_decides(cloud: LocalCloud, api: Api) -> None:
    cloud.client("sqs").create_queue(QueueName="guarded")
    weak = make_role(cloud, "weak", "apigateway.amazonaws.com", Action="sqs:ReceiveMessage")
    foreign = make_role(cloud, "foreign", "lambda.amazonaws.com")
    template = "Action=SendMessage&MessageBody=$input.body"
    uri = f"sqs:path/{ACCOUNT}/guarded"
    put(api, "/weak", uri, weak, template, requestParameters=FORM, responses={"200": {}, **DEFAULT})
    put(api, "/foreign", uri, foreign, template, requestParameters=FORM)
    refused = api.call("POST", "/weak", data="x")
    assert refused.status_code == 400
    assert refused.json()["Error"] == {
        "Code": "AccessDenied",
        "Message": "User: arn:aws:sts::123456789012:assumed-role/weak/BackplaneAssumeRoleSession is not "
        "authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:123456789012:guarded "
        "because no identity-based policy allows the sqs:sendmessage action",
        "Type": "Sender",
    }
    broken = api.call("POST", "/foreign", data="x")
    assert (broken.status_code, broken.json()) == (500, {"message": "Internal server error"})


# -- the others ------------------------------------------------------------------------------------------


def test_sns(cloud: LocalCloud, api: Api, role: str) -> None:
    arn = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    template = (
        f"Action=Publish&TopicArn=$util.urlEncode('{arn}')&Message=$util.urlEncode($input.body)"
        "&MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue=a"
    )
    put(api, "/news", "sns:path//", role, template, requestParameters=FORM)
    queue = cloud.client("sqs").create_queue(QueueName="readers")["QueueUrl"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    cloud.client("sns").subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:readers",
        Attributes={"RawMessageDelivery": "true"},
    )
    answer = api.call("POST", "/news", data="fish & chips").json()["PublishResponse"]["PublishResult"]
    assert (len(answer["MessageId"]), answer["SequenceNumber"]) == (36, None)
    cloud.settle()
    (message,) = messages(cloud, queue)
    assert message["Body"] == "fish & chips"
    assert message["MessageAttributes"]["kind"]["StringValue"] == "a"


def test_eventbridge_needs_its_target_header(cloud: LocalCloud, api: Api, role: str) -> None:
    """LocalStack, test_apigateway_eventbridge.py (AWS): the header is not set by action/PutEvents."""
    template = """
        #set($context.requestOverride.header.X-Amz-Target = "AWSEvents.PutEvents")
        #set($context.requestOverride.header.Content-Type = "application/x-amz-json-1.1")
        {"Entries": [#foreach($elem in $input.path('$.items'))
          {"Detail": "$util.escapeJavaScript($elem.Detail).replaceAll("\\\\'","'")",
           "DetailType": "$elem.DetailType", "Source": "$elem.Source"}#if($foreach.hasNext),#end
        #end]}"""
    put(api, "/events", "events:action/PutEvents", role, template)
    item = {"Detail": '{"data":"it\'s created"}', "DetailType": "Test", "Source": "order"}
    answer = api.call("POST", "/events", json={"items": [item, item]}).json()
    assert answer["FailedEntryCount"] == 0
    assert len(answer["Entries"]) == 2
    put(api, "/untargeted", "events:action/PutEvents", role, '{"Entries": []}')
    refused = api.call("POST", "/untargeted")
    assert (refused.status_code, refused.json()) == (400, {"__type": "UnknownOperationException"})


def test_kinesis(cloud: LocalCloud, api: Api, role: str) -> None:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    cloud.advance("1m")
    template = '{"StreamName": "clicks", "Data": "$util.base64Encode($input.body)", "PartitionKey": "test"}'
    put(api, "/clicks", "kinesis:action/PutRecord", role, template)
    answer = api.call("POST", "/clicks", json={"kinesis": "snapshot"}).json()
    assert answer["ShardId"] == "shardId-000000000000"
    iterator = kinesis.get_shard_iterator(
        StreamName="clicks", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    (record,) = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert (record["Data"], record["SequenceNumber"]) == (
        b'{"kinesis": "snapshot"}',
        answer["SequenceNumber"],
    )


def test_dynamodb_items_are_put_and_a_query_is_mapped(cloud: LocalCloud, api: Api, role: str) -> None:
    """https://aws.amazon.com/blogs/compute/using-amazon-api-gateway-as-a-proxy-for-dynamodb/"""
    cloud.client("dynamodb").create_table(
        TableName="Comments",
        KeySchema=[
            {"AttributeName": "pageId", "KeyType": "HASH"},
            {"AttributeName": "id", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pageId", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    write = """{"TableName": "Comments", "Item": {"id": {"S": "$context.requestId"},
        "pageId": {"S": "$input.path('$.pageId')"}, "stars": {"N": "$input.path('$.stars')"},
        "message": {"S": "$util.escapeJavaScript($input.path('$.message')).replaceAll("\\\\'","'")"}}}"""
    put(api, "/comments", "dynamodb:action/PutItem", role, write)
    read = """{"TableName": "Comments", "KeyConditionExpression": "pageId = :v1",
        "ExpressionAttributeValues": {":v1": {"S": "$input.params('pageId')"}}}"""
    shown = """#set($inputRoot = $input.path('$'))
{"comments": [#foreach($elem in $inputRoot.Items)
  {"message": "$util.escapeJavaScript($elem.message.S).replaceAll("\\\\'","'")",
   "stars": $elem.stars.N}#if($foreach.hasNext),#end
#end]}"""
    responses = {**DEFAULT, "200": {"responseTemplates": {"application/json": shown}}}
    put(api, "/comments/{pageId}", "dynamodb:action/Query", role, read, verb="GET", responses=responses)
    first = api.call("POST", "/comments", json={"pageId": "p1", "stars": 5, "message": 'it\'s "great"\n'})
    assert (first.status_code, first.text) == (200, "{}")
    api.call("POST", "/comments", json={"pageId": "p2", "stars": 1, "message": "x"})
    assert api.call("GET", "/comments/p1").json() == {
        "comments": [{"message": 'it\'s "great"\n', "stars": 5}]
    }
    assert api.call("GET", "/comments/none").json() == {"comments": []}
    bad = api.call("POST", "/comments", json={"pageId": "p1", "stars": "many", "message": ""})
    assert (bad.status_code, bad.json()["__type"]) == (400, "com.amazon.coral.validate#ValidationException")
    unread = api.call("POST", "/comments", json={"pageId": 'p"1', "stars": 1, "message": ""})
    assert (unread.status_code, unread.json()) == (
        400,
        {"__type": "com.amazon.coral.service#SerializationException"},
    )


def test_step_functions(cloud: LocalCloud, api: Api, role: str) -> None:
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}})
    machine = make_role(cloud, "machine", "states.amazonaws.com")
    arn = states.create_state_machine(name="m", definition=definition, roleArn=machine)["stateMachineArn"]
    fast = states.create_state_machine(name="x", definition=definition, roleArn=machine, type="EXPRESS")
    template = '{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": "%s"}'
    put(api, "/start", "states:action/StartExecution", role, template % arn)
    started = api.call("POST", "/start", json={"test": "test-value"}).json()
    assert sorted(started) == ["executionArn", "startDate"]
    assert isinstance(started["startDate"], int | float)
    cloud.settle()
    execution = states.describe_execution(executionArn=started["executionArn"])
    assert (execution["status"], json.loads(execution["output"])) == ("SUCCEEDED", {"test": "test-value"})
    output = {"200": {"responseTemplates": {"application/json": "$input.path('$.output')"}}}
    synchronous = template % fast["stateMachineArn"]
    put(api, "/sync", "states:action/StartSyncExecution", role, synchronous, responses=output)
    assert api.call("POST", "/sync", json={"a": [1]}).json() == {"a": [1]}
    none = arn.replace(":m", ":none")
    put(api, "/none", "states:action/StartExecution", role, template % none)
    refused = api.call("POST", "/none", json={})
    assert (refused.status_code, refused.json()["__type"]) == (
        400,
        "com.amazonaws.swf.service.v2.model#StateMachineDoesNotExist",
    )
    quoted = api.call("POST", "/start", json={"it": "isn't"})
    assert quoted.json() == {"__type": "com.amazon.coral.service#SerializationException"}


def test_s3(cloud: LocalCloud, api: Api, role: str) -> None:
    """LocalStack, test_apigateway_s3.py::test_apigateway_s3_any (AWS)."""
    cloud.client("s3").create_bucket(Bucket="pictures")
    put(
        api,
        "/files/{object_path+}",
        "s3:path/pictures/{object_path}",
        role,
        verb="ANY",
        integrationHttpMethod="ANY",
        requestParameters={
            "integration.request.path.object_path": "method.request.path.object_path",
            "integration.request.header.Content-Type": "method.request.header.Content-Type",
        },
        method={
            "requestParameters": {
                "method.request.path.object_path": True,
                "method.request.header.Content-Type": False,
            }
        },
        responses={"200": {"responseParameters": {}}, "404": {"selectionPattern": "404"}},
    )
    assert api.call("PUT", "/files/a/b%20c.json", json={"put_id": 1}).status_code == 200
    assert api.call("GET", "/files/a/b%20c.json").json() == {"put_id": 1}
    stored = cloud.client("s3").get_object(Bucket="pictures", Key="a/b c.json")
    assert stored["ContentType"] == "application/json"
    assert api.call("DELETE", "/files/a/b%20c.json").status_code == 200
    missing = api.call("GET", "/files/a/b%20c.json")
    assert missing.status_code == 404
    assert "<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>" in missing.text


def test_a_bucket_is_listed(cloud: LocalCloud, api: Api, role: str) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="albums")
    for key in ("a/1 & 2.txt", "a/3.txt", "b/4.txt"):
        s3.put_object(Bucket="albums", Key=key, Body=b"12345")
    listed = {"integration.request.querystring.prefix": "method.request.querystring.under"}
    put(
        api,
        "/albums",
        "s3:path/albums",
        role,
        verb="GET",
        integrationHttpMethod="GET",
        requestParameters=listed,
        method={"requestParameters": {"method.request.querystring.under": False}},
    )
    root = ElementTree.fromstring(api.call("GET", "/albums?under=a/").text)
    space = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
    found = [
        (each.findtext("s3:Key", "", space), each.findtext("s3:Size", "", space))
        for each in root.findall("s3:Contents", space)
    ]
    assert found == [("a/1 & 2.txt", "5"), ("a/3.txt", "5")]
    assert root.findtext("s3:KeyCount", "", space) == "2"
    put(api, "/emptied", "s3:path/albums", role, verb="DELETE", integrationHttpMethod="DELETE")
    with pytest.raises(NotSimulated, match="S3 integration: DELETE bucket"):
        api.call("DELETE", "/emptied")


def test_a_parameter_by_the_action_form(cloud: LocalCloud, api: Api, role: str) -> None:
    """LocalStack, test_apigateway_ssm.snapshot.json::test_ssm_aws_integration (AWS)."""
    cloud.client("ssm").put_parameter(Name="param-test-123", Value="123", Type="String")
    named = {"integration.request.querystring.Name": "'param-test-123'"}
    put(api, "/parameter", "ssm:action/GetParameter", role, requestParameters=named)
    answer = api.call("POST", "/parameter").json()["GetParameterResponse"]
    assert isinstance(answer["GetParameterResult"]["Parameter"].pop("LastModifiedDate"), int | float)
    assert answer["GetParameterResult"] == {
        "Parameter": {
            "ARN": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/param-test-123",
            "DataType": "text",
            "Name": "param-test-123",
            "Selector": None,
            "SourceResult": None,
            "Type": "String",
            "Value": "123",
            "Version": 1,
        }
    }
    assert list(answer["ResponseMetadata"]) == ["RequestId"]


def test_a_function_without_a_proxy(cloud: LocalCloud, api: Api) -> None:
    arn = make_function(cloud, "fails", FAILS)
    responses = {
        "200": {},
        "404": {
            "selectionPattern": "\\[BadRequest\\].*",
            "responseTemplates": {"application/json": '{"said": "$input.path(\'$.errorMessage\')"}'},
            "responseParameters": {"method.response.header.X-Type": "integration.response.body.errorType"},
        },
    }
    where = {"restApiId": api.id, "resourceId": api.resource("/pets"), "httpMethod": "GET"}
    api.client.put_method(**where, authorizationType="NONE")
    api.client.put_method_response(
        **where, statusCode="404", responseParameters={"method.response.header.X-Type": True}
    )
    api.client.put_method_response(**where, statusCode="200")
    api.client.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=invocations(arn),
        requestTemplates={"application/json": '{"ask": "$input.params(\'ask\')"}'},
    )
    for status, response in responses.items():
        api.client.put_integration_response(**where, statusCode=status, **response)
    put(api, "/raw", invocations(arn), None)
    assert api.call("GET", "/pets?ask=hello").json() == {"ask": "hello"}
    failed = api.call("GET", "/pets?ask=fail")
    assert (failed.status_code, failed.json(), failed.headers["X-Type"]) == (
        404,
        {"said": "[BadRequest] no such pet: 7"},
        "ValueError",
    )
    assert api.call("GET", "/pets?ask=odd").text == '"text"'
    unread = api.call("GET", '/pets?ask="')
    assert unread.status_code == 400
    assert unread.json()["message"].startswith("Could not parse request body into json: ")
    assert api.call("POST", "/raw").json() == {}
    closed = make_function(cloud, "closed", FAILS, permit=False)
    put(api, "/closed", invocations(closed), None)
    assert api.call("POST", "/closed").status_code == 500


def test_an_asynchronous_function(cloud: LocalCloud, api: Api) -> None:
    arn = make_function(cloud, "later", FAILS)
    event = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    put(api, "/later", invocations(arn), None, requestParameters=event)
    response = api.call("POST", "/later", json={})
    assert (response.status_code, response.text) == (200, "")


def test_what_is_not_simulated_says_so(cloud: LocalCloud, api: Api, role: str) -> None:
    put(api, "/batchjob", "batch:action/SubmitJob", role, "{}")
    with pytest.raises(NotSimulated, match="an API Gateway integration with batch"):
        api.call("POST", "/batchjob")


def test_a_stack_with_a_queue_behind_an_api(cloud: LocalCloud) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
    integration = {
        "Type": "AWS",
        "IntegrationHttpMethod": "POST",
        "Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}"},
        "Credentials": {"Fn::GetAtt": ["Role", "Arn"]},
        "PassthroughBehavior": "NEVER",
        "RequestParameters": FORM,
        "RequestTemplates": {
            "application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
            "&MessageGroupId=$util.urlEncode($input.path('$.group'))"
        },
        "IntegrationResponses": [
            {"StatusCode": "202", "ResponseTemplates": {"application/json": '{"accepted": true}'}},
            {"StatusCode": "400", "SelectionPattern": "4\\d{2}"},
        ],
    }
    method = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "POST",
        "AuthorizationType": "NONE",
        "Integration": integration,
        "MethodResponses": [{"StatusCode": "202"}, {"StatusCode": "400"}],
    }
    stack = Deployer(cloud, "front")
    created = stack.create(
        {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"FifoQueue": True, "ContentBasedDeduplication": True},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    "Policies": [
                        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [send]}}
                    ],
                },
            },
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "front"}},
            "Method": {"Type": "AWS::ApiGateway::Method", "Properties": method},
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "prod"},
            },
        },
        Outputs={"Api": {"Value": {"Ref": "Api"}}, "Queue": {"Value": {"Ref": "Queue"}}},
    )
    assert created == "CREATE_COMPLETE"
    url = f"https://{stack.outputs['Api']}.execute-api.us-east-1.amazonaws.com/prod/"
    answer = requests.post(url, json={"group": "a+b", "x": "1&2"}, timeout=5)
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert requests.post(url, data="<a/>", headers={"Content-Type": "text/xml"}, timeout=5).status_code == 415
    assert [json.loads(each["Body"]) for each in messages(cloud, stack.outputs["Queue"])] == [
        {"group": "a+b", "x": "1&2"}
    ]
    assert stack.delete() == "DELETE_COMPLETE"
