"""What a certificate says is true: every loss, at the ends of its hyperparameters too, on targets of every kind."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from goodmeasure import losses
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.formulas.domains import Domain
from goodmeasure.making.definition import Definition
from goodmeasure.making.loss import Loss

RNG = np.random.default_rng(4)
ROWS = 40
X = RNG.normal(size=(ROWS, 2))
LINE = X @ [0.8, -0.5]
NOISY = LINE + 0.5 * RNG.normal(size=ROWS)
KINDS = ["noisy", "exact", "constant", "outlying", "tiny", "huge"]
# Each kind with the hyperparameters as given, and two with a draw of them.
CASES = [*((kind, 0) for kind in KINDS), ("noisy", 1), ("outlying", 2)]


def drawn(definition: Definition, seed: int) -> Loss:
    """The loss with its hyperparameters anywhere in their domains, ends included."""
    r = np.random.default_rng(seed)
    return definition(**{name: _within(domain, r) for name, domain in definition.domains})


def _within(domain: Domain, r: np.random.Generator) -> float:
    low = domain.low if math.isfinite(domain.low) else -5.0
    high = domain.high if math.isfinite(domain.high) else low + 10.0
    tried = [low, high, low + 1e-3 * (high - low), *r.uniform(low, high, 8)]
    inside = [x for x in tried if x in domain]
    return float(r.choice(inside))


def targets(loss: Loss, kind: str) -> Any:
    """Targets of a kind, in the domain of the loss."""
    score = {"exact": LINE, "constant": np.full(ROWS, 0.5)}.get(kind, NOISY)
    if loss.is_classwise:
        return np.digitize(score, np.quantile(score, [0.33, 0.66]) if kind != "constant" else [0.0, 1.0])
    if loss.is_binary:
        return (score > 0).astype(float)
    y = score * {"tiny": 1e-8, "huge": 1e8}.get(kind, 1.0)
    if kind == "outlying":
        y = np.where(np.arange(ROWS) % 20 == 0, 1e6, y)
    target = loss.target
    if target.low >= 0:
        y = np.abs(y) + (1e-9 if target.low_open else 0.0)
        y = np.exp(np.clip(LINE, -20, 20)) if kind == "exact" else y
    if target.high <= 1:
        y = y / (1 + y)
    return np.round(y) if target.whole else np.clip(y, target.low, target.high)


def fitted(loss: Loss, y: Any) -> tuple[Any, list[str]]:
    model = (LossClassifier if loss.is_classwise or loss.is_binary else LossRegressor)(loss)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(X, y)
    return model, [str(w.message) for w in said if issubclass(w.category, ConvergenceWarning)]


def objective(loss: Loss, y: Any, flat: Any) -> float:
    table = flat.reshape(3, -1)
    z = X @ table[:2] + table[2]
    with np.errstate(all="ignore"):
        found = loss(y, z if z.shape[1] > 1 else z[:, 0])
    return found if np.isfinite(found) else math.inf


def reached(loss: Loss, model: Any) -> Any:
    return np.concatenate([np.atleast_2d(model.coef_).T, np.atleast_2d(model.intercept_)]).ravel()


def better(loss: Loss, y: Any, start: Any) -> float:
    """The least that searches which know nothing of the fit find from where it stopped, and from near it."""
    r, least = np.random.default_rng(0), math.inf
    size = np.abs(start).max() + 1e-12
    for moved, method in ((0.0, "Powell"), (1e-3, "Nelder-Mead"), (0.3, "Powell")):
        begin = start + moved * size * r.normal(size=start.shape)
        if np.isfinite(objective(loss, y, begin)):
            options = {"maxfev": 150} | ({} if method == "Powell" else {"initial_simplex": _simplex(begin, size)})
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = minimize(lambda flat: objective(loss, y, flat), begin, method=method, options=options)
            least = min(least, float(found.fun))
    return least


def _simplex(begin: Any, size: float) -> Any:
    return np.vstack([begin, begin + 0.05 * size * np.eye(len(begin))])


@pytest.mark.parametrize("name", sorted(losses.catalogue()))
def test_what_a_certificate_says_is_true(name: str) -> None:
    for kind, draw in CASES:
        definition = losses.catalogue()[name]
        loss = definition() if draw == 0 else drawn(definition, 100 * draw + KINDS.index(kind))
        y = targets(loss, kind)
        if (loss.is_classwise or loss.is_binary) and (len(np.unique(y)) < 2 or kind in ("tiny", "huge", "outlying")):
            continue
        model, said = fitted(loss, y)
        certificate = model.certificate_
        value = objective(loss, y, reached(loss, model))
        told = f"{loss} on {kind} targets: {certificate}"
        doubtful = certificate.status in (Status.UNFINISHED, Status.UNCERTAIN, Status.ENDLESS)
        assert bool(said) == doubtful, told
        assert model.loss_curve_[-1] <= model.loss_curve_[0] + 1e-12 * abs(model.loss_curve_[0]), told
        if certificate.status is Status.OPTIMAL:
            scale = np.mean(np.abs(loss.value(y, model.raw(X)))) + 1e-12 * abs(model.loss_curve_[0])
            assert better(loss, y, reached(loss, model)) >= value - 3e-6 * scale - 1e-300, told
        if certificate.status is Status.ENDLESS:
            assert value < model.loss_curve_[0], told


def test_the_least_is_found_where_the_first_step_would_be_too_far() -> None:
    y = 1.0 * NOISY
    model, said = fitted(losses.linex(k=30.0), y)
    z = losses.linex(k=30.0).best_constant(y)
    assert model.certificate_.objective < losses.linex(k=30.0)(y, np.full(ROWS, z))
    assert not said


@pytest.mark.parametrize("name", ["gaussian_nll", "lognormal_nll", "student_t_nll"])
def test_a_likelihood_without_a_bound_is_recognised(name: str) -> None:
    loss = losses.catalogue()[name]()
    exact = np.exp(LINE) if name == "lognormal_nll" else LINE
    model, said = fitted(loss, exact)
    assert model.certificate_.status is Status.ENDLESS
    assert "has no bound" in said[0]
    near, _ = fitted(loss, exact * (1 + 1e-5 * RNG.normal(size=ROWS)))
    assert near.certificate_.status is Status.STATIONARY


def test_no_optimum_is_claimed_for_what_hardly_bends() -> None:
    y = 1e8 * NOISY
    loss = losses.huber()
    model, said = fitted(loss, y)
    lines, _ = fitted(losses.absolute_error(), y)
    assert model.certificate_.status is Status.UNFINISHED
    assert said
    assert objective(loss, y, reached(loss, model)) < objective(loss, y, reached(loss, lines)) * 1.01


def test_interval_is_convex_for_the_fit_too() -> None:
    model, said = fitted(losses.interval(), NOISY)
    assert "no counterexample" in model.certificate_.convex
    assert (model.certificate_.status, bool(said)) == (Status.UNCERTAIN, True)
