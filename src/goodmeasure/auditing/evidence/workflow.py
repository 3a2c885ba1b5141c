"""What a program did with its rows: which were split off, which something was fitted on, and which it was judged on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.columns import answer

COMPARED = 20_000  # rows that are compared one by one
_OF_NUMBERS = frozenset(
    ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "median_absolute_error", "r2_score"]
)
_FEW_CLASSES, _MOST = 20, 0.8
_ENOUGH = 12  # numbers whose order is no chance
# Metrics that give the same when their arguments change places.
_EXCHANGEABLE = frozenset(
    [
        "accuracy_score",
        "f1_score",
        "jaccard_score",
        "cohen_kappa_score",
        "matthews_corrcoef",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
        "median_absolute_error",
        "max_error",
        "adjusted_rand_score",
    ]
)


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit: of what, on which rows, and on which line."""

    estimator: Any
    X: Any
    y: Any
    weight: Any
    where: str
    stopping: tuple[Any, ...] = ()  # the tables on which it was decided when to stop
    metric: Any = None  # the program's own, by which it was


@dataclass(frozen=True, eq=False)
class Output:
    """What an estimator said about some rows, and how it was asked."""

    estimator: Any
    method: str
    X: Any
    result: Any
    where: str


@dataclass(frozen=True, eq=False)
class Splitting:
    """Arrays that were split, and the parts, training part and held-out part of each in turn."""

    arrays: tuple[Any, ...]
    parts: tuple[Any, ...]
    where: str
    folds: bool = False  # the first of several: what is held out here is trained on in the others

    @property
    def held_out(self) -> tuple[Any, ...]:
        """The held-out parts."""
        return self.parts[1::2]


@dataclass(frozen=True, eq=False)
class Measurement:
    """One call of a metric: what it was given as the truth, and as what was said."""

    name: str
    function: Any
    truth: Any
    said: Any
    where: str


