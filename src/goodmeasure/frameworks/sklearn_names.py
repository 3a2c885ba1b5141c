"""Which losses scikit-learn's histogram boosting has of its own, and what it calls them."""

from __future__ import annotations

from goodmeasure.making.loss import Loss

_NATIVE = {
    "squared_error": "squared_error",
    "absolute_error": "absolute_error",
    "poisson": "poisson",
    "gamma": "gamma",
    "pinball": "quantile",
    "binary_cross_entropy": "log_loss",
    "cross_entropy": "log_loss",
}
_REACHED = {"poisson": "exp", "gamma": "exp", "binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}


def native(loss: Loss) -> str | None:
    """The name under which scikit-learn's boosting has this loss, or None."""
    name = loss.spelling.factory
    plain = not any(v for k, v in loss.values.items() if k != "level") and not loss.class_weight
    reached = _REACHED.get(name, "linear")
    return _NATIVE.get(name) if plain and loss.activation[0].name == reached else None
