"""Is a fit that begins on a part of the rows the fit of all of them, whatever the part does not show?"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from goodmeasure import kernels, losses
from goodmeasure.fitting import design, interior, near, newton, proximal, sampled, sampled_sizes
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.fitting.linear import NoFiniteFit, SolverSettings, fit, prepare, start_at
from goodmeasure.fitting.objective import Objective, look
from goodmeasure.fitting.piecewise_linear import at_raw, piecewise_linear
from goodmeasure.fitting.plain import linear_model, linear_models
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.keys import few
from goodmeasure.traits.curvature_class import curvature_class
from turns import by_turns

ROWS = 24_000
RNG = np.random.default_rng(5)
X = RNG.normal(size=(ROWS, 4)) @ np.diag([1.0, 20.0, 0.05, 3.0])
ETA = X @ [0.5, 0.02, -8.0, 0.1]


def targets(loss: Loss, eta: Any) -> Any:
    """Targets of a loss that follow a raw output."""
    rng = np.random.default_rng(1)
    if loss.is_binary:
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    if loss.target.whole:
        return rng.poisson(np.exp(eta / 2)).astype(float)
    if loss.target.low == 0:
        found = rng.gamma(2, np.exp(eta / 2) / 2)
        return found / (1 + found) if loss.target.high == 1 else found
    return eta + rng.standard_t(4, len(eta))


def _smooth(loss: Loss) -> bool:
    if len(loss.activation) > 1 or loss.is_classwise:
        return False
    found = curvature_class(loss, targets(loss, ETA), 1)
    return found.convex and not (found.jumps or found.piecewise_linear or found.flat)


LOSSES = {name: made() for name, made in losses.catalogue().items() if _smooth(made())}


def rare_column() -> Any:
    """A column that only rows of the end have, some of which a part may miss."""
    column = np.zeros(ROWS)
    column[-40:] = 1
    return np.column_stack([X, column])


TABLES = {
    "as they come": X,
    "in order": X[np.argsort(ETA)],
    "a rare column": rare_column(),
    "a constant column": np.column_stack([X, np.ones(ROWS)]),
    "a column twice": np.column_stack([X, X[:, 0]]),
    "far from zero": X + 1e5,
    "units far apart": X * [1.0, 1e6, 1e-6, 1e3],
    "one far row": np.vstack([X[:-1], [[1e3, 0, 0, 0]]]),
}


# A step too far is infinite, as in a fit.
@np.errstate(over="ignore", invalid="ignore")
def least(minimise: Any, objective: Objective) -> tuple[Any, Any]:
    theta = np.zeros((objective.count, 1))
    theta[-1] = start_at(objective, curvature_class(objective.loss, objective.y, 1))
    seen: list[float] = []
    reached = minimise(objective, theta, tol=1e-9, max_iter=200, watch=lambda at, value: seen.append(value))
    return reached, seen


@pytest.mark.parametrize(("name", "table"), by_turns(LOSSES, tuple(TABLES), asked=4))
def test_it_reaches_what_all_rows_reach(name: str, table: str) -> None:
    loss, features = LOSSES[name], TABLES[table]
    y = targets(loss, np.sort(ETA) if table == "in order" else ETA)
    weight = None if table == "as they come" else np.random.default_rng(2).uniform(0.1, 3, ROWS)
    offset = np.random.default_rng(6).normal(size=ROWS) / 9 if table == "units far apart" else None
    objective = Objective(loss, features, y, weight, offset, alpha=1e-3)
    (ours, seen), (other, _) = least(sampled.minimise, objective), least(newton.minimise, objective)
    assert ours.converged == other.converged
    best = objective.value(other.theta)
    assert objective.value(ours.theta) <= best + 1e-9 * abs(best)
    np.testing.assert_allclose(objective.raw(ours.theta), objective.raw(other.theta), rtol=1e-4, atol=2e-3)
    assert len(seen) == len(set(seen)), "a point is told of twice"


@pytest.mark.parametrize("name", LOSSES)
def test_tables_of_mostly_zeros_reach_what_all_rows_reach(name: str) -> None:
    """By a larger part of the rows; one column is there twice, and one holds 1e6 times what others hold."""
    loss, rng = LOSSES[name], np.random.default_rng(4)
    cells = rng.normal(size=(ROWS, 30)) * (rng.random((ROWS, 30)) < 0.05)
    cells[:, 1], cells[:, 2] = cells[:, 0], 1e6 * cells[:, 2]
    y = targets(loss, cells[:, 3:] @ rng.normal(size=27))
    objective = Objective(loss, csr_array(cells), y, rng.uniform(0.1, 3, ROWS), rng.normal(size=ROWS) / 9, alpha=1e-3)
    assert sampled.suits(objective)
    (ours, _), (other, _) = least(sampled.minimise, objective), least(newton.minimise, objective)
    assert ours.converged
    best = objective.value(other.theta)
    assert objective.value(ours.theta) <= best + 1e-9 * abs(best)


@pytest.mark.parametrize("alpha", [0.0, 1e-3])
@pytest.mark.parametrize("table", ["as they come", "a rare column", "a column twice"])
def test_classes_are_begun_on_a_part_too(table: str, alpha: float) -> None:
    """Their curvature is singular: all classes may move together."""
    rng = np.random.default_rng(3)
    features = TABLES[table]
    y = np.argmax(np.column_stack([ETA, -ETA, 0 * ETA]) + rng.gumbel(size=(ROWS, 3)), axis=1)
    objective = Objective(losses.cross_entropy(), features, y, alpha=alpha, outputs=3)
    assert sampled.suits(objective)
    theta, certificate, _ = fit(objective, SolverSettings())
    start = np.zeros((objective.count, 3))
    other = newton.minimise(objective, start, tol=1e-9, max_iter=200, watch=lambda at, value: False)
    assert certificate.status is Status.OPTIMAL
    assert objective.value(theta) <= objective.value(other.theta) * (1 + 1e-8)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "squared_error", "poisson", "log_cosh", "cross_entropy"])
def test_a_path_of_penalties_goes_on_where_the_last_fit_ended(name: str) -> None:
    loss = losses.catalogue()[name]()
    y = (ETA > 0).astype(int) + (X[:, 0] + RNG.normal(size=ROWS) > 1) if loss.is_classwise else targets(loss, ETA)
    whole = Objective(loss, X, y, outputs=3 if loss.is_classwise else 1)
    own, reads = Objective._raw_of_blocks, []

    def counted(self: Objective, theta: Any) -> Any:
        reads.append(len(self.y) == ROWS)
        return own(self, theta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "_raw_of_blocks", counted)
        ends = [fit(whole.penalised(alpha), SolverSettings()) for alpha in (1e-4, 1e-2, 1.0, 1e-3)]
    asked = sum(reads), len(reads)
    for alpha, (theta, certificate, _) in zip((1e-4, 1e-2, 1.0, 1e-3), ends, strict=True):
        alone = Objective(loss, X, y, alpha=alpha, outputs=whole.outputs)
        cold, _, _ = fit(alone, SolverSettings())
        assert certificate.status is Status.OPTIMAL
        assert alone.value(theta) == pytest.approx(alone.value(cold), rel=2e-9)
    assert asked[0] <= 4 * 12
    assert asked[1] - asked[0] <= asked[0] + 100, "parts are asked once"


CASES = ["plain", "weights", "offset", "no intercept", "units"]


@pytest.mark.parametrize(
    ("name", "case"),
    [*(("binary_cross_entropy", case) for case in CASES), *((name, CASES[k % 5]) for k, name in enumerate(LOSSES))],
)
def test_strengths_found_together_are_those_found_one_by_one(name: str, case: str) -> None:
    """Whatever the order they are asked for, with rows left after whole chunks, in few looks at all rows."""
    loss, rng = LOSSES[name], np.random.default_rng(5)
    scale = np.geomspace(1e-4, 1e4, X.shape[1]) if case == "units" else 1.0
    weight = rng.uniform(0.1, 3, ROWS) if case == "weights" else None
    offset = rng.normal(size=ROWS) / 9 if case == "offset" else None
    alphas, more = [1e-2, 1e-4, 1.0, 1e-3, 1e-1], {"intercept": case != "no intercept", "served": True}
    whole = Objective(loss, X * scale, targets(loss, ETA), weight, offset, **more)
    own, looks = Objective._swept_through, []

    def counted(self: Objective, *thetas: Any) -> Any:
        looks.extend([len(thetas)] * (len(self.y) == ROWS))
        return own(self, *thetas)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "SOME", 0)
        patch.setattr(Objective, "_swept_through", counted)
        prepare(whole, alphas, SolverSettings())
        together = [fit(whole.penalised(alpha), SolverSettings()) for alpha in alphas]
    if name != "linex":  # whose largest errors, of which a part tells nothing, count for more than all others
        assert max(looks) == len(alphas)
        assert len(looks) <= 8, "five fits one after the other take twelve and more"
    for alpha, (theta, certificate, _) in zip(alphas, together, strict=True):
        alone = Objective(loss, X * scale, whole.y, weight, offset, alpha=alpha, **more)
        (slow, _) = least(newton.minimise, alone)
        assert certificate.status is Status.OPTIMAL
        assert certificate.objective == pytest.approx(alone.value(theta), rel=1e-12)
        assert alone.value(theta) <= alone.value(slow.theta) * (1 + 1e-9)


@pytest.mark.parametrize("many", [1, 2, 3, 5, 7])
def test_a_look_of_several_is_that_of_each(many: int) -> None:
    """Also where fewer meet a row at once than ask."""
    loss, rng = losses.poisson(), np.random.default_rng(0)
    objective = Objective(
        loss, X, targets(loss, ETA), rng.uniform(0.1, 3, ROWS), rng.normal(size=ROWS) / 9, served=True
    )
    sides = [objective.penalised(alpha) for alpha in range(many)]
    thetas = [rng.normal(size=(objective.count, 1)) / 9 for _ in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "SOME", 0)
        patch.setattr(design, "together", lambda width: 3)
        look(sides, thetas)
    for side, theta in zip(sides, thetas, strict=True):
        assert side.is_known(theta)
        other = objective._swept_by_blocks(theta)
        found = side._sweep(theta)
        assert found.mean == pytest.approx(other.mean, rel=1e-13)
        np.testing.assert_allclose(found.slope, other.slope, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose([found.far, found.pulled], [other.far, other.pulled], rtol=1e-13)


def test_a_model_of_each_strength_is_that_of_the_strength_alone() -> None:
    """As `goodmeasure run` asks for them; of strengths that were not told of too."""
    loss, y = losses.poisson(), targets(losses.poisson(), ETA)
    whole = Objective(loss, X, y, served=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "SOME", 0)
        model = linear_models(whole, [1e-3, 1e-2, 1e-1])
        assert not whole.ends, "nothing is done before a model is asked for"
        for alpha in (1e-2, 1e-3, 0.03, 1e-1):
            found, alone = model(alpha), linear_model(Objective(loss, X, y, alpha=alpha))
            assert found.certificate.status is Status.OPTIMAL
            assert found.certificate.objective == pytest.approx(alone.certificate.objective, rel=1e-9)
            np.testing.assert_allclose(found.scorer.coefficients, alone.scorer.coefficients, rtol=1e-3)


def test_strengths_are_not_found_together_where_that_saves_nothing() -> None:
    """One strength, none, few rows, classes, sizes that cost, a loss with kinks: each fit goes its own way."""
    y = targets(losses.huber(), ETA)
    for loss, rows, alphas, more in (
        (losses.huber(), ROWS, [0.1], {}),
        (losses.huber(), ROWS, [0.0, 0.1], {}),
        (losses.huber(), 5_000, [0.1, 0.2], {}),
        (losses.huber(), ROWS, [0.1, 0.2], {"l1_ratio": 0.5}),
        (losses.pinball(), ROWS, [0.1, 0.2], {}),
        (losses.gaussian_nll(), ROWS, [0.1, 0.2], {"outputs": 2}),
    ):
        objective = Objective(loss, X[:rows], y[:rows], served=True, **more)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(design, "SOME", 0)
            prepare(objective, alphas, SolverSettings())
        assert not {key for key in objective.ends if isinstance(key, tuple)}


PART = sampled.spread(ROWS, sampled.part_size(Objective(losses.squared_error(), X, ETA)))
# A part of the rows that holds no yes has its least nowhere.
RARE = np.isin(np.arange(ROWS), np.setdiff1d(np.arange(90), PART)).astype(float)
HARD: dict[str, tuple[Loss, Any, Any, list[float]]] = {
    "a part without a yes": (losses.binary_cross_entropy(), X, RARE, [1e-4, 1e-3, 1e-2]),
    "counts of nothing": (losses.poisson(), X, np.zeros(ROWS), [1e-3, 1e-2]),
    "strengths far apart": (losses.huber(), X, targets(losses.huber(), ETA), [1e-3, 1e10, 1e300]),
    "units far apart": (losses.huber(), X * np.geomspace(1e-12, 1e12, X.shape[1]), ETA, [1e-3, 1.0, 1e3]),
}


@pytest.mark.parametrize("case", HARD)
def test_strengths_of_which_a_part_tells_nothing_are_found_alone(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design, "SOME", 0)
    loss, features, y, alphas = HARD[case]
    model = linear_models(Objective(loss, features, y, served=True), alphas)
    for alpha in alphas:
        found, alone = (
            each.certificate for each in (model(alpha), linear_model(Objective(loss, features, y, alpha=alpha)))
        )
        assert (found.status is Status.OPTIMAL) is (alone.status is Status.OPTIMAL)
        assert found.objective == pytest.approx(alone.objective, rel=1e-9, abs=1e-12)


def test_that_no_constant_is_finite_is_said_by_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design, "SOME", 0)
    model = linear_models(Objective(losses.squared_error(), X, ETA * 1e307, served=True), [0.1, 1.0])
    with pytest.raises(NoFiniteFit, match="infinite at its best constant"):
        model(0.1)


def _strongest(objective: Objective) -> float:
    """The least cost of sizes that leaves every coefficient at zero."""
    start = np.zeros((objective.count, 1))
    start[-1] = start_at(objective, curvature_class(objective.loss, objective.y, 1))
    slope = objective.value_and_gradient(start)[1][: objective.features.shape[1]]
    return float(np.abs(slope[:, 0] * objective.scale).max())


@pytest.mark.parametrize(("name", "table"), [(name, [*TABLES][k % len(TABLES)]) for k, name in enumerate(LOSSES)])
def test_costs_of_sizes_reach_what_all_rows_reach(name: str, table: str) -> None:
    """From a strength at which some are zero to one at which hardly any is, with weights and a cost of squares by turns."""
    loss, weight = LOSSES[name], np.random.default_rng(2).uniform(0.1, 3, ROWS) if len(name) % 2 else None
    ratio, y = 0.5 if len(name) % 3 else 1.0, targets(LOSSES[name], ETA)
    strongest = _strongest(Objective(loss, TABLES[table], y, weight)) / ratio
    for part in (0.3, 1e-3):
        objective = Objective(loss, TABLES[table], y, weight, alpha=part * strongest, l1_ratio=ratio)
        assert sampled_sizes.suits(objective)
        theta, certificate, _ = fit(objective, SolverSettings())
        start = np.zeros(theta.shape)
        start[-1] = start_at(objective, curvature_class(loss, y, 1))
        slow = proximal.minimise(objective, start, tol=1e-11, max_iter=500, watch=newton.unwatched)
        best = proximal.value_of(objective, slow.theta)
        assert certificate.status is Status.OPTIMAL
        assert certificate.objective == pytest.approx(proximal.value_of(objective, theta), rel=1e-14)
        assert certificate.objective <= best + max(certificate.gap or 0, 1e-9 * abs(best))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "poisson", "huber", "squared_error"])
def test_a_cost_of_sizes_takes_few_looks_at_all_rows(name: str) -> None:
    """Also where it is weak, and of one strength after the other."""
    loss = LOSSES[name]
    whole = Objective(loss, X, targets(loss, ETA), l1_ratio=1.0)
    strongest, looks, bends = _strongest(whole), [], []
    own, curved = Objective._sweep, Objective.curvature

    def counted(self: Objective, theta: Any) -> Any:
        looks.append(len(self.y) == ROWS and not self.is_known(theta))
        return own(self, theta)

    def bent(self: Objective, theta: Any, **more: Any) -> Any:
        bends.append(len(self.y) == ROWS)
        return curved(self, theta, **more)

    for part, most in ((1e-5, 14), (1e-4, 12), (1e-2, 12), (0.2, 12)):
        looks.clear()
        bends.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Objective, "_sweep", counted)
            patch.setattr(Objective, "curvature", bent)
            theta, certificate, _ = fit(whole.penalised(part * strongest), SolverSettings())
        assert certificate.status is Status.OPTIMAL
        assert sum(looks) <= most
        assert sum(bends) <= 1, "where a proof asks for the last digits, a part's curvature may lead no further"
        alone = Objective(loss, X, whole.y, alpha=part * strongest, l1_ratio=1.0)
        slow = proximal.minimise(alone, np.zeros(theta.shape), tol=1e-11, max_iter=500, watch=newton.unwatched)
        assert certificate.objective <= proximal.value_of(alone, slow.theta) * (1 + 1e-9)


def test_a_cost_of_sizes_goes_on_where_a_part_does_not_tell() -> None:
    """What a part says may lead nowhere, or nowhere near: all rows are asked then, and no step is told of twice."""
    loss, seen = LOSSES["linex"], []
    y = targets(loss, ETA)
    objective = Objective(loss, X, y, alpha=_strongest(Objective(loss, X, y)) / 2, l1_ratio=1.0)

    def watch(theta: Any, value: float) -> bool:
        seen.append(theta.tobytes())
        return False

    for steps in (0, 12):
        seen.clear()
        objective.ends.clear()
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
            patch.setattr(sampled_sizes, "_STEPS", steps)
            theta = np.zeros((objective.count, 1))
            found = sampled_sizes.minimise(objective, theta, tol=1e-9, max_iter=500, watch=watch)
            slow = proximal.minimise(objective, theta, tol=1e-11, max_iter=500, watch=newton.unwatched)
        best = proximal.value_of(objective, slow.theta)
        assert found.converged
        assert proximal.value_of(objective, found.theta) <= best + 1e-9 * abs(best)
        assert len(set(seen)) == len(seen)


def test_the_rows_are_read_fewer_times() -> None:
    """What makes it fast: on rows as they come no curvature of all rows is asked for."""
    objective = Objective(losses.binary_cross_entropy(), X, targets(losses.binary_cross_entropy(), ETA), alpha=1e-3)
    asked: list[int] = []
    own = Objective.curvature

    def counted(self: Objective, theta: Any, **more: Any) -> Any:
        asked.append(len(self.y))
        return own(self, theta, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Objective, "curvature", counted)
        reached, _ = least(sampled.minimise, objective)
    assert reached.converged
    assert max(asked) <= ROWS / 8


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("name", [*LOSSES, "cross_entropy", "gaussian_nll"])
def test_what_is_found_block_by_block_is_what_is_found_at_once(name: str, weighted: bool, served: bool) -> None:
    """The mean, its slope, and the sizes that rounding and balance are told by."""
    loss, rows, rng = losses.catalogue()[name](), 1_000, np.random.default_rng(0)
    y = rng.integers(0, 3, rows) if loss.is_classwise else targets(loss, ETA[:rows])
    outputs = 3 if loss.is_classwise else len(loss.activation)
    weight, offset = (rng.uniform(0.1, 3, rows) if weighted else None), rng.normal(size=rows) / 9
    objective = Objective(loss, X[:rows, [0, 3]], y, weight, offset, alpha=0.1, outputs=outputs, served=served)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "_CELLS", 600)
        assert len(objective._blocks) == 4
    theta = rng.normal(size=(3, outputs)) / 9
    z = X[:rows, [0, 3]] @ theta[:2] + theta[2] + offset[:, None]
    mean, signal = loss.value_and_gradient(y, z[:, 0] if outputs == 1 else z, weight)
    signal, cost = signal.reshape(rows, -1), 0.05 * (theta[:2] ** 2).sum()
    ones = np.column_stack([X[:rows, [0, 3]], np.ones(rows)])
    assert objective.value(theta.copy()) == pytest.approx(mean + cost, rel=1e-13)
    value, slope = objective.value_and_gradient(theta)
    assert value == pytest.approx(mean + cost, rel=1e-13)
    np.testing.assert_allclose(slope, ones.T @ signal + 0.1 * theta * [[1], [1], [0]], rtol=1e-11, atol=1e-14)
    assert objective.pull(theta) == pytest.approx(np.abs(signal).sum())
    np.testing.assert_allclose(objective.pulls(theta), abs(ones).T @ abs(signal) + 0.1 * abs(theta) * [[1], [1], [0]])
    units = 1 if loss.is_classwise else outputs
    far, pulled = np.abs(z.reshape(-1, units)).max(axis=0), np.abs(signal.reshape(-1, units)).sum(axis=0)
    assert objective.rounding(theta) == pytest.approx(np.finfo(float).eps * (abs(value) + far @ pulled))


@pytest.mark.parametrize(
    ("case", "rows"),
    [("plain", 2_500), ("weights", 5_121), ("offset", 2_048), ("no intercept", 1_024), ("rows of no weight", 2_500)],
)
@pytest.mark.parametrize("name", LOSSES)
def test_one_compiled_loop_finds_what_blocks_find(name: str, case: str, rows: int) -> None:
    """Whole chunks of a kernel and what is left of them, several at a time."""
    loss, rng = LOSSES[name], np.random.default_rng(0)
    weight = rng.uniform(0.1, 3, rows) * (np.arange(rows) < 900 if case == "rows of no weight" else 1)
    offset = rng.normal(size=rows) / 9 if case == "offset" else None
    objective = Objective(
        loss, X[:rows, [0, 3]].copy(), targets(loss, ETA[:rows]), weight if "weight" in case else None, offset,
        alpha=0.1, intercept=case != "no intercept", served=True,
    )  # fmt: skip
    theta = rng.normal(size=(objective.count, 1)) / 9
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "SOME", 0)
        patch.setattr(design, "_KEPT", 4_096)
        found = objective._swept_through(theta)
    assert found is not None
    (found,) = found
    other = objective._swept_by_blocks(theta)
    assert found.mean == pytest.approx(other.mean, rel=1e-14)
    np.testing.assert_allclose(found.slope, other.slope, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose([found.far, found.pulled], [other.far, other.pulled], rtol=1e-13)


def test_what_the_compiled_loop_cannot_tell_is_for_blocks() -> None:
    """A share among targets of yes and no, which is for another kernel; and a raw output that overflows."""
    y = (ETA > 0).astype(float)
    y[20_000] = 0.3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "SOME", 0)
        objective = Objective(losses.binary_cross_entropy(), X, y, served=True)
        theta = np.full((5, 1), 0.1)
        assert objective._swept_through(theta) is None
        before = objective.value_and_gradient(theta)
        found = objective._swept_through(theta.copy())
        assert found is not None, "the kernel that takes shares is known by now"
        (found,) = found
        assert (found.mean, *found.slope.ravel()) == pytest.approx((before[0], *before[1].ravel()), rel=1e-11)
        counts = Objective(losses.poisson(), X, np.ones(ROWS), served=True)
        with np.errstate(over="ignore", invalid="ignore"):
            assert counts.value_and_gradient(np.full((5, 1), 1e305))[0] == np.inf


def test_a_step_on_a_run_of_rows_is_that_of_the_loss() -> None:
    """Of targets that are yes and no up to a share, which another kernel takes; and one outside the domain is none's."""
    loss, rng, n = losses.binary_cross_entropy(), np.random.default_rng(0), 300
    y, z, weight = (rng.random(n) < 0.5).astype(float), rng.normal(size=n), rng.uniform(0.1, 3, n)
    y[200] = 0.3
    steps = kernels.steps(loss, y, weight)
    assert steps is not None
    mean, signal = loss.value_and_gradient(y, z, weight)
    out, parts = np.empty(n), []
    for rows in (slice(0, 100), slice(100, 250), slice(250, 300)):
        found = steps(rows, z[rows], out[rows])
        assert found is not None
        parts.append(found)
    assert sum(parts) == pytest.approx(mean, rel=1e-14)
    np.testing.assert_allclose(out, signal, rtol=1e-14)
    wrong = kernels.steps(loss, np.where(np.arange(n) == 7, 2.0, y), None)
    assert wrong is not None
    assert wrong(slice(0, n), z, out) is None
    assert kernels.steps(losses.cross_entropy(), np.zeros(n, dtype=int), None) is None


