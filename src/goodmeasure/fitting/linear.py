"""Fitting a linear model to any loss: the solver that suits what the loss looks like, and a certificate of what it reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving.apart import apart
from goodmeasure.errors import Problem, UsageError
from goodmeasure.fitting import broad, descent, newton, proximal, sampled, sampled_sizes, sequential, together
from goodmeasure.fitting.certificate import Certificate, Status
from goodmeasure.fitting.endless import is_lost_in_rounding
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.piecewise_linear import PiecewiseLinear, piecewise_linear
from goodmeasure.formulas.activations import linear
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.keys import few
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits.curvature_class import CurvatureClass, curvature_class

# A Newton matrix is built for at most this many parameters, this many products for it, and this many second derivatives
# of rows held at once.
NEWTON_SIZE = 2_000
NEWTON_WORK = 20_000_000_000
NEWTON_CELLS = 20_000_000
# Steps without a better validation loss before early stopping stops.
PATIENCE = 5
_STARTING_TARGETS = 2001
# The part of its size within which an objective that is called optimal is the least; what of the best constant's does not count;
# and the part of all signals that may be left of their sum where they are said to balance.
CLOSE, _TRACE, _BALANCE, _NOTHING = 1e-6, 1e-12, 1e-3, 1e-280
# A raw output that stands for an infinite one.
FAR = 30.0


class NoFiniteFit(Problem, ValueError):
    """The loss is infinite wherever the fit could start, or it falls without end: no finite parameters are best.

    The first happens where the targets make every finite raw output cost infinitely much, or overflow: check the size of the
    targets and of the offset. The second happens where a loss asks for a whole distribution and most targets are equal: a
    density may be as high as it likes there. Take a loss that asks for one number.
    """

    code = "GM606"


@dataclass(eq=False)
class Monitor:
    """Follows a fit: the objective after each step, the loss on validation rows, and whether to stop."""

    validation: Callable[[Floats], float] | None = None
    stops: bool = False
    monitor: Callable[[int, float], object] | None = None
    loss_curve: list[float] = field(default_factory=list)
    validation_curve: list[float] = field(default_factory=list)
    best: Floats | None = None
    stopped: bool = False

    def __call__(self, theta: Floats, value: float) -> bool:
        """Record a step; true if the fit should stop."""
        self.loss_curve.append(value)
        if self.monitor is not None:
            self.monitor(len(self.loss_curve) - 1, value)
        if self.validation is None:
            return False
        self.validation_curve.append(self.validation(theta))
        lowest = int(np.argmin(self.validation_curve))
        if lowest == len(self.validation_curve) - 1:
            self.best = theta.copy()
        self.stopped = self.stops and len(self.validation_curve) - 1 - lowest >= PATIENCE
        return self.stopped


@dataclass(frozen=True)
class SolverSettings:
    """How a fit is made: the solver ("auto", "newton", "lbfgs", "interior"), when it stops, and what follows it."""

    solver: str = "auto"
    max_iter: int = 500
    tol: float = 1e-9
    watch: Monitor = field(default_factory=Monitor)


SOLVERS = ("auto", "newton", "lbfgs", "interior")


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def start_at(objective: Objective, curvature: CurvatureClass) -> Floats:
    """The best constant as raw outputs, a finite number each."""
    loss, y, weight = objective.loss, objective.y, objective.weight
    if objective.outputs == 1 and _is_smooth(curvature):
        rough = np.full((1, 1), _rough(loss, np.average(y, weights=weight)))
        whole = Objective(loss, np.empty((len(y), 0)), y, weight, objective.offset, served=objective.served)
        if _is_least(whole, rough):
            return np.asarray(rough[0])
        if objective.offset is None:
            y, weight = _gathered(y, weight)
        alone = Objective(loss, np.empty((len(y), 0)), y, weight, objective.offset, served=objective.served)
        found = sampled.minimise(alone, rough, tol=1e-12, max_iter=100, watch=newton.unwatched)
        if found.converged and np.isfinite(found.theta).all():
            return np.asarray(found.theta[0])
    if objective.outputs == 1 and len(y) > _STARTING_TARGETS:
        y, weight = _condensed(y, weight)
    classes = objective.outputs if loss.is_classwise else None
    best = np.atleast_1d(np.asarray(loss.best_constant(y, weight, classes=classes), dtype=np.float64))
    if not np.isfinite(best).all() and not (loss.is_classwise or loss.is_binary) and loss.activation == (linear,):
        raise NoFiniteFit(
            f"{loss} falls however far one goes: its best constant is {best[0]:g}",
            fix="a loss that rises on both sides of its target, such as gm.losses.squared_error()",
        )
    shift = 0.0 if objective.offset is None else objective.offset.mean()
    return np.asarray(np.nan_to_num(best, posinf=FAR, neginf=-FAR) - shift)


def _is_smooth(curvature: CurvatureClass) -> bool:
    """Whether a loss is convex and bends everywhere as its second derivative says."""
    return curvature.convex and not (curvature.jumps or curvature.piecewise_linear)


def _is_least(alone: Objective, rough: Floats) -> bool:
    """Whether the signals of all rows cancel out there to the last digits, as those of a mean do."""
    _, gradient = alone.value_and_gradient(rough)
    pull = alone.pull(rough)
    return bool(np.isfinite(rough).all() and np.isfinite(pull) and abs(gradient[0, 0]) <= _TRACE * pull)


def _rough(loss: Loss, mean: float) -> float:
    """A raw output near the best constant: that of the mean target."""
    if loss.is_binary:
        return float(np.log(mean) - np.log1p(-mean)) if 0 < mean < 1 else float(np.copysign(FAR, mean - 0.5))
    reaches = loss.activation[0].reaches
    return float(loss.raw(np.array([mean]))[0]) if reaches.low < mean < reaches.high else 0.0


def _gathered(y: NDArray[Any], weight: Floats | None) -> tuple[NDArray[Any], Floats | None]:
    """The distinct targets with their weights, where there are few."""
    found = few(y, _STARTING_TARGETS)
    if found is None:
        return y, weight
    values, where = found
    return values, np.bincount(where, weights=weight, minlength=len(values)).astype(np.float64)


def _condensed(y: NDArray[Any], weight: Floats | None) -> tuple[NDArray[Any], Floats | None]:
    """Fewer targets that stand for all: every distinct one if there are few, else those at equal steps of weight."""
    y, weight = _gathered(y, weight)
    if len(y) <= _STARTING_TARGETS:
        return y, weight
    order = np.argsort(y, kind="stable")
    reached = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    steps = (np.arange(_STARTING_TARGETS) + 0.5) / _STARTING_TARGETS * reached[-1]
    return y[order][np.searchsorted(reached, steps)], None


# A step too far overflows to an infinite objective, which the solvers take back.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def fit(objective: Objective, settings: SolverSettings) -> tuple[Floats, Certificate, int]:
    """Parameters (a row a feature, then the intercept; a column a raw output), what was reached, and the number of steps."""
    if objective.loss.released is not objective.loss:
        raise UsageError(
            f"nothing is least where the signal of {objective.loss} is zero",
            seen="stop_gradient in its formula: the signal is not the slope of the value",
            fix="train with the signal alone: gm.to_torch(loss), gm.to_jax(loss), gm.to_xgboost(loss)",
        )
    parts = () if objective.l1_ratio else apart(objective.loss)
    if parts and not settings.watch.stops:
        return _apart(objective, parts, settings)
    theta, curvature = _constant(objective)
    constant = objective.value(theta)
    if not np.isfinite(constant):
        raise NoFiniteFit(f"{objective.loss} is infinite at its best constant", fix="check the size of the targets")
    if curvature.flat:
        settings.watch(theta, constant)
        return theta, _flat(objective, theta, curvature), 1
    if len(objective.loss.activation) > 1 and _small(objective) and not np.isfinite(objective.curvature(theta)).all():
        raise _without_end(objective)
    if objective.alpha * objective.l1_ratio:
        reached = _sparse(objective, theta, curvature, settings)
        return reached.theta, _certify_sparse(objective, theta, reached, curvature, settings), max(reached.steps, 1)
    reached = _solve(objective, theta, curvature, settings)
    if not objective.value_and_gradient(reached.theta)[0] <= constant:
        # What is proven of the place that was reached is proven of a lower one.
        reached = replace(reached, theta=theta) if reached.proven else newton.Reached(theta, reached.steps, False)
    if settings.watch.stops and settings.watch.best is not None:
        settings.watch.stopped |= not np.array_equal(settings.watch.best, reached.theta)
        reached = replace(reached, theta=settings.watch.best, gap=None)
    return reached.theta, _certify(objective, reached, curvature, settings, constant), max(reached.steps, 1)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def prepare(objective: Objective, alphas: Sequence[float], settings: SolverSettings) -> None:
    """What fits of the same rows with these penalties find together, before each is asked for: `fit` goes on from there."""
    if objective.loss.released is objective.loss and not objective.l1_ratio and together.suits(objective, alphas):
        theta, curvature = _constant(objective)
        if _is_smooth(curvature) and not curvature.flat:
            together.prepare(objective, alphas, theta, tol=settings.tol)


def _constant(objective: Objective) -> tuple[Floats, CurvatureClass]:
    """The best constant as parameters, and what the loss looks like on these targets."""
    curvature = objective.settled("curvature", lambda: curvature_class(objective.loss, objective.y, objective.outputs))
    return objective.settled("start", lambda: _start(objective, curvature)), curvature


def _start(objective: Objective, curvature: CurvatureClass) -> Floats:
    """Where a fit begins: at the best constant, or near it."""
    theta = np.zeros((objective.count, objective.outputs))
    if not objective.intercept:
        return theta
    if _starts_near(objective, curvature):
        some = objective.without_features(sampled.spread(len(objective.y), _STARTING_TARGETS))
        theta[-1] = start_at(some, curvature)
        if (np.abs(theta[-1]) != FAR).all() and np.isfinite(objective.value(theta)):
            return theta
        theta = theta.copy()  # another point, at which nothing is known
    theta[-1] = start_at(objective, curvature)
    return theta


def _starts_near(objective: Objective, curvature: CurvatureClass) -> bool:
    """Whether some of the rows tell where to begin: a fit that looks at a part of them first goes on from there at once."""
    lines = curvature.convex and curvature.piecewise_linear
    alone = objective.outputs == 1 or bool(apart(objective.loss))
    return alone and (_is_smooth(curvature) or lines) and sampled.suits(objective)


@dataclass(eq=False, kw_only=True)
class _PartMonitor(Monitor):
    """Tells the monitor of all raw outputs of the steps of one of them; ``whole`` is where all stand."""

    all: Monitor
    objective: Objective
    whole: Floats
    column: int
    others: float | None = None  # what all raw outputs cost without this one, which does not move them

    def __call__(self, theta: Floats, value: float) -> bool:
        """Record a step of this raw output as one of all."""
        self.whole[:, self.column] = theta[:, 0]
        if self.others is None:
            self.others = self.objective.value(self.whole.copy()) - value
        return self.all(self.whole, self.others + value)


def _apart(objective: Objective, parts: tuple[Loss, ...], settings: SolverSettings) -> tuple[Floats, Certificate, int]:
    """Raw outputs that have nothing to do with each other: a fit of each alone, and what all of them reached."""
    theta = _constant(objective)[0].copy()
    certificates, steps = [], 0
    for k, loss in enumerate(parts):
        watch = _PartMonitor(all=settings.watch, objective=objective, whole=theta, column=k)
        found, certificate, count = fit(objective.of_one(loss), replace(settings, watch=watch))
        theta[:, k] = found[:, 0]
        certificates.append(certificate)
        steps = max(steps, count)
    return theta, _of_all(objective, theta, certificates), steps


def _of_all(objective: Objective, theta: Floats, parts: list[Certificate]) -> Certificate:
    """What raw outputs reached together: no more than the one that reached least, and as far from the best as all of them."""
    worst = max(parts, key=lambda part: (part.status is not Status.OPTIMAL, part.gap is None))
    gaps = [part.gap for part in parts if part.gap is not None]
    gap = sum(gaps) if len(gaps) == len(parts) else None
    close = worst.status is not Status.OPTIMAL or gap is None or _is_close(objective, theta, gap, 0.0)
    return replace(
        worst,
        status=worst.status if close else Status.UNFINISHED,
        objective=objective.value(theta),
        gap=gap,
        proven=all(part.proven for part in parts),
        gradient=max(part.gradient for part in parts),
    )


def _without_end(objective: Objective) -> NoFiniteFit:
    values, counts = np.unique(objective.y, return_counts=True)
    most = int(np.argmax(counts))
    return NoFiniteFit(
        f"{objective.loss} falls without end on these targets: the narrower the distribution, the less it costs",
        seen=f"{counts[most]:,} of {len(objective.y):,} targets are {values[most]:g}",
        fix="ask for one number: gm.losses.squared_error(), or tweedie() for amounts that are often zero",
    )


def _solve(objective: Objective, theta: Floats, curvature: CurvatureClass, settings: SolverSettings) -> newton.Reached:
    lines = objective.settled("lines", lambda: piecewise_linear(objective, curvature))
    solver = settings.solver if settings.solver != "auto" else _suited(objective, curvature, lines)
    if solver == "interior":
        if lines is None:
            raise UsageError(
                f"solver='interior' is for losses made of straight lines, and {objective.loss} is not",
                fix="solver='auto'",
            )
        return sequential.minimise(objective, lines, theta, settings.tol, settings.max_iter, settings.watch)
    exact = sampled.minimise if curvature.convex else newton.minimise
    least = exact if solver == "newton" else descent.minimise
    reached = least(objective, theta, tol=settings.tol, max_iter=settings.max_iter, watch=settings.watch)
    if settings.solver == "auto" and solver == "newton" and _is_stuck(reached, settings):
        return _otherwise(objective, reached, settings)
    return reached


def _sparse(objective: Objective, theta: Floats, curvature: CurvatureClass, settings: SolverSettings) -> newton.Reached:
    """The least with a cost of sizes. Error: GM009 where the loss is not smooth and convex."""
    refuse_sizes(objective.loss, curvature)
    watch = settings.watch
    least = sampled_sizes.minimise if sampled_sizes.suits(objective) else proximal.minimise
    reached = least(objective, theta, tol=settings.tol, max_iter=settings.max_iter, watch=watch)
    if watch.stops and watch.best is not None:
        watch.stopped |= not np.array_equal(watch.best, reached.theta)
        reached = replace(reached, theta=watch.best)
    return reached


def refuse_sizes(loss: Loss, curvature: CurvatureClass) -> None:
    """Refuse a cost of sizes where a loss is not smooth and convex. Error: GM009."""
    if not _is_smooth(curvature):
        raise UsageError(
            f"l1_ratio is for losses that are smooth and convex, and {loss} is not",
            seen=curvature.evidence,
            fix="l1_ratio=0.0",
        )


def _certify_sparse(
    objective: Objective, start: Floats, reached: newton.Reached, curvature: CurvatureClass, settings: SolverSettings
) -> Certificate:
    gap, proven = proximal.certified(objective, reached.theta, objective.size(start))
    close = np.isfinite(gap) and _is_close(objective, reached.theta, gap, 0.0)
    return Certificate(
        status=_status(curvature, settings, bool(close and reached.converged), gap),
        objective=proximal.value_of(objective, reached.theta),
        gap=gap if np.isfinite(gap) else None,
        proven=proven,
        gradient=float(np.abs(proximal.left_over(objective, reached.theta)).max(initial=0)),
        convex=curvature.evidence,
        method=proximal.method(objective),
    )


def _is_stuck(reached: newton.Reached, settings: SolverSettings) -> bool:
    left = settings.max_iter - reached.steps
    return not (reached.converged or reached.endless or settings.watch.stopped) and left > 0


def _otherwise(objective: Objective, reached: newton.Reached, settings: SolverSettings) -> newton.Reached:
    """What is tried from where Newton's method got stuck: a broad look, descent, and from there Newton's steps again."""
    tries = (broad.minimise, descent.minimise, newton.minimise) if objective.outputs == 1 else (descent.minimise,)
    for least in tries:
        if not _is_stuck(reached, settings):
            break
        found = least(
            objective, reached.theta, tol=settings.tol, max_iter=settings.max_iter - reached.steps, watch=settings.watch
        )
        found = replace(found, steps=reached.steps + found.steps)
        if least is descent.minimise and objective.outputs == 1:
            # Where one raw output bends, Newton's steps say better than the length of its own whether it has arrived.
            found = replace(found, converged=False)
        lower = objective.value(found.theta) <= objective.value(reached.theta)
        reached = found if lower else replace(reached, steps=found.steps)
    return reached


def _suited(objective: Objective, curvature: CurvatureClass, lines: PiecewiseLinear | None) -> str:
    if lines is not None:
        return "interior"
    near = _small(objective) or (curvature.convex and sampled.suits(objective))
    return "newton" if near and not curvature.jumps and not curvature.piecewise_linear else "lbfgs"


def _small(objective: Objective) -> bool:
    rows, size = len(objective.y), objective.count * objective.outputs
    cells = rows * objective.outputs**2
    return size <= NEWTON_SIZE and rows * size**2 <= NEWTON_WORK and cells <= NEWTON_CELLS


def _flat(objective: Objective, theta: Floats, curvature: CurvatureClass) -> Certificate:
    return Certificate(
        status=Status.FLAT,
        objective=objective.value(theta),
        gap=None,
        proven=False,
        gradient=0.0,
        convex=curvature.evidence,
        method="the signal is zero wherever it exists, so training cannot move",
    )


def _balances(objective: Objective, theta: Floats) -> bool:
    """Whether signals cancel out in the derivative by each parameter, or leave what rounding of the raw outputs makes of them."""
    _, gradient = objective.value_and_gradient(theta)
    pulls = objective.pulls(theta)
    small = np.abs(gradient) <= _BALANCE * pulls
    if small.all():
        return True
    near = objective.value_and_gradient(theta * (1 + 8 * np.finfo(np.float64).eps))[1]
    return bool((small | (np.abs(gradient) <= 8 * np.abs(near - gradient).max(axis=0))).all())


def _certify(
    objective: Objective,
    reached: newton.Reached,
    curvature: CurvatureClass,
    settings: SolverSettings,
    constant: float,
) -> Certificate:
    endless = _endless(objective, reached)
    balanced = curvature.convex or curvature.jumps or _balances(objective, reached.theta)
    value, gradient = objective.value_and_gradient(reached.theta)
    gap, proven = reached.gap, reached.proven
    method = "duality gap" if proven else "half the squared Newton decrement"
    if gap is None or (not proven and curvature.jumps):
        gap, method, proven = _gap(objective, reached.theta, gradient, curvature)
    if not (proven or reached.converged):
        gap, method = None, "the steps that were made did not lead to where nothing is left to gain"
    if not curvature.convex:
        gap, method, proven = None, "a point where the signals balance, of a loss that is not convex", False
    if not (curvature.convex or balanced):
        method = "signals do not balance, of a loss that is not convex"
    if endless:
        gap, method, proven = None, endless, False
    close = balanced and (gap is None or _is_close(objective, reached.theta, gap, constant))
    return Certificate(
        status=Status.ENDLESS
        if endless
        else _status(curvature, settings, close and (proven or reached.converged), gap),
        objective=value,
        gap=gap,
        proven=proven,
        gradient=float(np.abs(gradient).max()) if gradient.size else 0.0,
        convex=curvature.evidence,
        method=method,
    )


def _is_close(objective: Objective, theta: Floats, gap: float, constant: float) -> bool:
    """Whether an objective so far from the least may be called optimal: by a millionth of its size, or what rounding hides."""
    value, _ = objective.value_and_gradient(theta)
    hidden = objective.rounding(theta) / newton.KEEP + _TRACE * abs(constant)
    return gap <= CLOSE * abs(value) or gap <= CLOSE * objective.size(theta) + hidden + _NOTHING


def _endless(objective: Objective, reached: newton.Reached) -> str:
    """Why there is no least, if there is none."""
    if reached.endless:
        return "the objective falls however large coefficients become (separable classes do this): give alpha"
    if is_lost_in_rounding(objective, reached.theta):
        return "the objective falls until it is rounding (a likelihood of targets that are met exactly has no bound)"
    return ""


def _status(curvature: CurvatureClass, settings: SolverSettings, converged: bool, gap: float | None) -> Status:
    if settings.watch.stopped:
        return Status.STOPPED_EARLY
    if not converged:
        return Status.UNFINISHED
    if gap is not None:
        return Status.OPTIMAL
    return Status.UNCERTAIN if curvature.convex else Status.STATIONARY


def _gap(
    objective: Objective, theta: Floats, gradient: Floats, curvature: CurvatureClass
) -> tuple[float | None, str, bool]:
    """How far a smooth objective can be from its least: strong convexity bounds it, the Newton decrement estimates it."""
    width = objective.features.shape[1]
    if objective.alpha > 0 and not objective.intercept:
        return float(np.sum(gradient**2 / objective.penalty)) / 2, "strong convexity of the penalty", True
    if curvature.jumps:
        return None, "the loss has kinks and no exact method is known for it", False
    if not _small(objective):
        if objective.alpha == 0:
            return None, "gradient descent with memory (L-BFGS)", False
        part = float(np.sum(gradient[:width] ** 2 / objective.penalty[:width])) / 2
        return part, "strong convexity of the penalty, the intercept being settled", False
    matrix = objective.curvature(theta)
    left = abs(float(newton.direction(matrix, gradient.ravel()) @ gradient.ravel())) / 2
    left += newton.hidden(objective, theta, matrix)[1] / 2
    if not np.isfinite(left):
        return None, "the loss has no finite curvature here", False
    return left, "half the squared Newton decrement", False
