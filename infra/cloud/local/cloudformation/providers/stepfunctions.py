"""AWS::StepFunctions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
"""

from __future__ import annotations

from .base import Provider

PROVIDERS: tuple[type[Provider], ...] = ()