@pytest.mark.parametrize("name", ["gamma", "huber", "binary_cross_entropy"])
def test_a_start_near_the_best_constant_ends_where_the_best_one_does(name: str) -> None:
    """Amounts with a far one that the start does not see, and hardly any yes."""
    loss = LOSSES[name]
    y = targets(loss, ETA)
    if name == "binary_cross_entropy":
        y = (np.arange(ROWS) % 4_000 == 17).astype(float)
    else:
        y[13] = 1e6
    objective = Objective(loss, X, y, alpha=1e-3)
    theta, certificate, _ = fit(objective, SolverSettings())
    assert certificate.status is Status.OPTIMAL
    other, _ = least(newton.minimise, objective)
    assert objective.value(theta) <= objective.value(other.theta) + 1e-9 * abs(objective.value(other.theta))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("table", TABLES)
def test_a_parabola_is_solved_by_one_table_of_products(table: str, weighted: bool) -> None:
    """In single precision where that is enough, and corrected by what is left."""
    rng = np.random.default_rng(2)
    weight = rng.uniform(0.1, 3, ROWS) * (rng.random(ROWS) < 0.9) if weighted else None
    offset = rng.normal(size=ROWS) if weighted else None
    y = targets(losses.squared_error(), ETA)
    objective = Objective(losses.squared_error(), TABLES[table], y, weight, offset, alpha=1e-3)
    theta = np.zeros((objective.count, 1))
    theta[-1] = 0.3
    matrix, gradient = objective.parabola(theta, 2.0, single=False)
    np.testing.assert_allclose(matrix, objective.curvature(theta), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gradient, objective.value_and_gradient(theta)[1], rtol=1e-10, atol=1e-12)
    (ours, seen), (other, _) = least(sampled.minimise, objective), least(newton.minimise, objective)
    assert ours.converged
    assert objective.value(ours.theta) == pytest.approx(objective.value(other.theta), rel=1e-11)
    assert len(seen) <= 4, "few reads of all rows"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_cell_that_is_not_finite_is_refused_in_a_long_table_as_in_a_short_one(wrong: float) -> None:
    table = np.random.default_rng(0).normal(size=(1 << 16, 16))
    y = (table[:, 0] > 0).astype(int)
    said = []
    for rows in (1 << 16, 1 << 8):
        bad = table[:rows].copy()
        bad[3, 7] = wrong
        for model in (LossClassifier(), LossClassifier(alpha=0.1, early_stopping=True), LossRegressor(losses.huber())):
            with pytest.raises(ValueError, match="Input X contains") as refused:
                model.fit(bad, y[:rows])
            said.append((type(model), str(refused.value).replace(f"{rows:,} cells", "all cells")))
    assert said[:3] == said[3:]


