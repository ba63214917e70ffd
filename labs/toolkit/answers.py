"""A learner's answer to an exercise: its source, what it defines, and how a check uses it.

Whatever is wrong with an answer comes out as ``Wrong``: one sentence that names the learner's own variable,
setting or line. Nothing here ever shows a traceback.
"""

from __future__ import annotations

import ast
import hashlib
import io
import linecache
import os
import shutil
import sys
import tempfile
import tokenize
import types
from pathlib import Path
from typing import Any

from . import paths

BLANK = "____"
"""What a starter writes where the learner has to fill in something."""


class Wrong(Exception):
    """An answer is not right. The sentence says what was seen, and what was expected."""


class Answer:
    """The body of an exercise cell, or of a solution.

    ``name``    ``<lab>.<exercise>``
    ``source``  the text
    ``path``    the file it is saved in
    ``work``    the folder that its packages go to
    ``whose``   ``yours`` or ``the solution``
    """

    def __init__(self, name: str, source: str, path: Path, work: Path, whose: str = "yours") -> None:
        self.name = name
        self.source = source
        self.path = path
        self.work = work
        self.whose = whose
        self._module: types.ModuleType | None = None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.whose}>"

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree, or Wrong with the line that is not Python."""
        try:
            return ast.parse(self.source, filename=str(self.path))
        except SyntaxError as error:
            raise Wrong(_syntax(error, self.source)) from None

    @property
    def module(self) -> types.ModuleType:
        """What it defines, run once as a module of its own, without the notebook's variables."""
        if self._module is None:
            code = compile(self.tree, str(self.path), "exec")
            module = types.ModuleType(f"answer_{self.name.replace('.', '_')}")
            module.__file__ = str(self.path)
            # inspect finds the source of a class by its module and the lines of that file: a stack needs it
            sys.modules[module.__name__] = module
            lines = self.source.splitlines(keepends=True)
            linecache.cache[str(self.path)] = (len(self.source), None, lines, str(self.path))
            try:
                exec(code, module.__dict__)  # the learner's own code, and their wish
            except (Exception, SystemExit) as error:  # noqa: BLE001 - any error is the answer's
                raise Wrong(f"running your cell raised {self._told(error)}") from None
            self._module = module
        return self._module

    def get(self, name: str, kind: type | tuple[type, ...] | None = None) -> Any:
        """The value of one of its variables; Wrong if it is missing or not of that kind."""
        found = getattr(self.module, name, BLANK)
        if found is BLANK:
            defined = [known for known in vars(self.module) if not known.startswith("_")]
            raise Wrong(
                f"your cell defines no `{name}`"
                + (f"; it defines {', '.join(f'`{known}`' for known in defined)}" if defined else "")
            )
        if kind is not None and (
            not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool)
        ):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(_a(one.__name__) for one in kinds)
            raise Wrong(f"`{name}` is {found!r}, {_a(type(found).__name__)}; it should be {wanted}")
        return found

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call one of its functions; what it raises is Wrong, with the call and the line."""
        function = self.get(name)
        if not callable(function):
            raise Wrong(f"`{name}` is {function!r}; it should be a function")
        try:
            return function(*args, **kwargs)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - any error is the answer's
            shown = ", ".join(
                [*map(_short, args), *(f"{key}={_short(value)}" for key, value in kwargs.items())]
            )
            raise Wrong(f"`{name}({shown})` raised {self._told(error)}") from None

    def package(self, filename: str = "app.py", base: str | Path | None = None) -> Path:
        """A folder with the answer as ``filename``, to deploy as a function's code.

        ``base`` is a folder of handlers (from the workshop's folder) whose other files go along. The same
        content gives the same folder.
        """
        self.tree  # noqa: B018 - what cannot be parsed is not deployed
        source = None if base is None else paths.ROOT / base
        if source is not None and not source.is_dir():
            raise FileNotFoundError(f"there is no folder {paths.relative(source)}")
        others = [] if source is None else _files(source, filename)
        digest = hashlib.sha256(f"{filename}\0{self.source}".encode())
        for relative, file in others:
            digest.update(relative.encode() + b"\0" + file.read_bytes())
        folder = self.work / digest.hexdigest()[:12]
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
            for relative, file in others:
                (draft / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, draft / relative)
            (draft / filename).write_text(self.source, encoding="utf-8")
            draft.chmod(0o755)
            try:
                os.replace(draft, folder)
            except OSError:  # another process made the same folder meanwhile
                shutil.rmtree(draft, ignore_errors=True)
        return folder

    def _told(self, error: BaseException) -> str:
        """The error in words, with the last line of the learner's own cell that it went through."""
        line = 0
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(self.path):
                line = trace.tb_lineno
            trace = trace.tb_next
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return f"{text} (line {line} of your cell)" if line else text


def same_code(one: str, other: str) -> bool:
    """Whether two sources are the same program: comments, blank lines and spacing do not count."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return _words(one) == _words(other)


def blanks(source: str) -> list[int]:
    """The lines that still have a blank to fill in (comments and text do not count)."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return sorted(
        {token.start[0] for token in tokens if token.type == tokenize.NAME and token.string == BLANK}
    )


def save(path: Path, source: str) -> None:
    """Write an answer whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".py")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(source)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _syntax(error: SyntaxError, source: str) -> str:
    lines = source.splitlines()
    number = error.lineno or 1
    shown = lines[number - 1] if 0 < number <= len(lines) else ""
    message = f"line {number} of your cell is not Python: {error.msg}"
    if shown.strip():
        column = max((error.offset or 1) - 1, 0)
        message += f"\n    {shown}\n    {' ' * column}^"
    return message


def _files(folder: Path, without: str) -> list[tuple[str, Path]]:
    """The files of a folder with their relative names, in order, but for one and for what tools leave."""
    found = []
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if file.is_file() and "__pycache__" not in relative.parts and relative.as_posix() != without:
            found.append((relative.as_posix(), file))
    return found


def _words(source: str) -> list[str]:
    """Without comments and spacing, for what is not Python (yet)."""
    return " ".join(line.partition("#")[0] for line in source.splitlines()).split()


def _short(value: Any) -> str:
    text = repr(value)
    if " at 0x" in text:
        return type(value).__name__
    return text if len(text) <= 40 else f"{text[:37]}..."


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
