"""The four steps to a loss, on columns of many kinds and on the reader's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from goodmeasure.lab.column import ASKS, LabColumn
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage

_ROWS = 200
_ASKED = "claims"
_TITLE = "Which loss does a column ask for?"
_FEW = 4  # of what was rejected


@cache
def columns() -> tuple[LabColumn, ...]:
    """A column of each kind; the first is the one that is asked about."""
    random = np.random.default_rng(12)
    claims = np.where(random.random(_ROWS) < 0.6, 0.0, np.exp(random.normal(5.5, 0.8, _ROWS)))
    return (
        LabColumn(_ASKED, "claims, most of which are zero", "claims", claims.round(2)),
        LabColumn("left", "whether a customer left", "left", np.where(random.random(_ROWS) < 0.2, "yes", "no")),
        LabColumn(
            "species", "one of three species", "species", random.choice(("adelie", "chinstrap", "gentoo"), _ROWS)
        ),
        LabColumn("calls", "a count of calls", "calls", random.poisson(2.1, _ROWS)),
        LabColumn("price", "a price", "price", np.exp(random.normal(5.0, 0.5, _ROWS)).round(2)),
        LabColumn("drift", "a drift to either side", "drift", random.normal(0.0, 1.0, _ROWS).round(3)),
        LabColumn(
            "marks", "marks in an order", "marks", random.choice(("bad", "fair", "good"), _ROWS, p=(0.2, 0.5, 0.3))
        ),
    )


def _case(column: LabColumn, ask: str) -> dict[str, Any]:
    """What the page says of a column of which so much is asked."""
    plan = column.plans[ask]
    number = column.says(plan)
    return {
        "key": f"{column.key} {ask}",
        "loss": repr(plan.loss),
        "asks": ASKS.get(ask, plan.asks_for),
        "says": None if number is None else f"{number:.4g}",
        "steps": [(step.question, step.answer, step.reason, step.rejected[:_FEW]) for step in plan.steps],
        "code": spelled(plan.loss),
    }


def _cases(column: LabColumn) -> list[dict[str, Any]]:
    return [_case(column, ask) for ask in column.plans]


def told() -> str:
    """What becomes of the claims under three losses."""
    claims = columns()[0]
    mean, median, _ = (claims.says(plan) for plan in claims.plans.values())
    squares = np.sort((np.asarray(claims.values) - mean) ** 2)
    share = squares[-_ROWS // 50 :].sum() / squares.sum()
    return (
        f"The Tweedie deviance: it asks for the mean, {mean:.0f} a row, and expects zeros and a long tail. Absolute error asks "
        f"for the median, which is {median:.0f}: no claim for anybody. Squared error asks for the mean too, but the largest "
        f"{_ROWS // 50} of {_ROWS} rows carry {100 * share:.0f} % of it."
    )


def shown(own: LabColumn | None = None) -> Mapping[str, Any]:
    """What the page shows, computed; with a column of the reader's own before the others."""
    held = (*([own] if own else []), *columns())
    return {
        "claims": columns()[0].picture("asked"),
        "told": told(),
        "guesses": (
            ("squared", "squared error"),
            ("absolute", "absolute error"),
            ("tweedie", "the Tweedie deviance, made for zeros and amounts"),
        ),
        "own": own,
        "columns": [(column, column.picture("held"), _cases(column)) for column in held],
        "asks": ASKS,
        "rows": _ROWS,
        "zeros": float(np.mean(np.asarray(columns()[0].values) == 0)),
    }


def given() -> Mapping[str, Any]:
    """The texts that the script begins from."""
    return {"told": told()}


def with_column(own: LabColumn) -> LabPage:
    """The page with a column of the reader's own."""
    return LabPage(12, "chosen", _TITLE, partial(shown, own), given, with_column)


chosen: LabPage = LabPage(12, "chosen", _TITLE, shown, given, with_column)