@pytest.mark.parametrize("alpha", [1e-8, 1e-3])
@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.is_binary])
def test_classes_that_are_nearly_separable_reach_what_all_rows_reach(name: str, alpha: float) -> None:
    y = (X[:, 0] > 0).astype(float)
    y[[7, 9_000, 20_000]] = 1 - y[[7, 9_000, 20_000]]
    objective = Objective(LOSSES[name], X, y, alpha=alpha)
    (ours, _), (other, _) = least(sampled.minimise, objective), least(newton.minimise, objective)
    assert ours.converged == other.converged
    best = objective.value(other.theta)
    assert objective.value(ours.theta) <= best + 1e-9 * abs(best)


def test_separable_classes_come_to_an_end_all_the_same() -> None:
    y = (X[:, 0] > 0).astype(float)
    reached, _ = least(sampled.minimise, Objective(losses.binary_cross_entropy(), X, y))
    assert reached.endless or not reached.converged


LINES = {
    "median": (losses.absolute_error(), ETA + RNG.standard_t(2, ROWS)),
    "ninth tenth": (losses.pinball(level=0.9), ETA + RNG.gamma(1, 1, ROWS)),
    "far tail": (losses.pinball(level=0.999), ETA + RNG.normal(size=ROWS)),
    "a band": (losses.epsilon_insensitive(epsilon=0.5), ETA + RNG.normal(size=ROWS)),
    "whole numbers": (losses.pinball(level=0.3), RNG.poisson(np.exp(ETA / 2)).astype(float)),
    "mostly zeros": (losses.pinball(level=0.7), np.where(RNG.random(ROWS) < 0.6, 0.0, np.exp(ETA))),
    "margins": (losses.hinge(), (RNG.random(ROWS) < 0.4).astype(float)),
}


