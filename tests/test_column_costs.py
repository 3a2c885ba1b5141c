"""Costs that columns hold row by row: does each row decide by its own, and is every cell that is no cost refused?"""

from __future__ import annotations

import csv
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.exporting.program import NotExportable
from goodmeasure.study.column_costs import ColumnCosts, UnusableCost
from goodmeasure.study.question import cost_words, costs_from
from goodmeasure.study.study import Study
from turns import at_night, by_turns

COSTS = {"false_negative": "amount", "false_positive": 5.0}
BAD = {"missing": math.nan, "infinite": math.inf, "negative": -3.0}


def rows(n: int = 400, seed: int = 0) -> dict[str, Any]:
    """Frauds, each of its own amount; those of large amounts are no likelier."""
    random = np.random.default_rng(seed)
    x, amount = random.normal(size=n), np.exp(random.normal(2, 1, size=n)).round(2)
    y = np.where(random.random(n) < 1 / (1 + np.exp(-(2 * x - 1))), "yes", "no").astype(object)
    return {"x": x, "amount": amount, "fee": np.full(n, 5.0), "fraud": y}


def write(path: Path, held: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(held)
        writer.writerows(zip(*(list(column) for column in held.values()), strict=True))
    return path


@pytest.fixture(scope="module")
def study() -> Study:
    return gm.run(rows(), "fraud", costs=COSTS, protocol="holdout")


HELD = ("--protocol", "holdout")  # ten times as soon as by folds

# --- each row by its own costs ---


def test_each_row_is_decided_by_its_own_costs(study: Study) -> None:
    later = rows(200, seed=3)
    p = study.model.predict(later)
    acts = p * later["amount"] >= (1 - p) * 5
    assert study.decided is not None
    assert study.decided.chosen == "costs"
    assert study.model.decide(later).tolist() == np.where(acts, "yes", "no").tolist()
    assert study.model.answers(later)[0]["decision"].tolist() == np.where(acts, "yes", "no").tolist()


def test_rules_are_priced_row_by_row(study: Study) -> None:
    decided, report = study.decided, study.prepared.report
    assert decided is not None
    amount, y = np.asarray(report.table["amount"]), report.y
    costs = [
        np.where(said.prediction * amount >= (1 - said.prediction) * 5, (1 - y) * 5, y * amount) for said in study.said
    ]
    assert decided.best.cost.value == pytest.approx(np.mean(costs))
    assert decided.rule("always").cost.value == pytest.approx(np.mean((1 - y) * 5))
    assert decided.rule("never").cost.value == pytest.approx(np.mean(y * amount))
    assert decided.best.cost.low < decided.best.cost.value < decided.best.cost.high
    assert decided.rule("half").versus_chosen is not None


def test_one_cost_for_all_decides_as_a_column_of_it_does() -> None:
    plain = gm.run(
        rows(),
        "fraud",
        costs=gm.Costs(false_negative=20, false_positive=5),
        loss=gm.losses.binary_brier(),
        protocol="holdout",
    )
    held = rows() | {"fee": np.full(400, 20.0)}
    by_row = gm.run(
        held,
        "fraud",
        costs={"false_negative": "fee", "false_positive": 5},
        loss=gm.losses.binary_brier(),
        protocol="holdout",
    )
    assert plain.decided is not None
    assert by_row.decided is not None
    assert by_row.decided.best.cost.value == pytest.approx(plain.decided.best.cost.value, rel=0.2)
    assert by_row.decided.threshold is None


def test_what_acting_on_costly_rows_saves_is_seen() -> None:
    """Where amounts differ much, one threshold of the average costs more than each row's own."""
    held = rows(3000, seed=4)
    y = (held["fraud"] == "yes") * 1
    p = 1 / (1 + np.exp(-(2 * held["x"] - 1)))
    costs = ColumnCosts.named(COSTS).of(gm_table(held))
    own = np.where(p >= costs.thresholds, costs.of_acting(y), costs.of_leaving(y)).mean()
    one = np.where(p >= costs.threshold, costs.of_acting(y), costs.of_leaving(y)).mean()
    assert own < one
    assert gm.decide(y, p, costs).theory.cost.value == pytest.approx(own)


def gm_table(held: dict[str, Any]) -> Any:
    from goodmeasure.reading.frames import table

    return table(held)


def test_folds_a_test_table_and_several_models_price_by_row_too() -> None:
    for more in (
        {"protocol": "folds"},
        {"test": rows(150, seed=7)},
        {"loss": ["log_loss", "binary_brier"], "protocol": "holdout"},
    ):
        found = gm.run(rows(), "fraud", costs=COSTS, **more)
        assert found.decided is not None
        report = found.prepared.report
        never = np.mean(report.y * np.asarray(report.table["amount"]))
        assert found.decided.rule("never").cost.value == pytest.approx(never)


def test_gains_may_be_columns_and_negative() -> None:
    held = rows() | {"gain": np.full(400, -2.0)}
    found = gm.run(held, "fraud", costs=COSTS | {"true_positive": "gain"}, protocol="holdout")
    assert found.decided is not None
    report = found.prepared.report
    assert found.decided.rule("always").cost.value == pytest.approx(np.mean(np.where(report.y == 1, -2.0, 5.0)))


# --- what is no cost ---


def of_decide(held: dict[str, Any], tmp_path: Path) -> int:
    held = held | {"p": 1 / (1 + np.exp(-held["x"]))}
    words = ["decide", write(tmp_path / "t.csv", held), "--y", "fraud", "--p", "p", "--positive", "yes"]
    return status_of([*map(str, words), "--cost", "fn=@amount", "--cost", "fp=@fee"])


def of_run(held: dict[str, Any], tmp_path: Path) -> int:
    words = ["run", write(tmp_path / "t.csv", held), "--target", "fraud", "--out", tmp_path / "out"]
    return status_of([*map(str, words), "--cost", "fn=@amount", "--cost", "fp=@fee"])


def of_choose(held: dict[str, Any], tmp_path: Path) -> int:
    words = ["choose", write(tmp_path / "t.csv", held), "--target", "fraud"]
    return status_of([*map(str, words), "--cost", "fn=@amount", "--cost", "fp=@fee"])


def of_score(held: dict[str, Any], tmp_path: Path) -> int:
    held = held | {"p": 1 / (1 + np.exp(-held["x"]))}
    words = ["score", write(tmp_path / "t.csv", held), "--y", "fraud", "--p", "p", "--positive", "yes"]
    return status_of([*map(str, words), "--cost", "fn=@amount", "--cost", "fp=@fee"])


COMMANDS = {"run": of_run, "decide": of_decide, "choose": of_choose, "score": of_score}


@pytest.mark.parametrize("column", ["amount", "fee"])
@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_cell_that_is_no_cost_is_refused_by_name(
    command: str, what: str, column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = rows(120)
    held[column][7] = BAD[what]
    if what == "missing":
        held[column] = np.array(["" if math.isnan(v) else v for v in held[column]], dtype=object)
    status, said = COMMANDS[command](held, tmp_path), capsys.readouterr().err
    there = "t.csv, line 9" in said or "row 8" in said
    assert (status, f"a cost in column '{column}' is {what}" in said, there) == (3, True, True), said


@pytest.mark.parametrize("what", BAD)
def test_a_model_refuses_later_rows_whose_costs_are_none(study: Study, what: str) -> None:
    later = rows(20, seed=2)
    later["amount"][3] = BAD[what]
    for ask in (study.model.decide, study.model.answers):
        with pytest.raises(UnusableCost, match=what):
            ask(later)
    with pytest.raises(UsageError, match="in each row"):
        study.model.decisions(study.model.predict(later))


def test_texts_and_unknown_columns_and_the_target_are_no_costs(tmp_path: Path) -> None:
    held = rows(120)
    with pytest.raises(UnusableCost, match="not all of it is numbers"):
        gm.run(held | {"amount": np.array(["much"] * 120, dtype=object)}, "fraud", costs=COSTS)
    with pytest.raises(gm.errors.Problem, match="amuont"):
        gm.run(held, "fraud", costs=COSTS | {"false_negative": "amuont"})
    with pytest.raises(UsageError, match="cannot say what mistakes cost"):
        gm.run(held, "fraud", costs=COSTS | {"false_negative": "fraud"})
    with pytest.raises(gm.errors.Problem, match="answers another question"):
        gm.run(held, "amount", costs={"false_negative": "fee", "false_positive": 5})


@pytest.mark.parametrize(
    "given", [["fn=@amount"], ["fp=@amount"], ["under=@amount", "over=1"], ["fn=@amount", "under=1"]]
)
def test_columns_are_costs_of_both_mistakes_of_yes_and_no(given: list[str]) -> None:
    with pytest.raises(UsageError, match="yes and no"):
        costs_from(given)


# --- models compared by what their decisions cost ---


def scored(n: int = 300, seed: int = 8) -> dict[str, Any]:
    """Frauds with the probabilities of two models, what each costs, classes, and groups."""
    random, held = np.random.default_rng(seed), rows(n, seed)
    right = 2 * held["x"] - 1
    shares = random.dirichlet([1, 1, 1], n)
    held |= {"old": 1 / (1 + np.exp(-right - random.normal(size=n) * 2)), "new": 1 / (1 + np.exp(-right))}
    held |= {"region": random.choice(["north", "south"], n), "w": random.integers(0, 3, n), "who": np.arange(n) // 3}
    held |= {f"p_{name}": shares[:, k] for k, name in enumerate(("cat", "dog", "fox"))}
    return held | {"animal": [("cat", "dog", "fox")[random.choice(3, p=row)] for row in shares]}


LABELS = gm.ClassCosts(np.array([[0, 3, 1], [1, 0, 1], [1, 1, 0.0]]))
PRICED: dict[str, tuple[list[str], tuple[str, ...], Any]] = {
    "by row": (["--cost", "fn=@amount", "--cost", "fp=5"], ("old", "new"), "row"),
    "for all": (["--cost", "fn=40,fp=5"], ("old", "new"), gm.Costs(false_negative=40, false_positive=5)),
    "of labels": (["--cost", "yes->no=40", "--cost", "no->yes=5"], ("old", "new"), gm.Costs(false_negative=40, false_positive=5)),
    "of amounts": (["--cost", "under=3,over=1"], ("x", "new"), gm.UnderOverCosts(under=3, over=1)),
    "of classes": (["--cost", "cat->dog=3", "--cost", "*->*=1"], ("p_cat,p_dog,p_fox",), LABELS),
}  # fmt: skip


MORE: list[list[str]] = [[], ["--weights", "w"], ["--cluster", "who"], ["--by", "region"]]


@pytest.mark.parametrize(("kind", "more"), by_turns(PRICED, MORE, asked=2), ids=str)
def test_scores_are_priced_as_python_prices_them(
    kind: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, (words, models, costs) = scored(), PRICED[kind]
    target = {"of amounts": "amount", "of classes": "animal"}.get(kind, "fraud")
    words = [
        *words,
        *(["--positive", "yes"] if target == "fraud" else []),
        *(part for m in models for part in ("--p", m)),
    ]
    path = write(tmp_path / "t.csv", held)
    assert status_of(["score", str(path), "--y", target, *words, *more, "--json"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    codes = {"fraud": held["fraud"] == "yes", "amount": held["amount"], "animal": None}[target]
    y = np.array([["cat", "dog", "fox"].index(one) for one in held["animal"]]) if codes is None else codes * 1.0
    for key, found in groups.items():
        taken = np.ones(len(y), dtype=bool) if not key else np.array(held["region"]) == key
        own = gm.Costs(false_negative=held["amount"][taken], false_positive=5) if costs == "row" else costs
        given = {"sample_weight": held["w"][taken]} if "--weights" in more else {}
        given |= {"cluster": held["who"][taken]} if "--cluster" in more else {}
        said = {m: np.column_stack([held[name] for name in m.split(",")]).squeeze()[taken] for m in models}
        for model, p in said.items():
            one = gm.decision_cost(y[taken], p, own, **given)
            told = found["cost"][model]
            assert [told["value"], told["low"], told["high"]] == pytest.approx([one.value, one.low, one.high])
        for pair, told in found["cost_difference"].items():
            a, b = pair.split(" - ")
            difference = gm.compare_costs(y[taken], said[a], said[b], own, **given)
            assert told["value"] == pytest.approx(difference.value)
            assert told["value"] == pytest.approx(found["cost"][a]["value"] - found["cost"][b]["value"])
            assert told["verdict"] == difference.verdict


def test_a_price_is_what_deciding_as_the_costs_ask_costs() -> None:
    held = scored()
    y, p = (held["fraud"] == "yes") * 1, held["new"]
    by_row = gm.Costs(false_negative=held["amount"], false_positive=5)
    asking = gm.Costs(false_negative=40, false_positive=5, ask=2)
    for costs in (by_row, gm.Costs(false_negative=40, false_positive=5)):
        assert gm.decision_cost(y, p, costs).value == pytest.approx(gm.decide(y, p, costs).theory.cost.value)
    assert gm.decision_cost(y, p, asking).value == pytest.approx(
        gm.decide(y, p, asking).rule("theory, asking").cost.value
    )
    miss = held["amount"] * y * (p < 5 / (5 + held["amount"])) + 5 * (1 - y) * (p >= 5 / (5 + held["amount"]))
    assert gm.decision_cost(y, p, by_row).value == pytest.approx(miss.mean())


def test_a_model_is_falsely_cheaper_no_oftener_than_the_level_says() -> None:
    """Two models that are equally far off, each in its own way: their decisions cost the same on average."""
    random, words = np.random.default_rng(1), []
    for _ in range(200):
        right = 2 * random.normal(size=400) - 1
        y = (random.random(400) < 1 / (1 + np.exp(-right))) * 1.0
        off = random.normal(size=(2, 400))
        a, b = 1 / (1 + np.exp(-right - off))
        costs = gm.Costs(false_negative=np.exp(random.normal(2, 1, 400)), false_positive=5)
        words.append(gm.compare_costs(y, a, b, costs).verdict in ("better", "worse"))
    assert np.mean(words) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


REFUSED = {
    "--raw": ["--raw", "--cost", "fn=@amount,fp=5", "--loss", "binary_brier"],
    "--save": ["--save", "a.tally", "--cost", "fn=@amount,fp=5"],
    "of amounts": ["--cost", "under=3,over=1", "--loss", "binary_brier"],
    "one mistake": ["--cost", "fn=@amount"],
    "no such column": ["--cost", "fn=@amuont,fp=5"],
    "no outcome": ["--cost", "miss=3"],
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_priced_is_refused_before_anything_is_written(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.csv", scored())
    words = ["score", "t.csv", "--y", "fraud", "--positive", "yes", "--p", "new"]
    assert status_of([*words, *REFUSED[what]]) in (2, 3)
    said = capsys.readouterr()
    assert said.out == ""
    assert "fix " in said.err
    assert not (tmp_path / "a.tally").exists()


# --- kept, shown, and asked again ---


def test_costs_are_read_and_written_as_they_are_typed() -> None:
    given = ["fn=@amount", "fp=5", "tp=@gain"]
    costs = costs_from(given)
    assert isinstance(costs, ColumnCosts)
    assert costs.columns == ("amount", "gain")
    assert cost_words(costs) == given
    assert ColumnCosts.from_dict(json.loads(json.dumps(costs.to_dict()))) == costs


def test_a_model_keeps_the_columns_and_cannot_be_written_as_a_formula(study: Study, tmp_path: Path) -> None:
    study.model.save(tmp_path / "model.json")
    kept, later = gm.load(tmp_path / "model.json"), rows(50, seed=5)
    assert kept.costs == study.model.costs
    assert "amount" in kept.columns
    assert kept.decide(later).tolist() == study.model.decide(later).tolist()
    with pytest.raises(NotExportable, match="row by row"):
        kept.export(tmp_path / "m.sql")


def test_a_run_by_the_command_line_says_the_rule_and_can_be_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write(tmp_path / "t.csv", rows()), tmp_path / "out"
    words = ["run", path, "--target", "fraud", "--cost", "fn=@amount", "--cost", "fp=5", "--out", out, *HELD]
    assert status_of([*map(str, words)]) == 0
    assert "act where p x amount is at least (1 - p) x 5, row by row" in " ".join(capsys.readouterr().out.split())
    document = json.loads((out / "report.json").read_text())
    assert document["decision"]["costs"] == {"false_negative": "@amount", "false_positive": 5.0}
    command = re.search(r"goodmeasure run [^\n]*", (out / "model.md").read_text())
    assert command is not None
    again = [word for word in shlex.split(command[0])[1:] if word != "goodmeasure"]
    assert status_of([*again, "--out", str(tmp_path / "again")]) == 0
    second = json.loads((tmp_path / "again" / "report.json").read_text())
    assert second["decision"]["rules"] == document["decision"]["rules"]
    assert status_of(["predict", str(out / "model.json"), str(path), "--out", str(tmp_path / "p.csv")]) == 0
    assert (tmp_path / "p.csv").read_text().startswith("probability_yes,decision")


# --- a column of any name, with cells that are no cost ---

NAMES = ['the "sum"', "amount", "it's", "amount eur", "order", "a-b", "Größe"]


@pytest.mark.parametrize("name", [at_night(name, unless=k % 2 == 0) for k, name in enumerate(NAMES)])
def test_the_condition_that_is_printed_leaves_out_every_cell_that_is_no_cost(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = rows(150)
    amount = held.pop("amount").astype(object)
    amount[[3, 17, 40, 80]] = ["", "inf", -2.0, "-inf"]
    path = write(tmp_path / "t.csv", held | {name: amount})
    words = [
        "run",
        path,
        "--target",
        "fraud",
        "--cost",
        f"fn=@{name}",
        "--cost",
        "fp=5",
        "--out",
        tmp_path / "out",
        *HELD,
    ]
    assert status_of([*map(str, words)]) != 0
    (fix,) = re.findall(r"leave these rows out: (--where .*)$", capsys.readouterr().err, re.MULTILINE)
    assert status_of([*map(str, words), *shlex.split(fix)]) == 0
    assert "146" in capsys.readouterr().out


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_gain_may_be_negative_and_its_condition_says_so(bad: float) -> None:
    named = {"false_negative": 40.0, "false_positive": 5.0, "true_positive": "a gain"}
    held = {"a gain": np.array([1.0, -2.0, bad]), "y": np.array([1, 0, 1])}
    with pytest.raises(UnusableCost) as refused:
        ColumnCosts.named(named).of(gm_table(held))
    assert refused.value.fix.endswith("""--where 'isfinite("a gain")'""")


@pytest.mark.parametrize(
    ("given", "said", "fix"),
    [
        (["fn=40", "fn=4"], "--cost fn= is given twice", "--cost fn=4"),
        (["fn=40,fp=1,fn=@amount"], "--cost fn= is given twice", "--cost fn=@amount"),
        (["fn=nan"], "--cost fn=nan is not a number", "--cost fn=5"),
        (["under=many"], "--cost under=many is not a number", "--cost under=5"),
    ],
)
def test_a_cost_is_said_once_and_is_a_number(given, said, fix):
    with pytest.raises(UsageError) as refused:
        costs_from(given)
    assert (refused.value.what, refused.value.fix) == (said, fix)
