"""What the rules say about a program's fits and metrics."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.evidence.workflow import Fit, Measurement, Output, Splitting
from goodmeasure.auditing.observing import booster_seams, sklearn_seams
from goodmeasure.auditing.observing.judging import BUDGET_S, Judgement, about
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut, Limits

_SCORES = frozenset({"roc_auc_score", "average_precision_score", "roc_curve", "precision_recall_curve", "det_curve"})
# The area under a curve, which is a number where the curve is none.
_AREAS = {
    "roc_curve": "roc_auc_score",
    "det_curve": "roc_auc_score",
    "precision_recall_curve": "average_precision_score",
}
_PROBABILITIES = frozenset({"log_loss", "brier_score_loss"})
_LABELS = frozenset(
    [
        "accuracy_score",
        "balanced_accuracy_score",
        "f1_score",
        "fbeta_score",
        "precision_score",
        "recall_score",
        "jaccard_score",
        "cohen_kappa_score",
        "matthews_corrcoef",
        "confusion_matrix",
        "classification_report",
    ]
)
_MEANS = frozenset(
    {"mean_squared_error", "root_mean_squared_error", "r2_score", "mean_poisson_deviance", "mean_gamma_deviance"}
)
_OF_TRAINED = frozenset(
    {"GM512", "GM513", "GM515", "GM516", "GM526"}
)  # what says little of a model whose training was cut
_MANY = 12


def begin(limits: Limits, cut: Cut) -> SklearnHost:
    """Observe scikit-learn from here on."""
    return SklearnHost(cut)


@dataclass
class SklearnHost:
    """What was seen of scikit-learn."""

    cut: Cut
    calls: sklearn_seams.Calls = field(default_factory=sklearn_seams.Calls)

    def install(self, module: str, seams: Seams) -> None:
        """Replace the seams of a module that was imported."""
        if module in ("xgboost", "lightgbm"):
            booster_seams.install(module, seams, self.calls)
            return
        seam = {
            "sklearn.base": sklearn_seams.install_base,
            "sklearn.model_selection": sklearn_seams.install_splits,
            "sklearn.metrics": sklearn_seams.install_metrics,
        }[module]
        seam(seams, self.calls)

    def judge(self, whole: bool) -> Judgement:
        """What the rules say about what was fitted and measured."""
        judged = Judgement()
        work = self.calls.workflow
        if not work.events:
            return judged
        judged.looked_at += list(dict.fromkeys(map(_told, work.events)))[:60]
        judged.audits.append(examine({"framework": "sklearn", "workflow": work}, about("Workflow"), BUDGET_S))
        rescaled = {metric.where for metric, *_ in work.on_another_scale()}  # why a mean is none there is known
        for given, where in [*self._metrics(), *self._fits()]:
            rules = about("Fitted", "BoostingObjective")
            known = self.cut.where or where in rescaled
            asked = [rule for rule in rules if not (known and rule.code in _OF_TRAINED)]
            audit = examine(given, asked, BUDGET_S)
            judged.audits.append(replace(audit, findings=tuple(replace(f, where=where) for f in audit.findings)))
        return judged

    def _metrics(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Each metric as a case: what was said, and what the metric takes it for."""
        seen: set[tuple[str, str]] = set()
        metrics = self.calls.workflow.of(Measurement)
        for metric in metrics:
            given = _case(metric)
            if given is None or (metric.name, metric.where) in seen or len(seen) >= _MANY:
                continue
            seen.add((metric.name, metric.where))
            alone = all(other.name == metric.name for other in metrics)
            if metric.name == "accuracy_score" and not alone:
                given["metric"] = None  # other metrics are reported beside it
            yield given, metric.where

    def _fits(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Each fit of a predictor as a case: its weights, and the objective of a booster."""
        seen: set[str] = set()
        for fit in self.calls.workflow.of(Fit):
            if not _predictor(fit.estimator) or fit.y is None or fit.where in seen or len(seen) >= _MANY:
                continue
            seen.add(fit.where)
            given = {"estimator": fit.estimator, "X": fit.X, "y": np.asarray(fit.y), "sample_weight": fit.weight}
            objective = getattr(fit.estimator, "objective", None)
            yield given | {"objective": objective if callable(objective) else None, "metric": fit.metric}, fit.where


def _predictor(estimator: Any) -> bool:
    """Whether this is an estimator that predicts; a bare booster, which has no ``fit``, is judged where boosters are."""
    return hasattr(estimator, "predict") and hasattr(estimator, "fit")


def _case(metric: Measurement) -> dict[str, Any] | None:
    truth, said = np.asarray(metric.truth), np.asarray(metric.said)
    kind = _kind(metric.name, said)
    if not kind or truth.ndim != 1 or len(said) != len(truth):
        return None
    return {
        "framework": "sklearn",
        "X": said,
        "y": truth,
        "output": lambda _: said,
        "output_kind": kind,
        "metric": getattr(sys.modules["sklearn.metrics"], _AREAS[metric.name])
        if metric.name in _AREAS
        else metric.function,
    }


def _kind(name: str, said: np.ndarray[Any, Any]) -> str:
    """What a metric takes its second argument for; labels that are given to a metric of scores are labels."""
    if name in _LABELS:
        return "label"
    if name in _SCORES | _PROBABILITIES:
        hard = said.ndim == 1 and said.dtype.kind in "iubf" and len(np.unique(said)) <= 2
        return "label" if hard else "score" if name in _SCORES else "probability"
    return "mean" if name in _MEANS else ""


def _told(event: Fit | Output | Splitting | Measurement) -> str:
    if isinstance(event, Fit):
        return f"{event.where}: fit of {type(event.estimator).__name__}"
    if isinstance(event, Output):
        return f"{event.where}: {event.method} of {type(event.estimator).__name__}"
    return f"{event.where}: {'a split' if isinstance(event, Splitting) else event.name}"
