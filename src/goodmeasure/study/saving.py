"""The parts of a model as plain values, from which they are read again without running anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.errors import Problem
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.network import Network
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.making.as_data import loss_from_dict as loss_from_dict
from goodmeasure.making.as_data import loss_to_dict as loss_to_dict
from goodmeasure.making.as_data import number as number
from goodmeasure.study.coding import Coding
from goodmeasure.study.encoding import Encoding
from goodmeasure.study.scaling import Scaling


class NotAModel(Problem, ValueError):
    """The file is not a model that goodmeasure wrote, or one of a later version.

    Models are JSON documents. A pickle (.pkl, .joblib, .pt) is never opened: loading one runs whatever stands in it. Export
    the predictions of such a model to a table instead, and judge those.
    """

    code = "GM270"


# --- encodings and scorers ---


def encoding_to_dict(encoding: Encoding) -> dict[str, Any]:
    """An encoding as plain values."""
    return {
        "numbers": list(encoding.numbers),
        "dates": list(encoding.dates),
        "texts": list(encoding.texts),
        "scaling": None if encoding.scaling is None else encoding.scaling.to_dict(),
        "codings": [coding.to_dict() for coding in encoding.codings],
    }


def encoding_from_dict(state: dict[str, Any]) -> Encoding:
    """The encoding that `encoding_to_dict` described."""
    numbers, dates, texts = (tuple(state[kind]) for kind in ("numbers", "dates", "texts"))
    scaling = None if state["scaling"] is None else Scaling.from_dict(state["scaling"])
    return Encoding(numbers, dates, texts, scaling, tuple(map(Coding.from_dict, state["codings"])))


def scorer_to_dict(scorer: Any) -> dict[str, Any]:
    """A scorer as plain values."""
    if isinstance(scorer, LinearScorer):
        return {"coefficients": scorer.coefficients.tolist(), "intercepts": scorer.intercepts.tolist()}
    found: dict[str, Any] = {"network" if isinstance(scorer, Network) else "forest": scorer.to_dict()}
    return found


def scorer_from_dict(state: dict[str, Any]) -> LinearScorer | Forest | Network:
    """The scorer that `scorer_to_dict` described."""
    if "forest" in state:
        return Forest.from_dict(state["forest"])
    if "network" in state:
        return Network.from_dict(state["network"])
    return LinearScorer(
        np.array(state["coefficients"], dtype=np.float64), np.array(state["intercepts"], dtype=np.float64)
    )
