"""Prints formulas as the source of one compiled function: a loop over a fixed number of examples without a branch or a call.

Words are copied in from :mod:`float32` or :mod:`float64`, statement by statement, so that one function reaches the compiler
(several would each pay for its start) and the compiler sees and shares the common parts. Constants are typed, parts that the
hyperparameters alone decide stand before the loop, and every name in the file is defined in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from goodmeasure.formula import Expr, Word, expression, nodes, power, simplify, spelled, symbols

# How Numba source spells the elementary words. A name in capitals is a typed constant of the words' modules; what is not
# spelled here stands there as a function of the word's own name.
SPELLING: Mapping[str, Callable[..., str]] = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"{a} / {b}",
    "neg": lambda a: f"-{a}",
    "abs": lambda a: f"abs({a})",
    "less": lambda a, b: f"{a} < {b}",
    "less_equal": lambda a, b: f"{a} <= {b}",
    "where": lambda c, a, b: f"{a} if {c} else {b}",
    "maximum": lambda a, b: (
        f"{b} if {a} < {b} else {a}" if b[0] == "C" else f"{b} if ({a} < {b}) | ({b} != {b}) else {a}"
    ),
    "minimum": lambda a, b: (
        f"{b} if {b} < {a} else {a}" if b[0] == "C" else f"{b} if ({b} < {a}) | ({b} != {b}) else {a}"
    ),
    "sign": lambda a: f"ONE if {a} > ZERO else (-ONE if {a} < ZERO else {a})",
    "sqrt": lambda a: f"FLOAT(np.sqrt({a}))",
}


Source = tuple[Mapping[str, ast.FunctionDef], Mapping[str, str]]


@cache
def word_source(dtype: str, prefix: str = "") -> Source:
    """The words of a dtype as syntax trees, and the source of its constants; their names begin with the prefix."""
    tree = _tree(dtype)
    functions = {**_borrowed(tree, dtype), **_functions(tree)}
    constants = dict(pair for node in tree.body if isinstance(node, ast.Assign) for pair in _pairs(node))
    borrowed = [
        a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names if a.asname == "wide"
    ]
    own = _Prefixed({*functions, *constants}, prefix)
    words = {prefix + name: own.visit(node) for name, node in functions.items()}
    numbers = {prefix + name: ast.unparse(own.visit(value)) for name, value in constants.items()}
    for other in borrowed:
        more_words, more_numbers = word_source(other, "wide_")
        words, numbers = {**words, **more_words}, {**numbers, **more_numbers}
    return words, numbers


def _tree(dtype: str) -> ast.Module:
    return ast.parse(resources.files(__package__).joinpath(f"{dtype}.py").read_text("utf-8"))


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _borrowed(tree: ast.Module, dtype: str) -> dict[str, ast.FunctionDef]:
    """The words that a module imports by name from another dtype's, in its own types."""
    found: dict[str, ast.FunctionDef] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{__package__}."):
            other = node.module.rsplit(".", 1)[1]
            bits = dtype.removeprefix("float"), other.removeprefix("float")
            there = _functions(_tree(other))
            for alias in node.names:
                text = ast.unparse(there[alias.name])
                for kind in ("float", "int"):
                    text = text.replace(f"np.{kind}{bits[1]}", f"np.{kind}{bits[0]}")
                found |= _functions(ast.parse(text))
    return found


def _pairs(node: ast.Assign) -> list[tuple[str, ast.expr]]:
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [(ast.unparse(t), v) for t, v in zip(target.elts, value.elts, strict=True)]
    return [(ast.unparse(target), value)]


class _Prefixed(ast.NodeTransformer):
    """Gives a module's own names a prefix, and ``wide.name`` the one that another dtype's words are printed with."""

    def __init__(self, names: set[str], prefix: str) -> None:
        self.names, self.prefix = names, prefix

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.prefix + node.id if node.id in self.names else node.id, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        borrowed = isinstance(node.value, ast.Name) and node.value.id == "wide"
        return ast.Name(f"wide_{node.attr}", ast.Load()) if borrowed else node


