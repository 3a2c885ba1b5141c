"""What the name of a column says of its values, where the name leaves little doubt."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# The last word of a name is the thing; these say only that it is written as a number, or its unit.
_TRAILING = {"number", "no", "nr", "num", "value", "deg", "degrees", "years", "yrs", "raw"}


@dataclass(frozen=True)
class Kind:
    """Names that say what a column holds: by their last word, by any word, or by their first."""

    last: frozenset[str]
    anywhere: bool = False
    first: frozenset[str] = frozenset()

    @staticmethod
    def of(last: str, *, anywhere: bool = False, first: str = "") -> Kind:
        """A kind by its words, with spaces between them."""
        return Kind(_words(last), anywhere, _words(first))

    def named(self, name: str) -> bool:
        """Whether a name is one of these."""
        found = words(name)
        return (
            thing(name) in self.last
            or (self.anywhere and bool(self.last & {*found}))
            or bool(self.first & {*found[:1]})
        )


CODES = Kind.of(
    "zip zipcode postcode postal plz phone telephone mobile fax ssn isbn iban ean upc sku id ids identifier uuid guid code"
    " barcode vin"
)
CLASSES = Kind.of(
    "species class classes label labels type types kind category categories cluster segment region genre variety cultivar"
    " digit colour color brand country city state sex gender race blood product topic department"
)
ORDERED = Kind.of(
    "star stars rating ratings likert satisfaction satisfied quality grade level stage severity priority tier nps agreement"
    " importance likelihood rank ranking score pain opinion answer response"
)
MARKS = Kind.of("grade grades mark marks score scores gpa exam test rating", first="exam")
LETTERS = Kind.of("rating ratings grade grades mark marks gpa", anywhere=True)
PERCENTS = "percent percents percentage percentages pct perc"
PERCENT = Kind.of(f"{PERCENTS} humidity", anywhere=True)
AGES = Kind.of("age ages")
DURATIONS = Kind.of("duration tenure survival lifetime wait waiting los stay elapsed minutes seconds")
MONEY = Kind.of(
    "price prices cost costs salary salaries wage wages pay income incomes earnings revenue revenues turnover balance amount"
    " amounts paid payment payments spend spending spent expense expenses expenditure expenditures fee fees debt debts loan"
    " profit budget premium premiums charge charges fare rent bill worth savings donation donations dollars euros usd eur gbp"
)
COUNTS = Kind.of(
    "count counts nb claims accidents visits rentals sales events arrivals calls clicks trips births deaths goals cases"
    " orders incidents tickets bikes"
)
# How much makes a full turn; an angle without a unit is judged by its range.
PERIODS = {
    **dict.fromkeys(_words("direction dir bearing heading azimuth hue orientation aspect longitude"), 360.0),
    **dict.fromkeys(_words("angle phase theta phi"), math.nan),
    **dict.fromkeys(("hour", "hour_of_day", "hourofday"), 24.0),
    **dict.fromkeys(("weekday", "dayofweek", "day_of_week", "dow"), 7.0),
    "month": 12.0,
    **dict.fromkeys(("dayofyear", "day_of_year", "doy"), 365.25),
}


def words(name: str) -> list[str]:
    """The words of a name, however they are joined: ``windDirection_deg`` is wind, direction, deg."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]


def thing(name: str) -> str:
    """The word that says what a column holds: the last that is more than a unit."""
    found = words(name)
    while len(found) > 1 and found[-1] in _TRAILING:
        found.pop()
    return found[-1] if found else ""


def says(name: str, kind: Kind) -> str:
    """The reason that a name gives for a kind of column; empty if it gives none."""
    return f"the column is called {name}" if kind.named(name) else ""


def period(name: str) -> float | None:
    """What a full turn measures in a column of this name; NaN if its unit is open, None if it is no angle by name."""
    joined = "_".join(words(name))
    return PERIODS.get(joined, PERIODS.get(thing(name)))
