"""AWS Systems Manager Parameter Store. Of Systems Manager nothing else is simulated.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from typing import Any

from ...access.identity import user_arn
from ...constraints import constraint
from ...routes.paging import page_of
from ...service import Call, NotSimulated, ServiceError
from . import filters, model, policies
from .model import DEFAULT_KEY, MAX_VERSIONS, SECURE, Parameter, Version
from .store import Store

_TYPES = ("String", "StringList", SECURE)
_LABEL = re.compile(r"(?!aws|ssm)[a-zA-Z_.-][a-zA-Z0-9_.-]*", re.IGNORECASE)
_MAX_LABELS = 10
_BAD_PATH = (
    'The parameter path: can\'t be prefixed with "aws" or "ssm" (case-insensitive) except global parameter '
    'name path prefixed with "aws" (case-sensitive). It should always begin with / symbol.It consists of '
    "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
    "following 3 symbols .-_"
)


class Parameters(Store):
    """Every operation on parameters."""

    # -- writing -------------------------------------------------------------------------------------------

    def PutParameter(self, call: Call) -> dict[str, Any]:
        params = call.params
        name, value, overwrite = params["Name"], params["Value"], bool(params.get("Overwrite"))
        if overwrite and params.get("Tags"):
            raise model.invalid(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with "
                "tags, please "
                "remove overwrite flag. To update tags for an existing parameter, please use "
                "AddTagsToResource or "
                "RemoveTagsFromResource."
            )
        model.check_new(name)
        existing = self.known(call.region).get(model.key_of(name))
        before = None if existing is None else existing.current
        kind = params.get("Type") or (None if before is None else before.type)
        if kind is None:
            raise model.invalid("A parameter type is required when you create a parameter.")
        if kind not in _TYPES:
            raise constraint(kind, "type", "satisfy enum value set: [SecureString, StringList, String]")
        if existing is not None and not overwrite:
            raise ServiceError(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the "
                "request to "
                "true.",
            )
        parameter = existing or Parameter(name, self.arn(name, call.region))
        version = self._version(call, kind, value, before)
        if kind == SECURE:
            actions = ("kms:GenerateDataKey",) if version.tier == "Advanced" else ("kms:Encrypt",)
            self.unlock(call.caller, parameter, version, actions, call.region)
        if len(parameter.versions) >= MAX_VERSIONS:
            self._forget_oldest(parameter)
        parameter.versions.append(version)
        if existing is None:
            parameter.tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
            self.known(call.region)[model.key_of(name)] = parameter
        self.arm(parameter, call.region)
        self.changed(parameter, "Create" if existing is None else "Update", call.region, call.caller.trace)
        return {"Version": version.number, "Tier": version.tier}

    def _version(self, call: Call, kind: str, value: str, before: Version | None) -> Version:
        """The version to be, checked; what is not given stays as it was."""
        params = call.params
        data_type = params.get("DataType") or (before.data_type if before is not None else "text")
        if data_type not in ("text", "aws:ec2:image", "aws:ssm:integration"):
            raise model.invalid(
                f"The following data type is not supported: {data_type} (Data type names are all lowercase.)"
            )
        if data_type != "text":
            raise NotSimulated(f"NotSimulated: ssm PutParameter with DataType {data_type}")
        texts = params.get("Policies") or (before.policies if before is not None else None)
        tier = model.tier_of(
            params.get("Tier"), value, params.get("Policies"), None if before is None else before.tier
        )
        pattern = params.get("AllowedPattern") or None
        model.check_value(value, tier, pattern or (before.pattern if before is not None else None))
        now = self.world.datetime()
        if texts is not None and texts != "[{}]":
            if tier != "Advanced":
                raise model.invalid("Parameter policies need the advanced-parameter tier.")
            policies.parse(texts, now)
        else:
            texts = None
        key = None
        if kind == SECURE:
            key = params.get("KeyId") or (before.key if before is not None else None) or DEFAULT_KEY
        caller = call.caller
        return Version(
            1 if before is None else before.number + 1,
            kind,
            value,
            now,
            f"arn:aws:iam::{self.world.account}:root" if caller.role is None else user_arn(caller),
            params.get("Description", None if before is None else before.description),
            pattern or (before.pattern if before is not None else None),
            key,
            tier,
            data_type,
            texts,
        )

    @staticmethod
    def _forget_oldest(parameter: Parameter) -> None:
        oldest = parameter.versions[0]
        if oldest.labels:
            raise ServiceError(
                "ParameterMaxVersionLimitExceeded",
                f"You attempted to create a new version of {parameter.name} by calling the PutParameter "
                f"API with the "
                f"overwrite flag. Version {oldest.number}, the oldest version, can't be deleted because "
                f"it has a "
                "label associated with it. Move the label to another version of the parameter, and try "
                "again.",
            )
        del parameter.versions[0]

    def DeleteParameter(self, call: Call) -> dict[str, Any]:
        self.remove(self.find(call.params["Name"], call.region), call.region, call.caller.trace)
        return {}

    def DeleteParameters(self, call: Call) -> dict[str, Any]:
        names = dict.fromkeys(call.params["Names"])
        found = [name for name in names if model.key_of(name) in self.known(call.region)]
        for name in found:
            self.remove(self.find(name, call.region), call.region, call.caller.trace)
        return {
            "DeletedParameters": found,
            "InvalidParameters": [name for name in names if name not in found],
        }

    # -- reading -------------------------------------------------------------------------------------------

    def GetParameter(self, call: Call) -> dict[str, Any]:
        return {"Parameter": self.read(call, call.params["Name"])}

    def GetParameters(self, call: Call) -> dict[str, Any]:
        names = call.params["Names"]
        if len(names) > 10:
            raise constraint(f"[{', '.join(names)}]", "names", "have length less than or equal to 10.")
        found, missing = [], []
        for name in dict.fromkeys(names):
            try:
                found.append(self.read(call, name))
            except ServiceError as error:
                if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                    raise
                missing.append(name)
        return {"Parameters": found, "InvalidParameters": missing}

    def GetParametersByPath(self, call: Call) -> dict[str, Any]:
        params = call.params
        path, size = params["Path"], params.get("MaxResults", 10)
        if size > 10:
            raise constraint(size, "maxResults", "have value less than or equal to 10")
        if not re.fullmatch(r"/|(/[a-zA-Z0-9_.-]+)+/?", path):
            raise model.invalid(_BAD_PATH)
        if path.startswith("/aws/service"):
            raise NotSimulated(f"NotSimulated: ssm {path} - AWS's public parameters are not here")
        wanted = params.get("ParameterFilters") or []
        filters.check(wanted, by_path=True)
        decrypted = bool(params.get("WithDecryption"))
        chosen: list[tuple[Parameter, Version]] = []
        for parameter in self._sorted(call.region):
            if not filters.below("/" + parameter.name.removeprefix("/"), path, bool(params.get("Recursive"))):
                continue
            labelled = any(each["Key"] == "Label" for each in wanted)
            for version in parameter.versions if labelled else [parameter.current]:
                if filters.matches(parameter, version, wanted):
                    chosen.append((parameter, version))
        page, token = page_of(chosen, params.get("NextToken"), size, _bad_token)
        shown = []
        for parameter, version in page:
            if decrypted and version.type == SECURE:
                self.unlock(call.caller, parameter, version, ("kms:Decrypt",), call.region)
            shown.append(parameter.shown(version, decrypted, parameter.name))
        return {"Parameters": shown, **({"NextToken": token} if token else {})}

    def GetParameterHistory(self, call: Call) -> dict[str, Any]:
        params = call.params
        parameter = self.find(params["Name"], call.region)
        page, token = page_of(
            parameter.versions, params.get("NextToken"), params.get("MaxResults", 50), _bad_token
        )
        decrypted = bool(params.get("WithDecryption"))
        shown = []
        for version in page:
            if decrypted and version.type == SECURE:
                self.unlock(call.caller, parameter, version, ("kms:Decrypt",), call.region)
            value = parameter.value_of(version, decrypted)
            shown.append({**parameter.described(version), "Value": value, "Labels": sorted(version.labels)})
        return {"Parameters": shown, **({"NextToken": token} if token else {})}

    def DescribeParameters(self, call: Call) -> dict[str, Any]:
        params = call.params
        old, wanted = params.get("Filters"), params.get("ParameterFilters") or []
        if old and wanted:
            raise model.invalid("You can use either Filters or ParameterFilters in a single request.")
        for each in old or ():
            option = "BeginsWith" if each["Key"] == "Name" else "Equals"
            wanted.append({"Key": each["Key"], "Option": option, "Values": each["Values"]})
        filters.check(wanted, by_path=False)
        found = [
            {**each.described(each.current), "ARN": each.arn}
            for each in self._sorted(call.region)
            if filters.matches(each, each.current, wanted)
        ]
        page, token = page_of(found, params.get("NextToken"), params.get("MaxResults", 50), _bad_token)
        return {"Parameters": page, **({"NextToken": token} if token else {})}

    def _sorted(self, region: str) -> list[Parameter]:
        return [parameter for _, parameter in sorted(self.known(region).items())]

    # -- labels ------------------------------------------------------------------------------------------

    def LabelParameterVersion(self, call: Call) -> dict[str, Any]:
        params = call.params
        parameter = self.find(params["Name"], call.region)
        number = params.get("ParameterVersion") or parameter.current.number
        version = self._numbered(parameter, number)
        wanted = dict.fromkeys(params["Labels"])
        bad = [label for label in wanted if not _LABEL.fullmatch(label) or len(label) > 100]
        good = [label for label in wanted if label not in bad]
        if len({*version.labels, *good}) > _MAX_LABELS:
            raise ServiceError(
                "ParameterVersionLabelLimitExceeded",
                "A parameter version can have maximum 10 labels. Move one or more labels to another "
                "version and try "
                "again.",
            )
        for label in good:
            for other in parameter.versions:
                if label in other.labels:
                    other.labels.remove(label)
            version.labels.append(label)
        if good:
            operation = "LabelParameterVersion"
            self.changed(parameter, operation, call.region, call.caller.trace, label=", ".join(good))
        return {"InvalidLabels": bad, "ParameterVersion": number}

    def UnlabelParameterVersion(self, call: Call) -> dict[str, Any]:
        params = call.params
        parameter = self.find(params["Name"], call.region)
        version = self._numbered(parameter, params["ParameterVersion"])
        removed = [label for label in dict.fromkeys(params["Labels"]) if label in version.labels]
        version.labels = [label for label in version.labels if label not in removed]
        left = [label for label in params["Labels"] if label not in removed]
        return {"RemovedLabels": removed, "InvalidLabels": left}

    @staticmethod
    def _numbered(parameter: Parameter, number: int) -> Version:
        for version in parameter.versions:
            if version.number == number:
                return version
        raise model.no_version(number, parameter.name)

    # -- tags --------------------------------------------------------------------------------------------

    def AddTagsToResource(self, call: Call) -> dict[str, Any]:
        self._tagged(call).tags.update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
        return {}

    def RemoveTagsFromResource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call).tags
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call).tags
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tagged(self, call: Call) -> Parameter:
        kind = call.params["ResourceType"]
        if kind != "Parameter":
            raise NotSimulated(f"NotSimulated: ssm {call.operation} of a {kind} - only parameters are here")
        found = self.known(call.region).get(model.key_of(call.params["ResourceId"]))
        if found is None:
            raise ServiceError("InvalidResourceId", "Invalid Resource Id")
        return found


def _bad_token() -> ServiceError:
    return ServiceError("InvalidNextToken", "The specified token isn't valid.")
