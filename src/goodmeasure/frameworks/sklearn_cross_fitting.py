"""Fitting an estimator on every part of the rows but one, so that each row is predicted by a model that never saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params

from goodmeasure.decisions.decision import decide
from goodmeasure.errors import UsageError
from goodmeasure.fitting.features import in_our_words
from goodmeasure.statistics.row_arguments import Floats

Places: TypeAlias = NDArray[np.intp]
# What a fitted model says of rows, as numbers.
Says: TypeAlias = Callable[[Any, Any], Floats]
Map = TypeVar("Map", bound=Callable[[Floats], Floats])


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """What models said of rows that they never saw: the numbers, which row each is of, and in which part it was left out."""

    said: Floats
    row: Places
    part: Places

    def recalibrated(self, fit: Callable[[Places, Floats], Map]) -> tuple[Floats, Map]:
        """The numbers through maps that never saw them, and the map that is fitted on all."""
        return self._mapped(fit), fit(self.row, self.said)

    def _mapped(self, fit: Callable[[Places, Floats], Map]) -> Floats:
        """The numbers through a map that is fitted, for each part, on the rows and numbers of the others."""
        found = np.empty_like(self.said)
        for k in range(int(self.part.max()) + 1):
            own = self.part == k
            found[own] = fit(self.row[~own], self.said[~own])(self.said[own])
        return found


@dataclass(frozen=True, eq=False)
class FitRows:
    """The rows of a fit that count, and what of them goes to the estimator inside and to the splitter.

    ``at`` are their places among the ``n`` rows that were given: ready-made splits speak of those.
    """

    X: Any
    y: Any
    weight: Floats | None
    at: Places
    n: int
    to_fit: Mapping[str, Any]
    to_split: Mapping[str, Any]

    @property
    def groups(self) -> Any:
        """Which rows go together, where the splits were told."""
        return self.to_split.get("groups")

    def weight_of(self, row: Places) -> Floats | None:
        """The weights of rows; None where all count alike."""
        return None if self.weight is None else self.weight[row]

    def splits(self, cv: Any, *, classifier: bool) -> list[tuple[Places, Places]]:
        """The rows to fit and to leave out of each split."""
        splitter = check_cv(cv, self.y, classifier=classifier)
        if isinstance(cv, Iterable):
            place = np.full(self.n, -1, dtype=np.intp)
            place[self.at] = np.arange(len(self.at))
            moved = [(place[train], place[test]) for train, test in splitter.split()]
            found = [(train[train >= 0], test[test >= 0]) for train, test in moved]
        else:
            found = list(splitter.split(self.X, self.y, **self.to_split))
        if len(found) < 2:
            raise UsageError("one split leaves no rows to judge a rule by", seen=f"cv={cv!r}", fix="cv=5")
        return found

    def cross_fitted(self, estimator: Any, cv: Any, says: Says, n_jobs: int | None, *, classifier: bool) -> CrossFitted:
        """Fit a clone for each split, and ask it about the rows that were left out."""
        splits = self.splits(cv, classifier=classifier)
        with in_our_words(X=self.X):
            said = Parallel(n_jobs=n_jobs)(
                delayed(_left_out)(clone(estimator), self, train, test, says) for train, test in splits
            )
        part = np.repeat(np.arange(len(splits)), [len(test) for _, test in splits])
        return CrossFitted(np.concatenate(said), np.concatenate([test for _, test in splits]), part)

    def decided(self, row: Places, target: Any, predicted: Floats, costs: Any) -> Any:
        """The rule that the costs ask for on predictions of rows; rows of a group go together, and so do repeats of a row."""
        repeats = row if len(np.unique(row)) < len(row) else None
        groups = repeats if self.groups is None else np.asarray(self.groups)[row]
        return decide(target[row], predicted, costs, sample_weight=self.weight_of(row), cluster=groups)


def _left_out(model: Any, rows: FitRows, train: Places, test: Places, says: Says) -> Floats:
    X, y = _safe_split(model, rows.X, rows.y, train)
    model.fit(X, y, **_check_method_params(rows.X, rows.to_fit, train))
    return says(model, _safe_split(model, rows.X, None, test, train)[0])
