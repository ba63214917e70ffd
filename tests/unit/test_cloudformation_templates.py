"""Reading templates: JSON, YAML with short forms, and AWS's words for what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.cloudformation.intrinsics import Evaluator
from infra.cloud.local.cloudformation.parameters import resolve
from infra.cloud.local.cloudformation.references import mentions
from infra.cloud.local.cloudformation.template import Template, parse, read
from infra.cloud.local.service import ServiceError


def test_yaml_short_forms_dates_and_nested_functions() -> None:
    """A policy's Version stays text, and !GetAtt splits at its first dot."""
    body = read(
        """
        AWSTemplateFormatVersion: 2010-09-09
        Resources:
          Q:
            Type: AWS::SQS::Queue
            Condition: IsProd
            Properties:
              QueueName: !Sub "${AWS::StackName}-q"
              RedrivePolicy: {deadLetterTargetArn: !GetAtt Dlq.Arn, maxReceiveCount: 3}
              VisibilityTimeout: !If [IsProd, 60, !Ref "AWS::NoValue"]
              Tags:
                - {Key: v, Value: !Join ["-", [a, !Select [0, !Split [",", "x,y"]]]]}
        Conditions:
          IsProd: !And [!Condition Other, !Equals [a, a]]
          Other: !Not [!Equals [a, b]]
        """
    )
    assert body["AWSTemplateFormatVersion"] == "2010-09-09"
    assert body["Resources"]["Q"]["Properties"] == {
        "QueueName": {"Fn::Sub": "${AWS::StackName}-q"},
        "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}, "maxReceiveCount": 3},
        "VisibilityTimeout": {"Fn::If": ["IsProd", 60, {"Ref": "AWS::NoValue"}]},
        "Tags": [
            {
                "Key": "v",
                "Value": {"Fn::Join": ["-", ["a", {"Fn::Select": [0, {"Fn::Split": [",", "x,y"]}]}]]},
            }
        ],
    }
    assert body["Conditions"]["IsProd"] == {"Fn::And": [{"Condition": "Other"}, {"Fn::Equals": ["a", "a"]}]}


UNRESOLVED = "Template format error: Unresolved resource dependencies [Nobody] in the "


