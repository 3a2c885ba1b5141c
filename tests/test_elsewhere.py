"""Does every loss of torch, Keras, optax and scikit-learn lead to ours, and is the factor between them what is said?"""

import importlib

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


# Of optax 0.2.5.
OPTAX = [
    "convex_kl_divergence",
    "cosine_distance",
    "cosine_similarity",
    "ctc_loss",
    "ctc_loss_with_forward_probs",
    "hinge_loss",
    "huber_loss",
    "kl_divergence",
    "kl_divergence_with_log_targets",
    "l2_loss",
    "log_cosh",
    "make_fenchel_young_loss",
    "multiclass_hinge_loss",
    "multiclass_perceptron_loss",
    "multiclass_sparsemax_loss",
    "ntxent",
    "perceptron_loss",
    "poly_loss_cross_entropy",
    "ranking_softmax_loss",
    "safe_softmax_cross_entropy",
    "sigmoid_binary_cross_entropy",
    "sigmoid_focal_loss",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
    "sparsemax_loss",
    "squared_error",
    "triplet_margin_loss",
]


@pytest.mark.parametrize("host", ["torch", "keras", "sklearn", "optax"])
def test_every_name_of_a_library_leads_to_ours_or_to_a_reason(host):
    given = {"torch": torch_names, "keras": keras_names, "sklearn": sklearn_names, "optax": lambda: OPTAX}[host]
    for name in given():
        found = elsewhere(f"{host}.{name}")
        assert found is not None, f"{host}.{name}"
        if not found.ours:
            assert found.how
            with pytest.raises(NoSuchLoss, match="GM") as refused:
                losses.find(f"{host}.{name}")
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
    for table in HOSTS.values():
        assert {ours for ours, _ in table.values()} <= {*losses.catalogue(), ""}


# --- factors ---

L = losses


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
        "MarginRankingLoss": ({}, (Z, Y, signs), lambda: L.perceptron().value(BITS, Z - Y)),
    }


@pytest.mark.parametrize("name", torch_cases())
def test_theirs_in_torch_follows_from_ours(name):
    torch = pytest.importorskip("torch")
    keywords, arrays, ours = torch_cases()[name]
    theirs = getattr(torch.nn, name)(reduction="none", **keywords)(*(torch.as_tensor(each) for each in arrays)).numpy()
    theirs = theirs.sum(axis=1) if theirs.ndim > 1 else theirs  # KLDivLoss leaves the classes apart
    np.testing.assert_allclose(theirs, ours(), rtol=1e-12, atol=1e-12)


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
    }


@pytest.mark.parametrize("name", sklearn_cases())
def test_theirs_in_sklearn_follows_from_ours(name):
    arrays, ours = sklearn_cases()[name]
    metrics = importlib.import_module("sklearn.metrics")
    assert getattr(metrics, name)(*arrays) == pytest.approx(ours(), rel=1e-12)


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
    }


@pytest.mark.parametrize("name", keras_cases())
def test_theirs_in_keras_follows_from_ours(name):
    keras = pytest.importorskip("keras")
    keywords, arrays, ours = keras_cases()[name]
    shaped = [each if each.ndim == 2 else each[:, None] for each in arrays]
    made = getattr(keras.losses, name)(reduction=None, dtype="float64", **keywords)
    theirs = np.asarray(made(*shaped).tolist())
    np.testing.assert_allclose(theirs, ours(), rtol=1e-5, atol=1e-5)  # Keras adds its epsilon to amounts


def test_the_cases_are_names_of_the_tables():
    assert set(torch_cases()) <= set(HOSTS["torch"])
    assert set(sklearn_cases()) <= set(HOSTS["sklearn"])
    assert set(keras_cases()) <= set(HOSTS["keras"])
