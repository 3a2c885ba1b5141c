"""What a fit asks of its table of features: products forth to raw outputs and back to slopes, and of columns with each other.

A table is an array, or one of mostly zeros (CSR), which stays as it is. One of many cells is read a block at a time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import loops
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.statistics.row_arguments import Floats

# Cells of a block, which stays near the core between the way forth and the way back; rows of one whose columns are multiplied.
_CELLS, _ROWS = 1 << 19, 2048
# Rows of more columns are in blocks as long as theirs: shorter ones take longer to ask for than to read.
_WIDEST = 1024
# Cells that stay with a core on the way forth and back where no Python is in between.
_KEPT = 1 << 16
# Up to so many products OpenBLAS multiplies at once, without packing, which takes less time than half of the products packed.
_SMALL = 1_000_000
# From so many cells on compiled loops are worth the time that they take to load.
MANY = 1 << 20
# From so many where they are loaded anyway: of more, BLAS deals products to threads, which wait for each other.
SOME = 1 << 18
# Where the mean square of a column about its middle is less than this part of that of the middle, a difference loses digits.
_CANCELS = 1e-6


@cache
def _blas() -> Any:
    """SciPy's BLAS, which takes a while to load."""
    from scipy.linalg import blas

    return blas


def is_sparse(features: Any) -> bool:
    """Whether a table is one of mostly zeros."""
    return not isinstance(features, np.ndarray)


