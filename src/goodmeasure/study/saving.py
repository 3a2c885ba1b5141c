"""The parts of a model as plain values, from which they are read again without running anything."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import numpy as np

from goodmeasure.deriving.record import Facts
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import Problem
from goodmeasure.fitting.scorers import LinearScorer, TreeScorer
from goodmeasure.formulas.activations import Activation, activations
from goodmeasure.formulas.domains import Domain, OutcomeDomain
from goodmeasure.formulas.serialise import from_data, to_data
from goodmeasure.making.loss import Loss
from goodmeasure.study.encoding import Encoding

# Types that skops does not know as harmless: one describes numbers, the others are parts of scikit-learn's boosting (a check of
# arrays with its arguments; what else a partial would call is named and refused), whose trees are checked before they are walked.
HARMLESS = frozenset({"numpy.dtype", "functools.partial", "sklearn.utils.validation.check_array"})
_OF_BOOSTING = ("sklearn.ensemble._hist_gradient_boosting.", "sklearn._loss.")


class NotAModel(Problem, ValueError):
    """The file is not a model that goodmeasure wrote, or one of a later version.

    Models are JSON documents. A pickle (.pkl, .joblib, .pt) is never opened: loading one runs whatever stands in it. Export
    the predictions of such a model to a table instead, and judge those.
    """

    code = "GM270"


class UntrustedModel(Problem, ValueError):
    """The model holds parts of types that are not known to be harmless, so it was not opened.

    A model that goodmeasure wrote holds only the parts of scikit-learn that encode columns and grow trees. Other types
    mean that the file was changed by somebody else.
    """

    code = "GM271"


# --- values ---


def number(value: float | None) -> float | str | None:
    """A number as JSON has it; infinities as words, which float() reads."""
    return value if value is None or math.isfinite(value) else str(value)


# --- losses, a user's own included ---


def loss_to_dict(loss: Loss) -> dict[str, Any]:
    """A loss as its expression: a user's own formula is saved like one of the catalogue."""
    target = loss.target
    kind = {"classes": target.classes, "binary": target.binary} if isinstance(target, OutcomeDomain) else {}
    low, high = number(target.low), number(target.high)
    interval = {"name": target.name, "low": low, "high": high, "whole": target.whole}
    return {
        "spelling": _spelling_to_dict(loss.spelling),
        "book": to_data(loss.book),
        "target": {**interval, "low_open": target.low_open, "high_open": target.high_open, **kind},
        "predictions": list(loss.predictions),
        "activation": [a.name for a in loss.activation],
        "hyperparameters": [list(pair) for pair in loss.hyperparameters],
        "class_weight": list(loss.class_weight),
        "facts": {"sentence": loss.facts.sentence, "asks_for": loss.facts.asks_for},
    }


def loss_from_dict(state: dict[str, Any]) -> Loss:
    """The loss that `loss_to_dict` described; its expression is read word by word, never evaluated."""
    target = {**state["target"], "low": float(state["target"]["low"]), "high": float(state["target"]["high"])}
    activation = _activations(state["activation"])
    return Loss(
        spelling=_spelling_from(state["spelling"], activation),
        book=from_data(state["book"]),
        target=(OutcomeDomain if "classes" in target else Domain)(**target),
        predictions=tuple(state["predictions"]),
        activation=activation,
        hyperparameters=tuple((str(name), float(value)) for name, value in state["hyperparameters"]),
        class_weight=tuple(float(w) for w in state["class_weight"]),
        facts=Facts(**state["facts"]),
    )


def _spelling_to_dict(spelling: Spelling) -> dict[str, Any]:
    names = [a.name for a in spelling.activation]
    return {"text": spelling.text, "activation": names, "kind": spelling.kind, "factory": spelling.factory}


