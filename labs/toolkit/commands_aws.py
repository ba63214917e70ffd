"""The commands that look at a real account."""

from __future__ import annotations

import argparse
import sys

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
        with explained("sweeping", "run `workshop sweep` again then"):
            return swept(
                AwsCloud(account),
                everyone=options.everyone,
                dry_run=options.dry_run,
                yes=options.yes,
                ask=input if sys.stdin.isatty() else None,
            )
    except (NotConnected, ClientError) as error:
        raise LessonError(str(error)) from None
