"""The parts of a model as plain values, from which they are read again without running anything."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from typing import Any

import numpy as np

from goodmeasure.errors import Problem
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.making.as_data import loss_from_dict as loss_from_dict
from goodmeasure.making.as_data import loss_to_dict as loss_to_dict
from goodmeasure.making.as_data import number as number
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
