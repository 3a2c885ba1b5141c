"""Who learns and who judges while something is chosen: rows to fit and to tune, or folds of both where those to tune are few."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.making.loss import Loss
from goodmeasure.study.cases import Cases
from goodmeasure.study.split import Indices

# Fewer rows to tune than this, or of a label, say which strength is best with less certainty than five folds do.
FEW_TO_TUNE, FEW_OF_A_LABEL = 100, 20
FOLDS = 5
# Of a rare label in more rows than these, 25 fits take long.
MOST_DEALT = 5_000
Turn = tuple[Cases, Cases]


def turns(loss: Loss, fit: Cases, tune: Cases, seed: int) -> list[Turn]:
    """Pairs of rows that a model learns from and rows that judge it: one of those to fit and to tune, or one for each fold.

    Rows in order of time are not dealt, nor are groups without one of which a label is lost.
    """
    outcome = of_labels(loss)
    if tune.when is not None or not _few(fit, tune, outcome=outcome):
        return [(fit, tune)]
    rows = _joined(fit, tune)
    fold = _deal(rows, seed)
    parts = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]
    if not all(len(judges) and _holds(rows.y[learns], rows.y, outcome=outcome) for learns, judges in parts):
        return [(fit, tune)]
    return [(rows.take(learns), rows.take(judges)) for learns, judges in parts]


def of_labels(loss: Loss) -> bool:
    """Whether the targets of a loss are labels, and no amounts."""
    return loss.is_classwise or loss.is_graded or loss.is_binary


def _few(fit: Cases, tune: Cases, *, outcome: bool) -> bool:
    """Whether the rows to tune are too few to choose by, and all rows few enough to be fitted again and again."""
    if len(fit) + len(tune) > MOST_DEALT:
        return False
    rarest = np.unique(tune.y, return_counts=True)[1].min() if outcome else len(tune)
    return len(tune) < FEW_TO_TUNE or rarest < FEW_OF_A_LABEL


def _joined(fit: Cases, tune: Cases) -> Cases:
    """The rows to fit and to tune, without what mistakes cost in them."""
    pairs = {name: (getattr(fit, name), getattr(tune, name)) for name in ("weight", "exposure", "together")}
    parts: dict[str, Any] = {name: None if pair[0] is None else np.concatenate(pair) for name, pair in pairs.items()}
    return Cases(fit.table.joined(tune.table), np.concatenate([fit.y, tune.y]), **parts)


def _deal(rows: Cases, seed: int) -> Indices:
    """The fold of each row: in order of the target, so that each fold has its share of each label and size; or of its group."""
    rng = np.random.default_rng(seed)
    if rows.together is not None:
        _, group = np.unique(rows.together, return_inverse=True)
        return np.asarray((rng.permutation(group.max() + 1) % FOLDS)[group], dtype=np.intp)
    mixed = rng.permutation(len(rows))
    fold = np.empty(len(rows), dtype=np.intp)
    fold[mixed[np.argsort(rows.y[mixed], kind="stable")]] = np.arange(len(rows)) % FOLDS
    return fold


def _holds(learned: NDArray[Any], y: NDArray[Any], *, outcome: bool) -> bool:
    """Whether some targets hold every label of all, or of amounts more than one."""
    found = len(np.unique(learned))
    return found == len(np.unique(y)) if outcome else found > 1
