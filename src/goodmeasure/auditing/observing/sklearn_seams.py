"""What a program does with scikit-learn and what follows its interface: fits, outputs, splits and metrics, as they are called."""

from __future__ import annotations

import copy
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.evidence.workflow import Fit, Measurement, Output, Splitting, Workflow
from goodmeasure.auditing.observing.seams import Seams

_FITS = ("fit", "fit_transform", "fit_predict", "fit_resample")
_SAYS = ("predict", "predict_proba", "decision_function", "transform", "score")
_MANY = 400  # events that are kept


class Calls:
    """The calls of a program that are its own: those made inside another are that one's affair."""

    def __init__(self) -> None:
        self.workflow: Workflow = Workflow()
        self._depth = 0
        self._thread = threading.get_ident()

    def outermost(self) -> bool:
        """Whether a call that begins now is the program's own, and there is room for it."""
        return not self._depth and threading.get_ident() == self._thread and len(self.workflow.events) < _MANY

    def within(self, run: Callable[[], Any]) -> Any:
        """Make a call; what it calls in turn is not written down."""
        self._depth += 1
        try:
            return run()
        finally:
            self._depth -= 1

    def parted(self) -> bool:
        """Whether the program itself held rows out so far."""
        return any(split.parts for split in self.workflow.of(Splitting))

    def note(self, event: Any) -> None:
        """Write an event down."""
        self.workflow.events.append(event)


def install_base(seams: Seams, calls: Calls) -> None:
    """Watch the methods of every estimator, those that are defined later too."""
    base = sys.modules["sklearn.base"]

    def make(run: Any) -> Any:
        def __init_subclass__(kind: type[Any], /, **kwargs: Any) -> None:
            run.__func__(kind, **kwargs)
            _watch(seams, kind, calls)

        return classmethod(__init_subclass__)

    known = [base.BaseEstimator, *(kind for kind in vars(base).values() if isinstance(kind, type))]
    for kind in dict.fromkeys(part for one in known for part in _family(one)):
        _watch(seams, kind, calls)
    seams.replace(base.BaseEstimator, "__init_subclass__", make)


def _family(kind: type) -> Iterator[type]:
    if kind.__module__.startswith("sklearn") or any(c.__module__.startswith("sklearn") for c in kind.__mro__):
        yield kind
        subclasses: list[type] = kind.__subclasses__()
        for sub in subclasses:
            yield from _family(sub)


def _watch(seams: Seams, kind: type, calls: Calls) -> None:
    for name in (*_FITS, *_SAYS):
        found = vars(kind).get(name)
        if isinstance(found, FunctionType):
            seams.replace(kind, name, partial(_method, name, calls))
        elif isinstance(getattr(found, "fn", None), FunctionType):
            seams.replace(kind, name, partial(_method_where_there_is_one, name, calls))


def _method_where_there_is_one(name: str, calls: Calls, found: Any) -> Any:
    """A method that a pipeline or a search has where what it holds has it."""
    twin = copy.copy(found)
    twin.fn = functools.update_wrapper(_method(name, calls, found.fn), found.fn)
    return twin


def _method(name: str, calls: Calls, run: Any) -> Any:
    def method(self: Any, X: Any = None, *args: Any, **kwargs: Any) -> Any:
        given = (X, *args) if X is not None or args else ()
        if not calls.outermost():
            return run(self, *given, **kwargs)
        where = user_line()
        result = calls.within(lambda: run(self, *given, **kwargs))
        table = kwargs.get("X") if X is None else X
        if name in _FITS:
            y = args[0] if args else kwargs.get("y")
            if hasattr(self, "best_score_") and not calls.parted():
                calls.note(Splitting((table, y), (), where))  # a search holds rows out by itself
            calls.note(
                Fit(self, table, y, kwargs.get("sample_weight"), where, _stopping(self, kwargs), _own_metric(kwargs))
            )
        if name not in ("fit", "fit_predict"):
            calls.note(Output(self, name, table, result, where))
        return result

    return method


