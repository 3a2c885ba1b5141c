"""What is said of two models, of fitted and held-out rows, and of a metric beside the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

import goodmeasure as gm
from goodmeasure.risks.metrics import METRICS
from goodmeasure.risks.ranking import rank_models
from goodmeasure.risks.risk import compare, gap, risk
from goodmeasure.signals.observed import signal
from simulations.sections import Row, Section

Floats = np.ndarray
LOG, SQUARED = gm.losses.binary_cross_entropy(), gm.losses.squared_error()
SIZES = (100, 300, 1000, 5000)
GROUP = 10


@dataclass(frozen=True)
class Table:
    """Rows of which the truth is known, and how far from it a model of some error is.

    ``noise`` draws what amounts are around their mean; where there is none, targets are yes or no with log-odds around
    ``base``. ``kind`` says which rows go together: those of a "group", or neighbours in "time"; of nothing unless given.
    """

    name: str
    noise: Callable[[np.random.Generator, int], Floats] | None = None
    base: float = 0.0
    kind: str = ""

    @property
    def loss(self) -> gm.Loss:
        return LOG if self.noise is None else SQUARED

    def target(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """What happened, and the truth in raw outputs."""
        z = self.base + 1.2 * self._drawn(rng, n)
        if self.noise is not None:
            return z + self.noise(rng, n), z
        return (rng.random(n) < 1 / (1 + np.exp(-z))) * 1.0, z

    def model(self, rng: np.random.Generator, truth: Floats, error: float) -> Floats:
        """What a model says whose misses go together as the rows do."""
        return truth + error * self._drawn(rng, len(truth))

    def known(self, n: int) -> dict[str, Floats]:
        """What a judge is told of the rows that go together."""
        return {"group": {"cluster": np.arange(n) // GROUP}, "time": {"time": np.arange(n)}}.get(self.kind, {})

    def _drawn(self, rng: np.random.Generator, n: int) -> Floats:
        if self.kind == "group":
            return (rng.normal(size=n // GROUP + 1)[np.arange(n) // GROUP] + rng.normal(size=n)) / np.sqrt(2)
        if self.kind == "time":
            return np.asarray(lfilter([0.6], [1, -0.8], rng.normal(size=n + 50))[50:])
        return rng.normal(size=n)


TABLES = (
    Table("half yes"),
    Table("2 % yes", base=-4.5),
    Table("amounts, normal", lambda rng, n: rng.normal(size=n)),
    Table("amounts, heavy tails (Student 3)", lambda rng, n: rng.standard_t(3, n)),
    Table("groups of ten, half yes", kind="group"),
    Table("in time, half yes", kind="time"),
)


def models(runs: int = 100) -> Iterator[Row]:
    """Of two models with as large an error neither is better; of .3 and 1 the first is."""
    for table in TABLES:
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(4)
            for _ in range(runs):
                y, truth = table.target(rng, n)
                first, alike, worse = (table.model(rng, truth, error) for error in (0.3, 0.3, 1.0))
                known = table.known(n)
                tied, told = (compare(table.loss, y, first, other, **known) for other in (alike, worse))
                counts[:2] += tied.verdict in ("better", "worse"), told.verdict != "better"
                if table.kind != "time":
                    made = gm.tally(table.loss, y, {"a": first, "b": alike, "c": worse}, **known)
                    counts[2] += made.compare("a", "b").verdict in ("better", "worse")
                    counts[3] += made.compare("a", "c").verdict != "better"
            yield table.name, n, *_shares(counts, runs, 2 if table.kind == "time" else 4)


def _shares(counts: Floats, runs: int, known: int) -> list[object]:
    return [*(counts[:known] / runs).tolist(), *[""] * (len(counts) - known)]


def gaps(runs: int = 100) -> Iterator[Row]:
    """Three fifths of the rows are fitted and a fifth is reported, by a model that knows nothing of either, or by heart."""
    for table in TABLES:
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(3)
            for _ in range(runs):
                fit, report = (table.target(rng, size) for size in (3 * n // 5, n // 5))
                judged = _judged(table, *report)
                honest = gap(_judged(table, *fit), judged).verdict
                counts[:2] += honest == "worse", honest == "better"
                counts[2] += gap(_judged(table, fit[0], _by_heart(table, *fit)), judged).verdict != "worse"
            yield table.name, n, *(counts / runs).tolist()


def _judged(table: Table, y: Floats, z: Floats) -> gm.Risk:
    return risk(table.loss, y, z, constant=table.base, **table.known(len(y)))


def _by_heart(table: Table, y: Floats, z: Floats) -> Floats:
    """The truth, drawn toward what happened."""
    return z + (0.4 * (y - z) if table.noise is not None else 1.2 * (2 * y - 1))


def metrics(runs: int = 50) -> Iterator[Row]:
    """Loss and metric of two models that are alike, of the truth and a constant, and of a median and a mean of lognormals."""
    for table, name in zip(TABLES[:4], ("accuracy", "accuracy", "rmse", "mae"), strict=True):
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                y, truth = table.target(rng, n)
                first, alike = (table.model(rng, truth, 0.5) for _ in range(2))
                tied = signal(table.loss, y, first, metric=METRICS[name], before=alike)
                useful = signal(table.loss, y, truth, metric=METRICS[name], before=np.full(n, table.base))
                counts += _said(tied) in ("aligned", "against"), _said(useful) != "aligned"
            # Where no probability reaches a half, the accuracy does not move.
            yield table.name, name, n, float(counts[0] / runs), "" if table.base else float(counts[1] / runs)
    for n in SIZES:
        rng, missed = np.random.default_rng(n), 0
        for _ in range(runs):
            y, mean = rng.lognormal(0, 1, n), np.full(n, np.exp(0.5))
            missed += (
                _said(signal(gm.losses.absolute_error(), y, 0 * mean + 1, metric="rmse", before=mean)) != "against"
            )
        yield "lognormal amounts, median for mean: against", "rmse", n, "", missed / runs


def _said(found: gm.Signal) -> str:
    assert found.aligned is not None
    return found.aligned.verdict


def ranks(runs: int = 200) -> Iterator[Row]:
    """Two measures of two models that are alike, and two that rank them in opposite order by a fifth of their spread."""
    for n in SIZES:
        rng, counts = np.random.default_rng(n), np.zeros(2)
        for _ in range(runs):
            loss, cost = rng.exponential(size=(2, 2, n))
            tied = rank_models({"loss": dict(zip("ab", loss, strict=True)), "cost": dict(zip("ab", cost, strict=True))})
            apart = rank_models(
                {"loss": {"a": loss[0], "b": loss[1] + 0.2}, "cost": {"a": cost[0] + 0.2, "b": cost[1]}}
            )
            counts += bool(tied.disagreements), not apart.disagreements
        yield n, *(counts / runs).tolist()


SECTIONS = (
    Section(
        '"Better" and "worse" of two models, of rows and of a tally: falsely where both are alike, missed where one is better',
        ("table", "n", "falsely", "missed", "falsely, of a tally", "missed, of a tally"),
        models,
    ),
    Section(
        '"Part of the fit does not generalise", "the reported rows are easier": falsely, and missed of rows known by heart',
        ("table", "n", "falsely does not generalise", "falsely easier", "missed"),
        gaps,
    ),
    Section(
        'A metric "aligned" with the loss, or "against" it: falsely of two models that are alike, and missed',
        ("table", "metric", "n", "falsely", "missed"),
        metrics,
    ),
    Section(
        '"Ranked apart" by two measures: falsely where models are alike, and missed where they are',
        ("n", "falsely", "missed"),
        ranks,
    ),
)
