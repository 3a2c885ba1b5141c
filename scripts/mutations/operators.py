"""The small changes of a module: what each operator would write in place of one piece of the source.

Left alone are what a reader sees and what a type checker reads: docstrings, annotations, texts of errors, formatted strings,
functions that return texts, imports, decorators. In ``kernels`` such texts are code, and stay in.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
OPPOSITES = {
    "min": "max", "minimum": "maximum", "argmin": "argmax", "nanmin": "nanmax", "fmin": "fmax", "any": "all", "floor": "ceil",
}  # fmt: skip
OPPOSITES |= {b: a for a, b in OPPOSITES.items()}
DROPPED = frozenset(
    {"abs", "ceil", "cumsum", "exp", "expm1", "floor", "fsum", "isfinite", "log", "log1p", "log2", "rint", "round", "sorted",
     "sqrt", "square", "unique"}
)  # fmt: skip
# Pieces whose change is put in parentheses inside one of these.
_BINDS = (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.Attribute, ast.Subscript, ast.Starred, ast.IfExp)
_NEED = (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.IfExp)


@dataclass(frozen=True)
class Mutant:
    """One change: the module below the package, the function, the operator, and the source before and after.

    Attributes:
        start: where in the bytes of the module the changed piece begins.
        line: its first line, from 1.
        last: its last line.
        repeat: how many changes of the same words stand before it in this function.
    """

    module: str
    function: str
    operator: str
    before: str
    after: str
    start: int
    line: int
    last: int
    repeat: int = 0

    @property
    def name(self) -> str:
        """What the mutant is called: the same as long as nothing is changed near it."""
        again = f" ({self.repeat + 1})" if self.repeat else ""
        return f"{self.module} {self.function}{again}: {_short(self.before)} -> {_short(self.after)}"

    @property
    def key(self) -> str:
        """A short name."""
        return self.rank(0)[:8]

    def rank(self, seed: int) -> str:
        """Its place in an order that is as good as drawn, and that an edit elsewhere does not change."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).hexdigest()

    def applied(self, source: str) -> str:
        """The module with this change."""
        data = source.encode()
        end = self.start + len(self.before.encode())
        assert data[self.start : end] == self.before.encode()
        return (data[: self.start] + self.after.encode() + data[end:]).decode()


def _short(text: str) -> str:
    return " ".join(text.split())


def mutants(module: str, source: str) -> list[Mutant]:
    """Every change of a module that still is a program."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str, str], int] = {}
    for each in _Walk(module, source).changes():
        key = (each.function, _short(each.before), _short(each.after))
        if any(each.start == other.start and each.applied(source) == other.applied(source) for other in found[-40:]):
            continue
        repeat = seen[key] = seen.get(key, -1) + 1
        found.append(Mutant(**{**vars(each), "repeat": repeat}))
    return found


class _Walk:
    """Goes through a module with what encloses each piece."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.data = module, source.encode()
        self.tree = ast.parse(source)
        self.starts = [0]
        for text in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(text))

    def changes(self) -> Iterator[Mutant]:
        """The changes of the whole module."""
        yield from self._inside(self.tree, "module", set())

    def _inside(self, parent: ast.AST, function: str, bound: set[str]) -> Iterator[Mutant]:
        for role, child in _children(parent):
            if _left_alone(parent, role, child, self.module):
                continue
            name, names = function, bound
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = child.name if function == "module" else f"{function}.{child.name}"
                names = set()
                if isinstance(child, ast.FunctionDef):
                    names = {a.arg for a in ast.walk(child.args) if isinstance(a, ast.arg)}
            for operator, changed in _changes(parent, role, child, names):
                yield self._mutant(child, parent, name, operator, changed)
            yield from self._inside(child, name, names)
            if isinstance(child, ast.Assign):
                names.update(t.id for t in ast.walk(child) if isinstance(t, ast.Name) and isinstance(t.ctx, ast.Store))

    def _mutant(self, node: ast.AST, parent: ast.AST, function: str, operator: str, changed: ast.AST | str) -> Mutant:
        assert isinstance(node, ast.expr | ast.stmt)
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = changed if isinstance(changed, str) else ast.unparse(changed)
        if isinstance(parent, _BINDS) and isinstance(changed, _NEED):
            text = f"({text})"
        before = self.data[start:end].decode()
        return Mutant(self.module, function, operator, before, text, start, node.lineno, node.end_lineno or node.lineno)


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for role, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield role, each