@dataclass(eq=False)
class Workflow:
    """Everything that a program fitted, split, predicted and measured, in order."""

    events: list[Fit | Output | Splitting | Measurement] = field(default_factory=list)
    taught: list[Any] = field(default_factory=list)  # the targets of losses that were seen elsewhere in the program
    _rows: dict[int, frozenset[bytes] | None] = field(default_factory=dict)

    @classmethod
    def gather(cls, dossier: Dossier) -> Workflow:
        (seen,) = dossier.case.need("workflow")
        return seen  # type: ignore[no-any-return]

    def __deepcopy__(self, _: dict[int, Any]) -> Workflow:
        return self

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of this kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def size(self, X: Any) -> int:
        """How many rows a table has."""
        return _length(X)

    def rows(self, X: Any) -> frozenset[bytes] | None:
        """The rows of a table as a set, or ``None`` where they cannot be compared."""
        if id(X) not in self._rows:
            self._rows[id(X)] = _rows(X)
        return self._rows[id(X)]

    def within(self, few: Any, many: Any) -> float:
        """The share of the rows of one table that stand in another."""
        one, two = self.rows(few), self.rows(many)
        return len(one & two) / len(one) if one and two else 0.0

    def outputs_of(self, transformer: Any) -> list[Output]:
        """What a transformer made of tables."""
        return [o for o in self.of(Output) if o.estimator is transformer and o.method in ("transform", "fit_transform")]

    def feeds(self, transformer: Any, *, depth: int = 4) -> bool:
        """Whether a model learns targets from what a transformer made, or from what another made of that."""
        made = [output.result for output in self.outputs_of(transformer)]
        for fit in self.of(Fit):
            if fit.estimator is transformer or not any(self._derived(fit.X, table) for table in made):
                continue
            if hasattr(fit.estimator, "predict"):
                if fit.y is not None:
                    return True
            elif depth and self.feeds(fit.estimator, depth=depth - 1):
                return True
        return False

    def _derived(self, table: Any, source: Any) -> bool:
        """Whether a table consists of rows of another, or has a column of it."""
        return table is source or self.within(table, source) > 0.99 or _shared_column(table, source)

    def leaked(self) -> Iterator[tuple[Fit, Splitting, float]]:
        """Transformers that were fitted on rows which are held out, and change what they make of them by it."""
        for split in self.of(Splitting):
            for fit in self.of(Fit):
                if _learns_rows(fit.estimator) and self._saw(fit, split) and self.feeds(fit.estimator):
                    changed = _changed_by_half(fit)
                    if changed > 0.5:
                        yield fit, split, changed

    def _saw(self, fit: Fit, split: Splitting) -> bool:
        """Whether a transformer was fitted on training and held-out rows together, before or after they were parted."""
        made = [output.result for output in self.outputs_of(fit.estimator)]
        whole = [array for array in split.arrays if _length(array) == _length(fit.X)]
        if any(array is table or _shared_column(array, table) for array in whole for table in made):
            return self.events.index(fit) < self.events.index(split)
        if split.folds and _length(fit.X) != _length(split.arrays[0]):
            return False
        held = [part for part in split.held_out if np.ndim(part) == np.ndim(fit.X)]
        return any(self.within(part, fit.X) > 0.99 and _length(part) < 0.9 * _length(fit.X) for part in held)

    def refitted(self) -> Iterator[tuple[Fit, Fit]]:
        """Transformers that were fitted on the training rows and then, by themselves, on the held-out rows."""
        fits = [fit for fit in self.of(Fit) if _learns_rows(fit.estimator)]
        held = [part for split in self.of(Splitting) for part in split.held_out]
        for number, later in enumerate(fits):
            earlier = [one for one in fits[:number] if type(one.estimator) is type(later.estimator)]
            if earlier and any(self._same_rows(later.X, part) for part in held) and self._judged_on(later):
                yield earlier[-1], later

    def _same_rows(self, one: Any, two: Any) -> bool:
        return one is two or (_length(one) == _length(two) and self.within(one, two) > 0.99)

    def _judged_on(self, fit: Fit) -> bool:
        made = [output.result for output in self.outputs_of(fit.estimator)]
        asked = [o for o in self.of(Output) if o.method not in ("transform", "fit_transform")]
        return any(self._same_rows(output.X, table) for output in asked for table in made)

    def judged_on_known_rows(self) -> Iterator[tuple[Fit, Output]]:
        """Judgements on held-out rows of an estimator that was fitted on these same rows."""
        for output in self.of(Output):
            fit = self._last_fit(output)
            if fit is None or not self._measured(output) or _length(output.X) > 0.6 * _length(fit.X):
                continue
            apart = [s for s in self.of(Splitting) if any(_length(part) == _length(output.X) for part in s.held_out)]
            if not any(self.within(*s.parts[1::-1]) < 0.5 for s in apart if len(s.parts) > 1):
                continue
            if self.within(output.X, fit.X) > 0.99:
                yield fit, output

    def stopped_on_judged_rows(self) -> Iterator[tuple[Fit, Output]]:
        """Judgements on the very rows on which it was decided when to stop, where no other rows are judged."""
        for output in self.of(Output):
            fit = self._last_fit(output)
            if fit is None or not fit.stopping or not self._measured(output):
                continue
            judged = [o for o in self.of(Output) if o.estimator is fit.estimator and self._measured(o)]
            known = (*fit.stopping, fit.X)
            if all(any(self._same_rows(o.X, table) for table in known) for o in judged):
                yield fit, output

    def stopped_by_known_rows(self) -> Iterator[Fit]:
        """Fits that stop by nothing but the rows on which they are fitted."""
        for fit in self.of(Fit):
            if fit.stopping and all(self._same_rows(table, fit.X) for table in fit.stopping):
                yield fit

    def _last_fit(self, output: Output) -> Fit | None:
        before = self.events[: self.events.index(output)]
        fits = [e for e in before if isinstance(e, Fit) and e.estimator is output.estimator]
        return fits[-1] if fits else None

    def _measured(self, output: Output) -> bool:
        return output.method == "score" or any(_follows(metric.said, output.result) for metric in self.of(Measurement))

    def known_answers(self) -> Iterator[tuple[Fit, int]]:
        """Fits of predictors to tables one of whose columns is the target."""
        for fit in self.of(Fit):
            if fit.y is None or not hasattr(fit.estimator, "predict") or hasattr(fit.X, "tocsr") or np.ndim(fit.X) != 2:
                continue
            table, y = (np.asarray(part) for part in (fit.X, fit.y))
            if table.dtype.kind in "fiub" and y.dtype.kind in "fiub" and y.ndim == 1:
                column = answer(table.astype(float), y.astype(float))
                if column is not None:
                    yield fit, column

    def copied_over(self) -> Iterator[tuple[Splitting, Any, float, float]]:
        """Splits whose held-out rows of one class are mostly copies of training rows, while those of another are not.

        The split, the class, and the share of copies in it and among all others.
        """
        for split in self.of(Splitting):
            if len(split.parts) < 4 or split.folds:
                continue
            (train, held), labels = split.parts[:2], _labels(split.parts[3])
            known = self.rows(train)
            if known is None or self.rows(held) is None or labels is None or len(labels) != _length(held):
                continue
            rows = np.array(_in_order(np.asarray(held)), dtype=object)
            copied = np.array([row in known for row in rows])
            for label in np.unique(labels) if len(np.unique(labels)) <= _FEW_CLASSES else ():
                own = labels == label
                if len(set(rows[own])) >= _ENOUGH and (~own).sum() >= _ENOUGH:
                    here, there = float(copied[own].mean()), float(copied[~own].mean())
                    if here > _MOST and there < 1 - _MOST:
                        yield split, label, here, there

    def on_another_scale(self) -> Iterator[tuple[Measurement, Fit, float]]:
        """Metrics of predictions on the scale of the training targets, against a truth that was never scaled.

        The metric, the scaler of the targets, and the share of the squared error that is left once the scale is undone.
        """
        for metric in self.of(Measurement):
            truth, said = (_column(part) for part in (metric.truth, metric.said))
            if metric.name not in _OF_NUMBERS or truth is None or said is None or len(truth) != len(said):
                continue
            for scaler in self.of(Fit):
                if self._scales_targets(scaler, truth) and (left := _left_of_the_error(scaler.estimator, truth, said)):
                    yield metric, scaler, left
                    break

    def _scales_targets(self, fit: Fit, truth: np.ndarray[Any, Any]) -> bool:
        """Whether a transformer was fitted on the targets beside these, and a model learned what it made of them."""
        column = _column(fit.X)
        if column is None or not hasattr(fit.estimator, "inverse_transform"):
            return False
        pairs = [
            pair for split in self.of(Splitting) for pair in zip(split.parts[::2], split.parts[1::2], strict=False)
        ]
        beside = any(_equal(column, _column(one)) and _equal(truth, _column(two)) for one, two in pairs)
        made = [_column(output.result) for output in self.outputs_of(fit.estimator)]
        learned = [*(one.y for one in self.of(Fit) if hasattr(one.estimator, "predict")), *self.taught]
        return beside and any(_all_of(_column(y), one) for y in learned for one in made)

    def swapped(self) -> Iterator[Measurement]:
        """Metrics that were given predictions as the truth."""
        said = [output.result for output in self.of(Output) if output.method != "score"]
        known = [part for split in self.of(Splitting) for part in split.parts] + [fit.y for fit in self.of(Fit)]
        for metric in self.of(Measurement):
            truth_is_said = any(_same(metric.truth, one) for one in said)
            if metric.name not in _EXCHANGEABLE and truth_is_said and any(_part_of(metric.said, one) for one in known):
                yield metric


