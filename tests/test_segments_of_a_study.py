"""Does a run say for whom its model is worse, and no oftener falsely than it promises?"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.reading.tables import NoSuchColumn
from goodmeasure.report.again import command, python
from goodmeasure.report.page import page
from goodmeasure.report.summary import rows
from goodmeasure.study.segmenting import MISSING, MOST_COLUMNS, _missed, compared, grouping
from turns import by_turns

N = 900


def table(dear: str = "south", times: float = 4.0) -> dict[str, np.ndarray]:
    """Rows whose target is harder to say in one place."""
    rng = np.random.default_rng(0)
    x, place = rng.normal(size=N), rng.choice(["north", "south", "west"], N)
    sex = rng.integers(1, 3, N).astype(float)
    y = x + rng.normal(size=N) * np.where(place == dear, times, 1)
    day = np.datetime64("2024-01-01") + rng.integers(0, 300, N)
    return {"x": x, "place": place.astype(object), "sex": sex, "day": day, "y": y}


def test_of_groups_that_are_alike_none_is_named_oftener_than_promised_whatever_the_columns() -> None:
    rng, named, runs = np.random.default_rng(0), 0, 30
    found = 0
    for _ in range(runs):
        losses = rng.lognormal(0, 1.2, 200)
        grouped = {f"c{k}": rng.choice(list("abcd")[: 2 + k % 3], 200) for k in range(4)}
        named += any(g.verdict == "weak" for of in compared(losses, grouped, None, None, 0) for g in of.each)
        worse = np.where(grouped["c0"] == "a", 2.5, 1) * losses
        found += compared(worse, grouped, None, None, 0)[0].each[0].verdict == "weak"
    # 5 of 100 are promised: 6 or more of 30 come by luck three times in a thousand.
    assert named <= 5
    assert found >= 22


AMOUNTS = (
    gm.losses.poisson(),
    gm.losses.gamma(),
    gm.losses.tweedie(power=1.5),
    gm.losses.negative_binomial(dispersion=0.3),
)


@pytest.mark.parametrize(("loss", "level"), by_turns(AMOUNTS, (0.2, 30.0)), ids=repr)
def test_a_group_is_not_dear_because_its_amounts_are_large_or_small(loss: gm.Loss, level: float) -> None:
    """The part of such losses that the target alone decides is left out of them: it is no fault of the model."""
    rng = np.random.default_rng(1)
    place = rng.choice(["few", "many"], 1500)
    mean = level * np.where(place == "few", 1.0, 20.0) + 1
    y = np.maximum(np.round(rng.gamma(50, mean / 50)), 1)
    z = np.log(mean)
    rows = _missed(loss, y, [z])
    assert (rows >= 0).all()
    assert rows == pytest.approx(loss.value(y, z) - np.array([loss.value(v, loss.raw(v)) for v in y]), abs=1e-9)
    found = compared(rows, {"place": place}, None, None, 0)[0].each
    assert all(0 <= one.share_of_loss <= 1 for one in found)
    plain = compared(np.asarray(loss.value(y, z)), {"place": place}, None, None, 0)[0].each
    assert all(0 <= one.share_of_loss <= 1 for one in plain)


def test_a_group_is_named_only_where_its_interval_excludes_zero() -> None:
    rng, named = np.random.default_rng(0), 0
    for _ in range(60):
        group = rng.choice(list("abc"), 90)
        losses = rng.exponential(1, 90) * (1 + 0.9 * (group == "a") - 0.4 * (group == "b"))
        for one in compared(losses, {"g": group}, None, None, 0)[0].each:
            named += (told := one.verdict in ("weak", "cheaper"))
            assert not told or not one.excess.low <= 0 <= one.excess.high
    assert named > 10


def test_a_group_that_costs_more_is_named_by_the_study_its_page_and_the_command() -> None:
    study = gm.run(table(), "y")
    assert [(column, group.name) for column, group in study.segments.weak] == [("place", "south")]
    assert [of.column for of in study.segments.by] == ["place", "sex"]
    (sentence,) = study.segments.sentences
    assert sentence.startswith("where place is south, a row costs ")
    assert ("worse for", sentence) in list(rows(study))
    assert "For whom is it worse?" in page(study)
    assert sentence[1:] in page(study)
    held = study.to_dict()["segments"]["by"][0]["groups"][0]
    assert (held["name"], held["verdict"]) == ("south", "weak")


def test_where_all_are_alike_that_is_said_and_without_groups_nothing_is() -> None:
    study = gm.run(table(times=1.0), "y")
    assert study.segments.sentences == ("no group by place or sex can be told to cost more than the other rows",)
    alone = gm.run({name: values for name, values in table().items() if name in ("x", "y")}, "y")
    assert alone.segments.sentences == ()
    assert "For whom is it worse?" not in page(alone)


def test_columns_that_are_named_need_not_be_learned_from_and_become_ranges() -> None:
    study = gm.run(table(), "y", by=["day", "x"], exclude="day")
    assert [of.column for of in study.segments.by] == ["day", "x"]
    assert [len(of.each) for of in study.segments.by] == [4, 4]
    assert any(group.name.startswith("below 2024-") for group in study.segments.by[0].each)
    assert {"--by day --by x"} <= {command_of_a_file(study)[-len("--by day --by x") :]}
    compile(python(study), "again", "exec")
    assert "by=('day', 'x')" in python(study)


def command_of_a_file(study: gm.Study) -> str:
    from dataclasses import replace

    text = command(replace(study, source="data.csv"))
    return text[: text.index(" --model")]


@pytest.mark.parametrize("protocol", ["holdout", "folds"])
def test_groups_of_a_table_of_its_own_and_of_folds_are_compared(protocol: str) -> None:
    data = table()
    test = {name: values[:300] for name, values in data.items()} if protocol == "holdout" else None
    study = gm.run(data, "y", by="place", test=test, protocol=protocol)
    assert study.segments.weak[0][1].name == "south"
    assert study.segments.rows == (300 if test else N)


def test_the_name_of_a_group_is_its_value_its_range_or_that_it_is_missing() -> None:
    assert set(grouping(np.array(["a", None, "b\x1b[31m"], dtype=object))) == {"a", MISSING, "b\ufffd[31m"}
    assert set(grouping(np.array([1.0, 2.0, np.nan]))) == {"1", "2", MISSING}
    many = np.append(np.arange(100.0), np.nan)
    assert set(grouping(many)) == {"below 25", "25 to 50", "50 to 75", "75 or more", MISSING}
    # Every row is in one group, and ranges of a column of mostly one value are fewer.
    for values in (np.r_[np.zeros(90), np.arange(30.0)], np.repeat(np.arange(12.0), 3)):
        names, counts = np.unique(grouping(values), return_counts=True)
        assert counts.sum() == len(values)
        assert 1 < len(names) <= 5


def test_at_most_a_few_columns_are_compared_unasked() -> None:
    rng = np.random.default_rng(0)
    data = {f"c{k}": rng.choice(["a", "b"], 600).astype(object) for k in range(MOST_COLUMNS + 3)}
    study = gm.run({**data, "y": rng.normal(size=600)}, "y")
    assert len(study.segments.by) == MOST_COLUMNS


def test_more_groups_than_can_be_told_apart_and_unknown_columns_are_refused() -> None:
    data = table() | {"id": np.array([f"r{k}" for k in range(N)], dtype=object)}
    wide = {name: np.tile(values, 3) for name, values in data.items() if name != "id"}
    wide["id"] = np.array([f"r{k}" for k in range(3 * N)], dtype=object)
    with pytest.raises(UsageError, match="more groups than the 1,000"):
        gm.run(wide, "y", by="id", protocol="folds")
    with pytest.raises(NoSuchColumn, match="has no column 'nowhere'"):
        gm.run(data, "y", by="nowhere")
    with pytest.raises(UsageError, match="takes no by=3"):
        gm.run(data, "y", by=3)
    # Of rows that are each their own group there is nothing to compare, and the run goes on.
    assert gm.run(data, "y", by="id").segments.by[0].each == ()


def test_the_command_takes_columns_and_its_json_holds_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data.csv"
    data = {name: values for name, values in table().items() if name != "day"}
    lines = [",".join(data), *(",".join(map(str, row)) for row in zip(*data.values(), strict=True))]
    path.write_text("\n".join(lines), encoding="utf-8")
    asked = [
        "run",
        str(path),
        "--target",
        "y",
        "--by",
        "place",
        "--by",
        "sex",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert status_of(asked) == 0
    found = json.loads(capsys.readouterr().out)
    groups = [(of["column"], group["name"]) for of in found["segments"]["by"] for group in of["groups"]]
    assert set(groups) == {*product(["place"], ["north", "south", "west"]), ("sex", "1"), ("sex", "2")}
    assert found["question"]["by"] == ["place", "sex"]
