"""Newton's method where rows are many: most of the way on a part of them, and the curvature of that part for the last steps.

The part's curvature is off by about ``sqrt(parameters / rows of the part)``, so each step on all rows leaves that share of
the way; what the steps themselves tell of the curvature is added (L-BFGS: Nocedal 1980; the start of subsampled Newton
methods: Erdogdu and Montanari 2015). All rows are read once for a raw output and once for a signal in a step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import descent, design, newton
from goodmeasure.fitting.newton import Reached, Watch, unwatched
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# A part is worth while from so many rows on.
_MANY = 20_000


class _Size(NamedTuple):
    """How many rows a part has for each parameter of a raw output, at least and at best, and at most of all rows."""

    least: int
    best: int
    share: float


# Fewer are enough of many raw outputs, each of which tells of the curvature; and where all rows take long to say how they bend,
# beside what a step on them takes, as those of mostly zeros do.
_OF_ONE, _OF_SEVERAL, _OF_ZEROS = _Size(150, 225, 1 / 8), _Size(40, 40, 1 / 8), _Size(50, 100, 1 / 4)
# Its curvature has at most so many parameters. One that is singular, as of classes, is damped by this part of itself.
_MOST, _DAMPED = 2_000, 1e-7
# The part is itself begun on so many of its rows a parameter. Each is solved as near as it lies to the least of more rows.
FEW, _ROUGHLY, ROUGH = 20, 1e-2, 1e-4
# So many columns are multiplied with each other in about the time of a part; to six digits where pivots differ by no more.
_NARROW, _EVEN = 100, 1e-2
# Where so many steps do not arrive, all rows say how the objective bends.
_STEPS, _HALVINGS = 12, 4
# By what name it stands where fits ended.
NAME = "sampled"


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters where the gradient vanishes, as `newton.minimise` finds them, by fewer reads of the rows."""
    constant = objective.value(start)
    begun = (_resumed(objective) or _begun(objective, start, constant)) if suits(objective) else None
    if begun is None:
        return newton.minimise(objective, start, tol=tol, max_iter=max_iter, watch=watch)
    if begun[0] is not start and watch(start, constant):
        return Reached(start, 0, False, stopped=True)
    reached = _walked(objective, *begun, tol=tol / 2, max_iter=min(_STEPS, max_iter), watch=watch)
    if reached.converged:
        objective.ended(NAME, reached.theta, begun[1].at(-objective.penalty.ravel()))
    if reached.converged or reached.stopped:
        return reached
    if objective.outputs > 1:
        return reached  # the curvature of all rows by all raw outputs takes longer than other ways

    def by_newton(start: Floats, steps: int, told: Watch) -> Reached:
        return newton.minimise(objective, start, tol=tol, max_iter=steps, watch=told)

    return reached.continued(by_newton, max_iter, watch)


def suits(objective: Objective) -> bool:
    """Whether there are so many rows that it is worth while to begin on a part of them."""
    rows, size = len(objective.y), _size_for(objective)
    small = size.least * objective.count <= size.share * rows
    return rows >= _MANY and small and objective.count * objective.outputs <= _MOST


