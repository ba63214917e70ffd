"""The module that CloudFormation puts beside a function's inline code, for custom resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
This file is what a function imports; nothing in the local cloud does.
"""

from __future__ import annotations

import json
from typing import Any

import urllib3

SUCCESS = "SUCCESS"
FAILED = "FAILED"

http = urllib3.PoolManager()


def send(
    event: dict[str, Any],
    context: Any,
    responseStatus: str,  # noqa: N803 - the names are AWS's
    responseData: Any,  # noqa: N803
    physicalResourceId: str | None = None,  # noqa: N803
    noEcho: bool = False,  # noqa: N803
    reason: str | None = None,
) -> None:
    """Tell CloudFormation how a request ended; ``responseData`` is what Fn::GetAtt finds."""
    answer = {
        "Status": responseStatus,
        "Reason": reason or f"See the details in CloudWatch Log Stream: {context.log_stream_name}",
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    body = json.dumps(answer)
    print("Response body:")
    print(body)
    headers = {"content-type": "", "content-length": str(len(body))}
    try:
        response = http.request("PUT", event["ResponseURL"], headers=headers, body=body)
        print("Status code:", response.status)
    except Exception as error:  # noqa: BLE001 - AWS's module only prints it, too
        print("send(..) failed executing http.request(..):", error)
