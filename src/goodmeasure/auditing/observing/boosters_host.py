"""What the rules say about boosters that are trained by ``train``: objectives of one's own, and weights of classes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.observing.judging import BUDGET_S, Judgement, about
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut, Limits


def begin(limits: Limits, cut: Cut) -> BoostersHost:
    """Observe boosters from here on."""
    return BoostersHost(cut)


@dataclass
class BoostersHost:
    """What was trained."""

    cut: Cut
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def install(self, module: str, seams: Seams) -> None:
        """Watch ``train`` of a library, and what it writes past Python."""
        library = sys.modules[module]

        def make(run: Any) -> Any:
            def train(params: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
                where = user_line()
                try:
                    self.cases[where] = _case(module, params, data, kwargs)
                except Exception as error:  # data of a kind that is not known here
                    self.unread.append(f"{where}: train of {module}: {error}")
                return run(params, data, *args, **kwargs)

            return train

        def make_writer(run: Any) -> Any:
            def save_model(*args: Any, **kwargs: Any) -> Any:
                self.cut.refuse("save_model of a booster")
                return run(*args, **kwargs)

            return save_model

        seams.replace(library, "train", make)
        seams.replace(library.Booster, "save_model", make_writer)

    def judge(self, whole: bool) -> Judgement:
        """What the rules say about every training."""
        judged = Judgement(not_seen=list(self.unread))
        for where, given in self.cases.items():
            judged.looked_at.append(f"{where}: train of {given['framework']}")
            audit = examine(given, about("Fitted", "BoostingObjective"), BUDGET_S)
            judged.audits.append(replace(audit, findings=tuple(replace(f, where=where) for f in audit.findings)))
        return judged


@dataclass(frozen=True)
class Labelled:
    """What a metric of LightGBM asks its data for."""

    label: Any

    def get_label(self) -> Any:
        """The targets."""
        return self.label


def _case(module: str, params: Any, data: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(params) if isinstance(params, Mapping) else {}
    label = getattr(data, "label", None)
    y = np.asarray(data.get_label() if label is None else label)
    own = given["obj"] if given.get("obj") is not None else settings.get("objective")
    judge = given.get("feval")
    return {
        "framework": module,
        "X": np.zeros((len(y), 1)),
        "y": y,
        "params": {name: value for name, value in settings.items() if not callable(value)},
        "objective": own if callable(own) else None,
        "metric": (lambda truth, said: judge(said, Labelled(truth))) if callable(judge) else None,
    }
