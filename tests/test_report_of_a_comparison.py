"""Does the page of a comparison say which model is best only where that is sure?"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import UsageError
from goodmeasure.study.comparing import Comparison

N = 400


def compared(noise: float) -> Comparison:
    """A curved target, by a straight line and by trees."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, N)
    data = {"x": x, "y": x**2 + noise * rng.normal(size=N)}
    one, other = (gm.run(data, "y", model=model, protocol="holdout") for model in ("linear", "boosting"))
    return one.compare(other)


def text_of(path: Path) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("noise", "word"), [(0.2, "boosting on squared_error()"), (20.0, "none surely")])
def test_the_page_names_the_best_where_it_is_sure(noise: float, word: str, tmp_path: Path) -> None:
    found = compared(noise)
    path = tmp_path / "page.html"
    assert gm.write_report(found, path) == str(path)
    shown = text_of(path)
    assert f"Which model is best? {word}" in shown
    for sentence in found.sentences:
        assert sentence[1:] in shown
    assert path.stat().st_size <= 400_000
    assert not re.search(r"<script(?! type=\"application/json\")", path.read_text(encoding="utf-8"))


def test_costs_and_comparisons_of_nothing_are_refused(tmp_path: Path) -> None:
    costs = gm.Costs(false_negative=4, false_positive=1)
    with pytest.raises(UsageError, match="a study has the costs"):
        gm.write_report(compared(1.0), tmp_path / "page.html", costs=costs)
    with pytest.raises(UsageError, match="no model can be judged"):
        gm.write_report(Comparison(("a", "b"), ()), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
