"""Layers: shared code that an environment finds under ``/opt``.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..constraints import constraint
from ..service import Call, Caller, NotSimulated
from .model import Code, LayerVersion
from .names import invalid, not_found
from .package import Package
from .registry import Registry

if TYPE_CHECKING:
    from ..world import World

_NAME = re.compile(r"(arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:layer:)?(?P<name>[a-zA-Z0-9-_]+)")
_VERSION_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+):(?P<number>\d+)"
)


_LAYERS = (
    "satisfy constraint: [Member must have length less than or equal to 140, Member must have length greater "
    "than or equal to 1, Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:"
    "[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
    ", Member must not be null]"
)
"""Recorded from AWS: LocalStack's test_lambda_api, test_layer_function_exceptions."""
_SHOWN_ARN = (
    r"((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:"
    r"[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))"
)
"""botocore's pattern of LayerVersionArn."""
_PUBLIC = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:"
    r"(017000801446:layer:AWSLambdaPowertoolsPython.*|580247275435:layer:LambdaInsightsExtension.*)"
)
"""Public layers that a function may name. Powertools stands for the package installed here; Lambda
Insights would only watch.
https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-extension-versions.html"""

_EXTENSIONS = {
    "AWS-AppConfig-Extension": "call appconfigdata, or Powertools' get_app_config",
    "AWS-Parameters-and-Secrets-Lambda-Extension": "call ssm and secretsmanager, or Powertools' parameters",
}
"""AWS's extensions that answer at localhost, and what does the same without one.
https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html"""


def _instead(name: str) -> str:
    for extension, instead in _EXTENSIONS.items():
        if name.startswith(extension):
            return f"no extension runs here: {instead} instead"
    return "its files are not here: publish it as a layer of your own"


