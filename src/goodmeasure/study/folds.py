"""Intervals of what out-of-fold predictions say: wider than those of as many rows that one model never saw."""

from __future__ import annotations

from dataclasses import fields, replace

from goodmeasure.risks.crossvalidation import widening
from goodmeasure.statistics.estimate import E, Estimate, widened
from goodmeasure.study.split import Split


def over_folds(found: E, split: Split) -> E:
    """An estimate, with all estimates that it holds, as wide as its folds ask for; as it is where rows were held out."""
    if not split.deals:
        return found
    repeats = f", {len(split.deals)} times" if len(split.deals) > 1 else ""
    why = f"{split.folds} folds{repeats} (Nadeau and Bengio)"
    held = {f.name: getattr(found, f.name) for f in fields(found) if isinstance(getattr(found, f.name), Estimate)}
    wide = widened(found, widening(split.folds, len(split.deals)), why)
    return replace(wide, **{name: over_folds(each, split) for name, each in held.items()})


def first_deal(split: Split) -> Split:
    """The same rows dealt once."""
    return replace(split, deals=split.deals[:1])
