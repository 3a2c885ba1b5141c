"""What a run found: everything in one value, as text, as plain values, and as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from goodmeasure.calibrating.calibration import Calibration
from goodmeasure.choosing.plan import Plan
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.frames import FrameKind
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.errors import UsageError, shorter
from goodmeasure.reading.remarks import Remark
from goodmeasure.statistics.estimate import display_of
from goodmeasure.strict.calls import strict_class
from goodmeasure.study.aiming import Aim
from goodmeasure.study.all_rows import Engine
from goodmeasure.study.cases import Prepared
from goodmeasure.study.comparing import Comparison, Contender, comparison, distinct, model_name
from goodmeasure.study.deciding import Decided
from goodmeasure.study.effects import Effects
from goodmeasure.study.judging import Judged
from goodmeasure.study.linking import multiplying
from goodmeasure.study.model import Model
from goodmeasure.study.predicted import Predicted
from goodmeasure.study.question import Question
from goodmeasure.study.segmenting import Segments
from goodmeasure.study.training import Trained
from goodmeasure.study.verdict import Verdict, verdict

MOST_POINTS = 101


MODEL_FILE = "model.json"


@strict_class
@dataclass(frozen=True, repr=False)
class Study(Displayed):
    """The answer to a question about a table: plan, model, what the reported rows say of it, and the decision.

    Attributes:
        question: what was asked.
        source: where the table came from.
        rows: how many rows the table has.
        plan: the choice of the loss, with its reasons.
        prepared: the rows as they were used: columns, parts of the split, and what was left out.
        trained: the fit, with the settings that were tried.
        model: the model that is handed over.
        judged: what the reported rows say: risk, gap, metrics, calibration and signal.
        decided: the decision for the costs; None where none were given.
        remarks: what was noticed and treated, or that only you can judge.
        seconds: how long it took.
        said: what the model, or those of its folds, say of the reported rows.
        effects: what each column does for the model.
        segments: which groups of the reported rows cost more than the others.
        aims: what acting catches where a share must be kept, or only so many rows can be acted on.
        comparison: every model that was trained, by every measure; None where it is the only one.
        asked: the question of each of them; empty where it is the only one.
        test: where the table of reported rows came from, if it is another.
        where: the condition that rows had to fit.
        digests: the first 12 digits of the SHA-256 of what each table was read from, by its source; None of one in memory.
        frame: the kind of frame that the table was; None if it was a file or a dictionary.
        engine: who read all rows of the files to fit the model to them; None where it is fitted to those in memory.
        folder: where its report and its model are written; None where they are not.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
        >>> print(study)  # doctest: +ELLIPSIS
        use: study.model.predict(new_rows)
        mean loss 0.151 [0.0913, 0.227] on 240 rows, each judged by models that did not see it; the best constant ...
    """

    question: Question
    source: str
    rows: int
    plan: Plan
    prepared: Prepared
    trained: Trained
    model: Model
    judged: Judged
    decided: Decided | None
    remarks: tuple[Remark, ...]
    seconds: float
    said: tuple[Predicted, ...] = field(default=(), repr=False)
    effects: Effects = field(default_factory=lambda: Effects(()))
    segments: Segments = field(default_factory=Segments)
    aims: tuple[Aim, ...] = ()
    comparison: Comparison | None = None
    asked: tuple[Question, ...] = ()
    test: str | None = None
    where: str | None = None
    digests: Mapping[str, str | None] = field(default_factory=dict)
    frame: FrameKind | None = None
    engine: Engine | None = None
    folder: str | None = None

    @property
    def model_file(self) -> str | None:
        """The path of the model's file; None where it is not written."""
        return None if self.folder is None else str(Path(self.folder) / MODEL_FILE)

    @property
    def verdict(self) -> Verdict:
        """What may be said of the model, in words that the intervals allow."""
        what = "probabilities" if self.plan.labels else "predictions"
        report = self.prepared.report
        events = report.events if self.plan.labels else None
        return verdict(
            self.judged,
            self.decided,
            self.remarks,
            self.prepared.split,
            what=what,
            events=events,
            model=self.model_file,
        )

    def compare(self, other: Study | Sequence[Study]) -> Comparison:
        """Judge this model and others on the same rows, by every loss that one was trained on and by the metric.

        The intervals of all pairs hold together, and the set of models that may be the best holds a best one, as often as
        their level says.

        Args:
            other: a study whose reported rows are these, in the same order; or several.

        Returns:
            A `Comparison`: how the models stand by each measure.

        Raises:
            GM009: there is none, other rows are reported, or two models have one name.

        Source:
            Hansen, Lunde and Nason 2011, The model confidence set.

        Example:
            >>> import goodmeasure as gm
            >>> x = [i % 20 - 9.5 for i in range(400)]
            >>> y = [2 * a + (i * 7 % 11) - 5 for i, a in enumerate(x)]
            >>> one, other = (gm.run({"x": x, "y": y}, "y", loss=name) for name in ("squared_error", "absolute_error"))
            >>> one.compare(other).models
            ('linear on squared_error()', 'linear on absolute_error()')
        """
        others = [other] if isinstance(other, Study) else list(other) if isinstance(other, list | tuple) else []
        if not others or not all(isinstance(each, Study) for each in others):
            raise UsageError(f"compare takes studies, and not {shorter(other)}", fix="study.compare(other)")
        for each in others:
            self._refuse_other_rows(each)
        several = (self, *others)
        names = distinct([one._name for one in several])
        # Trees are dealt to folds once, linear models three times; the first deal is the same.
        deals = min(len(one.said) for one in several)
        contenders = [
            Contender(name, one.plan.loss, one.said[:deals], one.decided)
            for name, one in zip(names, several, strict=True)
        ]
        metrics = [each.metric for each in self.judged.metrics]
        losses = [multiplying(one.plan.loss) for one in several]
        split = replace(self.prepared.split, deals=self.prepared.split.deals[:deals])
        return comparison(contenders, self.prepared.report, split, losses, metrics)

    @property
    def _name(self) -> str:
        weighing = None if self.decided is None else self.decided.weighing
        return model_name(self.question.model, self.plan.loss, weighing)

    def _refuse_other_rows(self, other: Study) -> None:
        """Refuse a study whose reported rows are not these. Error: GM009."""
        ours, theirs = self.prepared, other.prepared
        same = (
            self.plan.labels == other.plan.labels
            and bool(ours.split.deals) == bool(theirs.split.deals)
            and all(map(np.array_equal, ours.split.deals, theirs.split.deals))
            and np.array_equal(ours.report.y, theirs.report.y)
            and np.array_equal(ours.report.weights, theirs.report.weights)
        )
        if not same:
            raise UsageError(
                "the two studies report other rows, or code the target otherwise",
                seen=f"{len(ours.report):,} rows and {len(theirs.report):,}: {ours.split.how}; {theirs.split.how}",
                fix="run both on one table with the same seed=, protocol= and test=",
            )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold: numbers that are not finite are null."""
        judged = self.judged
        found: dict[str, Any] = plain_values(
            {
                "format": "goodmeasure report",
                "version": 1,
                "question": self.question.to_dict(),
                "source": self.source,
                "test": self.test,
                "where": self.where,
                "sha256": dict(self.digests),
                "rows": {**self.prepared.rows.to_dict(), **{k: len(v) for k, v in self.prepared.split.parts.items()}},
                "split": self.prepared.split.how,
                "protocol": self.prepared.split.protocol,
                "weighed": None if self.prepared.reweighed is None else self.prepared.reweighed.to_dict(),
                "verdict": self.verdict.to_dict(),
                "plan": self.plan.to_dict(),
                "columns": {
                    "learned_from": list(self.prepared.columns.features),
                    "left_out": self.prepared.columns.left_out,
                },
                "training": {
                    "model": self.question.model,
                    "loss": str(self.trained.loss),
                    "setting": self.trained.setting,
                    "chosen": self.trained.chosen,
                    "chosen_on": self.trained.chosen_on,
                    "path": [dict(zip(("setting", "fit", "tune"), row, strict=True)) for row in self.trained.path],
                    "certificate": None if self.trained.certificate is None else self.trained.certificate.to_dict(),
                    "engine": None if self.engine is None else self.engine.name,
                    "rows": len(self.prepared.fitted) if self.trained.rows is None else self.trained.rows,
                },
                "risk": {"fit": judged.fit.to_dict(), "report": judged.report.to_dict(), "gap": judged.gap.to_dict()},
                "metrics": [m.to_dict() for m in judged.metrics],
                "signal": judged.signal.to_dict(),
                "calibration": {
                    "before": short(judged.before),
                    "after": short(judged.after),
                    "shares": {name: found.to_dict() for name, found in judged.shares.items()},
                    "coverage": None if self.model.coverage is None else self.model.coverage.to_dict(),
                    "recalibration": None if judged.recalibrated is None else judged.recalibrated.to_dict(),
                },
                "decision": None if self.decided is None else self.decided.to_dict(),
                "effects": self.effects.to_dict(),
                "segments": self.segments.to_dict(),
                "aims": [aim.to_dict() for aim in self.aims],
                "comparison": None if self.comparison is None else self.comparison.to_dict(),
                "remarks": [r.to_dict() for r in self.remarks],
            }
        )
        return found

    def __str__(self) -> str:
        return "\n".join([str(self.verdict), *self.verdict.sentences])

    def _display(self) -> Display:
        cost = {} if self.decided is None else {"cost of the decisions": self.decided.best.cost}
        return display_of(str(self.verdict), {**self.judged.estimates, **cost}, *self.verdict.sentences)

    def _picture(self) -> Picture:
        return replace(self.judged._picture(), said=f"{self.verdict.word}: {self.verdict.sentences[0]}")

    def to_frame(self, kind: FrameKind | None = None) -> Any:
        return super().to_frame(kind or self.frame)

    def __repr__(self) -> str:
        return f"<Study of {self.question.target} from {self.source}, {self.rows:,} rows: {self.verdict.word}>"


def short(calibration: Calibration | None) -> dict[str, Any] | None:
    """A calibration as plain values, its curves cut down to what a picture needs."""
    if calibration is None:
        return None
    found = calibration.to_dict()
    for one in (found, *found["classes"]):
        points = one["curve"]
        rows = np.unique(np.linspace(0, len(points["seen"]) - 1, MOST_POINTS).round().astype(int))
        one["curve"] = {k: v if isinstance(v, str) else [v[i] for i in rows] for k, v in points.items()}
    return found
