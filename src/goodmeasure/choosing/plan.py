"""The plan: four questions with their answers, reasons and what was rejected, and how it reads as text, JSON and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from goodmeasure.choosing import coding
from goodmeasure.choosing.tails import Tails
from goodmeasure.formulas.activations import Activation
from goodmeasure.formulas.domains import Domain
from goodmeasure.loss.loss import Loss

# How many rejected alternatives of a step are printed; `to_dict` has them all.
SHOWN = 4


@dataclass(frozen=True)
class Rejected:
    """An alternative that was not taken, and why."""

    alternative: str
    why: str


@dataclass(frozen=True)
class Step:
    """One question of the four, its answer, the reason, and the alternatives that were rejected."""

    question: str
    answer: str
    reason: str
    rejected: tuple[Rejected, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The step as plain values, ready for JSON."""
        rejected = [{"alternative": r.alternative, "why": r.why} for r in self.rejected]
        return {"question": self.question, "answer": self.answer, "reason": self.reason, "rejected": rejected}


@dataclass(frozen=True)
class Plan:
    """What a target represents, the activation and the loss that go with it, and the decision that the costs ask for.

    ``threshold`` (yes/no) or ``level`` (amounts) is set where costs decide it, and ``weighted`` is then the same loss with
    the costs as weights, to be tried beside moving the threshold. ``labels`` are the classes in the order of their codes; of
    two, the second is yes. ``tails`` tells how heavy the tails of the target are (after `revisit`: of the residuals).
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
    outliers: str | None = None
    tails: Tails | None = None
    tails_of: str = "the target"
    notes: tuple[str, ...] = ()

    @property
    def activation(self) -> Activation:
        """How a raw output becomes a prediction."""
        return self.loss.activation[0]

    def code(self, framework: str = "numpy") -> str:
        """A snippet that carries the plan out: "numpy", "sklearn" or "torch"."""
        return coding.code(coding.Outline(self.loss, self.meaning, self.labels, self.threshold), framework)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values, ready for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
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
            "steps": [step.to_dict() for step in self.steps],
            "code": {framework: self.code(framework) for framework in coding.FRAMEWORKS},
        }

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.rows:,} rows"]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"{number}  {step.question}", f"   {step.answer}", f"   because {step.reason}"]
            lines += [f"   not {r.alternative}: {r.why}" for r in step.rejected[:SHOWN]]
            more = len(step.rejected) - SHOWN
            lines += [f"   and {more} more in plan.steps[{number - 1}].rejected"] if more > 0 else []
        return "\n".join([*lines, *(["", *(f"note: {note}" for note in self.notes)] if self.notes else [])])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{escape(s.question)}</th><td><b>{escape(s.answer)}</b><br>{escape(s.reason)}</td><td>"
            + "".join(f"<div><i>{escape(r.alternative)}</i>: {escape(r.why)}</div>" for r in s.rejected[:SHOWN])
            + "</td></tr>"
            for s in self.steps
        )
        head = "<tr><th scope='col'>question</th><th scope='col'>answer</th><th scope='col'>rejected</th></tr>"
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        caption = f"<caption>{escape(self.name)}: {self.rows:,} rows</caption>"
        return f"<table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table>{notes}"


def _plain(label: Any) -> Any:
    return label if isinstance(label, bool | int | float | str) else str(label)
