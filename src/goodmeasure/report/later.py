"""The page of later rows: whether columns, predictions and losses are what they were when the model was made."""

from __future__ import annotations

import json
from collections.abc import Iterator

from goodmeasure.drawing import pictures
from goodmeasure.monitoring.monitored import Monitored, later
from goodmeasure.report.tiles import Tile, receipt
from goodmeasure.report.web import rendered
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.study.verdict import interval, number

TONES = {"worse": "bad", "moved": "care", "no change shown": "good"}
# So many marks of a column are shown, those that moved farthest.
MOST_MARKS = 5


def page(found: Monitored, model: str) -> str:
    """The page of a record of later rows."""
    return rendered(
        "later.html",
        json.dumps(found.to_dict(), allow_nan=False),
        None,
        "goodmeasure explain monitor",
        title=f"{model}: {found.word}",
        tone=TONES[found.word],
        word=found.word,
        over=f"{model}, {later(found.rows)}{' of ' if found.files else ''}{', '.join(found.files)}",
        lead="; ".join(found.sentences[-2:]),
        tiles=list(_tiles(found)),
        risk_caption="The mean loss that was reported, the one to expect of the later rows, and the one they had.",
        pictures={"risks": pictures.risks([(name, each.interval) for name, each in _losses(found)])},
        questions={"columns": "Are the rows like those at the fit?", "losses": "What do they cost?"},
        foot="",
        found=found,
        losses=list(_losses(found)),
        most=MOST_MARKS,
    )


def _losses(found: Monitored) -> Iterator[tuple[str, Estimate]]:
    """Mean losses by what they are of."""
    yield "as reported", found.reported
    yield "expected", found.expected
    if found.risk is not None:
        yield "later rows", found.risk


def _tiles(found: Monitored) -> Iterator[Tile]:
    """What was reported, what is to be expected, and what was seen."""
    for name, each in _losses(found):
        yield Tile(f"mean loss, {name}", number(each.value), interval(each), "", receipt(each))
