"""Does the audit find the usual wrong objectives of each booster, and nothing wrong with ours?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from boosters import rows
from goodmeasure.errors import NoSuchReading
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.losses import catalogue

RULES = {"GM501", "GM502", "GM503"}


def findings(objective: Any, loss: Any, host: str) -> set[str]:
    """The codes of the rules about objectives that find something."""
    x, y = rows(loss, 200)

    def values(z: Any, target: Any) -> Any:
        return loss.value(target, z)

    audit = gm.audit(
        framework=host, objective=objective, X=x, y=y, loss=values, task="binary" if loss.is_binary else "regression"
    )
    assert {rule for rule in RULES if rule in str(audit.passed) or rule in {f.code for f in audit.findings}} == RULES
    return RULES & {found.code for found in audit.findings}


def on_one_output() -> list[Any]:
    found = []
    for make in catalogue().values():
        loss = make()
        if loss.is_classwise or len(loss.activation) > 1 or repr(loss) == "perceptron()":
            continue
        try:
            SecondOrder(loss)
        except NoSuchReading:
            continue
        found.append(loss)
    return found


@pytest.mark.parametrize("loss", on_one_output(), ids=repr)
def test_nothing_is_found_in_ours(loss: Any) -> None:
    for host, to in (("xgboost", gm.to_xgboost), ("lightgbm", gm.to_lightgbm)):
        assert findings(to(loss), loss, host) == set(), host
    assert findings(gm.to_catboost(loss), loss, "catboost") == set()
    assert findings(gm.to_hist_gradient_boosting(loss), loss, "sklearn") == set()


def labels_of(first: Any, second: Any) -> tuple[Any, Any]:
    """Scores and targets, as a model or as a booster calls."""
    return (first, second.get_label()) if hasattr(second, "get_label") else (second, first)


def reversed_sign(first: Any, second: Any) -> tuple[Any, Any]:
    z, y = labels_of(first, second)
    return y - z, np.ones_like(z)


def no_curvature(first: Any, second: Any) -> tuple[Any, Any]:
    z, y = labels_of(first, second)
    return np.sign(z - y), np.zeros_like(z)


class CatBoostObjective:
    """An objective as CatBoost asks it, made of one in the others' convention."""

    def __init__(self, pair: Callable[[Any, Any], tuple[Any, Any]], sign: float) -> None:
        self.pair, self.sign = pair, sign

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> list[tuple[float, float]]:
        pull, curvature = self.pair(np.asarray(targets), np.asarray(approxes))
        return [(self.sign * p, self.sign * c) for p, c in zip(pull, curvature, strict=True)]


@pytest.mark.parametrize(
    ("wrong", "loss", "code"),
    [(reversed_sign, gm.losses.squared_error(), "GM501"), (no_curvature, gm.losses.absolute_error(), "GM502")],
    ids=["sign", "curvature"],
)
def test_usual_mistakes_are_found(wrong: Any, loss: Any, code: str) -> None:
    for host in ("xgboost", "lightgbm"):
        assert findings(wrong, loss, host) == {code}
    assert findings(CatBoostObjective(wrong, -1.0), loss, "catboost") == {code}


def test_the_sign_of_the_others_is_wrong_for_catboost() -> None:
    def right(y: Any, z: Any) -> tuple[Any, Any]:
        return z - y, np.ones_like(z)

    loss = gm.losses.squared_error()
    assert findings(CatBoostObjective(right, -1.0), loss, "catboost") == set()
    assert "GM501" in findings(CatBoostObjective(right, 1.0), loss, "catboost")


def test_a_start_that_was_forgotten_shows_in_the_probabilities() -> None:
    """Few rounds from 0 leave rare events at probabilities far too high; from the best constant they are right."""
    import lightgbm

    random = np.random.default_rng(0)
    x = random.normal(size=(4000, 3))
    y = (random.random(4000) < 1 / (1 + np.exp(3.5 - x[:, 0]))).astype(int)
    ours = gm.to_lightgbm(gm.losses.binary_cross_entropy())
    settings = {"n_estimators": 10, "learning_rate": 0.05, "verbose": -1, "n_jobs": 1}
    bare = lightgbm.LGBMClassifier(objective=ours, **settings).fit(x, y)
    begun = ours.fit(lightgbm.LGBMClassifier(**settings), x, y)
    found = {}
    for name, fitted in (("bare", bare), ("begun", begun)):
        audit = gm.audit(
            framework="lightgbm", estimator=fitted, X=x, y=y, task="binary",
            output=lambda rows, fitted=fitted: ours.predict(fitted, rows), output_kind="probability",
        )  # fmt: skip
        found[name] = {each.code for each in audit.findings}
    assert found == {"bare": {"GM513"}, "begun": set()}