def _left_alone(parent: ast.AST, role: str, node: ast.AST, module: str) -> bool:
    if role in ("annotation", "returns", "decorator_list", "type_ignores") or isinstance(
        node, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert
    ):
        return True
    if isinstance(parent, ast.Raise) or (isinstance(parent, ast.Module) and isinstance(node, ast.Expr)):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.FunctionDef) and not module.startswith("kernels/"):
        return node.name in ("__repr__", "__str__") or (node.returns is not None and _is_text(node.returns))
    return False


def _is_text(annotation: ast.expr) -> bool:
    """Whether a function returns what is shown and not computed with."""
    return ast.unparse(annotation) in ("str", "list[str]", "tuple[str, ...]", "Iterator[str]", "Display", "str | None")


Changes = Iterator[tuple[str, ast.AST | str]]


def _changes(parent: ast.AST, role: str, node: ast.AST, bound: set[str]) -> Changes:
    kind = _BY_KIND.get(type(node))
    if kind is not None:
        yield from kind(node, parent)
    if isinstance(node, ast.expr) and role in ("test", "ifs"):
        yield "condition", ast.UnaryOp(ast.Not(), node)
    if isinstance(node, ast.stmt) and _may_go(node, bound):
        yield "deleted", "pass"


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _comparison(node: ast.Compare, parent: ast.AST) -> Changes:
    for k, op in enumerate(node.ops):
        if type(op) in COMPARISONS:
            yield "comparison", _with(node, ops=[*node.ops[:k], COMPARISONS[type(op)](), *node.ops[k + 1 :]])


def _arithmetic(node: ast.BinOp | ast.AugAssign, parent: ast.AST) -> Changes:
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    texts = any(isinstance(s, ast.JoinedStr | ast.List) or isinstance(getattr(s, "value", 0), str) for s in sides)
    if type(node.op) in ARITHMETIC and not texts:
        yield "arithmetic", _with(node, op=ARITHMETIC[type(node.op)]())


def _boolean(node: ast.BoolOp, parent: ast.AST) -> Changes:
    yield "and, or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _sign(node: ast.UnaryOp, parent: ast.AST) -> Changes:
    if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "unary", node.operand


def _constant(node: ast.Constant, parent: ast.AST) -> Changes:
    value, operator = node.value, "default" if isinstance(parent, ast.arguments) else "constant"
    if isinstance(value, bool):
        yield operator, ast.Constant(not value)
    elif isinstance(value, int):
        yield operator, ast.Constant(1 - value if value in (0, 1) else value + 1)
    elif isinstance(value, float) and value == value:
        changed = {0.0: 1.0, 1.0: 0.0, 0.5: 0.6}.get(value, value * 1.1)
        if changed != value:
            yield operator, ast.Constant(changed)


def _call(node: ast.Call, parent: ast.AST) -> Changes:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in OPPOSITES:
        other = OPPOSITES[name]
        func = _with(node.func, **{"attr" if isinstance(node.func, ast.Attribute) else "id": other})
        yield "min, max", _with(node, func=func)
    if name in DROPPED and node.args and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield "dropped call", node.args[0]


def _slice(node: ast.Slice, parent: ast.AST) -> Changes:
    for side in ("lower", "upper"):
        bound = getattr(node, side)
        if bound is not None:
            yield "slice", _with(node, **{side: None})
            if not isinstance(bound, ast.Constant):
                yield "slice", _with(node, **{side: ast.BinOp(bound, ast.Add(), ast.Constant(1))})


def _returned(node: ast.Return, parent: ast.AST) -> Changes:
    call = node.value
    if isinstance(call, ast.Call) and call.args and not isinstance(call.args[0], ast.Starred | ast.GeneratorExp):
        yield "return", ast.Return(call.args[0])


_BY_KIND: dict[type[ast.AST], Callable[..., Changes]] = {
    ast.Compare: _comparison,
    ast.BinOp: _arithmetic,
    ast.AugAssign: _arithmetic,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _sign,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Slice: _slice,
    ast.Return: _returned,
}


def _may_go(node: ast.stmt, bound: set[str]) -> bool:
    """Whether a statement can be left out and its names are still there."""
    if isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Attribute | ast.Subscript) or getattr(t, "id", "") in bound for t in node.targets)
    return False
