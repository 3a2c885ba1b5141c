"""How goodmeasure says what went wrong: a stable code, what, where, what was seen, and one line that fixes it.

Every problem has a class of its own, whose docstring is the page that ``goodmeasure explain CODE`` prints. Classes derive
from what a host would expect (``ValueError``, ``TypeError``), so that ordinary ``except`` clauses keep working.
"""

from __future__ import annotations

import re
from collections import Counter, abc
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, reduce, wraps
from inspect import getattr_static, signature
from numbers import Integral, Real
from operator import or_
from os import PathLike
from pathlib import Path
from reprlib import Repr
from types import FunctionType, NoneType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    ClassVar,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

P = ParamSpec("P")
R = TypeVar("R")
Kind = TypeVar("Kind", bound=type)


class Problem(Exception):
    """Something that goodmeasure refuses to compute with, and how to mend it.

    The arguments are sentences without a code: ``what`` happened, ``where``, what was ``seen``, and a ``fix`` that can be
    run or typed as it stands.
    """

    code: ClassVar[str] = "GM000"
    exit_status: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", seen: str = "", fix: str = "") -> None:
        super().__init__(what, where, seen, fix)
        self.what, self.where, self.seen, self.fix = what, where, seen, fix

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.seen, self.fix)

    def lines(self) -> list[tuple[str, str]]:
        """The labelled lines below the first one, in the order in which they are read."""
        return [(label, text) for label in ("where", "seen", "fix") if (text := getattr(self, label))]

    def __str__(self) -> str:
        return "\n".join([f"{self.code} {self.what}", *(f"  {label:6}{text}" for label, text in self.lines())])


def _rebuild(kind: type[Problem], what: str, where: str, seen: str, fix: str) -> Problem:
    return kind(what, where=where, seen=seen, fix=fix)


class FormulaError(Problem, TypeError):
    """A formula used something that is not in the vocabulary.

    A loss is traced: its function is called once with symbols, and what it returns is the formula. So it may only use
    goodmeasure's words (``log``, ``where``, ``maximum``, ...) and arithmetic, and no Python ``if`` on a symbol. Write
    ``where(condition, a, b)`` for a choice, and take functions from ``goodmeasure.words`` rather than from ``math`` or NumPy.
    """

    code = "GM001"


class HyperparameterError(Problem, ValueError):
    """A hyperparameter lies outside its domain, or the loss has none of that name.

    Each hyperparameter of a loss says which values make it a loss: a Huber delta is positive, a quantile level lies
    strictly between 0 and 1. The error names the allowed set.
    """

    code = "GM002"


class ShapeMismatch(Problem, ValueError):
    """The target and the raw output do not have matching shapes.

    Shapes never broadcast here: ``(N, 1)`` against ``(N,)`` would silently become an ``(N, N)`` table of mixed pairs, and
    its mean is a number that looks like a loss. Make the shapes equal with ``z[:, 0]``, ``z.squeeze(-1)`` or ``y[:, None]``.
    """

    code = "GM003"


class TargetOutsideDomain(Problem, ValueError):
    """A target lies outside the domain of the loss.

    A count is a whole number, a positive amount is above zero, a class index lies between 0 and K - 1, and NaN is in no
    domain. Give rows that should not count a ``mask=`` or a weight of zero; mend the others.
    """

    code = "GM004"


class NothingToAverage(Problem, ValueError):
    """A mean over no examples was asked for: everything is masked, weighted zero, or there are no rows.

    The mean of nothing has no value. Check the mask and the weights, or take ``loss.total(...)``, whose sum and weight
    of an empty part are both zero and merge with other parts exactly.
    """

    code = "GM005"


class WeightError(Problem, ValueError):
    """Weights must be finite, not negative, and one for each example.

    A weight says how many examples a row stands for, or how much it matters; a negative or infinite one has no such meaning.
    """

    code = "GM006"


class NoSuchReading(Problem, ValueError):
    """This loss does not have the reading that was asked for.

    The hinge loss, for example, implies no probability: its best raw output is the same for every probability above one
    half. The error says which losses have the reading.
    """

    code = "GM007"


class NoSuchLoss(Problem, AttributeError, LookupError):
    """No loss of the catalogue has this name, and nobody is known to call one so.

    Losses are found by their own names and by what people call them (mse, mae, bce, ...). ``goodmeasure losses`` lists
    them all with what each asks for; a loss of your own is a function under ``@goodmeasure.loss``.
    """

    code = "GM011"
    exit_status = 2


class NothingToLearn(Problem, ValueError):
    """Every target has the same value, or only one class occurs.

    Nothing separates the rows, so no loss can tell a good model from a constant one. Check the filter that made the
    table; for a rare event, include the rows in which it did not happen.
    """

    code = "GM602"


