"""What a plan remarks on beside its answers: events that are rare, and quantiles that lie among equal values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.choosing import naming
from goodmeasure.choosing.functionals import Functional
from goodmeasure.choosing.meanings import Meaning
from goodmeasure.choosing.observed import Observed
from goodmeasure.statistics.quantiles import weighted_quantile

# With fewer rows than this of a class, no interval of what depends on them is worth much.
FEW = 10
# From this share on, equal values decide what a quantile is.
TIED = 0.2


def remarked(seen: Observed, meaning: Meaning, asked: Functional) -> tuple[str, ...]:
    """Every remark on these values, for what is asked of them."""
    return tuple(said for said in (*_rare(seen, meaning), *_tied(seen, meaning, asked), *_ended(seen, meaning)))


def _rare(seen: Observed, meaning: Meaning) -> Iterator[str]:
    if (
        not (meaning.name == "binary" or meaning.is_named)
        or seen.table
        or len(seen.distinct) > len(seen.original) / FEW
    ):
        return
    values, counts = np.unique(seen.original.astype(str), return_counts=True)
    few = [(str(value), int(count)) for value, count in zip(values, counts, strict=True) if count < FEW]
    if few and not (meaning.name == "binary" and len(values) > 2):
        listed = ", ".join(f"{value!r} is in {count} of {len(seen.original):,} rows" for value, count in few[:3])
        more = f", and {len(few) - 3} more classes are as rare" if len(few) > 3 else ""
        yield f"{listed}{more}: too few to learn much from, or to tell a good model from one that never says it"


def _tied(seen: Observed, meaning: Meaning, asked: Functional) -> Iterator[str]:
    level = 0.5 if asked.name == "median" else asked.level
    if (
        not isinstance(level, float)
        or asked.name not in ("median", "quantile")
        or seen.numbers is None
        or meaning.is_outcome
    ):
        return
    at = weighted_quantile(seen.numbers, seen.weight, level)
    share, below = seen.share(seen.numbers == at), seen.share(seen.numbers < at)
    if share >= TIED:
        what = "median" if asked.name == "median" else f"{level:g} quantile"
        yield (
            f"the {what} of {seen.name} is {at:g} itself, as {100 * share:.3g} % of the values are: a model that always says "
            f"{at:g} is hard to beat, and only levels above {below + share:.3g} ask for more; the mean asks for how much there "
            "is in total"
        )


def _ended(seen: Observed, meaning: Meaning) -> Iterator[str]:
    if not meaning.is_outcome and naming.says(seen.name, naming.DURATIONS):
        yield (
            f"the column is called {seen.name}: if some of what it measures had not ended yet, these rows are too short, and so "
            "is every prediction; leave them out and the rest is too short still"
        )