def known(dtype: str) -> set[str]:
    """The words that need not be replaced by their meaning."""
    return {*SPELLING, "power", *word_source(dtype)[0]}


@dataclass
class _Lines:
    """The statements of one straight run of code, and the functions and constants that they use."""

    functions: Mapping[str, ast.FunctionDef]
    prefix: str
    outer: _Lines | None = None
    known: dict[str, str] = field(default_factory=dict)
    negated: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        return [f"{name} = {source}" for source, name in self.known.items()]

    def assign(self, source: str) -> str:
        """The name of this value; equal expressions of equal values are one statement."""
        if source.isidentifier():
            return source
        source = _ABS.sub(lambda found: f"abs({self.negated.get(found[1], found[1])})", source)
        if self.outer is not None and source in self.outer.known:
            return self.outer.known[source]
        name = self.known.setdefault(source, f"{self.prefix}{len(self.known)}")
        if source[0] == "-" and source[1:].isidentifier():
            self.negated[name] = source[1:]
        return name

    def word(self, name: str, arguments: Sequence[str]) -> str:
        """The statements of a word's function on these arguments; returns where its result stands."""
        function = self.functions[name]
        place = dict(zip((a.arg for a in function.args.args), arguments, strict=True))
        for statement in function.body:
            if isinstance(statement, ast.Assign):
                values = {target: self.assign(self.source(value, place)) for target, value in _pairs(statement)}
                place.update(values)
            elif isinstance(statement, ast.Return) and statement.value is not None:
                return self.assign(self.source(statement.value, place))
        raise AssertionError(f"{name} returns nothing")

    def source(self, node: ast.expr, place: Mapping[str, str]) -> str:
        return ast.unparse(_Inlined(self, place).visit(deepcopy(node)))


class _Inlined(ast.NodeTransformer):
    """Renames a function's locals and puts the statements of the words that it calls before the one that calls them."""

    def __init__(self, body: _Lines, place: Mapping[str, str]) -> None:
        self.body, self.place = body, place

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.place.get(node.id, node.id), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.body.functions:
            return ast.Name(
                self.body.word(node.func.id, [self.body.assign(ast.unparse(a)) for a in node.args]), ast.Load()
            )
        return node


def _whole_power(body: _Lines, base: str, exponent: int) -> str:
    """A small whole power by squaring."""
    result, square, left = "", base, abs(exponent)
    while left:
        if left & 1:
            result = body.assign(f"{result} * {square}") if result else square
        left >>= 1
        if left:
            square = body.assign(f"{square} * {square}")
    return result if exponent > 0 else body.assign(f"ONE / {result}")


def _power(body: _Lines, node: Expr, place: Mapping[Expr, str]) -> str:
    base, exponent = place[node.args[0]], node.args[1].number
    if exponent is not None and float(exponent).is_integer() and 0 < abs(exponent) <= 16:
        return _whole_power(body, base, int(exponent))
    if exponent == 0.5:
        return body.assign(SPELLING["sqrt"](base))
    return body.word("power", [base, place[node.args[1]]])


@dataclass(frozen=True)
class Body:
    """Printed statements: what hyperparameters alone decide, what each example needs, and where each formula's value stands."""

    before: Sequence[str]
    inside: Sequence[str]
    results: Sequence[str]
    constants: Mapping[str, str]


@dataclass
class _Print:
    """What is known while formulas are printed: the code before the loop, the code in it, and where each part stands."""

    dtype: str
    load: Callable[[str], str]
    parameters: Sequence[str]
    before: _Lines
    inside: _Lines
    place: dict[Expr, str] = field(default_factory=dict)
    fixed: set[Expr] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)

    def leaf(self, node: Expr) -> str:
        number = node.number
        if number is not None:
            self.fixed.add(node)
            return self.constants.setdefault(f"np.{self.dtype}({float(number)!r})", f"C{len(self.constants)}")
        symbol = node.args[0]
        if symbol in self.parameters:
            self.fixed.add(node)
            return self.before.assign(f"parameters[{self.parameters.index(symbol)}]")
        return self.inside.assign(self.load(symbol))

    def part(self, node: Expr) -> str:
        assert node.word is not None
        fixed = all(argument in self.fixed for argument in node.args)
        if fixed:
            self.fixed.add(node)
        return _spell(self.before if fixed else self.inside, node, node.word, self.place)


