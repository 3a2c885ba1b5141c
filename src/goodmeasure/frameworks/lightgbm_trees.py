"""Forests grown by LightGBM, read off what it says of its model."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting.forest import Forest, TreeNode
from goodmeasure.fitting.growing import PATIENCE, BoosterRows, Growing
from goodmeasure.frameworks.lightgbm import to_lightgbm
from goodmeasure.strict.extras import needed


def grow(asked: Growing) -> Forest:
    """The forest that LightGBM grows. Errors: GM008 where it is not installed, and those of the loss."""
    lightgbm = needed("lightgbm", "--model lightgbm")
    objective = to_lightgbm(asked.loss)
    start = np.atleast_1d(objective.start(asked.y, asked.weight, classes=asked.classes))
    settings: dict[str, Any] = {
        "objective": objective,
        "learning_rate": asked.rate,
        "seed": asked.seed,
        "verbosity": -1,
    }
    settings |= {"deterministic": True, "force_row_wise": True, "num_class": len(start), "metric": "None"}

    def read(rows: BoosterRows, like: Any = None) -> Any:
        return lightgbm.Dataset(
            rows.x,
            rows.y,
            reference=like,
            weight=rows.weight,
            init_score=np.tile(start, (len(rows.y), 1)) if len(start) > 1 else np.full(len(rows.y), start[0]),
            categorical_feature=np.flatnonzero(asked.categorical).tolist(),
            params={"verbosity": -1},
        )

    table, stopping = read(asked), dict[str, Any]()
    if asked.held is not None:
        ended = lightgbm.early_stopping(PATIENCE, verbose=False)
        stopping = {"valid_sets": [read(asked.held, table)], "feval": objective.metric, "callbacks": [ended]}
        # Else what comes after the best round is forgotten, and the curve of what more rounds do ends there.
        stopping["keep_training_booster"] = True
    booster = lightgbm.train(settings, table, asked.rounds, **stopping)
    return Forest.of(
        start, (_nodes(tree["tree_structure"]) for tree in booster.dump_model(num_iteration=-1)["tree_info"])
    )


def _nodes(root: dict[str, Any]) -> list[TreeNode]:
    """The nodes of a tree, children after their parents."""
    waiting, found = [root], list[TreeNode]()
    while len(found) < len(waiting):
        at = waiting[len(found)]
        if "split_feature" not in at:
            found.append(TreeNode(value=float(at["leaf_value"])))
            continue
        found.append(_split(at, left=len(waiting)))
        waiting += [at["left_child"], at["right_child"]]
    return found


def _split(at: dict[str, Any], left: int) -> TreeNode:
    if at["decision_type"] == "==":
        codes = tuple(int(code) for code in at["threshold"].split("||"))
        return TreeNode(column=at["split_feature"], codes=codes, left=left, right=left + 1)
    limit = float(at["threshold"])
    # Where no row that was fitted missed the number, a missing one counts as zero.
    missing_left = at["default_left"] if at["missing_type"] == "NaN" else limit >= 0
    return TreeNode(column=at["split_feature"], limit=limit, missing_left=bool(missing_left), left=left, right=left + 1)
