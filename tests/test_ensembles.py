"""Forecasts of several numbers a row: is the CRPS of an ensemble exact, and fair where it says so?"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import Problem, ShapeMismatch
from goodmeasure.risks.ensembles import crps_of_rows
from goodmeasure.statistics.row_arguments import MissingScore


def drawn(n: int = 300, count: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    middle = random.normal(size=n)
    return middle + random.normal(size=n), middle[:, None] + random.normal(size=(n, count))


def exact(y: float, members: list[float], *, fair: bool) -> Fraction:
    """The definition in fractions: distances to the target, minus half of the distances to each other."""
    own = [Fraction(x) for x in members]
    count = len(own)
    near = sum((abs(x - Fraction(y)) for x in own), Fraction(0)) / count
    apart = sum((abs(a - b) for a, b in product(own, own)), Fraction(0))
    return near - apart / (2 * count * (count - 1 if fair else count))


@pytest.mark.parametrize(("count", "fair"), [(1, False), *product((2, 3, 8, 30), (False, True))])
def test_each_row_is_the_definition_to_the_last_digits(count: int, fair: bool) -> None:
    y, members = drawn(60, count)
    members[:20] = np.round(members[:20])  # ties
    y[20:30] = members[20:30, 0]
    members[30:40] = members[30:40] * 1e-9 + 1e6  # nearly equal and far from zero
    y[30:35] = 1e6
    found = crps_of_rows(y, members, fair=fair)
    known = [float(exact(one, row.tolist(), fair=fair)) for one, row in zip(y.tolist(), members, strict=True)]
    assert found == pytest.approx(known, rel=1e-14, abs=0)
    assert (found >= 0).all()


def test_one_number_scores_its_absolute_error() -> None:
    y, members = drawn(count=1)
    found, loss = gm.ensemble_crps(y, members), gm.risk(gm.losses.absolute_error(), y, members[:, 0])
    assert [found.value, found.low, found.high] == pytest.approx([loss.value, loss.low, loss.high])


def test_a_fair_score_does_not_know_how_many_members_there_are_and_a_plain_one_does() -> None:
    """Of members that are drawn as the target is, the fair score is that of the law, and the plain one larger by 1 / M."""
    random = np.random.default_rng(1)
    y = random.normal(size=20_000)
    truth = 1 / np.sqrt(np.pi)  # E|X - Y| - E|X - X'| / 2 of three normal numbers
    for count in (2, 5, 20):
        members = random.normal(size=(len(y), count))
        fair, plain = (gm.ensemble_crps(y, members, fair=each, level=0.999) for each in (True, False))
        assert fair.low < truth < fair.high
        assert plain.value == pytest.approx(truth * (1 + 1 / count), rel=0.02)


@pytest.mark.parametrize("fair", [False, True])
def test_rows_weigh_go_together_and_are_compared_as_everywhere(fair: bool) -> None:
    y, members = drawn()
    other = np.column_stack([members[:, :3] * 2, y + 3])
    weight, groups = np.tile([1.0, 2.0, 0.0], 100), np.arange(300) // 5
    lost = members.copy()
    lost[2::3] = np.nan  # rows of weight zero may hold anything
    found = gm.ensemble_crps(y, lost, fair=fair, sample_weight=weight, cluster=groups)
    assert found.value == pytest.approx(np.average(crps_of_rows(y, members, fair=fair), weights=weight))
    assert "cluster" in found.method
    difference = gm.compare_ensembles(y, members, other, fair=fair)
    each = [crps_of_rows(y, one, fair=fair).mean() for one in (members, other)]
    assert difference.value == pytest.approx(each[0] - each[1])
    assert difference.verdict == "better"
    copied = gm.ensemble_crps(y, members, fair=fair, sample_weight=weight, weights_mean="frequency")
    rows = np.repeat(np.arange(300), weight.astype(int))
    assert copied.value == pytest.approx(gm.ensemble_crps(y[rows], members[rows], fair=fair).value)


REFUSED: dict[str, tuple[Any, Any, dict[str, Any], type[Problem]]] = {
    "no table": ([1.0, 2.0], [1.0, 2.0], {}, ShapeMismatch),
    "no members": ([1.0, 2.0], np.zeros((2, 0)), {}, ShapeMismatch),
    "one alone": ([1.0, 2.0], [[1.0], [2.0]], {"fair": True}, ShapeMismatch),
    "another length": ([1.0, 2.0, 3.0], [[1.0], [2.0]], {}, ShapeMismatch),
    "missing": ([1.0, 2.0], [[1.0, np.nan], [2.0, 1.0]], {}, MissingScore),
    "infinite": ([1.0, 2.0], [[1.0, np.inf], [2.0, 1.0]], {}, MissingScore),
    "texts": ([1.0, 2.0], [["a"], ["b"]], {}, MissingScore),
    "a target": ([1.0, np.nan], [[1.0], [2.0]], {}, Problem),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_ensemble_is_refused_by_name(what: str) -> None:
    y, members, more, kind = REFUSED[what]
    with pytest.raises(kind) as refused:
        gm.ensemble_crps(y, members, **more)
    assert refused.value.fix
    with pytest.raises(kind):
        gm.compare_ensembles(y, members, members, **more)


# --- quantiles ---


@pytest.mark.parametrize("alphas", [(0.2,), (0.02, 0.1, 0.5)])
def test_twice_the_loss_of_quantiles_is_the_weighted_interval_score(alphas: tuple[float, ...]) -> None:
    """Bracher, Ray, Gneiting and Reich 2021, equations (1) and (2), with their weights."""
    random = np.random.default_rng(4)
    levels = (*(a / 2 for a in alphas), 0.5, *(1 - a / 2 for a in reversed(alphas)))
    y, q = random.normal(size=200), np.sort(random.normal(size=(200, len(levels))), axis=1)
    count = len(alphas)
    total = np.abs(y - q[:, count]) / 2
    for k, alpha in enumerate(alphas):
        low, high = q[:, k], q[:, -1 - k]
        outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
        total += alpha / 2 * (high - low + 2 / alpha * outside)
    score = total / (count + 0.5)
    loss = gm.losses.quantiles(levels=levels)
    assert 2 * loss.value(y, q) == pytest.approx(score)
    assert 2 * gm.risk(loss, y, prediction=q).value == pytest.approx(score.mean())
    each = [gm.losses.pinball(level=level).value(y, q[:, k]) for k, level in enumerate(levels)]
    assert score == pytest.approx(2 * np.mean(each, axis=0))
