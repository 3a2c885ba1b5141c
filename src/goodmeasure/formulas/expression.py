"""Formulas: expressions that share their common parts, know exact identities, and can be differentiated.

An expression is a symbol, a number, or a word applied to expressions. Tracing a function with symbols gives the formula as it
was written; `simplify` rewrites it by identities that hold exactly and never cost accuracy (nothing is distributed or
reassociated); `derivative` is the chain rule over the words' own rows.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakValueDictionary

from goodmeasure.errors import FormulaError

Number: TypeAlias = int | float
Identity: TypeAlias = Callable[..., tuple["Expr", "Expr | int"]]


@dataclass(frozen=True, eq=False)
class Word:
    """One row of the vocabulary: how a word is differentiated, what it means, and how numbers fold through it.

    ``partials`` holds a function for each argument: the partial derivative, or None where the word is flat in it or a
    formula never varies it. A word that chooses among its arguments gives a ``slope(args, slopes)`` instead, so that what is
    not chosen cannot touch the result. ``book`` is its definition as a book prints it, which its numbers are held to. Where
    that form is not accurate over the whole range of floating-point numbers, ``meaning`` is the same in more elementary words
    that are. A word with neither is elementary, and every language spells it. ``fold`` computes it for constants,
    ``positive`` says that its values are above zero, and ``holds`` that derivatives take what it stands on for a constant.
    ``rise`` is the slope of x times the word of x, over the word: of a word where the two terms of that slope cancel.
    """

    name: str
    partials: tuple[Callable[..., Any] | None, ...]
    meaning: Callable[..., Any] | None = None
    book: Callable[..., Any] | None = None
    fold: Callable[..., Any] | None = None
    slope: Callable[[tuple[Expr, ...], list[Expr]], Expr] | None = None
    positive: bool = False
    holds: bool = False
    rise: Callable[..., Any] | None = None
    rules: list[tuple[Expr, Expr, tuple[str, ...]]] = field(default_factory=list, repr=False)

    def __call__(self, *args: Operand) -> Expr:
        """This word applied to expressions, exactly as written."""
        if len(args) != len(self.partials):
            raise FormulaError(
                f"{self.name} takes {len(self.partials)} arguments and was given {len(args)}",
                fix=f"write {self.name}({', '.join('abcdef'[: len(self.partials)])})",
            )
        return _interned(self, tuple(expression(a) for a in args))


class Expr:
    """A formula as a tree of words, symbols and numbers.

    Equal expressions are one object, so identity is equality and common parts are shared.

    Attributes:
        word: what is applied; None for a symbol or a number.
        args: what it is applied to; of a symbol its name, of a number its value.

    Raises:
        GM001: Python asked whether a formula is true, as ``if`` and ``and`` do.

    Example:
        >>> import goodmeasure as gm
        >>> gm.losses.squared_error().book
        (y - mu)**2
    """

    __slots__ = ("__weakref__", "args", "word")
    word: Word | None
    args: tuple[Any, ...]

    def __add__(self, other: Operand) -> Expr:
        return add(self, other)

    def __radd__(self, other: Operand) -> Expr:
        return add(other, self)

    def __sub__(self, other: Operand) -> Expr:
        return sub(self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return sub(other, self)

    def __mul__(self, other: Operand) -> Expr:
        return mul(self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return mul(other, self)

    def __truediv__(self, other: Operand) -> Expr:
        return div(self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return div(other, self)

    def __pow__(self, other: Operand) -> Expr:
        return power(self, other)

    def __rpow__(self, other: Operand) -> Expr:
        return power(other, self)

    def __neg__(self) -> Expr:
        return neg(self)

    def __abs__(self) -> Expr:
        return magnitude(self)

    def __lt__(self, other: Operand) -> Expr:
        return less(self, other)

    def __le__(self, other: Operand) -> Expr:
        return less_equal(self, other)

    def __gt__(self, other: Operand) -> Expr:
        return less(other, self)

    def __ge__(self, other: Operand) -> Expr:
        return less_equal(other, self)

    def __eq__(self, other: object) -> bool:
        # Whether two formulas are one is asked everywhere; whether one equals a number is what a formula cannot know.
        if isinstance(other, int | float):
            raise FormulaError(
                f"a formula cannot ask whether {self} equals {other}",
                seen="== or != between a symbol and a number",
                fix=f"write where({self} <= {other}, a, b), or where(abs({self} - {other}) <= 0, a, b)",
            )
        return self is other

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...

    else:
        __hash__ = object.__hash__  # which formulas ask for all the time, and a function of Python is slower

    def __bool__(self) -> bool:
        raise FormulaError(
            f"Python asked whether {self} is true, and a formula cannot know",
            seen="an if, and, or, not, min, max or a chained comparison on a symbol",
            fix="write where(condition, a, b), minimum(a, b) or maximum(a, b)",
        )

    def __float__(self) -> float:
        raise FormulaError(
            f"{self} was turned into a Python number inside a formula",
            seen="a function of math, NumPy or a framework was called on a symbol",
            fix="take the function from goodmeasure.words, for example: from goodmeasure.words import log",
        )

    def __int__(self) -> int:
        return int(float(self))

    __index__ = __int__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python and notebooks ask of every object
            raise AttributeError(name)
        raise FormulaError(
            f"{name} is not a word of formulas",
            seen=f"{self}.{name}",
            fix="use arithmetic and the functions of goodmeasure.words",
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.__float__()

    @property
    def is_symbol(self) -> bool:
        """Whether it is a name whose value is not known yet."""
        return self.word is None and isinstance(self.args[0], str)

    @property
    def number(self) -> Number | None:
        """The value of a constant, None for anything else."""
        return None if self.word is not None or isinstance(self.args[0], str) else self.args[0]

    def __repr__(self) -> str:
        return text(self)


Operand: TypeAlias = Expr | int | float
_known: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def _interned(word: Word | None, args: tuple[Any, ...]) -> Expr:
    # 0.0 and -0.0, 1 and 1.0 compare equal but are different constants.
    key = (word, *((type(a), str(a)) if word is None else id(a) for a in args))
    found = _known.get(key)
    if found is None:
        found = object.__new__(Expr)
        found.word, found.args = word, args
        _known[key] = found
    return found


def symbol(name: str, *, positive: bool = False) -> Expr:
    """The symbol of this name, known to be above zero or not."""
    return _interned(None, (name, "positive") if positive else (name,))


def expression(value: Operand) -> Expr:
    """An expression as it is, a Python number as a constant."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormulaError(
            f"{value!r} cannot stand in a formula",
            seen=f"a value of type {type(value).__name__}",
            fix="use Python numbers, the function's own parameters, and the functions of goodmeasure.words",
        )
    return _interned(None, (value,))


