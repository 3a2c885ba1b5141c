"""What an error costs, and what is asked for."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page
from goodmeasure.statistics.row_arguments import Floats

_MISS = np.linspace(-4, 4, 25)
# Seven waiting times, one of them long.
_WAITS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 49.0])


@page(
    "Wald 1950, Statistical Decision Functions",
    "goodmeasure choose DATA.csv --target AMOUNT",
    also=("loss function", "error function", "objective", "criterion"),
    near=("cost", "elicits", "empirical risk", "learning signal"),
)
def loss() -> Shown:
    """What one wrong prediction counts: a number that is least when the prediction is right.

    Training lowers its mean. Which answer it asks for, and how hard a large miss pulls, follow from its formula.
    """
    zero = np.zeros(len(_MISS))
    kinds = {"squared": losses.squared_error(), "absolute": losses.absolute_error()}
    curves = {name: np.asarray(kind.value(zero, _MISS)) for name, kind in kinds.items()}
    far = [f"{kind([0.0], [4.0]) / kind([0.0], [1.0]):g} times under {name} error" for name, kind in kinds.items()]
    return Shown(f"A miss of 4 counts more than one of 1: {' and '.join(far)}.", lines(_MISS, curves, "miss"))


@page(
    "Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 10.6",
    "goodmeasure choose DATA.csv --target AMOUNT",
    also=("error", "residue"),
    near=("outlier", "loss", "robustness"),
)
def residual() -> Shown:
    """Target minus prediction: what is left of a target when the prediction is taken away.

    Tails of the target are not tails of the residuals: whether values are far out is asked of what is left.
    """
    prediction = losses.squared_error().best_constant(_WAITS)
    left = _WAITS - prediction
    rows = {f"wait {wait:g}": value for wait, value in zip(_WAITS, left, strict=True)}
    return Shown(f"Around their mean {prediction:.3g} the waits leave residuals from {left.min():.3g} to {left.max():.3g}; their"
                 f" sum is {left.sum():.0f}.", [f"{name:<9}{value:+.3g}" for name, value in rows.items()])  # fmt: skip


@page(
    "Good 1952, Rational decisions",
    "goodmeasure score DATA.csv --y YES --p P",
    also=("logloss", "log-loss", "logarithmic loss", "negative log-likelihood", "cross entropy loss"),
    near=("likelihood", "entropy", "KL divergence", "brier"),
)
def log_loss() -> Shown:
    """Minus the logarithm of the probability that was given to what happened: cross-entropy, the surprise.

    Only the true probabilities make its mean least. Who says never and is wrong pays without bound.
    """
    p = np.linspace(0.02, 0.98, 25)
    said = ", ".join(f"{q:g} costs {-np.log(q):.3g}" for q in (0.99, 0.5, 0.01))
    one = losses.binary_cross_entropy()
    value = np.asarray(one.value(np.ones(len(p)), np.asarray(one.raw(p))))
    return Shown(f"If it happened, a probability of {said}.", lines(p, {"log loss": value}, "p"))


@page(
    "Fisher 1922, On the mathematical foundations of theoretical statistics",
    "goodmeasure score DATA.csv --y YES --p P",
    also=("maximum likelihood", "log likelihood", "nll"),
    near=("log loss", "entropy"),
)
def likelihood() -> Shown:
    """The probability that a model gave to everything that happened, taken as a measure of the model.

    Its logarithm, with a minus and divided by the number of rows, is the mean log loss: the most likely model has the least.
    """
    p = np.linspace(0.05, 0.95, 25)
    found = p**7 * (1 - p) ** 3
    one = losses.binary_cross_entropy()
    best = float(one.predict(np.array([one.best_constant([1.0] * 7 + [0.0] * 3)]))[0])
    most = best**7 * (1 - best) ** 3
    said = f"Seven yes of ten are likeliest under p = {best:.2g}: {most:.2g}, against {0.5**10:.2g} under a half"
    return Shown(f"{said}; that is a mean log loss of {-np.log(most) / 10:.3f}.",
                 lines(p, {"likelihood": found}, "p"))  # fmt: skip


@page(
    "Shannon 1948, A Mathematical Theory of Communication",
    "goodmeasure score DATA.csv --y YES --p P",
    also=("shannon entropy", "uncertainty", "information"),
    near=("KL divergence", "log loss", "base rate"),
)
def entropy() -> Shown:
    """The mean surprise that is left when the true probabilities are known: no model can have a lower mean log loss.

    A fair coin has the most, a sure thing none.
    """
    p = np.linspace(0.01, 0.99, 25)
    found = _entropy(p)
    said = (
        f"A coin has an entropy of {_entropy(np.array(0.5)):.3f} nats, an event of 1 % {_entropy(np.array(0.01)):.3f}"
    )
    return Shown(f"{said}: a log loss of .06 is poor where events are that rare.", lines(p, {"entropy": found}, "p"))


def _entropy(p: Floats) -> Floats:
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log(1 - p)))


@page(
    "Kullback and Leibler 1951, On information and sufficiency",
    "goodmeasure score DATA.csv --y YES --p P --p Q",
    name="KL divergence",
    also=("kl", "kullback-leibler", "relative entropy", "kullback leibler divergence"),
    near=("entropy", "log loss", "proper"),
)
def kl_divergence() -> Shown:
    """How much mean log loss is lost by predicting q where the truth is p: log loss minus entropy.

    It is 0 only where q is p, and it is not the same the other way round.
    """
    one, q = losses.binary_cross_entropy(), np.linspace(0.02, 0.98, 25)
    lost = np.asarray(one.value(np.full(len(q), 0.2), np.asarray(one.raw(q)))) - float(_entropy(np.array(0.2)))
    there, back = (_divergence(p, q) for p, q in ((0.2, 0.5), (0.5, 0.2)))
    return Shown(f"Saying .5 where .2 is true loses {there:.3f}; saying .2 where .5 is true loses {back:.3f}.",
                 lines(q, {"lost at .2": lost}, "q"))  # fmt: skip


def _divergence(p: float, q: float) -> float:
    return float(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))


@page(
    "Gneiting 2011, Making and evaluating point forecasts",
    "goodmeasure choose DATA.csv --target AMOUNT --ask median",
    also=("elicitation", "elicitable", "asks for", "functional"),
    near=("quantile", "expectile", "proper"),
)
def elicits() -> Shown:
    """What a loss asks for: the answer that makes its expected value least.

    Squared error asks for the mean, absolute error for the median, pinball for a quantile, cross-entropy for the probabilities.
    Two losses that ask for different things have different best models, however good the training.
    """
    kinds = {
        "squared error": losses.squared_error(),
        "huber": losses.huber(),
        "absolute error": losses.absolute_error(),
    }
    asked = {name: float(kind.best_constant(_WAITS)) for name, kind in kinds.items()}
    said = ", ".join(f"{name} {value:.3g}" for name, value in asked.items())
    return Shown(f"Of the waits 1 to 6 and 49 the best constant is under {said}.", bars(asked))


@page(
    "Gneiting and Raftery 2007, Strictly proper scoring rules, prediction, and estimation",
    "goodmeasure score DATA.csv --y YES --p P --loss binary_brier",
    also=("proper scoring rule", "strictly proper", "propriety"),
    near=("elicits", "calibration", "focusing"),
)
def proper() -> Shown:
    """A loss of probabilities is strictly proper when only the true probabilities make its expected value least.

    It is so together with a link, the map from raw outputs to probabilities: focal loss is not proper with the sigmoid, and is
    with the link that its own formula implies, which predict applies.
    """
    p = np.linspace(0.02, 0.98, 25)
    curves = {
        "brier": np.asarray(0.3 * (1 - p) ** 2 + 0.7 * p**2),
        "absolute": np.asarray(0.3 * (1 - p) + 0.7 * p),
    }
    least = {name: p[int(np.argmin(value))] for name, value in curves.items()}
    return Shown(f"Where .3 is true, the expected Brier score is least at {least['brier']:.2f}, and the expected absolute error, "
                 f"which is not proper, at {least['absolute']:.2f}, the end of the picture.", lines(p, curves, "p"))  # fmt: skip


@page(
    "Koenker and Bassett 1978, Regression quantiles",
    "goodmeasure choose DATA.csv --target AMOUNT --ask quantile=0.9",
    also=("percentile", "pinball loss", "quantile regression", "check loss"),
    near=("expectile", "interval", "cost"),
)
def quantile() -> Shown:
    """The value that a given share of what may happen stays below: the median is the one half quantile.

    It is asked for by the pinball loss, and by whoever pays more for a unit too little than for one too much.
    """
    levels = np.linspace(0.05, 0.95, 25)
    found = np.array([float(losses.pinball(level=float(level)).best_constant(_WAITS)) for level in levels])
    said = f"Of the waits 1 to 6 and 49, the median is {np.median(_WAITS):g} and the .9 quantile"
    return Shown(f"{said} {losses.pinball(level=0.9).best_constant(_WAITS):g}: how long 49 is does not move the median.",
                 lines(levels, {"quantile": found}, "level"))  # fmt: skip


@page(
    "Newey and Powell 1987, Asymmetric least squares estimation and testing",
    "goodmeasure choose DATA.csv --target AMOUNT --ask expectile=0.9",
    also=("asymmetric least squares",),
    near=("quantile", "elicits"),
)
def expectile() -> Shown:
    """What a quantile is to the median, an expectile is to the mean: squared misses, weighted by their side.

    Unlike a quantile it hears how far out the far values are.
    """
    levels = np.linspace(0.05, 0.95, 25)
    found = np.array([float(losses.expectile(level=float(level)).best_constant(_WAITS)) for level in levels])
    middle, high = (float(losses.expectile(level=level).best_constant(_WAITS)) for level in (0.5, 0.9))
    return Shown(f"Of the waits 1 to 6 and 49 the .5 expectile is the mean, {middle:.3g}, and the .9 expectile {high:.3g}.",
                 lines(levels, {"expectile": found}, "level"))  # fmt: skip
