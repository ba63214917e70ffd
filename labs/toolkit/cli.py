"""The command ``workshop``: open the lessons, test everything, run one lesson headless.

workshop open                         JupyterLab, in the first lesson
workshop test                         all tests
workshop run 04 -p scale 0.1          one lesson, headless, into build/
workshop sweep                        delete what was left in a real account
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from . import notebooks, paths, tables
from .notebooks import LessonError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status. Bad input is one clear message and status 2."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in ("open", "test", "check"):
        parser.error(f"unknown arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return int(options.do(options))
    except LessonError as error:
        print(f"workshop: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workshop: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workshop", description=__doc__, formatter_class=_AsWritten)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("open", help="start JupyterLab in a lesson; further options go to JupyterLab")
    one.add_argument("lesson", nargs="?", default="00", metavar="LESSON", help="number or name (default: 00)")
    one.set_defaults(do=_open)

    one = commands.add_parser("test", help="run the tests; all arguments go to pytest", add_help=False)
    one.set_defaults(do=_test)

    one = commands.add_parser("run", help="execute a lesson headless into build/")
    one.add_argument("lesson", metavar="LESSON", help="number or name")
    one.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="may be repeated",
    )
    one.add_argument("--target", help="the same as -p target TARGET: local or aws")
    one.add_argument("--seed", help="the same as -p seed SEED")
    one.set_defaults(do=_run)

    one = commands.add_parser("list", help="list the lessons")
    one.set_defaults(do=_list)

    one = commands.add_parser("outputs", help="regenerate the committed outputs, in place")
    one.add_argument("lessons", nargs="*", metavar="LESSON", help="number or name (default: all)")
    one.set_defaults(do=_outputs)

    one = commands.add_parser("check", help="compare the committed outputs with a new run, strictly")
    one.add_argument("lessons", nargs="*", metavar="LESSON", help="number or name (default: all)")
    one.set_defaults(do=_check)

    one = commands.add_parser(
        "sweep", help="list what was left in the account WORKSHOP_ACCOUNT, and delete it"
    )
    one.add_argument("--dry-run", action="store_true", help="only list; status 1 if there is something")
    one.add_argument("--yes", action="store_true", help="delete without asking")
    one.add_argument("--everyone", action="store_true", help="also what other people's credentials made")
    one.add_argument("--region", help="another Region than that of the environment")
    one.set_defaults(do=_sweep)
    return parser


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _open(options: argparse.Namespace) -> int:
    lesson = notebooks.find(options.lesson)
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={paths.ROOT}",
        f"--LabApp.default_url=/lab/tree/{paths.relative(lesson.path)}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in a container; JupyterLab refuses to start without it
    environment = {**os.environ, **notebooks.ENVIRONMENT}
    config = str(paths.LABS / "toolkit" / "jupyter")
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join([config, *([others] if others else [])])
    print(f"Opening {lesson.number} {lesson.name} in JupyterLab. Ctrl-C here ends it.", flush=True)
    return hand_over([*command, *options.rest], environment)


def _test(options: argparse.Namespace) -> int:
    os.chdir(paths.ROOT)
    return hand_over([sys.executable, "-m", "pytest", *options.rest], {**os.environ, **notebooks.ENVIRONMENT})


def _run(options: argparse.Namespace) -> int:
    lesson = notebooks.find(options.lesson)
    given: dict[str, str] = dict(options.parameter)
    for name in ("target", "seed"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    parameters = notebooks.chosen(lesson, given)
    before = time.monotonic()
    result = notebooks.run(lesson, parameters)
    rows = [[name, f"{seconds:.1f}"] for name, seconds in result.sections]
    rows.append(["everything, with the kernel's start", f"{time.monotonic() - before:.1f}"])
    tables.print_table(["section", "seconds"], rows)
    print(f"written: {paths.relative(result.path)}")
    if result.error:
        print(f"workshop: {result.error}", file=sys.stderr)
    return 1 if result.error else 0


def _list(options: argparse.Namespace) -> int:
    tables.print_table(
        ["lesson", "name", "title"], [[one.number, one.name, one.title] for one in notebooks.lessons()]
    )
    return 0


def _outputs(options: argparse.Namespace) -> int:
    status = 0
    for lesson in _chosen(options.lessons):
        before = time.monotonic()
        try:
            notebooks.regenerate(lesson)
        except LessonError as error:
            print(f"workshop: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{lesson.path.stem}: written in {time.monotonic() - before:.1f} s")
    return status


def _check(options: argparse.Namespace) -> int:
    chosen = _chosen(options.lessons)
    wrong = [(lesson, problem) for lesson in chosen for problem in notebooks.problems(lesson.read())]
    for lesson, problem in wrong:
        print(f"workshop: {lesson.path.stem}: {problem}", file=sys.stderr)
    if wrong:
        return 1
    os.chdir(paths.ROOT)
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider"),
        f"--nbval-cell-timeout={notebooks.CELL_TIMEOUT}",
        *(str(lesson.path) for lesson in chosen),
        *options.rest,
    ]
    return hand_over(command, {**os.environ, **notebooks.ENVIRONMENT})


def _sweep(options: argparse.Namespace) -> int:
    from botocore.exceptions import ClientError

    from infra.cloud.aws.account import NotConnected, explained, open_account
    from infra.cloud.aws.cloud import AwsCloud

    from .sweep import sweep

    try:
        account = open_account(options.region)
        with explained("sweeping", "Then run `workshop sweep` again"):
            return sweep(
                AwsCloud(account),
                everyone=options.everyone,
                dry_run=options.dry_run,
                yes=options.yes,
                ask=input if sys.stdin.isatty() else None,
            )
    except (NotConnected, ClientError) as error:
        raise LessonError(str(error)) from None


def _chosen(names: Sequence[str]) -> list[notebooks.Lesson]:
    found = [notebooks.find(name) for name in names] if names else notebooks.lessons()
    if not found:
        raise LessonError(f"there are no lessons in {paths.relative(paths.NOTEBOOKS)}")
    return found


def hand_over(command: Sequence[str], environment: dict[str, str]) -> int:
    """Go on as another program, so that Ctrl-C and the exit status are its own."""
    sys.stdout.flush()
    if os.name == "posix":
        return _become(command, environment)
    return subprocess.call(command, env=environment)


def _become(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    os.execve(command[0], list(command), environment)


if __name__ == "__main__":
    sys.exit(main())
