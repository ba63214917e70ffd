"""``workshop sweep``: what the workshop left in a real account, what it costs, and away with it."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import tables

if TYPE_CHECKING:
    from infra.cloud.aws.leftovers import Leftover, Place

PATIENCE = 60.0
"""Seconds until a list of AWS's has to stop naming what was deleted."""


def sweep(
    place: Place,
    *,
    everyone: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    ask: Callable[[str], str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """List what is left, ask, delete it, and look again; return the exit status, 0 if nothing is left.

    Only what the caller made is deleted, unless ``everyone``. ``ask`` gets a question and returns the answer;
    without it, and without ``yes``, nothing is deleted.
    """
    from infra.cloud.aws import sweep as aws

    where = f"account {place.account}, Region {place.region}"
    found = _find(place, everyone)
    if not found:
        print(f"✔ nothing of the workshop is left in {where}: 0 stacks, 0 resources, 0 USD per hour")
        return 0
    print(f"Left in {where}:")
    _show(found)
    if dry_run:
        return 1
    if not yes:
        if ask is None:
            print("workshop: nothing was deleted: there is no terminal to ask in; say --yes", file=sys.stderr)
            return 2
        if ask(
            f"Delete {'this' if len(found) == 1 else f'all {len(found)}'}? [y/N] "
        ).strip().lower() not in (
            "y",
            "yes",
        ):
            print("Nothing was deleted.")
            return 1
    wrong = aws.remove(place, found)
    waited = 0.0
    while (left := _find(place, everyone, quiet=True)) and waited < PATIENCE:
        if all(each.name in wrong for each in left):
            break
        wrong.update(aws.remove(place, left))  # what came up late, such as the last lines of a function
        sleep(5)
        waited += 5
    if left:
        print(f"✘ still left in {where}:")
        _show(left)
        for each in left:
            print(f"  {each.name}: {wrong.get(each.name, f'AWS still lists it after {PATIENCE:.0f} s')}")
        return 1
    print(f"✔ nothing of the workshop is left in {where}: 0 stacks, 0 resources, 0 USD per hour")
    return 0


def _find(place: Place, everyone: bool, quiet: bool = False) -> list[Leftover]:
    """What may be deleted; says whose the rest is."""
    from infra.cloud.aws import leftovers, tags

    found = leftovers.find(place)
    if everyone:
        return found
    mine = tags.owner_value(place.owner)
    others = [each for each in found if each.owner not in ("", mine)]
    if any(each.kind == leftovers.STACK for each in others):  # the asset bucket is everybody's
        others += [each for each in found if each not in others and each.lesson == leftovers.EVERY_LESSON]
    else:
        others = [each for each in others if each.lesson != leftovers.EVERY_LESSON]
    if others and not quiet:
        owners = ", ".join(sorted({each.owner for each in others if each.owner}))
        print(f"{len(others)} more of {owners}: they stay. --everyone takes them too.")
    return [each for each in found if each not in others]


def _show(found: Iterable[Leftover]) -> None:
    now = datetime.datetime.now(datetime.UTC)
    found = list(found)
    rows = [
        [
            each.kind.removeprefix("AWS::"),
            f"{each.name} ({each.status})" if each.status else each.name,
            each.lesson or tables.NONE,
            tables.seconds(max(0.0, (now - each.since).total_seconds())) if each.since else tables.NONE,
            f"{each.hourly:.5f}" if each.hourly else "0",
        ]
        for each in found
    ]
    tables.print_table(["kind", "name", "lesson", "age", "USD/hour"], rows)
    print(f"together {sum(each.hourly for each in found):.5f} USD per hour, at list prices")
