"""AWS::Lambda: functions, versions, aliases, layers.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from ...functions.validation import PYTHON_RUNTIMES, RETIRED_RUNTIMES
from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .codedeploy import shift_traffic
from .schema import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    STRING,
    STRING_MAP,
    STRINGS,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_GONE = ("ResourceNotFoundException",)
_CONCURRENCY = struct(_required=("ProvisionedConcurrentExecutions",), ProvisionedConcurrentExecutions=INTEGER)


class Function(Provider):
    type = "AWS::Lambda::Function"
    properties = accepts(
        Architectures=optional(STRINGS),
        Code=required(
            struct(S3Bucket=STRING, S3Key=STRING, S3ObjectVersion=STRING, ZipFile=STRING),
        ),
        DeadLetterConfig=optional(struct(TargetArn=STRING)),
        Description=optional(STRING),
        Environment=optional(struct(Variables=STRING_MAP)),
        EphemeralStorage=optional(struct(_required=("Size",), Size=INTEGER)),
        FunctionName=replaces(STRING),
        Handler=optional(STRING),
        Layers=optional(STRINGS),
        LoggingConfig=optional(
            struct(ApplicationLogLevel=STRING, LogFormat=STRING, LogGroup=STRING, SystemLogLevel=STRING)
        ),
        MemorySize=optional(INTEGER),
        PackageType=replaces(STRING),
        RecursiveLoop=optional(STRING),
        ReservedConcurrentExecutions=optional(INTEGER),
        Role=required(STRING),
        Runtime=optional(STRING),
        SnapStart=optional(struct(_required=("ApplyOn",), ApplyOn=STRING)),
        Timeout=optional(INTEGER),
        TracingConfig=optional(struct(Mode=STRING)),
        VpcConfig=optional(
            struct(Ipv6AllowedForDualStack=BOOLEAN, SecurityGroupIds=STRINGS, SubnetIds=STRINGS)
        ),
    )
    attributes = ("Arn",)
    named_by = "FunctionName"
    missing = _GONE
    _removed: ClassVar[dict[str, Any]] = {
        "DeadLetterConfig": {"TargetArn": ""},
        "Description": "",
        "Environment": {"Variables": {}},
        "EphemeralStorage": {"Size": 512},
        "Layers": [],
        "MemorySize": 128,
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
    }
    """What a setting becomes when its property is removed from the template: Lambda's defaults."""
    _settings = (*_removed, "Handler", "LoggingConfig", "Role", "Runtime")

    def refused(self, props: dict[str, Any]) -> list[str]:
        found = []
        if props.get("PackageType", "Zip") == "Image":
            found.append("property AWS::Lambda::Function.PackageType Image")
        if props.get("SnapStart", {}).get("ApplyOn", "None") != "None":
            found.append("property AWS::Lambda::Function.SnapStart")
        vpc = props.get("VpcConfig", {})
        if vpc.get("SubnetIds") or vpc.get("SecurityGroupIds"):
            found.append("property AWS::Lambda::Function.VpcConfig")
        runtime = props.get("Runtime")
        known = PYTHON_RUNTIMES + RETIRED_RUNTIMES
        if runtime and runtime not in known and not runtime.startswith("{{"):
            found.append(f"AWS::Lambda::Function runtime {runtime}")
        return found

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("FunctionName") or ctx.name(64)
        settings = picked(props, "Architectures", "PackageType", *self._settings)
        params = {"FunctionName": name, "Code": _code(props), **settings}
        arn = ctx.call("lambda", "CreateFunction", params)["FunctionArn"]
        ctx.created(name)
        self._reserve(ctx, name, props)
        if "RecursiveLoop" in props:
            self._set_recursion(ctx, name, props)
        self._until_ready(ctx, name)
        return Outcome(name, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        function = {"FunctionName": physical_id}
        if old["Code"] != new["Code"] or old.get("Architectures") != new.get("Architectures"):
            architectures = {"Architectures": new.get("Architectures", ["x86_64"])}
            ctx.call("lambda", "UpdateFunctionCode", {**function, **_code(new), **architectures})
            self._until_ready(ctx, physical_id)
        changes = {
            name: new[name] if name in new else self._removed[name]
            for name in self._settings
            if old.get(name) != new.get(name) and (name in new or name in self._removed)
        }
        if "LoggingConfig" in old and "LoggingConfig" not in new:
            changes["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{physical_id}"}
        if changes:
            ctx.call("lambda", "UpdateFunctionConfiguration", {**function, **changes})
        if old.get("ReservedConcurrentExecutions") != new.get("ReservedConcurrentExecutions"):
            self._reserve(ctx, physical_id, new)
            if "ReservedConcurrentExecutions" not in new:
                ctx.call("lambda", "DeleteFunctionConcurrency", function)
        if old.get("RecursiveLoop") != new.get("RecursiveLoop"):
            self._set_recursion(ctx, physical_id, new)
        return Outcome(physical_id, {"Arn": self._until_ready(ctx, physical_id)})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("lambda", "DeleteFunction", {"FunctionName": physical_id})

    @staticmethod
    def _reserve(ctx: Context, name: str, props: dict[str, Any]) -> None:
        reserved = picked(props, "ReservedConcurrentExecutions")
        if reserved:
            ctx.call("lambda", "PutFunctionConcurrency", {"FunctionName": name, **reserved})

    @staticmethod
    def _set_recursion(ctx: Context, name: str, props: dict[str, Any]) -> None:
        choice = props.get("RecursiveLoop", "Terminate")
        params = {"FunctionName": name, "RecursiveLoop": choice}
        ctx.call("lambda", "PutFunctionRecursionConfig", params)

    @staticmethod
    def _until_ready(ctx: Context, name: str) -> str:
        """Wait until the function is active and its last update is in force; its ARN."""
        found: dict[str, Any] = {}

        def ready() -> bool:
            found.update(ctx.call("lambda", "GetFunctionConfiguration", {"FunctionName": name}))
            return found.get("State", "Active") == "Active" and found.get("LastUpdateStatus") != "InProgress"

        ctx.until(ready, f"Function {name}")
        return str(found["FunctionArn"])


def _code(props: dict[str, Any]) -> dict[str, Any]:
    """The Code as Lambda's API takes it; inline source becomes an archive that holds ``index.py``,
    and AWS's module ``cfnresponse`` if the source names it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
    """
    code = props["Code"]
    if "ZipFile" not in code:
        return picked(code, "S3Bucket", "S3Key", "S3ObjectVersion")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("index.py", (1980, 1, 1, 0, 0, 0)), code["ZipFile"])
        if "cfnresponse" in code["ZipFile"]:
            archive.writestr(zipfile.ZipInfo("cfnresponse.py", (1980, 1, 1, 0, 0, 0)), _cfnresponse())
    return {"ZipFile": buffer.getvalue()}


