"""Is what one loop counts of a block the same, to the last bit, as what is counted step by step?"""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

from catalogue_losses import everything, variants
from goodmeasure import kernels, losses
from goodmeasure.deriving.class_statistics import speaks_of_outcomes
from goodmeasure.deriving.predictions import on_predictions
from goodmeasure.errors import Problem
from goodmeasure.tallying import accumulate, at_once
from goodmeasure.tallying.accumulate import Accumulator, schema_of
from goodmeasure.tallying.grid import MOST_ROWS, score_edges
from turns import by_turns

pytest.importorskip("numba")
from goodmeasure.tallying import compiled_rows

PAIR = [losses.binary_cross_entropy(), losses.binary_brier()]
OF_PROBABILITIES = [
    each for each in [*everything(), *variants()] if each.is_binary and speaks_of_outcomes(each.predictions)
]
LENGTHS = (0, 1, 7, 1023, 1024, 1025, 5000, MOST_ROWS + 1030)


@pytest.fixture(autouse=True)
def few_rows_too(monkeypatch):
    monkeypatch.setattr(compiled_rows.count, "plain", None)


@pytest.fixture
def taken(monkeypatch):
    """Of each block, whether it was counted at once."""
    found = []

    def noted(*given):
        counted = AT_ONCE(*given)
        found.append(counted is not None)
        return counted

    AT_ONCE = at_once.counted
    monkeypatch.setattr(at_once, "counted", noted)
    return found


def tallied(chosen, y, p, **more):
    """The bytes of a tally, or what is wrong with the rows."""
    models = p if isinstance(p, dict) else {"model": p}
    how = (more.get("w") is not None, more.get("cluster") is not None, True)
    made = Accumulator(chosen, schema_of(chosen, tuple(models), next(iter(models.values())), how))
    try:
        made.add(y, models, **more)
    except Problem as problem:
        return type(problem), str(problem)
    return made.finish().to_bytes()


def step_by_step(chosen, y, p, **more):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at_once, "kernels_of", lambda *_: None)
        return tallied(chosen, y, p, **more)


def rows(n, seed=0):
    """Labels and probabilities: of any size, at the edges of cells and next to them, and at the ends."""
    rng = np.random.default_rng((seed, n))
    p = rng.random(n)
    near = np.nextafter(score_edges(), rng.integers(0, 2, len(score_edges())))
    kinds = [10.0 ** -rng.uniform(0, 320, n), 1 - 10.0 ** -rng.uniform(0, 17, n), score_edges(), near]
    for k, special in enumerate(kinds):
        p[k::6] = rng.choice(special, len(p[k::6])).clip(0, 1)
    return rng.integers(0, 2, n), p


@pytest.mark.parametrize("loss", OF_PROBABILITIES, ids=repr)
def test_every_loss_of_probabilities_is_counted_the_same(loss, taken):
    y, p = rows(5000)
    with np.errstate(over="ignore"):
        finite = np.isfinite(accumulate.row_values(on_predictions(loss), y, p) ** 2)
    assert tallied([loss], y[finite], p[finite]) == step_by_step([loss], y[finite], p[finite])
    assert taken == [True]
    assert tallied([loss], y, p) == step_by_step([loss], y, p)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("chosen", [PAIR, PAIR[::-1], PAIR[:1], [*PAIR, losses.binary_focal()]], ids=str)
def test_any_number_of_rows_and_losses(chosen, n, taken):
    y, p = rows(n)
    p = p.clip(1e-300, 1 - 1e-16)
    assert tallied(chosen, y, p) == step_by_step(chosen, y, p)
    assert all(taken)


LABELS = [np.dtype(kind) for kind in "?bBhHiIlLefdg"]
SCORES = [np.dtype(kind) for kind in "efdg"]


@pytest.mark.parametrize(
    ("label", "score"),
    by_turns(
        [*LABELS, np.dtype(">i4"), np.dtype(">f8"), np.dtype(object)],
        [*SCORES, np.dtype(">f8"), np.dtype(object)],
        asked=2,
    ),
    ids=str,
)
def test_columns_of_any_kind_in_any_order(label, score, taken):
    y, p = rows(3000)
    y, p = y.astype(label), p.clip(0.001, 0.999).astype(score)
    one = step_by_step(PAIR, y.astype(float), p.astype(float))
    for held in ((y, p), (y.repeat(2)[::2], p.repeat(3)[::3]), (y[::-1].copy()[::-1], p[::-1].copy()[::-1])):
        if object not in (label, score):
            assert tallied(PAIR, *held) == step_by_step(PAIR, *held) == one
        given = accumulate.tally(PAIR, held[0], prediction=held[1])
        assert given.to_bytes() == one
    y.flags.writeable = p.flags.writeable = False
    assert accumulate.tally(PAIR, y, prediction=p).to_bytes() == one
    assert any(taken) or label == "g" or score == "g"


