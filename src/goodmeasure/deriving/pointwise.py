"""Numbers of losses of one or several raw outputs: their formulas on arrays, with the right limits at infinity.

Single precision ends at exp(89). On arrays of NumPy, double precision steps in where what is made of such an exponential would
still be a number: wherever a number is lost, and from the start where predictions are not on the natural scale of the target.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from goodmeasure.deriving.arguments import Examples
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.activations import natural
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.formulas.evaluation import Array, on_arrays
from goodmeasure.formulas.expression import Expr


def numbers(loss: Record, given: Examples, order: int) -> list[Array]:
    """Value (and, of order 1, signal) of checked examples, one an example, in the dtype of computing."""
    value, *signal = _formulas(loss, [loss.composed, *(loss.signal if order else ())], given)
    return [value, *([_stacked(signal, given.xp)] if signal else [])]


def signal(loss: Record, given: Examples) -> Array:
    """The signal of checked examples alone: the same numbers as beside the value."""
    return _stacked(_formulas(loss, list(loss.signal), given), given.xp)


def second_derivatives(loss: Record, given: Examples, *, full: bool) -> Array:
    """Second derivatives of checked examples: the diagonal, or every pair of raw outputs."""
    xp, m = given.xp, len(loss.activation)
    picks = [loss.curvature[i][j] for i in range(m) for j in range(m) if full or i == j]
    table = _stacked(_formulas(loss, picks, given), xp)
    return xp.reshape(table, (*table.shape[:-1], m, m)) if full and m > 1 else table


def _formulas(loss: Record, formulas: list[Expr], given: Examples) -> list[Array]:
    """Each formula on the examples; not a number where a raw output is none."""
    given, xp = _wide_enough(loss, given), given.xp
    raws = [given.z] if len(loss.activation) == 1 else [given.z[..., i] for i in range(len(loss.activation))]
    found = _at_limits(loss, formulas, given, raws)
    lost = xp.isnan(raws[0])
    for raw in raws[1:]:
        lost = lost | xp.isnan(raw)
    return [xp.where(lost, xp.asarray(xp.nan, dtype=f.dtype), f) for f in found]


def _stacked(found: list[Array], xp: Any) -> Array:
    """Formulas by raw output, on the last axis where there are several."""
    return found[0] if len(found) == 1 else xp.stack(found, axis=-1)


def takes_double(loss: Record) -> bool:
    """Whether single precision may end before a loss does: its predictions are not on the natural scale of its target."""
    return not isinstance(loss.target, OutcomeDomain) and natural(loss.target) is not loss.activation[0]


def _is_single(z: Array) -> bool:
    return isinstance(z, np.ndarray) and z.dtype == np.float32


def _wide_enough(loss: Record, given: Examples) -> Examples:
    if not _is_single(given.z) or not takes_double(loss):
        return given
    return replace(given, y=given.y.astype(np.float64), z=given.z.astype(np.float64))


def _at_limits(loss: Record, formulas: list[Expr], given: Examples, raws: list[Array]) -> list[Array]:
    """The formulas on raw outputs; where a huge one leaves no number (inf - inf), what a less huge one gives."""
    xp = given.xp

    def at(outputs: list[Array], y: Array = given.y) -> list[Array]:
        values = {**loss.values, "y": y, **dict(zip(loss.raw_names, outputs, strict=True))}
        return on_arrays(formulas, values, like=y)

    found = at(raws)
    if _is_single(given.z) and not all(np.isfinite(f).all() for f in found):
        wide = at([r.astype(np.float64) for r in raws], given.y.astype(np.float64))
        with np.errstate(over="ignore"):
            found = [np.where(np.isfinite(f), f, w.astype(np.float32)) for f, w in zip(found, wide, strict=True)]
    for far, nearer in less_huge(float(xp.finfo(given.z.dtype).max)):
        if not any(bool(xp.any(xp.isnan(f))) for f in found):
            break
        there, before = (at([xp.clip(r, -bound, bound) for r in raws]) for bound in (far, nearer))
        found = [xp.where(xp.isnan(f), limit(a, b, xp), f) for f, a, b in zip(found, there, before, strict=True)]
    return found


def less_huge(most: float) -> tuple[tuple[float, float], ...]:
    """How far out a formula is looked at instead, one after the other, and a little less far: the last where exp is a number."""
    return tuple((bound, 0.95 * bound) for bound in (most, most**0.5, 0.95 * math.log(most)))


def limit(far: Array, nearer: Array, xp: Any) -> Array:
    """What a number tends to that is ``far`` at one place and ``nearer`` before it: infinity where it grows exponentially."""
    infinite = xp.full_like(far, math.inf)
    grown = abs(far) / 1.5 > abs(nearer)
    return xp.where(grown, xp.where(far > 0, infinite, -infinite), far)
