"""A formula written otherwise: its parts spelled by words of the vocabulary, and by identities that move digits.

Where `formulas` holds identities that never cost accuracy, these may win or lose it: whoever asks tries what comes of them.
Sums match in any order and in any bracketing, products in both orders, and ``-x`` matches whatever is minus another part.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import TypeAlias

from goodmeasure.formulas.expression import (
    Expr,
    Word,
    add,
    expression,
    mul,
    neg,
    nodes,
    simplify,
    sub,
    symbol,
    with_parts,
)
from goodmeasure.formulas.words import (
    abs,
    cos,
    exp,
    expm1,
    expm1mx,
    hypot1m1,
    log,
    log1p,
    log_cosh,
    maximum,
    sin,
    softplus,
    sqrt,
    tanh,
    vocabulary,
)

Found: TypeAlias = dict[str, Expr]
Term: TypeAlias = tuple[int, Expr]
Rule: TypeAlias = tuple[Expr, Expr]

# Identities over the reals, each left to right, where both sides have a value; what is called a scale is above zero.
_IDENTITIES: tuple[Callable[..., tuple[Expr, Expr]], ...] = (
    lambda a, b: (sqrt(a) - sqrt(b), (a - b) / (sqrt(a) + sqrt(b))),
    lambda a, scale: (sqrt(a**2 + scale**2) - scale, scale * hypot1m1(a / scale)),
    lambda a, b: (sqrt(a) - b, (a - b**2) / (sqrt(a) + b)),
    lambda a, b: (a + b - b, a),
    lambda a, b: (a * b - a, a * (b - 1)),
    lambda a, b: (a**2 - b**2, (a - b) * (a + b)),
    lambda a, b: (a**2 - 2 * a * b + b**2, (a - b) ** 2),
    lambda a, b: (a**2 - 2 * (a * b) + b**2, (a - b) ** 2),
    lambda a, b: (a**3 - 3 * a * b**2 + 2 * b**3, (a - b) ** 2 * (a + 2 * b)),
    lambda a, b: (a / b + b / a - 2, (a - b) ** 2 / (a * b)),
    lambda a: (1 - 1 / a, (a - 1) / a),
    lambda a: (1 - 1 / (1 + a), a / (1 + a)),
    lambda a, b: (1 / a - 1 / b, (b - a) / (a * b)),
    lambda a, b: (1 - (a * b + (1 - a) * (1 - b)), a * (1 - b) + (1 - a) * b),
    lambda a, b: (exp(a) - exp(b), exp(b) * expm1(a - b)),
    lambda a, b: (log(a) - log(b), log(a / b)),
    lambda a, b: (log(exp(a) + exp(b)), a + softplus(b - a)),
    lambda a, b: (log(exp(a) + exp(b)), maximum(a, b) + softplus(-abs(a - b))),
    lambda a, b: (log(exp(a) + exp(b)) - a, softplus(b - a)),
    lambda a, b: (log(a / b), log(a) - log(b)),
    lambda a, b: (log(a * b), log(a) + log(b)),
    lambda a: (a - 1 - log(a), expm1mx(log(a))),
    lambda a, b: (a * log(a / b) - a + b, a * expm1mx(log(b) - log(a))),
    lambda a, b: (a * (log(a) - log(b)) - a + b, a * expm1mx(log(b) - log(a))),
    lambda a: (log(1 + exp(a)) + log(1 + exp(-a)), 2 * log_cosh(a / 2) + 2 * log(expression(2))),
    lambda a: (1 - tanh(a) ** 2, 1 / (exp(log_cosh(a))) ** 2),
    lambda a: (1 - cos(a), 2 * sin(a / 2) ** 2),
    lambda a: (1 - cos(a) ** 2, sin(a) ** 2),
    lambda a: (1 - sin(a) ** 2, cos(a) ** 2),
    lambda a: (log(a), log1p(a - 1)),
    lambda a, b: (a * (a * b), a**2 * b),
    lambda a: (a * a, a**2),
    lambda a, b, c: ((a * b) / (a * c), b / c),
    lambda a, b, c: (a / c + b / c, (a + b) / c),
    lambda a, b, c: (a / c - b / c, (a - b) / c),
    lambda a, b, c: (a * c - b * c, (a - b) * c),
)


@cache
def rules() -> tuple[Rule, ...]:
    """What a part may be written as: every word of the vocabulary for its book form, and the identities."""
    words = (word for word in vocabulary().values() if word.book is not None and not word.holds)
    known = (_sides(rule) for rule in _IDENTITIES)
    return tuple(rule for rule in chain(map(_spelled, words), known) if rule[0].word is not None)


def _spelled(word: Word) -> Rule:
    args = [symbol(f"_{k}") for k in range(len(word.partials))]
    assert word.book is not None
    return expression(word.book(*args)), word(*args)


def _sides(rule: Callable[..., tuple[Expr, Expr]]) -> Rule:
    return rule(*(symbol(f"_{name}") for name in inspect.signature(rule).parameters))


def written_otherwise(root: Expr) -> Iterator[Expr]:
    """The formula with one part of it rewritten, in every way there is."""
    for node in nodes(root):
        if node.word is None:
            continue
        for left, right in rules():
            for by in _rewritten(node, left, right):
                if by is not node:
                    yield with_parts(root, {node: by})


def _rewritten(node: Expr, left: Expr, right: Expr) -> Iterator[Expr]:
    if left.word not in _SUMS:
        yield from (simplify(right, found) for found in _matches(left, node, {}))
        return
    if node.word not in _SUMS:
        return
    terms = list(_terms(node))
    for sign in (1, -1):
        wanted = [(sign * s, term) for s, term in _terms(left)]
        for found, rest in _some(wanted, terms, {}):
            yield _sum([(sign, simplify(right, found)), *rest])


# --- sums ---------------------------------------------------------------------------------------------------------------

_SUMS = {add, sub}


def _terms(node: Expr, sign: int = 1) -> Iterator[Term]:
    """The terms of a sum with their signs, whatever its brackets."""
    if node.word is neg:
        yield from _terms(node.args[0], -sign)
    elif node.word in _SUMS:
        yield from _terms(node.args[0], sign)
        yield from _terms(node.args[1], sign if node.word is add else -sign)
    else:
        yield sign, node


def _sum(terms: list[Term]) -> Expr:
    """A sum of its terms, which begins with one that is added, where there is one."""
    (sign, total), *rest = sorted(terms, key=lambda term: -term[0])
    total = total if sign > 0 else -total
    for sign, term in rest:
        total = total + term if sign > 0 else total - term
    return total


def _some(wanted: list[Term], terms: list[Term], found: Found) -> Iterator[tuple[Found, list[Term]]]:
    """Ways to find the terms that are wanted among others, with what is left of those. Terms with a shape come first."""
    if not wanted:
        yield found, terms
        return
    shaped = next((k for k, (_, term) in enumerate(wanted) if not term.is_symbol or term.args[0] in found), 0)
    (sign, pattern), others = wanted[shaped], [*wanted[:shaped], *wanted[shaped + 1 :]]
    if pattern.is_symbol and pattern.args[0] in found:
        parts = list(_terms(found[pattern.args[0]], sign))
        left = _without(terms, parts)
        if left is not None:
            yield from _some(others, left, found)
        return
    for k, (s, term) in enumerate(terms):
        left = [*terms[:k], *terms[k + 1 :]]
        if pattern.number is not None and term.number is not None:
            if sign * pattern.number == s * term.number:  # -1 may stand for the 1 of a difference
                yield from _some(others, left, found)
        elif s == sign:
            for more in _matches(pattern, term, found):
                yield from _some(others, left, more)
        elif pattern.is_symbol:
            yield from _some(others, left, {**found, pattern.args[0]: simplify(-term)})


def _without(terms: list[Term], parts: list[Term]) -> list[Term] | None:
    """The terms without some of them; None where those are not all there."""
    left = list(terms)
    for part in parts:
        place = next((k for k, term in enumerate(left) if term[0] == part[0] and term[1] is part[1]), None)
        if place is None:
            return None
        del left[place]
    return left


def _whole(pattern: Expr, node: Expr, found: Found) -> Iterator[Found]:
    """Ways in which all terms of a sum match: a symbol that is still free takes what the others leave."""
    wanted, terms = list(_terms(pattern)), list(_terms(node))
    free = [term for term in wanted if term[1].is_symbol and term[1].args[0] not in found]
    if len(free) == 1 and len(wanted) > 1:
        sign, name = free[0][0], free[0][1].args[0]
        for more, rest in _some([term for term in wanted if term is not free[0]], terms, found):
            if rest and name not in more:
                yield {**more, name: simplify(_sum([(sign * s, term) for s, term in rest]))}
    else:
        yield from (more for more, rest in _some(wanted, terms, found) if not rest)


# --- everything else -------------------------------------------------------------------------------------------------------


def _matches(pattern: Expr, node: Expr, found: Found) -> Iterator[Found]:
    """Ways to read a part of a formula as a pattern: what each of the pattern's symbols stands for."""
    if pattern.is_symbol:
        known = found.get(pattern.args[0])
        if known is None:
            yield {**found, pattern.args[0]: node}
        elif known is node or simplify(known) is simplify(node):
            yield found
    elif pattern.word is None:
        if node.number is not None and float(node.number) == float(pattern.args[0]):
            yield found
    elif pattern.word is neg:
        yield from _matches(pattern.args[0], simplify(-node), found)
    elif pattern.word in _SUMS:
        if node.word in _SUMS:
            yield from _whole(pattern, node, found)
    elif pattern.word is node.word:
        yield from _all(pattern.args, node.args, found)
        if pattern.word is mul:
            yield from _all(pattern.args, node.args[::-1], found)


def _all(patterns: tuple[Expr, ...], parts: tuple[Expr, ...], found: Found) -> Iterator[Found]:
    if not patterns:
        yield found
        return
    for more in _matches(patterns[0], parts[0], found):
        yield from _all(patterns[1:], parts[1:], more)