def _spell(body: _Lines, node: Expr, word: Word, place: Mapping[Expr, str]) -> str:
    if word.name == "power":
        return _power(body, node, place)
    arguments = [place[a] for a in node.args]
    if word.name in SPELLING:
        return body.assign(SPELLING[word.name](*arguments))
    return body.word(word.name, arguments)


def body(formulas: Sequence[Expr], load: Callable[[str], str], parameters: Sequence[str], dtype: str) -> Body:
    """The statements that compute formulas for example ``i``; ``load`` says where a symbol that varies with it stands."""
    functions, constants = word_source(dtype)
    formulas = [spelled(expression(f), known(dtype)) for f in formulas]
    before = _Lines(functions, "f")
    state = _Print(dtype, load, parameters, before, _Lines(functions, "t", before))
    for node in nodes(*formulas):
        state.place[node] = state.leaf(node) if node.word is None else state.part(node)
    own = {name: value for value, name in state.constants.items()}
    return Body(before.lines, state.inside.lines, [state.place[f] for f in formulas], {**constants, **own})


def with_whole_exponents(formulas: Sequence[Expr], values: Mapping[str, float]) -> list[Expr]:
    """The formulas with hyperparameters that are small whole numbers put in where they are exponents.

    A power by multiplication costs a twentieth of one by logarithms; such a value has a kernel of its own.
    """
    exponents = [node.args[1] for node in nodes(*formulas) if node.word is power]
    small = {name: int(v) for name, v in values.items() if float(v).is_integer() and abs(v) <= 8}
    chosen = {name: small[name] for name in symbols(*exponents) if name in small}
    return [simplify(f, chosen) for f in formulas] if chosen else list(formulas)


def expanded(lines: Mapping[str, str], dtype: str) -> list[str]:
    """Named expressions as statements, with the words in them copied in."""
    state = _Lines(word_source(dtype)[0], f"{next(iter(lines), '')}_")
    for name, text in lines.items():
        source = state.source(ast.parse(text, mode="eval").body, {})
        state.known.setdefault(state.known.get(source, source), name)
    return state.lines


def module(title: str, signature: str, code: str, constants: Mapping[str, str]) -> str:
    """The source of a module with one compiled C function, ``run``, whose body is ``code``, and the constants it names."""
    used = names_of(code)
    typed = "\n".join(f"{name} = {value}" for name, value in constants.items() if name in used)
    arguments = ", ".join(f"{part.split(':')[0]}" for part in signature.split())
    kinds = ", ".join(_kind(part.split(":")[1]) for part in signature.split())
    return _MODULE.format(title=title, typed=typed, arguments=arguments, kinds=kinds, code=indented(code, 1))


def indented(code: str, levels: int) -> str:
    return "\n".join("    " * levels + line if line else "" for line in code.splitlines())


def _kind(name: str) -> str:
    return f"types.CPointer(types.{name[1:]})" if name.startswith("*") else f"types.{name}"


_MODULE = '''"""{title}"""
import math

import numpy as np
from numba import carray, cfunc, types

{typed}


@cfunc(types.void({kinds}), cache=CACHE, nopython=True, error_model="numpy", fastmath={{"contract"}})
def run({arguments}):
{code}
'''


def names_of(code: str) -> set[str]:
    """Every word of a piece of source that could be a name."""
    return set(_NAME.findall(code))


_NAME = re.compile(r"[A-Za-z_]\w*")
_ABS = re.compile(r"\babs\((\w+)\)")
