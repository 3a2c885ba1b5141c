"""What a forecast of several numbers a row costs: the CRPS of an ensemble, as it stands or of what it is drawn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.errors import ShapeMismatch
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats, MissingScore, Places, PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords


@strict_keywords
def ensemble_crps(
    y: ArrayLike,
    members: ArrayLike,
    *,
    fair: bool = False,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> Estimate:
    """Estimate the continuous ranked probability score of forecasts that are several numbers a row, equally likely.

    It is how far members lie from the target on average, minus half of how far they lie from each other: of one number
    the absolute error. More members of the same kind score better, and best are those that spread less than they should;
    ``fair`` tells what infinitely many would score of which these are drawn, and asks members to spread as targets do.

    Args:
        y: held-out targets, (n,).
        members: the numbers that each row may become, (n, M), in any order and in the unit of the targets.
        fair: whether members are a draw from what is forecast, and not the forecast itself; they are two or more then.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        The mean score, in the unit of the targets; less is better.

    Raises:
        GM003: the members are no table, one alone is to be fair, or a column has another length.
        GM004: a target is not a finite number.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM009: ``cluster`` and ``time`` are both given.
        GM702: a member is not a finite number.
        GM705: all rows are in one cluster, or have the same time.
        GM706: numbers are so large or so small that their squares are not numbers.

    Source:
        Gneiting and Raftery 2007, Strictly proper scoring rules; Ferro 2014, Fair scores for ensemble forecasts.

    Example:
        >>> import goodmeasure as gm
        >>> print(gm.ensemble_crps([1.0, 2.0, 4.0], [[0.0, 2.0], [1.0, 3.0], [2.0, 5.0]]))
        0.5833 [0.2248, 1.76] · n=3
        >>> gm.ensemble_crps([1.0, 2.0, 4.0], [[0.0, 2.0], [1.0, 3.0], [2.0, 5.0]], fair=True).value
        0.0
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, members=members, cluster=cluster, time=time)
    return Sample.of(rows, level).mean(_scores(rows, "members", fair=fair))


@strict_keywords
def compare_ensembles(
    y: ArrayLike,
    members_a: ArrayLike,
    members_b: ArrayLike,
    *,
    fair: bool = False,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> Difference:
    """Tell which of two ensembles forecasts the same rows better by the CRPS, the first minus the second.

    Args:
        y: held-out targets, (n,).
        members_a: the numbers that each row may become, as the first forecast has it, (n, M).
        members_b: the same of the second, (n, L), of as many numbers or of others.
        fair: whether members are draws from what is forecast: an ensemble is then not better for having more of them.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        The difference of the mean scores; below zero the first ensemble is better.

    Raises:
        GM003: the members are no table, one alone is to be fair, or a column has another length.
        GM004: a target is not a finite number.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM009: ``cluster`` and ``time`` are both given.
        GM702: a member is not a finite number.
        GM705: all rows are in one cluster, or have the same time.
        GM706: numbers are so large or so small that their squares are not numbers.

    Example:
        >>> import goodmeasure as gm
        >>> y = [0.1 * i for i in range(40)]
        >>> near, far = ([[each - by, each, each + by] for each in y] for by in (0.1, 3.0))
        >>> gm.compare_ensembles(y, near, far).verdict
        'better'
    """
    rows = row_arguments.present(
        sample_weight, weights_mean, y=y, members_a=members_a, members_b=members_b, cluster=cluster, time=time
    )
    first, second = (_scores(rows, name, fair=fair) for name in ("members_a", "members_b"))
    return Sample.of(rows, level).difference(first - second)


def _scores(rows: PresentRows, name: str, *, fair: bool) -> Floats:
    """The score of each row, (n,)."""
    table = rows.read(_members, name, least=2 if fair else 1)
    return crps_of_rows(rows.read(row_arguments.target_amounts, "y"), table, fair=fair)


def _members(values: ArrayLike, name: str, *, least: int, at: Places = None) -> Floats:
    """Finite numbers, several a row, (n, M). Errors: GM003, GM702, GM706."""
    table = numbers_of(values, name, MissingScore)
    if table.ndim != 2 or table.shape[1] < least:
        raise ShapeMismatch(
            f"{name} are a table with a row for each target" + (", and fair ones are two or more" if least > 1 else ""),
            where=name,
            seen=f"an array of shape {table.shape}",
            fix="give an array of shape (rows, members)" if least == 1 else "fair=False, or more members",
        )
    return row_arguments.in_range(table.astype(np.float64, copy=False), name, at=at)


def crps_of_rows(y: Floats, members: Floats, *, fair: bool) -> Floats:
    """The CRPS of each row: the integral over all thresholds of the squared miss of the share of members below, (n,).

    Between two members in order that share is a step, so that the integral is a sum over their gaps, of which the part below
    the target counts with the share of members below, and the part above with that of those above. Nothing is subtracted,
    and no digit is lost. Fair are products of two members that differ in place of squares.
    """
    ordered = np.sort(members, axis=1)
    count = ordered.shape[1]
    below = np.arange(1.0, count)
    squares = [k * (k - 1) / (count * (count - 1)) if fair else (k / count) ** 2 for k in (below, count - below)]
    split = np.clip(y[:, None], ordered[:, :-1], ordered[:, 1:])
    within = (split - ordered[:, :-1]) @ squares[0] + (ordered[:, 1:] - split) @ squares[1]
    return np.asarray(within + np.maximum(ordered[:, 0] - y, 0) + np.maximum(y - ordered[:, -1], 0))
