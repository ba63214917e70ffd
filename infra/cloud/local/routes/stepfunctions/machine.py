"""State machines: what was deployed, its revisions, versions and aliases."""

from __future__ import annotations

import dataclasses
import random
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Revision:
    """A state machine as it was at one time: what an execution runs. ``kind`` is STANDARD or EXPRESS.

    ``created`` is the time of this revision, in microseconds. ``revision_id`` is "INITIAL" before the first
    update. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
    """

    machine_arn: str
    name: str
    region: str
    definition: str
    role: str
    kind: str
    revision_id: str
    created: int
    logging: dict[str, Any]
    tracing: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A published revision, which never changes."""

    arn: str
    number: int
    revision: Revision
    description: str
    created: int


@dataclasses.dataclass(slots=True)
class Alias:
    """A name for one or two versions, with the share of executions that each gets, in percent.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html
    """

    arn: str
    name: str
    description: str
    routing: list[dict[str, Any]]
    created: int
    updated: int

    def choose(self, rng: random.Random) -> str:
        """The version that the next execution runs."""
        arns = [str(each["stateMachineVersionArn"]) for each in self.routing]
        weights = [each["weight"] for each in self.routing]
        return arns[0] if len(arns) == 1 else rng.choices(arns, weights)[0]


@dataclasses.dataclass(slots=True)
class Machine:
    """What has the ARN of a state machine: the current revision, and what was published of it."""

    revision: Revision
    created: int
    tags: dict[str, str]
    versions: dict[str, Version] = dataclasses.field(default_factory=dict)
    aliases: dict[str, Alias] = dataclasses.field(default_factory=dict)
    published: int = 0

    @property
    def arn(self) -> str:
        return self.revision.machine_arn

    def publish(self, description: str, now: int) -> Version:
        """Publish the current revision; the version it already has, if it was published before."""
        for version in self.versions.values():
            if version.revision.revision_id == self.revision.revision_id:
                return version
        self.published += 1
        arn = f"{self.arn}:{self.published}"
        version = Version(arn, self.published, self.revision, description, now)
        self.versions[arn] = version
        return version
