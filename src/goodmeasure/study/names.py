"""Labels as names."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain_label(label: Any) -> str:
    """A label as a name of a column holds it: whole numbers without a point."""
    whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if whole else str(label)
