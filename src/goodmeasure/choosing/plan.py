"""The plan: four questions with their answers, reasons and what was rejected, and how it reads as text, JSON and HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from goodmeasure.choosing import coding
from goodmeasure.choosing.questions import OpenQuestion
from goodmeasure.choosing.tails import Tails
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.terminal import printable
from goodmeasure.formulas.activations import Activation
from goodmeasure.formulas.domains import Domain
from goodmeasure.making.loss import Loss
from goodmeasure.reading.rows_read import RowsRead
from goodmeasure.strict.calls import strict_class

# How many rejected alternatives of a step are printed; `to_dict` has them all.
SHOWN = 4

Outliers = Literal["errors", "real"]


@dataclass(frozen=True)
class Rejected:
    """An alternative that was not taken, and why."""

    alternative: str
    why: str


@dataclass(frozen=True)
class Step:
    """One question of the four, its answer, the reason, and the alternatives that were rejected.

    Attributes:
        question: the question.
        answer: the answer.
        reason: why.
        rejected: every alternative, with why it was not taken.
    """

    question: str
    answer: str
    reason: str
    rejected: tuple[Rejected, ...] = ()

    def rejected_lines(self, place: int) -> list[str]:
        """The first alternatives with why they were not taken, and how many more the step at this place holds."""
        more = len(self.rejected) - SHOWN
        rest = [f"and {more} more in plan.steps[{place}].rejected"] if more > 0 else []
        return [*(f"not {r.alternative}: {r.why}" for r in self.rejected[:SHOWN]), *rest]

    def to_dict(self) -> dict[str, Any]:
        """The step as plain values, ready for JSON."""
        rejected = [{"alternative": r.alternative, "why": r.why} for r in self.rejected]
        return {"question": self.question, "answer": self.answer, "reason": self.reason, "rejected": rejected}


@strict_class
@dataclass(frozen=True)
class Plan(Displayed):
    """What a target represents, the activation and the loss that go with it, and the decision that the costs ask for.

    Attributes:
        name: the target.
        rows: how many rows were looked at.
        meaning: what the target represents, as ``represents=`` takes it: "count", "positive", ...
        represents: the same as a domain.
        loss: the loss to train on.
        asks_for: what of the target predictions will be: the mean, a quantile, the probability, ...
        steps: the four questions with answers, reasons and what was rejected.
        labels: the classes in the order of their codes; of two, the second is yes.
        threshold: the probability from which to act under the costs; None for amounts and without costs.
        level: the quantile that the costs of too little and too much ask for; else None.
        weighted: the loss with the costs as weights, to be tried beside moving the threshold; None without costs.
        outliers: whether values far out are "errors" or "real", if that was said.
        tails: how heavy the tails of the target are (after a revisit: of the residuals); None where it has none.
        tails_of: what they are the tails of.
        notes: sentences to print with the plan.
        questions: what the values cannot settle, each with the answer taken meanwhile and what overrules it.
        left_out: how many of the rows do not count, by reason.

    Example:
        >>> import goodmeasure as gm
        >>> plan = gm.choose(["no", "yes", "no"] * 20, costs=gm.Costs(false_negative=40, false_positive=5))
        >>> plan.loss, plan.activation, round(plan.threshold, 3), plan.labels
        (binary_cross_entropy(), sigmoid, 0.111, ('no', 'yes'))
    """

    name: str
    rows: int
    meaning: str
    represents: Domain
    loss: Loss
    asks_for: str
    steps: tuple[Step, ...]
    labels: tuple[Any, ...] = ()
    threshold: float | None = None
    level: float | None = None
    weighted: Loss | None = None
    outliers: Outliers | None = None
    tails: Tails | None = None
    tails_of: str = "the target"
    notes: tuple[str, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def activation(self) -> Activation:
        """How a raw output becomes a prediction."""
        return self.loss.activation[0]

    @property
    def _head(self) -> str:
        return f"{self.name}: {RowsRead(self.rows, self.left_out)}"

    def code(self, framework: str = "numpy") -> str:
        """A snippet that carries the plan out.

        Args:
            framework: "numpy", "sklearn" or "torch".

        Returns:
            Python code; its first comment names what it expects to be there.

        Raises:
            GM009: there is no code for this framework.
        """
        return coding.code(coding.Outline(self.loss, self.meaning, self.labels, self.threshold), framework)

    def _picture(self) -> Picture | None:
        return self.loss.card()._picture()

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values, ready for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "left_out": dict(self.left_out),
            "represents": {"name": self.meaning, "domain": str(self.represents)},
            "activation": self.activation.name,
            "loss": str(self.loss),
            "asks_for": self.asks_for,
            "labels": [_plain(label) for label in self.labels],
            "threshold": self.threshold,
            "level": self.level,
            "weighted": None if self.weighted is None else str(self.weighted),
            "outliers": self.outliers,
            "tails": None if self.tails is None else {"of": self.tails_of, **self.tails.to_dict()},
            "notes": list(self.notes),
            "questions": [question.to_dict() for question in self.questions],
            "steps": [step.to_dict() for step in self.steps],
            "code": {framework: self.code(framework) for framework in coding.FRAMEWORKS},
        }

    def __str__(self) -> str:
        lines = [self._head]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"{number}  {step.question}", f"   {step.answer}", f"   because {step.reason}"]
            lines += [f"   {line}" for line in step.rejected_lines(number - 1)]
        for question in self.questions:
            first, *rest = question.lines()
            lines += ["", f"?  {first}", *(f"   {line}" for line in rest)]
        notes = ["", *(f"note: {note}" for note in self.notes)] if self.notes else []
        return printable("\n".join([*lines, *notes]))

    def _display(self) -> Display:
        rows = [(s.question, s.answer, s.reason, "\n".join(s.rejected_lines(at))) for at, s in enumerate(self.steps)]
        columns = columns_of(("question", "answer", "because", "rejected"), rows)
        return Display(
            self._head,
            columns,
            (*map(str, self.questions), *self.notes),
            under={"because": "answer"},
        )


def _plain(label: Any) -> Any:
    return label if isinstance(label, bool | int | float | str) else str(label)
