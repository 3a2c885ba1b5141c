"""Where rows to tune are few, folds of the rows to fit and to tune choose the strength of the penalty."""

from __future__ import annotations

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.reading.frames import table
from goodmeasure.report.summary import summary
from goodmeasure.study.cases import Cases
from goodmeasure.study.turns import FEW_TO_TUNE, FOLDS, MOST_DEALT, turns

LOG, CLASSES, SQUARED = gm.losses.binary_cross_entropy(), gm.losses.cross_entropy(), gm.losses.squared_error()


def cases(y: np.ndarray, **more: np.ndarray) -> Cases:
    return Cases(table({"row": np.arange(len(y), dtype=float)}), y, **more)


def halves(y: np.ndarray, tuned: int, **more: np.ndarray) -> tuple[Cases, Cases]:
    whole = cases(y, **more)
    return whole.take(np.arange(tuned, len(y))), whole.take(np.arange(tuned))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("loss", "labels"), [(LOG, 2), (CLASSES, 3), (SQUARED, 0)])
def test_every_row_is_judged_once_by_rows_that_hold_every_label(loss: gm.Loss, labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=120) if not labels else np.where(rng.random(120) < 0.9, 0, rng.integers(0, labels, 120))
    if labels:
        y[: 2 * labels] = np.repeat(np.arange(labels), 2)
    fit, tune = halves(y, 30, weight=rng.random(120), exposure=rng.random(120))
    pairs = turns(loss, fit, tune, seed)
    assert len(pairs) == FOLDS
    judged = np.concatenate([judges.table["row"] for _, judges in pairs])
    assert sorted(judged) == list(range(120))
    for learns, judges in pairs:
        assert not set(learns.table["row"]) & set(judges.table["row"])
        assert len(learns) + len(judges) == 120
        for side in (learns, judges):
            rows = side.table["row"].astype(int)
            assert (side.y == y[rows]).all()
        assert not labels or set(learns.y) == set(y)


@pytest.mark.parametrize(
    ("n", "tuned", "yes", "folds"),
    [
        (400, FEW_TO_TUNE, 0.5, 1),
        (400, FEW_TO_TUNE - 1, 0.5, FOLDS),
        (1000, 250, 0.05, FOLDS),
        (1000, 250, 0.5, 1),
        (MOST_DEALT + 1, 250, 0.05, 1),
    ],
)
def test_folds_are_made_where_rows_or_labels_are_few(n: int, tuned: int, yes: float, folds: int) -> None:
    y = (np.arange(n) % 1000 / 1000 < yes).astype(float)[np.random.default_rng(0).permutation(n)]
    assert len(turns(LOG, *halves(y, tuned), 0)) == folds


def test_groups_stay_whole_and_times_in_order() -> None:
    y = np.arange(100) % 2 * 1.0
    groups = np.arange(100) // 5
    pairs = turns(LOG, *halves(y, 25, together=groups), 0)
    assert len(pairs) == FOLDS
    assert not any(set(learns.together) & set(judges.together) for learns, judges in pairs)
    assert len(turns(LOG, *halves(y, 25, when=np.arange(100.0)), 0)) == 1
    assert len(turns(LOG, *halves(y, 25, together=np.where(y == 1, 0, 1 + groups)), 0)) == 1


def of_classes(n: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Three classes, nearly apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = 3.0 * np.eye(3)[y] + rng.normal(size=(n, 3))
    return {**{f"x{k}": x[:, k] for k in range(3)}, "y": np.array(["a", "b", "c"])[y]}, y


def test_the_study_says_who_chose() -> None:
    few, many = (gm.run(of_classes(n, 1)[0], "y", protocol="holdout") for n in (150, 1000))
    assert "chosen on 5 folds" in summary(few, [], width=400)
    assert few.to_dict()["training"]["chosen_on"] == "5 folds of the rows to fit and to tune"
    assert "chosen on the rows to tune" in summary(many, [], width=400)
    assert few.trained.chosen == min(few.trained.path, key=lambda row: row[2])[0]


def test_folds_choose_strengths_that_cost_less_than_30_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over small tables of three classes, on many new rows."""
    new, y = of_classes(4000, 1000)

    def costs() -> float:
        studies = [gm.run(of_classes(90, seed)[0], "y", protocol="holdout") for seed in range(3)]
        return float(np.mean([gm.risk(CLASSES, y, prediction=study.model.predict(new)).value for study in studies]))

    by_folds = costs()
    monkeypatch.setattr("goodmeasure.study.turns.FEW_TO_TUNE", 0)
    monkeypatch.setattr("goodmeasure.study.turns.FEW_OF_A_LABEL", 0)
    assert by_folds < costs()
