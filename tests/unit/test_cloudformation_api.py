"""The API around the stacks: change sets, exports, protection, capabilities, pages, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.cloudformation.requests import s3_location
from infra.cloud.local.service import ServiceError
from tests.unit.cloudformation_fakes import Stacks, things


def message(stacks: Stacks, operation: str, **params: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        stacks(operation, **params)
    return caught.value.code, caught.value.message


def body(template: dict[str, Any]) -> str:
    return json.dumps(template)


# -- change sets --------------------------------------------------------------------------------


def test_change_set_creates_then_updates_then_finds_no_changes() -> None:
    stacks = Stacks()
    stacks(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=body(things(A={})),
    )
    stacks.kernel.settle()
    assert stacks.stack("app")["StackStatus"] == "REVIEW_IN_PROGRESS"
    described = stacks("DescribeChangeSet", StackName="app", ChangeSetName="one")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [change["ResourceChange"]["Action"] for change in described["Changes"]] == ["Add"]
    stacks("ExecuteChangeSet", StackName="app", ChangeSetName="one")
    stacks.kernel.settle()
    stack = stacks.stack("app")
    assert (stack["StackStatus"], stack["ChangeSetId"]) == ("CREATE_COMPLETE", described["ChangeSetId"])
    executed = stacks("DescribeChangeSet", ChangeSetName=described["ChangeSetId"])
    assert executed["ExecutionStatus"] == "EXECUTE_COMPLETE"

    stacks("CreateChangeSet", StackName="app", ChangeSetName="same", TemplateBody=body(things(A={})))
    stacks.kernel.settle()
    described = stacks("DescribeChangeSet", StackName="app", ChangeSetName="same")
    assert (described["Status"], described["StatusReason"], described["ExecutionStatus"]) == (
        "FAILED",
        "The submitted information didn't contain changes. "
        "Submit different information to create a change set.",
        "UNAVAILABLE",
    )
    code, text = message(stacks, "ExecuteChangeSet", StackName="app", ChangeSetName="same")
    assert code == "InvalidChangeSetStatus"
    assert (
        text == f"ChangeSet [{described['ChangeSetId']}] cannot be executed in its current status of [FAILED]"
    )


def test_change_set_says_what_would_be_replaced() -> None:
    """A is replaced, so B gets a value that is only known afterwards, and C is conditionally replaced."""
    stacks = Stacks()
    stacks.create(
        "app", things(A={"Fixed": "1"}, B={"Text": {"Ref": "A"}}, C={"Fixed": {"Ref": "A"}}, Gone={})
    )
    after = things(
        A={"Fixed": "2"}, B={"Text": {"Ref": "A"}}, C={"Fixed": {"Ref": "A"}}, New={"Text": {"Ref": "A"}}
    )
    stacks("CreateChangeSet", StackName="app", ChangeSetName="x", TemplateBody=body(after))
    stacks.kernel.settle()
    changes = [
        each["ResourceChange"]
        for each in stacks("DescribeChangeSet", StackName="app", ChangeSetName="x")["Changes"]
    ]
    assert [(each["LogicalResourceId"], each["Action"], each.get("Replacement")) for each in changes] == [
        ("A", "Modify", "True"),
        ("B", "Modify", "False"),
        ("C", "Modify", "Conditional"),
        ("New", "Add", None),
        ("Gone", "Remove", None),
    ]
    assert changes[1]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "Text", "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "ResourceReference",
            "CausingEntity": "A",
        }
    ]
    assert changes[2]["Details"][0]["Target"]["RequiresRecreation"] == "Always"
    valued = [
        each["ResourceChange"]
        for each in stacks(
            "DescribeChangeSet", StackName="app", ChangeSetName="x", IncludePropertyValues=True
        )["Changes"]
    ]
    detail = stacks("DescribeStackResource", StackName="app", LogicalResourceId="A")
    old = detail["StackResourceDetail"]["PhysicalResourceId"]
    known_after = "{{changeSet:KNOWN_AFTER_APPLY}}"
    target = {
        **changes[1]["Details"][0]["Target"],
        "Path": "/Properties/Text",
        "AttributeChangeType": "Modify",
        "BeforeValue": old,
        "AfterValue": known_after,
    }
    assert valued[1] == {
        **changes[1],
        "Details": [
            {**changes[1]["Details"][0], "Target": target},
            {"Target": target, "Evaluation": "Dynamic", "ChangeSource": "DirectModification"},
        ],
        "BeforeContext": body({"Properties": {"Text": old}}).replace(" ", ""),
        "AfterContext": body({"Properties": {"Text": known_after}}).replace(" ", ""),
    }
    assert valued[3]["AfterContext"] == body({"Properties": {"Text": known_after}}).replace(" ", "")
    assert valued[4]["BeforeContext"] == '{"Properties":{}}'
    assert [each.get("PolicyAction") for each in changes] == [
        "ReplaceAndDelete",
        None,
        "ReplaceAndDelete",
        None,
        "Delete",
    ]
    assert [each["ChangeSetName"] for each in stacks("ListChangeSets", StackName="app")["Summaries"]] == ["x"]
    stacks("DeleteChangeSet", StackName="app", ChangeSetName="x")
    assert message(stacks, "DescribeChangeSet", StackName="app", ChangeSetName="x") == (
        "ChangeSetNotFound",
        "ChangeSet [x] does not exist",
    )


def test_change_set_says_which_parameter_changes_a_property() -> None:
    stacks = Stacks()
    template = {
        **things(A={"Text": {"Ref": "P"}}),
        "Parameters": {"P": {"Type": "String", "Default": "one"}},
    }
    stacks.create("app", template)
    stacks(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="x",
        TemplateBody=body(template),
        Parameters=[{"ParameterKey": "P", "ParameterValue": "two"}],
    )
    stacks.kernel.settle()
    described = stacks("DescribeChangeSet", StackName="app", ChangeSetName="x")
    target = {"Attribute": "Properties", "Name": "Text", "RequiresRecreation": "Never"}
    assert described["Changes"][0]["ResourceChange"]["Details"] == [
        {
            "Target": target,
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference",
            "CausingEntity": "P",
        },
        {"Target": target, "Evaluation": "Dynamic", "ChangeSource": "DirectModification"},
    ]
    assert (described["Capabilities"], described["RollbackConfiguration"]) == ([], {})


def test_a_stack_in_review_can_be_created_directly_which_makes_its_change_sets_obsolete() -> None:
    stacks = Stacks()
    made = stacks(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=body(things(A={})),
    )
    stacks.kernel.settle()
    assert message(stacks, "GetTemplateSummary", StackName="app")[1] == (
        "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
    )
    assert stacks.create("app", things(A={}))["StackId"] == made["StackId"]
    assert stacks.stack("app")["StackStatus"] == "CREATE_COMPLETE"
    assert stacks("DescribeChangeSet", ChangeSetName=made["Id"])["ExecutionStatus"] == "OBSOLETE"


def test_an_executed_change_set_is_described_by_its_arn_after_its_stack_is_gone() -> None:
    stacks = Stacks()
    made = stacks(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=body(things(A={})),
    )
    stacks.kernel.settle()
    stacks.kernel.advance(1_000_000)
    stacks("ExecuteChangeSet", ChangeSetName=made["Id"])
    stacks.kernel.settle()
    assert "LastUpdatedTime" in stacks.stack("app")
    stacks("DeleteStack", StackName="app")
    stacks.kernel.settle()
    assert stacks("DescribeChangeSet", ChangeSetName=made["Id"])["ExecutionStatus"] == "EXECUTE_COMPLETE"
    gone = stacks.stack(made["StackId"])
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    assert not {"ChangeSetId", "EnableTerminationProtection"} & set(gone)
    text = message(
        stacks,
        "CreateChangeSet",
        StackName=made["StackId"],
        ChangeSetName="again",
        ChangeSetType="CREATE",
        TemplateBody=body(things(A={})),
    )[1]
    assert text == (
        f"Stack [{made['StackId']}] already exists and cannot be created again with the changeSet [again]."
    )


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"TimeoutInMinutes": 5}, "NotSimulated: parameter TimeoutInMinutes"),
        (
            {"NotificationARNs": ["arn:aws:sns:us-east-1:123456789012:t"], "TimeoutInMinutes": 5},
            "NotSimulated: parameter NotificationARNs, parameter TimeoutInMinutes",
        ),
        (
            {"RollbackConfiguration": {"RollbackTriggers": [{"Arn": "a", "Type": "AWS::CloudWatch::Alarm"}]}},
            "NotSimulated: parameter RollbackConfiguration",
        ),
        (
            {"OnFailure": "DELETE", "DisableRollback": True},
            "Either DisableRollback or OnFailure can be specified, not both.",
        ),
    ],
)
def test_no_parameter_is_taken_and_forgotten(parameters: dict[str, Any], text: str) -> None:
    stacks = Stacks()
    assert (
        message(stacks, "CreateStack", StackName="app", TemplateBody=body(things(A={})), **parameters)[1]
        == text
    )
    stacks.create("app", things(A={}), RollbackConfiguration={})
    assert message(stacks, "DeleteStack", StackName="app", DeletionMode="FORCE_DELETE_STACK")[1] == (
        "NotSimulated: parameter DeletionMode FORCE_DELETE_STACK"
    )


def test_while_it_is_replaced_a_resource_is_shown_with_its_old_id_first() -> None:
    """test_change_set_parameters.snapshot.json of localstack/localstack: per-resource-events"""
    stacks = Stacks()
    stacks.create("app", things(A={"Name": "one"}))
    stacks.update("app", things(A={"Name": "two"}))
    events = stacks("DescribeStackEvents", StackName="app")["StackEvents"]
    assert [
        (each["ResourceStatus"], each["PhysicalResourceId"])
        for each in reversed(events)
        if each["LogicalResourceId"] == "A" and "CREATE" not in each["ResourceStatus"]
    ] == [
        ("UPDATE_IN_PROGRESS", "one"),
        ("UPDATE_IN_PROGRESS", "two"),
        ("UPDATE_COMPLETE", "two"),
        ("DELETE_IN_PROGRESS", "one"),
        ("DELETE_COMPLETE", "one"),
    ]


def test_a_stack_cannot_be_deleted_while_it_is_updated() -> None:
    stacks = Stacks()
    stack = stacks.create("app", things(A={"Text": "1"}))
    stacks("UpdateStack", StackName="app", TemplateBody=body(things(A={"Text": "2", "Seconds": 5})))
    assert message(stacks, "DeleteStack", StackName="app")[1] == (
        f"Stack [{stack['StackId']}] cannot be deleted while in status UPDATE_IN_PROGRESS"
    )


def test_a_hundred_resources_are_described_at_once_and_one_with_its_metadata() -> None:
    stacks = Stacks()
    stacks.create("app", things(**{f"T{n}": {} for n in range(120)}, Z={"_Metadata": {"a": 1}}))
    assert len(stacks("DescribeStackResources", StackName="app")["StackResources"]) == 100
    detail = stacks("DescribeStackResource", StackName="app", LogicalResourceId="Z")["StackResourceDetail"]
    assert detail["Metadata"] == '{"a": 1}'


def test_a_transform_among_properties_is_named() -> None:
    stacks = Stacks()
    template = things(A={"Text": "x", "Fn::Transform": {"Name": "Own"}})
    text = message(stacks, "CreateStack", StackName="app", TemplateBody=body(template))[1]
    assert text.startswith("NotSimulated: Fn::Transform")


def test_the_template_of_nothing() -> None:
    stacks = Stacks()
    assert message(stacks, "GetTemplate", ChangeSetName="x")[1] == "StackName is a required parameter."


def test_change_set_fails_with_every_name_that_is_not_simulated() -> None:
    stacks = Stacks()
    template = {
        "Transform": "Own",
        "Resources": {
            "Api": {"Type": "AWS::AppSync::GraphQLApi"},
            "Topic1": {"Type": "AWS::SNS::Topic", "Properties": {"ArchivePolicy": {}, "TopicName": "x"}},
            "Fn": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Role": "r",
                    "Runtime": "ruby3.3",
                    "Code": {"ZipFile": "x", "ImageUri": "y"},
                    "VpcConfig": {"SubnetIds": ["s"]},
                },
            },
            "Kept": {"Type": "Test::Thing", "DeletionPolicy": "Snapshot", "UpdatePolicy": {}},
            "Fn::ForEach::Loop": ["X", ["a"], {"T${X}": {"Type": "Test::Thing"}}],
        },
    }
    expected = (
        "NotSimulated: Fn::ForEach::Loop in Resources, transform Own, "
        "AWS::AppSync::GraphQLApi (Api), property AWS::SNS::Topic.ArchivePolicy (Topic1), "
        "property AWS::Lambda::Function.Code.ImageUri (Fn), property AWS::Lambda::Function.VpcConfig (Fn), "
        "AWS::Lambda::Function runtime ruby3.3 (Fn), UpdatePolicy (Kept), DeletionPolicy Snapshot (Kept)"
    )
    stacks(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="x",
        ChangeSetType="CREATE",
        TemplateBody=body(template),
    )
    stacks.kernel.settle()
    described = stacks("DescribeChangeSet", StackName="app", ChangeSetName="x")
    assert (described["Status"], described["StatusReason"]) == ("FAILED", expected)
    capabilities = ["CAPABILITY_AUTO_EXPAND"]
    assert message(
        stacks, "CreateStack", StackName="b", TemplateBody=body(template), Capabilities=capabilities
    ) == (
        "ValidationError",
        expected,
    )
    assert message(stacks, "ValidateTemplate", TemplateBody=body(template)) == ("ValidationError", expected)


def test_properties_of_the_wrong_type_or_missing_are_found_before_anything_is_created() -> None:
    stacks = Stacks()
    template = things(A={"Count": "many", "List": "x"}, B={"Nested": {}}, C={"Count": {"Ref": "A"}})
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template)) == (
        "ValidationError",
        "Properties validation failed for resource A with message: "
        "[#/Count: expected type: Integer, found: String, #/List: expected type: JSONArray, found: String] "
        "Properties validation failed for resource B with message: [#/Nested: required key [Size] not found]",
    )
    assert stacks.events() == []


def test_an_attribute_that_a_type_does_not_have() -> None:
    stacks = Stacks()
    template = things(A={}, B={"Text": {"Fn::GetAtt": ["A", "Size"]}})
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template)) == (
        "ValidationError",
        "Template error: resource A does not support attribute type Size in Fn::GetAtt",
    )


# -- stacks -------------------------------------------------------------------------------------


def test_names_that_are_taken_unknown_or_not_names() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={}))
    template = body(things(A={}))
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=template) == (
        "AlreadyExistsException",
        "Stack [app] already exists",
    )
    assert (
        message(stacks, "UpdateStack", StackName="nobody", TemplateBody=template)[1]
        == "Stack [nobody] does not exist"
    )
    assert message(stacks, "DescribeStacks", StackName="nobody")[1] == "Stack with id nobody does not exist"
    assert "regular expression" in message(stacks, "CreateStack", StackName="1app", TemplateBody=template)[1]
    assert stacks("DeleteStack", StackName="nobody") == {}
    assert message(stacks, "UpdateStack", StackName="app", TemplateBody=template) == (
        "ValidationError",
        "No updates are to be performed.",
    )


def test_a_second_operation_is_refused_while_one_is_at_work() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={}))
    stacks("UpdateStack", StackName="app", TemplateBody=body(things(A={"Count": 1})))
    assert stacks.stack("app")["StackStatus"] == "UPDATE_IN_PROGRESS"
    assert (
        "is in UPDATE_IN_PROGRESS state and can not be updated."
        in message(stacks, "UpdateStack", StackName="app", TemplateBody=body(things(A={"Count": 2})))[1]
    )


def test_description_of_a_stack_with_parameters_outputs_and_tags() -> None:
    stacks = Stacks()
    stacks.parameters["/version"] = "30"
    template = {
        **things(A={"Text": {"Ref": "Plain"}}, Off={"_Condition": "Never"}),
        "Description": "what it is",
        "Parameters": {
            "Plain": {"Type": "String"},
            "Secret": {"Type": "String", "NoEcho": True, "Default": "x"},
            "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/version"},
        },
        "Conditions": {"Never": {"Fn::Equals": [{"Ref": "Plain"}, "z"]}},
        "Outputs": {
            "Id": {"Value": {"Ref": "A"}, "Description": "its id", "Export": {"Name": "the-id"}},
            "Not": {"Condition": "Never", "Value": {"Ref": "Off"}},
        },
    }
    stack = stacks.create(
        "app",
        template,
        Parameters=[{"ParameterKey": "Plain", "ParameterValue": "p"}],
        Tags=[{"Key": "k", "Value": "v"}],
    )
    assert stack["Parameters"] == [
        {"ParameterKey": "Plain", "ParameterValue": "p"},
        {"ParameterKey": "Secret", "ParameterValue": "****"},
        {"ParameterKey": "Version", "ParameterValue": "/version", "ResolvedValue": "30"},
    ]
    [output] = stack["Outputs"]
    assert output["OutputValue"].startswith("app-A-")
    assert (output["OutputKey"], output["Description"], output["ExportName"]) == ("Id", "its id", "the-id")
    assert (stack["Description"], stack["Tags"]) == ("what it is", [{"Key": "k", "Value": "v"}])
    assert stacks("GetTemplate", StackName="app")["TemplateBody"] == template
    summary = stacks("GetTemplateSummary", StackName="app")
    assert summary["ResourceTypes"] == ["Test::Thing"]
    assert [each["ParameterType"] for each in summary["Parameters"]] == [
        "String",
        "String",
        "AWS::SSM::Parameter::Value<String>",
    ]


def test_an_ssm_parameter_that_is_not_there_and_a_rule_that_does_not_hold() -> None:
    stacks = Stacks()
    rule = {
        "Assertions": [
            {
                "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "V"}]}]},
                "AssertDescription": "CDK bootstrap stack version 6 required.",
            }
        ]
    }
    template = {
        **things(A={}),
        "Parameters": {"V": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/version"}},
        "Rules": {"CheckBootstrapVersion": rule},
    }
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template)) == (
        "ValidationError",
        "Unable to fetch parameters [/version] from parameter store for this account.",
    )
    del template["Parameters"]["V"]["Default"]
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template))[1] == (
        "Parameter V should either have input value or default value"
    )
    template["Parameters"]["V"]["Default"] = "/version"
    stacks.parameters["/version"] = "2"
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template))[1] == (
        "Template error: rule CheckBootstrapVersion failed: CDK bootstrap stack version 6 required."
    )


def test_exports_are_unique_and_guarded_while_imported() -> None:
    stacks = Stacks()

    def producer(text: str, export: str = "shared") -> dict[str, Any]:
        return {**things(A={"Text": text}), "Outputs": {"O": {"Value": text, "Export": {"Name": export}}}}

    stacks.create("one", producer("v1"))
    assert stacks.create("two", producer("v2"))["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [
        reason
        for _, name, status, reason in stacks.events()
        if (name, status) == ("two", "ROLLBACK_IN_PROGRESS")
    ]
    assert reasons == [
        "Export with name shared is already exported by stack one. Rollback requested by user."
    ]

    stacks.create("user", things(B={"Text": {"Fn::ImportValue": "shared"}}))
    assert [each["Value"] for each in stacks("ListExports")["Exports"]] == ["v1"]
    assert stacks("ListImports", ExportName="shared")["Imports"] == ["user"]
    assert stacks("DeleteStack", StackName="one") == {}
    stacks.kernel.settle()
    assert stacks.stack("one")["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.events()[-1][1:] == (
        "one",
        "CREATE_COMPLETE",
        "Delete canceled. Cannot delete export shared as it is in use by user.",
    )
    for changed, reason in (
        (producer("v3"), "Cannot update export shared as it is in use by user. "),
        (producer("v1", "other"), "Cannot delete export shared as it is in use by user. "),
    ):
        assert stacks.update("one", changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert (reason in [each[3] for each in stacks.events()]) is True
    assert stacks("ListExports")["Exports"][0]["Value"] == "v1"
    stacks("DeleteStack", StackName="user")
    stacks.kernel.settle()
    stacks("DeleteStack", StackName="one")
    stacks.kernel.settle()
    assert stacks("ListExports")["Exports"] == []
    missing = stacks.create("late", things(B={"Text": {"Fn::ImportValue": "shared"}}))
    assert missing["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [each[1:] for each in stacks.events() if each[1] in ("late", "B")][-3:] == [
        ("late", "CREATE_IN_PROGRESS", "User Initiated"),
        ("late", "ROLLBACK_IN_PROGRESS", "No export named shared found. Rollback requested by user."),
        ("late", "ROLLBACK_COMPLETE", ""),
    ]
    stacks.create("kept", things(B={}))
    assert stacks.update("kept", things(B={"Text": {"Fn::ImportValue": "shared"}}))["StackStatus"] == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    assert ("kept", "UPDATE_ROLLBACK_IN_PROGRESS", "No export named shared found") in [
        each[1:] for each in stacks.events()
    ]


def test_an_output_asks_for_an_attribute_that_there_is_not() -> None:
    """LocalStack, engine/test_attributes.snapshot.json, test_invalid_getatt_fails (recorded from AWS)."""
    stacks = Stacks()
    template = {**things(A={}), "Outputs": {"O": {"Value": {"Fn::GetAtt": ["A", "Size"]}}}}
    assert stacks.create("app", template)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert [each[1:] for each in stacks.events()] == [
        ("app", "CREATE_IN_PROGRESS", "User Initiated"),
        (
            "app",
            "ROLLBACK_IN_PROGRESS",
            "[Error] /Outputs/O/Value/Fn::GetAtt: Resource type Test::Thing does not support attribute "
            "{Size}. Rollback requested by user.",
        ),
        ("app", "ROLLBACK_COMPLETE", ""),
    ]


def test_events_show_the_properties_of_their_time() -> None:
    """LocalStack, v2/test_change_sets.snapshot.json, test_direct_update (recorded from AWS): what an update
    cleans up shows none."""
    stacks = Stacks()
    stacks.create("app", things(A={"Fixed": "1"}))
    stacks.update("app", things(A={"Fixed": "2"}))
    shown = [
        (each["ResourceStatus"], each.get("ResourceProperties"))
        for each in reversed(stacks("DescribeStackEvents", StackName="app")["StackEvents"])
        if each["LogicalResourceId"] == "A"
    ]
    assert shown == [
        ("CREATE_IN_PROGRESS", '{"Fixed":"1"}'),
        ("CREATE_IN_PROGRESS", '{"Fixed":"1"}'),
        ("CREATE_COMPLETE", '{"Fixed":"1"}'),
        ("UPDATE_IN_PROGRESS", '{"Fixed":"2"}'),
        ("UPDATE_IN_PROGRESS", '{"Fixed":"2"}'),
        ("UPDATE_COMPLETE", '{"Fixed":"2"}'),
        ("DELETE_IN_PROGRESS", None),
        ("DELETE_COMPLETE", None),
    ]


def test_a_change_set_has_a_name_and_a_type() -> None:
    stacks = Stacks()
    params = {"StackName": "app", "TemplateBody": body(things(A={}))}
    assert message(stacks, "CreateChangeSet", ChangeSetName="1a", ChangeSetType="CREATE", **params) == (
        "ValidationError",
        "1 validation error detected: Value '1a' at 'changeSetName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
    )
    assert message(stacks, "CreateChangeSet", ChangeSetName="a", ChangeSetType="NEW", **params)[1] == (
        "1 validation error detected: Value 'NEW' at 'changeSetType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [CREATE, UPDATE, IMPORT]"
    )


def test_a_parameter_has_a_name_of_letters_and_digits() -> None:
    """The text: an error of CreateChangeSet in a comment of a public repository (USE_CLAUDE)."""
    stacks = Stacks()
    template = {**things(A={}), "Parameters": {"USE_IT": {"Type": "String", "Default": "x"}}}
    assert message(stacks, "CreateStack", StackName="app", TemplateBody=body(template)) == (
        "ValidationError",
        "Template format error: Parameter name USE_IT is non alphanumeric.",
    )


def test_termination_protection_is_enforced() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={}), EnableTerminationProtection=True)
    assert message(stacks, "DeleteStack", StackName="app")[1] == (
        "Stack [app] cannot be deleted while TerminationProtection is enabled"
    )
    stacks("UpdateTerminationProtection", StackName="app", EnableTerminationProtection=False)
    assert stacks("DeleteStack", StackName="app") == {}


@pytest.mark.parametrize(
    ("properties", "given", "missing"),
    [
        ({}, [], "CAPABILITY_IAM"),
        ({"RoleName": "r"}, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
    ],
)
def test_capabilities(properties: dict[str, Any], given: list[str], missing: str) -> None:
    stacks = Stacks()
    role = {"AssumeRolePolicyDocument": {}, **properties}
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}
    code, text = message(
        stacks, "CreateStack", StackName="app", TemplateBody=body(template), Capabilities=given
    )
    assert (code, text) == ("InsufficientCapabilitiesException", f"Requires capabilities : [{missing}]")
    assert stacks("ValidateTemplate", TemplateBody=body(template))["Capabilities"] == [
        "CAPABILITY_NAMED_IAM" if properties else "CAPABILITY_IAM"
    ]


def test_pages() -> None:
    stacks = Stacks()
    names = [f"A{number:03}" for number in range(120)]
    stacks.create("app", things(**{name: {"Seconds": 0} for name in names}))
    first = stacks("ListStackResources", StackName="app")
    second = stacks("ListStackResources", StackName="app", NextToken=first["NextToken"])
    shown = [*first["StackResourceSummaries"], *second["StackResourceSummaries"]]
    assert ([each["LogicalResourceId"] for each in shown], "NextToken" in second) == (names, False)
    events: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = stacks("DescribeStackEvents", StackName="app", **token)
        events += page["StackEvents"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(events) == 120 * 3 + 2
    assert (events[0]["ResourceStatus"], events[-1]["ResourceStatusReason"]) == (
        "CREATE_COMPLETE",
        "User Initiated",
    )


def test_template_url() -> None:
    stacks = Stacks()
    stacks.objects["assets", "a/t.json"] = body(things(A={})).encode()
    url = "https://assets.s3.us-east-1.amazonaws.com/a/t.json"
    stacks("CreateStack", StackName="app", TemplateURL=url)
    stacks.kernel.settle()
    assert stacks.stack("app")["StackStatus"] == "CREATE_COMPLETE"
    assert (
        message(stacks, "ValidateTemplate", TemplateURL=url + "x")[1]
        == "S3 error: The specified key does not exist."
    )
    assert message(stacks, "ValidateTemplate")[1] == "Either Template URL or Template Body must be specified."


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://s3.amazonaws.com/b/k/x.json", ("b", "k/x.json")),
        ("https://s3.eu-west-1.amazonaws.com/b/k", ("b", "k")),
        ("https://b.s3.amazonaws.com/k", ("b", "k")),
        ("https://b.c.s3-eu-west-1.amazonaws.com/k%20l", ("b.c", "k l")),
        ("s3://b/k", ("b", "k")),
    ],
)
def test_s3_urls(url: str, expected: tuple[str, str]) -> None:
    assert s3_location(url) == expected


def test_a_url_that_is_not_s3() -> None:
    with pytest.raises(ServiceError, match="TemplateURL must be a supported URL"):
        s3_location("https://example.com/t.json")
