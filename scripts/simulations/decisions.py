"""Curves, thresholds, and what decisions cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import curves
from goodmeasure.decisions.decision import decide, expected_cost
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.statistics.intervals import mean_estimate
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section, calibrated, covered, share


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


def rare_and_dear(runs: int = 1000) -> Iterator[Row]:
    """A rule that leaves four rows of five alone, some of them events; misses cost so much that always acting costs the same."""
    for n in (113, 300, 1000, 5000):
        for misses in (0.001, 0.003, 0.01, 0.03):
            dear = 0.8 / misses
            rng, inside, plain, falsely, missed = np.random.default_rng(0), 0, 0, [0, 0], 0
            for _ in range(runs):
                kind = rng.choice(4, n, p=[0.8, misses, 0.1, 0.1 - misses])  # left, missed, false alarm, caught
                y, acts = kind % 2, kind // 2
                prices = Prices(Costs(false_negative=dear, false_positive=1), y, Sample(np.ones(n), np.ones(n)))
                rule, always = Policy(acts, (0.5, 0.5)), Policy.from_(0.0, np.ones(n))
                cost, normal = prices.cost(rule), mean_estimate(prices.rows(rule))
                inside += cost.low <= 0.9 <= cost.high
                plain += normal.low <= 0.9 <= normal.high
                word = prices.extra(always, rule).verdict
                falsely[0] += word == "worse"
                falsely[1] += word == "better"
                cheap = Prices(Costs(false_negative=dear / 4, false_positive=1), y, prices.sample)
                missed += cheap.extra(always, rule).verdict != "worse"
            share = [count / runs for count in (inside, plain, *falsely, missed)]
            yield n, misses, dear, *share


SECTIONS = (
    Section(
        "Rare dear misses, 1,000 runs: coverage of the cost, and 'always acting costs more' (or less) where it costs the same",
        (
            *(
                "n",
                "share missed",
                "a miss costs",
                "covers",
                "interval of a mean covers",
                "falsely more",
                "falsely less",
            ),
            "more not told where a miss costs a quarter",
        ),
        rare_and_dear,
    ),
    Section(
        "Bands of curves at fixed thresholds, 4,000 runs: coverage, nominal .95, standard error .003",
        ("n", "curve", ".05", ".1", ".2", ".5", ".8", ".9", ".95"),
        bands,
    ),
    Section(
        "Thresholds under costs 3 to 1 (best: .25): coverage, nominal .95, and bias of the cross-fitted cost",
        ("n", "interval", "flat zone", "theory's cost", "cross-fitted cost less the best"),
        thresholds,
    ),
    Section(
        "A useless score, 200 rows, one event in ten, a miss ten times as dear",
        ("what", "published", "found"),
        winners_curse,
    ),
    Section(
        "Thresholds for a fully grown forest", ("tuned on", "threshold", "cost there", "cost on new rows"), forests
    ),
)
