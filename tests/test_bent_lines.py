"""Quantiles behind an activation: does the interior point of lines and bend lead where exact steps lead, and sooner?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from goodmeasure import LossRegressor, losses
from goodmeasure.fitting import bent, interior
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.linear import SolverSettings, fit
from goodmeasure.fitting.objective import Objective

DATA = load_diabetes()
X, Y = DATA.data / DATA.data.std(axis=0), DATA.target


def reached(loss: Any, alpha: float, seed: int, monkeypatch: pytest.MonkeyPatch, *, alone: bool) -> tuple[Any, int]:
    """The certificate of a fit on some of the rows, and how many steps of an interior point it took."""
    rows = np.random.default_rng(seed).permutation(len(Y))[:298]
    taken, step = [0], interior.step

    def counted(*args: Any) -> Any:
        taken[0] += 1
        return step(*args)

    with monkeypatch.context() as patched:
        patched.setattr(interior, "step", counted)
        patched.setattr(bent, "step", counted)
        if alone:
            patched.setattr(bent, "minimise", lambda objective, lines, theta, most, watch: (theta, 0, False))
        _, certificate, _ = fit(Objective(loss, X[rows], Y[rows], alpha=alpha), SolverSettings())
    return certificate, taken[0]


@pytest.mark.parametrize("activation", ["exp", "softplus"])
def test_bends_lead_where_tangents_lead_in_fewer_steps(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {True: 0, False: 0}
    for level in (0.1, 0.5, 0.9):
        loss = losses.pinball(level=level).with_activation(activation)
        for seed, alpha in ((0, 1e-4), (1, 1.0)):
            certificates = {}
            for alone in (True, False):
                certificates[alone], steps = reached(loss, alpha, seed, monkeypatch, alone=alone)
                taken[alone] += steps
            # Neither problem is convex: each may end at another of points that hardly differ.
            assert certificates[False].objective <= certificates[True].objective * (1 + 1e-5)
            assert certificates[False].status is Status.STATIONARY
    assert taken[False] < taken[True]


def test_a_fit_is_cut_short_between_its_steps() -> None:
    model = LossRegressor(losses.pinball(level=0.9).with_activation("exp"), max_iter=2)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(X, Y)
    assert model.n_iter_ <= 2
    assert any(issubclass(each.category, ConvergenceWarning) for each in said)
    seen: list[float] = []
    LossRegressor(losses.pinball(level=0.9).with_activation("exp")).fit(
        X, Y, monitor=lambda _, value: seen.append(value)
    )
    assert seen == sorted(seen, reverse=True)
    assert len(seen) > 3


def test_offsets_and_weights_count_behind_a_bend() -> None:
    rng = np.random.default_rng(0)
    loss, exposure = losses.pinball(level=0.7).with_activation("exp"), rng.uniform(0.5, 2, len(Y))
    counts = rng.integers(1, 4, len(Y))
    weighted = LossRegressor(loss).fit(X, Y, counts, exposure)
    copies = np.repeat(np.arange(len(Y)), counts)
    copied = LossRegressor(loss).fit(X[copies], Y[copies], None, exposure[copies])
    assert weighted.certificate_.objective == pytest.approx(copied.certificate_.objective, rel=1e-7)