def resources(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": properties}}}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({}, "Template format error: At least one Resources member must be defined."),
        ({**resources(), "Foo": 1}, "Invalid template property or properties [Foo]"),
        (
            {"Resources": {"Q-1": {"Type": "AWS::SQS::Queue"}}},
            "Template format error: Resource name Q-1 is non alphanumeric.",
        ),
        (
            {"Resources": {"Q": {"Properties": {}}}},
            "Template format error: [/Resources/Q] Every Resources object must contain a Type member.",
        ),
        (
            {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Proprties": {}}}},
            "Invalid template resource property 'Proprties'",
        ),
        (
            resources(QueueName={"Ref": "Nobody"}),
            UNRESOLVED + "Resources block of the template",
        ),
        (
            resources(QueueName={"Fn::Sub": "${Nobody}-${AWS::Region}"}),
            UNRESOLVED + "Resources block of the template",
        ),
        (
            resources(QueueName={"Fn::GetAtt": ["Nobody", "Arn"]}),
            "Template error: instance of Fn::GetAtt references undefined resource Nobody",
        ),
        (
            {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "DependsOn": ["Nobody"]}}},
            UNRESOLVED + "Resources block of the template",
        ),
        (
            {**resources(), "Outputs": {"O": {"Value": {"Ref": "Nobody"}}}},
            UNRESOLVED + "Outputs block of the template",
        ),
        (
            {**resources(), "Outputs": {"O": {}}},
            "Template format error: Every Outputs member must contain a Value object",
        ),
        (
            {**resources(), "Outputs": {"O": {"Value": None}}},
            "[/Outputs/O/Value] 'null' values are not allowed in templates",
        ),
        (
            resources(RedrivePolicy={"a": [1, None]}),
            "[/Resources/Q/Properties/RedrivePolicy/a/1] 'null' values are not allowed in templates",
        ),
        ({"Resources": "", "Outputs": []}, "Template format error: Any Resources member must be an object."),
        (
            {"Resources": {"Q": "AWS::SQS::Queue"}},
            "Template format error: [/Resources/Q] resource definition is malformed",
        ),
        (
            {**resources(), "Mappings": {"M": {"A": "b"}}},
            "Template format error: Every Mappings member A must be a map",
        ),
        (
            {**resources(), "Mappings": {"M": {"A": {"b": {"c": "d"}}}}},
            "Template format error: Every Mappings attribute must be a String or a List.",
        ),
        (
            {**resources(), "Description": {"a": 1}},
            "Template format error: Description must be a string.",
        ),
        (
            resources(DelaySeconds={"Fn::If": ["Nope", 1, 2]}),
            "Template format error: Unresolved condition dependency Nope "
            "in the Resources block of the template",
        ),
        (
            {**resources(), "Conditions": {"C": {"Fn::Equals": [{"Ref": "Q"}, "x"]}}},
            "Template format error: Unresolved dependencies [Q]. "
            "Cannot reference resources in the Conditions block of the template",
        ),
        (
            {**resources(), "Outputs": {"O": {"Value": ["a"]}}},
            "Template format error: The Value field of every Outputs member must evaluate to a String and "
            "not a List.",
        ),
        (
            {**resources(), "Outputs": {"O": {"Value": {"a": "b"}}}},
            "Template format error: The Value field of every Outputs member must evaluate to a String and "
            "not a Map.",
        ),
        (
            {**resources(), "Conditions": {"C": {"Fn::Not": [{"Fn::Equals": ["a"]}]}}},
            "Template error: every Fn::Equals object requires a list of 2 string parameters.",
        ),
        (
            {**resources(), "Conditions": {"C": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}]}}},
            "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean "
            "parameters.",
        ),
        (
            {**resources(), "Conditions": {"C": {"Fn::Not": [True, False]}}},
            "Template error: every Fn::Not object requires one boolean parameter.",
        ),
        (
            resources(DelaySeconds={"Fn::If": [{"Ref": "AWS::Region"}, 1, 2]}),
            "Template error: Fn::If requires a list argument with the first element being a condition",
        ),
        (
            {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Keep"}}},
            "Template format error: Unrecognized DeletionPolicy Keep for resource Q",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_aws(template: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        parse(json.dumps(template))
    assert (caught.value.code, caught.value.message) == ("ValidationError", message)


def test_text_that_is_neither_json_nor_yaml() -> None:
    with pytest.raises(ServiceError, match=r"JSON not well-formed. \(line 1, column 3\)"):
        parse("{ oops")
    with pytest.raises(ServiceError, match=r"YAML not well-formed. \(line 2, column"):
        parse("Resources: [\n  a: b: c")


def test_mentions_follow_only_the_branch_that_is_taken() -> None:
    value = {"Fn::If": ["C", {"Ref": "A"}, {"Fn::Sub": ["${B.Arn} ${x} ${!y}", {"x": {"Ref": "D"}}]}]}
    assert [used.name for used in mentions(value, holds=lambda name: True) if used.kind == "ref"] == ["A"]
    taken = [(used.kind, used.name, used.attribute) for used in mentions(value, holds=lambda name: False)]
    assert ("attribute", "B", "Arn") in taken
    assert ("ref", "D", "") in taken
    assert ("ref", "A", "") not in taken


# -- intrinsic functions ------------------------------------------------------------------------


class Known:
    def ref(self, logical_id: str) -> Any:
        return f"id-of-{logical_id}"

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"{name}-of-{logical_id}"


def evaluator(**parameters: Any) -> Evaluator:
    return Evaluator(
        {"AWS::Region": "eu-west-1", "AWS::StackName": "app", **parameters},
        {"Sizes": {"eu-west-1": {"small": 1, "all": ["a", "b"]}}},
        {
            "IsProd": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
            "Not": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "Not"}]},
            "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
        },
        Known(),
        lambda name: f"import-{name}",
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Ref": "Q"}, "id-of-Q"),
        ({"Ref": "AWS::StackName"}, "app"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "Arn-of-Q"),
        ({"Fn::GetAtt": "Q.Outputs.Url"}, "Outputs.Url-of-Q"),
        ({"Fn::Sub": "${Q}/${Q.Arn}/${AWS::Region}/${!Literal}"}, "id-of-Q/Arn-of-Q/eu-west-1/${Literal}"),
        ({"Fn::Sub": ["${x}-${n}", {"x": {"Ref": "Q"}, "n": 3}]}, "id-of-Q-3"),
        ({"Fn::Join": ["/", ["a", {"Ref": "AWS::NoValue"}, {"Ref": "Q"}, 1, True]]}, "a/id-of-Q/1/true"),
        ({"Fn::Select": ["1", {"Fn::Split": ["-", "a-b-c"]}]}, "b"),
        ({"Fn::If": ["IsProd", [1, 2], {"Ref": "AWS::NoValue"}]}, [1, 2]),
        ({"a": {"Fn::If": ["Not", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "small"]}, 1),
        ({"Fn::FindInMap": ["Sizes", "mars", "small", {"DefaultValue": {"Ref": "Q"}}]}, "id-of-Q"),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-url"}}, "import-app-url"),
        ({"Fn::Length": {"Fn::FindInMap": ["Sizes", "eu-west-1", "all"]}}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Q"}, "b": [1, True]}}, '{"a":"id-of-Q","b":[1,true]}'),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_functions_evaluate(expression: Any, expected: Any) -> None:
    assert evaluator().evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"Fn::Select": [5, ["a"]]}, "Fn::Select cannot select nonexistent value at index 5"),
        ({"Fn::FindInMap": ["Sizes", "mars", "small"]}, "Unable to get mapping for Sizes::mars::small"),
        ({"Fn::FindInMap": ["Nope", "a", "b"]}, "Mapping named 'Nope' is not present"),
        ({"Fn::Join": ["/", "a"]}, "every Fn::Join object requires two parameters"),
        (
            {"Fn::Sub": ["${l}", {"l": ["a"]}]},
            "variable l in Fn::Sub expression does not resolve to a string",
        ),
        ({"Fn::Frobnicate": 1}, "unsupported intrinsic function Fn::Frobnicate"),
        ({"Fn::If": ["Loop", 1, 2]}, "circular condition dependency"),
        ({"Fn::Cidr": ["10.0.0.0/24", 5, 6]}, "does not hold 5 blocks"),
        ({"Fn::Base64": "x", "Other": 1}, "Fn::Base64 must be the only member of its object"),
    ],
)
def test_functions_refuse(expression: Any, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        evaluator().evaluate(expression)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Fn::Contains": [["1", "2"], "2"]}, True),
        ({"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "V"}]}]}, True),
        ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, True),
        ({"Fn::EachMemberIn": [["a", "z"], ["a", "b"]]}, False),
    ],
)
def test_rule_functions(rule: Any, expected: bool) -> None:
    assert evaluator(V="30").decide(rule) is expected


