"""The boosters as the tests use them: how each trains on a loss, and which of its own objectives is which loss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import goodmeasure as gm
from catalogue_losses import between_bounds

FEW = {"xgboost": {"max_depth": 3}, "lightgbm": {"num_leaves": 8}, "sklearn": {"max_leaf_nodes": 8}}


@dataclass(frozen=True)
class Native:
    """An objective of a booster, the loss that it is, and how it trains beside ours."""

    host: str
    name: str
    loss: Any
    trained: str

    def __str__(self) -> str:
        return f"{self.host} {self.name} {self.loss}"


def table_of_objectives() -> list[Native]:
    """The table of docs/boosters.md."""
    page = (Path(__file__).parent.parent / "docs" / "boosters.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (xgboost|lightgbm|sklearn) \| `(\S+)` \| `(.+)` \| (.+) \|$", page, flags=re.MULTILINE)
    return [Native(host, name, eval(loss, {"gm": gm}), trained) for host, name, loss, trained in cells]


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
        return x, np.minimum(random.poisson(np.exp(0.7 * score)), loss.target.high).astype(float)
    if loss.target.low == 0:
        return x, between_bounds(loss, np.exp(0.6 * score) * random.gamma(3.0, 1 / 3, size=n))
    return x, score + 0.5 * random.standard_t(5, size=n)


def model(host: str, of: Any, rounds: int, **settings: Any) -> Any:
    """An unfitted model of the host."""
    of_classes = of.is_classwise or (of.is_binary and host != "sklearn")
    if host == "xgboost":
        import xgboost

        kind = xgboost.XGBClassifier if of_classes else xgboost.XGBRegressor
        return kind(n_estimators=rounds, learning_rate=0.2, n_jobs=1, **FEW[host], **settings)
    if host == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMClassifier if of_classes else lightgbm.LGBMRegressor
        return kind(n_estimators=rounds, learning_rate=0.2, n_jobs=1, verbose=-1, **FEW[host], **settings)
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if of.is_classwise or of.is_binary else HistGradientBoostingRegressor
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
