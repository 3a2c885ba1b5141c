"""Is the least of straight lines the corner that a linear programme ends at, on tables that make corners hard to find?"""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from goodmeasure import losses
from goodmeasure.fitting import corner, interior, near
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.fit import LossRegressor
from goodmeasure.fitting.interior import Lines
from goodmeasure.traits.curvature_class import kinks

RNG = np.random.default_rng(11)
ROWS = 90
PLAIN = RNG.normal(size=(ROWS, 3))
WHOLE = RNG.integers(-2, 3, size=(ROWS, 3)).astype(float)
HEAVY = PLAIN @ [1.0, -2.0, 0.5] + RNG.standard_cauchy(ROWS) * 10.0 ** RNG.integers(-2, 5, ROWS)

TABLES: dict[str, tuple[Any, Any]] = {
    "plain": (PLAIN, PLAIN @ [1.0, 0.0, 2.0] + RNG.normal(size=ROWS)),
    "whole targets": (PLAIN, RNG.poisson(2, ROWS).astype(float)),
    "whole numbers": (WHOLE, WHOLE @ [1.0, 1.0, 0.0] + RNG.integers(-1, 2, ROWS)),
    "half of the rows twice": (np.vstack([PLAIN, PLAIN[:45]]), np.append(HEAVY, HEAVY[:45])),
    "one row many times": (np.repeat(PLAIN[:6], 20, axis=0), RNG.normal(size=120)),
    "mostly one target": (PLAIN, np.where(RNG.random(ROWS) < 0.8, 3.0, PLAIN[:, 0] * 9)),
    "targets that are met": (PLAIN, PLAIN @ [1.0, 0.0, 2.0]),
    "heavy tails": (PLAIN, HEAVY),
    "a constant column": (np.column_stack([PLAIN, np.full(ROWS, 7.0)]), PLAIN[:, 0] + RNG.normal(size=ROWS)),
    "a column twice": (np.column_stack([PLAIN, PLAIN[:, 0]]), PLAIN[:, 0] + RNG.normal(size=ROWS)),
    "a column of zeros": (np.column_stack([PLAIN, np.zeros(ROWS)]), PLAIN[:, 0] + RNG.normal(size=ROWS)),
    "yes and no columns": ((PLAIN > 0).astype(float), HEAVY),
    "far from zero": (PLAIN + 1e4, HEAVY + 1e6),
    "uneven scales": (PLAIN * [1e-4, 1.0, 1e5], PLAIN.sum(axis=1) + RNG.normal(size=ROWS)),
    "as many columns as rows": (RNG.normal(size=(12, 12)), RNG.normal(size=12)),
    "more columns than rows": (RNG.normal(size=(8, 20)), RNG.normal(size=8)),
    "two rows": (np.array([[0.0], [1.0]]), np.array([1.0, 3.0])),
}


def least(X: Any, y: Any, weight: Any, level: float, *, intercept: bool) -> float:
    """The least weighted mean pinball loss, by HiGHS: the dual of the linear programme."""
    table = np.column_stack([X, np.ones(len(y))]) if intercept else X
    share = weight / weight.sum()
    # Bounds of a size of one: HiGHS tells numbers apart by their difference.
    found = linprog(
        -share * y, A_eq=(table * share[:, None]).T, b_eq=(1 - level) * share @ table, bounds=(0, 1), method="highs"
    )
    assert found.status == 0, found.message
    return float(-found.fun - (1 - level) * share @ y)


def fitted(X: Any, y: Any, weight: Any, level: float, *, intercept: bool) -> LossRegressor:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return LossRegressor(losses.pinball(level=level), fit_intercept=intercept).fit(X, y, weight)