@functools.cache
def _cfnresponse() -> str:
    return (Path(__file__).parents[1] / "cfnresponse.py").read_text("utf-8")


class Version(Provider):
    type = "AWS::Lambda::Version"
    properties = accepts(
        CodeSha256=replaces(STRING),
        Description=replaces(STRING),
        FunctionName=required(STRING, replaces=True),
        ProvisionedConcurrencyConfig=replaces(_CONCURRENCY),
    )
    attributes = ("FunctionArn", "Version")
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        """Lambda answers with the latest version if nothing changed since; CloudFormation must not adopt it.

        https://github.com/serverless/serverless/issues/8392 shows AWS's text.
        """
        known = self._versions(ctx, props["FunctionName"])
        made = ctx.call(
            "lambda", "PublishVersion", picked(props, "CodeSha256", "Description", "FunctionName")
        )
        if made["Version"] in known:
            raise ServiceError(
                "AlreadyExists",
                f"A version for this Lambda function exists ( {made['Version']} ). "
                "Modify the function to create a new version.",
            )
        ctx.created(made["FunctionArn"])
        _provision(ctx, props["FunctionName"], made["Version"], props)
        return Outcome(made["FunctionArn"], {"FunctionArn": made["FunctionArn"], "Version": made["Version"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"FunctionArn": physical_id, "Version": physical_id.rsplit(":", 1)[1]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        qualifier = physical_id.rsplit(":", 1)[1]
        if qualifier.isdigit():
            ctx.call(
                "lambda", "DeleteFunction", {"FunctionName": props["FunctionName"], "Qualifier": qualifier}
            )

    @staticmethod
    def _versions(ctx: Context, function: str) -> list[str]:
        found: list[str] = []
        marker: dict[str, str] = {}
        while True:
            page = ctx.call("lambda", "ListVersionsByFunction", {"FunctionName": function, **marker})
            found += [each["Version"] for each in page["Versions"]]
            if not page.get("NextMarker"):
                return found
            marker = {"Marker": page["NextMarker"]}


def _provision(ctx: Context, function: str, qualifier: str, props: dict[str, Any]) -> None:
    config = props.get("ProvisionedConcurrencyConfig")
    if config:
        params = {"FunctionName": function, "Qualifier": qualifier}
        ctx.call("lambda", "PutProvisionedConcurrencyConfig", {**params, **config})

        def ready() -> bool:
            found = ctx.call("lambda", "GetProvisionedConcurrencyConfig", params)
            return bool(found["Status"] != "IN_PROGRESS")

        ctx.until(ready, f"Provisioned concurrency of {function}:{qualifier}")


class Alias(Provider):
    type = "AWS::Lambda::Alias"
    properties = accepts(
        Description=optional(STRING),
        FunctionName=required(STRING, replaces=True),
        FunctionVersion=required(STRING),
        Name=required(STRING, replaces=True),
        ProvisionedConcurrencyConfig=optional(_CONCURRENCY),
        RoutingConfig=optional(
            struct(
                AdditionalVersionWeights=list_of(
                    struct(
                        _required=("FunctionVersion", "FunctionWeight"),
                        FunctionVersion=STRING,
                        FunctionWeight=NUMBER,
                    )
                )
            )
        ),
    )
    attributes = ("AliasArn",)
    missing = _GONE
    update_policies = accepts(
        CodeDeployLambdaAliasUpdate=optional(
            struct(
                _required=("ApplicationName", "DeploymentGroupName"),
                AfterAllowTrafficHook=STRING,
                ApplicationName=STRING,
                BeforeAllowTrafficHook=STRING,
                DeploymentGroupName=STRING,
            )
        )
    )

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = {
            **picked(props, "Description", "FunctionName", "FunctionVersion", "Name"),
            **_routing(props),
        }
        arn = ctx.call("lambda", "CreateAlias", params)["AliasArn"]
        ctx.created(arn)
        _provision(ctx, props["FunctionName"], props["Name"], props)
        return Outcome(arn, {"AliasArn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = picked(new, "FunctionName", "FunctionVersion", "Name")
        weights = _routing(new) or {"RoutingConfig": {"AdditionalVersionWeights": {}}}
        policy = ctx.update_policy.get("CodeDeployLambdaAliasUpdate")
        if policy and old["FunctionVersion"] != new["FunctionVersion"]:
            shift_traffic(ctx, policy, old["FunctionVersion"], new)
        ctx.call("lambda", "UpdateAlias", {**params, "Description": new.get("Description", ""), **weights})
        if old.get("ProvisionedConcurrencyConfig") != new.get("ProvisionedConcurrencyConfig"):
            _provision(ctx, new["FunctionName"], new["Name"], new)
            if "ProvisionedConcurrencyConfig" not in new:
                qualified = {"FunctionName": new["FunctionName"], "Qualifier": new["Name"]}
                ctx.call("lambda", "DeleteProvisionedConcurrencyConfig", qualified)
        return Outcome(physical_id, {"AliasArn": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("lambda", "DeleteAlias", picked(props, "FunctionName", "Name"))


def _routing(props: dict[str, Any]) -> dict[str, Any]:
    weights = props.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    if not weights:
        return {}
    table = {each["FunctionVersion"]: float(each["FunctionWeight"]) for each in weights}
    return {"RoutingConfig": {"AdditionalVersionWeights": table}}


class LayerVersion(Provider):
    type = "AWS::Lambda::LayerVersion"
    properties = accepts(
        CompatibleRuntimes=replaces(STRINGS),
        Content=required(
            struct(_required=("S3Bucket", "S3Key"), S3Bucket=STRING, S3Key=STRING, S3ObjectVersion=STRING),
            replaces=True,
        ),
        Description=replaces(STRING),
        LayerName=replaces(STRING),
        LicenseInfo=replaces(STRING),
    )
    attributes = ("LayerVersionArn",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("LayerName") or ctx.name(64)
        params = picked(props, "CompatibleRuntimes", "Description", "LicenseInfo")
        content = picked(props["Content"], "S3Bucket", "S3Key", "S3ObjectVersion")
        made = ctx.call("lambda", "PublishLayerVersion", {"LayerName": name, "Content": content, **params})
        return Outcome(made["LayerVersionArn"], {"LayerVersionArn": made["LayerVersionArn"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"LayerVersionArn": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        name, number = physical_id.split(":")[-2:]
        ctx.call("lambda", "DeleteLayerVersion", {"LayerName": name, "VersionNumber": int(number)})


PROVIDERS: tuple[type[Provider], ...] = (Function, Version, Alias, LayerVersion)
