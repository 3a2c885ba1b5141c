"""Intervals of what out-of-fold predictions say: wider than those of as many rows that one model never saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from goodmeasure.risks.crossvalidation import widening
from goodmeasure.statistics.estimate import E, Estimate, widened
from goodmeasure.study.elsewhere import WEIGHED
from goodmeasure.study.split import Split


def over_folds(found: E, split: Split) -> E:
    """An estimate, with all estimates that it holds, as wide as its folds and the weights of its rows ask for."""
    if not split.deals and split.wider == 1:
        return found
    held = {f.name: getattr(found, f.name) for f in fields(found) if isinstance(getattr(found, f.name), Estimate)}
    wide = widened(found, widening_of(split), ", ".join(_why(split)))
    return replace(wide, **{name: over_folds(each, split) for name, each in held.items()})


def widening_of(split: Split) -> float:
    """How much longer intervals are than those of as many rows that one model never saw."""
    return split.wider * (widening(split.folds, len(split.deals)) if split.deals else 1.0)


def _why(split: Split) -> Iterator[str]:
    if split.deals:
        repeats = f", {len(split.deals)} times" if len(split.deals) > 1 else ""
        yield f"{split.folds} folds{repeats} (Nadeau and Bengio)"
    if split.wider > 1:
        yield WEIGHED


def first_deal(split: Split) -> Split:
    """The same rows dealt once."""
    return replace(split, deals=split.deals[:1])
