"""How a model learns, and what bends it."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.calibrating.base_rates import undo_weights
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page

_Z = np.linspace(-4, 4, 25)
_DEGREES = range(1, 15)


@page(
    "Cauchy 1847, Méthode générale pour la résolution des systèmes d'équations simultanées",
    "goodmeasure run DATA.csv --target YES",
    also=("derivative", "slope", "gradient descent", "backpropagation"),
    near=("learning signal", "convexity", "loss"),
)
def gradient() -> Shown:
    """How fast the loss grows as each weight grows: training takes a step against it, again and again.

    For a linear model it is the signal of each row times the row's features, averaged.
    """
    loss, x, y = losses.squared_error(), np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    weight, path = 0.0, []
    for _ in range(31):
        path.append(loss(y, x * weight))
        weight -= 0.05 * float(np.mean(np.asarray(loss.gradient(y, x * weight)) * x))
    first = float(np.mean(np.asarray(loss.gradient(y, x * 0.0)) * x))
    said = (
        f"For y = 2 x and the weight 0 the gradient is {first:.3g}; thirty steps of .05 against it reach {weight:.3f}"
    )
    return Shown(f"{said}, and the loss falls from {path[0]:.3g} to {path[-1]:.2g}.",
                 lines(np.arange(31.0), {"loss": np.array(path)}, "step"))  # fmt: skip


@page(
    "Friedman 2001, Greedy function approximation: a gradient boosting machine",
    "goodmeasure run DATA.csv --target YES",
    also=("signal", "pseudo-residual", "pull", "teaching signal"),
    near=("gradient", "loss", "lipschitz", "exercise"),
)
def learning_signal() -> Shown:
    """The derivative of the loss by the raw output: what one row tells the model to do.

    A good one is directional (the expected loss falls all the way toward what the loss asks for), sensitive (a larger error
    pulls harder, or at least does not stop pulling) and aligned (lowering the loss improves what is judged in the end).
    """
    kinds = {"log loss": losses.binary_cross_entropy(), "brier": losses.binary_brier(), "zero-one": losses.zero_one()}
    curves = {name: np.asarray(kind.gradient(np.ones(len(_Z)), _Z)) for name, kind in kinds.items()}
    said = ", ".join(f"{name} {value[0]:.3g}" for name, value in curves.items())
    return Shown(f"Surely wrong (z = -4 and it was yes), the signal is under {said}.", lines(_Z, curves, "z"))


def _polynomial(degree: int, n: int = 20) -> tuple[float, float]:
    """The mean squared error of a fitted polynomial, on its rows and on new ones."""
    random = np.random.default_rng(3)
    x, new = random.uniform(-1, 1, n), random.uniform(-1, 1, 2000)
    y, truth = (np.sin(3 * at) + random.normal(0, 0.3, len(at)) for at in (x, new))
    weights = np.polynomial.legendre.legfit(x, y, degree)
    loss = losses.squared_error()
    fitted, held = (np.polynomial.legendre.legval(at, weights) for at in (x, new))
    return loss(y, fitted), loss(truth, held)


@page(
    "Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 7.2",
    "goodmeasure run DATA.csv --target YES",
    also=("overfit", "over-fitting", "underfitting", "bias-variance", "variance"),
    near=("generalisation gap", "memorisation", "held-out"),
)
def overfitting() -> Shown:
    """A model overfits when it learns what is chance in its rows: they get better and new rows get worse."""
    fits = np.array([_polynomial(degree) for degree in _DEGREES])
    curves = {"fitted": fits[:, 0], "log10 new": np.log10(fits[:, 1])}
    best = int(np.argmin(fits[:, 1]))
    (fitted, new), (fitted_last, new_last) = fits[best], fits[-1]
    said = (
        f"Polynomials through 20 points: from degree {_DEGREES[best]} to {_DEGREES[-1]} the mean squared error falls from "
        f"{fitted:.2f} to {fitted_last:.2f} on the fitted rows and grows from {new:.2f} to {new_last:.3g} on new ones."
    )
    return Shown(said, lines(np.array(_DEGREES, float), curves, "degree"))


@page(
    "Zhang, Bengio, Hardt, Recht and Vinyals 2017, Understanding deep learning requires rethinking generalization",
    "goodmeasure run DATA.csv --target YES",
    also=("memorization", "learning by heart", "rote learning", "interpolation"),
    near=("overfitting", "leakage", "generalisation gap"),
)
def memorisation() -> Shown:
    """A model memorises when it knows its rows by heart: it is right on them even where there is nothing to learn."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 300, 2)), random.integers(0, 2, (2, 300))
    nearest = ((x[1][:, None] - x[0][None]) ** 2).sum(axis=2).argmin(axis=1)
    own = ((x[0][:, None] - x[0][None]) ** 2).sum(axis=2).argmin(axis=1)
    right = {"own rows": float((y[0][own] == y[0]).mean()), "new rows": float((y[0][nearest] == y[1]).mean())}
    said = "Labels are tossed like coins. The label of the nearest known row is right on"
    return Shown(
        f"{said} {right['own rows']:.0%} of its own rows and {right['new rows']:.0%} of new ones.", bars(right)
    )


