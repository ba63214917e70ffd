"""The CDK app with every stack of the workshop, for the CDK's command line: ``cdk deploy`` from this folder.

A lesson does not need it: ``cloud.deploy(QueueProcessing)`` synthesizes the same stack.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def every_stack() -> list[type]:
    """The stack classes of ``infra/stacks``, by the names of their modules."""
    import infra.stacks

    import aws_cdk as cdk  # isort: skip

    modules = [
        importlib.import_module(f"infra.stacks.{found.name}")
        for found in sorted(pkgutil.iter_modules(infra.stacks.__path__), key=lambda found: found.name)
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, cdk.Stack) and value.__module__ == module.__name__
    ]


def main() -> None:
    """Synthesize every stack, one instance each, to where the CDK's command line asks for it."""
    stacks = every_stack()

    import aws_cdk as cdk  # after infra.stacks, which points jsii at the right Node

    from infra.cloud.aws import tags

    app = cdk.App()
    for stack in stacks:  # tagged as those that a lesson deploys, so that `workshop sweep` finds them
        stack(
            app,
            stack.__name__,
            tags={tags.WORKSHOP: tags.VALUE, tags.LESSON: stack.__module__.split(".")[-1]},
        )
    app.synth()


def _run_in_the_workshops_environment() -> None:
    """``python3`` may be any Python; the CDK is installed in the workshop's ``.venv``."""
    python = ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if Path(sys.prefix) == python.parents[1] or not python.exists():
        sys.exit("The CDK is not installed: run the first command of README.md, then try again.")
    sys.exit(subprocess.run([str(python), __file__], check=False).returncode)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if importlib.util.find_spec("aws_cdk") is None:
        _run_in_the_workshops_environment()
    main()
