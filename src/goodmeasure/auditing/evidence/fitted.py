"""A fitted estimator or booster: what the program takes its output for, against the data it was fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable, where_raised

Array = np.ndarray[Any, np.dtype[Any]]


def fit_error(dossier: Dossier) -> list[tuple[str, Exception, str]]:
    """What ``fit()`` raised, if it did."""
    outcome = dossier.get(Outcome)
    return [("fit", outcome.error, where_raised(outcome.error))] if outcome.error else []


@dataclass
class Outcome:
    """The estimator: as given, or as ``fit()`` returned it, or what ``fit()`` raised."""

    estimator: Any
    error: Exception | None = None

    @classmethod
    def gather(cls, dossier: Dossier) -> Outcome:
        estimator, fit = dossier.case.get("estimator"), dossier.case.get("fit")
        if estimator is not None or not callable(fit):
            return cls(estimator)
        try:
            return cls(fit())
        except Exception as error:  # the library's refusal is the evidence
            return cls(None, error)


@dataclass
class Fitted:
    """Data, output and probabilities of a fitted estimator as plain arrays."""

    estimator: Any
    y: Array
    X: Any
    output: Array | None
    kind: str
    probability: Array | None
    weight: Array | None
    offset: Array | None
    costs: dict[str, float]
    metric: Any
    params: dict[str, Any]
    task: str

    @classmethod
    def gather(cls, dossier: Dossier) -> Fitted:
        case = dossier.case
        if case.framework not in ("sklearn", "lightgbm", "xgboost") and case.get("output") is None:
            raise Unavailable("no fitted estimator given")
        X, y = case.need("X", "y")
        outcome = dossier.get(Outcome)
        if outcome.error is not None:
            raise Unavailable("the fit failed")
        call = {name: _called(case.get(name), X) for name in ("output", "probability")}
        arrays = {name: _array(case.get(name)) for name in ("sample_weight", "offset")}
        return cls(
            outcome.estimator,
            np.asarray(y),
            X,
            call["output"],
            str(case.get("output_kind") or ""),
            _positive_column(call["probability"]),
            arrays["sample_weight"],
            arrays["offset"],
            dict(case.get("costs") or {}),
            _metric(case.get("metric")),
            _params(outcome.estimator) | dict(case.get("params") or {}),
            case.task,
        )

    @property
    def binary(self) -> bool:
        """Whether the targets are two values."""
        return self.y.ndim == 1 and len(np.unique(self.y)) == 2

    @property
    def says_labels(self) -> bool:
        """Whether the output is a label, by what it was declared to be or by what it is: whole numbers, two of them."""
        if self.kind == "label" or self.output is None or self.kind not in ("score", "probability"):
            return self.kind == "label"
        return self.output.dtype.kind in "iub" and len(np.unique(self.output)) <= 2

    @property
    def positives(self) -> Array:
        """The targets as 0 and 1 (the larger label is 1)."""
        return np.asarray(self.y == np.unique(self.y)[-1], dtype=float)

    @property
    def numbers(self) -> Array | None:
        """The output as one number per row, where it is that."""
        if self.output is None or self.output.dtype.kind not in "fiub":
            return None
        flat = self.output.reshape(len(self.output), -1)
        if flat.shape[1] == 2 and self.kind == "probability":
            flat = flat[:, 1:]
        return flat[:, 0].astype(float) if flat.shape[1] == 1 and len(flat) == len(self.y) else None

    def stretch(self) -> tuple[float, float] | None:
        """The slope of the events' log-odds in those of the output, and its standard error; of probabilities alone.

        Newton's steps of a logistic regression on the one column (Cox 1958). Rows of exactly 0 and 1 have no log-odds.
        """
        p = self.numbers
        if not self.binary or self.kind != "probability" or p is None or float(p.min()) < 0 or float(p.max()) > 1:
            return None
        between = (p > 0) & (p < 1)
        odds = np.log(p[between] / (1 - p[between]))
        if len(odds) < 200 or float(np.std(odds)) == 0:
            return None
        return _slope(np.column_stack([np.ones(len(odds)), odds]), self.positives[between])

    def bias(self) -> tuple[float, float] | None:
        """Mean of output minus mean of target, in standard deviations of the target, and in standard errors."""
        out = self.numbers
        if out is None or self.y.dtype.kind not in "fiub" or not np.isfinite(out).all():
            return None
        target = self.positives if self.binary and self.kind == "probability" else self.y.astype(float)
        spread = float(np.std(target)) or 1.0
        error = float(np.std(target - out)) / math.sqrt(len(target)) or 1e-12
        differences = [float(np.average(out - target, weights=w)) for w in self._weights()]
        least = min(differences, key=abs)
        return least / spread, least / error

    def _weights(self) -> list[Array | None]:
        """No weights, and the fitted ones unless they only rebalance the classes."""
        if self.weight is None or self.binary:
            return [None]
        return [None, self.weight]

    def option_weights(self) -> str:
        """Which option of the estimator reweights the classes, in words; empty where none does."""
        for name in ("class_weight", "scale_pos_weight", "is_unbalance"):
            value = self.params.get(name)
            if value not in (None, False, 1, 1.0):
                return f"{name}={value!r}"
        return ""

    def weights_by_class(self) -> bool:
        """Whether the sample weights differ between the classes."""
        if self.weight is None or not self.binary or self.weight.shape != self.y.shape:
            return False
        ones = self.positives == 1
        return abs(float(self.weight[ones].mean()) / max(float(self.weight[~ones].mean()), 1e-300) - 1) > 0.2

    def balanced_by(self) -> str:
        """What reweights the classes, in words; empty where nothing does."""
        return self.option_weights() or ("sample_weight by class" if self.weights_by_class() else "")

    def direction(self) -> tuple[float, float, bool] | None:
        """What a metric that tells its direction gives at nearly perfect and at mirrored predictions, where that is worse
        by its own word: both values, and whether it says that higher is better."""
        if not callable(self.metric) or self.y.dtype.kind not in "fiub" or self.y.ndim != 1:
            return None
        y = self.y.astype(float)
        near = 0.98 * y + 0.02 * float(y.mean())
        one, two = (_directed(self.metric, self.y, said) for said in (near, float(y.max() + y.min()) - near))
        if one is None or two is None or not math.isfinite(one[0]) or not math.isfinite(two[0]):
            return None
        wrong = one[0] < two[0] if one[1] else one[0] > two[0]
        return (one[0], two[0], one[1]) if wrong else None

    def auc(self) -> tuple[float, float] | None:
        """The area under the ROC curve of the output, and its standard error when nothing is ranked."""
        out = self.numbers
        if out is None or not self.binary or not np.isfinite(out).all():
            return None
        from scipy.stats import rankdata

        ones = self.positives == 1
        n1, n0 = int(ones.sum()), int((~ones).sum())
        area = (float(rankdata(out)[ones].sum()) - n1 * (n1 + 1) / 2) / (n1 * n0)
        return area, math.sqrt((n1 + n0 + 1) / (12 * n1 * n0))

    def switch(self) -> float | None:
        """The probability at which labels turn positive, if labels are a threshold of it."""
        if self.output is None or self.probability is None or self.output.shape != self.probability.shape:
            return None
        said = self.output == np.unique(self.y)[-1]
        if said.all() or not said.any():
            return None
        low, high = float(self.probability[~said].max()), float(self.probability[said].min())
        return (low + high) / 2 if low <= high + 1e-9 else None


def _called(function: Any, X: Any) -> Array | None:
    if not callable(function):
        return None
    try:
        return np.asarray(function(X))
    except Exception as error:
        raise Unavailable(f"the output could not be computed ({type(error).__name__}: {error})") from error


def _directed(metric: Any, y: Array, said: Array) -> tuple[float, bool] | None:
    """The value and the direction of a booster's metric, which returns its name, its value and whether higher is better."""
    try:
        _, value, higher = metric(y, said)
        return float(value), bool(higher)
    except Exception:  # a metric of another kind, or one that takes other arguments
        return None


