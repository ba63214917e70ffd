"""AWS Step Functions: moto's interpreter in virtual time."""

from __future__ import annotations

from ...service import Service


class StepFunctions(Service):
    """The service ``stepfunctions``."""

    name = "stepfunctions"