# --- arithmetic, which is the syntax of formulas; all other words stand under words.py ---------------------------------

add: Word = Word("add", (lambda a, b: 1, lambda a, b: 1), fold=lambda a, b: a + b)
sub: Word = Word("sub", (lambda a, b: 1, lambda a, b: -1), fold=lambda a, b: a - b)
mul: Word = Word("mul", (lambda a, b: b, lambda a, b: a), fold=lambda a, b: a * b)
div: Word = Word("div", (lambda a, b: 1 / b, lambda a, b: -(a / b) / b), fold=lambda a, b: a / b)
neg: Word = Word("neg", (lambda a: -1,), fold=lambda a: -a)
less: Word = Word("less", (None, None), fold=lambda a, b: int(a < b))
less_equal: Word = Word("less_equal", (None, None), fold=lambda a, b: int(a <= b))
sign: Word = Word("sign", (lambda x: 0,), fold=lambda x: (x > 0) - (x < 0))
magnitude: Word = Word("abs", (sign,), fold=abs)
log: Word = Word("log", (lambda x: 1 / x,))


def _power_slope(args: tuple[Expr, ...], slopes: list[Expr]) -> Expr:
    (base, exponent), (of_base, of_exponent) = args, slopes
    signed, factor = (-1, of_base.args[0]) if of_base.word is neg else (1, of_base)
    rest = [b for a, b in (factor.args, factor.args[::-1]) if a is base] if factor.word is mul else []
    # Where the base is a factor of its own slope (as for exp and sigmoid) dividing by it first could be 0 * inf.
    by_base = signed * (exponent * (base**exponent * rest[0])) if rest else exponent * base ** (exponent - 1) * of_base
    return by_base if of_exponent.number == 0 else by_base + base**exponent * log(base) * of_exponent


def _raised(base: Number, exponent: Number) -> Any:
    """A power of numbers; one of large whole numbers would have more digits than memory, and is no number here."""
    return base**exponent if abs(exponent) <= 1100 else float(base) ** exponent


power: Word = Word("power", (None, None), fold=_raised, slope=_power_slope)


# --- walking ---------------------------------------------------------------------------------------------------------


def nodes(*roots: Expr, known: Container[Expr] = ()) -> list[Expr]:
    """Every part of the expressions once, arguments before what uses them; not those that are known, nor theirs."""
    seen: dict[Expr, None] = {}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node in seen or node in known:
            continue
        if ready or node.word is None:
            seen[node] = None
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))
    return list(seen)


def symbols(*roots: Expr) -> set[str]:
    """The names of the symbols in the expressions."""
    return {node.args[0] for node in nodes(*roots) if node.is_symbol}