# -- parameters ---------------------------------------------------------------------------------


def declared(**parameters: dict[str, Any]) -> Template:
    return parse(json.dumps({**resources(), "Parameters": parameters}))


def values(template: Template, previous: dict[str, str] | None = None, **given: str) -> dict[str, Any]:
    entries = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    return resolve(
        template, entries, previous, lambda names: {name: f"value of {name}" for name in names}
    ).resolved


def test_parameters_take_defaults_and_are_split_into_lists() -> None:
    template = declared(
        A={"Type": "String", "Default": "x"},
        B={"Type": "CommaDelimitedList", "Default": "a, b"},
        C={"Type": "List<Number>"},
        D={"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"},
        E={"Type": "Number", "Default": 5},
    )
    assert values(template, C="1,2") == {
        "A": "x",
        "B": ["a", "b"],
        "C": ["1", "2"],
        "D": "value of /cdk-bootstrap/hnb659fds/version",
        "E": "5",
    }


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", r"Parameter 'P' must match pattern \[a-z\]\+"),
        ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "String", "MaxLength": "3"}, "abcd", "Parameter 'P' must contain at most 3 characters"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 3}, "2", "Parameter 'P' must be a number not less than 3"),
        ({"Type": "Number", "MaxValue": 3}, "4", "Parameter 'P' must be a number not greater than 3"),
        (
            {"Type": "String", "MinLength": 3, "ConstraintDescription": "three letters"},
            "ab",
            "Parameter P failed to satisfy constraint: three letters",
        ),
        ({"Type": "Strang"}, "x", "Template format error: Unrecognized parameter type: Strang"),
        ({"Type": "String", "Defalt": "x"}, "x", "Invalid template parameter property 'Defalt'"),
    ],
)
def test_parameters_that_break_their_declaration(
    declaration: dict[str, Any], value: str, message: str
) -> None:
    with pytest.raises(ServiceError, match=message):
        values(declared(P=declaration), P=value)


def test_missing_unknown_and_previous_parameters() -> None:
    template = declared(A={"Type": "String"}, B={"Type": "String"})
    with pytest.raises(ServiceError, match=r"Parameters: \[A, B\] must have values"):
        values(template)
    with pytest.raises(ServiceError, match=r"Parameters: \[Z\] do not exist in the template"):
        values(template, A="1", B="2", Z="3")
    previous: list[dict[str, Any]] = [
        {"ParameterKey": "A", "UsePreviousValue": True},
        {"ParameterKey": "B", "ParameterValue": "n"},
    ]
    assert resolve(template, previous, {"A": "old"}, lambda names: {}).given == {"A": "old", "B": "n"}
    with pytest.raises(ServiceError, match="Invalid input for parameter key A"):
        resolve(template, previous, None, lambda names: {})
