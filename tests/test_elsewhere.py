"""Does every loss of torch, Keras, optax and scikit-learn lead to ours, and is the factor between them what is said?"""

import importlib
import inspect
import math
import warnings

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.errors import NoSuchLoss
from goodmeasure.making.elsewhere import HOSTS, elsewhere

RNG = np.random.default_rng(0)
Z, Y = RNG.normal(size=40), RNG.normal(size=40)
SHARES, AMOUNTS = RNG.uniform(0.05, 0.95, 40), RNG.gamma(2.0, 1.0, 40) + 0.1
BITS = RNG.integers(0, 2, 40).astype(float)
ROWS, CLASSES, SOFT = RNG.normal(size=(40, 3)), RNG.integers(0, 3, 40), RNG.dirichlet(np.ones(3), 40)
OTHERS, ONES = RNG.normal(size=(40, 3)), np.ones(40)


# --- names ---


def torch_names():
    torch = pytest.importorskip("torch")
    yield from (n for n in dir(torch.nn) if n.endswith("Loss"))
    found = vars(torch.nn.functional)
    yield from (
        n for n in found if n.endswith(("_loss", "cross_entropy", "with_logits", "kl_div")) and n.strip("_") == n
    )


def keras_names():
    keras = pytest.importorskip("keras")
    tools = {"Loss", "get", "serialize", "deserialize"}
    yield from (n for n in dir(keras.losses) if not n.startswith("_") and n not in tools)


def sklearn_names():
    metrics = importlib.import_module("sklearn.metrics")
    yield from (n for n in metrics.__all__ if n.endswith(("_loss", "_error", "_deviance")))
    from sklearn.utils import all_estimators
    from sklearn.utils._param_validation import StrOptions

    for _, kind in all_estimators(type_filter=["classifier", "regressor"]):
        for each in getattr(kind, "_parameter_constraints", {}).get("loss", ()):
            if isinstance(each, StrOptions):
                yield from each.options - {
                    "linear",
                    "square",
                }  # AdaBoost's weights, which are no losses of a prediction


def optax_names():
    found = vars(pytest.importorskip("optax").losses)
    functions = {name for name, each in found.items() if not name.startswith("_") and inspect.isfunction(each)}
    yield from sorted(functions - {"smooth_labels"})  # which is no loss


@pytest.mark.parametrize("host", ["torch", "keras", "sklearn", "optax"])
def test_every_name_of_a_library_leads_to_ours_or_to_a_reason(host):
    given = {"torch": torch_names, "keras": keras_names, "sklearn": sklearn_names, "optax": optax_names}[host]
    for name in given():
        found = elsewhere(f"{host}.{name}")
        assert found is not None, f"{host}.{name}"
        if found.why:
            with pytest.raises(NoSuchLoss, match="GM") as refused:
                losses.find(f"{host}.{name}")
            assert found.why in str(refused.value)
            assert found.how in str(refused.value)
        else:
            definition = losses.find(f"{host}.{name}")
            assert definition.name == found.ours
            assert found.how in definition.note


def test_a_path_leads_to_the_loss_of_that_library():
    assert (
        losses.find("torch.nn.functional.smooth_l1_loss").note == "SmoothL1Loss: ours with delta=beta, divided by beta"
    )
    assert losses.find("optax.losses.l2_loss").note == "l2_loss: half of ours"
    assert losses.find("sklearn.metrics.mean_pinball_loss").name == "pinball"
    assert losses.find("mse").note == ""
    for host, table in HOSTS.items():
        assert {elsewhere(f"{host}.{name}").ours for name in table} <= {*losses.catalogue()}


# --- factors ---

L = losses


def _further(others, matches):
    """How much further off the others are."""
    return np.linalg.norm(ROWS - others, axis=1) - np.linalg.norm(ROWS - matches, axis=1)