class MissingExtra(Problem, ImportError):
    """A framework that this function needs is not installed.

    Each framework is an extra of the package, so that nobody installs what they do not use.
    """

    code = "GM008"
    exit_status = 2


class UsageError(Problem, ValueError, TypeError):
    """A command or function was called with arguments that it does not know or that do not fit together.

    The message names the argument, what was given, and what it takes; of a misspelt one it names the nearest that exists.
    """

    code = "GM009"
    exit_status = 2


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names that a misspelt one may stand for, at most three, the closest first."""
    return get_close_matches(name, list(known))


# What other libraries call an argument.
ELSEWHERE = {
    "weight": "sample_weight",
    "weights": "sample_weight",
    "groups": "cluster",
    "confidence": "level",
    "random_state": "seed",
    "y_true": "y",
    "y_pred": "prediction",
}


def check_keywords(given: Iterable[object], known: Iterable[str], function: str, *, where: str = "") -> None:
    """Refuse the first keyword that a function does not take, and name the nearest one that it does. Error: GM009."""
    names = list(known)
    for name in map(str, given):
        if name not in names:
            shown = name if name.isidentifier() else repr(name)  # it may hold the escape codes of a terminal
            close = [other for other in [ELSEWHERE.get(name)] if other in names] or nearest(name, names)
            raise UsageError(
                f"{function} takes no {shown}=",
                where=where,
                seen=f"it takes {', '.join(names) or 'no keywords'}",
                fix=f"{function}(..., {close[0]}=...)" if close else f"{function}(...) without {shown}=",
            )


def strict_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Make a keyword or value that a function does not take a usage error that names the nearest one. Error: GM009."""
    return _strict(function, function.__name__)


def strict_class(kind: Kind) -> Kind:
    """Hold the making of a class and its own public methods to what `strict_keywords` asks of a function."""
    # What __init__ is inherited is held here too, under the name of this class. An estimator of scikit-learn takes whatever it
    # is made with, and looks at it when it fits.
    members = {"__init__": getattr_static(kind, "__init__"), **vars(kind)}
    names = {"__init__": kind.__name__, "__call__": kind.__name__.lower()}
    for name, member in members.items():
        if not name.startswith("_") or name in names:
            if isinstance(member, FunctionType):
                looks = name != "__init__" or not hasattr(kind, "get_params")
                setattr(kind, name, _strict(member, names.get(name, name), values=looks))
            elif isinstance(member, staticmethod):
                setattr(kind, name, staticmethod(_strict(member.__func__, name)))
    return kind


def _strict(function: Callable[P, R], name: str, *, values: bool = True) -> Callable[P, R]:
    parameters = signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return function  # it says by itself which it knows
    # In the order of the signature: a message lists them.
    known = dict.fromkeys(p.name for p in parameters if p.name != "self")
    order = [p.name for p in parameters]

    @wraps(function)
    def strict(*given: P.args, **named: P.kwargs) -> R:
        if named:
            check_keywords(named, known, name)
        if values and (kinds := _kinds(function)):
            _check_values(kinds, {**dict(zip(order, given, strict=False)), **named}, name)
        return function(*given, **named)

    return strict


# --- what an argument may be: read off its annotation ---


@dataclass(frozen=True)
class _Kind:
    """What an argument may be: one of some words, or an instance of some types, whose numbers lie in a domain."""

    words: tuple[object, ...] = ()
    types: tuple[type, ...] = ()
    domain: Container[float] | None = None

    def __or__(self, other: _Kind) -> _Kind:
        return _Kind(self.words + other.words, self.types + other.types, self.domain or other.domain)

    def takes(self, value: object) -> bool:
        if isinstance(value, str | int) and value in self.words:
            return True
        if not isinstance(value, self.types):
            return False
        if isinstance(value, Real) and self.domain is not None:
            return _is_double(value) and value in self.domain
        return not isinstance(value, Real) or float not in self.types or _is_double(value)

    def __str__(self) -> str:
        # A class of our own may say what people call it.
        called = (getattr(each, "_called", _NAMES.get(each, f"a {each.__name__}")) for each in self.types)
        shown = [name for each, name in zip(self.types, called, strict=True) if each not in (Real, Integral)]
        if self.domain is not None:
            shown = [str(self.domain), *(each for each in shown if each not in (_NAMES[float], _NAMES[int]))]
        return " or ".join([*map(repr, self.words), *shown])


