"""The page of losses that have no entry in the catalogue: docs/not_here.md, from the answers to those who ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from goodmeasure.making.answers import Counterpart, answers
from goodmeasure.making.elsewhere import HOSTS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "not_here.md"
SET_UP = """\
import numpy as np
import scipy.special

import goodmeasure as gm

rng = np.random.default_rng(0)
n = 60
z, amounts, p = rng.normal(size=n), rng.normal(size=n), rng.uniform(size=n)  # a row each: scores, amounts, chances
bits, query = rng.integers(0, 2, n), np.repeat(np.arange(12), 5)  # yes or no, and which list of five a row belongs to
graded = rng.integers(0, 4, n)  # how relevant it is
place = np.concatenate([rng.permutation(5) + 1 for _ in range(12)])  # where in its list it belongs
took = (place == 1).astype(int)  # the one of its list that was taken
time, died = rng.integers(1, 30, n), rng.integers(0, 2, n)  # how long it was seen, and whether that ended by the event
period_of_end, hazard_scores = rng.integers(1, 13, n), rng.normal(size=(n, 12))  # of 12
table, taught, labels = rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.integers(0, 3, n)  # a column a class
teacher = scipy.special.softmax(taught, axis=1)
scores, relevance = rng.normal(size=(12, 5)), rng.integers(0, 3, (12, 5)).astype(float)  # a row a list
missing = np.arange(5) >= rng.integers(2, 6, (12, 1))  # of which some are shorter
left, right, of_kind = *rng.normal(size=(2, 8, 4)), np.arange(8) % 3  # two views of eight things of three kinds
better, worse, near, far = rng.uniform(size=(4, n))  # of pairs: scores, or distances
moments, five = rng.normal(size=(n, 2)), rng.normal(size=(n, 5))  # of a mean and a scale, of quantiles
"""
FIT = """\
import torch
from scipy.optimize import minimize

x, loss = rng.normal(size=(n, 2)), gm.losses.cross_entropy()
sets = gm.choice_sets(time, happened=died)


def cost(w):
    value, pull = loss.value_and_gradient(sets.y, sets.table(x @ w))
    return value, x.T @ sets.summed(pull)


coefficients = minimize(cost, np.zeros(2), jac=True).x  # of Cox's model

raw = torch.tensor(x @ coefficients, requires_grad=True)  # or what a network says of each row
gm.to_torch(loss)(sets.table(raw), torch.as_tensor(sets.y)).backward()
"""


def page() -> str:
    """The page."""
    return "\n".join([*lines(), ""])


def lines() -> Iterator[str]:
    """What is here under another name, and then what is not."""
    yield from ("# Losses that are not here, and what to use instead", "")
    yield from ("<!-- made by make pages: change src/goodmeasure/making/answers.py, not this page -->", "")
    yield "A loss of the catalogue is a formula of one example: a target and its raw outputs. Its signal, curvature, kernels and"
    yield "card, and the same numbers in every framework, are derived from that. People ask for losses by names which no such"
    yield "formula has: here are first those that are one of ours on other rows or in other units, then those that are not here,"
    yield "with the reason and with what to use. `goodmeasure losses NAME` and `gm.losses.find(NAME)` say the same. After the"
    yield from ("first block the others run, and tests hold their numbers to those of other libraries.", "")
    yield from ("```python", SET_UP.rstrip(), "```")
    known = answers()
    yield from ("", "## Here, under another name")
    for each in known:
        if not each.why:
            yield from section(each)
    yield from ("", "### Training on choices", "")
    yield "A linear model of choices is a convex fit, and a network learns as from classes. Of sets of thousands of rows"
    yield from ("some are drawn, `most=100`. The weight of a choice is that of the row `sets.chosen`.", "")
    yield from ("```python", FIT.rstrip(), "```")
    yield from ("", "## Not here")
    for each in known:
        if each.why:
            yield from section(each)


def section(answer: Counterpart) -> Iterator[str]:
    """What is said of one kind of loss."""
    yield from ("", f"### {answer.title}", "")
    yield f"*{', '.join(names(answer))}*"
    yield ""
    said = f"Not here: {answer.why}. Instead: {answer.how}." if answer.why else f"`{answer.ours}`: {answer.how}."
    yield said + (f" {answer.source}." if answer.source else "")
    yield from ("", "```python", dedent(answer.lines).strip(), "```")


def names(answer: Counterpart) -> list[str]:
    """What people call it, and what libraries do where it is not here."""
    return [
        *answer.names,
        *(f"{host}.{name}" for host, table in HOSTS.items() for name in table if table[name] is answer),
    ]
