"""Prints formulas as the source of one compiled function: a loop over a fixed number of examples without a branch or a call.

Words are copied in from :mod:`float32` or :mod:`float64`, statement by statement, so that one function reaches the compiler,
which sees and shares the common parts. What is printed is the part of Python that :mod:`lowering` takes. Constants are typed,
parts that the hyperparameters alone decide stand before the loop, and every name in the source is defined in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import chain
from typing import NamedTuple

from goodmeasure.formulas.expression import Expr, Word, expression, nodes, power, simplify, spelled, symbols

# How the source spells the elementary words. A name in capitals is a typed constant of the words' modules; what is not
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


class Recipe(NamedTuple):
    """How expressions are computed, as texts in which {0}, {1}, ... stand for what was given and then for each step's result.

    A step is a text to give a name, or the name of a word with the numbers of its arguments.
    """

    steps: Sequence[tuple[str, Sequence[int] | None]]
    result: str


class Words:
    """The words of a dtype, each read when it is first used, and the source of their constants; names begin with the prefix."""

    def __init__(self, dtype: str, prefix: str = "") -> None:
        own = _module(dtype)
        functions = {**_borrowed(own, dtype), **own.functions}
        self._text = {prefix + name: text for name, text in functions.items()}
        self._names = {name: prefix + name for name in (*functions, *own.constants)}
        self._wide = [Words(other, "wide_") for other in own.wide]
        self._recipes: dict[str, Recipe] = {}
        self._expressions: dict[str, Recipe] = {}
        self.constants = {prefix + name: self._renamed(text) for name, text in own.constants.items()}
        for other in self._wide:
            self.constants |= other.constants

    def __contains__(self, name: str) -> bool:
        return name in self._text or any(name in other for other in self._wide)

    def __iter__(self) -> Iterator[str]:
        return chain(self._text, *self._wide)

    def recipe(self, name: str) -> Recipe:
        """The statements of a word's function, its arguments first."""
        if name not in self._text:
            return next(other.recipe(name) for other in self._wide if name in other)
        if name not in self._recipes:
            (function,) = ast.parse(self._text[name]).body
            assert isinstance(function, ast.FunctionDef)
            self._recipes[name] = self._reader([a.arg for a in function.args.args]).function(function)
        return self._recipes[name]

    def expression(self, text: str) -> Recipe:
        """The statements of an expression of names that stand for themselves."""
        if text not in self._expressions:
            self._expressions[text] = self._reader().expression(ast.parse(text, mode="eval").body)
        return self._expressions[text]

    def _reader(self, given: Sequence[str] = ()) -> _Reader:
        return _Reader(self, self._names, given)

    def _renamed(self, text: str) -> str:
        return _FREE_NAME.sub(lambda found: self._names.get(found[0], found[0]), text)


word_source = cache(Words)


class _Module(NamedTuple):
    """The source of a module's functions and constants, and what it imports from other dtypes' modules."""

    functions: Mapping[str, str]
    constants: Mapping[str, str]
    borrowed: Sequence[tuple[str, str]]
    wide: Sequence[str]


