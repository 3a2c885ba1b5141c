"""The page of models beside each other: which is best, by which measure, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from goodmeasure.drawing import pictures
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.errors import UsageError
from goodmeasure.report.tiles import Tile, receipt
from goodmeasure.report.web import rendered
from goodmeasure.risks.standings import Standing
from goodmeasure.study.comparing import Comparison
from goodmeasure.study.verdict import interval, number

# Three numbers stand on the first screen.
MOST_TILES = 3


def page(found: Comparison) -> str:
    """The page of a comparison. Error: GM009 where no model can be judged by any measure."""
    judged = [each for each in found.standings if each.values]
    if not judged:
        raise UsageError("no model can be judged by any measure", seen="; ".join(found.sentences), fix="metric='mae'")
    first = judged[0]
    surely = len(first.kept) == 1 and len(first.values) > 1
    rows = next(iter(first.values.values())).n
    return rendered(
        "compared.html",
        json.dumps(plain_values(found.to_dict()), allow_nan=False),
        None,
        f"use {first.best}"
        if surely
        else "judge them on more rows, or take the simplest of those that cannot be told apart",
        title=f"Models: {first.best if surely else 'none surely'}",
        tone="good" if surely else "care",
        word=first.best if surely else "none surely",
        over=f"{len(found.models)} models, {rows:,} rows that none of them saw",
        lead=f"by {first.measure}, {first.sentence}",
        tiles=list(_tiles(first)),
        risk_caption=f"{first.measure}, with {100 * _level(first):g} % intervals; less is better.",
        pictures={"risks": replace(_values(first), said=first.sentence), **_drawn(judged)},
        questions={"measures": "Which is best, by which measure?", **_questions(judged)},
        foot="",
        found=found,
    )


def _level(standing: Standing) -> float:
    return next(iter(standing.values.values())).level


def _values(standing: Standing) -> Picture:
    drawn = pictures.risks([(name, each.interval) for name, each in standing.values.items()])
    drawn.axes[0].across = standing.measure
    return replace(drawn, question="What does each cost?")


def _drawn(judged: Sequence[Standing]) -> dict[str, Picture]:
    """By each measure, what every model costs more than the best."""
    return {
        f"standing-{k}": pictures.intervals(
            f"standing-{k}",
            f"By {each.measure}: how much more than {each.best}?",
            [(name, one.interval) for name, one in each.differences.items()],
            f"more {each.measure}",
            zero=True,
        )
        for k, each in enumerate(judged)
        if each.differences
    }


def _questions(judged: Sequence[Standing]) -> dict[str, str]:
    return {"more": "How much more do the others cost?"} if _drawn(judged) else {}


def _tiles(standing: Standing) -> Iterator[Tile]:
    """The models that cost least."""
    for name, value in list(standing.values.items())[:MOST_TILES]:
        told = "least on these rows"
        if name in standing.differences:
            told = "cannot be told from the least" if name in standing.kept else "surely more than the least"
        yield Tile(name, number(value.value), interval(value), told, receipt(value))
