"""Is a code for missing values named where it stands apart, and no other number?"""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.reading.frames import table
from goodmeasure.study.spikes import CODES, codes_for_missing

DRAWS: dict[str, Any] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(0, 1.5, n),
    "heavy": lambda rng, n: rng.standard_t(1.5, n),
    "counts": lambda rng, n: rng.poisson(3, n),
    "ages": lambda rng, n: rng.integers(0, 90, n),
    "amounts of cents": lambda rng, n: rng.integers(0, 10_000, n) / 100,
    "marks": lambda rng, n: rng.integers(0, 101, n),
    "nines among tens": lambda rng, n: rng.choice([9, 99, 999], n),
}


def named(values: Any, target: Any = None) -> tuple[Any, ...]:
    given = table({"x": values, "y": np.arange(len(values)) / 7 if target is None else target})
    return codes_for_missing(given, ["x"], "y")


@pytest.mark.parametrize("code", [-999.0, -9999.0, -99999.0, -(2.0**31), 999_999.0])
@pytest.mark.parametrize("kind", ["normal", "counts", "ages", "amounts of cents", "marks"])
def test_a_code_far_outside_is_named_with_its_count(kind: str, code: float) -> None:
    rng = np.random.default_rng(0)
    values = DRAWS[kind](rng, 400).astype(float)
    values[rng.choice(400, 25, replace=False)] = code
    (remark,) = named(values)
    assert f"{code:.0f} in 25 of 400 rows" in remark.what
    assert "--exclude x" in remark.fix


@pytest.mark.parametrize("kind", DRAWS)
def test_no_other_number_is_taken_for_a_code(kind: str) -> None:
    wrong = sum(bool(named(DRAWS[kind](np.random.default_rng(seed), n))) for seed in range(60) for n in (30, 300))
    assert wrong == 0


def test_a_single_cell_a_constant_and_numbers_nearby_are_no_codes() -> None:
    x = np.arange(100.0)
    for values in (np.where(x == 3, -999.0, x), np.where(x < 50, 99.0, 98.0), np.where(x < 9, -9.0, x)):
        assert named(values) == ()
    assert -999.0 in CODES


def test_a_target_is_mended_by_the_condition_that_the_remark_says(tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = np.where(rng.random(300) < 0.1, -999, np.round(50 + 3 * x + rng.normal(size=300), 2))
    place = tmp_path / "t.csv"
    place.write_text("x,the y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
    found = {r.code: r for r in gm.run(str(place), "the y").remarks}
    option, condition = shlex.split(found["GM253"].fix)
    assert option == "--where"
    assert "GM253" not in {r.code for r in gm.run(str(place), "the y", where=condition).remarks}