@page(
    "King and Zeng 2001, Logistic regression in rare events data",
    "goodmeasure choose DATA.csv --target YES --cost fn=40 --cost fp=5",
    also=("class weights", "positive weight", "pos_weight", "balanced", "class imbalance", "cost-sensitive learning"),
    near=("undistorted", "threshold", "base rate", "prior shift"),
)
def class_weight() -> Shown:
    """How much more the rows of one class count in the loss.

    It multiplies the odds of what is learned, exactly and invertibly; so a rare class is no reason for it, and a costly miss is
    better met by the threshold.
    """
    p = np.linspace(0.01, 0.99, 25)
    weighted = np.asarray(undo_weights(p, positive=1 / 19.0))
    moved = float(np.asarray(undo_weights(np.array([0.05]), positive=1 / 19.0))[0])
    return Shown(
        f"Under a weight of 19 on yes, a true .05 is learned as {moved:.2f}.", lines(p, {"learned": weighted}, "true p")
    )


@page(
    "Charoenphakdee, Vongkulbhisal, Chairatanakul and Sugiyama 2021, On focal loss for class-posterior probability estimation",
    "goodmeasure score DATA.csv --y YES --p Z --raw --loss binary_focal",
    also=("focal loss", "hard examples"),
    near=("class weight", "undistorted", "proper"),
)
def focusing() -> Shown:
    """Counting sure and right rows for less, as focal loss does, so that hard rows teach more.

    What the sigmoid shows of such a model is no probability: it lies nearer to one half, and predict undoes that.
    """
    shown = 1 / (1 + np.exp(-_Z))
    meant = np.asarray(losses.binary_focal().predict(_Z))
    z = float(losses.binary_focal().raw(np.array([0.05]))[0])
    said = f"With gamma 2 a true .05 is learned as the raw output {z:.2f}"
    return Shown(f"{said}, of which the sigmoid says {1 / (1 + np.exp(-z)):.2f}.",
                 lines(_Z, {"sigmoid": shown, "meant": meant}, "z"))  # fmt: skip


@page(
    "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, Rethinking the Inception architecture",
    "goodmeasure score DATA.csv --y YES --p Z --raw --loss binary_cross_entropy --loss binary_brier",
    also=("smoothing", "soft labels", "soft targets"),
    near=("focusing", "undistorted", "log loss"),
)
def label_smoothing() -> Shown:
    """Telling the model that no label is sure: a part of each label is spread over all classes.

    It keeps raw outputs finite, and moves every probability toward one half, exactly and invertibly.
    """
    p = np.linspace(0.01, 0.99, 25)
    loss = losses.binary_cross_entropy(smoothing=0.1)
    learned = 1 / (1 + np.exp(-np.asarray(loss.raw(p))))
    top = float(1 / (1 + np.exp(-np.asarray(loss.raw(np.array([0.99])))[0])))
    return Shown(f"With a smoothing of .1 a true .99 is learned as {top:.3f}, and predict turns it back.",
                 lines(p, {"learned": learned}, "true p"))  # fmt: skip


@page(
    "Elkan 2001, The foundations of cost-sensitive learning",
    "goodmeasure score DATA.csv --y YES --p Z --raw --loss binary_focal",
    also=("distortion", "implied probability"),
    near=("class weight", "focusing", "label smoothing", "calibration"),
)
def undistorted() -> Shown:
    """Class weights, focusing and label smoothing change which probability is best for the loss, exactly and invertibly.

    predict undoes the distortion of the loss that the model was trained on. Sampling error and misfit remain: recalibrate on
    other rows for those.
    """
    kinds = {
        "plain": losses.binary_cross_entropy(),
        "weight 19": losses.binary_cross_entropy(positive_weight=19.0),
        "focal 2": losses.binary_focal(gamma=2.0),
        "smoothing .1": losses.binary_cross_entropy(smoothing=0.1),
    }
    learned = {
        name: 1 / (1 + float(np.exp(-np.asarray(loss.raw(np.array([0.05])))[0]))) for name, loss in kinds.items()
    }
    said = ", ".join(f"{name}: {value:.2f}" for name, value in learned.items())
    return Shown(f"What the sigmoid says of a model that learned a true .05 well ({said}).", bars(learned))