class Layers(Registry):
    """PublishLayerVersion, GetLayerVersion(ByArn), DeleteLayerVersion, ListLayers, ListLayerVersions."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._layers: dict[str, dict[int, LayerVersion]] = {}
        self._next_layer: dict[str, int] = {}

    def _code(self, params: dict[str, Any], caller: Caller, place: str) -> Code:
        raise NotImplementedError  # Functions does

    def layers_named(self, arns: list[str]) -> list[LayerVersion]:
        """The layers that a function's configuration names, in its order."""
        found: list[LayerVersion] = []
        for arn in arns:
            match = _VERSION_ARN.fullmatch(arn)
            if match is None:
                raise constraint(f"[{', '.join(arns)}]", "layers", _LAYERS)
            if match["region"] != self.world.region:
                raise invalid(
                    "Layers are not in the same region as the function. Layers are expected to be in region "
                    f"{self.world.region}."
                )
            if _PUBLIC.fullmatch(arn):
                layer: LayerVersion | None = self._public(arn, int(match["number"]))
            else:
                layer = self._layers.get(match["name"], {}).get(int(match["number"]))
            if match["account"] != self.world.account and not _PUBLIC.fullmatch(arn):
                raise NotSimulated(
                    f"NotSimulated: layer {arn} of another account - {_instead(match['name'])}"
                )
            if layer is None:
                raise invalid(f"Layer version {arn} does not exist.")
            for other in found:
                if other.name == layer.name:
                    raise invalid(
                        "Two different versions of the same layer are not allowed to be referenced in "
                        "the same "
                        f"function. {other.arn} and {arn} are versions of the same layer."
                    )
            found.append(layer)
        return found

    def _public(self, arn: str, number: int) -> LayerVersion:
        """A public layer adds no files here, whatever its version."""
        layer_arn = arn.rsplit(":", 1)[0]
        code = Code(Package.from_source({}), "")
        name = layer_arn.rsplit(":", 1)[-1]
        return LayerVersion(name, layer_arn, number, "", code, None, None, "MIT-0", self.timestamp())

    def PublishLayerVersion(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = self._layer_name(params["LayerName"])
        code = self._code(params["Content"], call.caller, f"layers/{name}")
        number = self._next_layer.get(name, 1)
        self._next_layer[name] = number + 1
        layer = LayerVersion(
            name,
            f"arn:aws:lambda:{self.world.region}:{self.world.account}:layer:{name}",
            number,
            params.get("Description") or "",
            code,
            _given(params, "CompatibleRuntimes"),
            _given(params, "CompatibleArchitectures"),
            params.get("LicenseInfo") or "",
            self.timestamp(),
        )
        self._layers.setdefault(name, {})[number] = layer
        return {"$status": 201, **_described(layer, content=True)}

    def GetLayerVersion(self, call: Call) -> dict[str, Any]:
        name, number = self._layer_name(call.params["LayerName"]), _number(call)
        layer = self._layers.get(name, {}).get(number)
        if layer is None:
            raise not_found("The resource you requested does not exist.")
        return _described(layer, content=True)

    def GetLayerVersionByArn(self, call: Call) -> dict[str, Any]:
        match = _VERSION_ARN.fullmatch(call.params["Arn"])
        if match is None:
            raise constraint(call.params["Arn"], "arn", f"satisfy regular expression pattern: {_SHOWN_ARN}")
        layer = self._layers.get(match["name"], {}).get(int(match["number"]))
        if layer is None:
            raise not_found("The resource you requested does not exist.")
        return _described(layer, content=True)

    def DeleteLayerVersion(self, call: Call) -> dict[str, Any]:
        """Functions that use the version keep it, as on AWS."""
        name = self._layer_name(call.params["LayerName"])
        versions = self._layers.get(name, {})
        versions.pop(_number(call), None)
        if not versions:
            self._layers.pop(name, None)
        return {"$status": 204}

    def ListLayers(self, call: Call) -> dict[str, Any]:
        _check_architecture(call)
        items: list[dict[str, Any]] = []
        for name, versions in self._layers.items():
            matching = _matching(versions, call)
            if not matching:
                continue
            newest = matching[0]
            items.append(
                {"LayerName": name, "LayerArn": newest.layer_arn, "LatestMatchingVersion": _described(newest)}
            )
        return self.page(items, "Layers", call)

    def ListLayerVersions(self, call: Call) -> dict[str, Any]:
        _check_architecture(call)
        versions = self._layers.get(self._layer_name(call.params["LayerName"]), {})
        items = [_described(layer) for layer in _matching(versions, call)]
        return self.page(items, "LayerVersions", call)

    @staticmethod
    def _layer_name(text: str) -> str:
        match = _NAME.fullmatch(text)
        if match is None or len(match["name"]) > 140:
            raise constraint(text, "layerName", "be the name or ARN of a layer")
        return match["name"]


def _given(params: dict[str, Any], name: str) -> tuple[str, ...] | None:
    """An empty list is shown as such, an absent one is not."""
    return None if params.get(name) is None else tuple(params[name])


def _number(call: Call) -> int:
    number: int = call.params["VersionNumber"]
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1")
    return number


def _check_architecture(call: Call) -> None:
    machine = call.params.get("CompatibleArchitecture")
    if machine not in (None, "x86_64", "arm64"):
        raise constraint(machine, "compatibleArchitecture", "satisfy enum value set: [x86_64, arm64]")


def _matching(versions: dict[int, LayerVersion], call: Call) -> list[LayerVersion]:
    """Those for the runtime and the architecture that a list is asked for, the newest first."""
    runtime, machine = (call.params.get(f"Compatible{name}") for name in ("Runtime", "Architecture"))
    newest_first = [versions[number] for number in sorted(versions, reverse=True)]
    return [
        layer
        for layer in newest_first
        if runtime in (None, *(layer.runtimes or ())) and machine in (None, *(layer.architectures or ()))
    ]


def _described(layer: LayerVersion, *, content: bool = False) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "LayerVersionArn": layer.arn,
        "Version": layer.number,
        "Description": layer.description,
        "CreatedDate": layer.created,
    }
    if layer.runtimes is not None:
        answer["CompatibleRuntimes"] = list(layer.runtimes)
    if layer.architectures is not None:
        answer["CompatibleArchitectures"] = list(layer.architectures)
    if layer.license:
        answer["LicenseInfo"] = layer.license
    if content:
        answer["LayerArn"] = layer.layer_arn
        answer["Content"] = {
            "Location": layer.code.location,
            "CodeSha256": layer.code.sha256,
            "CodeSize": layer.code.size,
        }
    return answer
