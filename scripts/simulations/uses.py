"""The five words of a run, and how often "use" and "use with care" are said falsely and missed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit

from goodmeasure.calibrating.calibration import _chance_of_amounts, is_off
from goodmeasure.decisions.costs import Costs
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import Table
from goodmeasure.risks.metrics import METRICS
from goodmeasure.risks.risk import averaged
from goodmeasure.study.cases import Cases
from goodmeasure.study.deciding import Decided, decide_outcome, tuned
from goodmeasure.study.dependence import known, sample
from goodmeasure.study.folds import over_folds
from goodmeasure.study.judging import measured
from goodmeasure.study.split import Split, few, folded, split
from goodmeasure.study.verdict import _doubt
from goodmeasure.study.vetoing import vetoes
from simulations.promises import chance
from simulations.sections import Row, Section
from simulations.verdicts import SIZES, USEFUL, World, fitted_at, out_of_fold

Floats = np.ndarray
WORDS = ("use", "use with care", "look first", "cannot tell yet", "do not use")


@dataclass(frozen=True)
class Asked(World):
    """A world with what mistakes cost, an effect that bends, and rows that remember the ones before.

    ``heavy`` says that its losses have no variance.
    """

    costs: Costs | None = None
    bend: float = 0.0
    heavy: bool = False

    def rows(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats | None]:
        x, y, group, _ = self.known(rng, n)
        return x, y, group

    def known(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats | None, Floats]:
        """The rows with what is expected of each."""
        x = np.column_stack([np.ones(n), rng.normal(size=(n, 6))])
        eta = self.base + self.slope * (x[:, 1] + 0.5 * x[:, 2]) / math.sqrt(1.25) + self.bend * (x[:, 1] ** 2 - 1)
        group = rng.integers(0, max(n // 8, 10), n) if self.grouped else None
        if group is not None:
            eta = eta + rng.normal(size=group.max() + 1)[group]
        if self.in_time:
            eta = eta + lfilter([0.4], [1, -0.9], rng.normal(size=n + 100))[100:]
        if self.noise is not None:
            return x, eta + self.noise(rng, n), group, eta
        p = expit(eta)
        return x, (rng.random(n) < p) * 1.0, group, p

    def parts(self, y: Floats, group: Floats | None, seed: int) -> Split:
        """The protocol that a run takes of itself."""
        classes = y if self.noise is None else None
        if self.in_time:
            return split(len(y), time=np.arange(len(y)), seed=seed)
        why = few(len(y), classes, group)
        if not why:
            return split(len(y), classes=classes, group=group, seed=seed)
        return folded(len(y), classes=classes, group=group, seed=seed, repeats=3, why=why)


EVEN, DEAR = Costs(false_negative=4, false_positive=1), Costs(false_negative=40, false_positive=2)
WORLDS = (
    Asked("half yes", 1.1),
    Asked("half yes, 4 to 1", 1.1, costs=EVEN),
    Asked("half yes, 20 to 1: always acting is as good", 0.6, costs=DEAR),
    Asked("half yes, a bend: probabilities are off", 0.7, bend=0.5),
    Asked("5 % yes, 20 to 1", 1.3, base=-3.7, costs=DEAR),
    Asked("groups, half yes, 4 to 1", 1.3, grouped=True, costs=EVEN),
    Asked("in time, half yes, 4 to 1", 1.3, in_time=True, costs=EVEN),
    Asked("amounts", 0.5, lambda rng, n: rng.normal(size=n)),
    Asked("amounts, a bend: predictions are off", 0.5, lambda rng, n: rng.normal(size=n), bend=0.4),
    Asked("amounts, heavy tails (Student 3)", 0.8, lambda rng, n: rng.standard_t(3, n), heavy=True),
)
# Probabilities off by so much, or means by so much of the spread around them, are no longer what they say.
OFF, OFF_AMOUNT = 0.05, 0.2
LEAST = 10


def words(runs: int = 30) -> Iterator[Row]:
    for world in WORLDS:
        for n in SIZES:
            found = [told(world, n, seed) for seed in range(runs)]
            said = np.array([word for word, *_ in found])
            useful, plain, folds = (np.array([one[k] for one in found]) for k in (1, 2, 3))
            use, care = said == "use", said == "use with care"
            shares = [f"{(said == word).mean():.2f}" for word in WORDS]
            reason = useful & ~plain
            yield (
                *(world.name, n, "folds" if folds.any() else "holdout", *shares),
                *(_of(use & ~useful, use), _of(care & useful & plain, useful & plain), _of(use & reason, reason)),
            )


def _of(said: Floats, among: Floats) -> str:
    return f"{int(said.sum())} of {int(among.sum())}"


def told(world: Asked, n: int, seed: int) -> tuple[str, bool, bool, bool]:
    """The word of a run, whether the model is useful, whether nothing speaks against plain use, and whether it took folds."""
    rng = np.random.default_rng([seed, n])
    x, y, group = _judgeable(world, rng, n)
    parts = world.parts(y, group, seed)
    first, b = world.made(x, y, parts, group)
    raws = [out_of_fold(world, x, y, group, deal) for deal in parts.deals] or [x[parts.report] @ b]
    fitted = fitted_at(parts)

    def cases(at: Floats) -> Cases:
        together, when = None if group is None else group[at], np.arange(n)[at] if world.in_time else None
        return Cases(Table({"x": x[at, 1]}, "", n), y[at], together=together, when=when)

    report, constant = cases(parts.report), world.loss.best_constant(y[fitted])
    found = over_folds(averaged(world.loss, report.y, raws, constant=constant, **known(report)), parts)
    decided = _decided(world, cases(parts.tune), x[parts.tune] @ first, report, raws, parts)
    judged: Any = SimpleNamespace(report=found, calibration=_calibrated(world, report, raws[0], seed))
    remarks = _vetoed(world, cases(fitted), x[fitted] @ b, report, raws[0], parts)
    doubt = _doubt(judged, decided, remarks, "", report.events if world.noise is None else None)
    return (doubt[0] if doubt else "use", *_truth(world, rng, b, constant, decided), bool(parts.deals))


def _judgeable(world: Asked, rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats | None]:
    """A table that a run takes: one of fewer than ten rows of a label is refused."""
    while True:
        x, y, group = world.rows(rng, n)
        if world.noise is not None or min(y.sum(), n - y.sum()) >= LEAST:
            return x, y, group


def _decided(
    world: Asked, tune: Cases, tuning: Floats, report: Cases, raws: list[Floats], parts: Split
) -> Decided | None:
    if world.costs is None:
        return None
    found: Any = tuned(world.costs, tune, expit(tuning))
    each = [(expit(raw), np.full(len(raw), found.threshold.value)) for raw in raws]
    return decide_outcome(world.costs, found, report, each, parts)


def _calibrated(world: Asked, report: Cases, raw: Floats, seed: int) -> Any:
    """The verdict of `calibration` by the same test."""
    rows = sample(report)
    off = (
        _chance_of_amounts(raw - report.y, raw, rows, seed) if world.noise else chance(report.y, expit(raw), rows, seed)
    )
    return SimpleNamespace(verdict="miscalibrated" if is_off(off, rows.level) else "")


def _vetoed(
    world: Asked, fitted: Cases, fit_raw: Floats, report: Cases, raw: Floats, parts: Split
) -> tuple[Remark, ...]:
    metric = METRICS["accuracy" if world.noise is None else "rmse"]
    says = expit if world.noise is None else np.asarray
    flat = np.full(len(report), fitted.y.mean())
    seen = measured(metric, (fitted, says(fit_raw)), (report, says(raw)), flat, parts)
    judged: Any = SimpleNamespace(metrics=(seen,), prediction=says(raw))
    return vetoes(judged, fitted, report, parts, outcome=world.noise is None)


def _truth(
    world: Asked, rng: np.random.Generator, b: Floats, constant: float, decided: Decided | None
) -> tuple[bool, bool]:
    """Of many new rows: whether the model saves a hundredth of the constant's loss, and whether nothing speaks against it."""
    x, y, _, mean = world.known(rng, 20_000)
    z = x @ b
    risks = [float(np.mean(world.loss.value(y, raw))) for raw in (z, np.full(len(y), constant))]
    said, limit = (expit(z), OFF) if world.noise is None else (z, OFF_AMOUNT)
    bins = np.array_split(np.argsort(said), 50)
    off = math.sqrt(np.mean([(mean[at].mean() - said[at].mean()) ** 2 for at in bins])) > limit
    return risks[0] < (1 - USEFUL) * risks[1], not (off or world.heavy or _as_good_blindly(decided, said, mean))


def _as_good_blindly(decided: Decided | None, said: Floats, mean: Floats) -> bool:
    """Whether acting always, or never, truly costs no more than a hundredth more than the decisions."""
    if decided is None:
        return False
    costs: Any = decided.costs
    acting, leaving = costs.alarm * (1 - mean), costs.miss * mean
    ours = float(np.where(said >= decided.threshold, acting, leaving).mean())
    return ours > (1 - USEFUL) * min(float(acting.mean()), float(leaving.mean()))


SECTIONS = (
    Section(
        "The five words of a run, 30 tables each, with what speaks against plain use",
        (
            *("table", "n", "protocol", *WORDS),
            *("used, and not useful", "care, and nothing speaks against it", "used, and something does"),
        ),
        words,
    ),
)
