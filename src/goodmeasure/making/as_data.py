"""Losses as plain values for JSON, a user's own included, and back without evaluating anything."""

from __future__ import annotations

import math
import re
from typing import Any

from goodmeasure.deriving.record import Facts
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.formulas.activations import Activation
from goodmeasure.formulas.activations import activation as activation_named
from goodmeasure.formulas.domains import Domain, OrderDomain, OutcomeDomain
from goodmeasure.formulas.serialise import from_data, to_data
from goodmeasure.making.loss import Loss


def number(value: float | None) -> float | str | None:
    """A number as JSON has it; infinities as words, which float() reads."""
    return value if value is None or math.isfinite(value) else str(value)


def loss_to_dict(loss: Loss) -> dict[str, Any]:
    """A loss as its expression: a user's own formula is saved like one of the catalogue."""
    target = loss.target
    kind = {"classes": target.classes, "binary": target.binary} if isinstance(target, OutcomeDomain) else {}
    kind |= {"order": True} if isinstance(target, OrderDomain) else {}
    low, high = number(target.low), number(target.high)
    interval: dict[str, Any] = {"name": target.name, "low": low, "high": high, "whole": target.whole}
    interval |= {} if target.gap is None else {"gap": list(target.gap)}
    return {
        "spelling": _spelling_to_dict(loss.spelling),
        "book": to_data(loss.book),
        "target": {**interval, "low_open": target.low_open, "high_open": target.high_open, **kind},
        "predictions": list(loss.predictions),
        "activation": [a.name for a in loss.activation],
        "hyperparameters": [[n, list(v) if isinstance(v, tuple) else v] for n, v in loss.hyperparameters],
        "class_weight": list(loss.class_weight),
        "facts": {"sentence": loss.facts.sentence, "asks_for": loss.facts.asks_for},
    }


def loss_from_dict(state: dict[str, Any]) -> Loss:
    """The loss that `loss_to_dict` described; its expression is read word by word, never evaluated."""
    target = state["target"]
    kind = {name: target[name] for name in ("classes", "binary") if name in target}
    interval: dict[str, Any] = {name: target[name] for name in ("name", "whole", "low_open", "high_open")}
    interval |= {"low": float(target["low"]), "high": float(target["high"])}
    interval |= {"gap": (float(target["gap"][0]), float(target["gap"][1]))} if "gap" in target else {}
    activation = _activations(state["activation"])
    return Loss(
        spelling=_spelling_from(state["spelling"], activation),
        book=from_data(state["book"]),
        target=_domain(target)(**interval, **kind),
        predictions=tuple(state["predictions"]),
        activation=activation,
        hyperparameters=tuple((str(name), _value(value)) for name, value in state["hyperparameters"]),
        class_weight=tuple(float(w) for w in state["class_weight"]),
        facts=Facts(sentence=state["facts"]["sentence"], asks_for=state["facts"]["asks_for"]),
    )


def _domain(target: dict[str, Any]) -> type[Domain]:
    """The kind of domain that a target was saved as."""
    return OrderDomain if target.get("order") else OutcomeDomain if "classes" in target else Domain


def _value(given: Any) -> float | tuple[float, ...]:
    """A hyperparameter: one number, or one a label."""
    return tuple(map(float, given)) if isinstance(given, list | tuple) else float(given)


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
    return tuple(map(activation_named, names))
