"""Write docs/risk_coverage.md: the simulations that are too slow for the tests, beside what theory says. Run, do not edit."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.stats import binom, norm

from goodmeasure.calibrating.calibration import calibration
from goodmeasure.calibrating.miscalibration import debiased_squared_error
from goodmeasure.calibrating.smoothing import on_grid, smooth_error
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import curves
from goodmeasure.decisions.decision import decide, expected_cost
from goodmeasure.risks.crossvalidation import naive, nested
from goodmeasure.statistics.intervals import (
    clopper_pearson,
    confidence_sequence,
    empirical_bernstein,
    mean_estimate,
    normal_quantile,
    time_blocks,
    wald,
    wilson,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "risk_coverage.md"
Row = tuple[object, ...]


def table(title: str, head: Row, rows: Iterable[Row]) -> str:
    lines = [f"## {title}", "", "| " + " | ".join(map(str, head)) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    print("\n".join(lines), flush=True)
    return "\n".join([*lines, ""])


def calibrated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(10_000 + seed)
    p = rng.random(n)
    return (rng.random(n) < p) * 1.0, p


def covered(found: Iterable[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in found]))


# --- intervals of a share ---


def bernstein(k: int, n: int) -> tuple[float, float]:
    return empirical_bernstein(k / n, k / n * (1 - k / n) * n / (n - 1), n)


def shares() -> Iterator[Row]:
    for n, p in [(17, 0.5), (18, 0.5), (50, 0.1), (100, 0.01), (1000, 0.002), (10_000, 0.01)]:
        chance = binom.pmf(np.arange(n + 1), n, p)
        row: list[object] = [n, p]
        for interval in (wald, wilson, clopper_pearson, bernstein):
            ends = np.array([interval(k, n) if chance[k] > 1e-13 else (0.0, 1.0) for k in range(n + 1)])
            row.append(float(chance[(ends[:, 0] <= p) & (p <= ends[:, 1])].sum()))
        yield tuple(row)


# --- rows that go together ---


def copies() -> Iterator[Row]:
    for k in (1, 2, 4, 10):
        plain, robust = [], []
        for seed in range(1000):
            values = np.random.default_rng(seed).normal(size=200)
            rows, ids = np.repeat(values, k), np.repeat(np.arange(200), k)
            for kept, together in ((plain, None), (robust, ids)):
                one = mean_estimate(rows, together=together)
                kept.append((one.low, one.high))
        yield k, 2 * norm.cdf(1.959964 / math.sqrt(k)) - 1, covered(plain, 0), covered(robust, 0)


def autocorrelated() -> Iterator[Row]:
    from scipy.signal import lfilter

    for phi in (0.0, 0.5, 0.8):
        plain, blocks = [], []
        for seed in range(1000):
            x = lfilter([1], [1, -phi], np.random.default_rng(seed).normal(size=5200))[200:]
            for kept, together in ((plain, None), (blocks, time_blocks(np.arange(5000), 5000))):
                one = mean_estimate(x, together=together)
                kept.append((one.low, one.high))
        ratio = math.sqrt((1 + phi) / (1 - phi))
        yield phi, ratio, 2 * norm.cdf(1.959964 / ratio) - 1, covered(plain, 0), covered(blocks, 0)


# --- looking again and again ---


def peeking(runs: int = 20_000) -> Iterator[Row]:
    known = {1: 0.05, 2: 0.083, 5: 0.142, 10: 0.193, 20: 0.248, 50: 0.320, 100: 0.374, 1000: 0.530}
    rng, n = np.random.default_rng(0), np.arange(1, 1001)
    bound = np.array([confidence_sequence(0.0, 1.0, int(t))[1] for t in n])
    crossed, wrong = dict.fromkeys(known, 0), 0
    for _ in range(runs // 500):
        mean = np.cumsum(rng.normal(size=(500, 1000)), axis=1) / n
        z = np.abs(mean) * np.sqrt(n)
        wrong += int((np.abs(mean) > bound).any(axis=1).sum())
        for looks in known:
            at = np.linspace(1000 / looks, 1000, looks).round().astype(int) - 1
            crossed[looks] += int((z[:, at] > 1.959964).any(axis=1).sum())
    for looks, published in known.items():
        yield looks, published, crossed[looks] / runs
    yield "confidence sequence, 1000 looks", "at most 0.05", wrong / runs


# --- cross-validation ---


def cross_validation(runs: int = 10_000, nested_runs: int = 1000) -> Iterator[Row]:
    """Least squares, n = 50, p = 20, 10 folds, nominal 90 %: the risk of the fit on all rows is 1 + |error of b|²."""
    published, student, wide, misses, believed = [], [], [], [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(50, 20)), rng.normal(size=50)

        def losses_of(train: np.ndarray, test: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> np.ndarray:
            b = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
            return (y[test] - x[test] @ b) ** 2

        truth = 1 + float(np.sum(np.linalg.lstsq(x, y, rcond=None)[0] ** 2))
        one = naive(losses_of, 50, level=0.9, seed=seed)
        half = normal_quantile(0.9) * one.standard_error * math.sqrt(50 / 49)  # the deviation with n - 1
        published.append(abs(one.value - truth) <= half)
        student.append(one.low <= truth <= one.high)
        misses.append(one.value - truth)
        believed.append(one.standard_error)
        if seed < nested_runs:
            one = nested(losses_of, 50, repeats=10, level=0.9, seed=seed)
            wide.append(one.low <= truth <= one.high)
    yield "losses as independent, normal quantile (as published)", "0.63 ± 0.05", *share(published)
    yield "losses as independent, Student's quantile (`naive`)", "", *share(student)
    yield "`nested`", "0.90 ± 0.04", *share(wide)
    told = f"{np.mean(misses):.3f}, {np.std(misses):.3f}, {np.mean(believed):.3f}"
    yield "mean of held-out losses less the risk: mean, deviation, deviation believed", "", told, runs


def share(inside: list[bool]) -> tuple[str, int]:
    """How often, with the standard error that the number of runs leaves."""
    found = float(np.mean(inside))
    return f"{found:.3f} ± {math.sqrt(found * (1 - found) / len(inside)):.3f}", len(inside)


# --- calibration ---


def binned_error(y: np.ndarray, p: np.ndarray, bins: int) -> tuple[float, float]:
    """The plug-in errors that most tools print: mean absolute and mean squared, in bins of equal width."""
    cell = np.minimum((p * bins).astype(int), bins - 1)
    size = np.bincount(cell, minlength=bins)
    gap = np.divide(np.bincount(cell, weights=y - p, minlength=bins), size, out=np.zeros(bins), where=size > 0)
    return float(size @ np.abs(gap) / len(y)), float(size @ gap**2 / len(y))


def bias_of_errors() -> Iterator[Row]:
    for n, bins in ((1000, 15), (1000, 100), (10_000, 15)):
        plug = np.array([binned_error(*calibrated(n, seed), bins) for seed in range(200)])
        fair = np.array(
            [
                debiased_squared_error(y - p, p, np.ones(n), bins=bins).value
                for y, p in map(calibrated, [n] * 200, range(200))
            ]
        )
        absolute = math.sqrt(2 * bins / (math.pi * n)) * math.pi / 8
        told = f"{fair.mean():.1e} ± {fair.std() / math.sqrt(200):.1e}"
        yield n, bins, absolute, float(plug[:, 0].mean()), bins / (6 * n), float(plug[:, 1].mean()), told


def smooth() -> Iterator[Row]:
    for n, known in ((1000, 0.0303), (10_000, 0.0141), (100_000, 0.0066)):
        found = [smooth_error(on_grid(p, y - p), n) for y, p in map(calibrated, [n] * 20, range(20))]
        yield n, known, float(np.mean(found))


def of_calibration(runs: int = 200) -> Iterator[Row]:
    found = [calibration(*calibrated(1000, seed), seed=seed) for seed in range(runs)]
    yield "rejects calibrated scores at .05", 0.05, float(np.mean([one.p_value < 0.05 for one in found]))
    yield (
        "miscalibration interval holds 0",
        0.95,
        covered([(c.miscalibration.low, c.miscalibration.high) for c in found], 0),
    )
    known = covered([(c.discrimination.low, c.discrimination.high) for c in found], 1 / 12)
    yield "discrimination interval holds 1/12", 0.95, known
    square = [calibration(y, q**2, seed=i) for i, (y, q) in enumerate(map(calibrated, [1000] * runs, range(runs)))]
    lost = covered([(c.miscalibration.low, c.miscalibration.high) for c in square], 1 / 30)
    yield "miscalibration interval of q² holds 1/30", 0.95, lost
    fair = covered([(c.squared_error.low, c.squared_error.high) for c in square], 1 / 30)
    yield "debiased interval of q² holds 1/30", 0.95, fair


# --- curves ---


def bands(runs: int = 4000) -> Iterator[Row]:
    """Calibrated uniform scores, for which the curves are known."""
    at = np.array([0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95])
    known = {
        "cost": at * (1 - at) / 2,
        "net_benefit": (1 - at) / 2,
        "recall": 1 - at**2,
        "false_alarms": (1 - at) ** 2,
        "precision": (1 + at) / 2,
    }
    for n in (200, 1000):
        inside = {name: np.zeros(len(at)) for name in known}
        area: list[bool] = []
        normal = np.zeros(len(at))
        for seed in range(runs):
            y, p = calibrated(n, seed)
            found = curves(y, p)
            gains = [mean_estimate((p >= t) * (y - (1 - y) * t / (1 - t))) for t in at]
            normal += [one.low <= exact <= one.high for one, exact in zip(gains, known["net_benefit"], strict=True)]
            for name, exact in known.items():
                band = found.band(name, at)  # type: ignore[arg-type]
                inside[name] += (band.low <= exact) & (exact <= band.high)
            one = found.area()
            area.append(one.low <= 5 / 6 <= one.high)
        for name, counts in inside.items():
            yield n, name, *(f"{each:.3f}" for each in counts / runs)
        yield n, "net_benefit, normal interval", *(f"{each:.3f}" for each in normal / runs)
        yield n, "area under the ROC curve", share(area)[0], *[""] * (len(at) - 1)


# --- decisions ---


def thresholds(runs: int = 200) -> Iterator[Row]:
    costs = Costs(false_negative=3, false_positive=1)
    for n in (300, 1000, 5000):
        found = [decide(*calibrated(n, seed), costs, seed=seed) for seed in range(runs)]
        exact = 3 / 2 * 0.25**2 + 0.75**2 / 2  # of deciding at 1/4
        yield (
            n,
            covered([(d.threshold.low, d.threshold.high) for d in found], 0.25),
            covered([(d.threshold.flat_low, d.threshold.flat_high) for d in found], 0.25),
            covered([(d.theory.cost.low, d.theory.cost.high) for d in found], exact),
            float(np.mean([d.cost.value for d in found])) - exact,
        )


def winners_curse(runs: int = 300) -> Iterator[Row]:
    costs, promised, told, true = Costs(false_negative=10, false_positive=1), [], [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        y, p = (rng.random(200) < 0.1) * 1.0, rng.random(200)
        if y.sum() < 2:
            continue
        found = decide(y, p, costs)
        promised.append(expected_cost(y, p, costs, found.threshold.value).value)
        told.append(found.cost.value)
        t = min(found.threshold.value, 1.0)
        true.append(0.1 * 10 * t + 0.9 * (1 - t))
    yield "cost on the rows that chose the threshold", "0.773", float(np.mean(promised))
    yield "cross-fitted cost", "", float(np.mean(told))
    yield "true cost of the chosen threshold", "0.944", float(np.mean(true))
    yield "best constant", "0.900", 0.9


def forests() -> Iterator[Row]:
    """A threshold tuned on training scores of a fully grown forest, against held-out ones and none at all."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier

    costs = Costs(false_negative=10, false_positive=1)
    x, y = make_classification(20_600, n_features=20, n_informative=5, flip_y=0.3, weights=[0.8], random_state=0)
    model = RandomForestClassifier(200, random_state=0).fit(x[:600], y[:600])
    own, new = (model.predict_proba(part)[:, 1] for part in (x[:600], x[600:]))
    half = np.arange(20_000) < 10_000
    test = y[600:][~half].astype(float), new[~half], costs
    for name, rows in (("training scores", (y[:600], own)), ("held-out scores", (y[600:][half], new[half]))):
        t = decide(rows[0].astype(float), rows[1], costs).threshold.value
        yield name, t, expected_cost(rows[0].astype(float), rows[1], costs, t).value, expected_cost(*test, t).value
    yield "none: Bayes", costs.threshold, "", expected_cost(*test, costs.threshold).value


