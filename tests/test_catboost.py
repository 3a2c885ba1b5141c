"""Does CatBoost train on our losses, and keep what they know? (Only where it is installed: a hundred megabytes.)"""

from __future__ import annotations

import numpy as np
import pytest

import goodmeasure as gm
from boosters import rows
from goodmeasure.errors import NoSuchReading

catboost = pytest.importorskip("catboost", reason="pip install 'goodmeasure[catboost]'")
L = gm.losses
SETTINGS = {
    "iterations": 30,
    "depth": 3,
    "learning_rate": 0.3,
    "verbose": 0,
    "thread_count": 1,
    "allow_writing_files": False,
}
LOSSES = [L.absolute_error(), L.pinball(level=0.9), L.huber(), L.cauchy(), L.gamma(), L.poisson(), L.tukey_biweight()]


@pytest.mark.filterwarnings("ignore")  # of Numba, which CatBoost tries on the objective
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_it_trains_and_a_saved_model_holds_its_start(loss, weighted, tmp_path):
    x, y = rows(loss)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    ours = gm.to_catboost(loss)
    model = ours.fit(catboost.CatBoostRegressor(**SETTINGS), x, y, weight)
    raw = model.predict(x, prediction_type="RawFormulaVal")
    assert loss(y, raw, weight) < 0.8 * loss(y, np.full(len(y), ours.start(y, weight)), weight)
    model.save_model(str(tmp_path / "model.cbm"))
    again = catboost.CatBoostRegressor().load_model(str(tmp_path / "model.cbm"))
    np.testing.assert_allclose(ours.predict(again, x), loss.predict(raw))


@pytest.mark.filterwarnings("ignore")
def test_probabilities_mean_what_they_say():
    loss = L.binary_cross_entropy(positive_weight=10.0)
    x, y = rows(loss, 1000)
    ours = gm.to_catboost(loss)
    model = ours.fit(catboost.CatBoostClassifier(**SETTINGS), x, y.astype(int))
    assert ours.predict(model, x).mean() == pytest.approx(y.mean(), abs=0.03)


def test_several_raw_outputs_are_refused():
    with pytest.raises(NoSuchReading, match="row by row"):
        gm.to_catboost(L.cross_entropy())
