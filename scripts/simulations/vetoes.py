"""What makes a run say "look first": a metric that is worse than the constant's, predictions that run away, copies, leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit

import goodmeasure as gm
from goodmeasure.reading.tables import Table
from goodmeasure.risks.metrics import METRICS
from goodmeasure.risks.risk import risk
from goodmeasure.study.cases import Cases
from goodmeasure.study.columns import nearly_perfect
from goodmeasure.study.judging import measured
from goodmeasure.study.shared import SharedRows, shared_rows
from goodmeasure.study.split import split
from goodmeasure.study.vetoing import vetoes
from simulations.sections import Row, Section

Floats = np.ndarray
Draw = Callable[[np.random.Generator, int], Floats]
SIZES = (100, 300, 1000, 5000)
GROUP = 10
GAMMA, LOG = gm.losses.gamma(), gm.losses.binary_cross_entropy()


@dataclass(frozen=True)
class World:
    """Amounts that are exp(slope x) times noise of mean one, or events with log-odds base + slope x; and what is predicted.

    ``bend`` makes of a true raw output the one that is said.
    """

    name: str
    slope: float
    noise: Draw | None = None
    base: float = 0.0
    bend: Callable[[Floats], Floats] = lambda z: z
    grouped: bool = False

    @property
    def loss(self) -> gm.Loss:
        return LOG if self.noise is None else GAMMA

    def rows(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """What happened, and the true raw outputs."""
        z = self.base + self.slope * rng.normal(size=n)
        if self.grouped:
            z = z + 0.5 * np.repeat(rng.normal(size=n // GROUP + 1), GROUP)[:n]
        if self.noise is not None:
            return np.exp(z) * self.noise(rng, n), z
        return (rng.random(n) < expit(z)) * 1.0, z


def light(rng: np.random.Generator, n: int) -> Floats:
    return rng.gamma(4, 0.25, n)


def heavy(rng: np.random.Generator, n: int) -> Floats:
    """Lognormal, of mean one: its square is carried by few rows."""
    return rng.lognormal(-0.72, 1.2, n)


WORLDS = (
    World("half yes", 1.2),
    World("4 % yes", 1.0, base=-3.5),
    World("half yes, groups of ten", 1.2, grouped=True),
    World("20 % yes, said with odds eight times too large", 2.5, base=-2.6, bend=lambda z: z + np.log(8)),
    World("amounts, light tails", 0.5, light),
    World("amounts, light tails, little to learn", 0.15, light),
    World("amounts, heavy tails", 0.5, heavy),
    World("amounts, heavy tails, little to learn", 0.2, heavy),
    World("amounts, light tails, said too boldly", 0.5, light, bend=lambda z: 3 * z),
)


def by_metric(runs: int = 60) -> Iterator[Row]:
    """Truths are known from a million rows; a fifth of n is reported."""
    for world in WORLDS:
        y, z = world.rows(np.random.default_rng(10**6), 10**6)
        raw = world.bend(z)
        metric = METRICS["accuracy" if world.noise is None else "rmse"]
        model, constant = (metric.estimate(y, said).value for said in (_says(world, raw), np.full(len(y), y.mean())))
        worse = model < constant if metric.higher_is_better else model > constant
        for n in SIZES:
            rng, said, both = np.random.default_rng(n), 0, 0
            for _ in range(runs):
                remarks, better = looked_at(world, rng, n)
                said += "GM251" in remarks
                both += "GM251" in remarks and better
            share = (said / runs, both / runs) if not worse else ("", "")
            yield world.name, metric.name, n, *share, 1 - said / runs if worse else ""


def _says(world: World, raw: Floats) -> Floats:
    return np.asarray(world.loss.predict(raw))


def looked_at(world: World, rng: np.random.Generator, n: int) -> tuple[set[str], bool]:
    """The codes of what is said of reported rows, and whether their loss is better than the constant's."""
    y, z = world.rows(rng, n)
    parts = split(n, classes=y if world.noise is None else None, seed=0)
    raw, group = world.bend(z), np.arange(n) // GROUP if world.grouped else None
    fitted, report = (
        Cases(Table({"z": z[at]}, "", n), y[at], together=None if group is None else group[at])
        for at in (parts.fit, parts.report)
    )
    flat = np.full(len(report), fitted.y.mean())
    metric = METRICS["accuracy" if world.noise is None else "rmse"]
    pairs = [(cases, _says(world, raw[at])) for cases, at in ((fitted, parts.fit), (report, parts.report))]
    judged: Any = SimpleNamespace(metrics=(measured(metric, *pairs, flat, parts),), prediction=pairs[1][1])
    remarks = vetoes(judged, fitted, report, parts, outcome=world.noise is None)
    constant = world.loss.best_constant(fitted.y) if 0 < fitted.y.mean() < 1 or world.noise else 0.0
    found = risk(world.loss, report.y, raw[parts.report], constant=constant)
    assert found.versus_constant is not None
    return {remark.code for remark in remarks}, found.versus_constant.verdict == "better"


FEATURES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tails (Student 3)": lambda rng, n: rng.standard_t(3, n),
    "normal, one in 200 ten times as large": lambda rng, n: rng.normal(size=n) * np.where(rng.random(n) < 0.005, 10, 1),
}


