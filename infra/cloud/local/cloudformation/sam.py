"""``Transform: AWS::Serverless-2016-10-31``, done by AWS's own translator (PyPI: aws-sam-translator).

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from typing import Any

from ..access.managed_policies import arns
from .references import TransformFailed

SERVERLESS = "AWS::Serverless-2016-10-31"


class _ManagedPolicies:
    """What the translator asks for AWS's managed policies: name -> ARN."""

    def load(self) -> dict[str, str]:
        return arns()


def translate(body: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template in CloudFormation's own resource types. Raises TransformFailed."""
    # Two seconds of imports, so only who deploys such a template waits for them.
    from samtranslator.model.exceptions import (  # type: ignore[import-untyped]
        InvalidDocumentException,
    )
    from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that nobody publishes
    # Names are strings of the translator's own kind in what it returns; a round trip makes them plain.
    fragment = copy.deepcopy(body)
    try:
        made = transform(fragment, dict(parameters), _ManagedPolicies(), passthrough_metadata=True)
    except InvalidDocumentException as error:
        causes = " ".join(str(cause.message) for cause in error.causes)
        raise TransformFailed(
            SERVERLESS,
            "Invalid Serverless Application Specification document. "
            f"Number of errors found: {len(error.causes)}. {causes}",
        ) from None
    plain: dict[str, Any] = json.loads(json.dumps(made))
    plain.pop("Transform", None)
    return plain
