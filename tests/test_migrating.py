"""Is what the page of migration says you wrote the number of what it says it is here?"""

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "migrating.md").read_text(encoding="utf-8")
SET_UP, *PAIRS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names():
    found = {}
    exec(SET_UP, found)
    return found


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.split("(")[0])
def test_both_sides_of_a_pair_are_the_same_numbers(pair, names):
    theirs, ours = pair.split("# goodmeasure\n")
    wanted = np.asarray(eval(theirs, names), dtype=float)
    found = np.asarray(eval(ours, names), dtype=float)
    assert wanted.shape == found.shape
    assert (wanted != 0).all()
    np.testing.assert_allclose(found, wanted, rtol=2e-5)


def test_every_host_of_the_page_has_pairs():
    heads = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)
    assert heads == ["torch", "Keras", "optax", "XGBoost", "scikit-learn"]
    assert all(part.count("# goodmeasure") >= 1 for part in PAGE.split("\n### ")[1:])
