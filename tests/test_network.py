"""Does a network learn on any loss, the same each time, and does its model need nothing of torch afterwards?"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from boosters import rows
from catalogue_losses import everything, variants, weighted
from goodmeasure.errors import MissingExtra
from goodmeasure.fitting.learning import Learning
from goodmeasure.fitting.network import Network
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.report import write
from goodmeasure.study.model import load
from goodmeasure.study.question import MODELS
from goodmeasure.study.saving import NotAModel
from goodmeasure.study.study import Study
from goodmeasure.study.training import MOST_EPOCHS, PATIENCE
from test_saving import columns
from turns import at_night, precision_of

torch = pytest.importorskip("torch", reason="pip install 'goodmeasure[torch]'")

from goodmeasure.frameworks.torch_network import epochs  # noqa: E402


def learning(loss: Any, **changed: Any) -> Learning:
    x, y = rows(loss)
    return replace(Learning(loss, x, y, None, None, loss.best_constant(y), 0), **changed)


def after(asked: Learning, count: int) -> Network:
    return next(islice(epochs(asked), count, None))


def teaches(loss: Any) -> bool:
    try:
        SecondOrder(loss)
    except gm.errors.Problem:
        return False
    return True


# By day those whose turn doubles are, in which a network computes: their kernels are compiled for others too.
LOSSES = [
    at_night(loss, unless=precision_of(loss) == "float64", id=repr(loss))
    for loss in (*everything(), *variants(), *weighted())
    if teaches(loss)
]


@pytest.mark.parametrize("loss", LOSSES)
def test_it_learns_on_any_loss_from_the_best_constant_on(loss: Any) -> None:
    asked = learning(loss)
    first, *later = (loss(asked.y, network(asked.x)) for network in islice(epochs(asked), 9))
    raw = asked.begun if len(asked.start) > 1 else asked.begun[:, 0]
    assert first == pytest.approx(loss(asked.y, raw))
    # Nothing is better than the perceptron's best constant, which costs nothing.
    assert min(later) < first or first == 0


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6, 1e12])
@pytest.mark.parametrize("loss", [gm.losses.squared_error(), gm.losses.absolute_error(), gm.losses.gamma()], ids=str)
def test_the_unit_of_the_target_changes_nothing(loss: Any, unit: float) -> None:
    plain = learning(loss)
    scaled = learning(loss, y=plain.y * unit, constant=loss.best_constant(plain.y * unit))
    one, other = (np.asarray(loss.predict(after(asked, 3)(asked.x))) for asked in (plain, scaled))
    np.testing.assert_allclose(other / unit, one, rtol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_torch_is_left_as_it_was() -> None:
    loss = gm.losses.huber()
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    one, other, third = (after(learning(loss, seed=seed), 4).to_dict() for seed in (0, 0, 1))
    assert one == other
    assert one != third
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_rows_of_weight_zero_teach_nothing() -> None:
    loss = gm.losses.squared_error()
    plain = learning(loss)
    weight = np.where(np.arange(len(plain.y)) % 3 == 0, 0.0, 1.0)
    wild = np.where(weight == 0, 1e9, plain.y)
    constant = loss.best_constant(plain.y, weight)
    one, other = (after(replace(plain, y=y, weight=weight, constant=constant), 3) for y in (plain.y, wild))
    np.testing.assert_allclose(one(plain.x), other(plain.x), rtol=1e-9)


@cache
def curved() -> Study:
    """A study of what no line fits."""
    random = np.random.default_rng(0)
    x, z = random.uniform(-2, 2, (2, 1200))
    return gm.run({"x": x, "z": z, "y": x * z + 0.3 * random.normal(size=1200)}, "y", model="network")


def test_it_finds_what_no_line_does_and_its_curves_are_kept(tmp_path: Path) -> None:
    study = curved()
    assert study.judged.report.value < 0.15 < 0.5 * study.judged.report.constant_risk.value
    path = np.array(study.trained.path)
    assert path[:, 0].tolist() == [*range(len(path))]
    assert study.trained.chosen == path[:, 2].argmin()
    assert len(path) - 1 in (study.trained.chosen + PATIENCE, MOST_EPOCHS)
    kept = study.to_dict()["training"]
    assert kept["setting"] == "number of epochs"
    assert [row["tune"] for row in kept["path"]] == path[:, 2].tolist()
    write(study, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "A network. It learned from 2 columns" in page
    assert "rows to fit" in page


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("hit", {"exclude": ("amount",), "costs": gm.Costs(false_negative=5, false_positive=1)}),
        ("place", {"exclude": ("hit",)}),
        ("amount", {"exclude": ("hit",), "ask": "quantile=0.8"}),
    ],
    ids=["yes/no", "classes", "quantile"],
)
def test_its_model_is_plain_numbers_and_needs_no_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, asked: dict[str, Any]
) -> None:
    study = gm.run(columns(), target, model="network", protocol="holdout", **asked)
    study.model.save(tmp_path / "model.json")
    monkeypatch.setitem(sys.modules, "torch", None)
    new = columns(seed=1)
    assert np.array_equal(load(tmp_path / "model.json").predict(new), study.model.predict(new))
    assert np.array_equal(load(tmp_path / "model.json").decide(new), study.model.decide(new))


def test_without_torch_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra) as error:
        gm.run(columns(), "amount", model="network")
    assert error.value.fix == "pip install 'goodmeasure[torch]'"


def test_layers_that_do_not_fit_one_another_are_no_model(tmp_path: Path) -> None:
    state = json.loads(curved().model.to_json())
    del state["checksum"]
    path = tmp_path / "model.json"
    wrong = {
        "weights": [
            [],
            [[[1.0, 2.0]]],
            [[[1.0, 2.0], [1.0]], [[1.0]]],
            [[[1.0]], [[1.0, 2.0]]],
            [[[1.0, 2.0]], [["x"]]],
        ],
        "biases": [[], [[1.0]], [[1.0], [2.0], []], [[None]]],
    }
    for name, values in wrong.items():
        for value in values:
            forged = json.loads(json.dumps(state))
            forged["scorer"]["network"][name] = value
            path.write_text(json.dumps(forged))
            with pytest.raises(NotAModel, match="scorer"):
                load(path)
    path.write_text(json.dumps(state))
    load(path)


@pytest.mark.parametrize("module", ["run", "demo"])
def test_the_command_line_offers_every_model(module: str) -> None:
    command = import_module(f"goodmeasure.cli.{module}").command
    (option,) = [each for each in command.params if each.name == "model"]
    assert option.type.choices == tuple(MODELS)
