"""The page docs/comparisons/pytensor.md: signals of losses as PyTensor's rewrites leave them, beside ours.

PyTensor asks for an older Numba than most environments have, so the page is made in one of its own:

    python -m venv apart && apart/bin/pip install . pytensor==3.0.7 && apart/bin/python scripts/comparing_pytensor.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import numpy as np  # noqa: E402
import pytensor  # noqa: E402
import pytensor.tensor as pt  # noqa: E402
from spelled_signals import RAW, SPELLINGS, Spelled, ours, verdict  # noqa: E402

pytensor.config.floatX = "float32"
PAGE = ROOT / "docs" / "comparisons" / "pytensor.md"
_WORDS = SimpleNamespace(sigmoid=pt.sigmoid, log=pt.log, where=pt.where, softplus=pt.softplus)
HEAD = """# Beside PyTensor's rewrites

PyTensor compiles a formula, and on the way rewrites what it knows to cancel or overflow: `log(sigmoid(x))` becomes
`-softplus(-x)`, and so on. The aim is the same as here. There, patterns are looked for in a graph that someone typed, and the
derivative is taken of that graph; where no pattern fits, digits are lost. Here the loss is written on the probability of what
happened, composition uses a dozen exact identities, and the derivative is taken of the composed formula.

Each loss is spelled as books and public code spell it (`p` is `sigmoid(z)`), and its signal, the derivative along the raw output,
is held to the truth at 50 digits at 120 raw outputs in single precision from -80 to 80, for yes and for no. "Holds" is within 8
units in the last place everywhere; else the page says how many of the seven digits are left at the worst raw output, and the
size of the first at which any are lost. PyTensor compiles by C or by Numba, its usual way, which computes in double precision in
between.
"""
FOOT = """
Herbie searches for better spellings of a formula by sampling. It needs Racket and was not at hand: nothing is said of it here.
"""
# How PyTensor compiles.
MODES = {"by C": "CVM", "by Numba": "NUMBA"}


def page() -> str:
    """The page."""
    rows = [row(each) for each in SPELLINGS]
    return "\n".join([HEAD, *_table(rows), "", *_totals(rows), FOOT])


def row(spelled: Spelled) -> tuple[str, ...]:
    """A spelling with what PyTensor makes of it in each mode, and what this package does."""
    theirs = (verdict(spelled.loss, partial(signal, spelled, mode)) for mode in MODES.values())
    return spelled.loss, spelled.how, *theirs, verdict(spelled.loss, partial(ours, spelled.loss))


def signal(spelled: Spelled, mode: str, y: float) -> Any:
    """The derivative that PyTensor compiles, at each raw output."""
    z, target = pt.fvector("z"), pt.fvector("y")
    slope = pytensor.grad(spelled.formula(_WORDS, target, z).sum(), z)
    return pytensor.function([z, target], slope, mode=mode)(RAW, np.full(RAW.shape, y, dtype=np.float32))


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    modes = " | ".join(f"PyTensor {version('pytensor')} {how}" for how in MODES)
    yield from (f"| loss | spelled | {modes} | goodmeasure |", f"|{'---|' * (len(MODES) + 3)}")
    yield from (f"| {loss} | `{how}` | {' | '.join(found)} |" for loss, how, *found in rows)


def _totals(rows: list[tuple[str, ...]]) -> Iterator[str]:
    lost = [sum(found != "holds" for found in column) for column in list(zip(*rows, strict=True))[2:-1]]
    told = ", and ".join(f"in {n} compiled {how}" for n, how in zip(lost, MODES, strict=True))
    yield f"Of {len(rows)} spellings, PyTensor's signal loses digits {told}."


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
