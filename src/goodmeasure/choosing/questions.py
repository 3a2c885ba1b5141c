"""What values cannot settle: the question, the answer taken meanwhile, and what to say if it is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goodmeasure.choosing import evidence, naming
from goodmeasure.choosing.meanings import MEANINGS, Meaning, bounds_text, period_text
from goodmeasure.choosing.observed import Observed
from goodmeasure.choosing.ordering import circle

# So few values may be the steps of a scale.
FEW = 7


@dataclass(frozen=True)
class OpenQuestion:
    """What a plan asks: the question, why it arises, the answer taken meanwhile, and the answers that overrule it.

    Attributes:
        about: the subject in one word: "order", "bound", "angle", "code", "rank", "whole".
        asks: the question.
        because: what in the values or the name raises it.
        taken: the answer that the plan takes until told otherwise, the safer one.
        represents: the answers that can be given, as ``represents=`` takes them; each settles the question.
        besides: what else can be done, such as another unit; empty if nothing.
    """

    about: str
    asks: str
    because: str
    taken: str
    represents: tuple[str, ...]
    besides: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """The answers as options of the command line."""
        return tuple(f"--represents {answer}" for answer in self.represents)

    def lines(self) -> list[str]:
        """The question as lines of text."""
        return [
            f"{self.asks} {self.because[:1].upper()}{self.because[1:]}.",
            f"taken now: {self.taken}",
            f"to settle it: {' or '.join(self.options)} (in Python represents={self.represents[0]!r})",
            *([f"besides: {self.besides}"] if self.besides else []),
        ]

    def __str__(self) -> str:
        return "; ".join(line.rstrip(".") for line in self.lines())

    def to_dict(self) -> dict[str, Any]:
        """The question as plain values, ready for JSON."""
        return {
            "about": self.about,
            "question": self.asks,
            "because": self.because,
            "taken": self.taken,
            "represents": list(self.represents),
            "options": list(self.options),
            "besides": self.besides,
        }


def questions(seen: Observed, meaning: Meaning) -> tuple[OpenQuestion, ...]:
    """Every question that these values and their meaning leave open."""
    if seen.table:
        return ()
    found = (rule(seen, meaning) for rule in RULES)
    return tuple(question for question in found if question is not None)


def _answers(seen: Observed, *names: str) -> tuple[str, ...]:
    """The answers that these values could be."""
    known = {meaning.name: meaning for meaning in MEANINGS}
    return tuple(name for name in names if not known[name.partition("=")[0]].against(seen))


def listed_in_order(labels: tuple[Any, ...]) -> str:
    """Labels from the lowest on, the middle ones left out where they are many."""
    shown = [str(label) for label in labels]
    return " < ".join(shown if len(shown) <= 7 else [*shown[:3], "...", *shown[-2:]])


def _order(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    if not meaning.is_named or evidence.codes(seen):
        return None
    labels, why = evidence.steps(seen)
    if not labels and seen.numbers is not None and not naming.says(seen.name, naming.CLASSES):
        labels, why = seen.distinct, "the values are a few whole numbers: codes of classes, or steps of a scale"
    if not labels:
        return None
    numbers = seen.numbers is not None
    return OpenQuestion(
        "order",
        f"Is this an order: {listed_in_order(meaning.order or labels)}?",
        why,
        "yes: probabilities of each grade or more, which suppose nothing of how far apart the steps are"
        if meaning.is_graded
        else "no order is used: a probability for each class",
        _answers(
            seen,
            *(("grade", "classes") if meaning.is_graded else ("classes", "grade")),
            *(("real", "count") if numbers else ()),
        ),
        "another order is said as it stands: represents='low < medium < high'",
    )


def _steps(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    """Few whole numbers from 0 on that look like a count, and could be the steps of a scale."""
    if meaning.name != "count" or len(seen.distinct) > FEW or evidence.counted(seen) or max(seen.distinct) >= FEW:
        return None
    return OpenQuestion(
        "order",
        "Does it count something, or are these classes or the steps of a scale?",
        f"it holds {len(seen.distinct)} whole numbers from {seen.distinct[0]:g} to {seen.distinct[-1]:g}",
        "a count: the larger ones are rare",
        _answers(seen, "count", "classes"),
    )


def _bound(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    found = evidence.top(seen)
    if found is None or meaning.name != "real":
        return None
    bound, why = found
    return OpenQuestion(
        "bound",
        f"Is {bound:g} the most there can be?",
        why,
        "nothing is supposed of a spread that grows with the mean, and predictions may leave the bounds",
        _answers(
            seen, bounds_text(0, bound), "real", "positive" if min(seen.distinct) > 0 else "non_negative", "count"
        ),
        "with the bounds no prediction is outside; others are said as they are: represents='bounded=1,5'",
    )


def _angle(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    if meaning.period is not None:
        return OpenQuestion(
            "angle",
            f"Does it run in a circle, so that {meaning.period:.4g} is 0 again?",
            f"the column is called {seen.name}, and the values lie within one turn",
            f"yes, a full turn is {meaning.period:.4g}",
            _answers(seen, period_text(meaning.period), "real"),
        )
    if meaning.name == "classes" and (round_ := circle(seen.distinct)):
        return OpenQuestion(
            "angle",
            f"Are these {round_}, which stand in a circle?",
            "such labels do",
            "no nearness is used: a probability for each class",
            ("classes",),
            f"number them around the circle from 0 and say represents='angle={len(seen.distinct)}'",
        )
    period = None if meaning.is_outcome else evidence.perhaps_turn(seen)
    if period is None:
        return None
    return OpenQuestion(
        "angle",
        f"Are these angles, so that {period:.4g} is 0 again?",
        f"the values fill one turn of {period:.4g}",
        "no: numbers on a line",
        _answers(seen, period_text(period), meaning.name),
    )


def _code(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    why = evidence.codes(seen)
    if not why or meaning.name != "classes":
        return None
    answers = _answers(seen, "classes", "count", "real")
    return OpenQuestion("code", "Do these numbers name things, as codes do?", why, "yes: each is a class", answers)


def _rank(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    why = evidence.ranks(seen)
    if not why or meaning.name != "real":
        return None
    taken = "ranks, as numbers with equal steps; the number of a row teaches nothing"
    return OpenQuestion(
        "rank", "Are these ranks, amounts, or the numbers of rows?", why, taken, _answers(seen, "real", "count")
    )


def _whole(seen: Observed, meaning: Meaning) -> OpenQuestion | None:
    why = evidence.measured_in_whole_units(seen)
    if not why or meaning.name not in ("positive", "non_negative", "real"):
        return None
    return OpenQuestion(
        "whole",
        "Is it an amount in whole units, or does it count something?",
        why,
        "an amount, whose spread need not be that of a count; either way the mean is asked for",
        _answers(seen, meaning.name, "count"),
    )


Rule = Callable[[Observed, Meaning], "OpenQuestion | None"]
RULES: tuple[Rule, ...] = (_order, _steps, _bound, _angle, _code, _rank, _whole)
