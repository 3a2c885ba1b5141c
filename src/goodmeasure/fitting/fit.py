"""Linear models trained on any loss, as scikit-learn estimators."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, assert_all_finite
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

from goodmeasure import losses
from goodmeasure.deriving import predictions
from goodmeasure.deriving.arguments import check_targets, numeric
from goodmeasure.errors import (
    NothingToLearn,
    ShapeMismatch,
    TargetOutsideDomain,
    UsageError,
    WeightError,
    shorter,
)
from goodmeasure.fitting import design
from goodmeasure.fitting.certificate import Certificate, Status
from goodmeasure.fitting.features import in_our_words
from goodmeasure.fitting.linear import SOLVERS, Monitor, SolverSettings, fit
from goodmeasure.fitting.narrow import narrowed
from goodmeasure.fitting.objective import Objective
from goodmeasure.formulas.activations import exp
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import (
    array_of,
    check_rows,
    check_table,
    hold_numbers,
    numbers_of,
    one_a_row,
    same_order,
    unmasked,
)
from goodmeasure.statistics.keys import few
from goodmeasure.statistics.labels import in_order, labels_in
from goodmeasure.statistics.row_arguments import Floats, column, equal_length
from goodmeasure.statistics.weights import check_weights, scaled
from goodmeasure.strict.calls import strict_class, strict_keywords

# What is said of fits that may not be the best there is.
# Labels that repeat so often need not be sorted to be told apart.
_FEW_CLASSES = 1_000
_DOUBTS = {
    Status.UNFINISHED: "the fit has not converged",
    Status.UNCERTAIN: "the fit may not be the best",
    Status.ENDLESS: "there is no best fit",
    Status.FLAT: "nothing was learned",
}


def present_rows(sample_weight: Any, **columns: Any) -> tuple[NDArray[Any], Floats | None, dict[str, Any]]:
    """The rows whose weight is not zero, taken out before anything looks at what they hold: places, weights, and columns."""
    columns = {name: unmasked(each) for name, each in columns.items()}
    same_order(**columns, sample_weight=sample_weight)
    n = _num_samples(columns["X"])
    if sample_weight is None:
        return np.arange(n), None, columns
    sample_weight = numbers_of(sample_weight, "sample_weight", WeightError)
    if not sample_weight.any():
        raise WeightError("every weight is zero, so there is nothing to fit", fix="check sample_weight.sum()")
    weight = column(sample_weight, "sample_weight", kind=WeightError)
    equal_length(X=range(n), sample_weight=weight)
    check_weights(weight)
    at = np.flatnonzero(weight)
    if len(at) == n:
        return at, weight, columns
    equal_length(**{name: each for name, each in columns.items() if name != "X"}, sample_weight=weight)
    kept = {name: None if each is None else _safe_indexing(each, at) for name, each in columns.items()}
    return at, weight[at], kept


def target_column(X: Any, y: Any, of: str) -> NDArray[Any]:
    """Targets as they came, one a row of features: a column, or a table of several."""
    if y is None:
        raise UsageError(f"{of} requires y to be passed, but the target y is None", where="y", fix="model.fit(X, y)")
    found = array_of(y, "y", TargetOutsideDomain)
    if not found.ndim:
        one_a_row(found, "y")
    if found.dtype.kind == "c":
        raise TargetOutsideDomain(
            "Complex data not supported: targets are real numbers or labels", where="y", fix="y = numpy.real(y)"
        )
    check_rows(X, found)
    return found


def numbers_in(y: Any, loss: object) -> NDArray[Any]:
    """Targets that are numbers; of labels it is said which model is for them."""
    found = array_of(y, "y", TargetOutsideDomain)
    try:
        return np.asarray(numeric(found, loss))
    except TargetOutsideDomain as problem:
        for_labels = found.dtype.kind in "US" or problem.fix.startswith("loss,")
        texts = not getattr(loss, "is_binary", False) and for_labels and not hold_numbers(found)
        labels = "numpy.char.decode(y)" if found.dtype.kind == "S" else "y"
        raise (problem.mended_by(f"gm.LossClassifier().fit(X, {labels})") if texts else problem) from None


def check_labels(labels: NDArray[Any]) -> None:
    """Refuse what scikit-learn takes for no labels, in its words and with a line that helps."""
    try:
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        kind = labels.dtype.kind
        fix = {"f": "gm.LossRegressor().fit(X, y)", "S": "y = numpy.char.decode(y)"}
        raise TargetOutsideDomain(
            str(error), where="y", fix=fix.get(kind, "y = numpy.asarray(y).astype(str)")
        ) from error


class _LossModel(BaseEstimator):  # type: ignore[misc]
    """What the two estimators share: their parameters, the fit, and raw outputs."""

    coef_: Floats
    intercept_: Any
    certificate_: Certificate
    loss_: Loss

    def __init__(
        self,
        loss: Loss | None = None,
        *,
        alpha: float = 0.0,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 500,
        tol: float = 1e-9,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _learn(self, X: Floats, y: NDArray[Any], weight: Any, exposure: Any, held: Any, monitor: Any) -> None:
        """Fit checked rows; ``held`` are validation rows (features, targets, weights, offset) or None."""
        outputs = self._outputs(y)
        offset = None if exposure is None else np.log(exposure)
        if self.early_stopping and held is None:
            X, y, weight, offset, held = self._held_out(X, y, weight, offset)
        alpha, ratio, intercept = float(self.alpha), float(self.l1_ratio), bool(self.fit_intercept)
        if not (intercept or all(self.loss_.follows)):
            raise UsageError(f"where the grades of {self.loss_} begin is an intercept each", fix="fit_intercept=True")
        # Sizes of coefficients are not those of their coordinates in the span of the rows, as their squares are.
        rows = narrowed(X, penalised=alpha > 0 and ratio == 0, intercept=intercept)
        objective = Objective(self.loss_, rows.features, y, weight, offset, alpha, intercept, outputs, ratio)
        if not np.isfinite(objective.scale).all():
            with in_our_words(X=X):
                assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")

        def validation(theta: Floats) -> float:
            features, targets, counts, shift = held
            slopes, constants = rows.widened(*objective.coefficients(theta))
            return self.loss_(targets, _raw(features, slopes, constants, shift), counts)

        watch = Monitor(None if held is None else validation, bool(self.early_stopping), monitor)
        theta, self.certificate_, self.n_iter_ = fit(
            objective, SolverSettings(self.solver, self.max_iter, self.tol, watch)
        )
        slopes, constants = rows.widened(*objective.coefficients(theta))
        self.coef_, self.intercept_ = self._shaped(slopes, constants)
        self.loss_curve_, self.validation_curve_ = watch.loss_curve, watch.validation_curve
        said = _DOUBTS.get(self.certificate_.status)
        if said is not None:
            warnings.warn(f"{said}: {self.certificate_}", ConvergenceWarning, stacklevel=4)

    def _table(self, X: Any, *y: Any, **more: Any) -> Any:
        """Features, and targets if they are given, as scikit-learn checks them; a table of mostly zeros stays one (CSR)."""
        X, y = unmasked(X), tuple(map(unmasked, y))
        finite = "reset" in more or not self._scales_tell(X)
        check_table(X)
        with in_our_words(None if more.get("reset", True) else self, X=X):
            found = validate_data(self, X, *y, dtype=np.float64, accept_sparse="csr", ensure_all_finite=finite, **more)
        features, *targets = found if y else (found,)
        if issparse(features):
            features = csr_array(features)
        return (features, *targets) if y else features

    def _scales_tell(self, X: Any) -> bool:
        """Whether the scales of the columns, for which a fit reads them all, tell of a cell that is not finite."""
        plain = type(X) is np.ndarray and X.ndim == 2 and X.dtype == np.float64
        return plain and design.by_loops(X) and not self.early_stopping

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _held_out(self, X: Floats, y: NDArray[Any], weight: Any, offset: Any) -> tuple[Any, ...]:
        rows = np.arange(len(y))
        stratify = y if self.loss_.is_classwise or self._binary_labels(y) else None
        kept, held = train_test_split(
            rows, test_size=self.validation_fraction, random_state=self.random_state, stratify=stratify
        )

        def at(part: Any, where: Any) -> Any:
            return None if part is None else part[where]

        out = (X[held], y[held], at(weight, held), at(offset, held))
        return X[kept], y[kept], at(weight, kept), at(offset, kept), out

    def _binary_labels(self, y: NDArray[Any]) -> bool:
        return self.loss_.is_binary and bool(np.isin(y, (0, 1)).all())

    def _outputs(self, y: NDArray[Any]) -> int:
        return len(self.loss_.activation)

    def _shaped(self, slopes: Floats, constants: Floats) -> tuple[Floats, Any]:
        return (slopes[:, 0], float(constants[0])) if slopes.shape[1] == 1 else (slopes.T, constants)

    def _settled(self, default: Callable[[], Loss]) -> Loss:
        """The loss that was given, or the usual one; and the other parameters within their limits."""
        limits = {
            "alpha": (0, np.inf),
            "l1_ratio": (0, 1),
            "max_iter": (1, np.inf),
            "tol": (0, np.inf),
            "validation_fraction": (0, 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not low <= value <= high:
                raise UsageError(f"{name}={value!r}", fix=f"a number from {low} to {high}")
        if self.solver not in SOLVERS:
            raise UsageError(f"solver={self.solver!r}", fix=f"one of {', '.join(SOLVERS)}")
        if self.loss is not None and not isinstance(self.loss, Loss):
            raise UsageError(f"loss={self.loss!r} is no loss", fix="loss=gm.losses.huber(delta=2.0)")
        return default() if self.loss is None else self.loss

    def _present(self, sample_weight: Any, **columns: Any) -> tuple[Any, ...]:
        """The columns of the rows that count, and their weights last."""
        _, weight, kept = present_rows(sample_weight, **columns)
        return *kept.values(), None if weight is None else scaled(weight)

    def _exposure(self, exposure: Any, X: Floats) -> Floats | None:
        """Exposures, one a row: how long or how much each row was at risk."""
        if exposure is None:
            return None
        if self.loss_.activation != (exp,):
            raise UsageError(
                f"exposure needs an exponential activation, and {self.loss_} has {self.loss_.activation[0]}",
                fix="divide the target by the exposure and pass the exposure as sample_weight",
            )
        found = numbers_of(exposure, "exposure", WeightError).astype(np.float64, copy=False)
        if found.shape != (X.shape[0],):
            raise ShapeMismatch(f"exposure has shape {found.shape} and X {X.shape}", fix="give one exposure a row")
        if not (np.isfinite(found) & (found > 0)).all():
            raise WeightError(
                f"exposure {found[~(found > 0)][:1]} in row {int(np.argmin(found > 0))}: exposures are positive and finite",
                fix="leave rows without exposure out",
            )
        return found

    @strict_keywords
    def raw(self, X: ArrayLike, exposure: ArrayLike | None = None) -> Floats:
        """The raw outputs of rows: what the loss takes as ``z``.

        Args:
            X: features, (n, features).
            exposure: how long or how much each row was at risk, (n,); one unit unless given.

        Returns:
            Raw outputs, (n,), or (n, K) for K classes or several outputs.

        Raises:
            GM003: the exposures have another length than X, or X has another number of columns than the fit.
            GM006: an exposure is not positive or not finite.
            GM009: the activation of the loss is not exponential, so an exposure has no place; or X holds other columns than the
                fit, texts, dates or what is not finite.
        """
        check_is_fitted(self)
        checked = self._table(X, reset=False)
        found = self._exposure(exposure, checked)
        slopes = self.coef_[:, None] if self.coef_.ndim == 1 else self.coef_.T
        return _raw(checked, slopes, np.atleast_1d(self.intercept_), None if found is None else np.log(found))


def refuse_several(y: Any, wrapper: str) -> None:
    """Refuse several targets a row. Error: GM003."""
    shape = np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ShapeMismatch(
            f"y holds {shape[1]} targets a row, and a model is of one",
            seen=f"shape {shape}",
            fix=f"sklearn.multioutput.{wrapper}(model).fit(X, y)  # a model for each",
        )


def _both(X_val: Any, y_val: Any) -> None:
    if (X_val is None) != (y_val is None):
        raise UsageError("X_val and y_val go together", fix="fit(X, y, X_val=..., y_val=...)")


def _raw(X: Floats, slopes: Floats, constants: Floats, offset: Floats | None) -> Floats:
    z = X @ slopes + constants
    if offset is not None:
        z = z + offset[:, None]
    return z[:, 0] if z.shape[1] == 1 else z


@strict_class
class LossRegressor(RegressorMixin, _LossModel):  # type: ignore[misc]
    """A linear model of a number, trained on any loss: the mean loss + alpha / 2 * the sum of the squared coefficients.

    A scikit-learn estimator. Its ``Ridge(alpha=a)`` is ``alpha=2 * a / n`` here; its ``PoissonRegressor(alpha=a)`` is
    ``alpha=a``.

    Args:
        loss: the loss to lower; squared error unless given.
        alpha: how much coefficients are pulled toward zero, in units of the loss; 0 is not at all.
        l1_ratio: the part of alpha that is on their sizes, not on half their squares (elastic net): many coefficients are
            exactly zero then. For losses that are smooth and convex.
        fit_intercept: whether a constant is fitted too, which is never pulled.
        solver: "newton", "lbfgs", "interior" (an exact interior point for losses made of straight lines, such as
            absolute error), or "auto", which takes what suits the loss and the size.
        max_iter: the most steps.
        tol: the fit stops where what is left to gain is about this part of the objective, or is lost in its rounding.
        early_stopping: whether to stop when the loss on held-out rows has stopped falling.
        validation_fraction: the share of rows held out for that, unless validation rows are given.
        random_state: for choosing those rows.

    Attributes:
        coef_: the slopes, (features,), or (outputs, features) of a loss with several raw outputs; of grades those of the
            score, and zeros, as the steps between grades are the same for all rows.
        intercept_: the constant, one for each raw output.
        loss_: the loss that was lowered.
        n_iter_: how many steps were made.
        loss_curve_: the objective from the start on, the best constant (of many rows, that of some of them).
        validation_curve_: the mean loss on validation rows after each step.
        certificate_: how far the fit can still be from the best, and how that is known; where that is in doubt, or there
            is no best, the fit warns (scikit-learn's ``ConvergenceWarning``).

    Example:
        >>> import goodmeasure as gm
        >>> model = gm.LossRegressor(gm.losses.absolute_error())
        >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.0, 2.0, 3.0, 90.0]
        >>> model.fit(X, y).predict([[5.0]]).round(3)  # the far one hardly matters
        array([5.])
    """

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        exposure: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        monitor: Callable[[int, float], object] | None = None,
    ) -> Self:
        """Fit rows of features to targets.

        Rows of weight zero are not there, whatever they hold.

        Args:
            X: features, (n, features); a sparse table of SciPy stays sparse.
            y: targets, (n,), in the domain of the loss.
            sample_weight: how much each row counts, (n,); all alike unless given.
            exposure: for targets that grow with it, such as counts over a time at risk, (n,), above zero; its logarithm
                is added to the raw output.
            X_val: validation features, (m, features), for ``validation_curve_`` and early stopping.
            y_val: validation targets, (m,).
            monitor: called with (step, objective) after each step.

        Returns:
            The model itself.

        Raises:
            GM003: the exposures or y have another length than X, or y holds several targets a row.
            GM004: a target lies outside the domain of the loss, or is a text, a date or else no number.
            GM006: a weight is negative or not finite, or all are zero; or an exposure is not positive.
            GM009: a parameter is out of its limits, the loss is about classes or holds part of itself from its signal, an
                exposure has no place in it, or X holds texts, dates or what is not finite.
            GM606: the loss is infinite wherever the fit could start, or falls without end.
            ValueError: y holds NaN, by scikit-learn's own checks.
        """
        self.loss_ = self._settled(losses.squared_error)
        if self.loss_.is_classwise:
            raise UsageError(f"{self.loss_} is about classes", fix="gm.LossClassifier(loss).fit(X, y)")
        target_column(X, y, type(self).__name__)
        X, y, exposure, weight = self._present(sample_weight, X=X, y=y, exposure=exposure)
        refuse_several(y, "MultiOutputRegressor")
        numbers_in(y, self.loss_)
        checked, targets = self._table(X, y, y_numeric=True)
        targets = targets.astype(np.float64)
        check_targets(targets, targets, self.loss_.target, None, self.loss_)
        held = None
        _both(X_val, y_val)
        if X_val is not None:
            numbers_in(target_column(X_val, y_val, type(self).__name__), self.loss_)
            features, measured = self._table(X_val, y_val, reset=False, y_numeric=True)
            held = (features, measured.astype(np.float64), None, None)
        at_risk = self._exposure(exposure, checked)
        self._learn(checked, targets, weight, at_risk, held, monitor)
        return self

    def predict(self, X: ArrayLike, exposure: ArrayLike | None = None) -> Floats:
        """Predict what the loss asks for: the mean, the median, ...

        Args:
            X: features, (n, features).
            exposure: how long or how much each row was at risk, (n,); one unit unless given.

        Returns:
            Predictions in the unit of the target, (n,), or (n, outputs) of a loss with several predictions.

        Raises:
            GM003: the exposures have another length than X, or X has another number of columns than the fit.
            GM006: an exposure is not positive or not finite.
            GM009: the activation of the loss is not exponential, so an exposure has no place; or X holds other columns than the
                fit, texts, dates or what is not finite.
        """
        # Before a fit there is no loss to ask; `raw` says so with scikit-learn's own error.
        return np.asarray(self.loss_.predict(self.raw(X, exposure))) if hasattr(self, "loss_") else self.raw(X)


def _gives_probabilities(model: Any) -> bool:
    loss = getattr(model, "loss_", model.loss)
    return loss is None or predictions.implies_probability(loss)


@strict_class
class LossClassifier(ClassifierMixin, _LossModel):  # type: ignore[misc]
    """A linear model of classes, trained on any loss: the mean loss + alpha / 2 * the sum of the squared coefficients.

    A scikit-learn estimator. Its ``LogisticRegression(C=c)`` is ``alpha=1 / (c * n)`` here. Two classes are coded 0 and
    1 in sorted order, and the second is yes.

    Args:
        loss: the loss to lower; cross-entropy unless given: on one raw output for two classes, on one a class for more.
        alpha, l1_ratio, fit_intercept, solver, max_iter, tol, early_stopping, validation_fraction, random_state: as of
            `LossRegressor`.

    Attributes:
        classes_: the labels in the order of their codes, (K,).
        coef_: the slopes, (1, features) for two classes on one raw output, else (K, features).
        intercept_: the constants, (1,) or (K,).
        loss_, n_iter_, loss_curve_, validation_curve_, certificate_: as of `LossRegressor`.

    Example:
        >>> import goodmeasure as gm
        >>> model = gm.LossClassifier(alpha=0.1).fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
        >>> model.predict([[0.5], [2.5]]).tolist()
        ['no', 'yes']
        >>> model.predict_proba([[1.5]]).round(3)
        array([[0.5, 0.5]])
    """

    classes_: NDArray[Any]

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        monitor: Callable[[int, float], object] | None = None,
    ) -> Self:
        """Fit rows of features to labels of any type.

        Rows of weight zero are not there, whatever they hold: classes that only they have are none.

        Args:
            X: features, (n, features); a sparse table of SciPy stays sparse.
            y: labels, (n,), of at least two classes.
            sample_weight: how much each row counts, (n,); all alike unless given.
            X_val: validation features, (m, features), for ``validation_curve_`` and early stopping.
            y_val: validation labels, (m,).
            monitor: called with (step, objective) after each step.

        Returns:
            The model itself.

        Raises:
            GM003: y has another length than X, or holds several labels a row.
            GM004: a label is missing or complex, or y holds amounts.
            GM006: a weight is negative or not finite, or all are zero.
            GM009: a parameter is out of its limits, the loss is not one for these classes or holds part of itself from its
                signal, or X holds texts, dates or what is not finite.
            GM602: only one class occurs.
        """
        target_column(X, y, type(self).__name__)
        X, y, weight = self._present(sample_weight, X=X, y=y)
        refuse_several(y, "MultiOutputClassifier")
        checked, labels = self._table(X, y)
        if labels.dtype.kind in "OV":
            in_order(labels_in(labels, "y"))
        found = few(labels, _FEW_CLASSES)
        check_labels(labels if found is None else found[0])
        self.classes_, codes = found or np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise NothingToLearn(
                "only one class occurs in y",
                seen=f"{shorter(labels.tolist()[0])} in all rows",
                fix="include rows of another class",
            )
        many = len(self.classes_) > 2
        self.loss_ = self._settled(lambda: losses.cross_entropy() if many else losses.binary_cross_entropy())
        if not (self.loss_.is_classwise or (self.loss_.is_binary and not many)):
            kind = f"{len(self.classes_)} classes" if self.loss_.is_binary else "classes"
            graded = "goodmeasure.LossRegressor(loss), with grades coded 0, 1, 2, ... from the lowest on"
            fix = graded if self.loss_.is_graded else "loss=gm.losses.cross_entropy()"
            raise UsageError(f"{self.loss_} is not a loss for {kind}", fix=fix)
        held = None
        _both(X_val, y_val)
        if X_val is not None:
            target_column(X_val, y_val, type(self).__name__)
            held = (self._table(X_val, reset=False), self._codes(y_val), None, None)
        self._learn(checked, self._coded(codes), weight, None, held, monitor)
        return self

    def _coded(self, codes: NDArray[Any]) -> NDArray[Any]:
        return codes if self.loss_.is_classwise else codes.astype(np.float64)

    def _codes(self, labels: Any) -> NDArray[Any]:
        given = np.asarray(labels)
        found = np.searchsorted(self.classes_, given).clip(0, len(self.classes_) - 1)
        if (self.classes_[found] != given).any():
            raise UsageError("y_val holds labels that y does not", fix=f"labels are {self.classes_.tolist()}")
        return self._coded(found)

    def _outputs(self, y: NDArray[Any]) -> int:
        return len(self.classes_) if self.loss_.is_classwise else 1

    def _shaped(self, slopes: Floats, constants: Floats) -> tuple[Floats, Any]:
        return slopes.T, constants

    def decision_function(self, X: ArrayLike) -> Floats:
        """Scores whose sign (two classes) or largest entry (more) is the predicted class.

        Args:
            X: features, (n, features).

        Returns:
            Log-odds of yes, (n,), or log-probabilities, (n, K), where the loss implies probabilities; else raw outputs.
        """
        z = self.raw(X)
        if z.ndim == 1:
            return z - self._half() if _gives_probabilities(self) else z
        scores = predictions.class_log_probabilities(self.loss_, z) if _gives_probabilities(self) else z
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def _half(self) -> float:
        """The raw output that stands for a probability of one half."""
        if abs(float(np.asarray(self.loss_.predict(np.zeros(1)))[0]) - 0.5) < 1e-12:
            return 0.0
        return float(np.asarray(self.loss_.raw(np.array([0.5])))[0])

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    @strict_keywords
    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probabilities of the classes, free of what weights, focusing or smoothing in the loss do to them.

        It is there where the loss implies a probability: hinge, for one, does not.

        Args:
            X: features, (n, features).

        Returns:
            Probabilities in the order of ``classes_``, (n, K).
        """
        check_is_fitted(self)
        p = np.asarray(self.loss_.predict(self.raw(X)))
        return np.column_stack([1 - p, p]) if p.ndim == 1 else p

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likeliest class of each row.

        For costs that differ, decide from `predict_proba` with `goodmeasure.decide`.

        Args:
            X: features, (n, features).

        Returns:
            Labels, (n,).
        """
        scores = self.decision_function(X)
        codes = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[codes])
