"""The parts of a model as plain values, from which they are read again without running anything."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import zipfile
from typing import Any

import numpy as np

from goodmeasure.deriving.record import Facts
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import Problem
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.formulas.activations import Activation, activations
from goodmeasure.formulas.domains import Domain, OutcomeDomain
from goodmeasure.formulas.serialise import from_data, to_data
from goodmeasure.making.loss import Loss
from goodmeasure.reading.documents import must
from goodmeasure.study.encoding import Encoding

# What a saved model may be made of: plain values, arrays, and the parts of scikit-learn that encode columns.
# One type describes numbers, and a function checks arrays; what else a partial would call is named and refused.
_PARTS = re.compile(
    r"builtins\.(dict|list|slice|str|tuple|int|float|bool|NoneType)|numpy\.(dtype|ndarray|bool_?|str_?|u?int\d+|float\d+|object_?)"
    r"|numpy\.random\._(generator|mt19937|pcg64)\.\w+|functools\.partial|sklearn\.utils\.validation\.check_array"
    r"|sklearn\.(pipeline|impute\._base|compose\._column_transformer|preprocessing\._(data|encoders|function_transformer|label))\.\w+"
)
_MOST_UNPACKED = 1 << 30


class NotAModel(Problem, ValueError):
    """The file is not a model that goodmeasure wrote, or one of a later version.

    Models are JSON documents. A pickle (.pkl, .joblib, .pt) is never opened: loading one runs whatever stands in it. Export
    the predictions of such a model to a table instead, and judge those.
    """

    code = "GM270"


class UntrustedModel(Problem, ValueError):
    """The model holds parts of types that are not known to be harmless, so it was not opened.

    A model that goodmeasure wrote holds only the parts of scikit-learn that encode columns. Other types
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
    target = state["target"]
    kind = {name: target[name] for name in ("classes", "binary") if name in target}
    interval: dict[str, Any] = {name: target[name] for name in ("name", "whole", "low_open", "high_open")}
    interval |= {"low": float(target["low"]), "high": float(target["high"])}
    activation = _activations(state["activation"])
    return Loss(
        spelling=_spelling_from(state["spelling"], activation),
        book=from_data(state["book"]),
        target=(OutcomeDomain if kind else Domain)(**interval, **kind),
        predictions=tuple(state["predictions"]),
        activation=activation,
        hyperparameters=tuple((str(name), float(value)) for name, value in state["hyperparameters"]),
        class_weight=tuple(float(w) for w in state["class_weight"]),
        facts=Facts(sentence=state["facts"]["sentence"], asks_for=state["facts"]["asks_for"]),
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
    found: dict[str, Any] = {"forest": scorer.to_dict()}
    return found


def scorer_from_dict(state: dict[str, Any]) -> LinearScorer | Forest:
    """The scorer that `scorer_to_dict` described."""
    if "forest" in state:
        return Forest.from_dict(state["forest"])
    return LinearScorer(
        np.array(state["coefficients"], dtype=np.float64), np.array(state["intercepts"], dtype=np.float64)
    )


def _packed(estimators: Any) -> str:
    """Fitted parts of scikit-learn as text: skops writes types and numbers, and no code."""
    from skops.io import dumps

    return base64.b64encode(dumps(estimators, compression=zipfile.ZIP_DEFLATED)).decode("ascii")


def _unpacked(text: str) -> Any:
    from skops.io import get_untrusted_types, loads

    data = base64.b64decode(text, validate=True)
    strange = sorted(name for name in _types_in(data) if not _PARTS.fullmatch(name))
    if strange:
        raise UntrustedModel(
            "the model holds parts that goodmeasure does not write", seen=", ".join(strange[:5]), fix="train it again"
        )
    return loads(data, trusted=sorted(get_untrusted_types(data=data)))


def _types_in(data: bytes) -> set[str]:
    """The types that packed parts are made of, as they name them; nothing is built."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        size = sum(member.file_size for member in packed.infolist())
        must(size <= _MOST_UNPACKED, "a packed part", f"at most {_MOST_UNPACKED:,} bytes long")
        waiting = [json.loads(packed.read("schema.json"))]
    found = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and "__class__" in part:
            found.add(f"{part.get('__module__')}.{part['__class__']}")
        waiting += [*part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []
    return found
