"""Lowers the printed source of a kernel to the language of LLVM: one pass over its statements, in which nothing is guessed.

Kernels are printed in a small part of Python: one function of assignments, loops over ranges and conditions, on numbers and on
arrays of them. The type of each value follows from those that it is made of, as in NumPy; plain numbers take the type of what
they meet. A choice between two values (``a if c else b``) computes both, so that loops over it become vector code, and so does
``and``; what must not be read stands below an ``if``. Indices count from the start of an array, and nothing checks them.
"""

from __future__ import annotations

import ast
import math
import operator
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from goodmeasure.keeping.machine_code import Lowering

# The types of LLVM by those of NumPy, in the order in which one gives way to the next.
TYPES: Mapping[type, str] = {
    np.bool_: "i1",
    np.int32: "i32",
    np.int64: "i64",
    np.float32: "float",
    np.float64: "double",
}
_RANK = {name: rank for rank, name in enumerate(TYPES.values())}
_FLOATS = {"float", "double"}
_NAMED = {kind.__name__: name for kind, name in TYPES.items()}
# Of plain numbers, which have no type until they meet one that does.
_PLAIN: Mapping[type, str] = {bool: "i1", int: "i64", float: "double"}

_SYMBOLS: Mapping[type[ast.operator], tuple[str, str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("fadd", "add", operator.add),
    ast.Sub: ("fsub", "sub", operator.sub),
    ast.Mult: ("fmul", "mul", operator.mul),
    ast.Div: ("fdiv", "", operator.truediv),
    ast.FloorDiv: ("", "sdiv", operator.floordiv),  # of numbers that are not negative
    ast.Mod: ("", "srem", operator.mod),
    ast.Pow: ("", "", operator.pow),  # of plain numbers alone
    ast.LShift: ("", "shl", operator.lshift),
    ast.RShift: ("", "ashr", operator.rshift),
    ast.BitAnd: ("", "and", operator.and_),
    ast.BitOr: ("", "or", operator.or_),
    ast.BitXor: ("", "xor", operator.xor),
}
_COMPARED: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("olt", "slt"),
    ast.LtE: ("ole", "sle"),
    ast.Gt: ("ogt", "sgt"),
    ast.GtE: ("oge", "sge"),
    ast.Eq: ("oeq", "eq"),
    ast.NotEq: ("une", "ne"),
}
# Functions of numbers by what LLVM has of them, and those that the C library has in double precision.
_INTRINSICS = {"abs": "fabs", "floor": "floor", "rint": "rint", "sqrt": "sqrt", "copysign": "copysign"}
LIBRARY = ("sin", "cos", "lgamma")


COLUMNS = 4  # numbers of a row that are laid across together


def size_of(kind: str) -> int:
    """The bytes of a floating-point number."""
    return {"float": 4, "double": 8}[kind]


def lanes_of(kind: str) -> int:
    """The floating-point numbers of a vector of 64 bytes; where vectors are shorter, LLVM takes several."""
    return 64 // size_of(kind)


class Value(NamedTuple):
    """A number or an array: its type (of an array, that of its numbers and a star) and where it stands, or a plain number."""

    type: str
    text: str
    plain: bool | int | float | None = None


@cache
def lowering() -> Lowering:
    """What kernels are lowered by."""
    return Lowering(lowered, resources.files(__package__).joinpath("lowering.py").read_text("utf-8"))


def lowered(source: str, name: str) -> str:
    """The function ``run`` of a printed source, under another name, as a module of LLVM."""
    *constants, function = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    lines = _Function(function, _constants(constants))
    arguments = [f"{_passed(a)} %{a.arg}" for a in function.args.args]
    return "\n".join(
        (
            *(f"declare {line}" for line in sorted(lines.declared)),
            f"define void @{name}({', '.join(arguments)}) nounwind {{",
            *lines.places,
            *lines.lines,
            "  ret void",
            "}",
            "",
        )
    )


def _passed(argument: ast.arg) -> str:
    kind = _kind(argument)
    return "ptr noalias nocapture" if kind[-1] == "*" else kind


def _kind(argument: ast.arg) -> str:
    assert isinstance(argument.annotation, ast.Constant)
    name = str(argument.annotation.value)
    return _NAMED[name.removeprefix("*")] + ("*" if name[0] == "*" else "")