def torch_cases():
    """Name, theirs on these arrays, and what our loss makes of them by the phrase."""
    entropy = (SOFT * np.log(SOFT)).sum(axis=1)
    logs = ROWS - np.log(np.exp(ROWS).sum(axis=1, keepdims=True))
    signs = 2 * BITS - 1
    pairs = np.stack([Z, np.log(SHARES)], axis=1)
    return {
        "MSELoss": ({}, (Z, Y), lambda: L.squared_error().value(Y, Z)),
        "L1Loss": ({}, (Z, Y), lambda: L.absolute_error().value(Y, Z)),
        "HuberLoss": ({"delta": 0.4}, (Z, Y), lambda: L.huber(delta=0.4).value(Y, Z)),
        "SmoothL1Loss": ({"beta": 0.4}, (Z, Y), lambda: L.huber(delta=0.4).value(Y, Z) / 0.4),
        "BCEWithLogitsLoss": ({}, (Z, BITS), lambda: L.binary_cross_entropy().value(BITS, Z)),
        "BCELoss": ({}, (SHARES, BITS), lambda: L.binary_cross_entropy().value(BITS, np.log(SHARES / (1 - SHARES)))),
        "SoftMarginLoss": ({}, (Z, signs), lambda: L.binary_cross_entropy().value(BITS, Z)),
        "CrossEntropyLoss": ({}, (ROWS, CLASSES), lambda: L.cross_entropy().value(CLASSES, ROWS)),
        "NLLLoss": ({}, (logs, CLASSES), lambda: L.cross_entropy().value(CLASSES, ROWS)),
        "PoissonNLLLoss": ({}, (Z, AMOUNTS), lambda: L.poisson().value(AMOUNTS, Z)),
        "KLDivLoss": ({}, (logs, SOFT), lambda: L.cross_entropy().value(SOFT, ROWS) + entropy),
        "GaussianNLLLoss": (
            {},
            (Z, Y, SHARES**2),
            lambda: L.gaussian_nll().value(Y, pairs) - np.log(2 * np.pi) / 2,
        ),
        "MultiLabelSoftMarginLoss": (
            {},
            (np.stack([Z, Z / 2], axis=1), np.stack([BITS, 1 - BITS], axis=1)),
            lambda: (L.binary_cross_entropy().value(BITS, Z) + L.binary_cross_entropy().value(1 - BITS, Z / 2)) / 2,
        ),
        "TripletMarginLoss": (
            {"eps": 0.0},
            (ROWS, SOFT, OTHERS),
            lambda: L.hinge().value(ONES, _further(OTHERS, SOFT)),
        ),
        "TripletMarginWithDistanceLoss": (
            {"distance_function": lambda a, b: (a - b).norm(dim=1)},
            (ROWS, SOFT, OTHERS),
            lambda: L.hinge().value(ONES, _further(OTHERS, SOFT)),
        ),
        "MarginRankingLoss": ({}, (Z, Y, signs), lambda: L.perceptron().value(BITS, Z - Y)),
        # Of two classes it is half of the shortfall to the other one, which is the best other.
        "MultiMarginLoss": (
            {},
            (ROWS[:, :2], CLASSES % 2),
            lambda: L.multiclass_hinge().value(CLASSES % 2, ROWS[:, :2]) / 2,
        ),
    }


@pytest.mark.parametrize("name", torch_cases())
def test_theirs_in_torch_follows_from_ours(name):
    torch = pytest.importorskip("torch")
    keywords, arrays, ours = torch_cases()[name]
    theirs = getattr(torch.nn, name)(reduction="none", **keywords)(*(torch.as_tensor(each) for each in arrays)).numpy()
    theirs = theirs.sum(axis=1) if theirs.ndim > 1 else theirs  # KLDivLoss leaves the classes apart
    np.testing.assert_allclose(theirs, ours(), rtol=1e-12, atol=1e-12)


def test_the_cross_entropies_of_torch_that_hold_their_layer_are_ours_of_its_raw_outputs():
    torch = pytest.importorskip("torch")
    rows, classes = torch.as_tensor(ROWS), torch.as_tensor(CLASSES)
    layer = torch.nn.LinearCrossEntropyLoss(3, 4, bias=False, dtype=torch.float64)
    raw = (rows @ layer.linear.weight.T).detach().numpy()
    assert layer(rows, classes).item() == pytest.approx(L.cross_entropy()(CLASSES, raw), rel=1e-12)
    clusters = torch.nn.AdaptiveLogSoftmaxWithLoss(3, 4, cutoffs=[2], div_value=1.0, dtype=torch.float64)
    raw = clusters.log_prob(rows).detach().numpy()
    assert clusters(rows, classes).loss.item() == pytest.approx(L.cross_entropy()(CLASSES, raw), rel=1e-12)


