"""Do the lines that fix name what the table holds, and do they run: costs of labels, levels, conditions, times of the day?"""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.choosing.functionals import refuse_another
from goodmeasure.cli import status_of
from goodmeasure.decisions.costs import ClassCosts, CostsDoNotFit, DegenerateCosts
from goodmeasure.errors import Problem, UsageError
from goodmeasure.formulas.domains import OrderDomain, OutcomeDomain
from goodmeasure.reading.conditions import only_where
from goodmeasure.reading.files import read
from goodmeasure.reading.sql import quoted, sql
from goodmeasure.study.label_costs import LabelCosts, example, label_costs
from turns import by_turns

ODD = 'the "odd" one\'s $name'


def write(place: Path, columns: dict[str, Any]) -> str:
    with place.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return str(place)


def fix_of(text: str) -> list[str]:
    """The options of the line that fixes, as a shell reads them."""
    (line,) = re.findall(r"^  fix   (.*)$", text, re.MULTILINE)
    return shlex.split(line[line.index("--") :])


# --- costs of labels ---

LABELS: dict[str, tuple[Any, ...]] = {
    "texts": ("cat", "dog", "fox"),
    "grades": ("low", "medium", "high"),
    "numbers": (1, 2, 3, 4, 5),
    "quotes": ("it's", 'say "so"', "both 'n\" more", "plain"),
    "equals": ("a=b", "c=d", "e"),
    "arrows": ("x->y", "y->x", "up", "down"),
}


