"""Are choices from sets what they are said to be: the right rows, and the likelihoods that others compute, to the digit?"""

from __future__ import annotations

import re
from itertools import pairwise, permutations
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.duration.hazard_regression import PHReg

import goodmeasure as gm
from catalogue_losses import everything
from goodmeasure.deriving.choice_sets import ChoiceSets
from goodmeasure.deriving.implied_probability import implies_probability
from goodmeasure.errors import UsageError
from turns import PRECISIONS, at_night

CE = gm.losses.cross_entropy()
CLASSES = [loss for loss in everything() if loss.is_classwise]


def rows(seed: int, n: int = 60) -> dict[str, Any]:
    """Places with ties, of which some did not happen, in three groups."""
    rng = np.random.default_rng(seed)
    happened = rng.integers(0, 2, n)
    happened[rng.integers(n)] = 1
    return {"order": rng.integers(0, 15, n), "happened": happened, "group": rng.integers(0, 3, n)}


def likelihood(sets: ChoiceSets, z: Any) -> float:
    """The logarithm of the likelihood."""
    return -float(CE.value(sets.y, sets.table(z)).sum())


# --- which rows ---


@pytest.mark.parametrize("seed", range(20))
def test_a_set_holds_the_rows_of_its_group_that_stood_there_or_later(seed: int) -> None:
    given = rows(seed, n=3 + 4 * seed)
    order, happened, group = (given[name] for name in ("order", "happened", "group"))
    sets = gm.choice_sets(**given)
    assert sets.chosen.tolist() == np.flatnonzero(happened).tolist()
    for chosen, held, size in zip(sets.chosen, sets.rows, sets.sizes, strict=True):
        wanted = set(np.flatnonzero((group == group[chosen]) & (order >= order[chosen])))
        assert (held[0], set(held[:size]), size) == (chosen, wanted, len(wanted))
        assert (held[size:] == -1).all()
        assert sets.rows.shape[1] >= 2  # as many classes as a loss of classes takes


def test_only_the_order_of_places_counts() -> None:
    given = rows(1)
    plain = gm.choice_sets(**given)
    days = np.datetime64("2024-01-01") + given["order"]
    for places in (np.exp(given["order"]), given["order"] - 1e6, days, list(days.astype(object)), pd.Series(days)):
        assert (gm.choice_sets(**{**given, "order": places}).rows == plain.rows).all()
    named = np.array(["north", "south", "east"])[given["group"]]
    assert (gm.choice_sets(**{**given, "group": named}).rows == plain.rows).all()


def test_rows_in_another_order_are_the_same_sets() -> None:
    given, to = rows(2), np.random.default_rng(3).permutation(60)
    plain, turned = gm.choice_sets(**given), gm.choice_sets(**{name: each[to] for name, each in given.items()})
    z = np.random.default_rng(4).normal(size=60)
    assert likelihood(turned, z[to]) == pytest.approx(likelihood(plain, z), rel=1e-14)
    assert {frozenset(to[held[held >= 0]]) for held in turned.rows} == {
        frozenset(held[held >= 0]) for held in plain.rows
    }


def test_of_large_sets_others_are_drawn_alike_often_and_none_twice() -> None:
    n, most = 40, 6
    seen = np.zeros(n)
    for seed in range(200):
        sets = gm.choice_sets(np.arange(n), most=most, seed=seed)
        assert sets.rows.shape == (n, most)
        for place, held in enumerate(sets.rows):
            there = held[held >= 0]
            assert there[0] == place
            assert there.min() >= place
            assert len(set(there)) == len(there) == min(most, n - place)
        seen[sets.rows[0, 1:]] += 1
    # The first is chosen among 39 others, of whom 5 are drawn, 200 times.
    assert seen[0] == 0
    assert abs(seen[1:] - 200 * 5 / 39).max() < 5 * np.sqrt(200 * 5 / 39)
    again = gm.choice_sets(np.arange(n), most=most, seed=199)
    assert (again.rows == sets.rows).all()


