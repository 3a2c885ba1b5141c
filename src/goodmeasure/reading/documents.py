"""Documents that were loaded, held against what they must be before anything is made of them.

What a document must be is data: checks that are put together like the document itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

Check = Callable[[Any, str], None]
"""A function of a value and of where it stands, which raises `Mismatch` if the value is not what it must be."""


class Mismatch(ValueError):
    """A value of a document is not what it must be there."""

    def __init__(self, where: str, needed: str) -> None:
        super().__init__(where, needed)
        self.where: str = where
        self.needed: str = needed

    def __str__(self) -> str:
        return f"{self.where} is not {self.needed}"


def must(holds: bool, where: str, needed: str) -> None:
    """Raise `Mismatch` unless something holds."""
    if not holds:
        raise Mismatch(where, needed)


def text(*, most: int = 10_000) -> Check:
    """A text of at most so many characters."""
    return lambda value, at: must(isinstance(value, str) and len(value) <= most, at, "a text")


def truth() -> Check:
    """True or false."""
    return lambda value, at: must(isinstance(value, bool), at, "true or false")


def exactly(*allowed: Any) -> Check:
    """One of these values."""
    shown = " or ".join(map(repr, allowed))
    return lambda value, at: must(any(value == one and type(value) is type(one) for one in allowed), at, shown)


def whole(low: float = -math.inf, high: float = math.inf) -> Check:
    """A whole number between two, both included."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, int) and not isinstance(value, bool) and low <= value <= high, at, "such a whole number")

    return check


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A finite number between two, both included."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, int | float) and not isinstance(value, bool), at, "a number")
        must(abs(value) < 2**1023 and low <= value <= high, at, "a number in its range")

    return check


def infinity() -> Check:
    """An infinity, which JSON can only spell as a text."""
    return exactly("inf", "-inf")


def either(*checks: Check) -> Check:
    """What passes at least one of several checks; the last one says what is wrong."""

    def check(value: Any, at: str) -> None:
        for one in checks[:-1]:
            try:
                return one(value, at)
            except Mismatch:
                continue
        return checks[-1](value, at)

    return check


def optional(check: Check) -> Check:
    """A value, or null."""
    return either(exactly(None), check)


def sequence(each: Check, *, least: int = 0, most: int = 1_000_000) -> Check:
    """A list of at least and at most so many values."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, list) and least <= len(value) <= most, at, f"a list of {least:,} to {most:,} values")
        for i, one in enumerate(value):
            each(one, f"{at}[{i}]")

    return check


def row(*checks: Check) -> Check:
    """A list of exactly these values."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, list) and len(value) == len(checks), at, f"a list of {len(checks)} values")
        for i, (one, each) in enumerate(zip(value, checks, strict=True)):
            each(one, f"{at}[{i}]")

    return check


def distinct(check: Check) -> Check:
    """A list in which no value occurs twice."""

    def with_all_different(value: Any, at: str) -> None:
        check(value, at)
        must(len({repr(one) for one in value}) == len(value), at, "without repetition")

    return with_all_different


def fields(needed: Mapping[str, Check], optional: Collection[str] = ()) -> Check:
    """An object with these fields; more are allowed, and ``optional`` ones may be absent."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, dict), at or "it", "an object")
        for name, each in needed.items():
            if name in value or name not in optional:
                must(name in value, f"{at}.{name}".lstrip("."), "there")
                each(value[name], f"{at}.{name}".lstrip("."))

    return check


def mapping(each: Check, *, most: int = 1_000_000) -> Check:
    """An object whose values all pass a check, whatever they are called."""

    def check(value: Any, at: str) -> None:
        must(isinstance(value, dict) and len(value) <= most, at, "an object of values by name")
        for name, one in value.items():
            each(one, f"{at}[{name!r}]")

    return check


def plain(value: Any, at: str) -> None:
    """Texts, numbers, truths and null, and lists and objects of them that are not nested deeply."""
    depth, level = 0, [value]
    while level:
        must(depth < 20, at, "without deep nesting")
        inner = [one for each in level if isinstance(each, dict | list) for one in _inside(each)]
        depth, level = depth + 1, inner


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return [*value.values()] if isinstance(value, dict) else value