def _part_of(one: Any, two: Any) -> bool:
    """Whether these are the same column, or rows of one and the same column."""
    if one is two:
        return True
    if type(one) is not type(two) or np.ndim(one) != 1:
        return False
    named = getattr(one, "name", None)  # columns of a frame, of which its parts may be copies
    if named is not None and named == getattr(two, "name", None):
        return True
    return isinstance(one, np.ndarray) and _whole(one) is _whole(two)


def _whole(column: np.ndarray[Any, Any]) -> Any:
    """The array that holds the numbers of another."""
    return column if column.base is None else column.base


def _labels(values: Any) -> np.ndarray[Any, Any] | None:
    labels = np.asarray(values)
    labels = labels.astype(str) if labels.dtype.kind == "O" else labels
    return labels if labels.ndim == 1 and labels.dtype.kind in "iubU" else None


def _in_order(array: np.ndarray[Any, Any]) -> list[bytes]:
    """The rows of a table, each as one value."""
    if array.dtype.kind in "OUS":
        return [repr(row).encode() for row in array.tolist()]
    return [row.tobytes() for row in np.ascontiguousarray(array.reshape(len(array), -1).astype(float))]


def _column(values: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of a target, one a row; None where it is no single column of numbers."""
    if values is None or hasattr(values, "tocsr"):
        return None
    array = np.asarray(values)
    flat = array.reshape(-1) if array.ndim in (1, 2) and array.size == len(array) else None
    return flat.astype(float) if flat is not None and flat.dtype.kind in "fiu" and flat.size >= _ENOUGH else None


def _equal(one: np.ndarray[Any, Any] | None, two: np.ndarray[Any, Any] | None) -> bool:
    return one is not None and two is not None and one.shape == two.shape and bool(np.allclose(one, two))


def _all_of(few: np.ndarray[Any, Any] | None, many: np.ndarray[Any, Any] | None) -> bool:
    """Whether all numbers of one column stand in another, up to their rounding to single precision."""
    if few is None or many is None:
        return False
    known = np.sort(many)
    at = np.searchsorted(known, few).clip(1, len(known) - 1)
    nearest = np.minimum(np.abs(few - known[at]), np.abs(few - known[at - 1]))
    return bool((nearest <= 1e-5 * (1 + np.abs(few))).all())


def _left_of_the_error(scaler: Any, truth: np.ndarray[Any, Any], said: np.ndarray[Any, Any]) -> float:
    """The share of the squared error that is left once predictions are brought back; 0 where it is not most that goes."""
    undone = np.asarray(scaler.inverse_transform(said.reshape(-1, 1)), dtype=float).reshape(-1)
    before, after = float(((truth - said) ** 2).mean()), float(((truth - undone) ** 2).mean())
    return after / before if before > 0 and after < 0.25 * before else 0.0


def _same(one: Any, two: Any) -> bool:
    """Whether these are the same numbers in the same place."""
    if one is two:
        return True
    both = isinstance(one, np.ndarray) and isinstance(two, np.ndarray)
    return both and one.size > 0 and bool(np.shares_memory(one, two))


def _follows(said: Any, result: Any) -> bool:
    """Whether these are the same numbers, or one and the same rising function of them: labels that were cut from scores."""
    if _same(said, result):
        return True
    one, two = np.asarray(said), np.asarray(result)
    two = two.argmax(1) if two.ndim == 2 and one.ndim == 1 and two.shape[1] > 1 else two.ravel()
    if one.shape != two.shape or one.size < _ENOUGH or one.dtype.kind not in "biuf" or two.dtype.kind not in "biuf":
        return False
    order = np.lexsort((one, two))
    one, two = one[order].astype(float), two[order]
    level = np.diff(two) == 0
    return bool(one[0] < one[-1] and (np.diff(one) >= 0).all() and (np.diff(one)[level] == 0).all())


def _length(X: Any) -> int:
    """The rows of a table, or of the container of a booster."""
    shape = getattr(X, "shape", None)
    if shape:
        return int(shape[0])
    counted = getattr(X, "num_row", getattr(X, "num_data", None))
    return int(counted()) if callable(counted) else len(X) if hasattr(X, "__len__") else 0


def _rows(X: Any) -> frozenset[bytes] | None:
    if not np.ndim(X) or hasattr(X, "tocsr") or not 0 < _length(X) <= COMPARED:
        return None
    return frozenset(_in_order(np.asarray(X)))


def _shared_column(table: Any, source: Any) -> bool:
    """Whether two tables of as many rows have a column in common that is not constant."""
    if _length(table) != _length(source) or hasattr(table, "tocsr") or hasattr(source, "tocsr"):
        return False
    one, two = (np.asarray(part) for part in (table, source))
    if one.dtype.kind not in "fiu" or two.dtype.kind not in "fiu" or one.ndim != 2 or two.ndim != 2:
        return False
    first = two[:, 0]
    return bool(np.ptp(first) > 0) and bool((one == first[:, None]).all(0).any())


def _learns_rows(estimator: Any) -> bool:
    """Whether an estimator is a transformer of features."""
    if not hasattr(estimator, "transform") or hasattr(estimator, "predict"):
        return False
    names = list(inspect.signature(estimator.fit).parameters)
    return bool(names) and names[0] != "y"  # an encoder of targets


def _changed_by_half(fit: Fit) -> float:
    """The share of rows that a transformer makes something else of when it is fitted on the other half of the rows."""
    from sklearn.base import clone

    n = _length(fit.X)
    half = np.random.default_rng(0).permutation(n)
    seen, unseen = half[: n // 2], half[n // 2 :]
    try:
        twin = clone(fit.estimator).fit(_taken(fit.X, seen), None if fit.y is None else _taken(fit.y, seen))
        with_all = clone(fit.estimator).fit(fit.X, fit.y)
        one, two = (part.transform(_taken(fit.X, unseen)) for part in (twin, with_all))
    except Exception:  # a transformer that needs every row, or a table that is not taken apart by rows: no evidence
        return 0.0
    one, two = (np.asarray(part.todense() if hasattr(part, "todense") else part) for part in (one, two))
    if one.shape != two.shape or one.dtype.kind != "f":
        return 0.0 if one.shape == two.shape else 1.0
    return float((~np.isclose(one, two, rtol=1e-9, atol=1e-12, equal_nan=True)).any(1).mean())


def _taken(X: Any, rows: np.ndarray[Any, Any]) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return [X[i] for i in rows] if isinstance(X, (list, tuple)) else X[rows]
