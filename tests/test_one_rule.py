"""What is special about rows (infinite, equal, tiny, absent, of another form) has one answer, whoever is asked."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of

BCE, SQUARED, ABSOLUTE = losses.binary_cross_entropy(), losses.squared_error(), losses.absolute_error()

# --- infinite losses ---

SURE = {"neither": ((), ()), "first": ((0,), ()), "second": ((), (0,)), "one row": ((0,), (0,)), "two": ((0,), (2, 4))}


@pytest.mark.parametrize("sure", SURE)
@pytest.mark.parametrize(("weighted", "clustered", "turned"), itertools.product([False, True], repeat=3))
def test_a_difference_of_two_infinite_means_is_no_number(
    sure: str, weighted: bool, clustered: bool, turned: bool
) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    scores = {name: rng.normal(size=60) for name in "ab"}
    for z, at in zip(scores.values(), SURE[sure], strict=True):
        z[list(at)] = np.inf  # these targets are 0
    more: dict[str, Any] = {"sample_weight": rng.uniform(1, 2, 60)} if weighted else {}
    more |= {"cluster": np.arange(60) // 3} if clustered else {}
    a, b = "ba" if turned else "ab"
    exact = gm.compare(BCE, y, scores[a], scores[b], **more)
    found = gm.tally(BCE, y, scores, **more).compare(a, b)
    assert (found.value, found.verdict[:9]) == (pytest.approx(exact.value, nan_ok=True), exact.verdict[:9])
    assert found.is_known == exact.is_known == (sure not in ("one row", "two"))


def test_score_gives_no_verdict_of_two_infinite_means(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "i.csv"
    place.write_text("y,a,b\n0,1,1\n" + "0,.6,.4\n1,.3,.8\n" * 30)
    for order in ("ab", "ba"):
        assert status_of(["score", str(place), "--y", "y", "--p", order[0], "--p", order[1]]) == 0
        said = capsys.readouterr().out
        assert "not known" in said and "worse" not in said and "better" not in said
