"""What an optimizer was given: the backward passes that its steps saw, those that none saw, and what became of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.step_run import StepRun

_LETTERS = {"backward": "b", "step": "s"}
Line = tuple[str, ...]  # the line of a loss, and those that lead to its backward pass
_SMALL = 0.4  # of a learning rate: three steps more leave less than a tenth
_FEW = 2  # clears, or steps, from which a habit is read


@dataclass
class Passes:
    """The backward passes of one optimizer, in the order of its steps."""

    where: str
    steps: int
    used: list[list[Line]] = field(default_factory=list)  # at each step, the passes whose gradients it saw
    thrown: list[list[Line]] = field(default_factory=list)  # at each clear, the passes whose gradients no step saw
    undone: int = 0  # steps after which all parameters were put back
    answers: list[list[float | None]] = field(default_factory=list)  # at each step, the target of each yes-or-no loss
    rates: list[float] = field(default_factory=list)  # at each step, the learning rate
    silent: list[tuple[str, str]] = field(
        default_factory=list
    )  # modules that no step has a gradient of, and where called

    @classmethod
    def gather(cls, dossier: Dossier) -> Passes:
        if (seen := dossier.case.get("passes")) is not None:
            return seen  # type: ignore[no-any-return]
        dossier.case.need("step")
        return cls._of_a_step(dossier.get(StepRun))

    @classmethod
    def _of_a_step(cls, run: StepRun) -> Passes:
        """What a step function does with its own loss: several passes behind its only step, and then a clear."""
        line, passes = (run.where(),), cls(run.where(), sum(record.stepped for record in run.records))
        for record, later in pairwise(run.records):
            before, _, behind = "".join(_LETTERS.get(call, "") for call in record.calls).partition("s")
            passes.used.append([line] * before.count("b"))
            cleared = next(iter(later.calls), "") == "zero_grad" and "scale" not in record.calls and "s" not in behind
            if cleared and behind.count("b") >= _FEW and run.task not in ("gan", "adversarial"):
                passes.thrown.append([line] * behind.count("b"))
        return passes

    def thrown_away(self) -> Iterator[tuple[str, int, int]]:
        """Losses some of whose gradients are used while others are cleared unseen: the line, how many of each."""
        for line in dict.fromkeys(line for step in self.used for line in step):
            clears = sum(line in clear for clear in self.thrown)
            if clears >= _FEW:
                yield (
                    line[0] or line[1],
                    sum(clear.count(line) for clear in self.thrown),
                    sum(step.count(line) for step in self.used),
                )

    def fading(self) -> list[float]:
        """The learning rates of the first steps, where each is a small part of the one before."""
        falls = [later < _SMALL * rate for rate, later in pairwise(self.rates)]
        return self.rates if len(falls) >= _FEW and all(falls) else []

    def one_answer(self) -> float | None:
        """The target that every yes-or-no loss of every step has, where each step has several."""
        values = {value for step in self.answers for value in step}
        several = bool(self.answers) and all(len(step) > 1 for step in self.answers)
        return next(iter(values)) if several and len(values) == 1 else None
