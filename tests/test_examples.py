"""Does every example run, and is there one for every host?"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import goodmeasure as gm

ROOT = Path(__file__).parent.parent
HOSTS = (
    "sklearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "torch",
    "jax",
    "keras",
    "sql",
    "polars",
    "linear_loss",
    "export",
)


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore")  # of Numba, which CatBoost tries on the objective
@pytest.mark.parametrize("booster", ["xgboost", "lightgbm", "catboost"])
def test_each_booster_learns_what_it_has_no_objective_for(booster: str) -> None:
    pytest.importorskip(booster, reason=f"pip install 'goodmeasure[{booster}]'")
    mean, constant = example("train_boosters").main(booster, rows=400)
    assert mean < 0.8 * constant


def test_a_frame_is_scored_where_it_is() -> None:
    found = example("score_in_polars").report(gm.Costs(false_negative=40, false_positive=5))
    assert found["region"].to_list() == ["north", "south"]
    assert found["loss"].max() < 0.7
    assert found["acts"].min() > 100


def test_a_head_is_learned_without_its_raw_outputs() -> None:
    pytest.importorskip("torch", reason="pip install 'goodmeasure[torch]'")
    before, after = example("linear_loss_torch").train(gm.losses.focal(gamma=2.0), steps=40)
    assert after < 0.4 * before


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_has_an_example(host: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    assert any(re.search(rf"\bgm\.(to_)?{host}\(|\bto_{host}\(|\.{host}\(", text) for text in texts)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_every_example_is_run_by_a_test(path: Path) -> None:
    tests = [each.read_text(encoding="utf-8") for each in (ROOT / "tests").glob("test_*.py")]
    assert any(path.stem in text for text in tests)