def sklearn_cases():
    mean, log = np.mean, np.log(SHARES)
    return {
        "mean_squared_error": ((Y, Z), lambda: mean(L.squared_error().value(Y, Z))),
        "mean_absolute_error": ((Y, Z), lambda: mean(L.absolute_error().value(Y, Z))),
        "mean_pinball_loss": ((Y, Z), lambda: mean(L.pinball(level=0.5).value(Y, Z))),
        "mean_absolute_percentage_error": (
            (AMOUNTS, SHARES),
            lambda: mean(L.absolute_percentage_error().value(AMOUNTS, log)),
        ),
        "mean_squared_log_error": ((AMOUNTS, SHARES), lambda: mean(L.squared_log_error().value(AMOUNTS, log))),
        "mean_poisson_deviance": (
            (AMOUNTS, SHARES),
            lambda: 2 * mean(L.poisson().value(AMOUNTS, log) - L.poisson().value(AMOUNTS, np.log(AMOUNTS))),
        ),
        "mean_gamma_deviance": (
            (AMOUNTS, SHARES),
            lambda: 2 * mean(L.gamma().value(AMOUNTS, log) - L.gamma().value(AMOUNTS, np.log(AMOUNTS))),
        ),
        "log_loss": ((BITS, SHARES), lambda: mean(L.binary_cross_entropy().value(BITS, log - np.log1p(-SHARES)))),
        "brier_score_loss": ((BITS, SHARES), lambda: mean(L.binary_brier().value(BITS, log - np.log1p(-SHARES)))),
        "hinge_loss": ((BITS, Z), lambda: mean(L.hinge().value(BITS, Z))),
        "zero_one_loss": ((BITS, Z > 0), lambda: mean(L.zero_one().value(BITS, Z))),
        "root_mean_squared_error": ((Y, Z), lambda: math.sqrt(L.squared_error()(Y, Z))),
        "root_mean_squared_log_error": ((AMOUNTS, SHARES), lambda: math.sqrt(L.squared_log_error()(AMOUNTS, log))),
        "median_absolute_error": ((Y, Z), lambda: np.median(L.absolute_error().value(Y, Z))),
        "mean_tweedie_deviance": (
            (AMOUNTS, SHARES),
            lambda: (
                2
                * mean(L.tweedie(power=0.0).value(AMOUNTS, log) - L.tweedie(power=0.0).value(AMOUNTS, np.log(AMOUNTS)))
            ),
        ),
        "hamming_loss": (
            (np.stack([BITS, 1 - BITS], axis=1), np.stack([Z > 0, Y > 0], axis=1)),
            lambda: (L.zero_one()(BITS, Z) + L.zero_one()(1 - BITS, Y)) / 2,
        ),
    }


@pytest.mark.parametrize("name", sklearn_cases())
def test_theirs_in_sklearn_follows_from_ours(name):
    arrays, ours = sklearn_cases()[name]
    metrics = importlib.import_module("sklearn.metrics")
    assert getattr(metrics, name)(*arrays) == pytest.approx(ours(), rel=1e-12)


def sklearn_fitted():
    """What estimators take as ``loss=``: theirs, as their own compiled classes compute it, and ours."""
    inner, steps = importlib.import_module("sklearn._loss"), importlib.import_module("sklearn.linear_model._sgd_fast")
    signs = 2 * BITS - 1

    def by_step(made, y):
        return np.array([made.py_loss(raw, target) for raw, target in zip(Z, y, strict=True)])

    def whole(made, y):
        return made.loss(y_true=y.copy(), raw_prediction=Z.copy())

    return {
        "squared_error": (whole(inner.HalfSquaredError(), Y), L.squared_error().value(Y, Z) / 2),
        "absolute_error": (whole(inner.AbsoluteError(), Y), L.absolute_error().value(Y, Z)),
        "huber": (whole(inner.loss.HuberLoss(delta=0.4), Y), L.huber(delta=0.4).value(Y, Z)),
        "epsilon_insensitive": (
            by_step(steps.EpsilonInsensitive(0.3), Y),
            L.epsilon_insensitive(epsilon=0.3).value(Y, Z),
        ),
        "quantile": (whole(inner.PinballLoss(quantile=0.2), Y), L.pinball(level=0.2).value(Y, Z)),
        "poisson": (whole(inner.HalfPoissonLoss(), AMOUNTS), L.poisson().value(AMOUNTS, Z)),
        "gamma": (whole(inner.HalfGammaLoss(), AMOUNTS), L.gamma().value(AMOUNTS, Z)),
        "hinge": (by_step(steps.Hinge(1.0), signs), L.hinge().value(BITS, Z)),
        "squared_hinge": (by_step(steps.SquaredHinge(1.0), signs), L.squared_hinge().value(BITS, Z)),
        "modified_huber": (by_step(steps.ModifiedHuber(), signs), L.modified_huber().value(BITS, Z)),
        "perceptron": (by_step(steps.Hinge(0.0), signs), L.perceptron().value(BITS, Z)),
        "exponential": (whole(inner.loss.ExponentialLoss(), BITS), L.exponential().value(BITS, Z)),
    }


