"""Does the page of scored rows say what their tally says, whatever is scored, of whatever size, by command and in Python?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import goodmeasure as gm
from browser import browser, opened
from catalogue_losses import everything
from goodmeasure.cli import status_of
from goodmeasure.decisions.curves import Curves
from goodmeasure.errors import UsageError
from goodmeasure.report.acting import acting
from goodmeasure.report.scored import ScoredRows, page
from goodmeasure.report.sentences import unlike_groups
from goodmeasure.risks.least import least_differs

HOSTILE = "<script>alert(1)</script> & \"quotes' $x"
N = 300


def frame(rows: int = N) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1.5, rows)
    shares = np.exp(rng.normal(size=(rows, 3)) + 2 * np.eye(3)[np.arange(rows) % 3])
    shares /= shares.sum(axis=1, keepdims=True)
    return pd.DataFrame(
        {
            "y": np.where(rng.random(rows) < 1 / (1 + np.exp(-z)), "yes", "no"),
            "sure": 1 / (1 + np.exp(-3 * z)),
            HOSTILE: 1 / (1 + np.exp(-z)),
            "blunt": 1 / (1 + np.exp(-0.2 * z)),
            "amount": z * 3 + rng.normal(size=rows),
            "guess": z * 3,
            "low": z * 2,
            "kind": np.array(["a", "b", "c"])[np.arange(rows) % 3],
            **{f"p_{name}": shares[:, k] for k, name in enumerate("abc")},
            "region": rng.choice([HOSTILE, "south"], rows),
            "w": rng.integers(0, 3, rows),
            "price": rng.uniform(1, 50, rows),
        }
    )


ASKED: dict[str, tuple[str, ...]] = {
    "one model": ("--y", "y", "--positive", "yes", "--p", "sure"),
    "three models, costs and groups": (
        *("--y", "y", "--positive", "yes", "--p", "sure", "--p", HOSTILE, "--p", "blunt"),
        *("--by", "region", "--cost", "fn=40", "--cost", "fp=5"),
    ),
    "weights": ("--y", "y", "--positive", "yes", "--p", "sure", "--weights", "w", "--level", "0.9"),
    "amounts": ("--y", "amount", "--p", "guess", "--p", "low", "--loss", "huber", "--by", "kind"),
    "classes": ("--y", "kind", "--p", "p_a,p_b,p_c"),
    "classes with costs": ("--y", "kind", "--p", "p_a,p_b,p_c", "--cost", "a->b=5", "--cost", "*->*=1"),
    "amounts with costs": ("--y", "amount", "--p", "guess", "--p", "low", "--cost", "under=3", "--cost", "over=1"),
    "costs of each row": (
        *("--y", "y", "--positive", "yes", "--p", "sure", "--p", "blunt"),
        *("--cost", "fn=@price", "--cost", "fp=5"),
    ),
    "costs of labels": ("--y", "y", "--positive", "yes", "--p", "sure", "--cost", "yes->no=40", "--cost", "no->yes=5"),
    "clusters": ("--y", "y", "--positive", "yes", "--p", "sure", "--cluster", "region"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    frame().to_csv("t.csv", index=False)
    return tmp_path


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert status_of([*words, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ASKED)
def test_a_page_says_what_score_says_and_a_browser_shows_it_in_peace(
    name: str, place: Path, running: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ASKED[name]
    reported = told(capsys, "report", "t.csv", *asked)
    without_costs = [word for pair in zip(asked[::2], asked[1::2], strict=True) if pair[0] != "--cost" for word in pair]
    of_amounts = ("--loss", "pinball(level=0.75)") if "under=3" in asked else ()
    scored = told(capsys, "score", "t.csv", *without_costs, *of_amounts)
    assert reported["rows"] == scored["rows"]
    assert reported["risk"] == scored["groups"][""]["risk"]
    losses = next(iter(reported["risk"].values()))
    assert reported["difference"] == {k: v[next(iter(losses))] for k, v in scored["groups"][""]["difference"].items()}
    with opened(running, place / "report.html", width=360, bypass_csp=True) as shown:
        text = " ".join(shown.page.inner_text("body").split())
        for model, by_loss in reported["risk"].items():
            assert " ".join(model.split()) in text
            assert f"{by_loss[next(iter(losses))]['value']:.4g}" in text
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert shown.hindrances() == []
        assert shown.said == []


@pytest.mark.parametrize("name", [name for name, asked in ASKED.items() if "--cost" in asked])
def test_the_costs_of_a_page_are_those_of_score_or_of_decide(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ASKED[name]
    reported, scored = (told(capsys, command, "t.csv", *asked) for command in ("report", "score"))
    priced = scored["groups"][""]
    assert bool(reported["cost"]) != bool(reported["decision"])
    if reported["cost"]:
        assert reported["cost"] == priced["cost"]
        assert reported["cost_difference"] == priced["cost_difference"]
        assert "What do the decisions cost?" in (place / "report.html").read_text()
    for model, decision in reported["decision"].items():
        by_theory = next(rule["cost"] for rule in decision["rules"] if rule["name"] == "theory")
        assert by_theory["value"] == pytest.approx(priced["cost"][model]["value"], abs=by_theory["grid_error"] or 1e-9)


def test_costs_that_a_tally_cannot_price_ask_for_the_rows(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("classes with costs", "costs of each row", "costs of labels"):
        words = ASKED[name]
        at = words.index("--cost")
        assert status_of(["score", "t.csv", *words[:at], "--save", "kept.tally"]) == 0
        capsys.readouterr()
        assert status_of(["report", "kept.tally", *words[at:]]) == 2
        assert "GM009" in capsys.readouterr().err
        (place / "kept.tally").unlink()
    assert not (place / "report.html").exists()


def test_the_line_of_a_page_makes_the_same_page(place: Path) -> None:
    import shlex

    dear = (*ASKED["one model"], "--cost", "fn=1234567.25", "--cost", "fp=0.1", "--cost", "tp=-3")
    raw = ("--y", "y", "--positive", "yes", "--p", "amount", "--raw")
    for asked in (*ASKED.values(), dear, raw):
        assert status_of(["report", "t.csv", *asked]) == 0
        before = (place / "report.html").read_bytes()
        line = unescape(re.findall(r"<pre><code>(.*?)</code></pre>", before.decode(), re.DOTALL)[-1])
        assert status_of(shlex.split(line)[1:]) == 0
        assert (place / "report.html").read_bytes() == before


def test_a_kept_tally_makes_the_page_of_its_rows(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ASKED["three models, costs and groups"]
    assert status_of(["score", "t.csv", *asked[:-4], "--save", "kept.tally"]) == 0
    capsys.readouterr()
    of_rows = told(capsys, "report", "t.csv", *asked)
    of_tally = told(capsys, "report", "kept.tally", *asked[-4:])
    for part in ("risk", "difference", "calibration", "decision", "groups", "rows"):
        assert of_rows[part] == of_tally[part]


def test_the_page_of_many_rows_is_as_small(place: Path) -> None:
    frame(100_000).to_parquet("many.parquet")
    assert status_of(["report", "many.parquet", *ASKED["three models, costs and groups"]]) == 0
    assert (place / "report.html").stat().st_size <= 400_000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("report", "t.csv", "--y", "y", "--positive", "yes", "--p", "sure", "--out", "t.csv"), "GM009"),
        (("report", "t.csv", "--y", "y", "--positive", "yes", "--p", "nothing"), "GM203"),
        (("report", "t.csv", *ASKED["amounts"], "--cost", "fn=1", "--cost", "fp=1"), "GM009"),
        (
            (
                "report",
                "t.csv",
                "--y",
                "y",
                "--positive",
                "yes",
                "--p",
                "sure",
                "--cost",
                "under=1",
                "--cost",
                "over=2",
            ),
            "GM009",
        ),
        (("report", "t.csv", *ASKED["classes"], "--cost", "a->b=2"), "no cost is named"),
        (("report", "one.csv", *ASKED["one model"], "--cost", "fn=7", "--cost", "fp=2"), "GM704"),
        (("report", "t.csv", "--p", "sure"), "GM009"),
        (("report", "t.csv", "--y", "y", "--positive", "yes", "--p", "sure", "--out", "no/such/place.html"), "GM012"),
    ],
)
def test_what_cannot_be_reported_is_an_error_and_writes_nothing(
    words: tuple[str, ...], code: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = frame()
    rows[rows["y"] == "yes"].to_csv("one.csv", index=False)
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert status_of([*words]) in (2, 3)
    assert code in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_a_model_is_best_only_where_it_surely_beats_each_other() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    noise = {f"model {k}": rng.normal(size=400) for k in range(6)}
    loss = gm.losses.binary_cross_entropy()
    assert ScoredRows(gm.tally(loss, y, noise), "y", "rows").verdict == ("none surely", "care")
    clear = {**noise, "clear": 4.0 * y - 2}
    assert ScoredRows(gm.tally(loss, y, clear), "y", "rows").verdict == ("clear", "good")


@pytest.mark.parametrize("y", [np.ones(50), np.zeros(50)], ids=["all yes", "all no"])
def test_rows_of_one_answer_have_a_page_without_a_threshold(y: np.ndarray) -> None:
    found = ScoredRows(gm.tally(gm.losses.binary_cross_entropy(), y, np.linspace(-1, 1, 50)), "y", "rows")
    assert 'id="decision"' not in page(found)


def test_a_page_is_written_from_python(tmp_path: Path) -> None:
    rows = frame()
    tally = gm.tally(gm.losses.binary_cross_entropy(), rows["y"] == "yes", np.log(rows["blunt"] / (1 - rows["blunt"])))
    path = tmp_path / "page.html"
    assert gm.write_report(tally, path, costs=gm.Costs(false_negative=2, false_positive=1)) == str(path)
    assert "Where do I cut" in path.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="by name alone"):
        gm.write_report(gm.Tally.from_bytes(tally.to_bytes()), path)
    amounts = gm.tally(gm.losses.squared_error(), rows["amount"], rows["guess"])
    with pytest.raises(UsageError, match="yes and no"):
        gm.write_report(amounts, path, costs=gm.Costs(false_negative=1, false_positive=1))


@pytest.mark.parametrize("ratio", [1 / 40, 1 / 3, 1.0, 7.0])
@pytest.mark.parametrize("rare", [0.01, 0.4])
def test_of_a_thousand_rows_hardly_one_is_told_elsewhere_than_all_rows_say(ratio: float, rare: float) -> None:
    rng = np.random.default_rng(0)
    y = rng.random(50_000) < rare
    p = np.clip(rng.beta(0.3, 3, len(y)) + 0.3 * y * rng.random(len(y)), 0, 1)
    found = gm.tally(gm.losses.binary_cross_entropy(), y, {"p": np.log(p / (1 - p + 1e-12) + 1e-12)}).curves()
    costs = gm.Costs(false_negative=1, false_positive=ratio)
    made = acting("yes", found, costs)
    exact = found.at([costs.threshold])
    assert made.shares[0] == exact[0][0]  # at the costs that were given, nothing is thinned
    assert made.shares[2] == exact[1][0]
    for cut in np.linspace(0.001, 0.999, 97):
        at = int(np.searchsorted(made.threshold, cut))
        hit, alarm = (float(share[0]) for share in found.at([cut]))
        assert abs(made.hit[at] + made.alarm[at] - hit - alarm) <= 0.0015 + _most_in_a_cell(found)


def _most_in_a_cell(found: Curves) -> float:
    """Rows of one threshold cannot be told apart, wherever they are cut."""
    return float(-np.diff(found.true_positive + found.false_positive).min())


def test_what_is_read_off_a_grid_says_so_on_the_page(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    costs = ("--cost", "fn=7", "--cost", "fp=2")
    found = told(capsys, "report", "t.csv", *ASKED["weights"], *costs)["decision"]["sure"]["cost"]
    assert found["grid_error"] > 0
    assert f"± {found['grid_error']:.3g} grid" in (place / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("loss", everything(), ids=repr)
def test_groups_are_held_against_each_other_only_by_losses_that_say_the_same_of_perfect_predictions(loss) -> None:
    """A loss whose least depends on the amount is larger or smaller where amounts are, by no fault of the model."""
    differs = least_differs(loss)
    if loss.is_binary or loss.is_classwise or len(loss.activation) > 1 or loss.labels:
        assert not differs
        return
    y = np.array([one for one in (0.3, 0.9, 1.0, 3.0, 8.0) if one in loss.target])
    with np.errstate(all="ignore"):
        least = np.asarray(loss.value(y, loss.raw(y)))
    assert differs == bool(np.isfinite(least).all() and np.ptp(least) > 1e-6)


@pytest.mark.parametrize(("loss", "said"), [("poisson", True), ("squared_error", False)])
def test_a_page_and_a_table_of_groups_say_where_their_losses_are_not_alike(
    loss: str, said: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["large", "small"], 400)
    mean = np.where(kind == "large", 50.0, 2.0)
    rows = "\n".join(f"{k},{rng.poisson(m)},{m}" for k, m in zip(kind, mean, strict=True))
    file, out = tmp_path / "counts.csv", tmp_path / "page.html"
    file.write_text(f"kind,y,p\n{rows}\n")
    asked = [str(file), "--y", "y", "--p", "p", "--loss", loss, "--by", "kind"]
    assert status_of(["score", *asked]) == 0
    sentence = unlike_groups(f"{loss}()")
    assert (sentence in capsys.readouterr().out) == said
    assert status_of(["report", *asked, "--out", str(out)]) == 0
    text = out.read_text()
    assert ("For which kind is it worse?" in text) == (not said)
    assert ("compare models, not groups" in text) == said
