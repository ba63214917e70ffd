"""The commands that look at a real account."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import notebooks
from .notebooks import LessonError


def estimate(options: argparse.Namespace) -> int:
    """Run lessons simulated, and write what they would cost in an account."""
    from infra.cloud.aws.estimate import estimates, write

    from .estimates import measured

    chosen = [notebooks.find(name) for name in options.lessons] or notebooks.lessons()
    found = estimates()
    for lesson in chosen:
        found[lesson.name] = measured(lesson)
        print(f"{lesson.path.stem}: ${found[lesson.name]:.4f}")
    names = {lesson.name for lesson in notebooks.lessons()}
    write({name: usd for name, usd in found.items() if name in names})
    return 0


def calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=200, help="samples of each call (200)")
    parser.add_argument("--cold-starts", type=int, default=20, help="cold starts to measure (20)")
    parser.add_argument("--out", default="build/latency.toml", help="the file to write")


def calibrate(options: argparse.Namespace) -> int:
    """Measure latencies in the account, and write them as ``connect(latency=...)`` reads them."""
    from botocore.exceptions import ClientError

    from infra.cloud import connect
    from infra.cloud.aws.account import NotConnected
    from infra.cloud.local.latency import packaged
    from infra.deploy import DeployFailed
    from labs.calibration.scenario import measure, unchanged, write

    if options.count < 1 or options.cold_starts < 1:
        raise LessonError("--count and --cold-starts: give a number above 0")
    try:
        with connect("aws") as cloud:
            rows = measure(
                cloud,
                count=options.count,
                cold_starts=options.cold_starts,
                done=lambda row: print(
                    f"{row.name:<28} median {row.median:8.2f} ms   p99 {row.p99:8.2f} ms   "
                    f"{len(row.samples)} samples",
                    flush=True,
                ),
            )
            path = write(rows, Path(options.out), cloud)
    except (NotConnected, DeployFailed, ClientError, RuntimeError) as error:
        raise LessonError(str(error)) from None
    left = unchanged(rows, packaged())
    print(f"\nNot measured, so they stay as they were: {', '.join(left)}.")
    print(f"written: {path}. Use it with connect(latency={str(path)!r}).")
    return 0


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", help="its number or name")
    parser.add_argument("--scale", type=float, default=0.5, help="how much of the lesson's load (0.5)")
    parser.add_argument("--seed", type=int, default=0, help="of the load, and of the simulation")
    parser.add_argument("--latency", help="a file of `workshop calibrate` for the simulated half")


def compare(options: argparse.Namespace) -> int:
    """Run a lesson's experiment simulated and in the account, and put both on the same axes."""
    from botocore.exceptions import ClientError

    from infra.cloud.aws.account import NotConnected
    from infra.cloud.local.latency import LatencyError
    from infra.deploy import DeployFailed

    from .compare import compare as compared

    lesson = notebooks.find(options.lesson)
    try:
        for line in compared(lesson, options.scale, options.seed, options.latency):
            print(line, flush=True)
    except (NotConnected, DeployFailed, ClientError, LatencyError, TimeoutError) as error:
        raise LessonError(str(error)) from None
    return 0


def sweep_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only list; status 1 if there is something")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    parser.add_argument("--everyone", action="store_true", help="also what other people's credentials made")
    parser.add_argument("--region", help="another Region than that of the environment")


def sweep(options: argparse.Namespace) -> int:
    """List what was left, ask, delete it."""
    from botocore.exceptions import ClientError

    from infra.cloud.aws.account import NotConnected, explained, open_account
    from infra.cloud.aws.cloud import AwsCloud

    from .sweep import sweep as swept

    try:
        account = open_account(options.region)
        with explained("sweeping", "Then run `workshop sweep` again"):
            return swept(
                AwsCloud(account),
                everyone=options.everyone,
                dry_run=options.dry_run,
                yes=options.yes,
                ask=input if sys.stdin.isatty() else None,
            )
    except (NotConnected, ClientError) as error:
        raise LessonError(str(error)) from None
