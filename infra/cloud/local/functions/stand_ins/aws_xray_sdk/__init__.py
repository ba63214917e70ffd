"""Stands for the X-Ray SDK in handlers: its calls are answered, and nothing is recorded or sent.

The journal carries each event's trace id in any case. The SDK itself would patch boto3 for the whole process
and send datagrams out of it.
https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/
"""

from __future__ import annotations


class SDKConfig:
    """Whether the SDK is on."""

    _enabled = True

    @classmethod
    def sdk_enabled(cls) -> bool:
        return cls._enabled

    @classmethod
    def set_sdk_enabled(cls, value: bool) -> None:
        cls._enabled = value


global_sdk_config = SDKConfig()
