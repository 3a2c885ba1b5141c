"""Calibration of classes, of tallied amounts, and of rows that go together or follow each other; and their segments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit
from scipy.stats import norm

import goodmeasure as gm
from goodmeasure.calibrating.calibration import Basis, _chance_of_amounts, _inflation
from goodmeasure.calibrating.decomposition import cells
from goodmeasure.calibrating.significance import chance_of_events, drawn_events
from goodmeasure.reading.tables import Table
from goodmeasure.risks.segments import weak_segments
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.several import holm
from goodmeasure.study.cases import Cases
from goodmeasure.study.dependence import parts
from simulations.sections import Row, Section

Floats = np.ndarray
SIZES = (100, 300, 1000, 5000)
GROUP = 10
SQUARED = gm.losses.squared_error()


def together(rng: np.random.Generator, n: int, kind: str) -> Floats:
    """Normal numbers, of which those of a group share a half, or those that follow each other eight tenths."""
    if kind == "groups":
        shared = rng.normal(size=n // GROUP + 1)[np.arange(n) // GROUP]
        return (shared + rng.normal(size=n)) / np.sqrt(2)
    if kind == "time":
        return np.asarray(lfilter([0.6], [1, -0.8], rng.normal(size=n + 50))[50:])
    return rng.normal(size=n)


def judged(y: Floats, kind: str) -> Sample:
    """What a run knows of the rows when it judges calibration: their groups, or their blocks of time."""
    n = len(y)
    group, time = (np.arange(n) // GROUP if kind == "groups" else None), (np.arange(n) if kind == "time" else None)
    code, _ = parts(Cases(Table({"y": y}, "", n), y, together=group, when=time))
    return Sample.of(PresentRows.of(n, **({} if code is None else {"cluster": code})), 0.95)


def chance(y: Floats, p: Floats, rows: Sample, seed: int, draws: int = 99, most: int = 512) -> float:
    """The p-value that `calibration` gives, from fewer draws: its size is the same, its power a little less."""
    inflation = _inflation(y - p, p, rows)
    basis = Basis(0.95, seed, rows.n, rows.effective_n).inflated(inflation)
    rough = cells(y, p, rows.weight, inflation * rows.square).coarse(min(most, basis.most_cells))
    return chance_of_events(rough, drawn_events(rough, draws, seed))


def outcomes(runs: int = 150) -> Iterator[Row]:
    """True probabilities whose outcomes go together, and log-odds that are twice too sharp."""
    for kind in ("groups", "time"):
        for base, rate in ((0.0, "half"), (-3.5, "5 %")):
            for n in SIZES:
                rng, counts = np.random.default_rng(n), np.zeros(2)
                for seed in range(runs):
                    z = base + 1.2 * together(rng, n, kind)
                    y = (norm.cdf(together(rng, n, kind)) < expit(z)) * 1.0
                    rows = judged(y, kind)
                    counts += [chance(y, expit(z), rows, seed) <= 0.05, chance(y, expit(2 * z), rows, seed) > 0.05]
                yield kind, rate, n, *(counts / runs).tolist()


NOISE = {"normal": lambda z: z, "lognormal": lambda z: np.exp(z) - np.exp(0.5)}


def amounts(runs: int = 100) -> Iterator[Row]:
    """Means that are right, and such as grow by three tenths too much."""
    for kind in ("alone", "groups", "time"):
        for name, noise in NOISE.items():
            for n in SIZES[-1:] if kind == "alone" else SIZES:
                rng, counts = np.random.default_rng(n), np.zeros(2)
                for seed in range(runs):
                    x, miss = together(rng, n, kind), -noise(together(rng, n, kind))
                    rows = judged(x, kind)
                    counts += [
                        _chance_of_amounts(miss, x, rows, seed) <= 0.05,
                        _chance_of_amounts(miss + 0.3 * x, x, rows, seed) > 0.05,
                    ]
                yield kind, name, n, *(counts / runs).tolist()


def classes(runs: int = 40) -> Iterator[Row]:
    """Of three classes, as likely as each other or one of them rare: right probabilities, and log-odds times 1.5."""
    for name, law in (("alike", (1.0, 1.0, 1.0)), ("one of them 3 %", (0.1, 1.0, 2.0))):
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for seed in range(runs):
                p = np.clip(rng.dirichlet(law, n), 1e-9, None)
                p /= p.sum(axis=1, keepdims=True)
                y = (rng.random((n, 1)) > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
                sharp = p**1.5 / (p**1.5).sum(axis=1, keepdims=True)
                counts += [_of_classes(y, p, seed) <= 0.05, _of_classes(y, sharp, seed) > 0.05]
            yield name, n, *(counts / runs).tolist()


def _of_classes(y: Floats, p: Floats, seed: int) -> float:
    """As `calibration` does: the most likely class, and each class for itself."""
    rows = Sample.of(PresentRows.of(len(y)), 0.95)
    top = p.argmax(axis=1)
    each = [chance((y == k) * 1.0, p[:, k], rows, seed + k, 399, 128) for k in range(3)]
    return min(1.0, 2 * min(chance((y == top) * 1.0, p.max(axis=1), rows, seed + 9, 399, 128), *holm(each)))


def tallied(runs: int = 80) -> Iterator[Row]:
    for name, noise in NOISE.items():
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                x = rng.normal(size=n)
                y = x + noise(rng.normal(size=n))
                said = [gm.tally(SQUARED, y, {"a": z}).bias().verdict for z in (x, 1.3 * x)]
                counts += [said[0] == "miscalibrated", said[1] != "miscalibrated"]
            yield name, n, *(counts / runs).tolist()


def segments(runs: int = 20) -> Iterator[Row]:
    """Five segments of whole groups, of lognormal losses; in one of them they are twice as large."""
    for n in SIZES:
        rng, counts = np.random.default_rng(n), np.zeros(3)
        for _ in range(runs):
            group = np.arange(n) // GROUP
            losses, place = np.exp(together(rng, n, "groups")), group % 5
            said = weak_segments(losses, place, cluster=group)
            worst = weak_segments(np.where(place == 1, 2, 1) * losses, place, cluster=group)[0]
            counts += (
                said[0].verdict == "weak",
                said[-1].verdict == "cheaper",
                (worst.verdict, worst.name) != ("weak", "1"),
            )
        yield n, *(counts / runs).tolist()


SECTIONS = (
    Section(
        '"Miscalibrated" of outcomes that go together: falsely, and missed where log-odds are twice too sharp',
        ("rows", "yes", "n", "falsely", "missed"),
        outcomes,
    ),
    Section(
        '"Miscalibrated" of amounts that go together, and of 5,000 that do not: falsely, and missed of slopes of 1.3',
        ("rows", "noise", "n", "falsely", "missed"),
        amounts,
    ),
    Section(
        '"Miscalibrated" of three classes: falsely, and missed where log-odds are 1.5 times too sharp',
        ("classes", "n", "falsely", "missed"),
        classes,
    ),
    Section(
        '"Miscalibrated" of tallied amounts: falsely, and missed of slopes of 1.3',
        ("noise", "n", "falsely", "missed"),
        tallied,
    ),
    Section(
        '"Weak" and "cheaper" of five segments of groups of ten rows: falsely, and missed where losses are twice as large',
        ("n", "falsely weak", "falsely cheaper", "missed"),
        segments,
    ),
)
