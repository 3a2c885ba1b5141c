"""From a probability to an act."""

from __future__ import annotations

import numpy as np

from goodmeasure.calibrating.base_rates import prior_shift as shifted
from goodmeasure.calibrating.calibration import calibration as judged
from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page

_COSTS = Costs(false_negative=40, false_positive=5)
_P = np.linspace(0, 1, 25)
_DECIDE = "goodmeasure decide DATA.csv --y YES --p P --cost fn=40 --cost fp=5"


@page(
    "Dawid 1982, The well-calibrated Bayesian",
    "goodmeasure score DATA.csv --y YES --p P",
    also=(
        "calibrated",
        "reliability",
        "well-calibrated",
        "miscalibration",
        "classification-calibrated",
        "recalibration",
    ),
    near=("log loss", "threshold", "undistorted", "proper"),
)
def calibration() -> Shown:
    """A model is calibrated when what happens agrees with what it says: of the rows that got 30 %, 30 % are yes.

    A loss is classification-calibrated when its best raw outputs name the most likely class.
    """
    random = np.random.default_rng(0)
    z = random.normal(0, 1.5, 1000)
    y = (random.random(1000) < 1 / (1 + np.exp(-z))).astype(float)
    found = {name: judged(y, 1 / (1 + np.exp(-factor * z))) for name, factor in (("true", 1.0), ("too sure", 3.0))}
    off = [f"{name} {one.error.value:.3f} [{one.error.low:.3f}, {one.error.high:.3f}]" for name, one in found.items()]
    p = _P[1:-1]
    seen = {"true": p, "too sure": 1 / (1 + (1 / p - 1) ** (1 / 3))}
    said = "The calibration error of a model that knows the probabilities, and of one whose raw outputs are three times as large"
    return Shown(f"{said}: {', '.join(off)}. What happens where they say p:", lines(p, seen, "p"))


@page(
    "Elkan 2001, The foundations of cost-sensitive learning",
    _DECIDE,
    also=("cutoff", "cut-off", "operating point", "decision threshold", "decision boundary"),
    near=("cost", "decision", "class weight", "calibration"),
)
def threshold() -> Shown:
    """The probability from which on it pays to act: fp / (fp + fn), what a false alarm costs against what a miss costs.

    One half is right only where both cost the same. It needs probabilities that mean what they say.
    """
    at = {f"a miss costs {fn}": Costs(false_negative=fn, false_positive=5).threshold for fn in (5, 40, 200)}
    said = ", ".join(f"{value:.3f}" for value in at.values())
    return Shown(f"A false alarm costs 5. If a miss costs 5, 40 or 200, act from {said} on.", bars(at))


@page(
    "Elkan 2001, The foundations of cost-sensitive learning",
    _DECIDE,
    also=("costs", "cost matrix", "price", "utility", "payoff"),
    near=("threshold", "decision", "loss"),
)
def cost() -> Shown:
    """What a mistake costs in the world, in your own unit: money, hours, lives.

    It is not the loss: the loss trains probabilities that serve any costs, and the costs decide what to do with them.
    """
    act, leave = 5 * (1 - _P), 40 * _P
    at = 0.2
    said = f"At a probability of {at:g} acting costs {5 * (1 - at):g} a row on average and leaving alone {40 * at:g}"
    return Shown(f"{said} (a miss costs 40, a false alarm 5): they cross at {_COSTS.threshold:.3f}.",
                 lines(_P, {"act": act, "leave": leave}, "p"))  # fmt: skip


@page(
    "Savage 1954, The Foundations of Statistics",
    _DECIDE,
    also=("act", "action", "decision rule", "bayes act", "decision theory"),
    near=("threshold", "cost", "calibration"),
)
def decision() -> Shown:
    """What is done with a prediction: the act of least expected cost.

    A prediction good for one set of costs may be poor for another; a calibrated probability serves them all.
    """
    random = np.random.default_rng(0)
    p = random.beta(0.6, 2, 4000)
    y = random.random(4000) < p
    rules = {"at .5": p >= 0.5, f"at {_COSTS.threshold:.2f}": p >= _COSTS.threshold, "always": p >= 0, "never": p > 1}
    priced = {name: float(np.mean(40.0 * (y & ~act) + 5.0 * (~y & act))) for name, act in rules.items()}
    said = ", ".join(f"{name} {value:.2f}" for name, value in priced.items())
    return Shown(f"What a row costs, if a miss costs 40 and a false alarm 5, acting {said}.", bars(priced))


@page(
    "Meehl and Rosen 1955, Antecedent probability and the efficiency of psychometric signs",
    "goodmeasure run DATA.csv --target YES",
    also=("prevalence", "prior", "class prior", "prior probability", "base-rate fallacy", "accuracy paradox"),
    near=("prior shift", "skill", "class weight"),
)
def base_rate() -> Shown:
    """The share of yes among all rows: what the best constant predicts, and what a rare event is rare by.

    Where it is small, a test that is nearly always right is mostly wrong when it says yes.
    """
    rate = np.linspace(0.01, 0.5, 25)
    right = 0.95 * rate / (0.95 * rate + 0.05 * (1 - rate))
    at = {f"{100 * r:g} % yes": 0.95 * r / (0.95 * r + 0.05 * (1 - r)) for r in (0.01, 0.1, 0.5)}
    said = ", ".join(f"{value:.0%} where {name}" for name, value in at.items())
    return Shown(f"A test is right on 95 % of yes and of no. When it says yes, it is yes in {said}.",
                 lines(rate, {"is yes": right}, "rate"))  # fmt: skip


@page(
    "Saerens, Latinne and Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities",
    f"{_DECIDE} --prevalence 0.1",
    also=("label shift", "prior probability shift", "target shift", "base rate shift", "distribution shift"),
    near=("base rate", "class weight", "calibration"),
)
def prior_shift() -> Shown:
    """Yes is more or less common where a model is used than where it was trained, and nothing else has changed.

    Then the odds are multiplied by the ratio of the two odds, and every probability is mended exactly.
    """
    p = _P[1:-1]
    moved = np.asarray(shifted(p, trained_at=0.5, used_at=0.1))
    one = float(np.asarray(shifted(np.array([0.8]), trained_at=0.5, used_at=0.1))[0])
    return Shown(f"Trained where half are yes and used where a tenth are: a predicted .8 means {one:.2f}.",
                 lines(p, {"means": moved}, "said"))  # fmt: skip
