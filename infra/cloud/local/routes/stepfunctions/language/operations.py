"""The operations of the API that are about the language itself.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

from __future__ import annotations

from typing import Any

from ....service import Call, Service, ServiceError
from . import testing
from .validation import refusal, validate

MOST_DIAGNOSTICS = 100


def refuse(definition: str, kind: str) -> None:
    """Raise InvalidDefinition for what AWS would not create."""
    message = refusal(validate(definition, kind))
    if message is not None:
        raise ServiceError("InvalidDefinition", message)


class LanguageOperations(Service):
    """A part of the service ``stepfunctions``."""

    def ValidateStateMachineDefinition(self, call: Call) -> dict[str, Any]:
        params = call.params
        severities = ("ERROR", "WARNING") if params.get("severity") == "WARNING" else ("ERROR",)
        everything = validate(params["definition"], params.get("type") or "STANDARD")
        found = [each for each in everything if each.severity in severities]
        most = params.get("maxResults") or MOST_DIAGNOSTICS
        shown = []
        for each in found[:most]:
            diagnostic = {"severity": each.severity, "code": each.code, "message": each.message}
            if each.location is not None:
                diagnostic["location"] = each.location
            shown.append(diagnostic)
        failed = any(each.severity == "ERROR" for each in everything)
        return {
            "result": "FAIL" if failed else "OK",
            "diagnostics": shown,
            "truncated": len(found) > most,
        }

    def TestState(self, call: Call) -> dict[str, Any]:
        return testing.answer(self, call)