def _rebuild(
    root: Expr,
    make: Callable[[Word, tuple[Expr, ...]], Expr],
    leaves: Mapping[str, Expr],
    done: dict[Expr, Expr] | None = None,
) -> Expr:
    """The expression made anew from its leaves up; ``done`` holds what was made before, and what is made now."""
    done = {} if done is None else done
    for node in nodes(root, known=done):
        if node.word is not None:
            done[node] = make(node.word, tuple(done[a] for a in node.args))
        else:
            done[node] = leaves.get(node.args[0], node) if node.is_symbol else node
    return done[root]


def substitute(root: Expr, leaves: Mapping[str, Operand]) -> Expr:
    """The expression with symbols replaced, and nothing else changed."""
    return _rebuild(root, lambda word, args: word(*args), {k: expression(v) for k, v in leaves.items()})


def spelled(root: Expr, known: Container[str], *, as_in_books: bool = False) -> Expr:
    """The expression in the words of a language: a word that it does not know is replaced by its meaning, or as in books."""

    def make(word: Word, args: tuple[Expr, ...]) -> Expr:
        if word.name in known:
            return word(*args)
        return spelled(expression(_explanation(word, as_in_books)(*args)), known, as_in_books=as_in_books)

    return _rebuild(root, make, {})


def _explanation(word: Word, as_in_books: bool) -> Callable[..., Any]:
    """What stands for a word that a language does not spell."""
    found = word.book if as_in_books else word.meaning or word.book
    if found is None:
        lacks = "book form, so nothing says what its numbers should be" if as_in_books else "meaning in simpler words"
        raise FormulaError(
            f"the word {word.name} has no {lacks}",
            seen="a language that does not spell it by itself",
            fix=f"Word({word.name!r}, ..., book=lambda x: ...)",
        )
    return found


# --- exact identities ------------------------------------------------------------------------------------------------


def identity(rule: Identity, *, positive: tuple[str, ...] = ()) -> Identity:
    """Teach the words an exact identity, written as a function that returns its two sides: ``lambda x: (left, right)``.

    It is used only where the parts named in ``positive`` are known to be above zero.
    """
    left, right = rule(*(symbol(name) for name in inspect.signature(rule).parameters))
    assert left.word is not None
    left.word.rules.append((left, expression(right), positive))
    _candidates.cache_clear()
    return rule


def is_positive(node: Expr) -> bool:
    """Whether an expression is above zero whatever its symbols are, as far as its words tell."""
    if node.word is None:
        return "positive" in node.args or (node.number is not None and node.number > 0)
    if node.word in (add, mul, div):
        return all(map(is_positive, node.args))
    return is_positive(node.args[0]) if node.word is power else node.word.positive


def _match(pattern: Expr, node: Expr, found: dict[str, Expr]) -> bool:
    if pattern.word is not None:
        return pattern.word is node.word and all(map(_match, pattern.args, node.args, repeat(found)))
    if pattern.is_symbol:
        return found.setdefault(pattern.args[0], node) is node
    return node.number is not None and float(node.number) == float(pattern.args[0])


@lru_cache(maxsize=10_000)
def _candidates(word: Word, heads: tuple[Word | Number | None, ...]) -> list[tuple[Expr, Expr, tuple[str, ...]]]:
    """The identities of a word that may hold where its arguments begin so: most never do, and need not be tried."""
    return [rule for rule in word.rules if all(map(_may_be, rule[0].args, heads))]


def _may_be(pattern: Expr, head: Word | Number | None) -> bool:
    return pattern.is_symbol or (pattern.word or pattern.number) == head


