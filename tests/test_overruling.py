"""Does a loss of the wrong kind of target name its own form for that kind, with its hyperparameters, and does that line run?"""

from __future__ import annotations

import shlex

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.choosing.overruling import with_loss
from goodmeasure.cli._evidence import losses_from
from goodmeasure.errors import UsageError

RNG = np.random.default_rng(0)
TARGETS = {
    "yes and no": RNG.integers(0, 2, 90),
    "classes": RNG.choice(["a", "b", "c"], 90),
    "amounts": RNG.normal(size=90),
}
LOSSES = {**{name: each() for name, each in gm.losses.catalogue().items()}, "sharper": gm.losses.focal(gamma=3.0)}


@pytest.mark.parametrize("target", TARGETS)
def test_the_loss_that_the_error_names_fits(target: str) -> None:
    plan = gm.choose(TARGETS[target])
    refused = 0
    for loss in LOSSES.values():
        try:
            with_loss(plan, loss)
        except UsageError as error:
            (named,) = losses_from(shlex.split(error.fix)[1:])
            assert with_loss(plan, named).loss == named
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("target", "loss", "told"),
    [
        ("yes and no", gm.losses.focal(gamma=3.0), gm.losses.binary_focal(gamma=3.0)),
        ("yes and no", gm.losses.brier(), gm.losses.binary_brier()),
        ("classes", gm.losses.binary_focal(gamma=3.0), gm.losses.focal(gamma=3.0)),
        ("classes", gm.losses.binary_cross_entropy(positive_weight=2.0), gm.losses.cross_entropy()),
        ("yes and no", gm.losses.huber(), gm.losses.binary_cross_entropy()),
        ("amounts", gm.losses.focal(), gm.losses.squared_error()),
    ],
)
def test_a_formula_for_both_keeps_its_hyperparameters(target: str, loss: gm.Loss, told: gm.Loss) -> None:
    with pytest.raises(UsageError) as caught:
        with_loss(gm.choose(TARGETS[target]), loss)
    assert shlex.split(caught.value.fix) == ["--loss", str(told)]


@gm.loss(target=gm.Real)
def own(y, z):
    """The fourth power of the miss."""
    return (z - y) ** 4


def test_without_costs_what_the_named_loss_asks_for_is_provided() -> None:
    plan, told = gm.choose(TARGETS["amounts"]), set()
    for loss in [*LOSSES.values(), own()]:
        try:
            found = with_loss(plan, loss)
        except UsageError:
            continue
        asked, last = loss.facts.asks_for, found.steps[-1]
        assert last.answer == (f"provide the predicted {asked}" if asked else "provide the prediction")
        assert "quantile" not in asked or not last.rejected
        told.add(asked)
    assert {"mean", "median", "quantile", "quantiles", ""} <= told


def test_with_costs_the_last_step_stays() -> None:
    plan = gm.choose(TARGETS["amounts"], costs=gm.UnderOverCosts(under=3, over=1))
    assert with_loss(plan, gm.losses.squared_error()).steps[-1] == plan.steps[-1]
