"""Does the same mistake get the same words, whichever function it is made with?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import Problem, ShapeMismatch

N = 60
RNG = np.random.default_rng(0)
Z = RNG.normal(size=N)
P = 1 / (1 + np.exp(-Z))
GIVEN = {"y": (RNG.random(N) < P) * 1.0, "z": Z, "p": P, "w": np.ones(N)}
BCE, COSTS = gm.losses.binary_cross_entropy(), gm.Costs(false_negative=4, false_positive=1)
Call = Callable[[Any, Any, Any, Any], Any]

OF_EXAMPLES: dict[str, Call] = {
    "loss": lambda y, z, p, w: BCE(y, z, w),
    "loss of predictions": lambda y, z, p, w: BCE(y, prediction=p, sample_weight=w),
    "value_and_gradient": lambda y, z, p, w: BCE.value_and_gradient(y, z, w),
    "total": lambda y, z, p, w: BCE.total(y, z, w),
    "best_constant": lambda y, z, p, w: BCE.best_constant(y, w),
}
OF_ROWS: dict[str, Call] = {
    "risk": lambda y, z, p, w: gm.risk(BCE, y, z, sample_weight=w),
    "risk of predictions": lambda y, z, p, w: gm.risk(BCE, y, prediction=p, sample_weight=w),
    "compare": lambda y, z, p, w: gm.compare(BCE, y, z, z, sample_weight=w),
    "signal": lambda y, z, p, w: gm.signal(BCE, y, z, w),
    "calibration": lambda y, z, p, w: gm.calibration(y, p, BCE, w),
    "decide": lambda y, z, p, w: gm.decide(y, p, COSTS, sample_weight=w),
    "tally": lambda y, z, p, w: gm.tally(BCE, y, z, sample_weight=w),
    "tally of predictions": lambda y, z, p, w: gm.tally(BCE, y, prediction=p, sample_weight=w),
    "recalibrate": lambda y, z, p, w: gm.recalibrate(y, p, sample_weight=w),
}
CALLS = {**OF_EXAMPLES, **OF_ROWS}


def takes(name: str, argument: str) -> bool:
    """Whether a call looks at an argument."""
    try:
        CALLS[name](**(GIVEN | {argument: object()}))
    except Problem:
        return True
    return False


def said(name: str, argument: str, value: Any) -> str:
    """What is said of a bad argument, whatever that is called."""
    with pytest.raises(ShapeMismatch) as refused:
        CALLS[name](**(GIVEN | {argument: value}))
    assert refused.value.fix
    called = re.compile(r"\b(y|z|z_a|p|scores|prediction|sample_weight)\b")
    return called.sub("IT", re.sub("0x[0-9a-f]+", "", str(refused.value)))


def generator() -> Iterator[float]:
    yield from GIVEN["y"]


@pytest.mark.parametrize("argument", ["y", "z", "p", "w"])
def test_a_generator_is_no_array(argument: str) -> None:
    found = {said(name, argument, generator()) for name in CALLS if takes(name, argument)}
    assert len(found) == 1
    assert "IT is a generator, an array of values is needed" in found.pop()


def test_weights_have_one_value_a_row_everywhere() -> None:
    found = {said(name, "w", GIVEN["w"][:, None]) for name in CALLS}
    assert len(found) == 1
    assert "has shape (60, 1), one value a row is needed" in found.pop()
    assert len({said(name, "w", 0.5) for name in CALLS}) == 1


COLUMNS = [("calibration", "y"), ("calibration", "p"), ("decide", "y"), ("decide", "p"), ("recalibrate", "y")]
COLUMNS += [("recalibrate", "p"), ("tally", "y"), ("tally", "z"), ("tally of predictions", "p")]


@pytest.mark.parametrize(("name", "argument"), COLUMNS)
def test_a_column_of_one_column_is_none(name: str, argument: str) -> None:
    told = said(name, argument, GIVEN[argument][:, None])
    assert "IT has shape (60, 1), one value a row is needed" in told
    assert "fix   IT = IT[:, 0]" in told


def test_the_right_call_is_right() -> None:
    for call in CALLS.values():
        call(**GIVEN)


def test_an_object_that_is_no_array_is_called_what_it_is() -> None:
    for name in CALLS:
        with pytest.raises(Problem, match="is an object, an array of values is needed"):
            CALLS[name](**(GIVEN | {"y": object()}))
