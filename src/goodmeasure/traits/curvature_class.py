"""What a loss looks like to a solver, read off its signal and curvature: flat, made of straight lines, or smooth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving import numbers
from goodmeasure.deriving.predictions import raw
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.activations import linear
from goodmeasure.statistics.keys import few
from goodmeasure.statistics.row_arguments import Floats

_TARGETS, _LOOKED_AT = 40, 4000
_REACH = 30.0
# A step across a target, small beside any width over which a signal may turn without a jump.
_STEP = 1e-13


@dataclass(frozen=True)
class CurvatureClass:
    """What was seen of a loss on a grid of targets and raw outputs.

    ``flat``: its signal is zero everywhere. ``piecewise_linear``: no curvature anywhere, so its slope changes at kinks alone.
    ``convex``: its signal never falls as the raw output rises, on ``pairs`` pairs; ``jumps``: its signal jumps at the target.
    """

    flat: bool
    piecewise_linear: bool
    convex: bool
    jumps: bool
    pairs: int

    @property
    def evidence(self) -> str:
        """How it is known whether the loss is convex in the raw output."""
        return f"no counterexample in {self.pairs:,} pairs" if self.convex else "a counterexample was found"


def curvature_class(loss: Record, y: NDArray[Any], outputs: int) -> CurvatureClass:
    """Look at a loss on targets among ``y`` and raw outputs from far below to far above them."""
    return _survey_rows(loss, y, outputs) if outputs > 1 else _survey_numbers(loss, _some(y.astype(np.float64)))


def _some(y: Floats) -> tuple[float, ...]:
    if len(y) > _LOOKED_AT:  # rows at equal steps, and the ends of all: sorting many takes as long as fitting them
        y = np.concatenate([y[:: len(y) // _LOOKED_AT], [y.min(), y.max()]])
    found = np.unique(y)
    return tuple(found[np.linspace(0, len(found) - 1, min(_TARGETS, len(found))).astype(int)].tolist())


@lru_cache(maxsize=256)  # every fold of a table of yes and no asks the same
def _survey_numbers(loss: Record, some: tuple[float, ...]) -> CurvatureClass:
    targets = np.array(some)
    grid = _grid(loss, targets)
    at, z = np.meshgrid(targets, grid, indexing="ij")
    signal, curvature = numbers.gradient(loss, at, z), numbers.hessian(loss, at, z)
    known = np.isfinite(signal)
    with np.errstate(invalid="ignore"):
        slack = 1e-9 * np.maximum(np.abs(signal[:, 1:]), np.abs(signal[:, :-1]))
        rising = np.diff(signal, axis=1) >= -slack
    piecewise_linear = bool(np.all(curvature[np.isfinite(curvature)] == 0))
    return CurvatureClass(
        flat=not signal[known].any(),
        piecewise_linear=piecewise_linear,
        convex=bool(np.all(rising | ~known[:, 1:] | ~known[:, :-1])) and _climbs_as_it_pulls(loss, at, z, signal),
        jumps=piecewise_linear or _jumps(loss, targets),
        pairs=signal.size,
    )


@np.errstate(over="ignore", invalid="ignore")
def _climbs_as_it_pulls(loss: Record, targets: Floats, z: Floats, signal: Floats) -> bool:
    """Whether the value moves between neighbours as their signals say it may at most and at least: no value jumps unseen."""
    value, apart = numbers.value(loss, targets, z), np.diff(z, axis=1)
    moved, size = np.diff(value, axis=1), np.abs(value[:, 1:]) + np.abs(value[:, :-1])
    least, most = signal[:, :-1] * apart, signal[:, 1:] * apart
    slack = 1e-9 * (size + np.abs(least) + np.abs(most))
    return bool(np.all((moved >= least - slack) & (moved <= most + slack) | ~np.isfinite(moved + slack)))


def _grid(loss: Record, targets: Floats) -> Floats:
    """Raw outputs around zero, and around the targets or what stands for them behind an activation."""
    far = np.linspace(-_REACH, _REACH, 241) + 1e-3
    if loss.activation != (linear,):
        return np.unique(np.concatenate([far, *(at + far for at in _standing(loss, targets))]))
    width = float(np.ptp(targets)) or max(1.0, abs(float(targets[0])))
    return np.unique(np.concatenate([far, np.linspace(targets.min() - 2 * width, targets.max() + 2 * width, 401)]))


def _standing(loss: Record, targets: Floats) -> Floats:
    """The least and the largest raw output that stands for a target, where one does and it lies beyond the grid around zero."""
    reaches = loss.activation[0].reaches
    inside = targets[(targets > reaches.low) & (targets < reaches.high)]
    if loss.is_binary or not inside.size:
        return np.empty(0)
    found = np.asarray(raw(loss, np.array([inside.min(), inside.max()])), dtype=np.float64)
    return found[np.isfinite(found) & (np.abs(found) > _REACH / 2)]


def _jumps(loss: Record, targets: Floats) -> bool:
    """Whether the signal jumps where the prediction meets the target."""
    inside = targets[(targets > loss.activation[0].reaches.low) & (targets < loss.activation[0].reaches.high)]
    if loss.is_binary or not inside.size:
        return False
    z = np.asarray(raw(loss, inside), dtype=np.float64)
    # Raw outputs have the unit of the targets, or none behind an activation.
    unit = (float(np.ptp(targets)) or 1.0) if loss.activation == (linear,) else 1.0
    size = np.maximum(np.abs(z), 1e-3 * unit)
    before, after = (numbers.gradient(loss, inside, z + step * size) for step in (-_STEP, _STEP))
    # The longest signal near and far: that of a loss which stops pulling far out is gone there.
    steps = np.geomspace(_STEP, 1, 9)[:, None] * np.maximum(size, unit)
    far = np.abs(numbers.gradient(loss, np.broadcast_to(inside, steps.shape), z + steps)).max(axis=0)
    return bool(np.any(np.abs(after - before) > 1e-3 * np.maximum(far, 1e-300)))


def _survey_rows(loss: Record, y: NDArray[Any], outputs: int) -> CurvatureClass:
    """Several raw outputs: curvature along lines through random points, and a signal or none.

    Grades are looked at where they stand: steps between them that all rows share leave no other lowest point.
    """
    rng = np.random.default_rng(0)
    targets = rng.choice(y if y.ndim == 1 else np.arange(outputs), 200)
    z = _around(loss, targets, 3 * rng.standard_normal((200, outputs)))
    loss, z = (loss.of_stands, np.sort(z)[:, ::-1]) if loss.is_graded else (loss, z)
    signal, curvature = numbers.gradient(loss, targets, z), numbers.hessian(loss, targets, z, full=True)
    lowest = np.linalg.eigvalsh((curvature + np.swapaxes(curvature, 1, 2)) / 2).min(axis=1)
    size = np.abs(curvature).max(axis=(1, 2))
    piecewise_linear = not curvature.any()
    return CurvatureClass(
        flat=not signal.any(),
        piecewise_linear=piecewise_linear,
        convex=bool(np.all(lowest >= -1e-9 * size)) and _lies_below_chords(loss, targets, z),
        jumps=piecewise_linear,
        pairs=len(z),
    )


def _around(loss: Record, targets: NDArray[Any], z: Floats) -> Floats:
    """Half of the raw outputs as they are, and half around the targets where raw outputs are of their unit."""
    if loss.is_classwise:
        return z
    spread = float(np.ptp(targets)) or max(1.0, float(np.abs(targets).max()))
    plain = np.array([a is linear for a in loss.activation])
    near = np.where(plain, targets[:, None] + spread * z, z)
    return np.where((np.arange(len(z)) % 2 == 0)[:, None], z, near)


def _lies_below_chords(loss: Record, targets: NDArray[Any], z: Floats) -> bool:
    """Whether the loss half-way between raw outputs is at most the mean of both ends, which kinks may break unseen."""
    other = np.roll(z, 1, axis=0)
    ends = numbers.value(loss, targets, z) / 2 + numbers.value(loss, targets, other) / 2
    return bool(np.all(numbers.value(loss, targets, (z + other) / 2) <= ends + 1e-12 * np.abs(ends)))


@dataclass(frozen=True)
class Kinks:
    """A loss made of straight lines, as a sum of functions with one kink each: row ``row`` has slope ``left`` below
    raw output ``at`` and ``right`` above."""

    row: NDArray[np.intp]
    at: Floats
    left: Floats
    right: Floats


def kinks(loss: Record, y: Floats) -> Kinks | None:
    """Where the lines of a convex, piecewise linear loss meet, for each target; None if it has more than two kinks."""
    # Many targets are not sorted to look at each once: that takes longer than to look at all.
    targets, where = few(y, _LOOKED_AT) or (y, slice(None))
    width = 1e3 * (float(np.ptp(targets)) + np.abs(targets).max() + 1)
    left, right = (numbers.gradient(loss, targets, np.full(targets.shape, far)) for far in (-width, width))
    first = _turn(lambda some, z: numbers.gradient(loss, targets[some], z) > left[some], targets, width)
    last = _turn(lambda some, z: numbers.gradient(loss, targets[some], z) >= right[some], targets, width)
    middle = numbers.gradient(loss, targets, first / 2 + last / 2)
    same = last - first <= 1e-12 * width
    middle = np.where(same, right, middle)
    some = _spread_out(targets)
    slopes, turns = (left[some], middle[some], right[some]), (first[some], last[some])
    if not _fits(loss, targets[some], slopes, turns):
        return None
    rows = np.arange(len(y))
    two = ~same[where]
    if not two.any():
        return Kinks(rows, first[where], left[where], right[where])
    return Kinks(
        np.concatenate([rows, rows[two]]),
        np.concatenate([first[where], last[where][two]]),
        np.concatenate([left[where], np.zeros(int(two.sum()))]),
        np.concatenate([middle[where], (right - middle)[where][two]]),
    )


def _spread_out(targets: Floats) -> NDArray[np.intp]:
    """The places of some of the targets, if they are many: at equal steps, and the ends of all."""
    if len(targets) <= _LOOKED_AT:
        return np.arange(len(targets))
    steps = np.arange(0, len(targets), len(targets) // _LOOKED_AT)
    return np.concatenate([steps, [np.argmin(targets), np.argmax(targets)]])


def _turn(beyond: Callable[[slice, Floats], NDArray[np.bool_]], targets: Floats, width: float) -> Floats:
    """The raw output beyond which a condition holds: the target, or as far from all as from one, or else by halving."""
    step, every = 1e-9 * np.maximum(1.0, np.abs(targets)), slice(0, len(targets))

    def turns(at: Floats) -> bool:
        return bool(np.all(~beyond(every, at - step) & beyond(every, at + step)))

    if turns(targets):
        return targets
    nearest = int(np.argmin(np.abs(targets)))
    one = slice(nearest, nearest + 1)
    at = targets + (_halved(beyond, one, width) - targets[one])
    return at if turns(at) else _halved(beyond, every, width)


def _halved(beyond: Callable[[slice, Floats], NDArray[np.bool_]], some: slice, width: float) -> Floats:
    """Where a condition begins to hold for some targets."""
    low, high = np.full(some.stop - some.start, -width), np.full(some.stop - some.start, width)
    for _ in range(90):
        middle = low / 2 + high / 2
        yes = beyond(some, middle)
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    return low / 2 + high / 2


def _fits(loss: Record, targets: Floats, slopes: tuple[Any, Any, Any], at: tuple[Any, Any]) -> bool:
    """Whether the lines found are the loss: compared between any two raw outputs."""
    left, middle, right = slopes
    first, last = at
    spread = float(np.ptp(targets)) + np.abs(targets).max() + 1

    def lines(z: Floats) -> Floats:
        return np.where(z < first, left * (z - first), np.where(z < last, middle * (z - first), 0)) + np.where(
            z >= last, middle * (last - first) + right * (z - last), 0
        )

    base = numbers.value(loss, targets, first)
    places = (first + part * spread for part in (-1.0, -0.01, 0.003, 0.4, 2.0))
    return all(
        np.allclose(numbers.value(loss, targets, z) - base, lines(z), rtol=1e-9, atol=1e-9 * spread) for z in places
    )
