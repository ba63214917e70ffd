"""Update expressions, faster: each is parsed once, copied at C's speed, and walked without asking twice.

moto parses an expression anew at every step, copies its tree node by node and asks for each node's kind with
``isinstance`` on abstract classes. The results are the same.
"""

from __future__ import annotations

import copy
import functools
import pickle
from typing import Any

from moto.dynamodb import comparisons
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node  # type: ignore[attr-defined]
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]

_ORDERING: tuple[Any, ...] = (
    comparisons.FuncBetween,
    comparisons.OpGreaterThan,
    comparisons.OpGreaterThanOrEqual,
    comparisons.OpLessThan,
    comparisons.OpLessThanOrEqual,
)
_is_node: dict[type, bool] = {}
_classes: dict[tuple[type, type], type | None] = {}
"""Of a traverser and a node: the class of nodes under which the traverser handles it."""


def install() -> None:
    """Once in a process."""
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (UpdateExpressionParser, "make", functools.lru_cache(1024)(UpdateExpressionParser.make)),
        (validators, "deepcopy", _copy),
        (DepthFirstTraverser, "traverse_node_recursively", _traverse),
    )
    for target, name, value in replaced:
        setattr(target, name, value)
    for kind in _ORDERING:
        setattr(kind, "expr", _between_types(kind.expr))  # noqa: B010 - mypy refuses the plain assignment


def _between_types(compare: Any) -> Any:
    """Values of different types have no order: a comparison of them is not true, and no error.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
    """

    def expr(condition: Any, item: Any) -> bool:
        try:
            return bool(compare(condition, item))
        except TypeError:
            return False

    return expr


def _copy(node: Any) -> Any:
    """A copy of a parsed expression, which is pickled once, or of a value."""
    if not isinstance(node, Node):
        return copy.deepcopy(node)
    text = node.__dict__.get("_pickled")
    if text is None:
        text = pickle.dumps(node, pickle.HIGHEST_PROTOCOL)
        node._pickled = text
    return pickle.loads(text)


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Handle the children, then the node, and put what comes of it in its place."""
    kind = type(node)
    known = _is_node.get(kind)
    if known is None:
        known = _is_node[kind] = issubclass(kind, Node)
    if not known:
        return node
    parent = node.parent
    if node.children is not None:
        for index, child in enumerate(node.children):
            traverser.pre_processing_of_child(node, index)
            _traverse(traverser, child, index)
    key = (type(traverser), kind)
    if key not in _classes:
        of_class = None
        if issubclass(kind, traverser.nodes_to_be_processed()):
            of_class = next(each for each in traverser._processing_map() if issubclass(kind, each))
        _classes[key] = of_class
    handled = _classes[key]
    if handled is not None:
        node = traverser._processing_map()[handled](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node
