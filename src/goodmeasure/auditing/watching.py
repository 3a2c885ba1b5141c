"""Audit the first batch of a training run in full, and keep the cheap checks on while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast, overload

from goodmeasure.auditing.finding import Finding
from goodmeasure.auditing.observing.within import Within
from goodmeasure.errors import UsageError
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.strict.extras import needed

if TYPE_CHECKING:
    import torch

    from goodmeasure.auditing.watched import Watch


@overload
def watch(*, report: Callable[[Finding], None] | None = None) -> Within: ...
@overload
def watch(
    model: torch.nn.Module,
    loss: Callable[..., Any],
    *,
    every: int = 100,
    report: Callable[[Finding], None] | None = None,
) -> Watch: ...
@strict_keywords
def watch(
    model: torch.nn.Module | None = None,
    loss: Callable[..., Any] | None = None,
    *,
    every: int = 100,
    report: Callable[[Finding], None] | None = None,
) -> Watch | Within:
    """Keep an eye on a training run, or on whatever runs inside ``with gm.watch():``.

    With a model, its first batch is audited in full, and cheap checks go on every hundredth: of shapes, domains and ranges
    at the loss, its value and its gradient. Without arguments the code inside the block is observed as it is, as
    ``goodmeasure audit`` observes a script, and judged where the block ends; nothing of it is cut. Each code is reported
    once.

    Args:
        model: the model in training; what goes into it is noted by a hook.
        loss: a loss module, which is watched in place, or a function: then call the returned ``loss`` instead.
        every: the number of batches between two cheap checks.
        report: called with each finding; a warning is given unless it is.

    Returns:
        A watch: the findings so far, and ``close()``, which takes everything off again; also a context manager. Without
        a model, a `Within`: a context manager whose ``audit`` is the report.

    Raises:
        GM009: one of model and loss was given without the other.

    Example:
        >>> import goodmeasure as gm, torch
        >>> model, loss = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1)), torch.nn.CrossEntropyLoss()
        >>> with gm.watch(model, loss, report=lambda finding: print(finding.code)):
        ...     value = loss(model(torch.randn(9, 4)), torch.arange(9) % 3)
        GM102
    """
    if model is None and loss is None:
        return Within(report)
    if model is None or loss is None:
        raise UsageError(
            "a model is watched with its loss", fix="gm.watch(model, loss), or with gm.watch(): around the code"
        )
    watched = needed("goodmeasure.auditing.watched", "goodmeasure.watch of a model")  # what runs inside a block may not
    return cast("Watch", watched.Watch(model, loss, every, report))
