"""How far a series in time remembers: the length of blocks that are as good as independent, read off the series itself."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import unit_of

# So many blocks there are at least, because a spread read off fewer says next to nothing.
FEWEST = 5


def block_length(series: Floats) -> float:
    """How many steps of time make a block whose mean is as good as independent of the next; 1 where no step remembers.

    Twice the length that serves the bootstrap best: the spread of so few block means errs less by their number than by
    what neighbours share.

    Source: Politis and White 2004, Automatic block-length selection for the dependent bootstrap, with the correction of
    Patton, Politis and White 2009.
    """
    n = len(series)
    together = _autocovariance(series)
    if n < 2 * FEWEST or together[0] <= 0:
        return 1.0
    reach = _memory(together / together[0], n)
    lag = np.arange(1, reach + 1)
    flat = np.clip(2 * (1 - lag / max(reach, 1)), 0.0, 1.0) * together[1 : reach + 1]
    slope, whole = 2 * float(lag @ flat), float(together[0] + 2 * flat.sum())
    if whole <= 0 or slope <= 0:
        return 1.0  # neighbours make up for each other: to take them as independent errs to the safe side
    return max(2.0 * math.cbrt(1.5 * (slope / whole) ** 2 * n), 1.0)


def _autocovariance(series: Floats) -> Floats:
    n = len(series)
    miss = series - series.mean()
    miss = miss / unit_of(miss)
    wave = np.fft.rfft(miss, 1 << (2 * n - 1).bit_length())
    return np.asarray(np.fft.irfft(wave * np.conj(wave))[:n] / n)


def _memory(correlation: Floats, n: int) -> int:
    """Twice the lag after which five lags in a row (more where n is huge) cannot be told from zero."""
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    told = np.abs(correlation[1 : most + run + 1]) >= 2 * math.sqrt(math.log10(n) / n)
    quiet = (lag for lag in range(most) if not told[lag : lag + run].any())
    return min(2 * next(quiet, most), most)


def blocks_for(values: Floats, when: NDArray[np.intp], w: Floats) -> NDArray[np.intp]:
    """The code of each row's block: consecutive times, as many to a block as these values remember.

    ``when`` is the code of each row's time, ascending from 0.
    """
    total = w.sum()
    series = summed(when, w * (values - w @ values / total))
    count = len(series) / block_length(series)
    return in_blocks(when, w, len(series) if count == len(series) else max(FEWEST, round(count)))


def in_blocks(when: NDArray[np.intp], w: Floats, count: int) -> NDArray[np.intp]:
    """Rows cut into so many consecutive blocks of about equal weight; equal times share a block."""
    weight = summed(when, w)
    before = np.cumsum(weight) - weight
    # What lies on an edge belongs to the block that begins there, whatever rounding says of sums of weights.
    block = np.minimum((before / weight.sum() * count + 1e-9).astype(np.intp), count - 1)
    return np.unique(block[when], return_inverse=True)[1].astype(np.intp, copy=False)


def usual_blocks(times: int) -> int:
    """How many blocks are cut where no values say how long they must be: each longer the more times there are."""
    return min(times, max(FEWEST, round(1.5 * math.cbrt(times))))