def _array(value: Any) -> Array | None:
    return None if value is None else np.asarray(value, dtype=float)


def _positive_column(p: Array | None) -> Array | None:
    return p[:, 1] if p is not None and p.ndim == 2 and p.shape[1] == 2 else p


def _params(estimator: Any) -> dict[str, Any]:
    """What the estimator was built with; of a pipeline, the last step's."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    get = getattr(last, "get_params", None)
    return dict(get(deep=False)) if callable(get) else {}


def _metric(metric: Any) -> Any:
    """The metric as a function, where it was given by the name that scikit-learn has for it."""
    if not isinstance(metric, str):
        return metric
    from sklearn import metrics

    return next(
        (found for name in (metric, f"{metric}_score") if callable(found := getattr(metrics, name, None))), None
    )


def _slope(table: Array, events: Array) -> tuple[float, float] | None:
    """The second coefficient of a logistic regression, and its standard error; None where it does not settle."""
    beta = np.zeros(2)
    for _ in range(50):
        share = 1 / (1 + np.exp(-(table @ beta).clip(-40, 40)))
        information = table.T @ (table * (share * (1 - share))[:, None])
        if np.linalg.cond(information) > 1e12:
            return None
        change = np.linalg.solve(information, table.T @ (events - share))
        beta = beta + change
        if float(np.abs(change).max()) < 1e-9:
            return float(beta[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))
    return None
