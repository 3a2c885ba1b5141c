"""Forests grown by XGBoost, read off the document that it saves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from goodmeasure.fitting.forest import Forest, TreeNode, below
from goodmeasure.fitting.growing import PATIENCE, BoosterRows, Growing
from goodmeasure.frameworks.xgboost import to_xgboost
from goodmeasure.strict.extras import needed


def grow(asked: Growing) -> Forest:
    """The forest that XGBoost grows. Errors: GM008 where it is not installed, and those of the loss."""
    xgboost = needed("xgboost", "--model xgboost")
    objective = to_xgboost(asked.loss)
    start = np.atleast_1d(objective.start(asked.y, asked.weight, classes=asked.classes))

    def read(rows: BoosterRows, like: Any = None) -> Any:
        return xgboost.QuantileDMatrix(
            rows.in_single_precision,
            rows.y,
            ref=like,
            weight=rows.weight,
            base_margin=np.tile(start, (len(rows.y), 1)),
            feature_types=["c" if coded else "q" for coded in asked.categorical],
            enable_categorical=True,
        )

    table, stopping = read(asked), dict[str, Any]()
    if asked.held is not None:
        stopping = {"evals": [(read(asked.held, table), "held")], "custom_metric": objective.metric}
        stopping |= {"early_stopping_rounds": PATIENCE, "verbose_eval": False}
    settings: dict[str, Any] = {
        "eta": asked.rate,
        "seed": asked.seed,
        "disable_default_eval_metric": True,
        "verbosity": 0,
    }
    if len(start) > 1:
        settings["num_target"] = len(start)
    booster = xgboost.train(settings, table, asked.rounds, obj=objective, **stopping)
    saved = json.loads(bytes(booster.save_raw("json")))
    trees = saved["learner"]["gradient_booster"]["model"]["trees"]
    return Forest.of(start, ([*_nodes(tree, asked.most_codes)] for tree in trees))


def _nodes(tree: dict[str, Any], codes: int) -> list[TreeNode]:
    """The nodes of a tree; XGBoost keeps the categories that go to the right."""
    rights = {
        node: set(tree["categories"][start : start + size])
        for node, start, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }
    return [
        _node(tree, k, None if k not in rights else tuple(sorted(set(range(codes)) - rights[k])))
        for k in range(len(tree["left_children"]))
    ]


def _node(tree: dict[str, Any], k: int, codes: tuple[int, ...] | None) -> TreeNode:
    left, right, number = tree["left_children"][k], tree["right_children"][k], tree["split_conditions"][k]
    if left < 0:
        return TreeNode(value=float(np.float32(number)))
    return TreeNode(
        column=tree["split_indices"][k],
        limit=0.0 if codes is not None else below(number),
        codes=codes,
        missing_left=bool(tree["default_left"][k]),
        left=left,
        right=right,
    )
