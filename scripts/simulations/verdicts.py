"""The words of a run, the tails that they rest on, and the interval of a mean loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import goodmeasure as gm
from goodmeasure.reading.tables import Table
from goodmeasure.risks.risk import averaged, risk
from goodmeasure.statistics.estimate import Difference
from goodmeasure.statistics.intervals import mean_estimate
from goodmeasure.study.cases import Cases
from goodmeasure.study.folds import over_folds
from goodmeasure.study.split import FIT_AND_TUNE, Split, folded, split
from goodmeasure.study.training import BETWEEN, STRENGTHS
from goodmeasure.study.turns import of_labels, turns
from goodmeasure.study.verdict import hesitation
from simulations.sections import Row, Section

Floats = np.ndarray
Draw = Callable[[np.random.Generator, int], Floats]
LOG, SQUARED = gm.losses.binary_cross_entropy(), gm.losses.squared_error()
TWEEDIE = gm.losses.tweedie()
SIZES = (100, 300, 1000, 5000)


# --- the interval of a mean ---


def scores(
    base: float, spread: float, sharpened: float = 1.0
) -> Callable[[np.random.Generator, int], tuple[Floats, Floats]]:
    """Outcomes, and raw outputs that are true log-odds or too sharp."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        z = base + spread * rng.normal(size=n)
        return (rng.random(n) < 1 / (1 + np.exp(-z))) * 1.0, sharpened * z

    return draw


def cross_entropy(base: float, spread: float, sharpened: float = 1.0) -> Draw:
    draw = scores(base, spread, sharpened)

    def losses(rng: np.random.Generator, n: int) -> Floats:
        y, z = draw(rng, n)
        return np.logaddexp(0, -(2 * y - 1) * z)

    return losses


def gain(rng: np.random.Generator, n: int) -> Floats:
    """The paired difference of true log-odds to the best constant, of one event in a hundred or so."""
    y, z = scores(-4.6, 1.0)(rng, n)
    return np.logaddexp(0, -(2 * y - 1) * z) - np.logaddexp(0, -(2 * y - 1) * math.log(0.0158 / 0.9842))


MEANS: dict[str, tuple[Draw, float | None]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "Student with 3 degrees of freedom": (lambda rng, n: rng.standard_t(3, n), 0.0),
    "squared normal": (lambda rng, n: rng.normal(size=n) ** 2, 1.0),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "lognormal, 1": (lambda rng, n: rng.lognormal(0, 1, n), math.exp(0.5)),
    "lognormal, 1.5": (lambda rng, n: rng.lognormal(0, 1.5, n), math.exp(1.125)),
    "one row in 50 costs 40 more": (lambda rng, n: rng.exponential(size=n) + 40 * (rng.random(n) < 0.02), 1.8),
    "cross-entropy, true": (cross_entropy(-1.0, 1.5), None),
    "cross-entropy, twice too sharp": (cross_entropy(-1.0, 1.5, 2.0), None),
    "cross-entropy, true, 1.6 % events": (cross_entropy(-4.6, 1.0), None),
    "the same less the constant's": (gain, None),
}


def means(runs: int = 2000) -> Iterator[Row]:
    for name, (draw, known) in MEANS.items():
        truth = float(draw(np.random.default_rng(10**6), 2_000_000).mean()) if known is None else known
        for n in (30, *SIZES):
            rng = np.random.default_rng(n)
            ends = []
            for _ in range(runs):
                values = draw(rng, n)
                plain, found = mean_estimate(values, corrected=False), mean_estimate(values)
                ends.append((plain.low, plain.high, found.low, found.high))
            yield name, n, *_missed(np.array(ends), truth)


def clusters(runs: int = 1000) -> Iterator[Row]:
    """Lognormal costs of clusters of 1 to 9 rows, whose mean is that of rows."""
    for groups in (20, 50, 200, 1000):
        rng, ends = np.random.default_rng(groups), []
        for _ in range(runs):
            size = rng.integers(1, 10, groups)
            together = np.repeat(np.arange(groups), size)
            values = np.repeat(rng.lognormal(0, 1, groups), size) * rng.exponential(size=len(together))
            plain, found = (mean_estimate(values, together=together, corrected=each) for each in (False, True))
            ends.append((plain.low, plain.high, found.low, found.high))
        yield "clusters of 1 to 9 rows, lognormal times exponential", groups, *_missed(np.array(ends), math.exp(0.5))


