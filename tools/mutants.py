"""The small faults that can be made in a source: each changes one comparison, operator, constant or result."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
# Types are looked at by no test, and texts for people by few: their words are free.
UNTOUCHED = (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)
ANNOTATIONS = ("annotation", "returns", "decorator_list", "bases")


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        name: where it is and what became what, without line numbers; unique in its module.
    """

    name: str
    source: str
    position: int
    changed: ast.AST

    def tree(self) -> ast.Module:
        """The whole module with the fault."""
        tree = ast.parse(self.source)
        node, parent, field, index = _places(tree)[self.position]
        new = ast.copy_location(copy.deepcopy(self.changed), node)
        if index is None:
            setattr(parent, field, new)
        else:
            getattr(parent, field)[index] = new
        return ast.fix_missing_locations(tree)


class _Place(NamedTuple):
    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module's source."""
    tree = ast.parse(source)
    owners = _owners(tree)
    seen: Counter[str] = Counter()
    for position, place in enumerate(_places(tree)):
        for changed in _changes(place):
            name = f"{owners[place.node]}: {ast.unparse(place.node)} -> {ast.unparse(changed)}"
            seen[name] += 1
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            yield Mutant(name + number, source, position, changed)


def _places(tree: ast.Module) -> list[_Place]:
    """Every node that may be changed, in an order that the same source always gives."""
    places: list[_Place] = []

    def visit(parent: ast.AST) -> None:
        for field, value in ast.iter_fields(parent):
            if field in ANNOTATIONS:
                continue
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST) and not isinstance(node, UNTOUCHED) and not _is_text(node):
                    places.append(_Place(node, parent, field, index))
                    visit(node)

    visit(tree)
    return places


def _is_text(node: ast.AST) -> bool:
    """A docstring, or the list of what a module gives."""
    return (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or (
        isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )


def _owners(tree: ast.Module) -> dict[ast.AST, str]:
    """The function or class around every node."""
    owners: dict[ast.AST, str] = {}

    def visit(node: ast.AST, owner: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            owner = f"{owner}.{node.name}".removeprefix("module.")
        owners[node] = owner
        for child in ast.iter_child_nodes(node):
            visit(child, owner)

    visit(tree, "module")
    return owners


def _changes(place: _Place) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    node, parent = place.node, place.parent
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                operators = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        if other := OPERATORS.get(type(node.op)):
            changed = copy.copy(node)
            changed.op = other()
            yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(parent, ast.UnaryOp):
        return  # of a sign and its number, the sign is changed
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    if place.field == "test" and not isinstance(node, (ast.Compare, ast.UnaryOp)):
        assert isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert))
        yield ast.UnaryOp(ast.Not(), node)


def _constants(value: object) -> Iterator[ast.Constant]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(f"{value}?")
