"""Newton's method with a line search, and the damped Cholesky solve behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from goodmeasure.fitting.endless import falls_without_end
from goodmeasure.fitting.objective import Smooth
from goodmeasure.statistics.row_arguments import Floats

# The share of the promised decrease that a step must keep.
KEEP = 1e-4
_HALVINGS = 100
# After so many steps each it is asked whether the objective falls without end; few fits take as many.
_LOOK = 12
# It is given up where so many lowered the objective by less than this part: it hardly bends where the steps were made.
_SLOW = 1e-3
# The part of all signals that may be left of their sum where the matrix shows no way to lower it; and the part of what the
# objective was that is as good as nothing.
_UNSEEN, _TRACE = 1e-6, 1e-12
# Steps that hardly lower it any more have arrived where no more than this part is left to gain.
_ENOUGH = 1e-9
# A Cholesky factor whose pivots differ by more than this is one of a singular matrix.
_SINGULAR = 1e-7
# The part of its size that a matrix is asked to keep of a bend: rows are asked of less.
_HARDLY = 1e-10
# Rows tell of a direction what is so many times (squared) what the rounding of their cells tells.
_TOLD = 1e4
# Beyond so many parameters a little damping takes the place of own directions, which cost tens of times a factor.
_MANY = 200

# Who looks at each step, the parameters and the objective there, and says whether to stop.
Watch = Callable[[Floats, float], bool]


def unwatched(theta: Floats, value: float) -> bool:
    """Steps that are nobody's business, as those on some of the rows: none is the last one."""
    return False


def solve(matrix: Floats, right: Floats) -> Floats:
    """The solution of a symmetric positive definite system by Cholesky, with the least damping that makes it definite."""
    factor = _factor(matrix)
    size = float(np.trace(matrix)) / max(len(matrix), 1)
    damping = 1e-14
    while factor is None and size > 0 and damping < 1e12:
        factor = _factor(matrix + damping * size * np.eye(len(matrix)))
        damping *= 10
    return right / max(size, 1e-300) if factor is None else back(factor, right)


def direction(matrix: Floats, gradient: Floats) -> Floats:
    """Newton's step: by Cholesky; where the matrix is singular or bends down, the shortest step in each own direction.

    Where the matrix holds no numbers there is no step: NaN.
    """
    if not np.isfinite(matrix).all():
        return np.full(gradient.shape, np.nan)
    factor = well_conditioned(matrix)
    if factor is not None:
        return back(factor, -gradient)
    # Parameters may be in units far apart: each is put in its own, in which the objective bends by one.
    diagonal = np.abs(np.diag(matrix))
    unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return unit * _of_singular(matrix * unit * unit[:, None], gradient * unit)


def _of_singular(matrix: Floats, gradient: Floats) -> Floats:
    if len(matrix) > _MANY:
        damped = _factor(matrix + 1e-12 * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))
        if damped is not None:
            return back(damped, -gradient)
    size, vectors = np.linalg.eigh(matrix)
    bend = np.abs(size)
    known = bend > _SINGULAR**2 * len(size) * bend.max(initial=0)
    inverse = np.where(known, 1 / np.where(known, bend, 1), 0)
    found: Floats = -vectors @ (inverse * (vectors.T @ gradient))
    return found


def hidden(objective: Smooth, theta: Floats, matrix: Floats) -> tuple[Floats, float]:
    """A step where the matrix is lost in its rounding, as of columns that differ in their eighth digit, and what it promises.

    A matrix of products has half the digits of its columns: what these still tell of such directions is asked of the rows.
    """
    nowhere = np.zeros(theta.shape), 0.0
    if not np.isfinite(matrix).all() or well_conditioned(matrix) is not None:
        return nowhere
    ways = _lost(matrix, theta.shape[1])
    ways[objective.held.ravel()] = 0.0
    if not ways.size:
        return nowhere
    slope, bend, rounding = objective.along(theta, ways)
    if not np.isfinite(bend).all():
        return nowhere
    unit = 1 / np.sqrt(np.where(rounding > 0, rounding, 1.0))
    size, vectors = np.linalg.eigh(bend * unit * unit[:, None])
    seen = size > max(_TOLD, _SINGULAR**2 * len(size) * size.max(initial=0))
    vectors = unit[:, None] * vectors[:, seen]
    pull = vectors.T @ slope
    wanted = -ways @ (vectors @ (pull / size[seen]))
    return wanted.reshape(theta.shape), float(pull @ (pull / size[seen]))


def _lost(matrix: Floats, outputs: int) -> Floats:
    """Directions whose bend a symmetric matrix hardly keeps, each of the parameters of one raw output.

    Raw outputs that move together may bend nothing: the rows tell more where each moves alone.
    """
    count = len(matrix) // outputs
    found = [np.zeros((count, outputs, 0))]
    for k in range(outputs):
        some = _without_pivots(matrix[k::outputs, k::outputs])
        found.append(np.zeros((count, outputs, some.shape[1])))
        found[-1][:, k] = some
    return np.concatenate(found, axis=2).reshape(len(matrix), -1)


def _without_pivots(matrix: Floats) -> Floats:
    """For each parameter that those before it nearly make up for: its move with theirs against it (pivoted Cholesky)."""
    from scipy.linalg import lapack, solve_triangular

    diagonal = np.diag(matrix)
    known = diagonal > 0
    unit = 1 / np.sqrt(np.where(known, diagonal, 1.0))
    factor, order, rank, _ = lapack.dpstrf(matrix * unit * unit[:, None], tol=_HARDLY)
    order = order - 1
    found = np.zeros((len(matrix), len(matrix) - rank))
    found[order[:rank]] = -solve_triangular(factor[:rank, :rank], factor[:rank, rank:])
    found[order[rank:], np.arange(len(matrix) - rank)] = 1.0
    return unit[:, None] * found[:, known[order[rank:]]]


