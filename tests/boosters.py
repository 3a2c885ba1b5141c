"""The boosters as the tests use them: how each trains on a loss, and which of its own objectives is which loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import goodmeasure as gm

L = gm.losses
FEW = {"xgboost": {"max_depth": 3}, "lightgbm": {"num_leaves": 8}, "sklearn": {"max_leaf_nodes": 8}}


@dataclass(frozen=True)
class Native:
    """An objective of a booster, and the loss that it is: its gradient and curvature, and nothing else."""

    host: str
    name: str
    loss: Any
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.host} {self.name}"


NATIVE = [
    Native("xgboost", "reg:squarederror", 0.5 * L.squared_error()),
    Native("xgboost", "reg:pseudohubererror", L.pseudo_huber()),
    Native("xgboost", "binary:logistic", L.binary_cross_entropy()),
    Native("xgboost", "reg:gamma", L.gamma()),
    Native("xgboost", "reg:tweedie", L.tweedie(power=1.3), {"tweedie_variance_power": 1.3}),
    Native("xgboost", "multi:softprob", L.cross_entropy()),
    Native("lightgbm", "regression", 0.5 * L.squared_error()),
    Native("lightgbm", "binary", L.binary_cross_entropy()),
    Native("lightgbm", "cross_entropy", L.binary_cross_entropy()),
    Native("lightgbm", "gamma", L.gamma()),
    Native("lightgbm", "tweedie", L.tweedie(power=1.3), {"tweedie_variance_power": 1.3}),
    Native("lightgbm", "multiclass", L.cross_entropy()),
    Native("sklearn", "squared_error", 0.5 * L.squared_error()),
    Native("sklearn", "log_loss", L.binary_cross_entropy()),
    Native("sklearn", "gamma", L.gamma()),
    Native("sklearn", "poisson", L.poisson()),
    Native("sklearn", "log_loss", L.cross_entropy()),
]


def rows(loss: Any, n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features, and targets of the kind that the loss takes, of which they tell much."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 4))
    score = 1.5 * x[:, 0] + np.sin(2 * x[:, 1])
    if loss.is_classwise:
        return x, np.argmax(np.stack([score, -score, x[:, 2]], axis=1) + random.gumbel(size=(n, 3)), axis=1)
    if loss.is_binary:
        return x, (random.random(n) < 1 / (1 + np.exp(-2 * score))).astype(float)
    if loss.target.low == 0 and 0 in loss.target and 0.5 not in loss.target:
        return x, random.poisson(np.exp(0.7 * score)).astype(float)
    if loss.target.low == 0:
        return x, np.exp(0.6 * score) * random.gamma(3.0, 1 / 3, size=n)
    return x, score + 0.5 * random.standard_t(5, size=n)


def model(host: str, loss: Any, rounds: int, **settings: Any) -> Any:
    """An unfitted model of the host."""
    of_classes = loss.is_classwise or (loss.is_binary and host != "sklearn")
    if host == "xgboost":
        import xgboost

        kind = xgboost.XGBClassifier if of_classes else xgboost.XGBRegressor
        return kind(n_estimators=rounds, learning_rate=0.2, n_jobs=1, **FEW[host], **settings)
    if host == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMClassifier if of_classes else lightgbm.LGBMRegressor
        return kind(n_estimators=rounds, learning_rate=0.2, n_jobs=1, verbose=-1, **FEW[host], **settings)
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if loss.is_classwise or loss.is_binary else HistGradientBoostingRegressor
    return kind(max_iter=rounds, learning_rate=0.2, early_stopping=False, **FEW[host], **settings)


def trained(host: str, loss: Any, x: Any, y: Any, weight: Any = None, rounds: int = 20) -> Any:
    """A model of the host that was trained on the loss."""
    if host == "sklearn":
        classes = int(y.max()) + 1 if loss.is_classwise else None
        ours = gm.to_hist_gradient_boosting(loss, classes=classes)
        return model(host, loss, rounds, loss=ours).fit(x, y, sample_weight=weight)
    to = {"xgboost": gm.to_xgboost, "lightgbm": gm.to_lightgbm}[host]
    return to(loss).fit(model(host, loss, rounds), x, y, weight)


def raw(host: str, fitted: Any, x: Any) -> np.ndarray:
    """The raw outputs of a fitted model."""
    if host == "xgboost":
        return np.asarray(fitted.predict(x, output_margin=True), dtype=np.float64)
    if host == "lightgbm":
        return np.asarray(fitted.booster_.predict(x, raw_score=True))
    found = fitted._raw_predict(x)
    return found[:, 0] if found.shape[1] == 1 else found
