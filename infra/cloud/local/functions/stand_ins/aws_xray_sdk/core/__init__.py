"""The recorder that handlers use as decorator and context manager, and the patching of libraries."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable, Iterable
from typing import Any


class Entity:
    """A segment or subsegment: ``id`` and ``trace_id`` are those of the invocation's trace header."""

    def __init__(self, name: str = "") -> None:
        header = os.environ.get("_X_AMZN_TRACE_ID", "")
        fields = dict(part.partition("=")[::2] for part in header.split(";"))
        self.name = name
        self.trace_id = fields.get("Root", "")
        self.id = fields.get("Parent", "")
        self.sampled = fields.get("Sampled") == "1"

    def _nothing(self, *_: Any, **__: Any) -> None:
        return None

    put_annotation = put_metadata = put_http_meta = set_aws = set_user = set_sql = _nothing
    add_exception = add_error_flag = add_fault_flag = add_throttle_flag = apply_status_code = close = _nothing


class _Subsegment:
    """``with recorder.in_subsegment(name) as subsegment``, or the decorator of a function."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or ""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(function):

            @functools.wraps(function)
            async def waiting(*args: Any, **kwargs: Any) -> Any:
                return await function(*args, **kwargs)

            return waiting

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapped

    def __enter__(self) -> Entity:
        return Entity(self.name)

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> Entity:
        return Entity(self.name)

    async def __aexit__(self, *_: object) -> None:
        return None


class AWSXRayRecorder:
    """https://docs.aws.amazon.com/xray-sdk-for-python/latest/reference/basic.html"""

    enabled = True

    def _enter(self, name: str | None = None, *_: Any, **__: Any) -> _Subsegment:
        return _Subsegment(name)

    capture = capture_async = in_segment = in_subsegment = in_segment_async = in_subsegment_async = _enter

    def _entity(self, name: str = "", *_: Any, **__: Any) -> Entity:
        return Entity(name)

    begin_segment = begin_subsegment = current_segment = current_subsegment = get_trace_entity = _entity

    def _nothing(self, *_: Any, **__: Any) -> None:
        return None

    configure = end_segment = end_subsegment = put_annotation = put_metadata = _nothing
    set_trace_entity = clear_trace_entities = stream_subsegments = _nothing

    def is_sampled(self) -> bool:
        return Entity().sampled


xray_recorder = AWSXRayRecorder()


def patch(modules: Iterable[str], raise_errors: bool = True, ignore_module_patterns: Any = None) -> None:
    """Libraries stay as they are: nothing is recorded of their calls."""


def patch_all(double_patch: bool = False) -> None:
    """Libraries stay as they are."""


__all__ = ["AWSXRayRecorder", "patch", "patch_all", "xray_recorder"]
