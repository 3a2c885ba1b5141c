"""Do boosters train on every loss, as they do on their own objectives, and do their models keep what the loss knows?"""

from __future__ import annotations

import copy
import pickle

import lightgbm
import numpy as np
import pytest
import xgboost

import goodmeasure as gm
from boosters import model, raw, rows, table_of_objectives, trained
from catalogue_losses import everything, variants
from goodmeasure.errors import NoSuchReading, Problem
from goodmeasure.fitting.majoriser import curvature, signal
from goodmeasure.fitting.second_order import SecondOrder
from turns import by_turns

NATIVE = table_of_objectives()
HOSTS = ("xgboost", "lightgbm", "sklearn")
L = gm.losses


def trainable(loss) -> bool:
    """Losses with a signal, and a best output that is not the same whatever the features say, as the perceptron's zero."""
    try:
        SecondOrder(loss)
    except NoSuchReading:
        return False
    return repr(loss) != "perceptron()"


LOSSES = [loss for loss in everything() if trainable(loss)]
ON_ONE_TREE = [loss for loss in LOSSES if loss.is_classwise or len(loss.activation) == 1]
ON_MANY = [loss for loss in LOSSES if loss not in ON_ONE_TREE]
OF_MANY = tuple(host for host in HOSTS if host != "sklearn")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("loss", "host"), [*by_turns(ON_ONE_TREE, tuple(HOSTS)), *by_turns(ON_MANY, OF_MANY)], ids=str)
def test_every_loss_trains(loss, host):
    """On new rows the trained model beats the best constant clearly: also where the exact curvature is zero or negative."""
    x, y = rows(loss, 1200)
    fitted = trained(host, loss, x[:600], y[:600], rounds=30)
    if repr(loss) == "exponential()":  # one new row that is far on the wrong side costs more than all others
        x, y = np.tile(x[:600], (2, 1)), np.tile(y[:600], 2)
    z, best = (
        raw(host, fitted, x[600:]),
        np.asarray(loss.best_constant(y[:600], classes=3 if loss.is_classwise else None)),
    )
    ours = loss.value(y[600:], z)
    theirs = loss.value(y[600:], np.broadcast_to(best, z.shape))
    gain = theirs - ours
    assert gain.mean() > 2 * gain.std() / np.sqrt(600), (ours.mean(), theirs.mean())


def both(native, x, y, weight=None, rounds=20):
    """The raw outputs of the host's own objective and of ours."""
    name = {"loss" if native.host == "sklearn" else "objective": native.name}
    if native.host == "xgboost" and not native.loss.is_classwise:
        start = np.asarray(native.loss.best_constant(y, weight))
        name["base_score"] = float(native.loss.predict(start))  # XGBoost estimates one by a single step of its own
    if native.name == "reg:quantileerror":
        name["quantile_alpha"] = 0.5
    if native.name == "quantile":
        name["quantile" if native.host == "sklearn" else "alpha"] = 0.5
    if native.name == "huber":
        name["alpha"] = 1.0
    theirs = model(native.host, native.loss, rounds, **name).fit(x, y, sample_weight=weight)
    return raw(native.host, theirs, x), raw(native.host, trained(native.host, native.loss, x, y, weight, rounds), x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("native", "weighted"),
    by_turns([n for n in NATIVE if n.trained.startswith("the same")], (False, True)),
    ids=str,
)
def test_trained_as_on_the_hosts_own_objective(native, weighted):
    x, y = rows(native.loss)
    weight = np.random.default_rng(1).integers(1, 4, len(y)).astype(float) if weighted else None
    a, b = both(native, x, y, weight)
    if (
        a.ndim == 2
    ):  # of classes only differences count, and hosts begin elsewhere: at one number for all classes and rows
        assert np.ptp((a - b).mean(axis=1)) < 1e-5
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    tolerance = 1e-5 if native.host == "xgboost" else 1e-6  # XGBoost keeps raw outputs in single precision
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("native", [n for n in NATIVE if "near the start" in n.trained], ids=str)
def test_far_targets_tell_our_curvature_from_the_hosts(native):
    x, y = rows(native.loss, 1200)
    near, far = (both(native, x[:600], y[:600] * times) for times in (1, 3))
    np.testing.assert_allclose(*near, rtol=1e-5, atol=1e-5)
    assert np.abs(far[0] - far[1]).max() > 1
    theirs, ours = (native.loss(3 * y[:600], z) for z in far)
    assert ours < 1.1 * theirs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("native", [n for n in NATIVE if not n.trained.startswith("the same")], ids=str)
