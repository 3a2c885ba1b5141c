"""Programs that stop: the framework's own refusal, said in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.crashes import Crashes


@rule(
    "GM100",
    "error",
    "the program stops",
    why="The framework refuses this combination of model, loss and targets; nothing can be trained until it is mended.",
    fix="follow the message; other findings of this report often name the cause",
    follows=("GM107", "GM110", "GM117"),
)
def stops(crashes: Crashes) -> Iterator[Seen]:
    """The forward pass, the loss, the fit or the training step raises an exception.

    A model that does not take the given inputs by its signature, or that needs a device which is not here, is
    reported as skipped instead.
    Ignore it never.
    """
    for stage, error, where in crashes.all():
        yield Seen(f"{stage}: {type(error).__name__}: {' '.join(str(error).split())[:300]}", where=where or stage)