# --- absent classes, by enumeration ---


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("count", [2, 3, 40])
@pytest.mark.parametrize("loss", CLASSES, ids=repr)
def test_a_class_at_minus_infinity_is_one_that_is_not_there(loss: gm.Loss, count: int, dtype: Any) -> None:
    rng = np.random.default_rng(count)
    z = (4 * rng.normal(size=(20, count))).astype(dtype)
    y, wide = rng.integers(0, count, 20), np.full((20, count + 3), -np.inf, dtype=dtype)
    wide[:, :count] = z
    assert (loss.value(y, wide) == loss.value(y, z)).all()
    for reading in (loss.gradient, loss.hessian):
        narrow, whole = reading(y, z), reading(y, wide)
        assert (whole[:, :count] == narrow).all()
        assert (whole[:, count:] == 0).all()
    mean, pull = loss.value_and_gradient(y, wide)
    assert mean == loss.value_and_gradient(y, z)[0]
    assert (pull[:, count:] == 0).all()
    if implies_probability(loss):
        wide[0, 1:] = -np.inf
        found = loss.predict(wide)
        assert found[0].tolist() == [1.0] + [0.0] * (count + 2)
        assert (found[:, count:] == 0).all()
        np.testing.assert_allclose(found[1:, :count], loss.predict(z[1:]), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("loss", [at_night(loss, unless=k % 2 == 0, id=repr(loss)) for k, loss in enumerate(CLASSES)])
def test_hosts_agree_on_sets_of_any_size(loss: gm.Loss) -> None:
    given = rows(5)
    sets, z = gm.choice_sets(**given), np.random.default_rng(6).normal(size=60)
    value, pull = loss.value(sets.y, sets.table(z)).sum(), sets.summed(loss.gradient(sets.y, sets.table(z)))
    leaf = torch.tensor(z, requires_grad=True)
    cost = gm.to_torch(loss, reduction="sum")(sets.table(leaf), torch.as_tensor(sets.y))
    cost.backward()
    assert cost.item() == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(leaf.grad.numpy(), pull, rtol=1e-10, atol=1e-13)
    with jax.enable_x64(True):
        in_jax = jax.jit(jax.value_and_grad(lambda raw: gm.to_jax(loss)(sets.table(raw), jnp.asarray(sets.y)).sum()))
        there, moves = in_jax(jnp.asarray(z))
    assert float(there) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(np.asarray(moves), pull, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_the_type_that_comes_in_goes_out(dtype: str) -> None:
    sets = gm.choice_sets([2, 1])
    assert sets.table(np.ones(2, dtype=dtype)).dtype == ("float64" if dtype == "int64" else dtype)
    given = torch.ones(2, dtype=getattr(torch, dtype))
    assert sets.table(given).dtype == (torch.float64 if dtype == "int64" else given.dtype)
    assert sets.table(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_cells_and_rows_are_adjoint() -> None:
    sets, rng = gm.choice_sets(**rows(7)), np.random.default_rng(8)
    z, cells = rng.normal(size=60), rng.normal(size=sets.rows.shape)
    there = sets.rows >= 0
    assert (sets.table(z)[there] * cells[there]).sum() == pytest.approx(z @ sets.summed(cells), rel=1e-12)


# --- likelihoods ---


@pytest.mark.parametrize("seed", range(5))
def test_a_list_is_as_likely_as_plackett_and_luce_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, place = 300 * rng.normal(size=12), rng.permutation(12)
    sets = gm.choice_sets(place)
    with mpmath.workdps(50):
        scores = [mpmath.mpf(float(z[i])) for i in np.argsort(place)]
        true = -sum(s - mpmath.log(sum(map(mpmath.exp, scores[k:]))) for k, s in enumerate(scores))
        assert -likelihood(sets, z) == pytest.approx(float(true), rel=1e-15)


def test_the_chances_of_all_orders_sum_to_one() -> None:
    z = np.array([0.3, -1.0, 2.0, 0.5])
    chances = [np.exp(likelihood(gm.choice_sets(place), z)) for place in permutations(range(4))]
    assert sum(chances) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_times_of_events_are_as_likely_as_cox_says(seed: int) -> None:
    given = rows(seed, n=200)
    x = np.random.default_rng(seed).normal(size=(200, 3))
    peer = PHReg(given["order"], x, status=given["happened"], strata=given["group"], ties="breslow")
    sets, w = gm.choice_sets(**given), np.array([0.4, -0.2, 1.5])
    table = sets.table(x @ w)
    assert likelihood(sets, x @ w) == pytest.approx(peer.loglike(w), rel=1e-13)
    np.testing.assert_allclose(-x.T @ sets.summed(CE.gradient(sets.y, table)), peer.score(w), rtol=1e-10, atol=1e-10)
    curvature = np.einsum("mjd,mjk,mke->de", *_features(sets, x, CE.hessian(sets.y, table, full=True)))
    np.testing.assert_allclose(-curvature, peer.hessian(w), rtol=1e-10)


def _features(sets: ChoiceSets, x: Any, curvature: Any) -> tuple[Any, Any, Any]:
    """The features of the rows of each set on both sides of its curvature."""
    laid = np.where((sets.rows >= 0)[:, :, None], x[np.maximum(sets.rows, 0)], 0.0)
    return laid, curvature, laid


def test_a_fit_is_that_of_others() -> None:
    rng = np.random.default_rng(9)
    x, coefficients = rng.normal(size=(300, 2)), np.array([0.8, -0.5])
    time, died = np.ceil(20 * rng.exponential(np.exp(-x @ coefficients))), rng.integers(0, 2, 300)
    np.testing.assert_allclose(
        _fitted(gm.choice_sets(time, happened=died), x), PHReg(time, x, died).fit().params, atol=1e-6
    )
    trip = np.repeat(np.arange(75), 4)
    taken = np.zeros(300, dtype=int)
    taken[4 * np.arange(75) + (x @ coefficients + rng.gumbel(size=300)).reshape(75, 4).argmax(axis=1)] = 1
    found = _fitted(gm.choice_sets(1 - taken, happened=taken, group=trip), x)
    peer = ConditionalLogit(taken, x, groups=trip)  # whose own fit stops earlier
    np.testing.assert_allclose(peer.score(found), np.zeros(2), atol=1e-6)
    np.testing.assert_allclose(peer.fit(disp=0).params, found, atol=1e-3)


def _fitted(sets: ChoiceSets, x: Any) -> Any:
    """The coefficients of least cross-entropy."""

    def cost(w: Any) -> tuple[float, Any]:
        mean, pull = CE.value_and_gradient(sets.y, sets.table(x @ w))
        return mean, x.T @ sets.summed(pull)

    return minimize(cost, np.zeros(x.shape[1]), jac=True, options={"gtol": 1e-10}).x


def test_sets_that_are_drawn_lead_to_the_same_coefficients() -> None:
    """Goldstein and Langholz 1992: on average, with less certainty."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(300, 1))
        time, died = rng.exponential(np.exp(-x[:, 0])), rng.uniform(size=300) < 0.8
        found.append(
            [_fitted(gm.choice_sets(time, happened=died, most=most, seed=seed), x)[0] for most in (None, 10, 2)]
        )
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(40)
    assert (abs(means - 1) < 4 * errors + 0.02).all()
    assert all(few > many for many, few in pairwise(errors))


def test_pairs_are_yes_and_no_of_a_difference() -> None:
    z = np.random.default_rng(0).normal(size=50)
    sets = gm.choice_sets(np.arange(50), most=2)
    better, worse = z[sets.rows[:-1, 0]], z[sets.rows[:-1, 1]]
    found = CE.value(sets.y, sets.table(z))
    np.testing.assert_allclose(
        found[:-1], gm.losses.binary_cross_entropy().value(np.ones(49), better - worse), rtol=1e-15
    )
    assert found[-1] == 0  # the last is chosen among itself


def test_what_all_rows_of_a_group_share_does_not_count() -> None:
    given, z = rows(10), np.random.default_rng(11).normal(size=60)
    sets = gm.choice_sets(**given)
    assert likelihood(sets, z + 5.0 * given["group"]) == pytest.approx(likelihood(sets, z), rel=1e-13)
    pull = sets.summed(CE.gradient(sets.y, sets.table(z)))
    assert np.bincount(given["group"], weights=pull) == pytest.approx(np.zeros(3), abs=1e-13)


# --- refusals ---


def test_sets_that_no_memory_holds_are_refused_with_a_way_that_works() -> None:
    order = np.arange(100_000)
    with pytest.raises(UsageError, match="too large") as refused:
        gm.choice_sets(order)
    (most,) = re.findall(r"most=(\d+)", str(refused.value.fix))
    assert gm.choice_sets(order[:2000], most=int(most)).rows.shape == (2000, 100)


def test_smoothing_has_no_place_among_rows_that_are_not_there() -> None:
    """It asks that every class gets some probability, those too that cannot happen: that is impossible, and is said so."""
    sets = gm.choice_sets([1, 2, 2])
    assert np.isinf(gm.losses.cross_entropy(smoothing=0.1).value(sets.y, sets.table(np.zeros(3)))).any()


def test_a_result_says_how_large_it_is() -> None:
    assert repr(gm.choice_sets([1, 2, 3], happened=[1, 1, 0])) == "<2 choices among 3 rows, 3 at most>"
    assert len(gm.choice_sets([1, 2, 3])) == 3
