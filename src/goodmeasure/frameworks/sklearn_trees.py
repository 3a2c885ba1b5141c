"""Forests grown by scikit-learn's histogram boosting, on its own objective where it has the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting.forest import Forest, TreeNode
from goodmeasure.fitting.growing import PATIENCE, Growing
from goodmeasure.frameworks.sklearn_boosting import HistGradientBoostingLoss, to_hist_gradient_boosting
from goodmeasure.frameworks.sklearn_names import native
from goodmeasure.making.loss import Loss


def grow(asked: Growing) -> Forest:
    """The forest that scikit-learn grows. Errors: those of the loss."""
    held = asked.held
    left_out = {} if held is None else {"X_val": held.x, "y_val": held.y, "sample_weight_val": held.weight}
    fitted = _estimator(asked).fit(asked.x, asked.y, sample_weight=asked.weight, **left_out)
    columns, codes = _order(fitted, len(asked.categorical))
    trees = ([*_nodes(tree, columns, codes)] for step in fitted._predictors for tree in step)
    return Forest.of(np.ravel(fitted._baseline_prediction), trees)


def _estimator(asked: Growing) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    loss = asked.loss
    settings: dict[str, Any] = {
        "max_iter": asked.rounds,
        "learning_rate": asked.rate,
        "early_stopping": asked.held is not None,
        "scoring": "loss",
        "n_iter_no_change": PATIENCE,
        "tol": 0.0,
        "random_state": asked.seed,
        "categorical_features": list(asked.categorical),
    }
    shares = loss.is_binary and not np.isin(asked.y, (0, 1)).all()
    name = None if shares else native(loss)
    if name == "quantile":
        settings["quantile"] = loss.values["level"]
    if len(loss.activation) > 1:
        return _several(loss, settings)
    chosen = name or to_hist_gradient_boosting(loss, classes=asked.classes if loss.is_classwise else None)
    kind = HistGradientBoostingClassifier if name == "log_loss" or loss.is_classwise else HistGradientBoostingRegressor
    return kind(loss=chosen, **settings)


def _several(loss: Loss, settings: dict[str, Any]) -> Any:
    """A regressor that grows a tree for each raw output at every step, as scikit-learn's classifier does for classes."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    class Several(HistGradientBoostingRegressor):  # type: ignore[misc]
        def _encode_y(self, y: Any) -> Any:
            found = super()._encode_y(y)
            self.n_trees_per_iteration_ = len(loss.activation)
            return found

    return Several(loss=HistGradientBoostingLoss(loss, len(loss.activation)), **settings)


def _order(fitted: Any, count: int) -> tuple[list[int], dict[int, Any]]:
    """Which column each of the estimator's is, and the codes behind its own: it moves categories to the front."""
    if fitted.is_categorical_ is None:
        return list(range(count)), {}
    coded = np.flatnonzero(fitted.is_categorical_)
    columns = [*coded.tolist(), *np.flatnonzero(~fitted.is_categorical_).tolist()]
    encoder = fitted._preprocessor.named_transformers_["encoder"]
    return columns, dict(enumerate(encoder.categories_))


def _nodes(tree: Any, columns: list[int], codes: dict[int, Any]) -> list[TreeNode]:
    return [_node(node, tree.raw_left_cat_bitsets, columns, codes) for node in tree.nodes]


def _node(node: Any, bitsets: Any, columns: list[int], codes: dict[int, Any]) -> TreeNode:
    if node["is_leaf"]:
        return TreeNode(value=float(node["value"]))
    at = int(node["feature_idx"])
    chosen = None
    if node["is_categorical"]:
        inside = np.unpackbits(bitsets[node["bitset_idx"]].view(np.uint8), bitorder="little")
        chosen = tuple(int(code) for k, code in enumerate(codes[at]) if np.isfinite(code) and inside[k])
    return TreeNode(
        column=columns[at],
        limit=0.0 if chosen is not None else float(node["num_threshold"]),
        codes=chosen,
        missing_left=bool(node["missing_go_to_left"]),
        left=int(node["left"]),
        right=int(node["right"]),
    )
