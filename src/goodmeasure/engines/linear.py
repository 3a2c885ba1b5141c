"""Linear fits of a loss to files that no memory holds: each shard sums value and signal, and the sums are minimised
here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.engines.duckdb import blocks_of
from goodmeasure.engines.request import Columns, Request
from goodmeasure.errors import NothingToAverage, Problem, UsageError
from goodmeasure.reading.paths import names_of
from goodmeasure.statistics.row_arguments import Floats, MissingScore

Map = Callable[[Callable[..., Any], list[str], Any], Iterable[Any]]
"""How a function is applied to each file, with one more argument: in turn, or by a cluster."""


class FitStopped(Problem, RuntimeError):
    """The fit did not reach a minimum in the steps that it was given.

    Separable classes have no finite minimum: give ``alpha`` a small positive value. Otherwise allow more steps.
    """

    code = "GM726"


@dataclass(frozen=True)
class LinearFit:
    """A fitted linear model: raw outputs are ``X @ coefficients + intercept``."""

    features: tuple[str, ...]
    coefficients: Floats
    intercept: float
    objective: float
    rows: int
    steps: int

    def raw(self, table: ArrayLike) -> Floats:
        """Raw outputs of rows with these features, in their order."""
        return np.asarray(np.asarray(table, dtype=np.float64) @ self.coefficients + self.intercept, dtype=np.float64)


@dataclass(frozen=True)
class _Sums:
    """What a shard contributes: weight, its first two moments by column, or the sums of loss and signal."""

    rows: int
    weight: float
    first: Floats
    second: Floats
    value: float = 0.0


def fit_linear(
    source: str,
    loss: Any,
    target: str,
    features: list[str],
    *,
    weight: str | None = None,
    alpha: float = 0.0,
    apply: Map | None = None,
    most_steps: int = 500,
) -> LinearFit:
    """Minimise the mean loss plus ``alpha / 2`` times the squared coefficients over all rows of the files.

    ``loss`` has one raw output. ``apply`` is `in_turn`, or ``on_cluster(client)``. Sums are added in the order of
    the files' names, so the fit does not depend on which worker was first. Errors: GM201 to GM206, GM724, GM726, and those
    of rows.
    """
    from scipy.optimize import minimize

    if loss.is_classwise or len(loss.activation) > 1:
        raise UsageError(f"{loss!r} has several raw outputs", fix="a loss with one, or LossClassifier in memory")
    files, each = names_of(source), in_turn if apply is None else apply
    spec = _Spec(loss, target, tuple(features), weight)
    moments = _added(each(_moments, files, spec))
    if not moments.weight > 0:
        raise NothingToAverage(
            "there are no rows to fit",
            where=source,
            fix="rows with a weight above zero, or a --where that holds for some",
        )
    centre = moments.first / moments.weight
    spread = np.sqrt(np.maximum(moments.second / moments.weight - centre**2, 0))
    scale = np.where(spread > 1e-12 * np.maximum(1, np.abs(centre)), spread, 1.0)
    penalty = alpha / scale**2

    def objective(theta: Floats) -> tuple[float, Floats]:
        b = theta[:-1] / scale
        found = _added(each(_signals, files, (spec, b, float(theta[-1] - centre @ b))))
        slope = np.append((found.first - centre * found.second[0]) / scale, found.second[0]) / found.weight
        slope[:-1] += penalty * theta[:-1]
        return found.value / found.weight + float(penalty @ theta[:-1] ** 2) / 2, slope

    result = minimize(
        objective,
        np.zeros(len(features) + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": most_steps, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 30},
    )
    if np.abs(result.jac).max() > 1e-5 or not math.isfinite(result.fun):
        raise FitStopped(
            f"the fit stopped after {result.nit} steps",
            seen=f"largest slope {np.abs(result.jac).max():.2g}",
            fix="most_steps=10_000, or columns of about one size",
        )
    b = result.x[:-1] / scale
    return LinearFit(
        tuple(features), b, float(result.x[-1] - centre @ b), float(result.fun), moments.rows, int(result.nit)
    )


def in_turn(function: Callable[..., Any], files: list[str], extra: Any) -> Iterable[Any]:
    """Apply a function to one file after the other, on this machine."""
    return [function(file, extra) for file in files]


def on_cluster(client: Any) -> Map:
    """Apply a function to each file on the workers of a ``distributed.Client``."""

    def apply(function: Callable[..., Any], files: list[str], extra: Any) -> Iterable[Any]:
        found: Iterable[Any] = client.gather([client.submit(function, file, extra, pure=False) for file in files])
        return found

    return apply


@dataclass(frozen=True)
class _Spec:
    loss: Any
    target: str
    features: tuple[str, ...]
    weight: str | None

    @property
    def request(self) -> Request:
        scores = tuple((name, (name,)) for name in self.features)
        return Request((self.loss,), self.target, scores, weight=self.weight)

    def table(self, block: Columns) -> tuple[Floats, Floats, Floats]:
        """Features, targets and weights of a block."""
        x = np.column_stack([block[name] for name in self.features])
        if not np.isfinite(x).all():
            row, at = np.argwhere(~np.isfinite(x))[0]
            raise MissingScore(
                f"{self.features[at]} holds {x[row, at]}", where=self.features[at], fix="--where, or fill it"
            )
        w = np.ones(len(x)) if self.weight is None else np.asarray(block[self.weight], dtype=np.float64)
        return x, np.asarray(block[self.target], dtype=np.float64), w


def _moments(file: str, spec: _Spec) -> _Sums:
    parts = []
    for block in blocks_of(file, spec.request):
        x, y, w = spec.table(block)
        parts.append(_Sums(len(y), float(w.sum()), w @ x, w @ x**2))
    return _added(parts, len(spec.features))


def _signals(file: str, at: tuple[_Spec, Floats, float]) -> _Sums:
    spec, b, intercept = at
    parts = []
    for block in blocks_of(file, spec.request):
        x, y, w = spec.table(block)
        z = x @ b + intercept
        signal = w * np.asarray(spec.loss.gradient(y, z), dtype=np.float64)
        total = float(w @ np.asarray(spec.loss.value(y, z), dtype=np.float64))
        parts.append(_Sums(len(y), float(w.sum()), signal @ x, np.array([signal.sum()]), total))
    return _added(parts, len(spec.features))


def _added(parts: Iterable[_Sums], width: int = 0) -> _Sums:
    """The sum of parts in their order; of none, nothing."""
    held = list(parts)
    if not held:
        return _Sums(0, 0.0, np.zeros(width), np.zeros(width))
    filled = [part for part in held if part.rows] or held[:1]
    return _Sums(
        sum(part.rows for part in filled),
        math.fsum(part.weight for part in filled),
        np.sum([part.first for part in filled], axis=0),
        np.sum([part.second for part in filled], axis=0),
        math.fsum(part.value for part in filled),
    )
