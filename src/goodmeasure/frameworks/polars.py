"""Losses as expressions of Polars: the value, the signal, the prediction and the decision of a row from its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import polars as pl

from goodmeasure.frameworks.columns import Language, TableLoss, named_columns
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords


def _where(condition: Any, a: Any, b: Any) -> Any:
    return pl.when(condition).then(a).otherwise(b)


# How Polars spells the elementary words; it has no expm1, which is exact in terms of what it has.
SPELLING: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "power": lambda a, b: a**b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "where": _where,
    "maximum": lambda a, b: _where(a < b, b, a),
    "minimum": lambda a, b: _where(b < a, b, a),
    "expm1": lambda x: (x / 2).tanh() * (x.exp() + 1),
    **{
        word: (lambda name: lambda x: getattr(x, name)())(word)
        for word in ("abs", "sign", "exp", "log", "log1p", "sqrt", "sin", "cos", "tanh")
    },
}


def _any_of(conditions: Sequence[Any]) -> Any:
    return reduce(lambda a, b: a | b, conditions)


def _missing(parts: Sequence[Any], found: Any) -> Any:
    return _where(_any_of([part.is_null() for part in parts]), None, found)


LANGUAGE = Language(
    "polars", SPELLING, lambda value: pl.lit(value, dtype=pl.Float64), lambda x: x.floor(), _any_of, _missing
)


@strict_keywords
def to_polars(
    loss: Loss, *, target: str = "y", raw: str | Sequence[str] = "", prediction: str | Sequence[str] = ""
) -> TableLoss:
    """Say a loss in Polars: what a row costs, its signal, its prediction and its decision, each as one expression.

    Args:
        loss: the loss, such as ``gm.losses.binary_cross_entropy()``.
        target: the column of targets; of a loss of classes it holds whole numbers.
        raw: the column of raw outputs, "z" unless given; several where a row has one a class or a parameter.
        prediction: the column of predictions, in place of raw outputs.

    Returns:
        A `TableLoss`, whose parts are ``polars.Expr``.

    Raises:
        GM003: the loss takes another number of columns.
        GM009: raw outputs and predictions were named.

    Example:
        >>> import goodmeasure as gm
        >>> import polars
        >>> said = gm.to_polars(gm.losses.absolute_error(), target="sold", prediction="said")
        >>> polars.DataFrame({"sold": [3, 4], "said": [1.5, 4.5]}).select(said.value.mean()).item()
        1.0
    """
    columns = tuple(pl.col(name).cast(pl.Float64) for name in named_columns(raw, prediction))
    return TableLoss(loss, LANGUAGE, pl.col(target).cast(pl.Float64), columns, bool(prediction))
