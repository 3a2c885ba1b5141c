"""Claims that no booster has an objective for, on each booster: ``python examples/train_boosters.py xgboost``.

Most policies cost little and a few very much. Cauchy's loss asks for the usual cost, and its curvature is negative far out,
where a booster that was given it as it is would run away.
"""

import sys
from typing import Any

import numpy as np

import goodmeasure as gm

LOSS = gm.losses.cauchy(scale=0.5)
Rows = tuple[np.ndarray, np.ndarray]


def claims(rows: int, seed: int) -> Rows:
    """Features of policies, and what they cost."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    return x, 2 * x[:, 0] + np.sin(2 * x[:, 1]) + 0.3 * random.standard_t(1.5, size=rows)


def by_xgboost(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> Any:
    """Predictions of XGBoost for new rows."""
    from xgboost import XGBRegressor

    objective = gm.to_xgboost(LOSS)
    return objective.predict(objective.fit(XGBRegressor(n_estimators=60, max_depth=3, n_jobs=1), x, y), new)


def by_lightgbm(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> Any:
    """Predictions of LightGBM for new rows."""
    from lightgbm import LGBMRegressor

    objective = gm.to_lightgbm(LOSS)
    return objective.predict(objective.fit(LGBMRegressor(n_estimators=60, n_jobs=1, verbose=-1), x, y), new)


def by_catboost(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> Any:
    """Predictions of CatBoost for new rows."""
    from catboost import CatBoostRegressor

    objective = gm.to_catboost(LOSS)
    model = CatBoostRegressor(iterations=60, depth=3, thread_count=1, verbose=0, allow_writing_files=False)
    return objective.predict(objective.fit(model, x, y), new)


BOOSTERS = {"xgboost": by_xgboost, "lightgbm": by_lightgbm, "catboost": by_catboost}


def main(booster: str, rows: int = 1000) -> tuple[float, float]:
    """The mean loss on new rows: of the booster, and of the best constant."""
    x, y = claims(rows, seed=0)
    new, truth = claims(rows, seed=1)
    mean = LOSS(truth, LOSS.raw(BOOSTERS[booster](x, y, new)))
    constant = LOSS(truth, np.full(rows, LOSS.best_constant(y)))
    print(f"{booster}: mean loss {mean:.3f} on new rows, {constant:.3f} by the best constant")
    return mean, constant


if __name__ == "__main__":
    for name in sys.argv[1:] or ["xgboost", "lightgbm"]:
        main(name)
