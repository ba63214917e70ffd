"""Functions and their code: create, read, update, delete.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and its neighbours.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import urllib.parse
from typing import Any

from ..constraints import complaint, constraint, detected
from ..routes.targets import queue_url
from ..service import Call, Caller, ServiceError
from .concurrency import Pool
from .layers import Layers
from .model import ACTIVE, Code, Configuration, Function, Version, describe, listed
from .names import LATEST, conflict, invalid, not_found
from .package import Package
from .validation import check_settings
from .versions import Versions

ZIP_LIMIT = 50 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a zip file uploaded directly."""

_PLAIN = {
    "Runtime": "runtime",
    "Handler": "handler",
    "Role": "role",
    "Description": "description",
    "Timeout": "timeout_s",
    "MemorySize": "memory_mb",
}


class Deployment(Versions, Layers):
    def CreateFunction(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_settings(params)
        reference = self.named(call)
        if reference.qualifier is not None:
            raise constraint(params["FunctionName"], "functionName", "name no version or alias")
        name = reference.name
        if len(name) > 64:
            raise invalid(detected(complaint(name, "functionName", "have length less than or equal to 64")))
        if not params.get("Runtime") or not params.get("Handler"):
            raise invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        self._check_role(params["Role"])
        code = self._code(params["Code"], call.caller, f"functions/{name}")
        if name in self.functions:
            raise conflict(f"Function already exist: {name}")
        configuration = self._configured(Configuration("", "", "", log_group=f"/aws/lambda/{name}"), params)
        self._check_dead_letter(configuration)
        self._check_tracing(configuration)
        function = Function.__new__(Function)
        version = Version(function, LATEST, configuration, code, self.timestamp(), self.new_id(), Pool())
        Function.__init__(
            function, name, self.function_arn(name), version, tags=dict(params.get("Tags") or {})
        )
        self.functions[name] = function
        self.changed()
        shown = self.publish(function) if params.get("Publish") else version
        return {"$status": 201, **describe(shown, qualified=False, progress="creating")}

    def GetFunction(self, call: Call) -> dict[str, Any]:
        function, qualifier = self.find(call)
        version = self.find_version(function, qualifier)
        answer: dict[str, Any] = {
            "Configuration": self._described(function, version, qualifier),
            "Code": {"RepositoryType": "S3", "Location": version.code.location},
        }
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    def GetFunctionConfiguration(self, call: Call) -> dict[str, Any]:
        function, qualifier = self.find(call)
        return self._described(function, self.find_version(function, qualifier), qualifier)

    def ListFunctions(self, call: Call) -> dict[str, Any]:
        versions = [function.latest for function in self.functions.values()]
        wanted = call.params.get("FunctionVersion")
        if wanted not in (None, "ALL"):
            raise constraint(wanted, "functionVersion", "satisfy enum value set: [ALL]")
        if wanted == "ALL":
            versions = [version for function in self.functions.values() for version in function.versions]
            return self.page([listed(version, version.arn) for version in versions], "Functions", call)
        return self.page([listed(version, version.function.arn) for version in versions], "Functions", call)

    def UpdateFunctionCode(self, call: Call) -> dict[str, Any]:
        params = call.params
        function = self.find_unqualified(call)
        self.check_revision(params.get("RevisionId"), function.latest.revision)
        if params.get("ImageUri"):
            raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
        code = self._code(params, call.caller, f"functions/{function.name}")
        if params.get("DryRun"):
            return describe(function.latest)
        check_settings({"Architectures": params.get("Architectures")})
        configuration = function.latest.configuration
        if params.get("Architectures"):
            configuration = dataclasses.replace(configuration, architecture=params["Architectures"][0])
        self._replace_latest(function, configuration, code)
        if params.get("Publish"):
            return describe(self.publish(function), progress="creating")
        return describe(function.latest, progress="updating")

    def UpdateFunctionConfiguration(self, call: Call) -> dict[str, Any]:
        params = call.params
        function = self.find_unqualified(call)
        self.check_revision(params.get("RevisionId"), function.latest.revision)
        check_settings(params)
        if params.get("Role"):
            self._check_role(params["Role"])
        configuration = self._configured(function.latest.configuration, params)
        self._check_dead_letter(configuration)
        self._check_tracing(configuration)
        self._replace_latest(function, configuration, function.latest.code)
        return describe(function.latest, progress="updating")

    def DeleteFunction(self, call: Call) -> dict[str, Any]:
        """Delete a function, or one of its published versions. Invocations in flight finish.

        ``$LATEST`` is refused before anything is looked for (recorded: LocalStack's test_lambda_api,
        test_ops_with_arn_qualifier_mismatch).
        """
        reference = self.named(call)
        if reference.qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        function = self.functions.get(reference.name)
        if function is None:
            raise not_found(f"Function not found: {self.function_arn(reference.name)}")
        if reference.qualifier is not None:
            self.delete_version(function, reference.qualifier)
            return {"$status": 204}
        for version in function.versions:
            self.concurrency.retire(version, version.pool, "deleted")
        for provisioned in function.provisioned.values():
            self.concurrency.retire(provisioned.version, provisioned.pool, "deleted")
            data = {"qualifier": provisioned.qualifier, "concurrency": 0, "memory_mb": 0}
            self.journal.record("lambda.provisioned", function.name, actor="lambda", data=data)
        function.deleted = True
        del self.functions[function.name]
        self.concurrency.recount()
        self.changed()
        return {"$status": 204}

    # -- parts ---------------------------------------------------------------------------------------

    def _described(self, function: Function, version: Version, qualifier: str | None) -> dict[str, Any]:
        answer = describe(version)
        if qualifier is not None:
            answer["FunctionArn"] = f"{function.arn}:{qualifier}"
        return answer

    def _replace_latest(self, function: Function, configuration: Configuration, code: Code) -> None:
        """New code or settings: the old environments go, the next request gets a new one."""
        old = function.latest
        function.latest = Version(
            function, LATEST, configuration, code, self.timestamp(), self.new_id(), Pool()
        )
        self.concurrency.retire(old, old.pool, "replaced")
        self.changed()

    def _configured(self, before: Configuration, params: dict[str, Any]) -> Configuration:
        """The settings after a create or update: members that are absent stay as they were."""
        changes: dict[str, Any] = {
            field: params[member] for member, field in _PLAIN.items() if params.get(member) is not None
        }
        if params.get("Environment") is not None:
            changes["environment"] = dict(params["Environment"].get("Variables") or {})
        if params.get("Layers") is not None:
            changes["layers"] = tuple(self.layers_named(params["Layers"]))
        if params.get("Architectures"):
            changes["architecture"] = params["Architectures"][0]
        if params.get("TracingConfig", {}).get("Mode"):
            changes["tracing"] = params["TracingConfig"]["Mode"]
        if params.get("EphemeralStorage", {}).get("Size"):
            changes["ephemeral_mb"] = params["EphemeralStorage"]["Size"]
        if params.get("DeadLetterConfig") is not None:
            changes["dead_letter_arn"] = params["DeadLetterConfig"].get("TargetArn") or ""
        logging = params.get("LoggingConfig")
        if logging:
            json_format = logging.get("LogFormat", before.log_format) == "JSON"
            changes["log_format"] = "JSON" if json_format else "Text"
            changes["log_group"] = logging.get("LogGroup") or before.log_group
            changes["application_log_level"] = (
                logging.get("ApplicationLogLevel", "INFO") if json_format else ""
            )
            changes["system_log_level"] = logging.get("SystemLogLevel", "INFO") if json_format else ""
        return dataclasses.replace(before, **changes)

    def _code(self, params: dict[str, Any], caller: Caller, place: str) -> Code:
        """The deployment package a request carries, or names in S3."""
        zipped = params.get("ZipFile")
        if zipped is not None:
            content = as_bytes(zipped)
            if len(content) > ZIP_LIMIT:
                raise ServiceError(
                    "RequestEntityTooLargeException",
                    f"Zipped size must be smaller than {ZIP_LIMIT} bytes",
                    413,
                    Type="User",
                )
        elif params.get("S3Bucket") and params.get("S3Key"):
            content = self._fetch(params, caller)
        else:
            raise invalid("Please provide a source for function code.")
        if not content:
            raise invalid("Uploaded file must be a non-empty zip")
        try:
            package = Package.from_zip(content)
        except ValueError as error:
            raise invalid(str(error)) from None
        location = (
            f"https://awslambda-{self.world.region}-tasks.s3.{self.world.region}.amazonaws.com/snapshots/"
            f"{self.world.account}/{place}-{hashlib.sha256(content).hexdigest()[:12]}"
        )
        return Code(package, location)

    def _fetch(self, params: dict[str, Any], caller: Caller) -> bytes:
        request = {"Bucket": params["S3Bucket"], "Key": params["S3Key"]}
        if params.get("S3ObjectVersion"):
            request["VersionId"] = params["S3ObjectVersion"]
        try:
            body = self.world.call("s3", "GetObject", request, caller)["Body"]
        except ServiceError as error:
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: "
                f"{error.message}"
            ) from None
        return as_bytes(body)

    def _check_dead_letter(self, configuration: Configuration) -> None:
        """Lambda refuses a dead-letter queue that the function's role may not send to.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
        """
        arn = configuration.dead_letter_arn
        if not arn:
            return
        caller = Caller("service", "lambda", role=configuration.role)
        service, operation = ("sns", "Publish") if ":sns:" in arn else ("sqs", "SendMessage")
        params = {"TopicArn": arn} if service == "sns" else {"QueueUrl": queue_url(arn)}
        try:
            self.world.identity.check(
                caller, service, operation, params, self.world.region, self.world.account
            )
        except ServiceError:
            raise invalid(
                f"The provided execution role does not have permissions to call {operation} on "
                f"{service.upper()}"
            ) from None

    def _check_tracing(self, configuration: Configuration) -> None:
        """Lambda refuses active tracing with a role that may not send segments.

        https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html#services-xray-permissions
        """
        if configuration.tracing != ACTIVE:
            return
        caller = Caller("service", "lambda", role=configuration.role)
        try:
            self.world.identity.check(
                caller, "xray", "PutTraceSegments", {}, self.world.region, self.world.account
            )
        except ServiceError:
            raise invalid(
                "The provided execution role does not have permissions to call PutTraceSegments on XRAY"
            ) from None

    def _check_role(self, arn: str) -> None:
        """The role must exist and trust Lambda.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
        """
        try:
            answer = self.world.call(
                "iam", "GetRole", {"RoleName": arn.rsplit("/", 1)[-1]}, Caller("service", "lambda")
            )
        except ServiceError as error:
            if error.code not in ("NoSuchEntity", "NoSuchEntityException"):
                raise
            trusted = False
        else:
            trusted = trusts_lambda(answer["Role"].get("AssumeRolePolicyDocument"))
        if not trusted:
            raise invalid("The role defined for the function cannot be assumed by Lambda.")


def trusts_lambda(document: dict[str, Any] | str | None) -> bool:
    """Does a trust policy let lambda.amazonaws.com assume the role?"""
    policy: Any = document or {}
    if isinstance(document, str):
        policy = json.loads(urllib.parse.unquote(document) if document.startswith("%") else document)
    for statement in _listed(policy.get("Statement")):
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, dict) else _listed(principal)
        actions = _listed(statement.get("Action"))
        if (
            statement.get("Effect") == "Allow"
            and ("lambda.amazonaws.com" in services or "*" in services)
            and ("sts:AssumeRole" in actions or "sts:*" in actions or "*" in actions)
        ):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_bytes(value: Any) -> bytes:
    """A blob parameter: boto3 takes bytes, text and files."""
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    content = value.read()
    return content.encode() if isinstance(content, str) else bytes(content)
