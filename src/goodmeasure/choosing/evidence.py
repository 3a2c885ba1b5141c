"""What values and the name of their column say together: codes, angles, bounds, ranks, amounts in whole units, an order.

Each function gives its finding, or nothing: what follows for the meaning is in `meanings`, what is asked in `questions`.
"""

from __future__ import annotations

import math
from typing import Any

from goodmeasure.choosing import naming
from goodmeasure.choosing.observed import Observed
from goodmeasure.choosing.ordering import ordered

# More steps than this and nobody calls them steps: 0 to 10 are eleven.
STEPS = 11
# Whole numbers that start above this are amounts written without decimals, not counts of something.
SMALL = 20
# What marks and ratings end at, by custom; a greatest value below this part of one does not speak for it.
_TOPS, _REACHED = (5.0, 6.0, 7.0, 10.0, 20.0, 100.0), 0.75
# Values that pile up at a round greatest value speak for a bound there.
_PILED = 0.01


def codes(seen: Observed) -> str:
    """Why the values are codes that stand for things, however much they look like numbers."""
    told = naming.says(seen.name, naming.CODES)
    if seen.numbers is None or seen.table or not seen.whole:
        return ""
    if told:
        return f"{told}, and whole numbers in it are codes"
    zeros = [text for text in seen.original.tolist() if _begins_with_zero(text)] if seen.from_text else []
    return f"{len(zeros)} begin with a zero, as only codes do ({zeros[0]})" if zeros else ""


def _begins_with_zero(text: Any) -> bool:
    return isinstance(text, str) and len(text.strip()) > 1 and text.strip()[0] == "0" and text.strip().isdigit()


def turn(seen: Observed) -> float | None:
    """What a full turn measures, where the name says that these are angles and the values agree."""
    period = naming.period(seen.name)
    return period_of(seen, period) if period is not None else None


def period_of(seen: Observed, period: float = math.nan) -> float | None:
    """The period if the values fit into one turn and fill half of it; NaN stands for radians or degrees."""
    if seen.numbers is None or seen.table:
        return None
    low, high = float(seen.numbers.min()), float(seen.numbers.max())
    if math.isnan(period):
        radians = high - low <= 2 * math.pi + 1e-9 and not seen.whole
        period = 2 * math.pi if radians else 360.0
    fits = low >= -period / 2 - 1e-9 and period / 2 <= high - low <= period + 1e-9
    return period if fits and high <= period + 1e-9 else None


def perhaps_turn(seen: Observed) -> float | None:
    """What a full turn may measure, where values fill the range of degrees or of radians and no name says so."""
    if seen.numbers is None or seen.table or naming.words(seen.name)[:1] == ["share"]:
        return None
    period = period_of(seen)
    if period is None or len(seen.distinct) < 30:
        return None
    low, high = float(seen.numbers.min()), float(seen.numbers.max())
    return period if high - low > 0.95 * period and min(abs(low), abs(low + period / 2)) < 0.05 * period else None


def top(seen: Observed) -> tuple[float, str] | None:
    """The most that there can be, and why: a percentage, a mark, or a pile at a round greatest value."""
    if seen.numbers is None or seen.table or seen.numbers.min() < 0:
        return None
    high = float(seen.numbers.max())
    if high <= 1:
        return None
    if (told := naming.says(seen.name, naming.PERCENT)) and high <= 100:
        return 100.0, told
    if told := naming.says(seen.name, naming.MARKS):
        bound = next((t for t in _TOPS if _REACHED * t <= high <= t), None)
        return None if bound is None else (bound, told)
    piled = seen.share(seen.numbers == high)
    if high in (10.0, 20.0, 100.0) and piled >= _PILED and int((seen.numbers == high).sum()) >= 5:
        return high, f"{100 * piled:.0f} % of the values are {high:g}, and none is larger"
    return None


def ranks(seen: Observed) -> str:
    """Why the values may be ranks or the numbers of rows: each whole number occurs once."""
    if seen.numbers is None or seen.table or not seen.whole or len(seen.numbers) < 10:
        return ""
    low, high = float(seen.numbers.min()), float(seen.numbers.max())
    once = low in (0, 1) and high - low == len(seen.numbers) - 1 and len(seen.distinct) == len(seen.numbers)
    return f"each whole number from {low:g} to {high:g} occurs once" if once else ""


def measured_in_whole_units(seen: Observed) -> str:
    """Why whole numbers are amounts that were rounded, and count nothing."""
    if seen.numbers is None or not seen.whole or seen.table:
        return ""
    told = naming.says(seen.name, naming.AGES) or naming.says(seen.name, naming.DURATIONS)
    if told or len(seen.distinct) <= STEPS or seen.numbers.min() > SMALL:
        return told  # few whole numbers of money may be the steps of a scale, and large ones are taken for no counts
    return naming.says(seen.name, naming.MONEY)


def counted(seen: Observed) -> str:
    """Why whole numbers count something, whatever their size."""
    found = naming.words(seen.name)
    told = len(found) > 1 and found[0] in ("n", "nb", "num", "count", "number")
    return f"the column is called {seen.name}" if told else naming.says(seen.name, naming.COUNTS)


def order_of_labels(seen: Observed) -> tuple[Any, ...]:
    """Labels from the low end to the high one, where such labels stand in an order, whatever their column is called."""
    return seen.distinct if seen.order else ordered(seen.distinct, graded=naming.LETTERS.named(seen.name))


def steps(seen: Observed) -> tuple[tuple[Any, ...], str]:
    """Labels or a few whole numbers from the low end to the high one, with why they are steps of a scale."""
    if seen.order:
        return seen.distinct, "its type says in which order its categories stand"
    if seen.table or naming.says(seen.name, naming.CLASSES):
        return (), ""
    if seen.numbers is None:
        return order_of_labels(seen), "such labels stand in an order"
    few = seen.whole and 2 < len(seen.distinct) <= STEPS
    told = naming.says(seen.name, naming.ORDERED) or naming.says(seen.name, naming.MARKS)
    return (seen.distinct, f"{told}, and it holds {len(seen.distinct)} whole numbers") if few and told else ((), "")