@pytest.mark.parametrize(
    ("case", "way"),
    by_turns(LINES, [*product(("as they come", "in order", "a rare column", "a column twice"), (0.0, 0.01))], asked=3),
)
def test_lines_near_the_plane_are_all_that_matter(case: str, way: tuple[str, float]) -> None:
    (loss, y), (table, alpha) = LINES[case], way
    order = np.argsort(ETA, kind="stable") if table == "in order" else np.arange(ROWS)
    weight = np.random.default_rng(2).uniform(0.1, 3, ROWS)
    objective = Objective(loss, TABLES[table], y[order], weight, alpha=alpha)
    found = piecewise_linear(objective, curvature_class(loss, y, 1))
    assert found is not None
    lines = at_raw(objective, found, np.zeros(ROWS))
    start = np.zeros(lines.width)
    w, gap, _ = near.minimise(lines, start, tol=1e-9, max_iter=500, watch=lambda w, value: False)
    best = lines.value(interior.minimise(lines, start, tol=1e-10, max_iter=500, watch=lambda w, value: False)[0])
    assert lines.value(w) <= best + 2e-9 * abs(best)
    assert gap >= lines.value(w) - best - 1e-12 * abs(best), "a gap is what it can be at most"
    assert gap <= 1e-6 * abs(best)


