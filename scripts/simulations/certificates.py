"""Whether certificates of fits are true: every loss, at the ends of its hyperparameters too, on targets of every kind."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from goodmeasure import losses
from goodmeasure.fitting.certificate import Certificate, Status
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.fitting.linear import NoFiniteFit
from goodmeasure.formulas.domains import Domain, RisingDomain, SizeDomain
from goodmeasure.making.definition import Definition
from goodmeasure.making.loss import Loss
from simulations.sections import Row, Section

KINDS = ("noisy", "heavy tails", "exact", "constant", "rare", "outlying", "tiny", "huge")
# By so much of the mean size of a loss a search may find better than what is called optimal.
WITHIN = 3e-6


@dataclass(frozen=True)
class Case:
    """A fit of a loss to targets of a kind, and what was said of it."""

    loss: Loss
    kind: str
    X: Any
    y: Any
    theta: Any
    curve: list[float]
    certificate: Certificate
    warned: list[str]

    def objective(self, flat: Any) -> float:
        """The mean loss of coefficients and intercepts; infinite where there is none."""
        table = flat.reshape(self.X.shape[1] + 1, -1)
        # What does not follow the features has no coefficients that a better fit could have.
        z = self.X @ (table[:-1] * (self.loss.follows if len(self.loss.follows) > 1 else 1)) + table[-1]
        with np.errstate(all="ignore"):
            found = self.loss(self.y, z if z.shape[1] > 1 else z[:, 0])
        return found if np.isfinite(found) else math.inf

    @property
    def scale(self) -> float:
        """The mean size of a row's loss where the fit stopped."""
        table = self.theta.reshape(self.X.shape[1] + 1, -1)
        z = self.X @ table[:-1] + table[-1]
        each = self.loss.value(self.y, z if z.shape[1] > 1 else z[:, 0])
        return float(np.mean(np.abs(each))) + 1e-12 * abs(self.curve[0])

    @property
    def is_beaten(self) -> bool:
        """Whether searches which know nothing of the fit find better."""
        return better(self) < self.objective(self.theta) - WITHIN * self.scale - 1e-300


def drawn(definition: Definition, seed: int) -> Loss:
    """The loss as it is given (seed 0), or with hyperparameters anywhere in their domains, ends included."""
    r = np.random.default_rng(seed)
    return definition(**({name: _within(domain, r) for name, domain in definition.domains} if seed else {}))


def _within(domain: Domain, r: np.random.Generator) -> float | tuple[float, ...]:
    low = domain.low if math.isfinite(domain.low) else -5.0
    high = domain.high if math.isfinite(domain.high) else low + 10.0
    if isinstance(domain, SizeDomain):
        return int(r.integers(low, 6))  # compiling takes the longer the more there are
    if isinstance(domain, RisingDomain):
        return tuple(np.sort(r.uniform(low, high, int(r.integers(2, min(domain.most + 1, 6))))).tolist())
    tried = [low, high, low + 1e-3 * (high - low), *r.uniform(low, high, 8)]
    return float(r.choice([x for x in tried if x in domain]))


def applies(loss: Loss, kind: str) -> bool:
    """Whether there are targets of this kind for the loss."""
    outcome = loss.is_classwise or loss.is_binary
    return kind not in (("constant", "outlying", "tiny", "huge") if outcome else ("rare",))


def case(loss: Loss, kind: str, n: int, seed: int = 4) -> Case | None:
    """A fit to n rows of targets of a kind; None where it is refused because the loss is infinite or falls without end."""
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, 2))
    y = targets(loss, kind, X @ [0.8, -0.5], r)
    model = (LossClassifier if loss.is_classwise or loss.is_binary else LossRegressor)(loss)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            model.fit(X, y)
        except NoFiniteFit:
            return None
    theta = np.concatenate([np.atleast_2d(model.coef_).T, np.atleast_2d(model.intercept_)]).ravel()
    warned = [str(w.message) for w in said if issubclass(w.category, ConvergenceWarning)]
    return Case(loss, kind, X, y, theta, model.loss_curve_, model.certificate_, warned)


