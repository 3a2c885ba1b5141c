"""Costs of sizes where rows are many: proximal Newton steps by how a part of the rows bends, corrected by what they tell.

`sampled` does so without such costs. A quadratic model of all columns is next to nothing beside a look at all rows, so every
column is in each step, and none is copied.
"""

from __future__ import annotations

import numpy as np

from goodmeasure.fitting import design, proximal, sampled
from goodmeasure.fitting.newton import Reached, Watch, unwatched
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# A part is solved to this part of its objective.
_ROUGH = 1e-2
# Where so many steps by a part's curvature do not arrive, all rows say how they bend.
_STEPS = 12
# After these steps from where a fit with another penalty ended, a part says anew how it bends if they gained little.
_ANEW = (2, 3)
# By what name it stands where fits ended.
_NAME = "sampled sizes"


def suits(objective: Objective) -> bool:
    """Whether there are so many rows that a part of them tells how all bend."""
    return objective.outputs == 1 and not design.is_sparse(objective.features) and sampled.suits(objective)


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters at the least of the objective and the cost of sizes, as `proximal.minimise` finds them."""
    begun = _begun(objective, start)
    if begun is None:
        return proximal.minimise(objective, start, tol=tol, max_iter=max_iter, watch=watch)
    theta, bend = begun
    if watch(theta, proximal.value_of(objective, theta)):
        return Reached(theta, 0, False, stopped=True)
    most, served = objective.size(start), objective.is_compiled
    found = proximal.minimise_whole(
        objective, theta, most=most, tol=tol, max_iter=max_iter, watch=watch, bend=bend, served=served
    )
    if found.stopped or proximal.gap_of(objective, found.theta, most) <= proximal.near_enough(
        objective, found.theta, tol
    ):
        objective.ended(_NAME, found.theta, bend.matrix - np.diag(objective.penalty[:, 0]), bend.part)
        return found

    def by_parts(start: Floats, steps: int, told: Watch) -> Reached:
        return proximal.minimise(objective, start, tol=tol, max_iter=steps, watch=told)

    return found.continued(by_parts, max_iter, watch)


def _begun(objective: Objective, start: Floats) -> tuple[Floats, _Bend] | None:
    """Where a fit with another penalty ended or a part of the rows has its least, if that is lower; and how rows bend.

    None where a part would not tell.
    """
    last, part = objective.last(_NAME), None
    if last is not None:
        theta, matrix, part = last
        matrix = matrix + np.diag(objective.penalty[:, 0])
        part = part and part.penalised(objective.alpha)
    elif (everywhere := sampled.of_parabola(objective, start)) is not None:
        theta, matrix = start, everywhere[1].matrix
    elif (some := _of_part(objective, start)) is not None:
        theta, matrix, part = some
    else:
        return None
    objective.value_and_gradient(theta)  # both are asked for, by one look
    lower = proximal.value_of(objective, theta) <= proximal.value_of(objective, start)
    return theta if lower else start, _Bend(objective, matrix, part, anew=_ANEW if last else ())


def _of_part(objective: Objective, start: Floats) -> tuple[Floats, Floats, Objective] | None:
    """Near the least of a part of the rows, which is begun on a part of its own; how it bends, and the part."""
    part = objective.part(sampled.spread(len(objective.y), sampled.part_size(objective)))
    some = part.part(sampled.spread(len(part.y), sampled.FEW * part.count))
    first = _near(some, start, some)
    near = _near(part, start if first is None else first, some)
    if near is None:
        return None
    return near, _matrix(part, near), part


def _matrix(part: Objective, theta: Floats) -> Floats:
    """How a part of the rows bends; to six digits where that is enough."""
    known = sampled.bend_of(part, theta)
    return part.curvature(theta) if known is None else known.matrix


def _near(part: Objective, start: Floats, some: Objective) -> Floats | None:
    """Near the least of a part, by how some of its rows bend at the start; None where that leads nowhere."""
    most, aim = part.size(start), _ROUGH * abs(proximal.value_of(part, start))
    bend, served = _Bend(part, some.curvature(start)), part.is_compiled
    found = proximal.settled(
        part, start, most=most, aim=aim, max_iter=_STEPS, watch=unwatched, bend=bend, served=served
    )
    return found.theta if found.gap is not None and found.gap <= aim else None


class _Bend:
    """The curvature that steps on all rows go by: that of a part of them, with what each step tells of all (BFGS)."""

    def __init__(
        self, objective: Objective, matrix: Floats, part: Objective | None = None, anew: tuple[int, ...] = ()
    ) -> None:
        self.objective, self.matrix, self.part, self.anew = objective, matrix, part, anew
        self.stood: tuple[Floats, Floats] | None = None
        self.asked = 0

    def __call__(self, theta: Floats, width: float | None) -> tuple[Floats, bool]:
        """The curvature, and whether it is that of all rows here: where no step was made by what is known, or too many were."""
        gradient = self.objective.value_and_gradient(theta)[1]
        stuck = self.stood is not None and self.stood[0] is theta
        self._learn(theta, gradient)
        self.stood, self.asked = (theta, gradient), self.asked + 1
        if self.part is not None and width is not None and not stuck and self.asked in self.anew:
            self.matrix = _matrix(self.part, theta)
        known = np.isfinite(self.matrix).all() and not proximal.is_blind(
            self.matrix, gradient.ravel(), self.objective.l1.ravel()
        )
        if known and not stuck and self.asked <= _STEPS:
            return self.matrix, False
        if width:
            by_row = self.objective.bends(theta, width * self.objective.spread(theta))
            self.matrix = self.objective.products(by_row) + np.diag(self.objective.penalty[:, 0])
        else:
            self.matrix = self.objective.curvature(theta)
        return self.matrix, True

    def _learn(self, theta: Floats, gradient: Floats) -> None:
        """The slope changed by so much over the last step."""
        if self.stood is None:
            return
        moved, changed = (theta - self.stood[0]).ravel(), (gradient - self.stood[1]).ravel()
        before = self.matrix @ moved
        bent, was = float(moved @ changed), float(moved @ before)
        if bent > 0 and was > 0:
            self.matrix = self.matrix + np.outer(changed, changed) / bent - np.outer(before, before) / was
