"""What it is worth to train for the costs, beside cross-entropy and a threshold, and what it costs where the model is right."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np

import goodmeasure as gm
from simulations.sections import Row, Section

TEST = 20_000
RUNS = {100: 40, 300: 40, 1000: 20, 5000: 8}
Floats = np.ndarray
Table = tuple[Floats, Floats]


def logistic(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-score))


def right(rng: np.random.Generator, n: int) -> Table:
    """A model of these features can be right."""
    x = rng.normal(size=(n, 3))
    return x, logistic(-1.5 + x @ [1.0, -0.7, 0.4])


def turning(rng: np.random.Generator, n: int) -> Table:
    """Each probability has its own straight line, and no two of them are parallel (Hand and Vinciotti 2003)."""
    x = rng.random((n, 2))
    return x, x[:, 1] / x.sum(axis=1)


def heavy(rng: np.random.Generator, n: int) -> Table:
    """Heavy tails, and two features that act together."""
    x = rng.standard_t(3, size=(n, 3))
    return x, logistic(-2 + x @ [1.0, -0.7, 0.4] + 0.4 * x[:, 0] * x[:, 1])


def rare(rng: np.random.Generator, n: int) -> Table:
    """A few in a hundred, more at both ends of a feature."""
    x = rng.normal(size=(n, 3))
    return x, logistic(-4.2 + 0.9 * x[:, 0] + 0.7 * x[:, 1] ** 2)


# Where the odds are linear, and where they are not; the threshold of the costs that are known.
TRUTHS: dict[str, tuple[Callable[[np.random.Generator, int], Table], float]] = {
    "linear": (right, 0.2),
    "turning": (turning, 0.2),
    "heavy tails": (heavy, 0.2),
    "rare, curved": (rare, 0.05),
}


def situations(threshold: float) -> dict[str, tuple[gm.Loss, Floats]]:
    """By what is known of the costs: the loss that is tailored to it, and the thresholds at which the model is used."""
    ends = np.array([0.5, 1.5]) * threshold
    known = gm.Costs(false_negative=1 - threshold, false_positive=threshold)
    between = gm.Costs(false_negative=1 - ends, false_positive=ends)
    return {
        "known": (gm.tailored(known), np.array([threshold])),
        "in a range": (gm.tailored(between), np.linspace(*ends, 11)),
        "half of what they are": (gm.tailored(known), np.array([2 * threshold])),
    }


def cost(acts: Floats, p: Floats, threshold: float) -> float:
    """The mean cost of acts where false alarms and misses cost the threshold and what is left to 1."""
    return float(np.mean(np.where(acts, threshold * (1 - p), (1 - threshold) * p)))


def tuned(q: Floats, y: Floats, threshold: float) -> float:
    """The probability from which acting cost least on these rows."""
    order = np.argsort(-q)
    total = np.cumsum(threshold - y[order])
    least = int(np.argmin(total))
    return float(q[order[least]]) if total[least] < 0 else np.inf


def fitted(loss: gm.Loss, x: Floats, y: Floats, x_new: Floats) -> tuple[Floats, Floats]:
    """Probabilities of the rows of the fit, and of new ones."""
    model = gm.LossClassifier(loss, alpha=0.001).fit(x, y)
    return model.predict_proba(x)[:, 1], model.predict_proba(x_new)[:, 1]


def excess(truth: str, n: int, seed: int) -> Iterator[tuple[str, list[float]]]:
    """By situation: how much more than the best rule cross-entropy costs, with a tuned threshold, and the tailored loss."""
    make, threshold = TRUTHS[truth]
    rng = np.random.default_rng(10_000 * n + seed)
    x, p = make(rng, n)
    y = (rng.random(n) < p) * 1.0
    if y.min() == y.max():
        return
    x_new, p_new = make(rng, TEST)
    seen, plain = fitted(gm.losses.binary_cross_entropy(), x, y, x_new)
    for name, (loss, used) in situations(threshold).items():
        _, own = fitted(loss, x, y, x_new)
        best = sum(cost(p_new >= t, p_new, t) for t in used)
        rules = ([plain >= t for t in used], [plain >= tuned(seen, y, t) for t in used], [own >= t for t in used])
        yield name, [sum(cost(a, p_new, t) for a, t in zip(acts, used, strict=True)) / best - 1 for acts in rules]


def costs_of_training() -> Iterator[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for truth in TRUTHS:
            for n, runs in RUNS.items():
                found: dict[str, list[list[float]]] = {}
                for seed in range(runs):
                    for name, each in excess(truth, n, seed):
                        found.setdefault(name, []).append(each)
                for name, rows in found.items():
                    less = np.array([plain - own for plain, _, own in rows])
                    told = f"{less.mean():.3f} ± {less.std(ddof=1) / np.sqrt(len(less)):.3f}"
                    yield n, truth, name, *np.mean(rows, axis=0).tolist(), told, f"{np.mean(less > 0):.2f}", len(rows)


SECTIONS = (
    Section(
        "Training for the costs (gm.tailored) and cross-entropy with a threshold: expected cost above that of the best rule",
        (
            "rows",
            "odds",
            "costs",
            "cross-entropy",
            "with a tuned threshold",
            "tailored",
            "tailored saves",
            "cheaper in",
            "tables",
        ),
        costs_of_training,
    ),
)
