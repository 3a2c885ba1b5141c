"""Evaluating formulas on arrays: NumPy and every namespace of the array API spell the elementary words the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np

from goodmeasure.errors import FormulaError
from goodmeasure.formulas.expression import Expr, nodes, spelled

Array: TypeAlias = Any
# A part of a formula: its word with the places of its arguments or, without a word, its name or number; and the places that
# nothing after it needs.
Step: TypeAlias = tuple[str, list[int], Any, list[int]]


def namespace(*arrays: Array) -> Any:
    """The array namespace of the arguments; NumPy for what is not an array yet: numbers, lists, frame columns."""
    if all(isinstance(a, np.ndarray | np.generic) for a in arrays):
        return np
    import array_api_compat

    found = [a for a in arrays if array_api_compat.is_array_api_obj(a)]
    return array_api_compat.array_namespace(*found) if found else np


def _special(name: str) -> Callable[[Array], Array]:
    """A function that the array API lacks, from SciPy for NumPy arrays and from the namespace's own library otherwise."""

    def apply(x: Array) -> Array:
        if isinstance(x, np.ndarray | np.generic):
            import scipy.special

            found = {"lgamma": "gammaln", "digamma": "digamma", "trigamma": "polygamma"}[name]
            return getattr(scipy.special, found)(*([1] if name == "trigamma" else []), x)
        library = __import__(type(x).__module__.split(".")[0])
        function = getattr(getattr(library, "special", library), name, None)
        if function is None:
            raise FormulaError(f"{name} is not available for {type(x).__name__}", fix="pass NumPy arrays")
        return function(x)

    return apply


@cache
def language(xp: Any) -> dict[str, Callable[..., Array]]:
    """How an array namespace spells the elementary words."""
    return {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "power": lambda a, b: a**b,
        "neg": lambda a: -a,
        "less": lambda a, b: a < b,
        "less_equal": lambda a, b: a <= b,
        "abs": xp.abs,
        "sign": xp.sign,
        "exp": xp.exp,
        "expm1": xp.expm1,
        "log": xp.log,
        "log1p": xp.log1p,
        "sqrt": xp.sqrt,
        "sin": xp.sin,
        "cos": xp.cos,
        "tanh": xp.tanh,
        "where": xp.where,
        "maximum": xp.maximum,
        "minimum": xp.minimum,
        "lgamma": _special("lgamma"),
        "digamma": _special("digamma"),
        "trigamma": _special("trigamma"),
    }


def evaluate(
    roots: list[Expr],
    values: Mapping[str, Any],
    spell: Mapping[str, Callable[..., Any]],
    number: Callable[[float], Any],
    *,
    as_in_books: bool = False,
) -> list[Any]:
    """The values of expressions in a language; ``number`` turns a constant into one of the language's numbers.

    A part is let go after its last use, so that arrays take the room of those that are still needed.
    """
    steps, places = _program(tuple(roots), frozenset(spell), as_in_books)
    done: list[Any] = []
    for word, arguments, leaf, spent in steps:
        if word:
            done.append(spell[word](*[done[place] for place in arguments]))
        else:
            done.append(values[leaf] if isinstance(leaf, str) else number(leaf))
        for place in spent:
            done[place] = None
    return [done[place] for place in places]


@lru_cache(maxsize=4096)
def _program(roots: tuple[Expr, ...], known: frozenset[str], as_in_books: bool) -> tuple[list[Step], list[int]]:
    """The parts of expressions in the words of a language, arguments first, and the places of the expressions themselves."""
    written = [spelled(root, known, as_in_books=as_in_books) for root in roots]
    order = nodes(*written)
    place_of = {node: place for place, node in enumerate(order)}
    needed, steps = set(written), []
    for node in reversed(order):
        leaf, parts = (node.args[0], ()) if node.word is None else (None, node.args)
        spent = [part for part in dict.fromkeys(parts) if part not in needed]
        needed.update(spent)
        word = "" if node.word is None else node.word.name
        steps.append((word, [place_of[part] for part in parts], leaf, [place_of[part] for part in spent]))
    return steps[::-1], [place_of[root] for root in written]


def on_arrays(roots: list[Expr], values: Mapping[str, Any], like: Array) -> list[Array]:
    """The values of expressions on arrays, in the dtype, on the device and in the shape of ``like``.

    Plain numbers among ``values`` (hyperparameters; a tuple of them is one a label, on the last axis) are rounded to that
    dtype, as are the constants of the formula.
    """
    xp = namespace(like)

    def number(value: float | tuple[float, ...]) -> Array:
        return xp.asarray(value, dtype=like.dtype, **({} if xp is np else {"device": like.device}))

    given = {k: number(v) if isinstance(v, int | float | tuple) else v for k, v in values.items()}
    with np.errstate(all="ignore"):
        found = evaluate(roots, given, language(xp), number)
        return [xp.broadcast_to(xp.astype(f, like.dtype), like.shape) for f in found]
