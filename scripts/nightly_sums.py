"""Is the mean of a hundred million losses the exact sum of what `value` shows, over n? Too long for the tests: about two minutes.

python scripts/nightly_sums.py [ROWS]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import chain

import numpy as np

from goodmeasure import kernels, losses

PART = 1_000_000


def parts(values: np.ndarray) -> Iterator[list[float]]:
    return (values[start : start + PART].tolist() for start in range(0, len(values), PART))


def main(rows: int) -> None:
    random = np.random.default_rng(0)
    z = random.normal(0, 4, rows).astype(np.float32)
    y = (random.random(rows, dtype=np.float32) < 0.3).astype(np.float32)
    for name in ("binary_cross_entropy", "squared_error"):
        loss = getattr(losses, name)()
        mean, gradient = kernels.value_and_gradient(loss, y, z)
        del gradient
        true = math.fsum(chain.from_iterable(parts(kernels.table(loss, "value", y, z)))) / rows
        print(f"{name}, {rows:,} rows: {mean!r} and {true!r}: {'equal' if mean == true else 'NOT EQUAL'}", flush=True)
        if mean != true:
            sys.exit(1)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000_000)
