"""The same work on MiniStack (PyPI), measured in the same run, in a virtual environment of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from . import queue

VERSION = "1.5.33"
HOME = Path(__file__).resolve().parents[2] / "build" / "ministack"


def install() -> Path:
    """MiniStack's own Python, installed on first use."""
    python = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"ministack=={VERSION}", "boto3"], check=True)
    return python


@contextlib.contextmanager
def server() -> Iterator[Any]:
    """MiniStack on a free loopback port; gives a function that makes boto3 clients for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    python = install()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "HOME": str(HOME),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen(
        [python, "-m", "ministack"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        session = boto3.Session("test", "test", region_name="us-east-1")
        yield lambda service: session.client(service, endpoint_url=endpoint)
    finally:
        process.terminate()
        process.wait(60)  # it ends its functions' processes first, one by one


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"MiniStack did not start on port {port}")


def run_queue(messages: int) -> dict[str, Any]:
    """The queue benchmark on MiniStack: until the queue is empty."""
    with server() as client:
        url, mapping = queue.build(client, queue.role(client("iam")))
        sqs = client("sqs")
        started = time.perf_counter()
        queue.send(sqs, url, messages)
        client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
        while time.perf_counter() - started < 600:
            left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            if left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0":
                break
            time.sleep(0.1)
        wall = time.perf_counter() - started
        stored = queue.stored(client("dynamodb"))
    return {"ministack_messages_per_s": round(messages / wall), "ministack_stored": stored}