def _spelling_from(state: Any, activation: tuple[Activation, ...]) -> Spelling:
    """The spelling as it was saved; older files hold one text, with the activation in it."""
    if isinstance(state, str):
        factory = re.fullmatch(r"(\w+)\([^()]*\)(\.with_activation.*)?", state)
        return Spelling(state, activation, factory=factory[1] if factory else "")
    return Spelling(
        str(state["text"]), _activations(state["activation"]), kind=state["kind"], factory=str(state["factory"])
    )


def _activations(names: list[str]) -> tuple[Activation, ...]:
    return tuple(activations()[name] for name in names)


# --- encodings and scorers ---


def encoding_to_dict(encoding: Encoding) -> dict[str, Any]:
    """An encoding as plain values."""
    names = {"numbers": list(encoding.numbers), "dates": list(encoding.dates), "texts": list(encoding.texts)}
    return {**names, "scaled": encoding.scaled, "steps": _packed(encoding.steps)}


def encoding_from_dict(state: dict[str, Any]) -> Encoding:
    """The encoding that `encoding_to_dict` described. Error: GM271."""
    numbers, dates, texts = (tuple(state[kind]) for kind in ("numbers", "dates", "texts"))
    return Encoding(numbers, dates, texts, scaled=bool(state["scaled"]), steps=_unpacked(state["steps"]))


def scorer_to_dict(scorer: Any) -> dict[str, Any]:
    """A scorer as plain values."""
    if isinstance(scorer, LinearScorer):
        return {"coefficients": scorer.coefficients.tolist(), "intercepts": scorer.intercepts.tolist()}
    return {"trees": _packed(scorer.estimator), "shift": scorer.shift}


def scorer_from_dict(state: dict[str, Any], loss: Loss) -> LinearScorer | TreeScorer:
    """The scorer that `scorer_to_dict` described. Error: GM271."""
    if "trees" in state:
        return TreeScorer(_unpacked(state["trees"]), loss, float(state["shift"]))
    return LinearScorer(
        np.array(state["coefficients"], dtype=np.float64), np.array(state["intercepts"], dtype=np.float64)
    )


def _packed(estimators: Any) -> str:
    """Fitted parts of scikit-learn as text: skops writes types and numbers, and no code."""
    from zipfile import ZIP_DEFLATED

    from skops.io import dumps

    return base64.b64encode(dumps(estimators, compression=ZIP_DEFLATED)).decode("ascii")


def _unpacked(text: str) -> Any:
    from skops.io import get_untrusted_types, loads

    data = base64.b64decode(text, validate=True)
    named = set(get_untrusted_types(data=data))
    known = {name for name in named if name in HARMLESS or name.startswith(_OF_BOOSTING)}
    strange = sorted(named - known)
    if strange:
        raise UntrustedModel(
            "the model holds parts that goodmeasure does not write", seen=", ".join(strange[:5]), fix="train it again"
        )
    found = loads(data, trusted=sorted(known))
    if hasattr(found, "_predictors"):
        _walkable(found)
    return found


def _walkable(boosting: Any) -> None:
    """Refuse trees that point outside themselves: compiled code walks them without looking."""
    for tree in (tree for step in boosting._predictors for tree in step):
        nodes, inner = tree.nodes, tree.nodes["is_leaf"] == 0
        for side in ("left", "right"):
            # Children come after their parent, so that a walk ends.
            after = nodes[side][inner].astype(np.int64) > np.flatnonzero(inner)
            if not (after.all() and (nodes[side][inner] < len(nodes)).all()):
                raise UntrustedModel("a tree of the model points outside itself", fix="train it again")
        sets = len(tree.raw_left_cat_bitsets)
        wild = (nodes["feature_idx"][inner] >= boosting.n_features_in_) | (nodes["feature_idx"][inner] < 0)
        coded = inner & (nodes["is_categorical"] != 0)
        if wild.any() or (nodes["bitset_idx"][coded] >= sets).any():
            raise UntrustedModel("a tree of the model asks for columns that do not exist", fix="train it again")