def test_where_the_host_does_more_ours_gets_about_as_far(native):
    x, y = rows(native.loss)
    theirs, ours = (native.loss(y, z) for z in both(native, x, y, rounds=100))
    start = native.loss(y, np.full(len(y), native.loss.best_constant(y)))
    assert theirs != pytest.approx(ours, rel=1e-6)
    assert start - ours > 0.8 * (start - theirs)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_weights_are_copies_and_weight_zero_is_absent(loss):
    x, y = rows(loss, 40)
    outputs = 3 if loss.is_classwise else len(loss.activation)
    z = np.random.default_rng(2).normal(size=(40, outputs) if outputs > 1 else 40)
    order = SecondOrder(loss)
    signal, curvature = order.step(y, z)
    assert (curvature >= 0).all()
    assert (curvature[signal != 0] > 0).mean() > 0.8
    again = order.step(y, z, np.full(40, 3.0))
    np.testing.assert_allclose(again[0], 3 * signal)
    np.testing.assert_allclose(again[1], 3 * curvature)
    absent = y.astype(float), z.copy()
    absent[0][:5], absent[1][:5] = np.nan, np.nan
    weight = np.repeat([0.0, 1.0], [5, 35])
    left = order.step(*absent, weight)
    assert not left[0][:5].any()
    assert not left[1][:5].any()
    np.testing.assert_allclose(left[0][5:], signal[5:])


SYMMETRIC = [
    L.absolute_error(),
    L.huber(delta=0.3),
    L.cauchy(),
    L.tukey_biweight(),
    L.welsch(),
    L.pinball(level=0.9),
    L.hinge(),
]


@pytest.mark.parametrize("loss", SYMMETRIC, ids=repr)
def test_the_parabola_lies_above_the_loss(loss):
    """The majoriser of a single row: touching at the raw output, nowhere below the loss."""
    random = np.random.default_rng(3)
    for _ in range(200):
        y = float(random.integers(0, 2)) if loss.is_binary else float(random.normal())
        z, other = random.normal(size=2) * 3
        (signal,), (curvature,) = (each for each in SecondOrder(loss).step([y], [z]))
        step = other - z
        bound = loss([y], [z]) + signal * step + curvature / 2 * step**2
        assert loss([y], [other]) <= bound + 1e-9 * (1 + abs(bound))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("loss", [L.log_cosh(), L.pseudo_huber(), L.absolute_error()], ids=repr)
def test_far_targets_do_not_throw_the_trees_about(loss, scale):
    """The exact curvature of a loss that is straight far out is next to zero there."""
    x, y = rows(loss)
    fitted = trained("lightgbm", loss, x, scale * y, rounds=60)
    assert loss(scale * y, raw("lightgbm", fitted, x)) < loss(scale * y, np.full(len(y), loss.best_constant(scale * y)))


@pytest.mark.parametrize("loss", [L.binary_cross_entropy(positive_weight=10.0), L.binary_focal(gamma=2.0)], ids=repr)
@pytest.mark.parametrize("host", HOSTS)
def test_predictions_mean_what_they_say(host, loss):
    """The host's own probability carries the weight or the focus; ours is the rate of yes."""
    x, y = rows(loss, 2000)
    fitted = trained(host, loss, x, y)
    if host == "sklearn":
        said = fitted.predict_proba(x)[:, 1]
    else:
        said = {"xgboost": gm.to_xgboost, "lightgbm": gm.to_lightgbm}[host](loss).predict(fitted, x)
    assert said.mean() == pytest.approx(y.mean(), abs=0.03)
    assert said.min() >= 0
    assert said.max() <= 1


@pytest.mark.parametrize("loss", [L.gamma(), L.huber(), L.gaussian_nll(), L.cross_entropy()], ids=repr)
@pytest.mark.parametrize("host", ["xgboost", "lightgbm"])
def test_a_saved_booster_holds_its_start(host, loss, tmp_path):
    x, y = rows(loss)
    fitted = trained(host, loss, x, y)
    path = str(tmp_path / "model.json")
    if host == "xgboost":
        fitted.save_model(path)
        again = xgboost.Booster(model_file=path).predict(xgboost.DMatrix(x), output_margin=True)
    else:
        fitted.booster_.save_model(path)
        again = lightgbm.Booster(model_file=path).predict(x, raw_score=True)
    np.testing.assert_allclose(again, raw(host, fitted, x), rtol=1e-6)


def test_the_low_level_calls_are_the_same_objective():
    loss = L.pinball(level=0.8)
    x, y = rows(loss)
    ours, table = gm.to_xgboost(loss), xgboost.DMatrix(x, y)
    settings = {
        "max_depth": 3,
        "eta": 0.2,
        "nthread": 1,
        "base_score": ours.start(y),
        "disable_default_eval_metric": True,
    }
    seen: dict = {}
    booster = xgboost.train(
        settings,
        table,
        20,
        obj=ours,
        custom_metric=ours.metric,
        evals=[(table, "fit")],
        evals_result=seen,
        verbose_eval=False,
    )
    by_model = raw("xgboost", trained("xgboost", loss, x, y), x)
    np.testing.assert_allclose(booster.predict(table, output_margin=True), by_model, rtol=1e-6)
    assert seen["fit"]["pinball(level=0.8)"][-1] == pytest.approx(loss(y, by_model), rel=1e-5)
    other = gm.to_lightgbm(loss)
    data = lightgbm.Dataset(x, y, init_score=np.full(len(y), other.start(y)))
    booster = lightgbm.train(
        {"objective": other, "num_leaves": 8, "learning_rate": 0.2, "verbose": -1, "num_threads": 1},
        data,
        20,
        feval=other.metric,
    )
    np.testing.assert_allclose(
        booster.predict(x, raw_score=True) + other.start(y), raw("lightgbm", trained("lightgbm", loss, x, y), x)
    )