def _folded(word: Word, args: tuple[Expr, ...]) -> Expr | None:
    numbers = [a.number for a in args]
    if word.fold is None or any(n is None for n in numbers):
        return None
    try:
        value = word.fold(*numbers)
        return expression(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except (ZeroDivisionError, OverflowError):
        return None


def _simpler(word: Word, args: tuple[Expr, ...]) -> Expr:
    folded = _folded(word, args)
    if folded is not None:
        return folded
    if word.holds and args[0].word is not None:  # a whole is held where its symbols are: identities reach into it
        inner, parts = args[0].word, args[0].args
        return args[0] if inner is word else _simpler(inner, tuple(_simpler(word, (part,)) for part in parts))
    node = word(*args)
    for left, right, positive in _candidates(word, tuple(a.word or a.number for a in args)):
        found: dict[str, Expr] = {}
        if _match(left, node, found) and all(is_positive(found[name]) for name in positive):
            return simplify(right, found)
    return node


def simplify(root: Expr, leaves: Mapping[str, Operand] | None = None) -> Expr:
    """The expression with symbols replaced and exact identities applied from the inside out."""
    return _rebuild(root, _simpler, {k: expression(v) for k, v in (leaves or {}).items()})


def replaced(root: Expr, part: Expr, by: Expr) -> Expr:
    """The expression with one of its parts replaced, simplified."""

    def make(word: Word, args: tuple[Expr, ...]) -> Expr:
        return by if word is part.word and args == part.args else _simpler(word, args)

    return _rebuild(root, make, {})


def with_parts(root: Expr, parts: Mapping[Expr, Expr]) -> Expr:
    """The expression with parts replaced, and nothing else changed."""
    return _rebuild(root, lambda word, args: word(*args), {}, dict(parts))


def released(root: Expr) -> Expr:
    """The expression with nothing held: as its value is, whatever its derivative takes for a constant."""
    if not any(node.word is not None and node.word.holds for node in nodes(root)):
        return root
    return _rebuild(root, lambda word, args: args[0] if word.holds else _simpler(word, args), {})


def decided(root: Expr, known: Mapping[str, Any]) -> Expr:
    """The expression with those choices made that the known numbers alone decide; what differs by label decides none."""
    numbers = {name: value for name, value in known.items() if not isinstance(value, tuple)}

    def make(word: Word, args: tuple[Expr, ...]) -> Expr:
        if word.name == "where" and symbols(args[0]) <= numbers.keys():
            holds = simplify(args[0], numbers).number
            if holds is not None:
                return args[1] if holds else args[2]
        return word(*args)

    return _rebuild(root, make, {})


# --- derivatives -----------------------------------------------------------------------------------------------------


def derivative(root: Expr, name: str) -> Expr:
    """The derivative with respect to a symbol, simplified.

    At a kink it is one of the one-sided derivatives or, for an absolute value, zero.
    """
    slopes: dict[Expr, Expr] = {}
    simpler: dict[Expr, Expr] = {}  # slopes share most of their parts
    for node in nodes(root):
        if node.word is None:
            slopes[node] = expression(int(node.is_symbol and node.args[0] == name))
        else:
            slopes[node] = _rebuild(chained(node, slopes), _simpler, {}, simpler)
    return slopes[root]


def chained(node: Expr, slopes: Mapping[Expr, Expr]) -> Expr:
    """The slope of a word by those of its arguments: the chain rule over its row."""
    word = node.word
    assert word is not None
    if word.slope is not None:
        return word.slope(node.args, [slopes[a] for a in node.args])
    if word is mul and (grown := _grown(node, slopes)) is not None:
        return grown
    total = expression(0)
    for partial, arg in zip(word.partials, node.args, strict=True):
        if partial is not None and slopes[arg].number != 0:
            total = total + expression(partial(*node.args)) * slopes[arg]
    return total


def _grown(node: Expr, slopes: Mapping[Expr, Expr]) -> Expr | None:
    """The slope of w(u) times the growth of u, where u is an exponential and a constant; None for anything else.

    The growth g is u less that constant, so the slope is that of u * w(u), in which nothing cancels, and a multiple of the
    constant.
    """
    factor, growth = node.args
    times, pull = factor.args if factor.word is mul else (None, factor)
    if pull.word is None or pull.word.rise is None or slopes[growth] is not growth:
        return None
    inner, *others = pull.args
    fixed = all(slopes[part].number == 0 for part in (*others, *([] if times is None else [times])))
    exponentials = {part: expression(0) for part in nodes(inner) if slopes[part] is part and part.word is not None}
    if not fixed or not exponentials or slopes[inner] not in (growth, -growth):
        return None
    constant, slope = with_parts(inner, exponentials), pull.word.partials[0]
    assert slope is not None
    rest = growth * (constant * expression(slope(*pull.args)))
    return node * expression(pull.word.rise(*pull.args)) - (rest if times is None else times * rest)


# --- writing and reading ---------------------------------------------------------------------------------------------

_INFIX = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2), "power": ("**", 4), "less": ("<", 0)}
_INFIX["less_equal"] = ("<=", 0)


def _precedence(node: Expr) -> int:
    if node.word is None:
        return 9 if node.is_symbol or node.args[0] >= 0 else 3
    return 3 if node.word is neg else _INFIX.get(node.word.name, ("", 9))[1]


def text(node: Expr) -> str:
    """The expression as Python writes it."""
    if node.word is None:
        return str(node.args[0])
    if node.word is neg:
        return "-" + _bracketed(node.args[0], 3)
    if node.word.name in _INFIX:
        mark, level = _INFIX[node.word.name]
        left, right = node.args
        spaced = mark if mark in ("*", "/", "**") else f" {mark} "
        bind = (level + 1, level) if mark == "**" else (level, level + 1)
        return f"{_bracketed(left, bind[0])}{spaced}{_bracketed(right, bind[1])}"
    return f"{node.word.name}({', '.join(map(text, node.args))})"


def _bracketed(node: Expr, level: int) -> str:
    return f"({text(node)})" if _precedence(node) < level else text(node)