@pytest.mark.parametrize(("labels", "wrong"), by_turns(LABELS, ("fn=3,fp=1", "under=3,over=1", "nobody->somebody=3")))
def test_costs_that_do_not_fit_name_labels_of_the_table(
    labels: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [LABELS[labels][i % len(LABELS[labels])] for i in range(120)]
    place = write(tmp_path / "t.csv", {"y": held})
    asked = ["choose", place, "--target", "y"]
    assert status_of([*asked, "--cost", wrong]) in (2, 3)
    options = fix_of(capsys.readouterr().err)
    assert status_of([*asked, *options]) == 0
    assert "the act of least expected cost" in capsys.readouterr().out
    assert status_of(asked) == 0
    shown = next(line for line in capsys.readouterr().out.splitlines() if "right only if every mistake" in line)
    assert shlex.split(shown.partition("; say ")[2]) == options


def test_in_python_costs_that_do_not_fit_are_mended_by_costs_that_do() -> None:
    y = ["cat", "dog", "fox"] * 20
    with pytest.raises(CostsDoNotFit) as caught:
        gm.choose(y, costs=gm.Costs(false_negative=3, false_positive=1))
    code = re.match(r"costs=(.*), with more for a pair such as \('cat', 'dog'\)", caught.value.fix)
    assert code is not None
    costs = eval(code[1], {"gm": gm, "numpy": np})
    assert gm.choose(y, costs=costs).steps[-1].answer == "the act of least expected cost"


def test_labels_that_the_notation_reads_otherwise_are_said_in_a_table() -> None:
    assert ".csv" in example(["a->b", "c->d", "*"])
    assert "'c->d=3'" in example(["a->b", " blank", "c", "d"])


# --- negative costs are gains ---


@pytest.mark.parametrize("seed", range(5))
def test_what_is_right_may_gain_and_only_differences_decide(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = random.uniform(0, 5, size=(4, 4)) * (1 - np.eye(4))
    p = random.dirichlet(np.ones(4), 50)
    gained = matrix - random.uniform(0, 9, size=(4, 1))
    names = ("a", "b", "c", "d")
    pairs = {(t, s): gained[i, j] for i, t in enumerate(names) for j, s in enumerate(names)}
    settled = LabelCosts.of(pairs).settled(names)
    assert isinstance(settled, ClassCosts)
    assert (settled.matrix < 0).any()
    assert (gm.bayes_act(p, settled) == gm.bayes_act(p, ClassCosts(matrix))).all()
    two = gm.Costs(false_negative=-1, false_positive=2, true_positive=-9, true_negative=-3)
    plain = gm.Costs(false_negative=8, false_positive=5)
    assert (gm.bayes_act(p[:, 0], two) == gm.bayes_act(p[:, 0], plain)).all()


@pytest.mark.parametrize(
    "given", [["b->a=-3", "*->*=1"], ["*->*=0"], ["a->a=2", "*->*=1"], ["b->a=nan", "*->*=1"], ["a->b=inf", "*->*=1"]], ids=str
)  # fmt: skip
@pytest.mark.parametrize("labels", [("a", "b"), ("a", "b", "c")], ids=len)
def test_errors_that_gain_or_cost_nothing_are_refused_however_many_labels(
    given: list[str], labels: tuple[str, ...]
) -> None:
    with pytest.raises(DegenerateCosts):
        label_costs(given).settled(labels)


@pytest.mark.parametrize("given", [{("a", "b", "c"): 1}, {("a", "b"): "much"}, {("a",): 1}], ids=str)
def test_what_is_no_cost_of_a_pair_is_called_so(given: dict[Any, Any]) -> None:
    with pytest.raises(UsageError, match="pairs of labels"):
        LabelCosts.of(given)


# --- costs by row ---


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("command", ["choose", "decide", "score"])
@pytest.mark.parametrize("costs", ["fn=@zero,fp=5", "fn=5,fp=@zero", "fn=@zero,fp=@zero", "fn=@some,fp=@zero"])
def test_costs_by_row_of_nothing_are_priced_or_refused_with_the_row(
    costs: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    p = random.uniform(size=80)
    some = np.where(np.arange(80) % 4, 7.5, 0.0)
    held = {"y": (random.uniform(size=80) < p) * 1, "p": p, "zero": np.zeros(80), "some": some}
    words = ["--target", "y"] if command == "choose" else ["--y", "y", "--p", "p"]
    asked = [command, write(tmp_path / "t.csv", held), *words]
    status, said = status_of([*asked, "--cost", costs]), capsys.readouterr()
    assert "Warning" not in said.err
    assert status == (3 if "fp=@zero" in costs and "fn=@" in costs else 0), said.err
    if status:
        assert "row 1" in said.err or "line 2" in said.err
    if costs == "fn=@some,fp=@zero":
        assert status_of([*asked, "--cost", costs, *fix_of(said.err)]) == 0


def test_a_page_of_scored_rows_decides_row_by_row_where_the_rows_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    p = random.uniform(size=80)
    write(Path("t.csv"), {"y": (random.uniform(size=80) < p) * 1, "p": p, "my fee": np.arange(1, 81)})
    asked = ["t.csv", "--y", "y", "--p", "p", "--cost", "fn=@my fee", "--cost", "fp=5"]
    assert status_of(["score", *asked[:-4], "--save", "kept.tally"]) == 0
    assert status_of(["report", "kept.tally", *asked[-4:]]) == 2
    assert "--cost needs the rows" in capsys.readouterr().err
    assert not Path("report.html").exists()
    assert status_of(["report", *asked]) == 0
    assert "What do the decisions cost?" in Path("report.html").read_text()


# --- levels ---

MEANT = {
    "quantiles=10,50,90": "quantiles=0.1,0.5,0.9",
    "quantiles=1,50,99": "quantiles=0.01,0.5,0.99",
    "quantiles=0,1;0,5;0,9": "quantiles=0.1,0.5,0.9",
    "quantiles=0,1,0,5,0,9": "quantiles=0.1,0.5,0.9",
    "quantiles=0.5": "quantile=0.5",
    "quantile=90": "quantile=0.9",
    "quantile=95%": "quantile=0.95",
    "quantile=0,25": "quantile=0.25",
    "quantile=1": "quantile=0.9",
    "quantile=oops": "quantile=0.9",
    "quantile": "quantile=0.9",
    "interval=90": "interval=0.9",
    "interval=5,95": "quantiles=0.05,0.95",
    "expectile=75": "expectile=0.75",
    "median=0.5": "median",
    "meen": "mean",
    "averge": "mean",
}


@pytest.mark.parametrize("asked", MEANT)
def test_levels_are_asked_for_as_they_were_meant(asked: str) -> None:
    y = np.random.default_rng(0).normal(size=200)
    with pytest.raises(UsageError) as caught:
        gm.choose(y, ask=asked)
    assert caught.value.fix == f"ask={MEANT[asked]!r}"
    assert str(gm.choose(y, ask=MEANT[asked]).loss)


@pytest.mark.parametrize("name", gm.losses.catalogue())
def test_a_loss_and_what_is_asked_beside_it_agree_or_are_refused(name: str) -> None:
    loss = gm.losses.catalogue()[name]()
    level = loss.values.get("level") or loss.levels or None
    said = "" if level is None else "=" + ",".join(f"{each:g}" for each in np.atleast_1d(level))
    of = loss.facts.asks_for
    for ask in (None, *([of + said] if of else [])):
        refuse_another(ask, loss)
    other = "expectile=0.99" if of in ("mean", "probability", "grades") else "mean"
    if of:
        with pytest.raises(UsageError, match=f"asks for the .*{of}"):
            refuse_another(other, loss)
    refuse_another("median", gm.losses.pinball(level=0.5))
    refuse_another("quantile=0.5", gm.losses.absolute_error())


# --- targets outside of a loss that is named, and conditions with names in quotes ---


def outside(low: float, high: float) -> float:
    return -1.0 if low == 0 else high + 1


def bounded() -> list[str]:
    """Losses of numbers that cannot be just any."""
    each = {name: definition().target for name, definition in gm.losses.catalogue().items()}
    labels = (OutcomeDomain, OrderDomain)
    return [n for n, d in each.items() if not isinstance(d, labels) and not (np.isinf(d.low) and np.isinf(d.high))]


@pytest.mark.parametrize("name", bounded())
def test_a_target_outside_of_a_loss_is_told_by_its_row(name: str, tmp_path: Path) -> None:
    loss = gm.losses.catalogue()[name]()
    low, high = loss.target.low, loss.target.high
    random = np.random.default_rng(1)
    y = random.uniform(0.1, 0.9, 90)
    y[40], y[7] = outside(low, high), np.nan
    held = {"x": random.normal(size=90), ODD: np.where(np.isnan(y), "", y.astype(str))}
    place = write(tmp_path / "t.csv", held)
    with pytest.raises(Problem) as caught:
        gm.run(place, ODD, loss=loss)
    if caught.value.code != "GM004":
        assert caught.value.fix  # a loss that takes several numbers a row, or is of angles
        return
    assert "row 41" in caught.value.where
    assert f"target {y[40]}" in caught.value.what
    keep = shlex.split(caught.value.fix[caught.value.fix.index("--where") :])[1]
    assert loss.target.outside(read(place, where=keep)[ODD]).sum() == 0
    assert len(read(place, where=keep)) == 88


@pytest.mark.parametrize("bad", ["infinite target", "weight", "exposure"])
def test_conditions_with_odd_names_run(bad: str, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    held: dict[str, Any] = {"x": random.normal(size=90), "y": random.poisson(2, 90) * 1.0, ODD: np.ones(90)}
    named, target = {"weight": {"weights": ODD}, "exposure": {"exposure": ODD}}.get(bad, {}), "y"
    held[ODD][30] = {"weight": -1.0, "exposure": 0.0}.get(bad, np.inf)
    if bad == "infinite target":
        held[ODD][:30], target = held["y"][:30], ODD
    place = write(tmp_path / "t.csv", held)
    with pytest.raises(Problem) as caught:
        gm.run(place, target, **named)
    assert "row 31" in caught.value.where
    keep = shlex.split(caught.value.fix[caught.value.fix.index("--where") :])[1]
    assert len(read(place, where=keep)) == 89


def test_a_condition_is_one_word_of_a_shell() -> None:
    (option, condition) = shlex.split(only_where(sql("isfinite({q})", q=quoted(ODD))))
    assert (option, condition) == ("--where", 'isfinite("the ""odd"" one\'s $name")')


# --- times of the day, and directions of what does not turn ---

TIMES = {
    "hours and minutes": lambda h, m: f"{h:02d}:{m:02d}",
    "seconds": lambda h, m: f"{h:02d}:{m:02d}:{(7 * m) % 60:02d}",
    "before and after noon": lambda h, m: f"{(h - 1) % 12 + 1}:{m:02d} {'PM' if h > 11 else 'AM'}",
    "few": lambda h, m: f"{h:02d}:00",
}


@pytest.mark.parametrize("represents", [None, "angle", "angle=24", "real"])
@pytest.mark.parametrize("written", TIMES)
def test_times_of_the_day_become_an_angle_by_the_line_that_fixes(written: str, represents: str | None) -> None:
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(3)
    hours, minutes = random.integers(0, 24, 200), random.integers(0, 60, 200)
    data = {"at": pandas.Series([TIMES[written](h, m) for h, m in zip(hours, minutes, strict=True)])}
    with pytest.raises(Problem, match="times of the day") as caught:
        gm.choose(data["at"], name="at", represents=represents)
    line, _, then = caught.value.fix.partition("; then ")
    exec(line, {"pandas": pandas, "data": data})
    assert "represents='angle=24'" in then
    plan = gm.choose(data["at"], name="at", represents="angle=24")
    assert plan.meaning == "angle"
    expected = hours + (minutes / 60 if written != "few" else 0)
    assert np.abs(np.asarray(data["at"]) - expected).max() < 1 / 60


@pytest.mark.parametrize("y", [[0.1, 1.5, 2.5], [1.0, 2, 3.5], [0, 3, 1, 4], [-1.0, 2.5, 30]], ids=str)
def test_what_does_not_turn_has_no_mean_direction(y: list[float]) -> None:
    with pytest.raises(Problem, match="has no mean direction") as caught:
        gm.choose(y * 9, ask="mean direction")
    assert "represents='angle=360'" in caught.value.fix
    assert gm.choose(y * 9, ask="mean direction", represents="angle=360").asks_for == "mean direction"


# --- arguments of our own classes ---


@pytest.mark.parametrize(
    "given", [[1, 2], [(1, 2)], "x", None, 5, {"fn": 3}, gm.UnderOverCosts(under=1, over=2)], ids=str
)
def test_tailored_says_the_form_that_it_wants(given: Any) -> None:
    with pytest.raises(UsageError) as caught:
        gm.tailored(given)
    assert str(gm.tailored(eval(caught.value.fix.removeprefix("costs="), {"gm": gm}))).startswith("tailored(")