@cache
def _module(dtype: str) -> _Module:
    text = resources.files(__package__).joinpath(f"{dtype}.py").read_text("utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    imported = [(node.module or "", a) for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names]
    inside = f"{__package__}."
    return _Module(
        {f.name: "\n".join(lines[f.lineno - 1 : f.end_lineno]) for f in functions},
        {name: ast.unparse(v) for node in tree.body if isinstance(node, ast.Assign) for name, v in _pairs(node)},
        [(module.removeprefix(inside), a.name) for module, a in imported if module.startswith(inside)],
        [a.name for _, a in imported if a.asname == "wide"],
    )


def _borrowed(own: _Module, dtype: str) -> dict[str, str]:
    """The words that a module imports by name from another dtype's, in its own types."""
    found: dict[str, str] = {}
    for other, name in own.borrowed:
        text, bits = _module(other).functions[name], (other.removeprefix("float"), dtype.removeprefix("float"))
        for kind in ("float", "int"):
            text = text.replace(f"np.{kind}{bits[0]}", f"np.{kind}{bits[1]}")
        found[name] = text
    return found


def _pairs(node: ast.Assign) -> list[tuple[str, ast.expr]]:
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [(ast.unparse(t), v) for t, v in zip(target.elts, value.elts, strict=True)]
    return [(ast.unparse(target), value)]


class _Reader(ast.NodeTransformer):
    """Reads expressions as a recipe: locals become numbers, and each word that is called a step before the one that calls it.

    A module's own names get its prefix, and ``wide.name`` the one that another dtype's words are printed with.
    """

    def __init__(self, words: Words, names: Mapping[str, str], given: Sequence[str]) -> None:
        self.words, self.given = words, len(given)
        self.place = {**names, **{name: f"{{{i}}}" for i, name in enumerate(given)}}
        self.steps: list[tuple[str, Sequence[int] | None]] = []

    def function(self, node: ast.FunctionDef) -> Recipe:
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                pairs = [(target, self.step(self.written(value))) for target, value in _pairs(statement)]
                self.place.update((target, f"{{{number}}}") for target, number in pairs)
            elif isinstance(statement, ast.Return) and statement.value is not None:
                return self.expression(statement.value)
        raise AssertionError(f"{node.name} returns nothing")

    def expression(self, node: ast.expr) -> Recipe:
        result = self.written(node)
        return Recipe(self.steps, result)

    def written(self, node: ast.expr) -> str:
        return ast.unparse(self.visit(node))

    def step(self, text: str, arguments: Sequence[int] | None = None) -> int:
        """The number of the result of one more step."""
        self.steps.append((text, arguments))
        return self.given + len(self.steps) - 1

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.place.get(node.id, node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        borrowed = isinstance(node.value, ast.Name) and node.value.id == "wide"
        return ast.Name(f"wide_{node.attr}", ast.Load()) if borrowed else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.words:
            arguments = [self.step(ast.unparse(a)) for a in node.args]
            return ast.Name(f"{{{self.step(node.func.id, arguments)}}}", ast.Load())
        return node


@cache
def known(dtype: str) -> frozenset[str]:
    """The words that need not be replaced by their meaning."""
    return frozenset({*SPELLING, "power", *word_source(dtype)})


@dataclass
class _Lines:
    """The statements of one straight run of code, and the words that they use."""

    words: Words
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
        return self.assign(self.source(self.words.recipe(name), arguments))

    def source(self, recipe: Recipe, arguments: Sequence[str] = ()) -> str:
        """The statements of a recipe's steps; returns its result as source."""
        place = list(arguments)
        for text, given in recipe.steps:
            place.append(
                self.assign(text.format(*place)) if given is None else self.word(text, [place[i] for i in given])
            )
        return recipe.result.format(*place)


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
    words = word_source(dtype)
    formulas = [spelled(expression(f), known(dtype)) for f in formulas]
    before = _Lines(words, "f")
    state = _Print(dtype, load, parameters, before, _Lines(words, "t", before))
    for node in nodes(*formulas):
        state.place[node] = state.leaf(node) if node.word is None else state.part(node)
    own = {name: value for value, name in state.constants.items()}
    return Body(before.lines, state.inside.lines, [state.place[f] for f in formulas], {**words.constants, **own})


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
    words = word_source(dtype)
    state = _Lines(words, f"{next(iter(lines), '')}_")
    for name, text in lines.items():
        source = state.source(words.expression(text))
        state.known.setdefault(state.known.get(source, source), name)
    return state.lines


def module(title: str, signature: str, code: str, constants: Mapping[str, str]) -> str:
    """The source of one function, ``run``, whose body is ``code``, after the constants it names."""
    used = names_of(code)
    typed = "\n".join(f"{name} = {value}" for name, value in constants.items() if name in used)
    arguments = ", ".join("{}: '{}'".format(*part.split(":")) for part in signature.split())
    return _MODULE.format(title=title, typed=typed, arguments=arguments, code=indented(code, 1))


def indented(code: str, levels: int) -> str:
    return "\n".join("    " * levels + line if line else "" for line in code.splitlines())


_MODULE = """# {title}
{typed}


def run({arguments}):
{code}
"""


def names_of(code: str) -> set[str]:
    """Every word of a piece of source that could be a name."""
    return set(_NAME.findall(code))


_NAME = re.compile(r"[A-Za-z_]\w*")
_FREE_NAME = re.compile(rf"(?<![\w.]){_NAME.pattern}")  # not one of an attribute, nor the exponent of a number
_ABS = re.compile(r"\babs\((\w+)\)")
