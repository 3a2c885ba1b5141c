"""How heavy the tails of numbers are: their robust scale, what lies far out, and how much of the squares it carries."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import UsageError

# The median absolute deviation of a normal law is this part of its standard deviation.
NORMAL = 0.6744897501960817
# Beyond this many robust standard deviations a normal law has one value in 1.7 million.
FAR = 5.0
# The Huber threshold, in standard deviations, that keeps 95 % efficiency under normal errors (Huber 1981, section 4.5).
EFFICIENT = 1.345
# The part of all squared distances that the worst 1 % of a normal law carries is .08; from here on they decide the mean.
HEAVY = 0.25
# From this share of equal values on, they would make the scale too small: by a quarter here, without end at one half.
TIED = 0.2
# Distances below this part of the usual size of the others are rounding.
_SAME = 1e-9


@dataclass(frozen=True)
class Tails(Displayed):
    """Of ``n`` numbers: their centre and scale (median and MAD, as a standard deviation), how many lie far out, and
    which part of the sum of squares the worst 1 % carry.

    Where many are equal to the centre, the MAD is 0 or little more: ``tied`` of them are, and the scale is that of the others.
    """

    n: int
    centre: float
    scale: float
    far: int
    carried: float
    tied: int = 0

    @property
    def heavy(self) -> bool:
        """Whether a few rows decide what squares say."""
        return self.far > 0 and self.carried >= HEAVY

    @property
    def delta(self) -> float:
        """The Huber threshold for errors of this scale."""
        return EFFICIENT * self.scale

    def __str__(self) -> str:
        worst = max(1, round(self.n / 100))
        of = f", of the {self.n - self.tied} that are not {self.centre:g}" if self.tied else ""
        return (
            f"{self.far} of {self.n} lie beyond {FAR:g} robust standard deviations ({self.scale:.3g}{of}); "
            f"the worst {worst} carry {100 * self.carried:.0f} % of the squares"
        )

    def _display(self) -> Display:
        return Display("Tails", {name: [value] for name, value in self.to_dict().items()}, (str(self),))

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""
        return {**asdict(self), "heavy": self.heavy}


def _usual(away: Any) -> float:
    """The median of distances that are not all but nothing beside it: values far out do not make others equal."""
    apart = np.sort(away[away > 0])
    # Half of the values may be equal but for rounding: the larger half of the others is not.
    return float(np.median(apart[len(apart) // 2 :])) if apart.size else 0.0


def tails(values: ArrayLike) -> Tails:
    """Measure the tails of finite numbers; where many are equal, the scale is that of the others' distances."""
    x = np.asarray(values, dtype=np.float64).ravel()
    if not x.size or not np.isfinite(x).all():
        raise UsageError("tails are measured on finite numbers", seen=f"{x.size} values", fix="x[numpy.isfinite(x)]")
    centre = float(np.median(x))
    away = np.abs(x - centre)
    # A standard deviation in its place would be made by the very values that it is to judge.
    others = away > _SAME * _usual(away)
    tied = int((~others).sum())
    tied = tied if tied >= TIED * x.size else 0
    scale = float(np.median(away[others] if tied and others.any() else away)) / NORMAL
    squares = np.sort(away**2)[::-1]
    worst = max(1, round(x.size / 100))
    total = float(squares.sum())
    carried = float(squares[:worst].sum()) / total if total else 0.0
    return Tails(x.size, centre, scale, int((away > FAR * scale).sum()), carried, tied)
