"""Forests grown by CatBoost, read off the document that it saves. Codes of categories count as numbers there."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from goodmeasure.fitting.forest import Forest, TreeNode, at_most
from goodmeasure.fitting.growing import Growing
from goodmeasure.frameworks.catboost import to_catboost
from goodmeasure.strict.extras import needed


def grow(asked: Growing) -> Forest:
    """The forest that CatBoost grows. Errors: GM008 where it is not installed, and those of the loss."""
    catboost = needed("catboost", "--model catboost")
    settings = {"iterations": asked.rounds, "learning_rate": asked.rate, "random_seed": asked.seed, "verbose": False}
    model = catboost.CatBoostRegressor(**settings, allow_writing_files=False)
    objective = to_catboost(asked.loss)
    objective.fit(model, asked.in_single_precision, asked.y, asked.weight)
    saved = _saved(model)
    scale, bias = saved["scale_and_bias"]
    missing = [each.get("nan_value_treatment") == "AsTrue" for each in saved["features_info"]["float_features"]]
    trees = (_nodes(tree, missing, scale) for tree in saved["oblivious_trees"])
    return Forest.of(np.atleast_1d(bias), trees)


def _saved(model: Any) -> Any:
    """The document of a model, which CatBoost writes to files alone."""
    with TemporaryDirectory() as place:
        path = Path(place) / "model.json"
        model.save_model(str(path), format="json")
        return json.loads(path.read_text(encoding="utf-8"))


def _nodes(tree: dict[str, Any], missing_right: list[bool], scale: float) -> list[TreeNode]:
    """The nodes of a tree that asks the same at all places of a level; the last of its splits comes first."""
    splits = (tree["splits"] or [])[::-1]
    found = list[TreeNode]()
    for level, split in enumerate(splits):
        column = split["float_feature_index"]
        for k in range(1 << level):
            left = (2 << level) - 1 + 2 * k
            found.append(
                TreeNode(
                    column=column,
                    limit=at_most(split["border"]),
                    missing_left=not missing_right[column],
                    left=left,
                    right=left + 1,
                )
            )
    return [*found, *(TreeNode(value=scale * value) for value in tree["leaf_values"])]
