"""Results as values that JSON holds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def plain_values(value: Any) -> Any:
    """Numbers, texts, lists and dictionaries as JSON holds them; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain_values(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
