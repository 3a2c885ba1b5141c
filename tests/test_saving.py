"""Does a saved model predict the same bits, and does nothing in a model file run?"""

from __future__ import annotations

import json
import pickle
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.errors import MissingExtra, Problem
from goodmeasure.formulas.words import abs as size
from goodmeasure.formulas.words import sqrt
from goodmeasure.losses import catalogue
from goodmeasure.reading.tables import NoSuchColumn, NoSuchFile
from goodmeasure.study.model import load
from goodmeasure.study.saving import NotAModel, loss_from_dict, loss_to_dict
from goodmeasure.study.study import Study


def columns(n: int = 240, seed: int = 0) -> dict[str, np.ndarray]:
    """A table with numbers that are missing, categories and dates, and a target that they say something about."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    place = rng.choice(["north", "south", "east"], n).astype(object)
    when = np.datetime64("2024-01-01") + rng.integers(0, 300, n)
    mean = np.exp(0.5 + 0.6 * x + 0.4 * (place == "south"))
    x[rng.random(n) < 0.05] = np.nan
    return {
        "x": x,
        "place": place,
        "when": when,
        "amount": mean * rng.gamma(4, 0.25, n),
        "hit": (mean > 1.7).astype(float),
    }


@cache
def studied(target: str, model: str, *pairs: tuple[str, object]) -> Study:
    """A study of the table, made once."""
    return gm.run(columns(), target, model=model, protocol="holdout", **dict(pairs))


@pytest.mark.parametrize("model", ["linear", "boosting"])
@pytest.mark.parametrize(
    ("target", "other", "asked"),
    [
        ("amount", "hit", {}),
        ("amount", "hit", {"costs": UnderOverCosts(under=3, over=1)}),
        ("hit", "amount", {"costs": Costs(false_negative=5, false_positive=1)}),
        ("place", "hit", {}),
    ],
    ids=["amount", "quantile", "yes/no", "classes"],
)
def test_a_loaded_model_predicts_and_decides_the_same(
    tmp_path: Path, model: str, target: str, other: str, asked: dict
) -> None:
    if model == "boosting" and "costs" in asked and target == "amount":
        asked = {**asked, "represents": "real"}
    study = studied(target, model, ("exclude", (other,)), *asked.items())
    path = tmp_path / "model.json"
    study.model.save(path)
    again = load(path)
    new = columns(seed=1)
    assert np.array_equal(again.predict(new), study.model.predict(new))
    assert np.array_equal(again.decide(new), study.model.decide(new))
    assert again.labels == study.model.labels
    assert again.loss == study.model.loss
    assert json.loads(path.read_text())["format"] == "goodmeasure model"


@pytest.mark.parametrize(
    ("host", "target", "asked"),
    [
        ("xgboost", "hit", {"exclude": ("amount",), "costs": Costs(false_negative=5, false_positive=1)}),
        ("xgboost", "place", {"exclude": ("hit",)}),
        ("lightgbm", "amount", {"exclude": ("hit",), "represents": "real", "ask": "quantile=0.8"}),
        ("lightgbm", "place", {"exclude": ("hit",)}),
        ("catboost", "amount", {"exclude": ("hit",)}),
    ],
    ids=str,
)
def test_models_of_boosters_are_saved_as_plain_trees_and_need_no_booster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, target: str, asked: dict
) -> None:
    pytest.importorskip(host, reason=f"pip install 'goodmeasure[{host}]'")
    study = gm.run(columns(), target, model=host, protocol="holdout", **asked)
    assert study.judged.report.value < study.judged.report.constant_risk.value
    path = tmp_path / "model.json"
    study.model.save(path)
    monkeypatch.setitem(sys.modules, host, None)
    new = columns(seed=1)
    assert np.array_equal(load(path).predict(new), study.model.predict(new))
    assert np.array_equal(load(path).decide(new), study.model.decide(new))


@pytest.mark.parametrize("host", ["xgboost", "lightgbm", "catboost"])
def test_a_booster_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setitem(sys.modules, host, None)
    with pytest.raises(MissingExtra) as error:
        gm.run(columns(), "amount", model=host)
    assert error.value.fix == f"pip install 'goodmeasure[{'catboost' if host == 'catboost' else 'boosting'}]'"


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_loss_is_read_again_from_its_expression(name: str) -> None:
    loss = catalogue()[name]()
    assert loss_from_dict(json.loads(json.dumps(loss_to_dict(loss)))) == loss


def test_a_loss_of_ones_own_is_saved_as_its_expression() -> None:
    @gm.loss(target=gm.Real)
    def root(y, mu, *, scale: gm.Positive = 2.0):
        """Grows with the square root of the miss."""
        return sqrt(size(mu - y) / scale)

    mine = root(scale=3.0)
    again = loss_from_dict(json.loads(json.dumps(loss_to_dict(mine))))
    y, z = np.array([1.0, 2.0]), np.array([0.5, 4.0])
    assert np.array_equal(again.gradient(y, z), mine.gradient(y, z))


def test_an_expression_with_an_unknown_word_is_refused() -> None:
    state = loss_to_dict(gm.losses.squared_error())
    state["book"] = [["y"], [1.0], ["__import__", 0]]
    with pytest.raises(Problem, match="__import__"):
        loss_from_dict(state)


class Bomb:
    """Something that must never be built."""

    def __reduce__(self):
        return (pytest.fail, ("the file was run",))


@pytest.mark.parametrize(
    "content", [pickle.dumps(Bomb()), b"{}", b"[1]", b"nonsense", b'{"format": "goodmeasure model", "version": 99}']
)
def test_what_is_no_model_is_refused_and_never_run(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(content)
    with pytest.raises(NotAModel):
        load(path)
    with pytest.raises(NoSuchFile, match=r"model\.json|check the path"):
        load(tmp_path)


def test_a_model_that_lacks_a_part_is_refused(tmp_path: Path) -> None:
    study = studied("amount", "linear", ("exclude", ("hit",)))
    path = tmp_path / "model.json"
    state = {name: value for name, value in json.loads(study.model.to_json()).items() if name != "checksum"}
    for key in ("encoding", "scorer", "loss"):
        path.write_text(json.dumps({name: value for name, value in state.items() if name != key}))
        with pytest.raises(NotAModel, match=key):
            load(path)


@pytest.mark.parametrize(("version", "fix"), [(1, "train it again"), (3, "pip install -U"), ("2", "pip install -U")])
def test_a_model_of_another_version_says_what_to_do(tmp_path: Path, version: object, fix: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"format": "goodmeasure model", "version": version}))
    with pytest.raises(NotAModel, match=f"of version {version}") as error:
        load(path)
    assert error.value.fix.startswith(fix)


def test_trees_that_point_outside_themselves_are_not_walked(tmp_path: Path) -> None:
    state = json.loads(studied("amount", "boosting", ("exclude", ("hit",)), ("represents", "real")).model.to_json())
    del state["checksum"]
    forest = state["scorer"]["forest"]
    inner = next(k for k in range(len(forest["column"])) if forest["column"][k] >= 0 and forest["set"][k] < 0)
    last = next(root for root in forest["roots"] if root > inner) if len(forest["roots"]) > 1 else len(forest["column"])
    path = tmp_path / "model.json"
    for name, values in {
        "left": (-1, inner, 0, last, 10**6),
        "right": (-1, inner, last, 10**9),
        "column": (99, 2**70, -2),
        "set": (len(forest["sets"]), -2),
        "roots": (-1, 1, 10**6),
    }.items():
        for value in values:
            forged = json.loads(json.dumps(state))
            forged["scorer"]["forest"][name][0 if name == "roots" else inner] = value
            path.write_text(json.dumps(forged))
            with pytest.raises(NotAModel, match="scorer"):
                load(path)
    path.write_text(json.dumps(state))
    load(path)


def test_new_rows_may_hold_what_the_fitted_rows_did_not() -> None:
    model = studied("amount", "linear", ("exclude", ("hit",))).model
    new = columns(10, seed=2)
    new["place"][0] = "the moon"
    new["x"][:] = np.nan
    shown, remarks = model.answers(new)
    assert np.isfinite(shown["prediction"]).all()
    assert {r.what.split("column ")[1].split("'")[1] for r in remarks} == {"place", "x"}
    with pytest.raises(NoSuchColumn, match="'place'"):
        model.predict({"x": new["x"], "when": new["when"]})