def _missed(ends: Floats, truth: float) -> Iterator[object]:
    """For each interval how often it covers, how often the truth lies above and below, and then the ratio of lengths."""
    for low, high in ((ends[:, 0], ends[:, 1]), (ends[:, 2], ends[:, 3])):
        above, below = float((high < truth).mean()), float((low > truth).mean())
        yield f"{1 - above - below:.3f}"
        yield f"{above:.3f}, {below:.3f}"
    lengths = ends[:, 3] - ends[:, 2], ends[:, 1] - ends[:, 0]
    yield f"{np.median(lengths[0] / np.where(lengths[1] > 0, lengths[1], 1.0)):.2f}"


# --- heavy tails ---


def of_scores(base: float, spread: float, sharpened: float = 1.0) -> Callable[[np.random.Generator, int], bool]:
    draw = scores(base, spread, sharpened)

    def said(rng: np.random.Generator, n: int) -> bool:
        y, z = draw(rng, n)
        return bool(risk(LOG, y, z, constant=0.0).cautions)

    return said


def of_misses(draw: Draw, loss: object = None) -> Callable[[np.random.Generator, int], bool]:
    squared = SQUARED if loss is None else loss

    def said(rng: np.random.Generator, n: int) -> bool:
        return bool(risk(squared, draw(rng, n), np.zeros(n), constant=0.0).cautions)

    return said


def of_zeros(law: Draw, zeros: float) -> Callable[[np.random.Generator, int], bool]:
    """Amounts of which so many are zero, predicted by one feature that says nothing of them, by Tweedie's loss."""

    def said(rng: np.random.Generator, n: int) -> bool:
        y = np.where(rng.random(n) < zeros, 0.0, law(rng, n))
        mean = max(float(y.mean()), 1e-3) * np.exp(0.3 * rng.normal(size=n))
        return bool(risk(TWEEDIE, y, prediction=mean, constant=0.0).cautions)

    return said


AMOUNTS: dict[str, Draw] = {
    "uniform": lambda rng, n: rng.uniform(50, 150, n),
    "gamma": lambda rng, n: rng.gamma(2.0, 50.0, n),
    "lognormal, 1": lambda rng, n: rng.lognormal(4, 1, n),
}
TAILS: dict[str, tuple[Callable[[np.random.Generator, int], bool], bool]] = {
    "cross-entropy, true": (of_scores(-1.0, 1.5), False),
    "cross-entropy, true, very sure": (of_scores(0.0, 5.0), False),
    "cross-entropy, true, 1.6 % events": (of_scores(-4.6, 1.0), False),
    "cross-entropy, twice too sharp": (of_scores(-1.0, 1.5, 2.0), False),
    "squared error, normal misses": (of_misses(lambda rng, n: rng.normal(size=n)), False),
    "squared error, Laplace misses": (of_misses(lambda rng, n: rng.laplace(size=n)), False),
    "squared error, lognormal misses": (of_misses(lambda rng, n: rng.lognormal(0, 0.7, n)), False),
    "squared error, Student 5 (index 2.5)": (of_misses(lambda rng, n: rng.standard_t(5, n)), False),
    "squared error, Student 3 (index 1.5)": (of_misses(lambda rng, n: rng.standard_t(3, n)), True),
    "squared error, Student 2 (index 1)": (of_misses(lambda rng, n: rng.standard_t(2, n)), True),
    "welsch, Student 2": (of_misses(lambda rng, n: rng.standard_t(2, n), gm.losses.welsch()), False),
    "absolute error, Pareto 1.5": (of_misses(lambda rng, n: rng.pareto(1.5, n), gm.losses.absolute_error()), True),
    **{
        f"tweedie, {name}, {zeros:.0%} zeros": (of_zeros(law, zeros), False)
        for name, law in AMOUNTS.items()
        for zeros in (0.0, 0.5, 0.9, 0.94, 0.99)
    },
}


def tails(runs: int = 200) -> Iterator[Row]:
    for name, (said, is_heavy) in TAILS.items():
        found = [np.mean([said(np.random.default_rng(seed), n) for seed in range(runs)]) for n in SIZES]
        yield name, "missed" if is_heavy else "false", *(f"{1 - f if is_heavy else f:.3f}" for f in found)


# --- rows that would tell ---