@pytest.fixture(params=["all rows", "near rows"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tables this small are solved at once; here also as tables of many rows are, from a part of a part on."""
    if request.param == "near rows":
        for name, value in {"_MANY": 10, "_ROWS": 1, "_WIDE": 0.2, "_FEWEST": 1, "_SHARE": 1 / 3}.items():
            monkeypatch.setattr(near, name, value)
    return str(request.param)


@pytest.mark.parametrize(("level", "intercept"), [(0.5, True), (0.9, True), (0.02, False)])
@pytest.mark.parametrize("table", TABLES)
def test_it_is_the_least_of_the_linear_programme(way: str, table: str, level: float, intercept: bool) -> None:
    X, y = TABLES[table]
    for weight in (np.ones(len(y)), np.random.default_rng(3).integers(1, 5, len(y)) / 3):
        model = fitted(X, y, weight, level, intercept=intercept)
        value = float(losses.pinball(level=level)(y, model.raw(X), weight))
        best, size = least(X, y, weight, level, intercept=intercept), np.abs(y).mean()
        assert value == pytest.approx(best, rel=1e-9, abs=1e-12 * size)
        certificate = model.certificate_
        assert certificate.status is Status.OPTIMAL
        assert certificate.proven
        assert certificate.gap <= 1e-9 * abs(value) + 1e-13 * size


def lines_of(X: Any, y: Any, level: float, penalty: float = 0.0) -> Lines:
    """The mean pinball loss of planes with a constant, as rows of lines; slopes that are the same number in every row."""
    n, width = X.shape
    cost = np.append(np.full(width, penalty), 0.0)
    return Lines(X, y, np.full(n, -level / n), np.full(n, (1 - level) / n), cost, ones=True)


def exactly(values: Any) -> list[Fraction]:
    return [Fraction(float(value)) for value in values]


def solution(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """The solution of a square system in fractions; None if it is singular."""
    rows = [[*row, last] for row, last in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = next((k for k in range(i, len(rows)) if rows[k][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [cell / rows[i][i] for cell in rows[i]]
        for k in range(len(rows)):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


@pytest.mark.parametrize("level", [0.5, 0.75])
@pytest.mark.parametrize("table", ["plain", "heavy tails", "half of the rows twice", "far from zero", "two rows"])
def test_the_corner_is_the_optimum_in_fractions(table: str, level: float) -> None:
    """Duality in rational arithmetic: the rows at their kinks, solved exactly, have slopes within their ends."""
    X, y = TABLES[table]
    lines = lines_of(X, y, level)
    found = corner.minimise(lines, np.zeros(lines.width), tol=1e-9, max_iter=200, watch=lambda w, value: False)
    width = lines.width
    rows = [[*exactly(row), Fraction(1)] for row in X]
    near_kinks = np.argsort(np.abs(lines.beyond(found.w)), kind="stable")
    if table == "half of the rows twice":
        _, first = np.unique(X[near_kinks], axis=0, return_index=True)
        near_kinks = near_kinks[np.sort(first)]
    met = near_kinks[:width].tolist()
    targets, left, right = exactly(y), exactly(lines.left), exactly(lines.right)
    w = solution([rows[i] for i in met], [targets[i] for i in met])
    assert w is not None
    beyond = [sum((a * b for a, b in zip(row, w, strict=True)), -at) for row, at in zip(rows, targets, strict=True)]
    value = sum(max(a * r, b * r) for a, b, r in zip(left, right, beyond, strict=True))
    assert float(value) == pytest.approx(lines.value(found.w), rel=1e-13)
    # Rows of which several are equal share what slope is left: they are one row with the ends of all.
    at_kinks = [i for i, r in enumerate(beyond) if r == 0]
    slope = [0 if r == 0 else (b if r > 0 else a) for a, b, r in zip(left, right, beyond, strict=True)]
    rest = [-sum(s * row[j] for s, row in zip(slope, rows, strict=True)) for j in range(width)]
    needed = solution([[rows[i][j] for i in met] for j in range(width)], rest)
    assert needed is not None
    for i, s in zip(met, needed, strict=True):
        same = [k for k in at_kinks if rows[k] == rows[i] and targets[k] == targets[i]]
        assert sum(left[k] for k in same) <= s <= sum(right[k] for k in same)
    assert len(at_kinks) == sum(rows[k] in [rows[i] for i in met] for k in at_kinks)


@pytest.mark.parametrize("penalty", [0.0, 1e-3])
@pytest.mark.parametrize("table", TABLES)
def test_what_is_proven_is_proven_in_fractions(table: str, penalty: float) -> None:
    """The gap between the value at w and the bound by the slopes, without rounding: what rounding hides is nearly nothing."""
    X, y = TABLES[table]
    lines = lines_of(X, y, 0.9, penalty)
    found = corner.minimise(lines, np.zeros(lines.width), tol=1e-9, max_iter=200, watch=lambda w, value: False)
    w, slope, cost = exactly(found.w), exactly(found.slope), exactly(lines.penalty)
    rows, targets, left, right = (
        [[*exactly(row), 1] for row in X],
        exactly(y),
        exactly(lines.left),
        exactly(lines.right),
    )
    assert all(a <= s <= b for a, s, b in zip(left, slope, right, strict=True))
    beyond = [sum((a * b for a, b in zip(row, w, strict=True)), -at) for row, at in zip(rows, targets, strict=True)]
    squares = sum(c * each**2 for c, each in zip(cost, w, strict=True)) / 2
    value = sum(max(a * r, b * r) for a, b, r in zip(left, right, beyond, strict=True)) + squares
    pull = [sum(s * row[j] for s, row in zip(slope, rows, strict=True)) for j in range(lines.width)]
    left_over = sum(abs((p + c * each) * each) for p, c, each in zip(pull, cost, w, strict=True))
    bound = -sum(s * at for s, at in zip(slope, targets, strict=True)) - left_over - squares
    size = float(np.abs(y).mean())
    assert value - bound >= 0
    assert float(value - bound) <= found.gap + 1e-13 * (size + float(value))
    assert found.gap <= 1e-9 * float(value) + 1e-13 * size


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("table", TABLES)
def test_the_way_ends_where_the_objective_is_least_on_it(table: str, penalty: float) -> None:
    X, y = TABLES[table]
    lines, rng = lines_of(X, y, 0.7, penalty), np.random.default_rng(5)
    for _ in range(5):
        a, b = rng.normal(size=(2, lines.width)) * 10.0 ** rng.integers(-2, 3)
        here, there = near._Place.of(lines, a), near._Place.of(lines, b)
        found = here.toward(there, lines)
        kinks = -here.beyond / np.where(there.beyond == here.beyond, np.inf, there.beyond - here.beyond)
        parts = np.clip(np.concatenate([kinks, np.linspace(0, 1, 101)]), 0, 1)
        least = min(lines.value((1 - part) * a + part * b) for part in parts)
        assert found.value <= least * (1 + 1e-12)
        assert found.value == pytest.approx(lines.value(found.w), rel=1e-9)


HARD = {
    "a tail of few rows": (losses.pinball(level=0.999), lambda rng, eta: eta + rng.normal(size=len(eta))),
    "amounts without a mean": (losses.pinball(level=0.99), lambda rng, eta: eta + rng.standard_cauchy(len(eta))),
    "two sides, no middle": (losses.absolute_error(), lambda rng, eta: eta + 9.0 * rng.choice([-1, 1], len(eta))),
    "noise that grows": (
        losses.pinball(level=0.05),
        lambda rng, eta: eta + np.exp(2 * eta) * rng.normal(size=len(eta)),
    ),
    "whole numbers": (losses.absolute_error(), lambda rng, eta: rng.poisson(np.exp(eta)).astype(float)),
    "a band": (losses.epsilon_insensitive(epsilon=1.0), lambda rng, eta: eta + rng.normal(size=len(eta))),
}


@pytest.mark.parametrize("alpha", [0.0, 0.01])
@pytest.mark.parametrize("case", HARD)
def test_most_of_many_rows_are_never_solved(case: str, alpha: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the first part of a part is solved at once, and what is reached is the least to the last digits."""
    loss, draw = HARD[case]
    rng, rows = np.random.default_rng(7), 30_000
    X = rng.normal(size=(rows, 5))
    y = draw(rng, X @ [0.3, -0.2, 0.0, 0.4, 0.1])
    solved: list[int] = []
    own = interior.solved

    def counted(lines: Lines, *rest: Any, **more: Any) -> Any:
        solved.append(len(lines.at))
        return own(lines, *rest, **more)

    monkeypatch.setattr(interior, "solved", counted)
    model = LossRegressor(loss, alpha=alpha).fit(X, y)
    assert max(solved) < rows / 3
    certificate = model.certificate_
    assert (certificate.status, certificate.proven) == (Status.OPTIMAL, True)
    assert certificate.gap is not None
    assert certificate.gap <= 1e-11 * certificate.objective


@pytest.mark.parametrize("rows", [50, 9_000])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_lines_turn_as_far_from_each_target_as_the_loss_says(rows: int, far: float) -> None:
    """Many targets are not sorted and not looked for one by one; those that repeat are looked at once."""
    rng = np.random.default_rng(2)
    for y in (far + rng.normal(size=rows), far + rng.integers(0, 9, rows).astype(float)):
        found = kinks(losses.epsilon_insensitive(epsilon=0.25), y)
        assert found is not None
        assert np.array_equal(found.row, np.tile(np.arange(rows), 2))
        np.testing.assert_allclose(found.at, np.concatenate([y - 0.25, y + 0.25]), rtol=1e-15, atol=1e-14)
        assert (found.left == np.repeat([-1.0, 0.0], rows)).all()
        assert (found.right == np.repeat([0.0, 1.0], rows)).all()
        found = kinks(losses.pinball(level=0.25), y)
        assert found is not None
        assert np.array_equal(found.at, y)
    labels = (rng.random(rows) < 0.5).astype(float)
    found = kinks(losses.hinge(), labels)
    assert found is not None
    np.testing.assert_allclose(found.at, np.where(labels == 1, 1.0, -1.0), atol=1e-13)