SECTIONS: list[tuple[str, Row, Callable[[], Iterator[Row]]]] = [
    (
        "Intervals of a share: exact coverage, nominal .95",
        ("n", "p", "Wald", "Wilson", "Clopper-Pearson", "empirical Bernstein"),
        shares,
    ),
    (
        "k copies of each row: coverage, nominal .95",
        ("k", "theory, rows as independent", "rows as independent", "cluster-robust"),
        copies,
    ),
    (
        "Autoregressive rows, n = 5000: coverage, nominal .95",
        ("φ", "ratio of standard errors", "theory, as independent", "as independent", "time blocks"),
        autocorrelated,
    ),
    ("Chance of a false alarm when a .05 test is looked at again and again", ("looks", "published", "found"), peeking),
    (
        "Cross-validation, 50 rows and 20 features: coverage, nominal .90",
        ("interval", "published", "found, with its standard error", "runs"),
        cross_validation,
    ),
    (
        "Calibration errors of calibrated scores",
        ("n", "bins", "theory of mean absolute gap", "plug-in", "theory of mean gap²", "plug-in", "debiased"),
        bias_of_errors,
    ),
    ("Smooth calibration error of calibrated scores", ("n", "published", "found"), smooth),
    ("Calibration of 1,000 rows", ("what", "nominal", "found"), of_calibration),
    (
        "Bands of curves at fixed thresholds, 4,000 runs: coverage, nominal .95, standard error .003",
        ("n", "curve", ".05", ".1", ".2", ".5", ".8", ".9", ".95"),
        bands,
    ),
    (
        "Thresholds under costs 3 to 1 (best: .25): coverage, nominal .95, and bias of the cross-fitted cost",
        ("n", "interval", "flat zone", "theory's cost", "cross-fitted cost less the best"),
        thresholds,
    ),
    (
        "A useless score, 200 rows, one event in ten, a miss ten times as dear",
        ("what", "published", "found"),
        winners_curse,
    ),
    ("Thresholds for a fully grown forest", ("tuned on", "threshold", "cost there", "cost on new rows"), forests),
]


def main() -> None:
    start = time.time()
    parts = [table(title, head, rows()) for title, head, rows in SECTIONS]
    head = (
        "# What intervals cover\n\n"
        "Written by `scripts/nightly_risk.py`, which takes too long for `make docs`. Published figures are cited in "
        "`docs/risk.md`.\n"
    )
    PAGE.write_text("\n".join([head, *parts]), encoding="utf-8")
    print(f"{time.time() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
