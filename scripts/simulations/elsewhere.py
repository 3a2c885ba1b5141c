"""Rows that count as elsewhere: what intervals of their mean loss cover there, and how often two kinds are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

import goodmeasure as gm
from goodmeasure.errors import Problem
from goodmeasure.reading.tables import Table
from goodmeasure.study.likeness import FALSELY, NotAlike, chance_of_one_kind
from simulations.sections import Row, Section, share

RUNS, SIZES = 200, (100, 300, 1000, 5000)
Floats = NDArray[np.float64]
World = Callable[[int, np.random.Generator, float], tuple[dict[str, Floats], Floats, Floats]]


def outcomes(
    n: int, rng: np.random.Generator, moved: float, rate: float = -0.5
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Columns, targets and the probabilities of a model that knows half of what there is to know."""
    x = rng.normal(size=(n, 4)) + np.array([moved, moved / 2, 0, 0])
    y = rng.random(n) < expit(rate + x[:, 0] + x[:, 1] / 2)
    return {f"x{k}": x[:, k] for k in range(4)}, y * 1.0, expit(rate + 0.6 * x[:, 0])


def rare(n: int, rng: np.random.Generator, moved: float) -> tuple[dict[str, Floats], Floats, Floats]:
    return outcomes(n, rng, moved, -3.0)


def amounts(n: int, rng: np.random.Generator, moved: float) -> tuple[dict[str, Floats], Floats, Floats]:
    """Amounts with heavy noise (Student's of five degrees of freedom), whose spread rises with the column that moves."""
    x = rng.normal(size=(n, 4)) + np.array([moved, moved / 2, 0, 0])
    y = x[:, 0] + np.exp(x[:, 0] / 4) * rng.standard_t(5, size=n)
    return {f"x{k}": x[:, k] for k in range(4)}, y, 0.7 * x[:, 0]


WORLDS: dict[str, tuple[World, str]] = {
    "one in twenty yes": (rare, "binary_cross_entropy"),
    "amounts, heavy noise": (amounts, "squared_error"),
}


def covered_like(runs: int = RUNS) -> Iterator[Row]:
    """The mean loss of the rows that one cares about, told by those one has."""
    for name, (world, loss_name) in WORLDS.items():
        loss = getattr(gm.losses, loss_name)()
        for moved in (0.0, 0.5, 1.0):
            _, y, p = world(1_000_000, np.random.default_rng(0), moved)
            truth = _mean(loss, y, p)
            for n in SIZES:
                yield name, moved, n, *_like(world, loss, moved, n, truth, runs)


def _like(world: World, loss: gm.Loss, moved: float, n: int, truth: float, runs: int) -> Row:
    plain, there, refused, worth = [], [], 0, []
    for seed in range(runs):
        rng = np.random.default_rng([seed, n])
        columns, y, p = world(n, rng, 0.0)
        others, _, _ = world(n, rng, moved)
        as_is = gm.risk(loss, y, prediction=p)
        plain.append(as_is.low <= truth <= as_is.high)
        try:
            found = gm.reweigh(columns, like=others)
        except NotAlike:
            refused += 1
            continue
        worth.append(found.effective_n)
        told = found.wide(gm.risk(loss, y, prediction=p, sample_weight=found.weight))
        there.append(told.low <= truth <= told.high)
    return (
        share(plain)[0],
        share(there)[0] if there else "",
        float(np.mean(worth)) if worth else "",
        refused / runs,
        runs,
    )


def covered_prevalence(runs: int = 2 * RUNS) -> Iterator[Row]:
    """The loss at another share of yes, of scores as they stand and turned, and how long the interval is for that."""
    loss = gm.losses.binary_cross_entropy()
    for rate, there in ((-0.5, 0.05), (-0.5, 0.6), (-3.0, 0.3)):
        _, y, p = outcomes(1_000_000, np.random.default_rng(0), 0.0, rate)
        here = y.mean()
        truth = [_at(loss, y, each, there) for each in (p, _turned(p, here, there))]
        for n in SIZES:
            inside: list[list[bool]] = [[], []]
            spread, length = [], []
            for seed in range(runs):
                _, y, p = outcomes(n, np.random.default_rng([seed, n]), 0.0, rate)
                if not 0 < y.sum() < n:
                    continue
                try:
                    found = gm.reweigh({"y": y}, prevalence=there, target="y")
                except NotAlike:
                    continue
                told = [
                    gm.risk(loss, y, prediction=each, sample_weight=found.weight)
                    for each in (p, _turned(p, y.mean(), there))
                ]
                for each, one, right in zip(inside, told, truth, strict=True):
                    each.append(one.low <= right <= one.high)
                spread.append(told[0].value)
                length.append(told[0].standard_error)
            yield (
                f"{here:.3f}",
                there,
                n,
                *(share(each)[0] for each in inside),
                float(np.mean(length) / np.std(spread)),
                len(spread),
            )