HOSTILE = {
    "scores": [
        0.0,
        -0.0,
        1.0,
        5e-324,
        2.0**-1022,
        1 - 2.0**-53,
        np.nan,
        -np.nan,
        np.inf,
        -np.inf,
        -5e-324,
        1 + 2.0**-52,
        1e300,
    ],
    "labels": [0.0, -0.0, 1.0, 5e-324, 1 - 2.0**-53, 0.5, 2.0, -1.0, 255.0, 256.0, np.nan, np.inf, -np.inf, 1e300],
}


@pytest.mark.parametrize("n", [1, 1024, 2500])
@pytest.mark.parametrize("chosen", [PAIR, PAIR[1:]], ids=str)
def test_hostile_rows_are_counted_or_refused_the_same(chosen, n):
    y, p = rows(n)
    for at in {0, n // 2, n - 1}:
        for label, score in [(a, b) for a in (0.0, 1.0) for b in HOSTILE["scores"]] + [
            (a, 0.3) for a in HOSTILE["labels"]
        ]:
            targets, scores = y.astype(float), p.clip(0.001, 0.999)
            targets[at], scores[at] = label, score
            assert tallied(chosen, targets, scores) == step_by_step(chosen, targets, scores), (at, label, score)


@pytest.mark.parametrize("label", [-128, -1, 2, 127, 255, 256, 257], ids=str)
def test_labels_that_are_neither_are_refused_whatever_holds_them(label):
    for kind in "bBhiIlLfd":
        y, p = rows(1500)
        with np.errstate(over="ignore"):
            y = y.astype(kind)
            if np.array(label).astype(kind) != label:
                continue
            y[700] = label
        assert tallied(PAIR, y, p) == step_by_step(PAIR, y, p)
        assert not isinstance(tallied(PAIR, y, p), bytes)


def test_missing_rows_are_left_out_and_the_others_counted_at_once(taken):
    y, p = rows(4000)
    y, p = y.astype(float), p.clip(0.001, 0.999)
    y[::7], p[::5] = np.nan, np.nan
    assert tallied(PAIR, y, p) == step_by_step(PAIR, y, p)
    assert taken == [False, True]


def test_all_rows_missing():
    gone = np.full(3000, np.nan)
    assert tallied(PAIR, gone, gone) == step_by_step(PAIR, gone, gone)


@pytest.mark.parametrize("cuts", [[], [1], [1000, 1001], [1024, 2048], [17, 3000, 69_999]])
def test_blocks_of_rows_add_up_however_they_are_cut(cuts, taken):
    y, p = rows(70_000)
    p = p.clip(1e-300, 1 - 1e-16)
    made = Accumulator(PAIR, schema_of(PAIR, ("model",), p, (False, False, True)))
    for part in np.split(np.arange(len(y)), cuts):
        made.add(y[part].astype(np.int8), {"model": p[part]})
    assert made.finish().to_bytes() == step_by_step(PAIR, y, p)
    assert all(taken)


@pytest.mark.parametrize("keys", [np.arange(6000) % 3, np.arange(6000) % 40, np.array(["a", "b"] * 3000)], ids=len)
def test_groups_are_counted_the_same(keys, taken):
    y, p = rows(6000)
    p = p.clip(1e-300, 1 - 1e-16)
    assert tallied(PAIR, y, p, group=keys) == step_by_step(PAIR, y, p, group=keys)
    assert all(taken)
    assert len(taken) == len(np.unique(keys))


@pytest.mark.parametrize("more", [{"w": np.full(2000, 0.5)}, {"cluster": np.arange(2000) % 9}], ids=str)
def test_weights_and_clusters_are_counted_step_by_step(more, taken):
    y, p = rows(2000)
    p = p.clip(0.001, 0.999)
    assert tallied(PAIR, y, p, **more) == step_by_step(PAIR, y, p, **more)
    two = {"a": p, "b": p**2}
    assert tallied(PAIR, y, two) == step_by_step(PAIR, y, two)
    assert taken == []


def test_no_kernel_no_loop(monkeypatch, taken):
    y, p = rows(2000)
    monkeypatch.setattr(kernels, "outcome_values", lambda _: None)
    assert tallied(PAIR, y, p) == step_by_step(PAIR, y, p)
    assert taken == []


def test_an_accumulator_that_was_sent_elsewhere_asks_where_kernels_stand_there(taken, monkeypatch):
    y, p = rows(3000)
    p = p.clip(0.001, 0.999)
    made = Accumulator(PAIR, schema_of(PAIR, ("model",), p, (False, False, True)))
    made.add(y, {"model": p})
    asked, places = [], kernels.outcome_values
    monkeypatch.setattr(kernels, "outcome_values", lambda loss: asked.append(loss) or places(loss))
    there = pickle.loads(pickle.dumps(made))
    there.add(y, {"model": p})
    assert len(asked) == len(PAIR)
    assert taken == [True, True]
    assert there.finish().to_bytes() == tallied(PAIR, np.tile(y, 2), np.tile(p, 2))


def test_few_rows_do_without_numba():
    program = """
import sys, goodmeasure as gm
gm.tally(gm.losses.binary_cross_entropy(), [0, 1, 1], prediction=[0.2, 0.5, 0.9])
print("numba" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
