"""The grammar of mapping templates: airspeed's parser, told the lexical rules of the Velocity that AWS runs.

API Gateway runs Apache Velocity 1.7. Where airspeed 0.7.1 reads a template otherwise, the rules below replace
its own: they follow Velocity's Parser.jjt (https://github.com/apache/velocity-engine, tag 1.7) and the
renderings that the tests of LocalStack's fork recorded from AWS (https://github.com/localstack/airspeed,
tests/test_templating.snapshot.json). They are put into a private copy of the module, so that a handler that
imports airspeed finds it as its authors wrote it.

``parse(text)`` gives airspeed's tree of elements; ``velocity`` renders it. The elements it meets:

    Block          children                Reference   root, steps; my_text()
    Text           text                    SetDirective  target (a Reference), value
    IfDirective    condition, block, elseifs, else_block
    ForeachDirective  loop_var_name, value, block
    Expression     expression: Value, operator, Value, …
"""

from __future__ import annotations

import functools
import importlib.util
import re
from typing import Any

_I = re.IGNORECASE | re.DOTALL
_END_OF_LINE = r"(?:[ \t]*\r?\n)?"
_DIRECTIVES = "if|elseif|else|end|set|foreach|define|macro|stop|break|parse|include|evaluate"


def _private_copy() -> Any:
    spec = importlib.util.find_spec("airspeed")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("airspeed is missing: pip install -r requirements.txt")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


grammar: Any = _private_copy()
TemplateError: type[Exception] = grammar.TemplateError


def _element(name: str, parse: Any) -> Any:
    return type(grammar._Element)(name, (grammar._Element,), {"parse": parse})


# -- text and escapes ------------------------------------------------------------------------------------


_TEXT = re.compile(r"([^\\$#]+|\\+|\$(?!!?\{?[A-Za-z_]))", re.DOTALL)
_ESCAPE = re.compile(rf"(\\+)(?=\$!?\{{?[A-Za-z_]|#(?:{_DIRECTIVES})\b|#\{{(?:{_DIRECTIVES})\}})")
_WORD = re.compile(r"(#\{?\w+\}?)")
_LITERAL = re.compile(r"#\[\[(.*?)\]\]#", re.DOTALL)
_HASH = re.compile(r"(#(?!(?:end|else|elseif)\b|\{(?:end|else|elseif)\}))")


def _text(self: Any) -> None:
    (self.text,) = self.identity_match(_TEXT)


def _escape(self: Any) -> None:
    """Backslashes before a reference or a directive: two stand for one, an odd one makes it text."""
    (slashes,) = self.identity_match(_ESCAPE)
    self.text = "\\" * (len(slashes) // 2)
    if len(slashes) % 2:
        if self.next_text().startswith("$"):
            self.text += self.next_element(Reference).my_text()
        else:
            self.text += self.identity_match(_WORD)[0]


def _literal(self: Any) -> None:
    (self.text,) = self.identity_match(_LITERAL)


def _hash(self: Any) -> None:
    (self.text,) = self.identity_match(_HASH)


def _unknown(self: Any) -> None:
    """``#name(…)`` of no directive AWS has is text, with its arguments: also #parse, #include, #evaluate."""
    try:
        self.next_element(grammar.MacroCall)
    except grammar.TemplateSyntaxError:
        raise grammar.NoMatch from None
    self.text = self.my_text()


# -- references ------------------------------------------------------------------------------------------

_START = re.compile(r"\$(!?)(\{?)")
_ROOT = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)")
_MEMBER = re.compile(r"\.([A-Za-z][A-Za-z0-9_-]*)")
_CLOSE = re.compile(r"\}")


def _reference(self: Any) -> None:
    """``steps``: ("member", name), ("call", name, ParameterList) or ("index", element)."""
    _, brace = self.identity_match(_START)
    (self.root,) = self.identity_match(_ROOT)
    self.steps = []
    while True:
        member = self.next_match(_MEMBER)
        try:
            if member is None:
                self.steps.append(("index", self.next_element(grammar.ArrayIndex)))
            else:
                self.steps.append(("call", member[0], self.next_element(grammar.ParameterList)))
        except grammar.NoMatch:
            if member is None:
                break
            self.steps.append(("member", member[0]))
    if brace:
        self.require_match(_CLOSE, "}")


# -- values ----------------------------------------------------------------------------------------------

_SINGLE = re.compile(r"'((?:''|[^'])*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:""|[^"])*)"', re.DOTALL)


