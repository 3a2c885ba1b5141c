"""A model in use: how often later rows are falsely said to have moved or to cost more, at whatever look, and how often not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

import goodmeasure as gm
from goodmeasure.monitoring.counts import Counts
from goodmeasure.monitoring.monitored import Monitored, judged
from goodmeasure.study.seen import Costing, Distribution, SeenRows, costing, expected_losses
from simulations.sections import Row, Section, share

RUNS, SIZES, LOOKS = 200, (100, 300, 1000, 5000), 10
Floats = NDArray[np.float64]
NO_COSTS = Costing((), (0.0,), (1.0,), (100.0,))


def columns(n: int, rng: np.random.Generator, moved: float = 0.0) -> dict[str, NDArray]:
    """Five columns of numbers, two with heavy tails, and three of labels, of which the first column may have moved."""
    numbers = {f"x{k}": rng.normal(size=n) if k < 3 else rng.standard_t(2, size=n) for k in range(5)}
    numbers["x0"] = numbers["x0"] + moved
    kinds = {f"k{m}": rng.choice(list("abcdefghijklmnop")[:m], n).astype(object) for m in (2, 5, 16)}
    return {**numbers, **kinds}


def seen_in(fitted: dict[str, NDArray], loss: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> SeenRows:
    found = {name: Distribution.of(values, np.ones(len(values))) for name, values in fitted.items()}
    return SeenRows(found, found["x1"], NO_COSTS, *loss, 0.95)


def counts_in(seen: SeenRows, rows: dict[str, NDArray]) -> Counts:
    n = len(rows["x0"])
    marks = {name: one.marks(rows[name]).sum(axis=0) for name, one in seen.columns.items()}
    return Counts(marks, marks["x1"], np.array([float(n)]), rows=n)


def moved(runs: int = RUNS) -> Iterator[Row]:
    """Eight columns; the model was fitted to a thousand rows, or to a hundred."""
    for fitted in (100, 1000):
        for n in SIZES:
            falsely, missed = [], {0.2: [], 0.5: []}
            for seed in range(runs):
                rng = np.random.default_rng([seed, n, fitted])
                seen = seen_in(columns(fitted, rng))
                found, said = Counts.none(seen), False
                for _ in range(LOOKS):
                    found = found + counts_in(seen, columns(n // LOOKS, rng))
                    said = said or bool(judged(seen, found, 0.95).moved)
                falsely.append(said)
                for far, each in missed.items():
                    each.append(not judged(seen, counts_in(seen, columns(n, rng, far)), 0.95).columns[0].marks[0].moved)
            yield fitted, n, LOOKS, share(falsely)[0], *(float(np.mean(each)) for each in missed.values()), runs


def losses(n: int, rng: np.random.Generator, kind: str) -> Floats:
    """Losses of mean one: of cross-entropy, of squares with heavy tails, and of rare dear mistakes."""
    if kind == "cross-entropy":
        p = expit(rng.normal(size=n) * 1.5)
        found = -np.log(np.where(rng.random(n) < p, p, 1 - p))
        return np.asarray(found / 0.5211)
    if kind == "squares, heavy":
        return np.asarray(rng.standard_t(5, size=n) ** 2 * 3 / 5)
    return np.asarray((rng.random(n) < 0.05) * 20.0)


def worse(runs: int = 2 * RUNS) -> Iterator[Row]:
    """The risk was reported of as many rows as come later, and is looked at ten times."""
    for kind in ("cross-entropy", "squares, heavy", "one in twenty costs 20"):
        for n in SIZES:
            said, inside, missed = [], [], {1.2: [], 2.0: []}
            for seed in range(runs):
                rng = np.random.default_rng([seed, n])
                before = gm.risk(gm.losses.absolute_error(), np.zeros(n), prediction=losses(n, rng, kind))
                loss = (before.value, before.low, before.high)
                later = losses(n, rng, kind)
                looks = [_of(later[:k], loss, n) for k in np.linspace(n / LOOKS, n, LOOKS).astype(int)]
                looks = [look for look in looks if look.risk is not None]
                said.append(any(look.versus.verdict in ("worse", "better") for look in looks))
                inside.append(all(look.risk.low <= 1 <= look.risk.high for look in looks))
                for times, each in missed.items():
                    each.append(_of(later * times, loss, n).versus.verdict != "worse")
            yield (
                kind,
                n,
                LOOKS,
                share(said)[0],
                share(inside)[0],
                *(float(np.mean(each)) for each in missed.values()),
                runs,
            )


def _of(values: Floats, loss: tuple[float, float, float], reported: int) -> Monitored:
    none = Distribution(0.0, (0.0, 1.0), 100.0, labels=("a",))
    seen = SeenRows({}, none, Costing((), (0.0,), (1.0,), (float(reported),)), *loss, 0.95)
    n = len(values)
    found = Counts(
        {},
        np.zeros(3),
        np.array([float(n)]),
        labelled=n,
        total=float(values.sum()),
        squares=float(values @ values),
        rows=n,
    )
    return judged(seen, found, 0.95)


def expected(runs: int = 2 * RUNS) -> Iterator[Row]:
    """Probabilities that are too sure, on rows whose first column moves: the band against the mean loss that they then had."""
    loss = gm.losses.binary_cross_entropy()
    for far in (0.0, 0.5, 1.0):
        for n in SIZES:
            inside, long, plain = [], [], []
            for seed in range(runs):
                rng = np.random.default_rng([seed, n])
                z, y = _scored(n, rng, 0.0)
                p = expit(z)
                made = costing(_each(loss, y, z), expected_losses(loss, z, p), p, np.ones(n))
                z, y = _scored(n, rng, far)
                p = expit(z)
                bins = np.bincount(made.bins(p), minlength=len(made.rows)).astype(float)
                by_itself = expected_losses(loss, z, p)
                seen = SeenRows({}, Distribution(0.0, (0.0, 1.0), 100.0, labels=("a",)), made, 0.0, 0.0, 0.0, 0.95)
                told = judged(
                    seen, Counts({}, np.zeros(3), bins, expected=float(by_itself.sum()), rows=n), 0.95
                ).expected
                truth = float(_each(loss, y, z).mean())
                inside.append(told.low <= truth <= told.high)
                long.append(told.high - told.low)
                plain.append(float(by_itself.mean()) - truth)
            yield far, n, share(inside)[0], float(np.mean(long)), float(np.mean(plain)), runs


def _scored(n: int, rng: np.random.Generator, far: float) -> tuple[Floats, Floats]:
    x = rng.normal(size=n) + far
    return 1.5 * x, (rng.random(n) < expit(x)) * 1.0


def _each(loss: gm.Loss, y: Floats, z: Floats) -> Floats:
    return np.asarray(loss.value(y, z), dtype=np.float64)


SECTIONS = (
    Section(
        "Later rows said to have moved: eight columns, at any of ten looks, nominal .05",
        ("n fitted", "n later", "looks", "falsely", "missed, one column by 0.2", "missed, one column by 0.5", "runs"),
        moved,
    ),
    Section(
        'Later rows said to cost "worse" or "better" than reported, at any of ten looks, nominal .05',
        ("losses", "n", "looks", "falsely", "covered at all looks", "missed, 1.2 times", "missed, twice", "runs"),
        worse,
    ),
    Section(
        "What later rows are to cost, without their targets: coverage of what they cost, nominal .95",
        ("moved by, in spreads", "n", "coverage", "length of the band", "bias of probabilities alone", "runs"),
        expected,
    ),
)
