"""Rows of a yes/no target, counted in one loop over a block: what stays in a core's cache goes through all of it at once.

A chunk of rows is checked, its losses are computed by the kernels that compute them elsewhere, and they, their squares, the
counts and the scores are summed without rounding. The sums are those that one after another gives, bit for bit; what this loop
does not take is left to that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.keeping.compiling import call_at, loop
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.kernels.sums import BAD, LOST, STATE
from goodmeasure.statistics.compiled_limbs import add_powers
from goodmeasure.tallying.grid import MOST_ROWS, add_rows, cell_of, packed, unpack


def _left_to_others(*_: Any) -> bool:
    """Few rows, before many came, and all without Numba: none of them is counted here."""
    return False


@loop(nogil=True)
def _placed(y: Any, p: Any, n: int, target: Any, chance: Any, at: Any, each: Any) -> Any:
    """The targets and probabilities of a chunk, their places on the grid and what each row adds there; False if one is none."""
    bad = False
    for i in range(n):
        label, score = np.float64(y[i]), np.float64(p[i])
        target[i], chance[i] = label, score
        bad |= (not ((score >= 0.0) & (score <= 1.0))) | (not ((label == 0.0) | (label == 1.0)))
        at[i] = 2 * cell_of(score) + np.int64(label)
        each[i] = packed(score)
    return not bad


@loop(nogil=True)
def _summed(kernel: Any, target: Any, chance: Any, n: int, values: Any, state: Any, limbs: Any, scratch: Any) -> Any:
    """Add the losses of a chunk and their squares; False if the kernel refuses a row, or a sum is not finite."""
    run, parameters, domain = kernel
    y, p, value, notes = target.ctypes.data, chance.ctypes.data, values.ctypes.data, state.ctypes.data
    whole, live, keep = np.int64(CHUNK), np.int64(n), np.int64(0)
    call_at(run, (y, p, y, parameters, domain, value, value, value, notes, whole, live, keep, 1.0))
    return state[BAD] == 0.0 and state[LOST] == 0.0 and add_powers(limbs, values, n, scratch)


@loop(plain=_left_to_others, whole=True, nogil=True)
def count(y: Any, p: Any, kernels: Any, limbs: Any, counts: Any, places: Any) -> Any:
    """Add rows to the limbs of the losses of each kernel, and to counts and summed scores.

    False if a target is neither 0 nor 1, a probability lies outside [0, 1], or a loss is not finite: then nothing is counted,
    and the limbs are not to be used.
    """
    # What fills a chunk up are good rows.
    target, chance = np.ones(CHUNK), np.full(CHUNK, 0.5)
    values, state, scratch = np.empty(CHUNK), np.zeros(STATE), np.empty((3, CHUNK))
    at, each = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    # Each holds `MOST_ROWS` rows.
    tables = np.zeros((-(-len(y) // MOST_ROWS), len(counts)), np.int64)
    for k in range(len(tables)):
        first, end = k * MOST_ROWS, min((k + 1) * MOST_ROWS, len(y))
        for start in range(first, end, CHUNK):
            n = min(CHUNK, end - start)
            if not _placed(y[start:end], p[start:end], n, target, chance, at, each):
                return False
            add_rows(at, each, n, tables[k])
            for loss in range(len(kernels)):
                kernel = kernels[loss, 0], kernels[loss, 1], kernels[loss, 2]
                if not _summed(kernel, target, chance, n, values, state, limbs[loss], scratch):
                    return False
    for k in range(len(tables)):
        unpack(tables[k], counts, places)
    return True
