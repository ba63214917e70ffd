"""What validation finds, and the checks that are the same for every field."""

from __future__ import annotations

import dataclasses
from typing import Any

SCHEMA = "SCHEMA_VALIDATION_FAILED"

TYPES = {str: "STRING", bool: "BOOLEAN", dict: "OBJECT", list: "ARRAY"}


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``severity`` is ERROR or WARNING; ``location`` is ``/States/NAME/FIELD``, or None."""

    severity: str
    code: str
    message: str
    location: str | None


class Report:
    """What was found so far in the definition of a STANDARD or EXPRESS state machine."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.found: list[Diagnostic] = []

    @property
    def failed(self) -> bool:
        return any(each.severity == "ERROR" for each in self.found)

    def error(self, code: str, message: str, location: str | None) -> None:
        self.found.append(Diagnostic("ERROR", code, message, location))

    def schema(self, message: str, location: str | None) -> None:
        self.error(SCHEMA, message, location)

    def warning(self, code: str, message: str, location: str | None) -> None:
        self.found.append(Diagnostic("WARNING", code, message, location))

    def required(self, value: dict[str, Any], fields: tuple[str, ...], at: str) -> None:
        missing = [field for field in fields if field not in value]
        if missing:
            self.schema(f"These fields are required: [{', '.join(missing)}]", at)

    def unknown(self, value: dict[str, Any], fields: tuple[str, ...] | frozenset[str], at: str) -> None:
        for field in value:
            if field not in fields:
                self.schema(f"Field '{field}' is not supported", at)

    def typed(self, value: dict[str, Any], field: str, kind: type, at: str) -> bool:
        """Whether the field is there and of the type; a wrong type is reported."""
        if field not in value:
            return False
        if not isinstance(value[field], kind):
            self.schema(f"Expected value of type [{TYPES[kind]}]", f"{at}/{field}")
            return False
        return True

    def one_of(self, value: dict[str, Any], field: str, allowed: tuple[str, ...], at: str) -> bool:
        """Whether the field is absent or has an allowed value."""
        if field not in value:
            return True
        if not self.typed(value, field, str, at):
            return False
        if value[field] not in allowed:
            self.schema(f"Value should be one of the following: [{', '.join(allowed)}]", f"{at}/{field}")
            return False
        return True

    def number(
        self,
        value: dict[str, Any],
        field: str,
        least: float,
        most: float,
        at: str,
        *,
        whole: bool = True,
        expression: bool = False,
    ) -> None:
        """A number in its range. ``expression``: it may be a JSONata expression instead."""
        if field not in value:
            return
        given = value[field]
        if expression and isinstance(given, str) and given.startswith("{%"):
            return
        wrong = isinstance(given, bool) or not isinstance(given, int | float)
        if wrong or (whole and isinstance(given, float) and not given.is_integer()):
            self.schema(f"Expected value of type {'Integer' if whole else 'Number'}", f"{at}/{field}")
        elif given < least:
            self.schema(f"Minimum value is {least}", f"{at}/{field}")
        elif given > most:
            self.schema(f"Maximum value is {most}", f"{at}/{field}")

    def exclusive(
        self, value: dict[str, Any], fields: tuple[str, ...], at: str, *, needed: bool = False
    ) -> None:
        """At most one of the fields, or exactly one."""
        given = [field for field in fields if field in value]
        if len(given) > 1:
            self.schema(f"There should only be one of the following fields: [{', '.join(fields)}]", at)
        elif needed and not given:
            names = ", ".join(fields)
            self.schema(f"This object should have only one of the following fields: [{names}]", at)
