"""A table's rows on their way through the kernel of a loss and back, all while they are near the core."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting.loops import LOOSE
from goodmeasure.keeping.compiling import call_at, loop
from goodmeasure.kernels.layout import CHUNK


@loop(nogil=True, fastmath=LOOSE)
def through(
    features: Any, slopes: Any, constant: Any, offset: Any, raw: Any, signal: Any, out: Any, sizes: Any,
    kernel: Any, y: Any, weight: Any, parameters: Any, limits: Any, scale: Any, state: Any,
) -> None:  # fmt: skip
    """Rows go forth to raw outputs, through a kernel to signals, and back, as many at a time as ``raw`` has room for.

    Added are signals as one of each slope, and then of the constant; to ``sizes`` the sum of the sizes of signals, and kept the
    largest size of a raw output. Rows and room are whole chunks of the kernel; an ``offset`` of no rows is none.
    """
    (rows, width), values = features.shape, np.empty(CHUNK)
    total, size, far = 0.0, 0.0, 0.0
    for start in range(0, rows, raw.shape[0]):
        count = min(raw.shape[0], rows - start)
        for i in range(count):
            z = constant
            for j in range(width):
                z += features[start + i, j] * slopes[j]
            raw[i] = z + offset[start + i] if len(offset) else z
        live = np.int64(count)
        call_at(kernel, (
            y[start:].ctypes.data, raw.ctypes.data, weight[start:].ctypes.data, parameters.ctypes.data, limits.ctypes.data,
            values.ctypes.data, signal.ctypes.data, values.ctypes.data, state.ctypes.data, live, live, np.int64(0), scale,
        ))  # fmt: skip
        for i in range(0, count, 2):  # as `goodmeasure.fitting.loops.back`: chunks are even
            a, b = signal[i], signal[i + 1]
            for j in range(width):
                out[j] += a * features[start + i, j] + b * features[start + i + 1, j]
        for i in range(count):
            total += signal[i]
            size += abs(signal[i])
            far = max(far, abs(raw[i]))
    out[width] += total
    sizes[0], sizes[1] = sizes[0] + size, max(sizes[1], far)