# Types of plain values, with those that stand for them: a NumPy integer is a whole number too.
_PLAIN: dict[type, tuple[type, ...]] = {
    float: (float, Real),
    int: (int, Integral),
    bool: (bool,),
    str: (str,),
    bytes: (bytes, bytearray),
}
_NAMES: dict[type, str] = {
    float: "a number",
    int: "a whole number",
    bool: "True or False",
    str: "a text",
    bytes: "bytes",
    list: "a list",
    tuple: "a tuple",
    dict: "a dictionary",
    NoneType: "None",
    PathLike: "a path",
    abc.Callable: "a function",  # type: ignore[dict-item]
}


@cache
def _kinds(function: Callable[..., object]) -> dict[str, _Kind]:
    """What each argument of a function may be, where its annotation says so in words that are known here."""
    parameters = signature(function).parameters.values()
    found = {p.name: _kind(_meaning(p.annotation, function)) for p in parameters}
    return {name: kind for name, kind in found.items() if kind is not None}


def _meaning(annotation: object, function: Callable[..., object]) -> object:
    """What an annotation stands for; what is imported for type checkers alone stands for nothing here."""
    try:
        held = SimpleNamespace(__annotations__={"it": annotation})
        found = get_type_hints(held, getattr(function, "__globals__", {}), include_extras=True)["it"]
    except NameError:
        return None
    return _meaning(found.__bound__, function) if isinstance(found, TypeVar) else found


def _kind(annotation: object) -> _Kind | None:
    """The kind that an annotation names; None where it leaves open what it takes, as arrays do."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        each = [_kind(part) for part in parts]
        return None if None in each else reduce(or_, each)
    if origin is Literal:
        return _Kind(words=parts)
    if origin is Annotated:
        inside = _kind(parts[0])
        domains = [part for part in parts[1:] if isinstance(part, Container)]
        return inside and replace(inside, domain=domains[0]) if domains else inside
    if origin in (abc.Callable, PathLike, list, tuple, dict):
        return _Kind(types=(origin,))
    if annotation in _PLAIN:
        return _Kind(types=_PLAIN[annotation])
    # A protocol says what is done with a value, and not what it is.
    ours = getattr(annotation, "__module__", "").startswith("goodmeasure.") and not getattr(
        annotation, "_is_protocol", False
    )
    return _Kind(types=(annotation,)) if isinstance(annotation, type) and (ours or annotation is NoneType) else None


def _check_values(kinds: dict[str, _Kind], given: Mapping[str, object], function: str) -> None:
    """Refuse the first argument that is not what its annotation says. Error: GM009."""
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is not None and not (kind.takes(value) or kind.takes(_plain(value))):
            if told := getattr(type(value), "_mistaken", None):  # it may know what was meant
                raise told(value)
            raise UsageError(
                f"{function} takes no {name}={shorter(value)}",
                seen=f"{name} is {kind}",
                fix=_nearest_value(kind, name, value, function),
            )


def _plain(value: object) -> object:
    """The number or truth in an array without axes: NumPy and torch hand out such scalars."""
    is_array = hasattr(type(value), "item") and hasattr(type(value), "shape")
    return value.item() if is_array and value.shape == () else value  # type: ignore[attr-defined]


def _is_double(value: Real) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _nearest_value(kind: _Kind, name: str, value: object, function: str) -> str:
    """A value that may have been meant: the nearest word, a share for a percentage, or a loss that was not yet made."""
    if isinstance(value, str) and (close := nearest(value, [word for word in kind.words if isinstance(word, str)])):
        return f"{function}(..., {name}={close[0]!r})"
    if isinstance(value, float | int) and kind.domain is not None and 1 < value <= 100 and value / 100 in kind.domain:
        return f"{function}(..., {name}={value / 100:g})"
    return f"{function}(..., {name}={kind.words[0]!r})" if kind.words else f"give {name} as {kind}"


def shorter(value: object) -> str:
    """A value as an error shows it: at most a line, whatever it holds."""
    shown = _SHORT.repr(value)
    return " ".join(shown.split()) if shown.isprintable() else ascii(" ".join(shown.split()))


_SHORT = Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 60


def each_once(file: str, defines: str) -> None:
    """Refuse a module that defines a name twice: the later would take the place of the first in silence. Error: GM009.

    ``defines`` is how a line that defines one begins, with the name as its group.
    """
    found = re.findall(f"^{defines}", Path(file).read_text(encoding="utf-8"), re.MULTILINE)
    for name, count in Counter(found).items():
        if count > 1:
            raise UsageError(f"{name} is defined {count} times", where=file, fix="give one of them another name")


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Every kind of problem that has been defined so far."""
    for sub in kind.__subclasses__():
        yield sub
        yield from problems(sub)