@pytest.mark.parametrize("name", sklearn_fitted())
def test_what_estimators_of_sklearn_minimise_follows_from_ours(name):
    theirs, ours = sklearn_fitted()[name]
    np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-12)


def _of_matching_pairs():
    """Each pair that matches is a row: its similarity first, then those to all that do not match."""
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    similar, match = unit @ unit.T / 0.5, CLASSES[:, None] == CLASSES
    left, right = np.nonzero(match & ~np.eye(40, dtype=bool))
    table = np.column_stack([similar[left, right], np.where(match[left], -np.inf, similar[left])])
    return L.cross_entropy()(np.zeros(len(left), dtype=int), table)


def optax_cases():
    """Keywords and arguments of theirs, and what our loss makes of them by the phrase; in single precision, as JAX computes."""
    entropy, signs = (SOFT * np.log(SOFT)).sum(axis=1), 2 * BITS - 1
    logs = ROWS - np.log(np.exp(ROWS).sum(axis=1, keepdims=True))
    hot, ours = np.eye(3)[CLASSES], L.cross_entropy().value(SOFT, ROWS)
    return {
        "squared_error": ({}, (Z, Y), lambda: L.squared_error().value(Y, Z)),
        "l2_loss": ({}, (Z, Y), lambda: L.squared_error().value(Y, Z) / 2),
        "huber_loss": ({"delta": 0.4}, (Z, Y), lambda: L.huber(delta=0.4).value(Y, Z)),
        "log_cosh": ({}, (Z, Y), lambda: L.log_cosh().value(Y, Z)),
        "sigmoid_binary_cross_entropy": ({}, (Z, BITS), lambda: L.binary_cross_entropy().value(BITS, Z)),
        "sigmoid_focal_loss": ({}, (Z, BITS), lambda: L.binary_focal().value(BITS, Z)),
        "softmax_cross_entropy": ({}, (ROWS, SOFT), lambda: ours),
        "safe_softmax_cross_entropy": ({}, (ROWS, SOFT), lambda: ours),
        "softmax_cross_entropy_with_integer_labels": (
            {},
            (ROWS, CLASSES),
            lambda: L.cross_entropy().value(CLASSES, ROWS),
        ),
        "poly_loss_cross_entropy": ({"epsilon": 1.5}, (ROWS, hot), lambda: L.poly(epsilon=1.5).value(CLASSES, ROWS)),
        "hinge_loss": ({}, (Z, signs), lambda: L.hinge().value(BITS, Z)),
        "perceptron_loss": ({}, (Z, signs), lambda: L.perceptron().value(BITS, Z)),
        "multiclass_hinge_loss": ({}, (ROWS, CLASSES), lambda: L.multiclass_hinge().value(CLASSES, ROWS)),
        "kl_divergence": ({}, (logs, SOFT), lambda: ours + entropy),
        "kl_divergence_with_log_targets": ({}, (logs, np.log(SOFT)), lambda: ours + entropy),
        "triplet_margin_loss": (
            {"eps": 0.0},
            (ROWS, SOFT, OTHERS),
            lambda: L.hinge().value(ONES, _further(OTHERS, SOFT)),
        ),
        "ranking_softmax_loss": ({}, (ROWS, AMOUNTS[:, None] * SOFT), lambda: np.mean(AMOUNTS * ours)),
        "ntxent": ({"temperature": 0.5}, (ROWS, CLASSES), _of_matching_pairs),
        "convex_kl_divergence": ({}, (logs + 0.5, SOFT), lambda: ours + entropy - 0.5 + math.exp(0.5) - 1),
        "generalized_kl_divergence": ({}, (logs + 0.5, SOFT), lambda: ours + entropy - 0.5 + math.exp(0.5) - 1),
    }


@pytest.mark.parametrize("name", optax_cases())
def test_theirs_in_optax_follows_from_ours(name):
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    keywords, arrays, ours = optax_cases()[name]
    given = [jax.numpy.asarray(each, "float32" if each.dtype.kind == "f" else None) for each in arrays]
    function = getattr(optax.losses, name)
    with warnings.catch_warnings(action="ignore"):  # what optax says of its own old names
        theirs = jax.vmap(function)(*given) if name == "multiclass_hinge_loss" else function(*given, **keywords)
    np.testing.assert_allclose(np.asarray(theirs), ours(), rtol=2e-5, atol=2e-6)