def blocks(features: Any) -> list[slice]:
    """The rows, as many at a time as stay near a core; all at once of a table of mostly zeros."""
    count, width = features.shape
    size = max(count if is_sparse(features) else _CELLS // min(max(width, 1), _WIDEST), 1)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def runs(features: Any) -> list[slice]:
    """The rows, so many at a time as columns are multiplied of."""
    return [slice(start, start + _ROWS) for start in range(0, features.shape[0], _ROWS)]


def room(width: int, many: int = 1) -> int:
    """How many rows of so many cells stay with a core: whole chunks of kernels, which so many vectors meet at once."""
    cells = max(width, 1)
    return max(min(_KEPT // cells, _SMALL // (cells * many) if many > 1 else _KEPT) // CHUNK, 1) * CHUNK


def together(width: int) -> int:
    """How many vectors rows of so many cells meet at once."""
    return max(_SMALL // (CHUNK * max(width, 1)), 1)


def run_of(features: Any, rows: slice) -> Any:
    """The rows from one place to another; a table of mostly zeros would be copied where that is all of them."""
    return features if rows.start == 0 and rows.stop == features.shape[0] else features[rows]


def by_loops(features: Any, *, loaded: bool = False) -> bool:
    """Whether compiled loops read the table: they are for rows that lie one after the other, and many."""
    many = SOME if loaded else MANY
    return not is_sparse(features) and features.size >= many and bool(features.flags.c_contiguous)


def forth(features: Any, slopes: Floats, out: Floats, *, compiled: bool) -> None:
    """Write the raw outputs of rows, (rows, outputs), before constants are added."""
    if not compiled or slopes.shape[1] > 1:
        out[:] = features @ slopes
        return
    loops.forth(features, np.ascontiguousarray(slopes[:, 0]), out[:, 0])


def raw(features: Any, w: Floats, *, ones: bool) -> Floats:
    """The raw output of each row, the last number of ``w`` being a constant if there is one."""
    slopes, out = w[: features.shape[1], None], np.empty((features.shape[0], 1))
    forth(features, slopes, out, compiled=by_loops(features))
    if ones:
        out += w[-1]
    return out[:, 0]


def pull(features: Any, signal: Floats, *, ones: bool) -> Floats:
    """A signal of each row as one of each slope, and of the constant if there is one."""
    found = back(features, signal[:, None], compiled=by_loops(features))[:, 0]
    return np.append(found, signal.sum()) if ones else found


def largest(table: Floats) -> Floats:
    """The largest size in each column."""
    if table.shape[1] == 1 and len(table):
        found: Floats = np.abs(table[_blas().idamax(table[:, 0])])  # which makes no table of the sizes
    else:
        found = np.maximum(table.max(axis=0, initial=0), -table.min(axis=0, initial=0))
    return found


def sizes(table: Floats) -> Floats:
    """The sum of the sizes in each column."""
    if table.shape[1] == 1 and len(table):
        return np.array([_blas().dasum(table[:, 0])])
    found: Floats = np.abs(table).sum(axis=0)
    return found


def back(features: Any, signal: Floats, *, compiled: bool) -> Floats:
    """A signal of each row and raw output as one of each slope, (features, outputs)."""
    if not compiled or signal.shape[1] > 1:
        # BLAS takes twice as long where the long side of a small result comes first.
        return np.asarray(features.T @ signal) if is_sparse(features) else (signal.T @ features).T
    out = np.zeros((features.shape[1], 1))
    loops.back(features, np.ascontiguousarray(signal[:, 0]), out[:, 0])
    return out


def moments(features: Any, weight: Floats | None) -> tuple[Floats, Floats]:
    """The weighted mean of each column, and its standard deviation, to the last digits of columns that hardly vary."""
    rows = features.shape[0]
    if is_sparse(features):
        share = np.full(rows, 1 / rows) if weight is None else weight / weight.sum()
        cells = canonical(features)
        # The rounding of a mean is no spread of a column of one number.
        low, high = (np.asarray(end(axis=0).toarray()).ravel() for end in (cells.min, cells.max))
        mean = np.where(low == high, high, features.T @ share)
        by_row = np.repeat(share, np.diff(cells.indptr))
        width = features.shape[1]
        stored = np.bincount(cells.indices, by_row, width)
        square = np.bincount(cells.indices, by_row * (cells.data - mean[cells.indices]) ** 2, width)
        return mean, np.sqrt(square + np.maximum(1 - stored, 0) * mean**2)
    if by_loops(features):
        mean, square = np.zeros(features.shape[1]), np.zeros(features.shape[1])
        if weight is None:
            loops.moments(features, mean, square)
        else:
            loops.weighed_moments(features, weight, mean, square)
        total = rows if weight is None else weight.sum()
        mean, square = mean / total, square / total
        if ((square - mean**2 > _CANCELS * mean**2) | (square == 0)).all():
            return mean, np.sqrt(square - mean**2)
    # The rounding of a mean is no spread of a column of one number.
    even = (features == features[0]).all(axis=0)
    mean = np.where(even, features[0], np.average(features, axis=0, weights=weight))
    counts = np.ones(len(features)) if weight is None else weight
    square = np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        away = features[start : start + _ROWS] - mean
        away *= away
        square += counts[start : start + _ROWS] @ away
    return mean, np.sqrt(square / counts.sum())


def gram(features: Any, by_row: Floats | None, beside: Any = (), *, single: bool = False) -> Floats:
    """``table' diag(by_row) table``, for weights of rows that are not negative (None: one each).

    The table is that of the features, and of columns ``beside`` them: vectors, or the same number in each row. In single
    precision it takes half the time, and has six digits.
    """
    if is_sparse(features):
        return _bordered(features, np.ones(features.shape[0]) if by_row is None else by_row, beside)
    rows, width = features.shape
    rooted = None if by_row is None else np.sqrt(by_row)
    found = np.zeros((width + len(beside),) * 2)
    part = np.empty((min(_ROWS, rows), len(found)), dtype=np.float32 if single else np.float64)
    for start in range(0, rows, _ROWS):
        run = slice(start, start + _ROWS)
        some = part[: min(_ROWS, rows - start)]
        some[:, :width] = features[run]
        for k, column in enumerate(beside):
            some[:, width + k] = column if np.isscalar(column) else column[run]
        if rooted is not None:
            some *= rooted[run, None]
        found += _with_itself(some)
    return found


def between(features: Any, some: Any, by_row: Floats) -> Floats:
    """The products of some columns with all, ``features[:, some]' diag(by_row) features``."""
    if is_sparse(features):
        return np.asarray((times(features[:, some], by_row).T @ features).toarray())
    found = np.zeros((len(some), features.shape[1]))
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS]
        found += (part[:, some] * by_row[start : start + _ROWS, None]).T @ part
    return found


def _with_itself(part: Floats) -> Floats:
    """The products of a table's columns with each other, by the routine of BLAS that takes less time."""
    if part.shape[1] * part.size <= _SMALL and len(part):
        multiply = _blas().sgemm if part.dtype == np.float32 else _blas().dgemm
        found: Floats = multiply(1.0, part.T, part.T, trans_b=True)
        return found
    return part.T @ part


def _bordered(features: Any, by_row: Floats, beside: Any) -> Floats:
    """`gram` of a table of mostly zeros: what is beside it would not be one."""
    full = (
        np.column_stack([np.broadcast_to(column, len(by_row)) for column in beside])
        if beside
        else np.empty((len(by_row), 0))
    )
    edge = features.T @ (by_row[:, None] * full)
    return np.block([[crossed(features, by_row), edge], [edge.T, full.T @ (by_row[:, None] * full)]])


def crossed(features: Any, by_row: Floats) -> Floats:
    """``features' diag(by_row) features``, for weights of rows of either sign."""
    if is_sparse(features):
        found = np.zeros((features.shape[1], features.shape[1]))
        loops.crossed(features.indptr, features.indices, features.data, np.ascontiguousarray(by_row), found)
        return found
    return np.asarray(features.T @ (by_row[:, None] * features))


def times(features: Any, by_row: Floats) -> Any:
    """The table with each row times a number of its own."""
    return features.multiply(by_row[:, None]).tocsr() if is_sparse(features) else features * by_row[:, None]


def squares(features: Any) -> Any:
    """The square of each cell."""
    if not is_sparse(features):
        return features**2
    return canonical(features).power(2)


def canonical(features: Any) -> Any:
    """A table of mostly zeros each of whose cells is told of once, not in parts."""
    if features.has_canonical_format:
        return features
    found = features.copy()
    found.sum_duplicates()
    return found


def may_move(features: Any) -> NDArray[np.bool_]:
    """The columns from whose cells something can be taken: all, or those of a table of mostly zeros that have none."""
    rows, width = features.shape
    if not is_sparse(features):
        return np.ones(width, dtype=bool)
    return np.asarray(np.bincount(canonical(features).indices, minlength=width) == rows)


def scaled(features: Any, centre: Floats, scale: Floats) -> Any:
    """The table with a centre taken from each column, and divided by its scale: what is not stored stays zero."""
    if is_sparse(features):
        found = canonical(features).copy()
        found.data = (found.data - centre[found.indices]) / scale[found.indices]
        return found
    return (features - centre) / scale


def rows_of(features: Any, rows: Any) -> Any:
    """Some of the rows, by their places."""
    return features[rows] if is_sparse(features) else np.take(features, rows, axis=0)


def stacked(features: Any, more: Floats) -> Any:
    """The table with more rows at its end."""
    if is_sparse(features):
        from scipy.sparse import vstack

        return vstack([features, more]).tocsr()
    return np.vstack([features, more])


def with_ones(features: Any, rows: Any, *, ones: bool) -> Any:
    """Some of the rows, with a column of ones at the end if it is asked for."""
    part = features[rows]
    if not ones:
        return part
    column = np.ones((part.shape[0], 1))
    if is_sparse(part):
        from scipy.sparse import hstack

        return hstack([part, column]).tocsr()
    return np.hstack([part, column])
