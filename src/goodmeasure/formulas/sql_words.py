"""How SQL spells the elementary words: that of DuckDB, which other dialects are translated from.

SQL has neither log1p nor expm1; what stands for them is exact in terms of what it has.
"""

from __future__ import annotations

from collections.abc import Mapping

TEMPLATES: Mapping[str, str] = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "neg": "(-{0})",
    "power": "POWER({0}, {1})",
    "abs": "ABS({0})",
    "sign": "CAST(SIGN({0}) AS DOUBLE)",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "where": "(CASE WHEN {0} THEN {1} ELSE {2} END)",
    "maximum": "GREATEST({0}, {1})",
    "minimum": "LEAST({0}, {1})",
    "exp": "EXP({0})",
    "expm1": "(TANH({0} / 2e0) * (EXP({0}) + 1e0))",
    "log": "LN({0})",
    "log1p": "(CASE WHEN ABS({0}) < 0.5e0 THEN 2e0 * ATANH({0} / (2e0 + {0})) ELSE LN(1e0 + {0}) END)",
    "sqrt": "SQRT({0})",
    "sin": "SIN({0})",
    "cos": "COS({0})",
    "tanh": "TANH({0})",
}