def test_most_rows_of_lines_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loss, y = LINES["ninth tenth"]
    objective = Objective(loss, X, y)
    found = piecewise_linear(objective, curvature_class(loss, y, 1))
    assert found is not None
    solved: list[int] = []
    own = interior.solved

    def counted(lines: interior.Lines, *rest: Any, **more: Any) -> Any:
        solved.append(len(lines.at))
        return own(lines, *rest, **more)

    monkeypatch.setattr(interior, "solved", counted)
    near.minimise(
        at_raw(objective, found, np.zeros(ROWS)), np.zeros(5), tol=1e-9, max_iter=99, watch=lambda w, value: False
    )
    assert max(solved) <= ROWS / 8


def test_few_values_are_those_of_a_sort() -> None:
    rng = np.random.default_rng(3)
    for values in (
        rng.integers(0, 2, 999),
        rng.integers(0, 7, 999) / 2,
        np.zeros(5),
        np.array(["b", "a", "b"]),
        np.append(np.zeros(500), [3.0, -1.0]),
        np.append(np.zeros(500), np.arange(3.0)),
    ):
        known, codes = few(values, 9) or (None, None)
        assert np.array_equal(known, np.unique(values))
        assert np.array_equal(known[codes], values)
    assert few(rng.random(100), 9) is None
    assert few(np.append(np.zeros(500), rng.random(100)), 9) is None