def would_tell(runs: int = 4000) -> Iterator[Row]:
    for name, draw, known, deviation in (
        ("normal", lambda rng, n: rng.normal(0.2, 1, n), 0.2, 1.0),
        ("exponential less 0.8", lambda rng, n: rng.exponential(size=n) - 0.8, 0.2, 1.0),
        ("lognormal, 1, less 1.2", lambda rng, n: rng.lognormal(0, 1, n) - 1.2, math.exp(0.5) - 1.2, 2.1612),
    ):
        for power in (0.5, 0.8, 0.95):
            here = Difference(known, known, known, 100, 100.0, "", standard_error=deviation / 10)
            n, rng = int(here.rows_to_tell(power)), np.random.default_rng(0)
            told = [mean_estimate(draw(rng, n)).low > 0 for _ in range(runs)]
            yield name, power, n, f"{np.mean(told):.3f}"


# --- the words of a run ---


@dataclass(frozen=True)
class World:
    """Tables of which it is known what can be learned: six features, of which two say something, and targets."""

    name: str
    slope: float
    noise: Draw | None = None
    base: float = 0.0
    grouped: bool = False
    in_time: bool = False

    @property
    def loss(self) -> gm.Loss:
        return LOG if self.noise is None else SQUARED

    def rows(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats | None]:
        """Features with a column of ones, targets, and groups of eight rows or so that have a level of their own."""
        x = np.column_stack([np.ones(n), rng.normal(size=(n, 6))])
        eta = self.base + self.slope * (x[:, 1] + 0.5 * x[:, 2]) / math.sqrt(1.25)
        group = rng.integers(0, max(n // 8, 10), n) if self.grouped else None
        if group is not None:
            eta = eta + rng.normal(size=group.max() + 1)[group]
        if self.noise is not None:
            return x, eta + self.noise(rng, n), group
        return x, (rng.random(n) < 1 / (1 + np.exp(-eta))) * 1.0, group

    def fitted(self, x: Floats, y: Floats, strength: float) -> Floats:
        """The coefficients of least mean loss plus an L2 penalty, by Newton's method."""
        penalty, b = strength * np.diag([0.0, *np.ones(x.shape[1] - 1)]), np.zeros(x.shape[1])
        for _ in range(1 if self.noise is not None else 8):
            z = x @ b
            p = 1 / (1 + np.exp(-np.clip(z, -30, 30)))
            pull, bend = (p - y, p * (1 - p) + 1e-9) if self.noise is None else (z - y, np.ones(len(y)))
            b = b - np.linalg.solve((x * bend[:, None]).T @ x / len(y) + penalty, x.T @ pull / len(y) + penalty @ b)
        return b

    def made(
        self, x: Floats, y: Floats, parts: Split, group: Floats | None = None, *, by_folds: bool = True
    ) -> tuple[Floats, Floats]:
        """As a run does: the model whose strength is best on rows left out, and the same fitted to the rows to tune too."""
        pairs = self._turns(y, parts, group) if by_folds and of_labels(self.loss) else [(parts.fit, parts.tune)]

        def left_out(strength: float) -> float:
            fits = ((self.fitted(x[learns], y[learns], strength), judges) for learns, judges in pairs)
            return float(np.mean([np.mean(self.loss.value(y[at], x[at] @ b)) for b, at in fits]))

        chosen = min(STRENGTHS, key=left_out)
        if len(pairs) > 1:
            chosen = min(sorted([chosen, *(chosen * factor for factor in BETWEEN)]), key=left_out)
        at = fitted_at(parts)
        return self.fitted(x[parts.fit], y[parts.fit], chosen), self.fitted(x[at], y[at], chosen)

    def _turns(self, y: Floats, parts: Split, group: Floats | None) -> list[tuple[Floats, Floats]]:
        """The rows that learn and the rows that judge, as a run takes them: of labels by folds where those to tune are few."""
        fit, tune = (self._cases(at, y, group) for at in (parts.fit, parts.tune))
        return [(learns.table["row"], judges.table["row"]) for learns, judges in turns(self.loss, fit, tune, 0)]

    def _cases(self, at: Floats, y: Floats, group: Floats | None) -> Cases:
        together, when = None if group is None else group[at], at if self.in_time else None
        return Cases(Table({"row": at}, "", len(at)), y[at], together=together, when=when)


WORLDS = (
    World("half yes, AUC .75", 1.1),
    World("half yes, nothing to learn", 0.0),
    World("4 % yes, AUC .75", 1.0, base=-3.5),
    World("4 % yes, nothing to learn", 0.0, base=-3.2),
    World("amounts, R² .2", 0.5, lambda rng, n: rng.normal(size=n)),
    World("amounts, nothing to learn", 0.0, lambda rng, n: rng.normal(size=n)),
    World("amounts, heavy tails (Student 3)", 0.8, lambda rng, n: rng.standard_t(3, n)),
    World("groups, half yes, AUC .75", 1.3, grouped=True),
    World("groups, half yes, nothing to learn", 0.0, grouped=True),
)
WORDS = ("use", "cannot tell yet", "do not use")
# A gain of so much of what the constant leaves is worth having.
USEFUL = 0.01


def words(runs: int = 60) -> Iterator[Row]:
    """The word is read off the risk alone: of "use" and its two doubtful sisters the first stands for all."""
    for world in WORLDS:
        for n in SIZES:
            for protocol in ("holdout", "folds") if n < 1000 else ("holdout",):
                found = [told_and_true(world, protocol, n, seed) for seed in range(runs)]
                said, right = np.array([word for word, _ in found]), np.array([gain > USEFUL for _, gain in found])
                counts = [f"{(said == word).mean():.2f}" for word in WORDS]
                false, lost, missed = (said == "use") & ~right, (said == "do not use") & right, (said != "use") & right
                yield world.name, n, protocol, *counts, _of(false, ~right), _of(lost, right), _of(missed, right)


def told_and_true(world: World, protocol: str, n: int, seed: int) -> tuple[str, float]:
    """The word that a run says of a table, and how much of the constant's loss its model saves on many new rows."""
    rng = np.random.default_rng([seed, n])
    x, y, group = world.rows(rng, n)
    classes = y if world.noise is None else None
    parts = (folded if protocol == "folds" else split)(
        n, classes=classes, group=group, seed=seed, **({"repeats": 3} if protocol == "folds" else {})
    )
    _, b = world.made(x, y, parts, group)
    raws = [out_of_fold(world, x, y, group, deal) for deal in parts.deals] or [x[parts.report] @ b]
    constant = world.loss.best_constant(y[fitted_at(parts)])
    report, together = parts.report, None if group is None else group[parts.report]
    found = over_folds(averaged(world.loss, y[report], raws, cluster=together, constant=constant), parts)
    seen = None if classes is None else int(min(np.bincount(y[report].astype(int), minlength=2)))
    unshown = hesitation(found, seen)
    x, y, _ = world.rows(rng, 20_000)
    risks = [float(np.mean(world.loss.value(y, z))) for z in (x @ b, np.full(len(y), constant))]
    return unshown[0] if unshown else "use", 1 - risks[0] / risks[1]


def fitted_at(parts: Split) -> Floats:
    """The rows that the model which is handed over is fitted to: all but those to report, or all where folds judge it."""
    return parts.report if parts.deals else np.sort(np.concatenate([parts.fit, parts.tune]))


def out_of_fold(world: World, x: Floats, y: Floats, group: Floats | None, fold: Floats) -> Floats:
    raw = np.empty(len(y))
    for k in np.unique(fold):
        rest, held = np.flatnonzero(fold != k), fold == k
        classes = y[rest] if world.noise is None else None
        within = None if group is None else group[rest]
        parts = split(len(rest), classes=classes, group=within, shares=FIT_AND_TUNE, seed=0)
        raw[held] = x[held] @ world.made(x[rest], y[rest], parts, by_folds=False)[1]
    return raw


def _of(said: Floats, among: Floats) -> str:
    return f"{int(said.sum())} of {int(among.sum())}"


_ENDS = ("covers, Student", "truth above, below", "covers, corrected", "truth above, below ", "length, median ratio")
SECTIONS = (
    Section("Intervals of a mean loss: nominal .95, 2,000 runs", ("losses", "n", *_ENDS), means),
    Section("Intervals of a mean of clusters: nominal .95, 1,000 runs", ("losses", "clusters", *_ENDS), clusters),
    Section(
        '"Tails so heavy": how often it is said falsely, or missed, of 200 runs',
        ("losses", "which", *(f"n = {n:,}" for n in SIZES)),
        tails,
    ),
    Section(
        "Rows that would tell a difference: how often they tell, 4,000 runs",
        ("differences", "promised", "rows", "found"),
        would_tell,
    ),
    Section(
        "The words of a run, 60 tables each; useful: it saves more than 1 % of the constant's loss on new rows",
        ("table", "n", "protocol", *WORDS, "used, and not useful", "refused, and useful", "useful, and not used"),
        words,
    ),
)