def _stopping(estimator: Any, given: dict[str, Any]) -> tuple[Any, ...]:
    """The tables on which a booster decides when it stops."""
    rounds = getattr(estimator, "early_stopping_rounds", None) or getattr(estimator, "early_stopping_round", None)
    if (
        not rounds
        and not stops_early(given.get("callbacks"))
        and not stops_early(getattr(estimator, "callbacks", None))
    ):
        return ()
    pairs = given.get("eval_set")
    if pairs is None:
        return (given["eval_X"],) if given.get("eval_X") is not None else ()
    return tuple(pair[0] for pair in (pairs if isinstance(pairs, list) else [pairs]))


def _own_metric(given: dict[str, Any]) -> Any:
    """The function by which a booster is told to judge its rounds."""
    asked = given.get("eval_metric")
    return next((one for one in (asked if isinstance(asked, list) else [asked]) if callable(one)), None)


def stops_early(callbacks: Any) -> bool:
    """Whether one of these callbacks of a booster ends its training."""
    return any("earlystopping" in type(hook).__name__.lower().replace("_", "") for hook in callbacks or ())


def install_splits(seams: Seams, calls: Calls) -> None:
    """Watch the functions that part rows."""

    def make(run: Any) -> Any:
        def train_test_split(*arrays: Any, **kwargs: Any) -> Any:
            parts = run(*arrays, **kwargs)
            if calls.outermost():
                calls.note(Splitting(arrays, tuple(parts), user_line()))
            return parts

        return train_test_split

    def make_folds(run: Any) -> Any:
        def cross_validation(estimator: Any, X: Any, y: Any = None, **kwargs: Any) -> Any:
            if calls.outermost():
                calls.note(Splitting((X, y), (), user_line()))
            return run(estimator, X, y, **kwargs)

        return cross_validation

    def make_split(run: Any) -> Any:
        def split(self: Any, X: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
            own, where = calls.outermost(), user_line()
            for train, test in run(self, X, y, *args, **kwargs):
                if own:
                    arrays = (X,) if y is None else (X, y)
                    parts = [_taken(array, rows) for array in arrays for rows in (train, test)]
                    calls.note(Splitting(arrays, tuple(parts), where, folds=True))
                    own = False  # the first fold says all
                yield train, test

        return split

    module = sys.modules["sklearn.model_selection"]
    seams.replace(module, "train_test_split", make)
    for kind in dict.fromkeys(part for one in vars(module).values() if isinstance(one, type) for part in one.__mro__):
        if isinstance(vars(kind).get("split"), FunctionType) and kind.__module__ == "sklearn.model_selection._split":
            seams.replace(kind, "split", make_split)
    for name in ("cross_val_score", "cross_validate", "cross_val_predict"):
        seams.replace(module, name, make_folds)


def _taken(X: Any, rows: Any) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return [X[i] for i in rows] if isinstance(X, (list, tuple)) else X[rows]


def install_metrics(seams: Seams, calls: Calls) -> None:
    """Watch every metric of two arrays."""
    module = sys.modules["sklearn.metrics"]
    for name in module.__all__:
        if isinstance(getattr(module, name), FunctionType) and name.endswith(_MEASURES):
            seams.replace(module, name, partial(_metric, name, calls))


_MEASURES = ("_score", "_loss", "_error", "_deviance", "_report", "_matrix", "_curve", "matthews_corrcoef")


def _metric(name: str, calls: Calls, run: Any) -> Any:
    def metric(*args: Any, **kwargs: Any) -> Any:
        if calls.outermost():
            pair = [*args[:2], *(kwargs[key] for key in _NAMES if key in kwargs)]
            if len(pair) == 2:
                calls.note(Measurement(name, run, pair[0], pair[1], user_line()))
        return calls.within(lambda: run(*args, **kwargs))

    return metric


_NAMES = ("y_true", "y_pred", "y_score", "y_prob", "y_proba")
