"""What a target may represent: one row a meaning, with what in the values suggests it and what speaks against it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from goodmeasure.choosing import evidence, naming
from goodmeasure.choosing.observed import EXACT, NotATarget, Notation, Observed
from goodmeasure.errors import NothingToLearn, TargetOutsideDomain, UsageError, nearest
from goodmeasure.formulas import domains
from goodmeasure.formulas.domains import Domain, Grades, OrderDomain, OutcomeDomain, domain
from goodmeasure.statistics.row_arguments import place

# More distinct whole numbers than this are amounts, not class codes.
CODES = 32
# So few codes from 1 on are classes or steps, even if the last is rare.
FEW_CODES = 5
# A mean this many standard deviations above zero makes zero a boundary that does not matter.
FAR_FROM_ZERO = 4.0

Angle: Domain = Domain("an angle")
Bounded: Domain = Domain("an amount between known bounds")
Multilabel: OutcomeDomain = OutcomeDomain("several of K: yes or no for each label", low=0, high=1, binary=True)


@dataclass(frozen=True)
class Meaning:
    """What a target may represent; ``suggested`` says why these values speak for it, or nothing if they do not.

    ``period`` is what a full turn of an angle measures; None for everything else. ``order`` holds grades from the lowest on.
    """

    name: str
    domain: Domain
    suggested: Callable[[Observed], str]
    otherwise: str
    period: float | None = None
    order: tuple[Any, ...] = ()

    @property
    def is_outcome(self) -> bool:
        """Whether the target says what happened, rather than how much."""
        return isinstance(self.domain, OutcomeDomain | OrderDomain)

    @property
    def is_graded(self) -> bool:
        """Whether the target is a grade."""
        return isinstance(self.domain, OrderDomain)

    @property
    def is_named(self) -> bool:
        """Whether the target is one of several classes or grades, each with its label."""
        return self.name in ("classes", "grade")

    @property
    def said(self) -> str:
        """How it is said, with bounds as an example where it has some."""
        return "bounded=0,100" if self.name == "bounded" else self.name

    def against(self, seen: Observed) -> str:
        """Why the values cannot be this; empty if they can."""
        if self.domain is Multilabel or seen.table:
            return "" if self.domain is Multilabel and seen.table else "the target holds one value a row"
        if self.is_graded:
            return _no_grades(seen)
        if self.is_outcome:
            if self.name == "classes" and seen.numbers is not None and not seen.whole:
                return "its values are not whole numbers"
            few = self.name == "binary" and len(seen.distinct) > 2 and not _in_unit(seen)
            return f"the target has {len(seen.distinct)} distinct values, not two" if few else ""
        if seen.numbers is None:
            return "its values are labels"
        outside = self.domain.outside(seen.numbers)
        if not outside.any():
            return ""
        return f"{int(outside.sum())} of {len(outside)} values are outside it, the first {seen.numbers[outside][0]:g}"


def _in_unit(seen: Observed) -> bool:
    return seen.numbers is not None and bool(np.all((seen.numbers >= 0) & (seen.numbers <= 1)))


def _range(seen: Observed) -> str:
    assert seen.numbers is not None
    return f"from {seen.numbers.min():g} to {seen.numbers.max():g}"


def _multilabel(seen: Observed) -> str:
    return f"each row holds yes or no for {seen.original.shape[1]} labels" if seen.table and not _rows(seen) else ""


def _rows(seen: Observed) -> bool:
    """Whether each row of a table holds probabilities that add up to 1."""
    return seen.table and _in_unit(seen) and np.allclose(np.sum(np.asarray(seen.numbers), axis=1), 1, atol=1e-6)


def _binary(seen: Observed) -> str:
    if seen.table:
        return ""
    values = seen.distinct
    if seen.kind is Notation.BOOLEAN:
        return "the values are true and false"
    if len(values) == 2 and seen.numbers is None:
        return f"there are two labels, {values[0]} and {values[1]}"
    if set(values) == {0, 1}:
        return "the values are 0 and 1"
    if len(values) == 2 and seen.whole and seen.rows.used > 2:
        return f"there are two whole numbers, {values[0]:g} and {values[1]:g}"
    return ""


def _classes(seen: Observed) -> str:
    if seen.table:
        return "the rows hold probabilities that add up to 1" if _rows(seen) else ""
    count = len(seen.distinct)
    if seen.numbers is None:
        return f"there are {count} labels"
    if why := evidence.codes(seen):
        return why
    if seen.whole and count > 2 and (why := evidence.steps(seen)[1]):
        return why
    if evidence.counted(seen) or evidence.measured_in_whole_units(seen):
        return ""
    if not (seen.whole and 2 < count <= CODES):
        return ""
    first = seen.numbers.min()
    contiguous = first in (0, 1) and seen.numbers.max() - first == count - 1
    last = seen.share(seen.numbers == seen.numbers.max())
    # The frequencies of counts die out toward the largest, and most counts can be 0; not so with class codes.
    rare = last < 0.5 / count and not (first == 1 and count <= FEW_CODES)
    if not contiguous or rare or seen.rows.used < 3 * count:
        return ""
    said = "and none is 0" if last < 0.5 / count else f"and the last is not rare ({100 * last:.0f} %)"
    return f"the values are the codes {first:g} to {seen.numbers.max():g}, {said}"


def _grade(seen: Observed) -> str:
    order, why = evidence.steps(seen)
    # Numbers that are names, as of a categorical column, are in order only where the column is called so.
    mere = seen.numbers is None and all(str(label).strip().isdigit() for label in seen.distinct)
    return "" if mere or evidence.codes(seen) or not _graded(seen, order) else why


def _graded(seen: Observed, order: tuple[Any, ...]) -> bool:
    """Whether so many grades can be, each with rows to learn it from."""
    return len(order) in domain(Grades) and seen.rows.used >= 3 * len(order)


def _no_grades(seen: Observed) -> str:
    """Why the values cannot be grades; empty if they can."""
    count = len(seen.distinct)
    if count not in domain(Grades):
        return f"the target has {count} distinct values, and grades are {domain(Grades).interval}"
    if seen.numbers is None and not evidence.order_of_labels(seen):
        return "the order of its labels is not known: say it, as in represents='poor < fair < good'"
    return "" if seen.numbers is None or seen.whole else "its values are not whole numbers"


def _unit(seen: Observed) -> str:
    return f"every value lies between 0 and 1 ({_range(seen)})" if _in_unit(seen) and not seen.whole else ""


def _angle(seen: Observed) -> str:
    period = evidence.turn(seen)
    return (
        ""
        if period is None
        else f"the column is called {seen.name}, and its values lie within one turn ({_range(seen)})"
    )


def _bounded(seen: Observed) -> str:
    return ""  # that there is a least and a most is known to people, and a few values do not tell it


def _not_so_simple(seen: Observed) -> bool:
    """Whether a bound above, or ranks, take away what an amount or a count would suppose of the spread."""
    return bool(evidence.top(seen) or evidence.ranks(seen))


def _count(seen: Observed) -> str:
    if not seen.whole or seen.numbers is None or seen.numbers.min() < 0 or _not_so_simple(seen):
        return ""
    told = evidence.counted(seen)
    if evidence.measured_in_whole_units(seen) or (seen.numbers.min() > evidence.SMALL and not told):
        return ""
    return f"every value is a whole number, none negative ({_range(seen)}, {_zeros(seen)} zeros)"


def _zeros(seen: Observed) -> str:
    assert seen.numbers is not None
    return f"{100 * seen.share(seen.numbers == 0):.0f} %"


def _near_zero(seen: Observed) -> bool:
    """Whether zero is a boundary that matters for values of this mean and spread."""
    x = np.asarray(seen.numbers)
    x = x / np.abs(x).max() if x.any() else x  # whatever their unit, whose square may be no number
    return bool(x.mean() < FAR_FROM_ZERO * x.std() or np.ptp(x) == 0)


def _positive(seen: Observed) -> str:
    if seen.numbers is None or not seen.numbers.min() > 0 or not _near_zero(seen) or _not_so_simple(seen):
        return ""
    return f"every value is above zero ({_range(seen)}), and zero is within {FAR_FROM_ZERO:g} standard deviations"


def _non_negative(seen: Observed) -> str:
    if seen.numbers is None or seen.numbers.min() != 0 or _not_so_simple(seen):
        return ""
    return f"no value is negative, and {_zeros(seen)} are exactly zero ({_range(seen)})"


def _real(seen: Observed) -> str:
    if seen.numbers is None:
        return ""
    if bound := evidence.top(seen):
        return f"the values run {_range(seen)}, and {bound[0]:g} looks like the most there can be: {bound[1]}"
    if why := evidence.ranks(seen):
        return f"{why}: ranks, or the numbers of rows"
    below = int((seen.numbers < 0).sum())
    few = seen.whole and 0 < below < 0.05 * len(seen.numbers)
    doubt = "; if a negative value stands for a missing one (-1, -999), leave it out and this is a count" if few else ""
    far = (
        ""
        if below
        else f", more than {FAR_FROM_ZERO:g} standard deviations from zero, so that boundary does not matter"
    )
    return f"the values run {_range(seen)}" + (f", {below} of them negative{doubt}" if below else far)


def _of(alias: str, suggested: Callable[[Observed], str], otherwise: str) -> Meaning:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in alias).lstrip("_")
    return Meaning(snake, domain(getattr(domains, alias)), suggested, otherwise)


# In the order in which they are tried: the first that the values suggest is taken.
MEANINGS = (
    Meaning("multilabel", Multilabel, _multilabel, "several labels may hold at once"),
    _of("Binary", _binary, "the two values are yes and no of one question"),
    Meaning("angle", Angle, _angle, "the values run in a circle, as degrees and hours of the day do"),
    _of("Grade", _grade, "the values stand in an order, whose steps need not be equally wide"),
    _of("Classes", _classes, "the values are names or codes of classes, and their order says nothing"),
    _of("UnitInterval", _unit, "the values are probabilities or shares"),
    Meaning("bounded", Bounded, _bounded, "nothing can be below or above bounds that you know"),
    _of("Count", _count, "the values count something"),
    _of("Positive", _positive, "the values are amounts that cannot be zero, and effects multiply"),
    _of("NonNegative", _non_negative, "the values are amounts that may be exactly zero"),
    _of("Real", _real, "differences matter and zero is a value like any other"),
)
# What people call them besides.
_ALSO = {
    "probability": "unit_interval",
    "share": "unit_interval",
    "yes_no": "binary",
    "amount": "positive",
    "grades": "grade",
    "ordinal": "grade",
    "ordered": "grade",
    "order": "grade",
    "bounds": "bounded",
    **dict.fromkeys(naming.PERCENTS.split(), "bounded"),
}


def represented(seen: Observed, given: Any = None) -> tuple[Meaning, str]:
    """The meaning that was given, or else the first that the values suggest, with the reason.

    Errors: GM602 where nothing varies; GM604 for identifiers and free text; GM004 where the values contradict what was given.
    """
    _varies(seen)
    if given is None:
        _not_times(seen)
        _not_identifiers(seen)
        found, reason = next((m, reason) for m in MEANINGS if (reason := m.suggested(seen)))
        found = replace(found, period=evidence.turn(seen)) if found.name == "angle" else found
        return (_in_order(found, evidence.steps(seen)[0]) if found.is_graded else found), reason
    meaning = _named(given, seen)
    against = "" if meaning.order else meaning.against(seen)
    if against and not meaning.is_outcome:
        _not_times(seen)
    if against:
        raise TargetOutsideDomain(
            f"{seen.name} cannot represent {_called(meaning)}: {against}",
            where=_first_outside(seen, meaning.domain),
            fix=_instead(meaning, seen),
        )
    if meaning.is_graded and not meaning.order:
        meaning = _in_order(meaning, seen.distinct if seen.numbers is not None else evidence.order_of_labels(seen))
    return meaning, "you said so"


def _instead(meaning: Meaning, seen: Observed) -> str:
    """What can be said of a target that cannot be this: of labels without a known order, an order of them."""
    if meaning.is_graded and seen.numbers is None and len(seen.distinct) in domain(Grades):
        return f"represents={' < '.join(map(str, seen.distinct))!r}, from the lowest on"
    return f"represents={represented(seen)[0].name!r}, or mend the values"


def _called(meaning: Meaning) -> str:
    """A meaning as an error names it, with the bounds that were said."""
    return str(meaning.domain) if meaning.name == "bounded" else meaning.domain.name


def _first_outside(seen: Observed, within: Domain) -> str:
    """The place of the first value that a domain does not hold; empty where values are no numbers, or all inside."""
    outside = within.outside(seen.numbers) if seen.numbers is not None and not seen.table else np.zeros(1, dtype=bool)
    return place(seen.name, int(np.argmax(outside)), seen.at) if outside.any() else ""


def _in_order(meaning: Meaning, order: tuple[Any, ...]) -> Meaning:
    """Grades with their labels, from the lowest on."""
    return replace(meaning, order=order, domain=replace(meaning.domain, high=len(order) - 1))


def _in_order_said(meaning: Meaning, said: str, seen: Observed) -> Meaning:
    """Grades in an order such as "poor < fair < good". Error: GM009 where it lacks a label that occurs, or names another."""
    known = {str(label): label for label in seen.distinct}
    order = [part.strip() for part in said.split("<")]
    if sorted(order) != sorted(known) or len(order) not in domain(Grades):
        lacks = [label for label in known if label not in order]
        others = [part for part in dict.fromkeys(order) if part not in known]
        parts = (("it lacks", lacks), ("not there are", others), ("its labels are", list(known)))
        raise UsageError(
            f"the order {said!r} does not hold each label of {seen.name} once",
            seen="; ".join(f"{what} {', '.join(labels)}" for what, labels in parts if labels),
            fix=f"represents={' < '.join(_completed(order, known, seen))!r}, from the lowest on",
        )
    return _in_order(meaning, tuple(known[part] for part in order))


def _completed(order: list[str], known: Mapping[str, Any], seen: Observed) -> list[str]:
    """The order that was said, of the labels that are there; what it lacks stands where the usual order has it, or last."""
    said = [part for part in dict.fromkeys(order) if part in known]
    usual = [str(label) for label in evidence.steps(seen)[0] or ()]
    if [label for label in usual if label in said] == said and sorted(usual) == sorted(known):
        return usual
    return [*said, *(label for label in known if label not in said)]


def period_text(period: float) -> str:
    """An angle with its period, as ``represents=`` takes it."""
    return f"angle={period!r}" if period != round(period) else f"angle={period:g}"


def _turned(meaning: Meaning, period: str, seen: Observed) -> Meaning:
    """An angle with the period that was given, or the one that the values fill; within one turn of radians, radians."""
    if seen.numbers is None:
        return meaning  # labels, which the caller refuses
    try:
        full = float(period) if period else evidence.turn(seen) or evidence.period_of(seen) or _radians(seen)
    except ValueError:
        full = None
    if full is None or not 0 < full < math.inf:
        raise UsageError(
            f"it is not known what a full turn of {seen.name} measures",
            seen=period or f"values {_range(seen)}",
            fix="represents='angle=360' for degrees, 'angle=24' for hours of the day",
        )
    return replace(meaning, period=full)


def bounds_text(low: float, high: float) -> str:
    """An amount between bounds, as ``represents=`` takes it."""
    return f"bounded={domains.written(low)},{domains.written(high)}"


def _within(meaning: Meaning, said: str, seen: Observed) -> Meaning:
    """An amount between the bounds that were said, or from 0 to the one that was; unless said, to the most there seems to be."""
    found = (1.0, "") if not seen.table and _in_unit(seen) else evidence.top(seen)
    parts = said.split(",") if said else [f"{found[0]}"] if found else []
    try:
        bounds = tuple(map(float, ["0", *parts] if len(parts) == 1 else parts))
    except ValueError:
        bounds = ()
    if bounds not in domain(domains.Bounds):
        raise UsageError(
            f"it is not known what the least and the most of {seen.name} are",
            seen=said or ("" if seen.numbers is None else f"values {_range(seen)}"),
            fix="represents='bounded=0,100'",
        )
    return replace(meaning, domain=domains.bounded(bounds))


def _radians(seen: Observed) -> float | None:
    return math.tau if np.abs(np.asarray(seen.numbers)).max() <= math.tau else None


def _named(given: Any, seen: Observed) -> Meaning:
    by_name = {m.name: m for m in MEANINGS}
    if isinstance(given, str):
        if "<" in given:
            return _in_order_said(by_name["grade"], given, seen)
        kind, _, period = given.partition("=")
        if kind.strip().lower() == "angle":
            return _turned(by_name["angle"], period.strip(), seen)
        if given.strip().lower() in naming.PERCENTS.split():
            return _within(by_name["bounded"], "1" if _in_unit(seen) else "100", seen)  # 12 % is read as 0.12
        if _ALSO.get(kind.strip().lower(), kind.strip().lower()) == "bounded":
            return _within(by_name["bounded"], period.strip(), seen)
        key = given.strip().lower().replace(" ", "_").replace("-", "_").replace("/", "_")
        found = by_name.get(_ALSO.get(key, key))
        if found is None:
            close = nearest(key, [*by_name, *_ALSO])
            raise UsageError(
                f"a target cannot represent {given!r}",
                fix=f"represents={_ALSO.get(close[0], close[0])!r}" if close else f"one of {', '.join(by_name)}",
            )
        return found
    wanted = domain(given)
    for m in MEANINGS:
        if m.domain == wanted:
            return {"angle": _turned, "bounded": _within}[m.name](m, "", seen) if m.name in ("angle", "bounded") else m
    if wanted == domains.bounded((wanted.low, wanted.high)) and np.isfinite(wanted.high - wanted.low):
        return replace(by_name["bounded"], domain=wanted)
    if wanted == domain(domains.Outcome):
        return by_name["classes"]
    raise UsageError(f"{wanted} is no domain of a target", fix=f"one of {', '.join(by_name)}")


def _varies(seen: Observed) -> None:
    if len(seen.distinct) > 1:
        return
    (only,) = seen.distinct
    labels = seen.numbers is None or seen.kind is Notation.BOOLEAN or only in (0, 1)
    what = f"only one class of {seen.name} occurs" if labels else f"every {seen.name} has the same value"
    raise NothingToLearn(
        what,
        seen=f"{only.item() if isinstance(only, np.generic) else only!r} in all {len(seen.original)} rows",
        fix=f"include rows with another {seen.name}, or check the filter that made this table",
    )


_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(\s?[ap]\.?m\.?)?", re.IGNORECASE)


def _not_times(seen: Observed) -> None:
    """Refuse texts that are times of the day, more of them than there may be labels of. Error: GM604."""
    few = seen.numbers is not None or seen.table or len(seen.distinct) <= FEW_CODES
    if few or not all(_TIME_OF_DAY.fullmatch(str(text).strip()) for text in seen.distinct):
        return
    hours = f"t = pandas.to_datetime(data[{seen.name!r}], format='mixed').dt; "
    hours += f"data[{seen.name!r}] = t.hour + t.minute / 60 + t.second / 3600"
    raise NotATarget(
        f"{seen.name} holds times of the day, which run in a circle: an angle, of which a full turn measures 24 hours",
        seen=f"texts such as {seen.distinct[0]!r}, and hours are numbers",
        fix=f"{hours}; then represents='angle=24', or represents='classes' if they are classes",
    )


def _not_identifiers(seen: Observed) -> None:
    count = len(seen.distinct)
    if seen.numbers is None and count > 20 and count > 0.5 * len(seen.original):
        raise NotATarget(
            f"{seen.name} holds identifiers or free text, not classes",
            seen=f"{count} distinct texts in {len(seen.original)} rows, for example {seen.distinct[0]!r}",
            fix="choose another column as the target, or represents='classes' if they are classes",
        )
    if count > 20 and count > 0.5 * len(seen.original) and (why := evidence.codes(seen)):
        raise NotATarget(
            f"{seen.name} holds identifiers: {why}",
            seen=f"{count} distinct numbers in {len(seen.original)} rows, the first {seen.original[0]}",
            fix="choose another column as the target, or represents='count' if they are amounts",
        )
    if (
        seen.numbers is not None
        and seen.whole
        and np.abs(seen.numbers).max() >= EXACT
        and seen.kind is not Notation.FLOAT
    ):
        raise NotATarget(
            f"{seen.name} holds whole numbers that a computation cannot tell apart",
            seen=f"the largest is {seen.original.max()}, above 2**53: identifiers or times in nanoseconds look like this",
            fix="if they are amounts, use a larger unit: y = y / 1e9",
        )
