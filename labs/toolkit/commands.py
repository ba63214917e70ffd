"""What the commands do: each is a function of the parsed options, and returns the exit status."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import anatomy, notebooks, paths, tables
from .notebooks import LessonError

# -- arguments ---------------------------------------------------------------------------------------


def one_lesson(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", metavar="LESSON", help="number or name")


def one_lesson_or_the_first(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", nargs="?", default="00", metavar="LESSON", help="number or name")


def some_lessons(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="number or name (default: all)")


def run_arguments(parser: argparse.ArgumentParser) -> None:
    one_lesson(parser)
    parser.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="may be repeated",
    )
    parser.add_argument("--target", help="the same as -p target TARGET: local or aws")
    parser.add_argument("--seed", help="the same as -p seed SEED")
    parser.add_argument("--to", type=Path, metavar="FILE", help="where to write it (default: in build/runs)")


def export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to write it (default: build/html)")


# -- commands ----------------------------------------------------------------------------------------


def start(options: argparse.Namespace) -> int:
    """Become JupyterLab, with a lesson open."""
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


def doctor(options: argparse.Namespace) -> int:
    """Say what is there and what is missing; status 1 if a lesson cannot run without it."""
    from .doctor import examine

    findings = list(examine())
    for finding in findings:
        print(finding)
    missing = sum(not finding.there and finding.needed for finding in findings)
    print("\nEverything that the lessons need is there." if not missing else f"\n{missing} to repair.")
    return 1 if missing else 0


def progress(options: argparse.Namespace) -> int:
    """Every lesson with its exercises, and what you should do next."""
    from .exercises import exercise
    from .record import Record

    entries = Record().entries()
    lessons = notebooks.lessons()
    with_lesson = {lesson.name for lesson in lessons}
    names = [name for name in exercise.names() if name.partition(".")[0] in with_lesson]
    passed = [name for name in names if name in entries and entries[name].passed]
    todo = ""
    for lesson in lessons:
        own = [name for name in names if name.partition(".")[0] == lesson.name]
        done = [name for name in own if name in passed]
        todo = todo or ("" if len(done) == len(own) else lesson.number)
        print(f"{lesson.number} {lesson.title}: {len(done)} of {len(own)} exercises")
        for name in own:
            entry = entries.get(name)
            print(f"   {'✔' if name in passed else '✘' if entry else '○'} {name}: {entry or 'not attempted'}")
    print(f"\n{len(passed)} of {len(names)} exercises passed.", end=" ")
    print(f"Go on with `workshop start {todo}`." if todo else "That was all of them.")
    return 0


def run(options: argparse.Namespace) -> int:
    """Execute a lesson headless, and print the seconds of each section."""
    lesson = notebooks.find(options.lesson)
    given: dict[str, str] = dict(options.parameter)
    for name in ("target", "seed"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    parameters = notebooks.chosen(lesson, given)
    before = time.monotonic()
    result = notebooks.run(lesson, parameters, options.to)
    rows = [[name, f"{seconds:.1f}"] for name, seconds in result.sections]
    rows.append(["everything, with the kernel's start", f"{time.monotonic() - before:.1f}"])
    tables.print_table(["section", "seconds"], rows)
    print(f"written: {paths.relative(result.path)}")
    if result.error:
        print(f"workshop: {result.error}", file=sys.stderr)
    return 1 if result.error else 0


def reset(options: argparse.Namespace) -> int:
    """Put a lesson back to how it came."""
    from .reset import reset as put_back

    for line in put_back(notebooks.find(options.lesson)):
        print(line)
    return 0


def validate(options: argparse.Namespace) -> int:
    """Become pytest: for everything, or for what is tested of some lessons."""
    chosen = [notebooks.find(name).name for name in options.lessons]
    only = ["tests/notebooks", "-k", " or ".join(chosen)] if chosen else []
    os.chdir(paths.ROOT)
    command = [sys.executable, "-m", "pytest", *only, *options.rest]
    return hand_over(command, {**os.environ, **notebooks.ENVIRONMENT})


def outputs_arguments(parser: argparse.ArgumentParser) -> None:
    some_lessons(parser)
    parser.add_argument(
        "--words", action="store_true", help="execute nothing: only times, next lessons, the README's list"
    )


def outputs(options: argparse.Namespace) -> int:
    """Execute lessons, write their outputs, time and next lesson into them, and the README's front."""
    from .outputs import regenerate, reword

    status = 0
    chosen = [notebooks.find(name) for name in options.lessons] or notebooks.lessons()
    if not chosen:
        raise LessonError(f"there are no lessons in {paths.relative(paths.NOTEBOOKS)}")
    for lesson in chosen:
        before = time.monotonic()
        try:
            reword(lesson) if options.words else regenerate(lesson)
        except LessonError as error:
            print(f"workshop: {error}", file=sys.stderr)
            status = 1
        else:
            print(f"{lesson.path.stem}: written in {time.monotonic() - before:.1f} s")
            for sentence in anatomy.misshapen(lesson):
                print(f"  but {sentence}")
    anatomy.write_front_page(paths.NOTEBOOKS.parent)
    return status


def export(options: argparse.Namespace) -> int:
    """Write the HTML edition."""
    from .export import export as exported

    start_page, *others = exported(options.to or paths.BUILD / "html")
    print(f"{len(others)} lessons written; begin with {paths.relative(start_page)}")
    return 0


def hand_over(command: Sequence[str], environment: dict[str, str]) -> int:
    """Go on as another program, so that Ctrl-C and the exit status are its own."""
    sys.stdout.flush()
    if os.name == "posix":
        return _become(command, environment)
    return subprocess.call(command, env=environment)


def _become(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    os.execve(command[0], list(command), environment)
