"""The pull of a single target: bounded however far it lies, fading, or gone in whole intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.deriving.record import Record
from goodmeasure.traits.shape import Line, lines, parts_add, sized
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED, Trait


def robust(loss: Record) -> Trait | None:
    """One target's pull stays bounded, however far it lies."""
    if loss.is_binary:
        return Trait("bounded in y", True, PROVED, "there are only two targets, and mixtures of them")
    if not lines(loss):
        return None
    if not parts_add(loss):
        return sized(loss, "bounded in y", "signal")
    held = lines(loss)[1].signal
    if bool((held.low == 0).all() and (held.high == 0).all()):
        return Trait("bounded in y", True, PROVED, "the signal does not depend on the target")
    return Trait("bounded in y", False, SHOWN, "the signal is in proportion to the target")


def redescending(loss: Record) -> Trait | None:
    """The pull of a miss fades to nothing as the miss grows."""
    if loss.is_binary or len(lines(loss)) != 1:
        return None
    (each,) = lines(loss)
    outward = np.geomspace(1e5, 1e9, 100)
    far = float(np.abs(each.at(each.view.signal, np.concatenate([-outward, outward]))).max())
    last = float(np.abs(each.at(each.view.signal, [-1e9, 1e9])).max())
    near = float(np.abs(each.at(each.view.signal, [-1.0, 1.0])).max())
    seen = f"the pull is {near:.3g} at a miss of 1 and {last:.3g} at 1e9"
    if near > 0 and last < 1e-6 * near and far < 1e-3 * near:
        return Trait("redescending", True, TRIED, seen, tried=2 * len(outward))
    return Trait("redescending", False, SHOWN, seen)


def dead_zones(loss: Record) -> Trait | None:
    """Whether there are intervals where the signal is exactly zero, and whether nothing is left to learn there."""
    if not lines(loss):
        return None
    if parts_add(loss):
        return Trait("free of dead zones", True, PROVED, "the signal is zero at single points only")
    for each in lines(loss):
        dead = (each.signal.low == 0) & (each.signal.high == 0)
        if dead.any() and not _underflows(each, dead):
            return Trait("free of dead zones", False, SHOWN, _zone(each, dead))
    pieces = sum(len(each.boxes.low) for each in lines(loss))
    return Trait(
        "free of dead zones", True, TRIED, "no piece of the line has a signal of zero throughout", tried=pieces
    )


def _underflows(each: Line, dead: Any) -> bool:
    """Whether the signal is only too small for a number there: next to the zone it is smaller than any cause but that."""
    at = np.flatnonzero(dead)
    run = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)[0]
    beside = [i for i in (run[0] - 1, run[-1] + 1) if 0 <= i < len(dead)]
    sizes = [np.maximum(abs(each.signal.low[i]), abs(each.signal.high[i])) for i in beside]
    ends = [
        np.minimum(
            abs(each.at(each.view.signal, each.boxes.low[i])[0]), abs(each.at(each.view.signal, each.boxes.high[i])[0])
        )
        for i in beside
    ]
    return bool(sizes) and bool(min(sizes) > 0) and bool(0 <= max(ends) < 1e-100) and bool(min(sizes) < 1e-50)


def _zone(each: Line, dead: Any) -> str:
    at = np.flatnonzero(dead)
    run = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)[0]
    low, high = each.boxes.low[run[0]] + 0.0, each.boxes.high[run[-1]] + 0.0
    least = np.nanmin(each.at(each.view.value, np.concatenate([each.boxes.low, [0.0]])))
    middle = each.at(each.view.value, [(low + high) / 2])[0]
    left = "nothing is left to learn there" if middle <= least + 1e-12 else f"although the loss there is {middle:.3g}"
    return f"{each.view.name}, the signal is 0 for u from {_end(low)} to {_end(high)}, {left}"


def _end(u: float) -> str:
    return f"{u + 0.0:.4g}" if abs(u) < 1e11 else f"{'-' if u < 0 else ''}infinity"
