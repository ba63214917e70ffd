"""``python -m tests.portability.runs FOLDER 00 04``: lessons on the aws target, two at once.

Each has an account of its own, on a MiniStack of its own. Most of their time is waiting, so they run beside
the other tests.

Real time on a shared machine is nobody's: a lesson of which something did not hold is run once more, alone.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from labs.toolkit import notebooks, paths

from .account import everything
from .differences import excused, supplied

SCALE = "0.1"
LIGHTER = {"04": "0.05", "06": "0.05", "09": "0.05"}
"""The longest ones, and that of many cold starts; their claims hold with less load as well."""
PUNCTUAL = ("02", "09")
"""Lessons of which functions and tasks have 3 s, cold starts included: they go first."""
SLOW = 0.8
"""Seconds to import a function's code, boto3 most of it. Alone it is up to 0.75 on two cores; when it takes
this long, two cold starts one behind the other and a charge do not fit into 3 s."""
QUIET = {"09": "9"}
"""Seconds without news until nothing is in flight; a card provider is silent for 8 s there. Elsewhere 2 are
enough: the counts and logs of a local process do not lag as AWS's do."""
AT_ONCE = 2
"""More of them, and cold starts take longer on two cores than the functions have time."""
TIMEOUT = 500
"""Seconds that a lesson may take: everything waits for something, and gives up with a sentence."""
ON_PURPOSE = re.compile(r"a day has passed since connect\(\)|\d+ seeds: \d+ break the invariant")
"""Checks that fail to show what a failing check looks like, and seeds that are meant to break something."""


@dataclasses.dataclass(frozen=True)
class Ran:
    """A lesson that was executed, and what the account had before and after it."""

    number: str
    notebook: str
    returncode: int
    said: str
    slowest_init: float
    """Seconds: the longest import of a function's code."""
    before: dict[str, list[str]]
    after: dict[str, list[str]]

    @functools.cached_property
    def printed(self) -> list[str]:
        cells = nbformat.read(self.notebook, as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return [line for output in outputs for line in output.get("text", "").splitlines()]

    @property
    def missed(self) -> list[str]:
        """Claims that did not hold, although MiniStack does here what AWS does, in time."""
        if self.number in PUNCTUAL and self.slowest_init > SLOW:
            return []
        failed = [line.removeprefix("✘ ") for line in self.printed if line.startswith("✘ ")]
        return [each for each in failed if not ON_PURPOSE.match(each) and excused(each) is None]


def result(folder: Path, number: str) -> Path:
    """The file that a lesson's ``Ran`` is written to."""
    return folder / f"{number}.json"


def main(folder: Path, numbers: list[str]) -> None:
    again = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
        order = sorted(numbers, key=lambda number: number not in PUNCTUAL)
        for number, ran in zip(order, threads.map(lambda each: _run(each, folder), order), strict=True):
            if ran.returncode or ran.missed:
                print(f"lesson {number}, once more: {ran.said[-3000:]}", *ran.missed, sep="\n", flush=True)
                print(f"slowest import of a function's code: {ran.slowest_init:.2f} s", flush=True)
                again.append(number)
            else:
                _write(folder, number, ran)
    for number in again:
        _write(folder, number, _run(number, folder))


def _run(number: str, folder: Path) -> Ran:
    lesson = notebooks.find(number)
    notebook = folder / f"{lesson.path.stem}.ipynb"
    scale = ["-p", "scale", LIGHTER.get(number, SCALE)] if "scale" in lesson.parameters else []
    with supplied() as (client, proxy):
        before = everything(client)
        environment = {
            **os.environ,
            **notebooks.ENVIRONMENT,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": proxy.endpoint,
            "WORKSHOP_TARGET": "aws",
            "WORKSHOP_ACCOUNT": "000000000000",
            "WORKSHOP_QUIET": QUIET.get(number, "2"),
            "WORKSHOP_PATIENCE": "15",  # seconds for metrics to appear
        }
        command = [sys.executable, "-m", "labs.toolkit.cli", "run", number, "--to", str(notebook), *scale]
        done = subprocess.run(
            command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT
        )
        said = done.stdout + done.stderr
        if everything(client) != before and not done.returncode:
            # A function's last line can come after close(), and makes its log group anew.
            sweep = [sys.executable, "-m", "labs.toolkit.cli", "sweep", "--yes"]
            swept = subprocess.run(sweep, cwd=paths.ROOT, env=environment, capture_output=True, text=True)
            said += swept.stdout + swept.stderr
        after = everything(client)
        return Ran(number, str(notebook), done.returncode, said, proxy.slowest_init, before, after)


def _write(folder: Path, number: str, ran: Ran) -> None:
    draft = folder / f"{number}.draft"
    draft.write_text(json.dumps(dataclasses.asdict(ran)), "utf-8")
    draft.replace(result(folder, number))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