def _single_quoted(self: Any) -> None:
    """No backslash escapes in Velocity's strings; a doubled quote is one."""
    self.value = self.identity_match(_SINGLE)[0].replace("''", "'")


def _double_quoted(self: Any) -> None:
    self.value = self.identity_match(_DOUBLE)[0].replace('""', '"')
    dynamic = "$" in self.value or "#" in self.value
    self.block = grammar.Block(self.filename, self.value, 0) if dynamic else None


def _parenthesized(self: Any) -> None:
    self.identity_match(re.compile(r"\(\s*"))
    self.expression = self.next_element(grammar.Expression)
    self.require_match(re.compile(r"\s*\)"), ")")


def _condition(self: Any) -> None:
    self.expression = self.next_element(grammar.ParenthesizedExpression).expression
    self.calculate = None  # airspeed's #elseif takes it along
    self.optional_match(grammar.WHITESPACE_TO_END_OF_LINE)


# -- directives ------------------------------------------------------------------------------------------

_SET = re.compile(r"[ \t]*#(?:set|\{set\})\s*\(\s*", _I)
_EQUALS = re.compile(r"\s*=\s*")
_SET_END = re.compile(rf"\s*\){_END_OF_LINE}")
_BREAK = re.compile(r"#(?:break\b|\{break\})")


def _set(self: Any) -> None:
    """The blanks before #set are part of it where they begin a token: after a directive or a reference."""
    self.identity_match(_SET)
    self.target = self.require_next_element(Reference, "reference")
    self.require_match(_EQUALS, "=")
    self.value = self.require_next_element(grammar.Expression, "expression")
    self.require_match(_SET_END, ")")


def _break(self: Any) -> None:
    self.identity_match(_BREAK)


def _block(self: Any) -> None:
    self.children = []
    while True:
        try:
            self.children.append(self.next_element(_STATEMENTS))
        except grammar.NoMatch:
            break


Reference = _element("Reference", _reference)
Literal = _element("Literal", _literal)
Escape = _element("Escape", _escape)
Unknown = _element("Unknown", _unknown)
Break = _element("Break", _break)

grammar.Text.parse = _text
grammar.FallthroughHashText.parse = _hash
grammar.FormalReference = Reference
grammar.StringLiteral.parse = _single_quoted
grammar.InterpolatedStringLiteral.parse = _double_quoted
grammar.ParenthesizedExpression.parse = _parenthesized
grammar.Condition.parse = _condition
grammar.SetDirective.parse = _set
grammar.Block.parse = _block
grammar.BooleanLiteral.BOOLEAN = re.compile(r"(true|false)\b")
grammar.NullLiteral.NULL = re.compile(r"(null)\b")
grammar.End.END = re.compile(r"#(?:end\b|\{end\})")
grammar.ElseBlock.START = re.compile(rf"#(?:else\b|\{{else\}}){_END_OF_LINE}")
grammar.ElseifBlock.START = re.compile(r"#(?:elseif\b|\{elseif\})\s*")
grammar.IfDirective.START = re.compile(r"#(?:if\b|\{if\})\s*")
grammar.ForeachDirective.START = re.compile(r"#(?:foreach\b|\{foreach\})")
grammar.ForeachDirective.LOOP_VAR_NAME = re.compile(r"\$!?\{?([A-Za-z_][A-Za-z0-9_-]*)\}?")
grammar.ForeachDirective.CLOSE_PAREN = re.compile(rf"\s*\){_END_OF_LINE}")
grammar.DefineDefinition.START = re.compile(r"#(?:define\b|\{define\})")
grammar.DefineDefinition.NAME = re.compile(r"\s*\$!?\{?([A-Za-z_][A-Za-z0-9_-]*)\}?")
grammar.StopDirective.STOP = re.compile(r"#(?:stop\b|\{stop\})")
grammar.Comment.COMMENT = re.compile(r"#(?:#[^\n]*(?:\n|$)|\*.*?\*#)", re.DOTALL)
grammar.MacroDefinition.RESERVED_NAMES = ("if", "else", "elseif", "set", "macro", "foreach", "end", "define")

_STATEMENTS = (
    grammar.SetDirective,
    Escape,
    grammar.Text,
    Reference,
    grammar.Comment,
    Literal,
    grammar.IfDirective,
    grammar.ForeachDirective,
    grammar.DefineDefinition,
    grammar.MacroDefinition,
    grammar.StopDirective,
    Break,
    Unknown,
    grammar.FallthroughHashText,
)


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Any:
    """The Block of a template, parsed once per text. Raises TemplateError with line and column."""
    return grammar.TemplateBody("template", text).block