def keras_cases():
    eye = np.eye(3)[CLASSES]
    return {
        "MeanSquaredError": ({}, (Y, Z), lambda: L.squared_error().value(Y, Z)),
        "Huber": ({"delta": 0.4}, (Y, Z), lambda: L.huber(delta=0.4).value(Y, Z)),
        "LogCosh": ({}, (Y, Z), lambda: L.log_cosh().value(Y, Z)),
        "MeanAbsolutePercentageError": (
            {},
            (AMOUNTS, SHARES),
            lambda: 100 * L.absolute_percentage_error().value(AMOUNTS, np.log(SHARES)),
        ),
        "Poisson": ({}, (AMOUNTS, SHARES), lambda: L.poisson().value(AMOUNTS, np.log(SHARES))),
        "BinaryFocalCrossentropy": ({"from_logits": True}, (BITS, Z), lambda: L.binary_focal().value(BITS, Z)),
        "CategoricalFocalCrossentropy": (
            {"from_logits": True},
            (eye, ROWS),
            lambda: L.focal().value(CLASSES, ROWS) / 4,
        ),
        "CategoricalHinge": ({}, (eye, ROWS + 9), lambda: L.multiclass_hinge().value(CLASSES, ROWS)),
        "Hinge": ({}, (BITS, Z), lambda: L.hinge().value(BITS, Z)),
        "SquaredHinge": ({}, (BITS, Z), lambda: L.squared_hinge().value(BITS, Z)),
        "MeanAbsoluteError": ({}, (Y, Z), lambda: L.absolute_error().value(Y, Z)),
        "MeanSquaredLogarithmicError": (
            {},
            (AMOUNTS, SHARES),
            lambda: L.squared_log_error().value(AMOUNTS, np.log(SHARES)),
        ),
        "BinaryCrossentropy": ({"from_logits": True}, (BITS, Z), lambda: L.binary_cross_entropy().value(BITS, Z)),
        "CategoricalCrossentropy": ({"from_logits": True}, (SOFT, ROWS), lambda: L.cross_entropy().value(SOFT, ROWS)),
        "SparseCategoricalCrossentropy": (
            {"from_logits": True},
            (CLASSES, ROWS),
            lambda: L.cross_entropy().value(CLASSES, ROWS),
        ),
        "CategoricalGeneralizedCrossEntropy": (
            {"q": 0.6},
            (CLASSES, np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)),
            lambda: L.generalized_cross_entropy(q=0.6).value(CLASSES, ROWS),
        ),
        "KLDivergence": (
            {},
            (SOFT, np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)),
            lambda: L.cross_entropy().value(SOFT, ROWS) + (SOFT * np.log(SOFT)).sum(axis=1),
        ),
    }


@pytest.mark.parametrize("name", keras_cases())
def test_theirs_in_keras_follows_from_ours(name):
    keras = pytest.importorskip("keras")
    keywords, arrays, ours = keras_cases()[name]
    shaped = [each[:, None] if each.ndim == 1 and each.dtype.kind == "f" else each for each in arrays]
    made = getattr(keras.losses, name)(reduction=None, dtype="float64", **keywords)
    theirs = np.asarray(made(*shaped).tolist())
    np.testing.assert_allclose(theirs, ours(), rtol=1e-5, atol=1e-5)  # Keras adds its epsilon to amounts


# The same function by a second name, or a loss that holds a layer, which has a test of its own.
ASIDE = {
    "torch": {"binary_cross_entropy_with_logits", "binary_cross_entropy"}
    | {"LinearCrossEntropyLoss", "AdaptiveLogSoftmaxWithLoss"},
    "sklearn": set(),
    "keras": set(),
    "optax": set(),
}


@pytest.mark.parametrize("host", ASIDE)
def test_every_factor_of_the_tables_is_held_to_their_numbers(host):
    cases = {
        "torch": lambda: {*torch_cases()},
        "sklearn": lambda: {*sklearn_cases(), *sklearn_fitted()},
        "keras": lambda: {*keras_cases()},
        "optax": lambda: {*optax_cases()},
    }[host]()
    assert cases | ASIDE[host] == {name for name in HOSTS[host] if not elsewhere(f"{host}.{name}").why}
