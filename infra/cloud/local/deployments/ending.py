"""Why deployments end early, in CodeDeploy's words.

Recorded from AWS: ALARM_ACTIVE, HOOK_EXECUTION_FAILURE, IAM_ROLE_PERMISSIONS, the mismatch of versions (see
tests/conformance/codedeploy.json). From its documentation: IAM_ROLE_MISSING
(https://docs.aws.amazon.com/codedeploy/latest/userguide/error-codes.html) and the hook that does not report
(https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html).
"""

from __future__ import annotations

from collections.abc import Sequence

_SERVICES = {"lambda": "AWSLambda", "cloudwatch": "AmazonCloudWatch", "s3": "AmazonS3"}
MISSING_ROLE = (
    "The deployment failed because no service role exists with the service role name specified for the "
    "deployment group. Make sure you are using the correct service role name."
)
INVALID = (
    "The deployment failed because the AppSpec file that specifies the AWS Lambda deployment configuration "
    "is missing or has an invalid configuration."
)
MISMATCH = f"{INVALID} The Lambda function alias version does not match the current version in AppSpec file."
HOOK_FAILED = "The deployment failed because one or more of the lifecycle event validation functions failed."
HOOK_SILENT = (
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback "
    "within one hour after a deployment hook is invoked."
)
_ALARMS = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
    "affected deployments have been stopped. Activated alarms: "
)
STOPPED = "The deployment was stopped on request."


class Ended(Exception):
    """A deployment that does not succeed: its status, its error, and the event that may roll it back."""

    def __init__(self, code: str, message: str, event: str = "DEPLOYMENT_FAILURE") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.event = event

    @property
    def status(self) -> str:
        return "Failed" if self.event == "DEPLOYMENT_FAILURE" else "Stopped"


def alarms_active(names: Sequence[str]) -> Ended:
    shown = " ".join(f"<{name}>" for name in names)
    return Ended("ALARM_ACTIVE", _ALARMS + shown, "DEPLOYMENT_STOP_ON_ALARM")


def not_permitted(role: str, service: str) -> Ended:
    return Ended(
        "IAM_ROLE_PERMISSIONS",
        f"The IAM role {role} does not give you permission to perform operations in the following AWS "
        f"service: {_SERVICES[service]}. Contact your AWS administrator if you need help. If you are an AWS "
        "administrator, you can grant permissions to your users or groups by creating IAM policies.",
    )