def well_conditioned(matrix: Floats) -> Floats | None:
    """The upper Cholesky factor; None if the matrix is not definite, or nearly not."""
    factor = _factor(matrix)
    if factor is None:
        return None
    pivots = np.diag(factor)
    return factor if pivots.min() > _SINGULAR * pivots.max() else None


def _factor(matrix: Floats) -> Floats | None:
    """The upper Cholesky factor; None if the matrix is not definite."""
    from scipy.linalg import lapack  # its own wrappers take five times as long as a small matrix does

    found, failed = lapack.dpotrf(matrix)
    return None if failed or not np.isfinite(found).all() else found


def back(factor: Floats, right: Floats) -> Floats:
    """The solution of a system by the upper Cholesky factor of its matrix."""
    from scipy.linalg import lapack

    found: Floats = lapack.dpotrs(factor, right)[0] if len(factor) else right.copy()
    return found


@dataclass(frozen=True)
class Reached:
    """Where a solver stopped: parameters, steps, whether it converged, and how far it can be from the least, if known.

    ``endless``: there is no least, because the objective falls however far it goes. ``stopped``: who watched said so.
    """

    theta: Floats
    steps: int
    converged: bool
    gap: float | None = None
    proven: bool = False
    endless: bool = False
    stopped: bool = False

    def continued(self, go_on: Callable[[Floats, int, Watch], Reached], max_iter: int, watch: Watch) -> Reached:
        """What another solver finds from here in the steps that are left. Who watches was told of this place."""
        rest = go_on(self.theta, max_iter - self.steps, lambda at, value: at is not self.theta and watch(at, value))
        return replace(rest, steps=self.steps + rest.steps)


def minimise(objective: Smooth, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters where the gradient vanishes.

    It stops where half the squared Newton decrement, the decrease that is left, is at most ``tol`` of the objective or is lost
    in its rounding; and where the objective falls without end.
    """
    theta = before = start
    value, gradient = objective.value_and_gradient(theta)
    trace = _TRACE * abs(value)
    if watch(theta, value):
        return Reached(theta, 0, False)
    for step in range(1, max_iter + 1):
        matrix = objective.curvature(theta)
        if not np.isfinite(matrix).all():
            return Reached(theta, step, False)
        wanted = np.where(objective.held.ravel(), 0.0, direction(matrix, gradient.ravel()))
        promised = float(-wanted @ gradient.ravel())
        left = promised / 2
        arrived = left <= tol * abs(value) or left <= objective.rounding(theta) or not promised > 0
        if arrived or step % _LOOK == 0:
            aside, more = hidden(objective, theta, matrix)
            if more / 2 > max(tol * abs(value), objective.rounding(theta)):
                moved = search(objective, theta, aside, more)
                if moved is None:
                    left += more / 2
                    return Reached(theta, step, left <= objective.rounding(theta) / KEEP, left)
                theta = moved
                value, gradient = objective.value_and_gradient(theta)
                if watch(theta, value):
                    return Reached(theta, step, False)
                continue
            left += more / 2
        if arrived:
            if abs(value) > trace and pulls_unseen(objective, theta, matrix @ wanted + gradient.ravel()):
                return Reached(theta, step, False)
            last = theta + wanted.reshape(theta.shape)
            return Reached(last if _is_better(objective, last, theta) else theta, step, left >= 0, max(left, 0.0))
        if step % _LOOK == 0:
            if falls_without_end(objective, theta, theta - before):
                return Reached(theta, step, False, endless=True)
            if objective.value(before) - value < _SLOW * abs(value):
                return Reached(theta, step, left <= _ENOUGH * abs(value), left)
            before = theta
        moved = search(objective, theta, wanted.reshape(theta.shape), promised)
        if moved is None:
            # Less than this does not show in the objective.
            return Reached(theta, step, left <= objective.rounding(theta) / KEEP, left)
        theta = moved
        value, gradient = objective.value_and_gradient(theta)
        if watch(theta, value):
            return Reached(theta, step, False)
    return Reached(theta, max_iter, False)


def _is_better(objective: Smooth, there: Floats, here: Floats) -> bool:
    """Whether the objective is no higher there; where rounding alone tells the two apart, whether its slope is less."""
    (lower, slope), (value, gradient) = objective.value_and_gradient(there), objective.value_and_gradient(here)
    if lower <= value:
        return True
    return lower <= value + objective.rounding(here) and bool(np.abs(slope).max() < np.abs(gradient).max())


def pulls_unseen(objective: Smooth, theta: Floats, unseen: Floats) -> bool:
    """Whether signals pull where nothing bends, so that the matrix shows no way: what is left of the derivative by its step."""
    _, gradient = objective.value_and_gradient(theta)
    unseen = np.abs(unseen).reshape(gradient.shape)
    # Each raw output is looked at by itself: they may be in units far apart.
    pulled = unseen.max(axis=0, initial=0) > _SINGULAR * np.abs(gradient).max(axis=0, initial=0)
    return bool(((unseen > _UNSEEN * objective.pulls(theta)) & pulled).any())


def search(objective: Smooth, theta: Floats, wanted: Floats, promised: float) -> Floats | None:
    """A point along the direction that keeps part of the promised decrease; None if none does."""
    value, _ = objective.value_and_gradient(theta)
    length = 1.0
    for _ in range(_HALVINGS):
        there = theta + length * wanted
        # The whole step is nearly always kept, and its gradient is needed then.
        found = objective.value_and_gradient(there)[0] if length == 1 else objective.value(there)
        if found <= value - KEEP * length * promised:
            return there
        length /= 2
    return None
