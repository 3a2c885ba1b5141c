"""Training: one loss, one kind of model, with its strength or its length chosen on the rows to tune."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving.arguments import check_targets
from goodmeasure.deriving.predictions import is_arrow
from goodmeasure.errors import NothingToLearn, UsageError
from goodmeasure.fitting.certificate import Certificate
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.growing import BoosterRows, Growing
from goodmeasure.fitting.learning import Learning
from goodmeasure.fitting.network import Network
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.openmp import threads_for
from goodmeasure.fitting.plain import PlainFit, best_constant, linear_model, linear_models
from goodmeasure.fitting.scorers import Scorer
from goodmeasure.frameworks.sklearn_names import native
from goodmeasure.making.loss import Loss
from goodmeasure.reading.tables import Table
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import scaled
from goodmeasure.strict.extras import needed
from goodmeasure.study.cases import Cases
from goodmeasure.study.encoding import Encoding, encoding
from goodmeasure.study.judging import constant_for
from goodmeasure.study.turns import Turn, of_labels, turns

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# Folds of few rows fit in no time, and tell strengths apart that lie between those: half as far on a scale of logarithms.
BETWEEN = (0.3, 3.0)
MOST_TREES = 300
LEARNING_RATE = 0.1
# A network is trained until so many epochs in a row brought nothing on the rows to tune.
MOST_EPOCHS, PATIENCE = 200, 15
Tick = Callable[[str], None]
LinearFit = Callable[[Loss, Encoding, Cases, float, float], tuple[PlainFit, int | None]]
"""From a loss, the encoding, the cases, the penalty and how much more rows of yes weigh to a linear model; and to how many rows
it was fitted, where these are others than the cases."""


@dataclass(frozen=True)
class Trained:
    """A fitted model with how it was chosen: the risk on rows to fit and to tune along the ``path`` of what was tried.

    ``path`` holds (setting, risk on fitted rows, risk on rows left out); ``setting`` names what the path varies and
    ``chosen`` is the setting of least risk on rows left out. Those are the rows to tune, or where these are few, those of so
    many ``folds`` of the rows to fit and to tune, on average. ``certificate`` says how surely the fit is the optimum. ``rows``
    are how many it was fitted to, where an engine read others than those in memory.
    """

    loss: Loss
    encoding: Encoding
    scorer: Scorer
    setting: str
    chosen: float
    path: tuple[tuple[float, float, float], ...]
    certificate: Certificate | None = None
    curve: tuple[float, ...] = field(default=(), repr=False)
    folds: int = 0
    rows: int | None = None

    @property
    def chosen_on(self) -> str:
        """The rows that chose the setting, in words."""
        return f"{self.folds} folds of the rows to fit and to tune" if self.folds else "the rows to tune"

    def raw(self, table: Table, exposure: Floats | None = None) -> Floats:
        """The raw outputs of rows; an exposure multiplies the prediction."""
        raw = self.scorer(self.encoding(table))
        return raw if exposure is None else raw + np.log(exposure)


def train(
    loss: Loss,
    model: str,
    fit: Cases,
    tune: Cases,
    features: tuple[str, ...],
    *,
    seed: int,
    tick: Tick,
    by_folds: bool = True,
) -> Trained:
    """A model of this kind that minimises this loss on the rows to fit, its setting chosen on the rows to tune.

    With ``by_folds`` few rows to tune are joined by folds of all in choosing the strength of a linear model.
    """
    matrix = encoding(fit.table, features, scaled=_takes_scaled(model))
    if model == "linear":
        # Labels say less a row than amounts, whose strength folds did not better on real tables; they would take long there.
        dealt = by_folds and of_labels(loss)
        return _linear(loss, fit, turns(loss, fit, tune, seed) if dealt else [(fit, tune)], matrix, tick)
    maker = _networked if model == "network" else partial(_boosted, model)
    return maker(loss, fit, tune, matrix, seed, tick)


def _takes_scaled(model: str) -> bool:
    """Whether a model takes scaled numbers and a column for each category; trees split on them as they are."""
    return model not in _HOSTS


def fit_here(loss: Loss, matrix: Encoding, cases: Cases, alpha: float, ratio: float) -> tuple[PlainFit, int | None]:
    """The linear model of the cases themselves, which already weigh by the ratio."""
    return linear_fit(loss, matrix(cases.table), cases, alpha), None


def refitted(
    trained: Trained, model: str, cases: Cases, *, seed: int, ratio: float = 1.0, linear: LinearFit = fit_here
) -> Trained:
    """The same kind of model with the same setting, fitted to more rows; ``ratio`` weighs rows of yes as `weighted` does."""
    weighed = leaning(cases, ratio) if ratio != 1 else cases
    loss, names = trained.loss, trained.encoding.features
    matrix = encoding(weighed.table, names, scaled=_takes_scaled(model))
    if model == "linear":
        strength = trained.chosen * natural_strength(loss, weighed)
        found, rows = linear(loss, matrix, weighed, strength, ratio)
        again = replace(
            trained, encoding=matrix, scorer=found.scorer, certificate=found.certificate, curve=found.curve, rows=rows
        )
    else:
        refit = _after_epochs if model == "network" else partial(_grown, model)
        again = replace(trained, encoding=matrix, scorer=refit(loss, weighed, matrix, int(trained.chosen), seed))
    return replace(again, scorer=again.scorer.shifted(-math.log(ratio))) if ratio != 1 else again


def weighted(ratio: float, train_on: Callable[[Cases, Cases], Trained], fit: Cases, tune: Cases) -> Trained:
    """The same model trained with rows of yes weighted, and its raw outputs put back to what they mean without weights.

    At one half its own probabilities decide as a ratio of costs asks; put back (minus the logarithm of the ratio), they do
    so at the threshold of the costs.
    """
    trained = train_on(leaning(fit, ratio), leaning(tune, ratio))
    return replace(trained, scorer=trained.scorer.shifted(-math.log(ratio)))


def leaning(cases: Cases, ratio: float) -> Cases:
    """The cases with rows of yes weighted."""
    return replace(cases, weight=cases.weights * np.where(cases.y == 1, ratio, 1.0))


# --- linear models ---


def _linear(loss: Loss, fit: Cases, pairs: Sequence[Turn], matrix: Encoding, tick: Tick) -> Trained:
    """The model on the rows to fit, of the strength that costs least on rows left out: those to tune, or fold after fold."""
    unit, fits = natural_strength(loss, fit), dict[float, PlainFit]()
    sides = [_side(loss, matrix, *turn, [strength * unit for strength in STRENGTHS]) for turn in pairs]
    path: list[tuple[float, float, float]] = []

    def judge(strength: float) -> None:
        each = [side(strength * unit) for side in sides]
        fits[strength] = each[0][0]
        learned, left_out = np.mean([risks for _, risks in each], axis=0).tolist()
        path.append((strength, learned, left_out))

    for strength in STRENGTHS:
        tick(f"fit {loss} with strength {strength:g}")
        judge(strength)
    folds = len(pairs) if len(pairs) > 1 else 0
    if folds:
        coarse = _best(path)
        for factor in BETWEEN:
            judge(coarse * factor)
    path.sort()
    chosen = _best(path)
    found = linear_fit(loss, matrix(fit.table), fit, chosen * unit) if folds else fits[chosen]
    setting = "strength of the penalty"
    return Trained(loss, matrix, found.scorer, setting, chosen, tuple(path), found.certificate, found.curve, folds)


def _side(
    loss: Loss, matrix: Encoding, learns: Cases, judges: Cases, alphas: Sequence[float]
) -> Callable[[float], tuple[PlainFit, tuple[float, float]]]:
    """From a penalty, such as one of these, to a fit, with its risk on the rows that it learned from, and on others."""
    x, x_judged = matrix(learns.table), matrix(judges.table)
    model = linear_models(_objective(loss, x, learns), alphas)

    def fitted(alpha: float) -> tuple[PlainFit, tuple[float, float]]:
        found = model(alpha)
        return found, (_risk(loss, learns, found.scorer(x)), _risk(loss, judges, found.scorer(x_judged)))

    return fitted


def _best(path: Sequence[tuple[float, float, float]]) -> float:
    """The first setting of the least risk on rows left out."""
    return path[_least([risk for _, _, risk in path])][0]


def _least(risks: Sequence[float]) -> int:
    """The first place of the least risk; what is not a number is none."""
    return int(np.argmin(np.where(np.isnan(risks), np.inf, risks)))


def linear_fit(loss: Loss, x: Floats, cases: Cases, alpha: float) -> PlainFit:
    """The linear model of least penalised loss on an encoded matrix, whose rows all count."""
    return linear_model(_objective(loss, x, cases).penalised(alpha))


def _objective(loss: Loss, x: Floats, cases: Cases) -> Objective:
    """What a linear model of the cases minimises, without a penalty."""
    weight = None if cases.weight is None else scaled(cases.weight)
    offset = None if cases.exposure is None else np.log(cases.exposure)
    return Objective(loss, x, _coded(loss, cases.y), weight, offset, outputs=_outputs(loss, cases.y))


def _coded(loss: Loss, y: NDArray[Any]) -> NDArray[Any]:
    """Targets as the loss takes them. Errors: GM004; GM602 where only one class is among them."""
    labels = loss.is_classwise or loss.is_graded or (loss.is_binary and bool(np.isin(y, (0, 1)).all()))
    if labels and (y == y[0]).all():
        raise NothingToLearn("all rows to fit are of one class", fix="include rows of another class")
    targets = y.astype(np.intp if loss.is_classwise else np.float64)
    if not loss.is_classwise:
        check_targets(targets, targets, loss.target, None, loss)
    return targets


def _outputs(loss: Loss, y: NDArray[Any]) -> int:
    return int(y.max()) + 1 if loss.is_classwise else len(loss.activation)


def natural_strength(loss: Loss, fit: Cases) -> float:
    """The penalty in units of the problem, so that a target in cents is fitted like the same one in euros."""
    name = loss.activation[0].name
    alone = len(loss.activation) == 1
    if loss.is_classwise or is_arrow(loss) or not (name == "linear" or (alone and name.startswith("softplus"))):
        return 1.0
    weight = None if fit.weight is None else scaled(fit.weight)
    found = best_constant(loss, _coded(loss, fit.y), weight, _outputs(loss, fit.y))
    constant = found[0] if alone else found
    if name != "linear":
        curved = float(np.average(loss.hessian(fit.y, np.full(len(fit), constant)), weights=fit.weights))
        return curved if np.isfinite(curved) and curved > 0 else 1.0
    spread = float(np.average((fit.y - np.average(fit.y, weights=fit.weights)) ** 2, weights=fit.weights))
    level = loss(fit.y, np.broadcast_to(constant, (len(fit), *np.shape(constant))), fit.weight)
    return level / spread if spread > 0 and np.isfinite(level) and level > 0 else 1.0


def _risk(loss: Loss, cases: Cases, raw: Floats) -> float:
    offset = 0.0 if cases.exposure is None else np.log(cases.exposure)
    return loss(cases.y, raw + offset, cases.weight)


# --- networks ---


def _networked(loss: Loss, fit: Cases, tune: Cases, matrix: Encoding, seed: int, tick: Tick) -> Trained:
    """The network of the epoch that costs least on the rows to tune."""
    tick(f"train up to {MOST_EPOCHS} epochs")
    x_fit, x_tune = matrix(fit.table), matrix(tune.table)
    path, best, chosen = list[tuple[float, float, float]](), None, 0
    for epoch, network in enumerate(islice(_epochs(loss, fit, x_fit, seed), MOST_EPOCHS + 1)):
        path.append((float(epoch), _risk(loss, fit, network(x_fit)), _risk(loss, tune, network(x_tune))))
        if best is None or path[-1][2] < path[chosen][2]:
            best, chosen = network, epoch
        if epoch - chosen >= PATIENCE:
            break
    assert best is not None
    tick(f"keep {chosen} epochs")
    return Trained(loss, matrix, best, "number of epochs", float(chosen), tuple(path))


def _after_epochs(loss: Loss, cases: Cases, matrix: Encoding, count: int, seed: int) -> Network:
    """The network after so many epochs on these rows."""
    return next(islice(_epochs(loss, cases, matrix(cases.table), seed), count, None))


def _epochs(loss: Loss, cases: Cases, x: Floats, seed: int) -> Iterator[Network]:
    """The network on these rows at the start and after each epoch; torch is imported when it is asked for."""
    weight = None if cases.weight is None else scaled(cases.weight)
    offset = None if cases.exposure is None else np.log(cases.exposure)
    asked = Learning(loss, x, _coded(loss, cases.y), weight, offset, constant_for(loss, cases), seed)
    found: Iterator[Network] = import_module("goodmeasure.frameworks.torch_network").epochs(asked)
    return found


# --- boosting ---

_HOSTS = {
    "boosting": "goodmeasure.frameworks.sklearn_trees",
    "xgboost": "goodmeasure.frameworks.xgboost_trees",
    "lightgbm": "goodmeasure.frameworks.lightgbm_trees",
    "catboost": "goodmeasure.frameworks.catboost_trees",
}


def _boosted(host: str, loss: Loss, fit: Cases, tune: Cases, matrix: Encoding, seed: int, tick: Tick) -> Trained:
    if fit.exposure is not None and native(loss) not in ("poisson", "gamma"):
        raise UsageError(
            f"--model {host} knows no exposure with {loss}",
            seen="trees take none; of Poisson and gamma losses it can be made a weight",
            fix="--model linear",
        )
    tick(f"fit up to {MOST_TREES} rounds of trees")
    whole = _grown(host, loss, fit, matrix, MOST_TREES, seed, tune)
    path = list[tuple[float, float, float]]()
    for step, raws in enumerate(zip(*(whole.staged(matrix(case.table)) for case in (fit, tune)), strict=True)):
        if step <= 20 or step % 5 == 0:
            path.append((float(step), _risk(loss, fit, raws[0]), _risk(loss, tune, raws[1])))
    path = path[1:] or path  # the start alone only where no tree could be grown
    chosen = min(path, key=lambda row: row[2])[0]
    tick(f"keep {chosen:.0f} rounds")
    return Trained(loss, matrix, whole.first(int(chosen)), "number of trees", chosen, tuple(path))


def _grown(
    host: str, loss: Loss, cases: Cases, matrix: Encoding, rounds: int, seed: int, held: Cases | None = None
) -> Forest:
    """The forest that a booster grows on these rows; boosters are imported when they are asked for."""
    rows = matrix(cases.table), *_rates(cases, loss)
    left_out = None if held is None else BoosterRows(matrix(held.table), *_rates(held, loss))
    asked = Growing(*rows, loss, matrix.categorical, rounds, LEARNING_RATE, seed, left_out)
    with threads_for(asked.x.size):
        found: Forest = needed(_HOSTS[host], f"--model {host}").grow(asked)
    return found


def _rates(fit: Cases, loss: Loss) -> tuple[Any, Floats | None]:
    """Targets and weights of rates: boosting knows no offset, but a count over its exposure, weighted, is the same loss."""
    if fit.exposure is None:
        return fit.y, fit.weight
    weight = fit.weights * (fit.exposure if native(loss) == "poisson" else 1.0)
    return fit.y / fit.exposure, weight
