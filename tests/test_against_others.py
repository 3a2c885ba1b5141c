"""Are the book forms the book's? Peers that hold the same loss say so. (The one test that names losses.)"""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional as F

from goodmeasure import losses as ours

random = np.random.default_rng(0)
z, real = random.normal(size=64) * 2, random.normal(size=64) * 2
label, count, amount = random.integers(0, 2, 64), random.poisson(3, 64), random.gamma(2, 1, 64)
rows, index = random.normal(size=(64, 5)) * 2, random.integers(0, 5, 64)
t = torch.as_tensor

PAIRS = {
    "squared_error~torch": (ours.squared_error(), real, z, lambda: F.mse_loss(t(z), t(real), reduction="none")),
    "absolute_error~torch": (ours.absolute_error(), real, z, lambda: F.l1_loss(t(z), t(real), reduction="none")),
    "huber~torch": (ours.huber(delta=1.5), real, z, lambda: F.huber_loss(t(z), t(real), delta=1.5, reduction="none")),
    "binary_cross_entropy~torch": (
        ours.binary_cross_entropy(),
        label,
        z,
        lambda: F.binary_cross_entropy_with_logits(t(z), t(label).double(), reduction="none"),
    ),
    "positive_weight~torch": (
        ours.binary_cross_entropy(positive_weight=7.0),
        label,
        z,
        lambda: F.binary_cross_entropy_with_logits(t(z), t(label).double(), pos_weight=t(7.0), reduction="none"),
    ),
    "cross_entropy~torch": (
        ours.cross_entropy(),
        index,
        rows,
        lambda: F.cross_entropy(t(rows), t(index), reduction="none"),
    ),
    "smoothing~torch": (
        ours.cross_entropy(smoothing=0.2),
        index,
        rows,
        lambda: F.cross_entropy(t(rows), t(index), label_smoothing=0.2, reduction="none"),
    ),
    "poisson~torch": (ours.poisson(), count, z, lambda: F.poisson_nll_loss(t(z), t(count), reduction="none")),
    "gamma~scipy": (
        ours.gamma(),
        amount,
        z,
        lambda: -stats.gamma.logpdf(amount, 1, scale=np.exp(z)),
    ),
    "poisson~scipy": (
        ours.poisson(),
        count,
        z,
        lambda: (
            -stats.poisson.logpmf(count, np.exp(z))
            + stats.poisson.logpmf(count, np.maximum(count, 1e-300))
            + count
            - count * np.log(np.maximum(count, 1))
        ),
    ),
}


@pytest.mark.parametrize("pair", PAIRS, ids=list(PAIRS))
def test_our_loss_is_theirs(pair):
    loss, y, raw, theirs = PAIRS[pair]
    assert loss.value(y, raw) == pytest.approx(np.asarray(theirs()), rel=1e-12, abs=1e-13)


SKLEARN = {
    "squared_error": ("HalfSquaredError", real, z, 2.0),
    "absolute_error": ("AbsoluteError", real, z, 1.0),
    "binary_cross_entropy": ("HalfBinomialLoss", label.astype(float), z, 1.0),
    "poisson": ("HalfPoissonLoss", count.astype(float), z, 1.0),
    "gamma": ("HalfGammaLoss", amount, z, 1.0),
}


@pytest.mark.parametrize("name", SKLEARN)
def test_gradients_and_curvatures_are_those_of_scikit_learn(name):
    import sklearn._loss as theirs

    kind, y, raw, factor = SKLEARN[name]
    loss = getattr(ours, name)()
    gradient, hessian = getattr(theirs, kind)().gradient_hessian(y_true=y, raw_prediction=raw)
    assert loss.gradient(y, raw) == pytest.approx(factor * gradient, rel=1e-10, abs=1e-13)
    if name != "absolute_error":  # its curvature there is a stand-in for trees, not the second derivative
        assert loss.hessian(y, raw) == pytest.approx(factor * hessian, rel=1e-10, abs=1e-13)


def test_the_full_curvature_of_a_row_is_that_of_autograd():
    found = ours.cross_entropy().hessian(index[:3], rows[:3], full=True)
    for i in range(3):
        theirs = torch.autograd.functional.hessian(lambda r, k=index[i]: F.cross_entropy(r[None], t([k])), t(rows[i]))
        assert found[i] == pytest.approx(theirs.numpy(), abs=1e-14)
