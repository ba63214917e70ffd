"""The grammar of mapping templates: airspeed's parser, told the lexical rules of the Velocity that AWS runs.

API Gateway runs Apache Velocity 1.7. Where airspeed 0.7.1 reads a template otherwise, the rules below replace
its own: they follow Velocity's Parser.jjt (https://github.com/apache/velocity-engine, tag 1.7) and the
renderings that the tests of LocalStack's fork recorded from AWS (https://github.com/localstack/airspeed,
tests/test_templating.snapshot.json), with which Velocity 1.7 itself agrees as soon as its
InvalidReferenceEventHandler makes "" of what is missing. They are put into a private copy of the module, so
that a handler that imports airspeed finds it as its authors wrote it.

``parse(text)`` gives airspeed's tree of elements; ``velocity`` renders it. The elements it meets:

    Block          children                Reference   root, steps, plain; my_text()
    Shown          reference, behind
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
_HASH = re.compile(r"(#(?!(?:if|foreach|end|else|elseif)\b|\{(?:end|else|elseif)\}))")
_CUT_OFF = re.compile(r"(?:\$!?|(?<![#*\]])#)\Z")
"""A template that ends in what may begin something is none: ``Hello $`` is a 500 on AWS."""


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
_TWO_HASHES = re.compile(r"(##)")
_TOKEN = re.compile(r"([{}]|[A-Za-z][A-Za-z0-9_-]*)")
_CURLY = re.compile(r"\{(?=[A-Za-z]|\$!?[A-Za-z_])")


def _reference(self: Any) -> None:
    """``steps``: ("member", name), ("call", name, ParameterList) or ("index", element); ``plain``: neither
    quiet nor in braces."""
    quiet, brace = self.identity_match(_START)
    self.plain = not quiet and not brace
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
    self.open = not brace
    if brace:
        self.require_match(_CLOSE, "}")


def _shown(self: Any) -> None:
    """A reference in the text, and what Velocity's lexer still takes with it (``behind``): the two hashes
    behind a member or an index begin no comment; a brace or a word is a token of its own, so that blanks
    behind it may belong to #set; of ``$name{word}`` only the first brace is left."""
    self.reference = self.next_element(Reference)
    self.behind = ""
    if not self.reference.open:
        return
    steps = self.reference.steps
    if steps and steps[-1][0] != "call" and self.optional_match(_TWO_HASHES):
        self.behind = "##"
    elif self.optional_match(_CURLY):
        self.behind = "{"
        self.next_element((Reference, Word))
        self.require_match(_CLOSE, "}")
    else:
        found = self.next_match(_TOKEN)
        self.behind = found[0] if found else ""


# -- values ----------------------------------------------------------------------------------------------

_SINGLE = re.compile(r"'((?:''|[^'])*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:""|[^"])*)"', re.DOTALL)
_BARE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)")
_OPEN = re.compile(r"\(\s*")
_COMMA = re.compile(r"\s*,\s*")
_END_OF_ARGUMENTS = re.compile(r"\s*\)")
_FLOAT = re.compile(r"(-?(?:\d+\.(?!\.)\d*|\.\d+)(?:[eE][+-]?\d+)?|-?\d+[eE][+-]?\d+)")
_OPERATOR = re.compile(r"\s*(>=|<=|<|==|!=|>|%|\|\||&&|(?:or|and|gt|lt|ne|eq|ge|le)\b|\+|-(?!\.?\d)|\*|/)\s*")
"""A minus before a digit is the number's own, so ``3 -1`` is no subtraction but an error."""


def _single_quoted(self: Any) -> None:
    """No backslash escapes in Velocity's strings; a doubled quote is one."""
    self.value = self.identity_match(_SINGLE)[0].replace("''", "'")


def _double_quoted(self: Any) -> None:
    self.value = self.identity_match(_DOUBLE)[0].replace('""', '"')
    self.block = None
    if "$" in self.value or "#" in self.value:
        self.block = grammar.Block(self.filename, self.value, 0)
        if self.block.end != len(self.value):
            raise self.syntax_error("a string whose directives are whole")


def _word(self: Any) -> None:
    """A bare word, ``null`` too, may stand only among a method's arguments, and is null there."""
    self.identity_match(_BARE)


def _arguments(self: Any) -> None:
    self.identity_match(_OPEN)
    self.values = []
    if self.optional_match(_END_OF_ARGUMENTS):
        return
    while True:
        self.values.append(self.require_next_element((grammar.Value, Word), "argument"))
        if not self.optional_match(_COMMA):
            break
    self.require_match(_END_OF_ARGUMENTS, ")")


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
Shown = _element("Shown", _shown)
Literal = _element("Literal", _literal)
Escape = _element("Escape", _escape)
Unknown = _element("Unknown", _unknown)
Break = _element("Break", _break)
Word = _element("Word", _word)

grammar.Text.parse = _text
grammar.FallthroughHashText.parse = _hash
grammar.FormalReference = Reference
grammar.StringLiteral.parse = _single_quoted
grammar.InterpolatedStringLiteral.parse = _double_quoted
grammar.ParenthesizedExpression.parse = _parenthesized
grammar.Condition.parse = _condition
grammar.SetDirective.parse = _set
grammar.Block.parse = _block
grammar.ParameterList.parse = _arguments
grammar.FloatingPointLiteral.FLOAT = _FLOAT
grammar.BinaryOperator.BINARY_OP = _OPERATOR
grammar.BooleanLiteral.BOOLEAN = re.compile(r"(true|false)\b")
grammar.NullLiteral.NULL = re.compile(r"(?!)")
grammar.End.END = re.compile(r"#(?:end\b|\{end\})")
grammar.ElseBlock.START = re.compile(rf"#(?:else\b|\{{else\}}){_END_OF_LINE}")
grammar.ElseifBlock.START = re.compile(r"#(?:elseif\b|\{elseif\})\s*")
grammar.IfDirective.START = re.compile(r"#(?:if\b|\{if\})\s*")
grammar.ForeachDirective.START = re.compile(r"#(?:foreach\b|\{foreach\})")
grammar.ForeachDirective.LOOP_VAR_NAME = re.compile(r"\$!?\{?([A-Za-z_][A-Za-z0-9_-]*)\}?")
grammar.ForeachDirective.IN = re.compile(r"\s+in\s*")
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
    Shown,
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
    body = grammar.TemplateBody("template", text)
    if _CUT_OFF.search(text):
        raise body.syntax_error("more")
    return body.block
