"""What a REST API is made of, and the snapshot of it that a deployment keeps.

The parts are kept in the shapes that the API answers (GetMethod, GetModel …), so a dict here is a record of
AWS's reference: https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import random
from typing import Any

from .routing import Router

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

Record = dict[str, Any]

EMPTY_MODEL = '{\n  "$schema": "http://json-schema.org/draft-04/schema#",\n  "title" : "Empty Schema",\n  "type" : "object"\n}'  # noqa: E501
ERROR_MODEL = '{\n  "$schema" : "http://json-schema.org/draft-04/schema#",\n  "title" : "Error Schema",\n  "type" : "object",\n  "properties" : {\n    "message" : { "type" : "string" }\n  }\n}'  # noqa: E501


def new_id(rng: random.Random, length: int = 6) -> str:
    """An identifier as API Gateway makes them: lower-case letters and digits; an API's has 10, a part's 6."""
    return "".join(rng.choice(_LETTERS) for _ in range(length))


@dataclasses.dataclass(eq=False, slots=True)
class Resource:
    """A path of an API. ``methods``: HTTP method (or ANY) -> Method, with ``methodIntegration``."""

    id: str
    parent: str
    path_part: str
    path: str
    methods: dict[str, Record] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """An API as it was deployed: what its stages serve until the next deployment.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
    """

    api: str
    settings: Record
    resources: dict[str, Resource]
    models: dict[str, Record]
    validators: dict[str, Record]
    authorizers: dict[str, Record]
    gateway_responses: dict[str, Record]

    @functools.cached_property
    def router(self) -> Router:
        return Router({resource.path: resource for resource in self.resources.values() if resource.methods})

    @functools.cached_property
    def binary(self) -> tuple[str, ...]:
        """Media types whose payload is binary."""
        return tuple(self.settings.get("binaryMediaTypes", ()))


@dataclasses.dataclass(eq=False, slots=True)
class Deployment:
    id: str
    description: str | None
    created: int
    snapshot: Snapshot


@dataclasses.dataclass(eq=False, slots=True)
class RestApi:
    """An API under construction, with its deployments and stages. ``settings`` is what GetRestApi answers,
    a stage what GetStage does."""

    id: str
    region: str
    settings: Record
    resources: dict[str, Resource] = dataclasses.field(default_factory=dict)
    models: dict[str, Record] = dataclasses.field(default_factory=dict)
    validators: dict[str, Record] = dataclasses.field(default_factory=dict)
    authorizers: dict[str, Record] = dataclasses.field(default_factory=dict)
    gateway_responses: dict[str, Record] = dataclasses.field(default_factory=dict)
    deployments: dict[str, Deployment] = dataclasses.field(default_factory=dict)
    stages: dict[str, Record] = dataclasses.field(default_factory=dict)

    @property
    def root(self) -> Resource:
        found: Resource = self.resources[self.settings["rootResourceId"]]
        return found

    def snapshot(self) -> Snapshot:
        return Snapshot(
            self.id,
            copy.deepcopy(self.settings),
            copy.deepcopy(self.resources),
            copy.deepcopy(self.models),
            copy.deepcopy(self.validators),
            copy.deepcopy(self.authorizers),
            copy.deepcopy(self.gateway_responses),
        )

    def child(self, parent: str, path_part: str) -> Resource | None:
        for resource in self.resources.values():
            if resource.parent == parent and resource.path_part == path_part:
                return resource
        return None


def default_models(rng: random.Random) -> dict[str, Record]:
    """Every API begins with the models Empty and Error."""
    return {
        name: {
            "id": new_id(rng),
            "name": name,
            "description": f"This is a default {name.lower()} schema model",
            "schema": schema,
            "contentType": "application/json",
        }
        for name, schema in (("Empty", EMPTY_MODEL), ("Error", ERROR_MODEL))
    }
