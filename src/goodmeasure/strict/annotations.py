"""What an argument may be, read off its annotation."""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import cache, reduce
from inspect import signature
from numbers import Integral, Real
from operator import or_
from os import PathLike
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from goodmeasure.errors import UsageError, nearest, shorter, with_article


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
        called = (getattr(each, "_called", _NAMES.get(each, with_article(each.__name__))) for each in self.types)
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
def kinds_of(function: Callable[..., object]) -> dict[str, _Kind]:
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


def check_values(kinds: dict[str, _Kind], given: Mapping[str, object], function: str) -> None:
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
    if kind.words:
        return f"{function}(..., {name}={kind.words[0]!r})"
    shown = next(filter(None, map(_shown, kind.types)), "")
    return f"{name}={shown}" if shown else f"give {name} as {kind}"


def _shown(kind: type) -> str:
    """How a class of our own is made: the first call of it among the examples that it shows."""
    call = rf"gm\.{kind.__name__}\((?:[^()]|\([^()]*\))*\)"
    found = re.search(call, kind.__doc__ or "") if kind.__module__.startswith("goodmeasure.") else None
    return "" if found is None else found[0]
