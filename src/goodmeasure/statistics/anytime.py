"""Intervals that hold at any time: however often one looks, and whenever one stops."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.statistics.row_arguments import Floats

HALVINGS = 60


def share_sequence(hits: Floats, n: Any, error: float) -> tuple[Floats, Floats]:
    """The shares that are not ruled out by each count of hits; the true one never is, but for ``error``.

    ``n`` is how many rows there are, one number or one for each count.
    A share is ruled out once the hits are 1 / error times likelier under a mixture of all shares (Beta, one half each) than
    under it: that happens to the true share at any time at most with this chance (Ville 1939; Robbins 1970).
    """
    from scipy.special import betaln

    hits = np.asarray(hits, dtype=np.float64)
    missed = n - hits
    limit = betaln(hits + 0.5, missed + 0.5) - betaln(0.5, 0.5) + np.log(error)
    likeliest = np.where(np.asarray(n) > 0, hits / np.maximum(n, 1), 0.5)
    low = _end(np.zeros_like(hits), likeliest, hits, missed, limit)
    return low, _end(np.ones_like(hits), likeliest, hits, missed, limit)


def _end(outside: Floats, inside: Floats, hits: Floats, missed: Floats, limit: Floats) -> Floats:
    """Where shares begin to be ruled out between one that is, if any is, and one that is not."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        kept = _likelihood(middle, hits, missed) >= limit
        outside, inside = np.where(kept, outside, middle), np.where(kept, middle, inside)
    return outside


def _likelihood(share: Floats, hits: Floats, missed: Floats) -> Floats:
    from scipy.special import xlog1py, xlogy

    return np.asarray(xlogy(hits, share) + xlog1py(missed, -share))
