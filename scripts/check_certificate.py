"""Replays certificates of a loss with interval arithmetic, and with nothing of goodmeasure.

    goodmeasure losses huber --certificates | python scripts/check_certificate.py

It takes for known that each word below rises, falls, or turns at zero, which is schoolbook calculus.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise

import mpmath as mp
from mpmath import iv

# fmt: off
BOOK = {
    "exp": "exp(x)", "log": "log(x)", "log1p": "log(1 + x)", "sqrt": "sqrt(x)", "softplus": "log(1 + exp(x))", "tanh": "tanh(x)",
    "sigmoid": "1 / (1 + exp(-x))", "isru": "x / sqrt(1 + x * x)", "softsign": "x / (1 + fabs(x))", "expm1": "exp(x) - 1",
    "log_softplus": "log(log(1 + exp(x)))", "sech2": "sech(x) ** 2", "inv1psq": "1 / (1 + x * x)", "log_cosh": "log(cosh(x))",
    "softplus_pull": "1 / (1 + exp(-x)) / log(1 + exp(x))", "abs": "fabs(x)", "hypot1": "sqrt(1 + x * x)",
}
RISES = {"exp", "log", "log1p", "sqrt", "softplus", "tanh", "sigmoid", "isru", "softsign", "expm1", "log_softplus"}
FALLS, TURNS = {"softplus_pull"}, {"sech2", "inv1psq", "abs", "hypot1", "log_cosh"}
# fmt: on


def word(name):
    """The bounds of a word in an interval: its values at the ends, and at zero where it turns there, rounded outward."""
    assert name in RISES | FALLS | TURNS
    function = eval(f"lambda x: {BOOK[name]}", vars(mp))

    def apply(x):
        ends = [mp.mpf(x.a), mp.mpf(x.b), *([mp.mpf(0)] if name in TURNS and 0 in x else [])]
        found = [iv.mpf(function(end)) for end in ends]
        wider = iv.mpf([1 - mp.mpf(10) ** -30, 1 + mp.mpf(10) ** -30])
        return iv.mpf([min((f * wider).a for f in found), max((f * wider).b for f in found)])

    return apply


def where(condition, a, b):
    """The chosen one; both where an interval cannot tell."""
    a, b = iv.mpf(a), iv.mpf(b)
    return a if condition is True else b if condition is False else iv.mpf([min(a.a, b.a), max(a.b, b.b)])


def of_ends(choose):
    """The bounds of a word that rises in both of its arguments."""
    return lambda a, b=0: iv.mpf([choose(iv.mpf(a).a, iv.mpf(b).a), choose(iv.mpf(a).b, iv.mpf(b).b)])


WORDS = {name: word(name) for name in BOOK} | {"where": where, "sign": of_ends(lambda x, _: mp.sign(mp.mpf(x)))}
WORDS |= {"maximum": of_ends(max), "minimum": of_ends(min)}


def holds(certificate):
    """Whether the formula lies between the two numbers in every box, and no jump is in the way."""
    iv.dps = mp.mp.dps = 40
    formula, edges = compile(certificate["formula"], "formula", "eval"), certificate["edges"]
    given = {name: iv.mpf(value) for name, value in certificate["hyperparameters"].items()}
    low, high = certificate["low"], mp.inf if certificate["high"] is None else certificate["high"]
    for a, b in pairwise(edges):
        found = iv.mpf(eval(formula, {**WORDS, **given, "u": iv.mpf([a, b])}))
        if not (a < b and low <= found.a and found.b <= high):
            return False
    return edges[0] <= -1e12 and edges[-1] >= 1e12 and all(v == 0 and s >= 0 for _, v, s in certificate["jumps"])


if __name__ == "__main__":
    for each in json.load(sys.stdin):
        print(f"{'holds' if holds(each) else 'DOES NOT HOLD'}: {each['claim']}, {each['of']}")
