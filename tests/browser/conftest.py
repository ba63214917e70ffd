"""A copy of the workshop, its JupyterLab as the README starts it, and a browser without a screen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs.toolkit import paths
from labs.toolkit.doctor import chromium


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since a learner's notebooks are saved where they are."""
    folder = tmp_path_factory.mktemp("workshop")
    for name in ("notebooks", "labs", "infra"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "cdk.out")
        shutil.copytree(paths.ROOT / name, folder / name, ignore=ignored)
    for name in ("README.md", "pyproject.toml", "requirements.txt"):
        shutil.copy(paths.ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(workshop: Path) -> dict[str, str]:
    """That of a learner who has nothing of Jupyter's yet, with the copy instead of the installed workshop."""
    mine = workshop / "build" / "jupyter"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "WORKSHOP"))},
        "PYTHONPATH": str(workshop),
        "JUPYTER_CONFIG_DIR": str(mine / "config"),
        "JUPYTER_RUNTIME_DIR": str(mine / "runtime"),
        "JUPYTER_DATA_DIR": str(mine / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(mine / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(mine / "workspaces"),
    }


@pytest.fixture(scope="module")
def address(workshop: Path, environment: dict[str, str]) -> Iterator[str]:
    """Where `workshop start` says that JupyterLab is."""
    log = workshop / "build" / "jupyterlab.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "labs.toolkit.cli", "start", "--no-browser", "--port=0"],
            cwd=workshop,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(server, log)
    finally:
        server.terminate()  # ends its kernels too
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*\?token=\w+", log.read_text(errors="replace"))
        if found:
            return found[0]
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    program = chromium()
    if program is None:
        without = pytest.fail if os.environ.get("CI") else pytest.skip
        without("there is no Chromium on this machine: `workshop doctor` says how to get it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, as in a container, Chromium has no sandbox.
        sandbox = [] if getattr(os, "geteuid", lambda: 1)() else ["--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield browser
        browser.close()