def targets(loss: Loss, kind: str, line: Any, r: np.random.Generator) -> Any:
    """Targets of a kind, in the domain of the loss."""
    noise = r.standard_t(2, len(line)) if kind == "heavy tails" else r.normal(size=len(line))
    score = {"exact": line, "constant": np.full(len(line), 0.5)}.get(kind, line + 0.5 * noise)
    if loss.is_classwise:
        return np.digitize(score, np.quantile(score, [0.9, 0.95] if kind == "rare" else [0.33, 0.66]))
    if loss.is_binary:
        return (score > (np.quantile(score, 0.92) if kind == "rare" else 0)).astype(float)
    y = score * {"tiny": 1e-8, "huge": 1e8}.get(kind, 1.0)
    y = np.where((np.arange(len(y)) % 20 == 0) & (kind == "outlying"), 1e6, y)
    target = loss.target
    if target.low >= 0:
        y = np.exp(line) if kind == "exact" else np.abs(y) + (1e-9 if target.low_open else 0.0)
    y = y / (1 + y) if target.high <= 1 else y
    return np.clip(np.round(y) if target.whole else y, target.low, target.high)


def better(found: Case) -> float:
    """The least that searches find from where the fit stopped, and from near it."""
    r, least = np.random.default_rng(0), math.inf
    size = np.abs(found.theta).max() + 1e-12
    for moved, method in ((0.0, "Powell"), (1e-3, "Nelder-Mead"), (0.3, "Powell")):
        begin = found.theta + moved * size * r.normal(size=found.theta.shape)
        if np.isfinite(found.objective(begin)):
            simplex = np.vstack([begin, begin + 0.05 * size * np.eye(len(begin))])
            options = {"maxfev": 150} | ({} if method == "Powell" else {"initial_simplex": simplex})
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                least = min(least, float(minimize(found.objective, begin, method=method, options=options).fun))
    return least


def statuses(n: int = 100, draws: int = 3) -> Iterator[Row]:
    """By kind of targets: how often each word is said, how often "optimal" falsely, and how often it is missed."""
    for kind in KINDS:
        said: Counter[Status] = Counter()
        false, missed = [], 0
        for definition in losses.catalogue().values():
            for seed in range(draws):
                loss = drawn(definition, seed and 100 * seed + KINDS.index(kind))
                found = case(loss, kind, n) if applies(loss, kind) else None
                if found is not None:
                    said[found.certificate.status] += 1
                    is_optimal = found.certificate.status is Status.OPTIMAL
                    false += [loss] if is_optimal and found.is_beaten else []
                    doubt = found.certificate.status in (Status.UNCERTAIN, Status.UNFINISHED)
                    missed += doubt and not found.is_beaten
        counts = [said[status] for status in (Status.OPTIMAL, Status.STATIONARY, Status.ENDLESS)]
        doubts = said[Status.UNCERTAIN] + said[Status.UNFINISHED]
        yield kind, sum(said.values()), *counts, doubts, len(false), missed, ", ".join(map(str, false)) or "none"


def separable(sizes: tuple[int, ...] = (100, 300, 1000, 5000), most: int = 100) -> Iterator[Row]:
    """Two classes: how often "without a least" is said where a line separates them, and where none does."""
    for n in sizes:
        runs = min(max(30_000 // n, 20), most)
        for noise in (0.0, 0.1, 1.0):
            said = falsely = parted = 0
            for seed in range(runs):
                r = np.random.default_rng(seed)
                X = r.normal(size=(n, 2))
                score = X @ [3.0, -2.0] + noise * r.logistic(size=n)
                y = (score > 0).astype(int)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    status = LossClassifier().fit(X, y).certificate_.status
                    apart = LossClassifier(losses.hinge()).fit(X, y).certificate_.objective < 1e-9
                parted += apart
                said += apart and status is Status.ENDLESS
                falsely += not apart and status is Status.ENDLESS
            yield n, noise, runs, parted, parted - said, falsely


SECTIONS = (
    Section(
        "Certificates of fits, all losses with 3 draws of hyperparameters, 100 rows; false: a search found better by 3e-6",
        (
            "targets",
            "fits",
            "optimal",
            "stationary",
            "without a least",
            "doubts",
            "false",
            "doubts not beaten",
            "which",
        ),
        statuses,
    ),
    Section(
        'Logistic fits: "without a least" where a line separates the classes (missed), and where none does (false)',
        ("n", "noise", "fits", "separable", "missed", "false"),
        separable,
    ),
)