def part_size(objective: Objective) -> int:
    """How many rows the part has."""
    rows, size = len(objective.y), _size_for(objective)
    return max(rows // 24, min(size.best * objective.count, int(size.share * rows)))


def _size_for(objective: Objective) -> _Size:
    if objective.outputs > 1:
        return _OF_SEVERAL
    return _OF_ZEROS if design.is_sparse(objective.features) else _OF_ONE


def _resumed(objective: Objective) -> tuple[Floats, Bend] | None:
    """Where a fit of the same rows with another penalty ended, and how these bend; None where there was none."""
    last = objective.last(NAME)
    if last is None:
        return None
    theta, bend = last
    found = bend.at(objective.penalty.ravel())
    return None if found.factor is None else (theta, found)


def _begun(objective: Objective, start: Floats, constant: float) -> tuple[Floats, Bend] | None:
    """Where the least of a part of the rows lies, and how that bends; None where a part would not tell, or is not worth it."""
    if (everywhere := of_parabola(objective, start)) is not None:
        near, known = everywhere
        return (near if objective.value_and_gradient(near)[0] <= constant else start), known
    part = objective.part(spread(len(objective.y), part_size(objective)))
    reached = of_part(part, start)
    if not reached.converged:
        return None
    near = reached.theta if objective.value_and_gradient(reached.theta)[0] <= constant else start
    bend = bend_of(part, near)
    return None if bend is None else (near, bend)


def of_parabola(objective: Objective, start: Floats) -> tuple[Floats, Bend] | None:
    """Where all rows lead, and how they bend, where each bends everywhere as it does at one raw output (squared error).

    None where they do not, or columns are many.
    """
    if objective.outputs > 1 or objective.count > _NARROW or start[: objective.features.shape[1]].any():
        return None
    bend = objective.loss.curvature[0][0].number
    if bend is None or not float(bend) > 0:
        return None
    for single in (True, False):
        matrix, gradient = objective.parabola(start, float(bend), single=single)
        found = Bend(matrix)
        if found.factor is not None and (not single or _is_plain(found.factor)):
            return start - found(gradient.ravel()).reshape(start.shape), found
    return None


def _is_plain(factor: Floats) -> bool:
    """Whether six digits of a matrix are enough: its Cholesky factor's pivots lie near each other."""
    return bool(np.diag(factor).min() > _EVEN * np.diag(factor).max())


def of_part(part: Objective, start: Floats) -> Reached:
    """Near the least of a part: from that of some of its rows, by how they bend."""
    if part.outputs > 1:
        return descent.minimise(part, start, tol=ROUGH, max_iter=500, watch=unwatched)
    some = part.part(spread(len(part.y), FEW * part.count))
    first = by_bend(some, start, bend_of(some, start), tol=_ROUGHLY)
    bend = bend_of(some, first.theta) if first.converged else None
    near = bend is not None and part.value_and_gradient(first.theta)[0] <= part.value(start)
    return by_bend(part, first.theta if near else start, bend if near else None, tol=ROUGH)


def by_bend(part: Objective, start: Floats, bend: Bend | None, *, tol: float) -> Reached:
    """Near the least by one curvature; by Newton's own steps where it is none or singular, or does not lead there."""
    if bend is not None and bend.factor is not None:
        reached = _walked(part, start, bend, tol=tol, max_iter=_STEPS, watch=unwatched)
        if reached.converged:
            return reached
    return newton.minimise(part, start, tol=tol, max_iter=30, watch=unwatched)


def bend_of(objective: Objective, theta: Floats) -> Bend | None:
    """How the rows bend; in single precision where that is enough, as they are a part. None where they hardly do."""
    if objective.outputs == 1:
        found = Bend(objective.curvature(theta, single=True))
        if found.factor is not None and _is_plain(found.factor):
            return found
    matrix = objective.curvature(theta)
    if objective.outputs > 1:
        # All classes may move together without a change: no signal goes that way.
        matrix[np.diag_indices_from(matrix)] += _DAMPED * np.trace(matrix) / len(matrix)
    found = Bend(matrix)
    return None if found.factor is None else found


def _walked(objective: Objective, theta: Floats, bend: Bend, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """Steps by an inverse of the curvature that learns from them, to where no more than ``tol`` is left to gain."""
    value, gradient = objective.value_and_gradient(theta)
    if watch(theta, value):
        return Reached(theta, 1, False, stopped=True)
    for step in range(1, max_iter + 1):
        wanted = -bend(gradient.ravel()).reshape(theta.shape)
        left = -float(np.sum(wanted * gradient)) / 2
        if left <= tol * abs(value) or left <= objective.rounding(theta):
            return Reached(theta, step, left >= 0, max(left, 0.0))
        moved = _moved(objective, theta, wanted, value, 2 * left)
        if moved is None:
            return Reached(theta, step, False)
        before, theta = (theta, gradient), moved
        value, gradient = objective.value_and_gradient(theta)
        bend.learn((theta - before[0]).ravel(), (gradient - before[1]).ravel())
        if watch(theta, value):
            return Reached(theta, step + 1, False, stopped=True)
    return Reached(theta, max_iter, False)


def spread(rows: int, size: int) -> NDArray[np.intp]:
    """The places of so many rows, one by chance of each stretch of equal length: the same whenever it is asked."""
    every = max(rows // size, 1)
    size = min(size, rows)
    return np.arange(size, dtype=np.intp) * every + np.random.default_rng(0).integers(every, size=size, dtype=np.intp)


class Bend:
    """The inverse of a curvature, corrected by what steps have told of it."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix
        self.factor = newton.well_conditioned(matrix)
        self.told: list[tuple[Floats, Floats, float]] = []

    def at(self, more: Floats) -> Bend:
        """The same with so much more curvature of each parameter alone."""
        found = Bend(self.matrix + np.diag(more))
        for moved, changed, _ in self.told[-_STEPS:]:
            found.learn(moved, changed + more * moved)
        return found

    def learn(self, moved: Floats, changed: Floats) -> None:
        """The gradient changed by so much over this step."""
        if (bent := float(moved @ changed)) > 0:
            self.told.append((moved, changed, bent))

    def __call__(self, gradient: Floats) -> Floats:
        """The curvature's inverse times a gradient, by the two loops of L-BFGS."""
        found, shares = gradient.copy(), []
        for moved, changed, bent in reversed(self.told):
            shares.append(float(moved @ found) / bent)
            found -= shares[-1] * changed
        assert self.factor is not None
        found = newton.back(self.factor, found)
        for moved, changed, bent in self.told:
            found += (shares.pop() - float(changed @ found) / bent) * moved
        return found


def _moved(objective: Objective, theta: Floats, wanted: Floats, value: float, promised: float) -> Floats | None:
    """A point along the step that keeps part of the promised decrease; None if none of the first does."""
    for halved in range(_HALVINGS):
        there: Floats = theta + wanted / 2**halved
        if objective.value_and_gradient(there)[0] <= value - newton.KEEP * promised / 2**halved:
            return there
    return None
