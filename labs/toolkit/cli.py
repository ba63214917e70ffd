"""The command ``workshop``: open the lessons, look after them, run them, test everything.

workshop start                        JupyterLab, in the first lesson
workshop doctor                       what is missing on this machine, and how to get it
workshop run 04 -p scale 0.1          one lesson, headless, into build/
workshop validate                     all tests, as CI runs them; with a lesson, the tests of that one
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import commands, commands_aws
from .notebooks import LessonError


class Command(NamedTuple):
    """A line of ``workshop --help``: what it does, its arguments, and the function that does it."""

    name: str
    help: str
    do: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    passes_on: bool = False
    """What follows the first option goes on to another program."""


COMMANDS = (
    Command(
        "start",
        "start JupyterLab in a lesson; further options go to JupyterLab",
        commands.start,
        commands.one_lesson_or_the_first,
        passes_on=True,
    ),
    Command("doctor", "check this machine; say what is missing and how to get it", commands.doctor),
    Command("progress", "list the lessons, and how far you are with their exercises", commands.progress),
    Command("run", "execute a lesson headless into build/", commands.run, commands.run_arguments),
    Command("reset", "put a lesson back to how it came; keeps a copy", commands.reset, commands.one_lesson),
    Command(
        "validate",
        "run all tests, or those of some lessons; further options go to pytest",
        commands.validate,
        commands.some_lessons,
        passes_on=True,
    ),
    Command(
        "outputs", "write the committed outputs anew, in place", commands.outputs, commands.outputs_arguments
    ),
    Command(
        "compare",
        "run a lesson's experiment simulated and in an account, on the same axes",
        commands_aws.compare,
        commands_aws.compare_arguments,
    ),
    Command(
        "calibrate",
        "measure latencies in an account, into a file for connect(latency=...)",
        commands_aws.calibrate,
        commands_aws.calibrate_arguments,
    ),
    Command(
        "export",
        "write the HTML edition: all lessons with their outputs, and a start page",
        commands.export,
        commands.export_arguments,
    ),
    Command(
        "estimate",
        "run lessons simulated, and write what they would cost in an account",
        commands_aws.estimate,
        commands.some_lessons,
    ),
    Command(
        "sweep",
        "list what was left in the account WORKSHOP_ACCOUNT, and delete it",
        commands_aws.sweep,
        commands_aws.sweep_arguments,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status. Bad input is one clear message and status 2."""
    own, rest = _split(sys.argv[1:] if arguments is None else list(arguments))
    options = _parser().parse_args(own)
    options.rest = rest
    try:
        return options.do(options)  # type: ignore[no-any-return]
    except LessonError as error:
        print(f"workshop: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workshop: interrupted", file=sys.stderr)
        return 130


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """What is for the command, and, of one that passes options on, what is for the other program."""
    if given and any(one.passes_on and one.name == given[0] for one in COMMANDS):
        for at, argument in enumerate(given):
            if argument.startswith("-") and argument not in ("-h", "--help"):
                return given[:at], given[at:]
    return given, []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workshop", description=__doc__, formatter_class=_AsWritten)
    commands_of = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for one in COMMANDS:
        of_one = commands_of.add_parser(one.name, help=one.help, description=one.help)
        one.arguments(of_one)
        of_one.set_defaults(do=one.do)
    return parser


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


if __name__ == "__main__":
    sys.exit(main())
