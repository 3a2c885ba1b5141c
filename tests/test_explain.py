"""Does every word of the field have a page that is true, short enough to read, and shows itself on the reader's own table?"""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.cli.explain import page
from goodmeasure.errors import UsageError
from goodmeasure.explaining.page import book, find, names, plain
from turns import by_turns

WORDS = """logit, softmax, sigmoid, threshold, class weight, outlier, gradient, learning signal, overfitting, memorisation,
generalisation gap, empirical risk, expected risk, calibration, skill, log loss, activation, loss, cost, decision, margin,
residual, likelihood, entropy, KL divergence, quantile, expectile, interval, p-value, bootstrap, cross-validation, held-out,
leakage, base rate, prior shift, focal loss, label smoothing, convexity, robustness, chain, elicits, proper, undistorted,
lipschitz"""


@pytest.mark.parametrize("word", [" ".join(word.split()) for word in WORDS.split(",")])
def test_the_words_of_the_field_are_known(word: str) -> None:
    assert find(word) is not None


@pytest.mark.parametrize(("name", "width"), by_turns(book(), (60, 80)))
def test_a_page_has_a_number_a_picture_a_source_and_fits(name: str, width: int) -> None:
    found = book()[name]
    shown, told = found.shown(), list(found.told(width))
    assert max(map(len, told)) <= width
    assert re.search(r"\d", shown.number)
    assert len(shown.picture) >= 2
    assert "nan" not in f"{shown.number} {shown.picture}"
    assert re.search(r"\b1[89]\d\d\b|\b20\d\d\b", found.source)
    assert found.command.startswith("goodmeasure ")


def test_numbers_that_can_be_worked_out_by_hand_are_right() -> None:
    assert "0.500, 0.111, 0.024" in book()["threshold"].shown().number
    assert "0.9 is 2.20" in book()["logit"].shown().number
    assert "a true .05 is learned as 0.50" in book()["class weight"].shown().number
    assert "0.5 costs 0.693" in book()["log loss"].shown().number
    assert "16% where 1 % yes" in book()["base rate"].shown().number


def test_numbers_are_computed_when_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from goodmeasure.decisions.costs import Costs

    before = book()["threshold"].shown().number
    monkeypatch.setattr(Costs, "threshold", property(lambda _: 0.321))
    assert "0.321" in book()["threshold"].shown().number != before


def test_every_name_leads_to_one_page_however_it_is_spelled() -> None:
    leads: dict[str, str] = {}
    for name, target in names().items():
        assert leads.setdefault(plain(name), target) == target, name
        for spelled in (name.upper(), name.replace(" ", "-"), name.replace(" ", "_"), f"{name.removesuffix('s')}s"):
            assert find(spelled) is book()[target], spelled
    assert find("generalization gap") is find("Generalisation-Gap") is book()["generalisation gap"]


def test_what_is_near_has_a_page_too() -> None:
    for found in book().values():
        for near in (*found.near, *found.also):
            assert near == "exercise" or find(near) or losses.find(near)


def test_a_slip_of_the_pen_is_answered_with_what_comes_close() -> None:
    for slip, meant in (("softmx", "softmax"), ("calibraton", "calibration"), ("overfiting", "overfitting")):
        with pytest.raises(UsageError) as caught:
            page(slip)
        assert f"goodmeasure explain {meant}" in str(caught.value)


def test_a_word_of_formulas_and_a_loss_are_named_beside_the_page() -> None:
    assert "derivative" in page("sigmoid")
    assert "goodmeasure losses expectile" in page("expectile")


def test_the_list_names_every_page_under_its_theme(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["explain"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for found in book().values():
        assert found.theme in said
        assert found.name in said


def test_several_words_need_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["explain", "Log", "loss"]) == 0
    assert capsys.readouterr().out.startswith("log loss\n")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table whose columns are called as the commands of the pages call them."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.5, 300)
    p = 1 / (1 + np.exp(-z))
    yes = (rng.random(300) < p).astype(int)
    amount = rng.lognormal(2 + 0.3 * z, 0.5)
    rows = ["YES,CLASS,AMOUNT,P,Q,Z,PERSON,x"]
    rows += [
        f"{yes[i]},{'abc'[i % 3]},{amount[i]:.4f},{p[i]:.6f},{p[i] ** 1.2:.6f},{z[i]:.6f},{i // 3},{z[i] + rng.normal():.4f}"
        for i in range(300)
    ]
    monkeypatch.chdir(tmp_path)
    Path("DATA.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


SHOWN = {
    "skill": r"skill -?\d",
    "base rate": r"% of the reported rows",
    "p-value": r"\(p 0\.\d+\)",
    "prior shift": r"prevalence|act when p >=",
    "threshold": r"act when p >= 0\.\d+",
    "calibration": r"calibration error",
    "generalisation gap": r"on fitted rows",
    "expected risk": r"\d \[\d",
    "paired difference": r"P - Q",
}


@cache
def heard(command: str) -> tuple[int, str]:
    """The status of a command on the table, and what it prints: several pages name the same one."""
    with redirect_stdout(StringIO()) as said:
        status = status_of(command.split()[1:])
    return status, said.getvalue()


@pytest.mark.parametrize("name", SHOWN)
def test_the_command_of_a_page_shows_what_the_page_is_about(table: Path, name: str) -> None:
    status, said = heard(book()[name].command)
    assert status == 0
    assert re.search(SHOWN[name], said)


@pytest.mark.parametrize("command", sorted({found.command for found in book().values()}))
def test_the_command_of_a_page_runs_on_a_table(table: Path, command: str) -> None:
    status, said = heard(command)
    assert status == 0
    assert said.strip()
