"""MiniStack (PyPI): AWS's API as somebody else wrote it, in a virtual environment of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import boto3

PACKAGES = (
    "ministack==1.5.33",
    "boto3",  # what Lambda's own runtime has
    # AWS's public layer of it does not exist there: tests/portability/differences.py
    f"aws-lambda-powertools=={metadata.version('aws-lambda-powertools')}",
)
HOME = Path(__file__).resolve().parents[1] / "build" / "ministack"


def install() -> Path:
    """MiniStack's own Python, installed on first use."""
    python = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    done, wanted = HOME / "installed", "\n".join(PACKAGES)
    if not done.exists() or done.read_text("utf-8") != wanted:
        venv.create(HOME, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        done.write_text(wanted, "utf-8")
    return python


@contextlib.contextmanager
def server(functions_call: str = "") -> Iterator[Any]:
    """MiniStack on a free loopback port; gives a function that makes boto3 clients for it.

    ``functions_call`` is the endpoint of the functions that run in it, if not its own.
    """
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
        **({"AWS_ENDPOINT_URL": functions_call} if functions_call else {}),
    }
    process = subprocess.Popen(
        [python, "-m", "ministack"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        session = boto3.Session("test", "test", region_name="us-east-1")
        clients: dict[str, Any] = {}
        lock = threading.Lock()  # clients may be shared by threads, a session may not

        def client(service: str) -> Any:
            with lock:
                if service not in clients:
                    clients[service] = session.client(service, endpoint_url=endpoint)
                return clients[service]

        yield client
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
