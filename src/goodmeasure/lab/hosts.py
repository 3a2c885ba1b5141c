"""How a loss is written in each host: as the host spells it, or as the host is handed it."""

from __future__ import annotations

from collections.abc import Mapping

from goodmeasure.making import card
from goodmeasure.making.loss import Loss

_HOSTS = ("torch", "jax", "keras", "sklearn", "xgboost")


def spelled(loss: Loss) -> Mapping[str, str]:
    """The loss in each host that has it; where none has, how each is handed it."""
    found = card.spelled(loss)
    return found if len(found) > 1 else handed_over(loss)


def handed_over(loss: Loss) -> dict[str, str]:
    """How the loss is written here, and how each host is handed it that has it not itself."""
    return {**card.spelled(loss), **{host: f"gm.to_{host}(gm.losses.{loss!r})" for host in _HOSTS}}
