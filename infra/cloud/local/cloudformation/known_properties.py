"""Whether a resource type of AWS has a property at all: a slip of the pen is not called "not simulated".

The CDK is generated from the registry of CloudFormation: the properties of ``AWS::SNS::Topic`` are the
members of ``CfnTopicProps``. Its source is read as text, since importing it starts Node.js. It is asked only
about properties that no provider has.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

_MEMBER = re.compile(r"^        (\w+): ", re.MULTILINE)


def exists(kind: str, name: str) -> bool | None:
    """Whether AWS's type has the property; None where that cannot be told."""
    known = _properties(kind)
    return name.lower() in known if known else None


@cache
def _properties(kind: str) -> frozenset[str]:
    """The names of a type's properties in lower case, without underscores."""
    found = importlib.util.find_spec("aws_cdk")
    parts = kind.split("::")
    if found is None or found.origin is None or len(parts) != 3 or parts[0] != "AWS":
        return frozenset()
    source = Path(found.origin).parent / f"aws_{parts[1].lower()}" / "__init__.py"
    if not source.is_file():
        return frozenset()
    _, _, after = source.read_text("utf-8").partition(f"\nclass Cfn{parts[2]}Props:\n")
    members, _, _ = after.partition(") -> None:")
    return frozenset(name.replace("_", "") for name in _MEMBER.findall(members))
