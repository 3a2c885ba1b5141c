"""Are numbers and dates read as people write them, the same in files, frames and by a saved model, and is doubt said?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import Problem
from goodmeasure.reading.connection import Reader
from goodmeasure.reading.files import parts, read
from goodmeasure.reading.frames import table
from goodmeasure.reading.notation import GROUPINGS, Dates, Numbers, from_dict, to_dict
from goodmeasure.reading.recognition import BEFORE, UnsettledNotation, Written
from goodmeasure.reading.sql import literal, quoted, sql
from goodmeasure.reading.tables import ColumnKind
from turns import by_turns

VALUES = [0.5, -3.25, 12.0, 999.75, 1234.5, -45678.25, 1234567.75, 7.0, 88.5, -100.0]
UNITS = [
    ("", ""),
    ("$", ""),
    ("€ ", ""),
    ("USD ", ""),
    ("", " kg"),
    ("", "%"),
    ("", "\u00a0€"),
    ("", " km/h"),
    ("CHF ", ""),
]
NEGATIVES: dict[str, Callable[[str], str]] = {
    "minus": lambda text: f"-{text}",
    "sign of minus": lambda text: f"\u2212{text}",
    "brackets": lambda text: f"({text})",
    "behind": lambda text: f"{text}-",
}
WAYS = [
    (decimal, grouping)
    for decimal, grouping in product(".,", ["", ",", ".", " ", "\u00a0", "\u202f", "'", "\u2019"])
    if decimal != grouping
]


def spelled(value: float, decimal: str, grouping: str, unit: tuple[str, str], negative: str) -> str:
    """A number as someone writes it."""
    text = f"{abs(value):,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", grouping)
    return NEGATIVES[negative](f"{unit[0]}{text}{unit[1]}") if value < 0 else f"{unit[0]}{text}{unit[1]}"


def csv(name: str, cells: list[str]) -> str:
    return f"{name}\tother\n" + "".join(f"{cell}\tx\n" for cell in cells)


@pytest.mark.parametrize(("way", "negative"), by_turns(WAYS, [*NEGATIVES], asked=2), ids=repr)
def test_numbers_are_read_however_they_are_written(tmp_path: Path, way: tuple[str, str], negative: str) -> None:
    place, factor = tmp_path / "t.csv", {"%": 0.01}
    turn = WAYS.index(way) + 3 * list(NEGATIVES).index(negative)
    for unit in (UNITS[turn % len(UNITS)], UNITS[(turn + 4) % len(UNITS)]):
        cells = [*(spelled(value, *way, unit, negative) for value in VALUES), "unknown", "-"]
        expected = [*(value * factor.get(unit[1], 1) for value in VALUES), np.nan, np.nan]
        place.write_text(csv("amount", cells))
        found = read(place)
        np.testing.assert_allclose(found["amount"], expected, rtol=1e-15)
        np.testing.assert_allclose(table({"amount": cells})["amount"], expected, rtol=1e-15)
        (how,) = found.notations.values()
        assert from_dict(to_dict(how)) == how
        (part,) = parts(place, kinds={"amount": ColumnKind.NUMBER}, notations=found.notations)
        np.testing.assert_allclose(part["amount"], expected, rtol=1e-15)
        assert any("was read as numbers" in remark.what for remark in found.remarks)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(alphabet="0123456789.,' -\u2212()$%kg\u00a0e", max_size=12), min_size=1, max_size=30),
    st.sampled_from(".,"),
    st.sampled_from([*GROUPINGS]),
    st.sampled_from(["", "$", "kr"]),
    st.sampled_from(["", "kg", "%"]),
)
def test_the_database_reads_as_python_does(
    cells: list[str], decimal: str, grouping: str, before: str, after: str
) -> None:
    how = Numbers(decimal, grouping, before, after)  # type: ignore[arg-type]
    with Reader() as reader:
        for cell in cells:
            question = sql(
                "SELECT {it}, {fits} FROM (SELECT {cell} AS c)",
                it=how.sql(quoted("c")),
                fits=how.matching(quoted("c")),
                cell=literal(cell),
            )
            ((found, fits),) = reader.ask(question).fetchall()
            expected = how.rewritten(cell)
            assert fits == how.matches(cell)
            if fits and expected is not None:
                assert float(found) == float(expected)
            else:
                assert found == expected


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        (["1,234", "2,345", "12"], {"point": [1234, 2345, 12], "comma": [1.234, 2.345, 12]}),
        (["$1.234", "$2.456"], {"point": [1.234, 2.456], "comma": [1234, 2456]}),
        (["1.234 €", "12.456 €"], {"point": [1.234, 12.456], "comma": [1234, 12456]}),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(
    tmp_path: Path, cells: list[str], answers: dict[str, list[float]]
) -> None:
    place = tmp_path / "t.csv"
    place.write_text(csv("amount", cells))
    for attempt in (lambda **said: read(place, **said), lambda **said: table({"amount": cells}, **said)):
        with pytest.raises(UnsettledNotation, match="'amount' can be read in two ways") as caught:
            attempt()
        assert "decimal='comma'" in caught.value.fix
        for answer, expected in answers.items():
            assert attempt(written=Written(decimal=answer))["amount"].tolist() == expected


@pytest.mark.parametrize("other", ["0,5", "1.234,5", "1 234,25"])
def test_another_column_settles_what_one_leaves_open(other: str) -> None:
    found = table({"open": ["1,234", "2,345"], "other": [other, "3,75"]})
    assert found["open"].tolist() == [1.234, 2.345]
    assert table({"open": ["1,234", "2,345"], "other": ["0.5", "3.75"]})["open"].tolist() == [1234, 2345]


TEXTS = {
    "codes": ["A1", "A2", "B3"],
    "units that differ": ["12 kg", "500 g", "3 lb"],
    "ranges": ["40-49", "50-59", "60-69"],
    "ordinals": ["1st", "2nd", "3rd"],
    "versions": ["1.2.3", "1.2.4", "1.10.0"],
    "addresses": ["192.168.1.1", "10.0.0.1", "127.0.0.1"],
    "times of day": ["12:30", "11:15", "09:00"],
    "list items": ["1)", "2)", "3)"],
    "more than": ["10+", "< 1", "> 5"],
    "words": ["unknown", "none", "yes"],
    "share beside percent": ["12%", "0.5", "13%"],
    "both marks": ["1,234.5", "1.234,5", "0,5"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_with_digits_stay_texts(tmp_path: Path, name: str) -> None:
    place, cells = tmp_path / "t.csv", TEXTS[name] * 10
    place.write_text(csv("c", cells))
    assert read(place)["c"].tolist() == table({"c": cells})["c"].tolist() == cells


def test_what_says_that_it_is_text_or_a_number_is_believed() -> None:
    from decimal import Decimal

    cells = ["1,5", "2,25"] * 5
    assert table(pd.DataFrame({"c": pd.Categorical(cells, ordered=True)})).kinds["c"] is ColumnKind.TEXT
    assert table(pl.DataFrame({"c": pl.Series(cells, dtype=pl.Categorical)})).kinds["c"] is ColumnKind.TEXT
    assert table({"c": ["1", "2", "3"]}).kinds["c"] is ColumnKind.TEXT
    numbers: list[object] = [Decimal("1.5"), 2, 3.25, np.float32(4), None]
    np.testing.assert_array_equal(table({"c": numbers})["c"], [1.5, 2, 3.25, 4, np.nan])
    np.testing.assert_array_equal(
        table(pd.DataFrame({"c": pd.Series(numbers, dtype=object)}))["c"][:4], [1.5, 2, 3.25, 4]
    )


# --- dates ---

DAYS = [
    datetime(2024, 1, 31, 10, 5),
    datetime(2023, 12, 1, 23, 59),
    datetime(2024, 2, 29),
    datetime(1999, 7, 14, 12, 30),
]
FORMS = [
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%m/%d/%y", "%d-%m-%Y", "%Y.%m.%d", "%Y-%m-%d", "%Y/%m/%d", "%d %b %Y",
    "%d %B %Y", "%d. %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M:%S", "%Y-%m", "%m/%Y", "%b %Y", "%a, %d %b %Y",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_read_however_they_are_written(tmp_path: Path, form: str) -> None:
    cells = [day.strftime(form) for day in DAYS] * 3
    expected = [datetime.strptime(cell, form) for cell in cells]
    place = tmp_path / "t.csv"
    place.write_text(csv("when", cells))
    assert read(place)["when"].tolist() == table({"when": cells})["when"].tolist() == expected


def test_the_order_of_day_and_month_is_asked_where_no_day_tells(tmp_path: Path) -> None:
    cells = ["01/02/2024", "03/04/2024", "05/05/2024"]
    with pytest.raises(UnsettledNotation) as caught:
        table({"when": cells})
    assert caught.value.fix == "dates='day-first' or dates='month-first'"
    assert table({"when": cells}, written=Written(dates="day-first"))["when"][0] == np.datetime64("2024-02-01")
    assert table({"when": cells}, written=Written(dates="month-first"))["when"][0] == np.datetime64("2024-01-02")
    assert Dates("%d.%m.%Y").rewritten("31.02.2024") == "31.02.2024"


# --- all of it through a study ---


def rows(decimal: str) -> Iterator[tuple[str, str, str]]:
    for i in range(240):
        paid, weight = f"$ {100 * i + 7:,}.50", f"{(i % 17) / 4:.2f} kg".replace(".", decimal)
        yield paid, weight, "yes" if (i % 17) + i % 3 > 8 else "no"


def test_a_model_keeps_how_its_columns_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(f'"{paid}"\t"{weight}"\t{answer}\n' for paid, weight, answer in rows(","))
    Path("t.csv").write_text(f"paid\tweight\tanswer\n{lines}")
    study = gm.run("t.csv", "answer", positive="yes", protocol="holdout")
    assert set(study.model.columns) == {"paid", "weight"} == {*study.model.notations}
    assert {remark.code for remark in study.remarks} >= {"GM212"}
    study.model.save("model.json")
    model = gm.load("model.json")
    assert model.notations == study.model.notations
    written = {"paid": ["$ 1,207.50"] * 2, "weight": ["1,25 kg", "4,00 kg"]}
    plain = {"paid": [1207.5] * 2, "weight": [1.25, 4.0]}
    np.testing.assert_array_equal(model.predict(written), model.predict(plain))
    np.testing.assert_array_equal(model.predict(pl.DataFrame(written).lazy()), model.predict(plain))


def test_numbers_as_texts_are_predicted_as_numbers() -> None:
    x = [i % 12 for i in range(240)]
    model = gm.run(
        {"x": x, "y": ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(x)]}, "y", protocol="holdout"
    ).model
    expected = model.predict({"x": [2, 4, 9]})
    for texts in (["2", "4", "9"], ["2.0", "4", "9.0"], ["2,0", "4,0", "9,0"]):
        np.testing.assert_array_equal(model.predict({"x": texts}), expected)
    with pytest.raises(Problem, match="holds 'two' where a number is needed"):
        model.predict({"x": ["two", "4", "9"]})


def test_scores_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    told = {}
    for decimal in ".,":
        cells = "".join(f"{i % 2};{0.2 + (i % 7) / 10:.2f}\n".replace(".", decimal) for i in range(80))
        Path("t.csv").write_text(f"y;p\n{cells}")
        for command in (["score"], ["decide", "--cost", "fn=4", "--cost", "fp=1"]):
            assert status_of([*command, "t.csv", "--y", "y", "--p", "p"]) == 0
            told.setdefault(command[0], set()).add(capsys.readouterr().out)
    assert [len(said) for said in told.values()] == [1, 1]


def test_currencies_are_lower_case_words() -> None:
    assert {"$", "eur", "us$"} < BEFORE


@pytest.mark.parametrize("cell", ["--1", "-$-1", "- -1", "-1-", "(1-)-", "+1-"])
def test_two_signs_are_no_number(cell: str, tmp_path: Path) -> None:
    before = Numbers(before="$")
    assert not before.matches(cell)
    assert before.rewritten(cell) == cell
    place = tmp_path / "t.csv"
    place.write_text("x,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(40)) + f"{cell},1\n")
    table = read(str(place))
    assert np.isnan(table["x"][40]) or table["x"].dtype == object
