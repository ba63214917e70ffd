"""Shows the real file: what a lesson discusses is what is deployed.

show_source("labs/queue_processing/handlers/worker/app.py")
show_source("labs/queue_processing/handlers/worker/app.py", "handler")
show_source(QueueProcessing)
"""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from pathlib import Path
from typing import Any

from . import display, paths

LANGUAGES = {
    ".py": "python",
    ".json": "json",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".md": "markdown",
    ".sh": "bash",
    ".sql": "sql",
    ".vtl": "text",
    ".txt": "text",
}


def show_source(what: str | Path | Any, *names: str) -> None:
    """Show a file of the workshop, or only some of its functions, classes and constants.

    ``what`` is a path from the workshop's folder, or a class or function. ``names`` picks top-level
    definitions of a Python file, or ``"Class.method"``. Raises FileNotFoundError and LookupError with what
    there is instead.
    """
    title, code, language = source(what, *names)
    display.markdown(f"**{title}**\n\n{display.fenced(code, language)}")


def source(what: str | Path | Any, *names: str) -> tuple[str, str, str]:
    """Title, code and language of what ``show_source`` shows."""
    if isinstance(what, str | Path):
        path = find(what)
        text = path.read_text(encoding="utf-8")
        title = paths.relative(path)
        language = LANGUAGES.get(path.suffix, "text")
    else:
        path = Path(inspect.getfile(what))
        text = textwrap.dedent(inspect.getsource(what))
        title = f"{paths.relative(path)}: {what.__qualname__}"
        language = "python"
    if not names:
        return title, text.rstrip(), language
    if language != "python":
        raise LookupError(f"{title} is not Python: only a whole file of it can be shown")
    return f"{title}: {', '.join(names)}", "\n\n".join(pick(text, name, title) for name in names), language


def find(path: str | Path) -> Path:
    """The file of a path from the workshop's folder; FileNotFoundError names files that are like it."""
    wanted = Path(path)
    found = wanted if wanted.is_absolute() else paths.ROOT / wanted
    if found.is_file():
        return found
    folder = found.parent
    while not folder.is_dir():
        folder = folder.parent
    beside = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith((".", "__")))
    missing = found.relative_to(folder).parts[0]
    like = difflib.get_close_matches(missing, beside, n=3, cutoff=0.4) or beside
    raise FileNotFoundError(
        f"there is no file {wanted.as_posix()} in the workshop; "
        f"{paths.relative(folder)} has: {', '.join(like)}"
    )


def pick(text: str, name: str, title: str = "the file") -> str:
    """The source of one definition, with the comment above it and its decorators."""
    tree: ast.Module | ast.stmt = ast.parse(text)
    known: dict[str, ast.stmt] = {}
    for part in name.split("."):
        known = dict(_definitions(tree))
        if part not in known:
            raise LookupError(f"{title} defines no {name!r}; it defines: {', '.join(known) or 'nothing'}")
        tree = known[part]
    node = known[name.rpartition(".")[2]]
    lines = text.splitlines()
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return textwrap.dedent("\n".join(lines[first : node.end_lineno]))


def _definitions(tree: ast.AST) -> list[tuple[str, ast.stmt]]:
    found: list[tuple[str, ast.stmt]] = []
    for node in getattr(tree, "body", []):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((node.name, node))
        elif isinstance(node, ast.Assign):
            found += [(target.id, node) for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.target.id, node))
    return found
