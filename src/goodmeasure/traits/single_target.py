"""The pull of a single target: bounded however far it lies, fading, or gone in whole intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.deriving.record import Record
from goodmeasure.traits.line import Line, lines
from goodmeasure.traits.shape import observed, parts_add, sized
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
    outward = np.geomspace(1e50, 1e100, 100)
    far = float(np.abs(each.at(each.view.signal, np.concatenate([-outward, outward]))).max())
    near = observed(each, each.view.signal)
    seen = f"the pull is up to {near:.3g}, and {far:.3g} at misses beyond 1e50"
    if near > 0 and far < 1e-9 * near:
        return Trait("redescending", True, TRIED, seen, tried=2 * len(outward))
    return Trait("redescending", False, SHOWN, seen)


def dead_zones(loss: Record) -> Trait | None:
    """Whether there are intervals where the signal is exactly zero, and whether nothing is left to learn there."""
    if not lines(loss):
        return None
    still = [(each.signal.low == 0) & (each.signal.high == 0) for each in lines(loss)]
    if parts_add(loss):
        # Whatever the target: both parts are still there.
        still = [np.logical_and.reduce([_in_all(loss, each) for each in lines(loss)])]
    for each, dead in zip(lines(loss), still, strict=False):
        if dead.any() and not _underflows(loss, each, dead):
            return Trait("free of dead zones", False, SHOWN, _zone(each, dead))
    pieces = sum(len(each.boxes.low) for each in lines(loss))
    return Trait(
        "free of dead zones", True, TRIED, "no piece of the line has a signal of zero throughout", tried=pieces
    )


def _in_all(loss: Record, each: Line) -> Any:
    """In which boxes of the first line this one has no signal."""
    found = each.bounded(each.view.signal, lines(loss)[0].boxes)
    return (found.low == 0) & (found.high == 0)


def _underflows(loss: Record, each: Line, dead: Any) -> bool:
    """Whether the signal is only too small for a number in the zone: with more digits it is none."""
    at = _first_run(dead)
    middle = each.boxes.low[at[len(at) // 2]] / 2 + each.boxes.high[at[len(at) // 2]] / 2
    asked = lines(loss) if parts_add(loss) else (each,)
    return any(one.exactly(one.view.signal, middle) != 0 for one in asked)


def _first_run(dead: Any) -> Any:
    at = np.flatnonzero(dead)
    return np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)[0]


def _zone(each: Line, dead: Any) -> str:
    run = _first_run(dead)
    low, high = each.boxes.low[run[0]] + 0.0, each.boxes.high[run[-1]] + 0.0
    least = np.nanmin(each.at(each.view.value, np.concatenate([each.boxes.low, [0.0]])))
    middle = each.at(each.view.value, [(low + high) / 2])[0]
    enough = middle <= least + 1e-12 * abs(middle)
    left = "nothing is left to learn there" if enough else f"although the loss there is {middle:.3g}"
    return f"{each.view.name}, the signal is 0 for u from {_end(each, low)} to {_end(each, high)}, {left}"


def _end(each: Line, u: float) -> str:
    return f"{u + 0.0:.4g}" if abs(u) < each.end / 10 else f"{'-' if u < 0 else ''}infinity"
