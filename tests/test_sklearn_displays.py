"""Does a display draw what the record says, of predictions and of the model that made them alike?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import Problem, ShapeMismatch, UsageError
from turns import by_turns

pytest.importorskip("sklearn")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 2))
LINE = X @ [1.0, -0.5] + RNG.normal(size=240)
YES = np.where(LINE > 0, "well", "ill")
KINDS = np.digitize(LINE, [-0.7, 0.7]).astype(str)
ROWS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "yes and no": (LogisticRegression(), YES, {}),
    "the first label is yes": (LogisticRegression(), YES, {"pos_label": "ill"}),
    "classes": (LogisticRegression(), KINDS, {}),
    "amounts": (Ridge(), LINE, {}),
}
COSTS: dict[str, Any] = {
    "yes and no": gm.Costs(false_negative=40, false_positive=5),
    "the first label is yes": gm.Costs(false_negative=40, false_positive=5),
    "classes": gm.ClassCosts([[0, 1, 2], [3, 0, 1], [9, 2, 0]]),
    "amounts": gm.UnderOverCosts(under=3, over=1),
}
LOSSES = {
    "yes and no": gm.losses.binary_cross_entropy(),
    "the first label is yes": gm.losses.binary_cross_entropy(),
    "classes": gm.losses.cross_entropy(),
    "amounts": gm.losses.huber(delta=1.0),
}
WEIGHT = np.arange(240) % 3


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    plt.close("all")


def answers(name: str) -> tuple[Any, Any]:
    """A fitted model, and what it says as a metric would be given it."""
    model, y, said = ROWS[name]
    model.fit(X, y)
    if name == "amounts":
        return model, model.predict(X)
    p = model.predict_proba(X)
    return model, p if name == "classes" else p[:, 0 if said else 1]


def record(kind: Any, name: str, p: Any, weight: Any) -> Any:
    """The record of the same rows, made by hand."""
    _, y, said = ROWS[name]
    if name == "classes":
        y = y.astype(int)
    elif name != "amounts":
        y = (y == ("ill" if said else "well")) * 1
    if kind is gm.CalibrationDisplay:
        return gm.calibration(y, p, sample_weight=weight)
    if kind is gm.DecisionDisplay:
        return gm.decide(y, p, COSTS[name], sample_weight=weight)
    return gm.risk(LOSSES[name], y, prediction=p, sample_weight=weight)


def asked(kind: Any, name: str) -> tuple[Any, ...]:
    return {gm.CalibrationDisplay: (), gm.DecisionDisplay: (COSTS[name],), gm.LossDisplay: (LOSSES[name],)}[kind]


KINDS_OF_DISPLAYS = [gm.CalibrationDisplay, gm.DecisionDisplay, gm.LossDisplay]


@pytest.mark.parametrize(("drawn", "weight"), by_turns([*product(KINDS_OF_DISPLAYS, ROWS)], [None, WEIGHT]))
def test_it_draws_the_record_of_the_same_rows(drawn: tuple[Any, str], weight: Any) -> None:
    kind, name = drawn
    model, p = answers(name)
    _, y, said = ROWS[name]
    one = kind.from_predictions(y, p, *asked(kind, name), sample_weight=weight, **said)
    two = kind.from_estimator(model, X, y, *asked(kind, name), sample_weight=weight, **said)
    # A weight of the same power of two is the same weight: the record is that of the rows that count.
    expected = record(kind, name, p, weight)
    assert str(one.found) == str(expected)
    for display in (one, two):
        assert display.figure_ is np.ravel(display.ax_)[0].figure
        assert np.ravel(display.ax_)[0].get_title("left")
    np.testing.assert_allclose(_points(two), _points(one), rtol=1e-9, atol=1e-12)


def _points(display: Any) -> np.ndarray:
    drawn = [line.get_xydata().ravel() for axes in np.ravel(display.ax_) for line in axes.get_lines()]
    return np.nan_to_num(np.concatenate(drawn))


@pytest.mark.parametrize("kind", KINDS_OF_DISPLAYS)
def test_it_draws_on_the_axes_that_are_given_and_again_elsewhere(kind: Any) -> None:
    _, p = answers("yes and no")
    _, (left, right) = plt.subplots(1, 2)
    display = kind.from_predictions(YES, p, *asked(kind, "yes and no"), ax=left)
    assert display.ax_ is left
    assert display.plot(ax=right) is display
    assert display.ax_ is right
    np.testing.assert_array_equal(left.get_lines()[0].get_xydata(), right.get_lines()[0].get_xydata())
    assert str(display.found) in repr(display)


def test_a_record_with_more_to_it_is_drawn_too() -> None:
    _, p = answers("yes and no")
    found = gm.calibration((YES == "well") * 1, p, cluster=np.arange(240) // 4)
    assert gm.CalibrationDisplay(found).plot().found is found


@pytest.mark.parametrize("kind", KINDS_OF_DISPLAYS)
def test_rows_of_weight_zero_hold_anything(kind: Any) -> None:
    _, p = answers("yes and no")
    bad, worse = YES.astype(object), p.copy()
    bad[::3], worse[::3] = None, np.nan
    one, two = (kind.from_predictions(*rows, *asked(kind, "yes and no"), sample_weight=WEIGHT) for rows in
                ((YES, p), (bad, worse)))  # fmt: skip
    assert str(one.found) == str(two.found)


MISTAKES: dict[str, tuple[type[Exception], Callable[[Any, tuple[Any, ...]], Any]]] = {
    "rows and targets of unequal length": (
        ShapeMismatch,
        lambda kind, of: kind.from_estimator(answers("yes and no")[0], X[:9], YES, *of),
    ),
    "a model that was not fitted": (
        NotFittedError,
        lambda kind, of: kind.from_estimator(LogisticRegression(), X, YES, *of),
    ),
    "a model without probabilities": (
        UsageError,
        lambda kind, of: kind.from_estimator(RidgeClassifier().fit(X, YES), X, YES, *of),
    ),
    "columns of unequal length": (ShapeMismatch, lambda kind, of: kind.from_predictions(YES, [0.5], *of)),
    "a probability above one": (Problem, lambda kind, of: kind.from_predictions(YES, np.full(240, 1.5), *of)),
    "a label that is none": (
        UsageError,
        lambda kind, of: kind.from_predictions(YES, np.full(240, 0.5), *of, pos_label="maybe"),
    ),
    "no axes": (UsageError, lambda kind, of: kind.from_predictions(YES, np.full(240, 0.5), *of, ax=3)),
}


@pytest.mark.parametrize("kind", KINDS_OF_DISPLAYS)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_by_name(kind: Any, name: str) -> None:
    error, make = MISTAKES[name]
    with pytest.raises(error) as caught:
        make(kind, asked(kind, "yes and no"))
    assert not isinstance(caught.value, Problem) or caught.value.fix