def _constants(statements: Iterable[ast.stmt]) -> dict[str, Any]:
    """The values of the names that a source gives before its function: numbers of NumPy, and their types."""
    known: dict[str, Any] = {"np": np, "math": math}
    for statement in statements:
        if isinstance(statement, ast.Assign):
            (target,) = statement.targets
            assert isinstance(target, ast.Name)
            known[target.id] = eval(compile(ast.Expression(statement.value), "<constant>", "eval"), known)
    return known


def _number(kind: str, value: Any) -> Value:
    """A constant of a type."""
    if kind in _FLOATS:
        with np.errstate(over="ignore"):
            rounded = float(np.float32(value)) if kind == "float" else float(value)
        return Value(kind, f"0x{struct.unpack('>Q', struct.pack('>d', rounded))[0]:016X}")
    return Value(kind, str(int(value)))


def _plain(value: float) -> Value:
    return Value(_PLAIN[type(value)], "", value)


class _Function:
    """The lines of one function.

    A name that is given once is a value. One that is given again is a place, which LLVM turns into values of its own.
    """

    def __init__(self, function: ast.FunctionDef, constants: Mapping[str, Any]) -> None:
        self.lines: list[str] = []
        self.places: list[str] = []
        self.declared: set[str] = set()
        self.constants = constants
        self.known: dict[str, Value] = {a.arg: Value(_kind(a), f"%{a.arg}") for a in function.args.args}
        self.slots: dict[str, Value] = {}
        stored = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        loops = {n.target.id for n in ast.walk(function) if isinstance(n, ast.For) and isinstance(n.target, ast.Name)}
        self.given = Counter(node.id for node in stored if node.id not in loops)
        self.count = 0
        self.of_index = False  # whole numbers that count places do not leave their range
        self.open("start")
        self.block(function.body)
        self.places.append("  br label %start")

    # --- lines ---

    def fresh(self, kind: str = "") -> str:
        self.count += 1
        return f"{kind}{self.count}" if kind else f"%v{self.count}"

    def line(self, kind: str, text: str) -> Value:
        """A line that makes a value."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return Value(kind, name)

    def open(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label

    def go(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")

    # --- statements ---

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            getattr(self, f"of_{type(statement).__name__}")(statement)

    def of_Pass(self, _: ast.Pass) -> None:
        """Nothing."""

    def of_Assign(self, node: ast.Assign) -> None:
        (*more, first) = node.targets
        pairs = [(first, node.value)]
        if isinstance(first, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(first.elts, node.value.elts, strict=True))
        for target, value in [(t, self.value(v)) for t, v in pairs]:
            for each in (target, *more):
                self.give(each, value)

    def of_AugAssign(self, node: ast.AugAssign) -> None:
        before = self.value(node.target)
        self.give(node.target, self.joined(node.op, before, self.value(node.value)))

    def give(self, target: ast.expr, value: Value) -> None:
        """Let a name stand for a value, or write it to its place in an array."""
        if isinstance(target, ast.Subscript):
            place, kind = self.place(target)
            self.store(self.cast(value, kind), place)
            return
        assert isinstance(target, ast.Name)
        if self.given[target.id] == 1:
            self.known[target.id] = value
            return
        value = self.typed(value)
        slot = self.slots.get(target.id)
        if slot is None or slot.type != value.type:
            slot = self.slots[target.id] = Value(value.type, self.fresh())
            self.places.append(f"  {slot.text} = alloca {_shown(value.type)}")
        self.store(value, slot.text)

    def store(self, value: Value, place: str, align: int = 0) -> None:
        aligned = f", align {align}" if align else ""
        self.lines.append(f"  store {_shown(value.type)} {value.text}, ptr {place}{aligned}")

    def of_For(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        bounds = [self.cast(self.value(a), "i64") for a in node.iter.args]
        start, stop, step = _bounds(bounds)
        head, inside, after = self.fresh("head"), self.fresh("body"), self.fresh("after")
        index, following, before = Value("i64", self.fresh()), self.fresh(), self.label
        self.go(head)
        self.open(head)
        at = len(self.lines)
        more = self.line("i1", f"icmp slt i64 {index.text}, {stop.text}")
        self.branch(more, inside, after)
        self.open(inside)
        self.slots.pop(node.target.id, None)
        self.known[node.target.id] = index
        self.block(node.body)
        self.lines.append(f"  {following} = add nsw i64 {index.text}, {step.text}")
        self.go(head)
        self.lines.insert(at, f"  {index.text} = phi i64 [ {start.text}, %{before} ], [ {following}, %{self.label} ]")
        self.open(after)

    def of_While(self, node: ast.While) -> None:
        head, inside, after = self.fresh("head"), self.fresh("body"), self.fresh("after")
        self.go(head)
        self.open(head)
        self.branch(self.value(node.test), inside, after)
        self.open(inside)
        self.block(node.body)
        self.go(head)
        self.open(after)

    def of_If(self, node: ast.If) -> None:
        then, other, after = self.fresh("then"), self.fresh("else"), self.fresh("after")
        self.branch(self.value(node.test), then, other)
        for label, statements in ((then, node.body), (other, node.orelse)):
            self.open(label)
            self.block(statements)
            self.go(after)
        self.open(after)

    def branch(self, test: Value, yes: str, no: str) -> None:
        self.lines.append(f"  br i1 {self.typed(test).text}, label %{yes}, label %{no}")

    def of_Expr(self, node: ast.Expr) -> None:
        """Rows laid across, or back: ``across(lines, width, rows, classes)``, ``back(rows, classes, lines, width)``."""
        assert isinstance(node.value, ast.Call)
        to, far, given, near = (self.value(a) for a in node.value.args)
        {"across": self.across, "back": self.back}[_name(node.value.func)](to, far, given, near)

    def across(self, lines: Value, width: Value, rows: Value, classes: Value) -> None:
        """The first `COLUMNS` numbers of as many rows as a vector has lanes, each number's in a line of its own."""
        kind = rows.type.removesuffix("*")
        lanes = lanes_of(kind)
        found = [
            self.line(f"<{COLUMNS} x {kind}>", self.loading(COLUMNS, kind, rows, classes, r)) for r in range(lanes)
        ]
        beside = [self.side_by_side(found[j::COLUMNS]) for j in range(COLUMNS)]
        for k, line in enumerate(self.turned(beside)):
            self.store(line, self.at(lines, width, k), size_of(kind))

    def back(self, rows: Value, classes: Value, lines: Value, width: Value) -> None:
        """The same turned round. Rows are written in order: what one writes beyond its end, the next one writes over."""
        kind = rows.type.removesuffix("*")
        lanes = lanes_of(kind)
        found = [self.line(f"<{lanes} x {kind}>", self.loading(lanes, kind, lines, width, k)) for k in range(COLUMNS)]
        beside = self.turned(found)
        for r in range(lanes):
            first = r - r % COLUMNS
            row = self.shuffled(beside[r % COLUMNS], beside[r % COLUMNS], range(first, first + COLUMNS))
            self.store(row, self.at(rows, classes, r), size_of(kind))

    def turned(self, rows: Sequence[Value]) -> list[Value]:
        """Squares of `COLUMNS` rows, as many beside each other as have room in a vector, each with its rows as columns."""
        lanes = int(rows[0].type[1:].split()[0])
        squares = range(0, lanes, COLUMNS)
        low, high = ([q + k + m for q in squares for k in half for m in (0, lanes)] for half in ((0, 1), (2, 3)))
        pairs = [self.shuffled(rows[n], rows[n + 1], half) for half in (low, high) for n in (0, 2)]
        first, second = ([q + k + m for q in squares for m in (0, lanes) for k in half] for half in ((0, 1), (2, 3)))
        return [self.shuffled(pairs[n], pairs[n + 1], half) for n in (0, 2) for half in (first, second)]

    def side_by_side(self, parts: Sequence[Value]) -> Value:
        """One vector of several."""
        while len(parts) > 1:
            lanes = 2 * int(parts[0].type[1:].split()[0])
            parts = [self.shuffled(a, b, range(lanes)) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def shuffled(self, a: Value, b: Value, places: Iterable[int]) -> Value:
        """The numbers of two vectors at these places of both together."""
        kinds = [f"i32 {place}" for place in places]
        kind = a.type.split(" x ")[1]
        return self.line(
            f"<{len(kinds)} x {kind}",
            f"shufflevector {a.type} {a.text}, {b.type} {b.text}, <{len(kinds)} x i32> <{', '.join(kinds)}>",
        )

    def loading(self, lanes: int, kind: str, array: Value, stride: Value, number: int) -> str:
        return f"load <{lanes} x {kind}>, ptr {self.at(array, stride, number)}, align {size_of(kind)}"

    def at(self, array: Value, stride: Value, number: int) -> str:
        """Where so many strides from the start of an array are."""
        kind = array.type.removesuffix("*")
        far = self.line("i64", f"mul nsw i64 {self.cast(stride, 'i64').text}, {number}")
        return self.line("ptr", f"getelementptr inbounds {kind}, ptr {array.text}, i64 {far.text}").text

    # --- values ---

    def value(self, node: ast.expr) -> Value:
        found: Value = getattr(self, f"of_{type(node).__name__}")(node)
        return found

    def typed(self, value: Value) -> Value:
        return value if value.plain is None else _number(value.type, value.plain)

    def of_Constant(self, node: ast.Constant) -> Value:
        assert isinstance(node.value, bool | int | float)
        return _plain(node.value)

    def of_Name(self, node: ast.Name) -> Value:
        slot = self.slots.get(node.id)
        if slot is not None:
            return self.line(slot.type, f"load {_shown(slot.type)}, ptr {slot.text}")
        if node.id in self.known:
            return self.known[node.id]
        found = self.constants[node.id]
        return _number(TYPES[type(found)], found)

    def of_Attribute(self, node: ast.Attribute) -> Value:
        """A number that a library names: nan, inf, pi."""
        return _plain(float(getattr(self.constants[_name(node.value)], node.attr)))

    def of_Subscript(self, node: ast.Subscript) -> Value:
        place, kind = self.place(node)
        if isinstance(node.slice, ast.Slice):
            return Value(f"{kind}*", place)
        return self.line(kind, f"load {kind}, ptr {place}")

    def place(self, node: ast.Subscript) -> tuple[str, str]:
        """Where a number of an array stands, or the first of a part of it; and its type."""
        array = self.value(node.value)
        kind = array.type.removesuffix("*")
        assert kind != array.type, f"{ast.unparse(node)} is no array"
        first = node.slice.lower if isinstance(node.slice, ast.Slice) else node.slice
        if first is None:
            return array.text, kind
        outer, self.of_index = self.of_index, True
        index = self.cast(self.value(first), "i64")
        self.of_index = outer
        return self.line("ptr", f"getelementptr inbounds {kind}, ptr {array.text}, i64 {index.text}").text, kind

    def of_BinOp(self, node: ast.BinOp) -> Value:
        return self.joined(node.op, self.value(node.left), self.value(node.right))

    def joined(self, op: ast.operator, a: Value, b: Value) -> Value:
        of_floats, of_whole, meaning = _SYMBOLS[type(op)]
        if a.plain is not None and b.plain is not None:
            return _plain(meaning(a.plain, b.plain))
        a, b = self.met(a, b)
        if not of_whole and a.type not in _FLOATS:
            a, b = self.cast(a, "double"), self.cast(b, "double")
        word = f"{of_floats} contract" if a.type in _FLOATS else of_whole
        if self.of_index and word in {"add", "sub", "mul"}:
            word += " nsw"
        return self.line(a.type, f"{word} {a.type} {a.text}, {b.text}")

    def met(self, a: Value, b: Value) -> tuple[Value, Value]:
        """Two numbers in the type that can hold both."""
        a_type, b_type = _meeting(a, b), _meeting(b, a)
        kind = max(a_type, b_type, key=_RANK.__getitem__)
        if kind == "float" and {"i32", "i64"} & {a_type, b_type}:
            kind = "double"
        return self.cast(a, kind), self.cast(b, kind)

    def of_UnaryOp(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if value.plain is not None:
            return _plain(not value.plain if isinstance(node.op, ast.Not) else -value.plain)
        if isinstance(node.op, ast.Not):
            return self.line("i1", f"xor i1 {value.text}, true")
        assert isinstance(node.op, ast.USub)
        if value.type in _FLOATS:
            return self.line(value.type, f"fneg contract {value.type} {value.text}")
        return self.line(value.type, f"sub {value.type} 0, {value.text}")

    def of_BoolOp(self, node: ast.BoolOp) -> Value:
        found, *rest = (self.value(v) for v in node.values)
        for other in rest:
            found = self.joined(ast.BitAnd() if isinstance(node.op, ast.And) else ast.BitOr(), found, other)
        return found

    def of_Compare(self, node: ast.Compare) -> Value:
        (op,), (right,) = node.ops, node.comparators
        a, b = self.met(self.value(node.left), self.value(right))
        floats, whole = _COMPARED[type(op)]
        return self.line(
            "i1", f"{'fcmp ' + floats if a.type in _FLOATS else 'icmp ' + whole} {a.type} {a.text}, {b.text}"
        )

    def of_IfExp(self, node: ast.IfExp) -> Value:
        return self.chosen(self.value(node.test), self.value(node.body), self.value(node.orelse))

    def chosen(self, test: Value, a: Value, b: Value) -> Value:
        a, b = self.met(a, b)
        return self.line(a.type, f"select i1 {self.typed(test).text}, {a.type} {a.text}, {a.type} {b.text}")

    def of_Call(self, node: ast.Call) -> Value:
        given, name = node.func, _name(node.func)
        if name == "carray":
            return self.value(node.args[0])
        if name == "view":
            assert isinstance(given, ast.Attribute)
            value, kind = self.typed(self.value(given.value)), self.type_of(_name(node.args[0]))
            return self.line(kind, f"bitcast {value.type} {value.text} to {kind}")
        values = [self.value(a) for a in node.args]
        if kind := self.type_of(name):
            return self.cast(values[0], kind)
        if name in {"min", "max"}:
            a, b = self.met(*values)
            return self.chosen(
                self.line("i1", f"icmp {'slt' if name == 'min' else 'sgt'} {a.type} {a.text}, {b.text}"), a, b
            )
        if name in LIBRARY:
            (x,) = (self.cast(v, "double") for v in values)
            return self.called(f"double @{name}", [x])
        a, *rest = (self.typed(v) for v in values)
        return self.called(f"{a.type} @llvm.{_INTRINSICS[name]}.{'f32' if a.type == 'float' else 'f64'}", [a, *rest])

    def type_of(self, name: str) -> str:
        """The type of this name, or of the one that it stands for; empty if it is none."""
        named = self.constants.get(name)
        return TYPES.get(named, "") if isinstance(named, type) else _NAMED.get(name, "")

    def called(self, name: str, values: Sequence[Value]) -> Value:
        kind = values[0].type
        self.declared.add(f"{name}({', '.join(v.type for v in values)})")
        return self.line(kind, f"call contract {name}({', '.join(f'{v.type} {v.text}' for v in values)})")

    def cast(self, value: Value, kind: str) -> Value:
        """A number in another type, rounded or cut where that holds fewer."""
        if value.plain is not None:
            return _number(kind, value.plain)
        if value.type == kind:
            return value
        assert value.type in _RANK, "an array is no number"
        return self.line(kind, f"{_cast(value.type, kind)} {value.type} {value.text} to {kind}")


def _bounds(given: Sequence[Value]) -> Sequence[Value]:
    """The start, the stop and the step of a range."""
    whole = [_number("i64", 0), *given] if len(given) == 1 else list(given)
    return (*whole, _number("i64", 1))[:3]


def _cast(given: str, kind: str) -> str:
    if given in _FLOATS and kind in _FLOATS:
        return "fpext" if kind == "double" else "fptrunc"
    if kind in _FLOATS:
        return "uitofp" if given == "i1" else "sitofp"
    if given in _FLOATS:
        return "fptosi"
    if given == "i1":
        return "zext"
    return "sext" if _RANK[given] < _RANK[kind] else "trunc"


def _meeting(value: Value, other: Value) -> str:
    """The type of a number beside another: a plain one takes the other's, but no fraction becomes a whole number."""
    if value.plain is None or other.plain is not None:
        return value.type
    return "double" if isinstance(value.plain, float) and other.type not in _FLOATS else other.type


def _shown(kind: str) -> str:
    return "ptr" if kind[-1] == "*" else kind


def _name(node: ast.expr) -> str:
    """The last part of a name with dots."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