def run_away(runs: int = 400) -> Iterator[Row]:
    """Amounts whose logarithm follows a feature, all the way or no further than one; the straight line is what is said.

    A prediction is wrong by far where it misses its own mean by more than all fitted targets lie apart.
    """
    for effect in ("all the way", "no further than one"):
        for name, draw in FEATURES.items():
            for n in SIZES:
                rng, counts = np.random.default_rng(n), np.zeros(4)
                for _ in range(runs):
                    x = 0.6 * draw(rng, n)
                    mean = np.exp(x if effect == "all the way" else np.clip(x, -1, 1))
                    wrong, said = _far(mean, np.exp(x), mean * light(rng, n), 3 * n // 5)
                    counts += said and not wrong, not wrong, wrong and not said, wrong
                yield effect, name, n, *(f"{int(a)} of {int(b)}" for a, b in (counts[:2], counts[2:]))


def _far(mean: Floats, said: Floats, y: Floats, fit: int) -> tuple[bool, bool]:
    """Whether a reported prediction is wrong by far, and whether one is said to run away."""
    parts = SimpleNamespace(report=np.arange(fit, len(y)))
    fitted, report = (Cases(Table({"y": part}, "", len(y)), part) for part in (y[:fit], y[fit:]))
    judged: Any = SimpleNamespace(metrics=(_FINE,), prediction=said[fit:])
    remarks = vetoes(judged, fitted, report, parts, outcome=False)  # type: ignore[arg-type]
    return bool((np.abs(said - mean)[fit:] > np.ptp(fitted.y)).any()), bool(remarks)


# A metric of which nothing is to be said.
_FINE = SimpleNamespace(metric=METRICS["rmse"], report=SimpleNamespace(value=0.0, low=0.0, high=0.0), constant=1.0)


def _coded(levels: int, columns: int, together: float = 0.0) -> Draw:
    """Columns of so many labels, which share a part of what moves them, and an answer that follows the first."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        z = np.sqrt(together) * rng.normal(size=(n, 1)) + np.sqrt(1 - together) * rng.normal(size=(n, columns))
        x = np.digitize(z, np.linspace(-1, 1, levels + 1)[1:-1])
        return np.column_stack([x, rng.random(n) < (x[:, 0] + 1) / (levels + 1)]) * 1.0

    return draw


def _numbers(rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(size=(n, 6))


CASES: dict[str, tuple[Draw, float]] = {
    "six numbers": (_numbers, 0.0),
    "three questions of yes and no": (_coded(2, 3), 0.0),
    "four columns of four labels": (_coded(4, 4), 0.0),
    "six columns of three labels": (_coded(3, 6), 0.0),
    "six columns of three labels that go together": (_coded(3, 6, 0.6), 0.0),
    "eight columns of five labels that go together": (_coded(5, 8, 0.5), 0.0),
    "six numbers, one row in ten a copy": (_numbers, 0.1),
    "six numbers, three rows in ten copies": (_numbers, 0.3),
    "eight columns of five labels that go together, three rows in ten copies": (_coded(5, 8, 0.5), 0.3),
}


def copies(runs: int = 100) -> Iterator[Row]:
    for name, (draw, share) in CASES.items():
        for n in SIZES:
            rng, said = np.random.default_rng(n), 0
            for _ in range(runs):
                rows = draw(rng, n)
                own = np.where(rng.random(n) < share, rng.integers(0, n, n), np.arange(n))
                table = Table({str(k): column for k, column in enumerate(rows[own].T)}, "", n)
                remarks = shared_rows((table,), tuple(table.columns), split(n, seed=0))
                said += any(isinstance(remark, SharedRows) for remark in remarks)
            yield name, n, *(("", 1 - said / runs) if share else (said / runs, ""))


def leaks(runs: int = 60) -> Iterator[Row]:
    """Honest features that tell much of the target, and codes that were written when it was known."""
    for name, honest, base, told in (
        ("amounts, R² .9", True, None, 0.9),
        ("amounts, R² .96", True, None, 0.96),
        ("amounts, R² .999, a copy", False, None, 0.999),
        ("half yes, nine in ten as told", True, 0.5, 0.9),
        ("half yes, 29 in 30 as told", True, 0.5, 29 / 30),
        ("half yes, 499 in 500 as told, a code", False, 0.5, 0.998),
        ("4 % yes, half of them told", True, 0.04, 0.5),
        ("4 % yes, all of them told, a code", False, 0.04, 1.0),
    ):
        for n in SIZES:
            rng, said = np.random.default_rng(n), 0
            for _ in range(runs):
                x, y = _told(base, told, rng, 3 * n // 5)
                said += bool(nearly_perfect(Table({"x": x}, "", n), ["x"], y, base is not None, 0))
            yield name, n, *((said / runs, "") if honest else ("", 1 - said / runs))


def _told(base: float | None, told: float, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """A feature, and the target of which it tells so much: of the variance of amounts, of answers, of rare events."""
    if base is None:
        x = rng.normal(size=n)
        return x, np.sqrt(told) * x + np.sqrt(1 - told) * rng.normal(size=n)
    y = rng.random(n) < base
    right = rng.random(n) < told
    return (y & right if base < 0.5 else y ^ ~right) * 1.0, y * 1.0


SECTIONS = (
    Section(
        "GM251, a metric worse than the constant's: falsely, of these where the loss says better, and missed",
        ("table", "metric", "n", "falsely", "falsely, the loss better", "missed"),
        by_metric,
    ),
    Section(
        "GM252, predictions that run away: falsely where none is wrong by far, and missed where one is",
        ("effect", "feature", "n", "falsely", "missed"),
        run_away,
    ),
    Section(
        "GM222, copies on both sides of the split: falsely where equal rows are cases of their own, and missed",
        ("table", "n", "falsely", "missed"),
        copies,
    ),
    Section(
        "GM235, a feature that knows the answer: falsely of honest ones, and missed of copies of the target",
        ("feature", "n", "falsely", "missed"),
        leaks,
    ),
)