def _mean(loss: gm.Loss, y: Floats, p: Floats, weight: Floats | None = None) -> float:
    return loss(y, np.asarray(loss.raw(p)), weight)


def _turned(p: Floats, here: float, there: float) -> Floats:
    odds = p / (1 - p) * there / (1 - there) * (1 - here) / here
    return np.asarray(odds / (1 + odds))


def _at(loss: gm.Loss, y: Floats, p: Floats, there: float) -> float:
    each = [_mean(loss, y[y == k], p[y == k]) for k in (0, 1)]
    return (1 - there) * each[0] + there * each[1]


def covered_shift(runs: int = RUNS) -> Iterator[Row]:
    """The loss where the mean of one column is another, as rows there are otherwise alike."""
    loss = gm.losses.binary_cross_entropy()
    for moved in (0.5, 1.0):
        rng = np.random.default_rng(0)
        columns, y, p = outcomes(1_000_000, rng, 0.0)
        # A normal column whose mean is moved by tilting is a normal column with another mean.
        truth = _mean(loss, y, p, np.exp(moved * columns["x0"]))
        for n in SIZES:
            inside, worth, refused = [], [], 0
            for seed in range(runs):
                columns, y, p = outcomes(n, np.random.default_rng([seed, n]), 0.0)
                try:
                    found = gm.reweigh(columns, shift={"x0": moved})
                except Problem:
                    refused += 1
                    continue
                told = gm.risk(loss, y, prediction=p, sample_weight=found.weight)
                inside.append(told.low <= truth <= told.high)
                worth.append(found.effective_n)
            yield moved, n, share(inside)[0], float(np.mean(worth)), refused / runs, runs


def _table(n: int, rng: np.random.Generator, moved: float, heavy: bool) -> Table:
    x = rng.standard_t(2, size=(n, 3)) if heavy else rng.normal(size=(n, 3))
    kinds = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]).astype(object)
    return Table({"x": x[:, 0] + moved, "y": x[:, 1], "z": x[:, 2], "kind": kinds}, "", n)


def one_kind(runs: int = 5 * RUNS) -> Iterator[Row]:
    """How often tables of one kind, and of two, are said to be of two."""
    for heavy in (False, True):
        for n in SIZES:
            said = []
            for moved in (0.0, 0.2, 0.5):
                chances = []
                for seed in range(runs if moved == 0 else RUNS):
                    rng = np.random.default_rng([seed, n])
                    pair = _table(n, rng, 0.0, heavy), _table(max(n // 3, 20), rng, moved, heavy)
                    chances.append(chance_of_one_kind(*pair, seed=seed)[0] < FALSELY)
                said.append(chances)
            yield (
                "heavy" if heavy else "light", n, max(n // 3, 20), share(said[0])[0],
                *(f"{1 - np.mean(each):.3f}" for each in said[1:]),
            )  # fmt: skip


SECTIONS = (
    Section(
        "Rows weighed to be like another table's: coverage of the mean loss there, nominal .95",
        (
            "world",
            "moved by, in spreads",
            "n of each table",
            "as if nothing moved",
            "weighed",
            "effective n",
            "refused",
            "runs",
        ),
        covered_like,
    ),
    Section(
        "Rows weighed to another share of yes: coverage of the mean loss there, nominal .95",
        ("share here", "share there", "n", "scores as they stand", "scores turned", "error said / true spread", "runs"),
        covered_prevalence,
    ),
    Section(
        "Rows weighed to another mean of a column: coverage of the mean loss there, nominal .95",
        ("mean there, in spreads", "n", "coverage", "effective n", "refused", "runs"),
        covered_shift,
    ),
    Section(
        "Two tables said to be of two kinds, one in a hundred allowed",
        ("columns", "n fitted", "n reported", "falsely", "missed, moved by 0.2", "missed, moved by 0.5"),
        one_kind,
    ),
)