def test_early_stopping_looks_at_the_loss_from_the_start_on():
    loss = L.huber(delta=1.0)
    x, y = rows(loss, 1200)
    held = [(x[600:], y[600:] + 50)]
    ours = gm.to_xgboost(loss).fit(
        model("xgboost", loss, 300, early_stopping_rounds=5), x[:600], y[:600] + 50, eval_set=held, verbose=False
    )
    curve = ours.evals_result()["validation_0"]["huber(delta=1.0)"]
    stop = [lightgbm.early_stopping(5, verbose=False)]
    theirs = gm.to_lightgbm(loss).fit(
        model("lightgbm", loss, 300), x[:600], y[:600] + 50, eval_X=(held[0][0],), eval_y=(held[0][1],), callbacks=stop
    )
    other = theirs.evals_result_["valid_0"]["huber(delta=1.0)"]
    for found in (curve, other):
        assert found[0] < 3
        assert 5 < len(found) < 300
        assert found[-1] < found[0]


@pytest.mark.parametrize("to", [gm.to_xgboost, gm.to_lightgbm, gm.to_hist_gradient_boosting])
def test_objectives_copy_pickle_and_refuse_what_cannot_train(to):
    ours = to(L.huber(delta=2.0))
    for again in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert repr(again) == repr(ours)
    with pytest.raises(NoSuchReading, match="no learning signal"):
        to(L.zero_one())


def test_classes_that_are_all_yes_start_at_a_number():
    assert gm.to_xgboost(L.binary_cross_entropy()).start([1.0, 1.0]) == 30.0


def test_raw_outputs_of_another_number_are_refused():
    x, y = rows(L.huber())
    fitted = trained("xgboost", L.huber(), x, y)
    with pytest.raises(Problem, match="several raw outputs"):
        gm.to_xgboost(L.cross_entropy()).predict(fitted.get_booster(), xgboost.DMatrix(x))


def test_sparse_rows_are_predicted_as_they_are_fitted():
    from scipy.sparse import csr_matrix

    x, y = rows(L.huber())
    sparse = csr_matrix(np.where(np.abs(x) > 1, x, 0.0))
    for to, host in ((gm.to_xgboost, "xgboost"), (gm.to_lightgbm, "lightgbm")):
        fitted = to(L.huber()).fit(model(host, L.huber(), 5), sparse, y)
        assert to(L.huber()).predict(fitted, sparse).shape == (len(y),)


def test_a_random_forest_takes_no_start():
    x, y = rows(L.huber())
    forest = model("lightgbm", L.huber(), 5, boosting_type="rf", subsample=0.5, subsample_freq=1)
    with pytest.raises(Problem, match="random forests"):
        gm.to_lightgbm(L.huber()).fit(forest, x, y)


def test_a_row_that_is_not_pulled_holds_no_leaf() -> None:
    loss, y = L.epsilon_insensitive(epsilon=1.0), np.array([0.0, 0.0, 5.0])
    _, bend = gm.to_xgboost(loss)(np.array([0.5, 3.0, 5.0]), y)
    assert (bend[0], bend[2]) == (0, 0)
    assert bend[1] > 0


@pytest.mark.parametrize("times", [1.0, 2.0])
def test_a_host_widens_the_curvature_of_each_class(times: float) -> None:
    loss = L.cross_entropy(class_weight=(1.0, 2.0, 3.0))
    rng = np.random.default_rng(0)
    y, z = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    found = curvature(loss, y, z, signal(loss, y, z), lambda classes: times * classes)
    np.testing.assert_allclose(found, 3 * times * loss.hessian(y, z), rtol=1e-12)


@pytest.mark.parametrize("loss", [each for each in variants() if trainable(each)], ids=repr)
def test_a_loss_of_any_name_is_a_metric_that_xgboost_reads(loss):
    x, y = rows(loss, 60)
    ours, seen = gm.to_xgboost(loss), {}
    settings = {"disable_default_eval_metric": True, "nthread": 1, "num_target": SecondOrder(loss).outputs or 1}
    if loss.is_classwise:
        settings["num_target"] = 3
    table = xgboost.DMatrix(x, y, base_margin=np.tile(np.atleast_1d(ours.start(y)), (len(y), 1)))
    more = {"evals": [(table, "fit")], "evals_result": seen, "verbose_eval": False}
    xgboost.train(settings, table, 1, obj=ours, custom_metric=ours.metric, **more)
    assert list(seen["fit"]) == [ours.metric.__name__]
