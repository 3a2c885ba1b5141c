"""Which rows of a study go together, and what is said of numbers that take them as independent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import E, each_estimate
from goodmeasure.statistics.intervals import independent_parts, knows_groups
from goodmeasure.statistics.sample import TAKEN_AS_INDEPENDENT, Sample
from goodmeasure.study.cases import Cases

T = TypeVar("T")
LEVEL = 0.95


def known(cases: Cases) -> dict[str, Any]:
    """Which rows go together, where there are at least two groups or times for a spread to be read off."""
    return {name: values for name, values in cases.dependence.items() if len(np.unique(values)) > 1}


def parts(cases: Cases) -> tuple[NDArray[np.intp] | None, str]:
    """The code of each row's group or block of time, and what to call intervals made from them."""
    given = known(cases)
    return independent_parts(len(cases), given.get("cluster"), given.get("time"))


def sample(cases: Cases) -> Sample:
    """The rows as what intervals rest on."""
    return Sample.of(row_arguments.present(cases.weight, y=cases.y, **known(cases)), LEVEL)


def told(found: T, cases: Cases) -> T:
    """The same result, in which each estimate says so whose interval does not know the rows that go together."""
    return each_estimate(found, _cautioned) if cases.dependence else found


def _cautioned(found: E) -> E:
    if knows_groups(found.method):
        return found
    return replace(found, cautions=tuple(dict.fromkeys((*found.cautions, TAKEN_AS_INDEPENDENT))))
