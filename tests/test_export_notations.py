"""Do exported programs read cells as the model does, however numbers, dates and labels are written, or say that they do not?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.reading.frames import table
from goodmeasure.reading.notation import Dates, Notation
from goodmeasure.reading.recognition import _DAYS, _TIMES
from goodmeasure.study.encoding import encoding
from goodmeasure.study.model import Model
from test_export import Answers, Rows, assert_says, by_javascript, by_python, by_sql
from test_notation import NEGATIVES, UNITS, VALUES, WAYS, spelled

READERS: dict[str, Callable[[Model, Rows, Path], Answers]] = {"py": by_python, "js": by_javascript, "sql": by_sql}
MOMENTS = [
    datetime(2024, 1, 31, 13, 5, 9),
    datetime(1999, 12, 1),
    datetime(2024, 2, 29, 0, 30),
    datetime(2031, 5, 7, 12),
]


def model_of(fitted: Rows, notations: dict[str, Notation]) -> Model:
    """A model in which every column counts, so that a cell that is read otherwise moves the prediction."""
    encoded = encoding(table(fitted), list(fitted))
    weights = np.random.default_rng(0).normal(size=(1, len(encoded.names)))
    scorer = LinearScorer(weights, np.zeros(1))
    return Model(gm.losses.squared_error(), encoded, scorer, "y", "mean", notations=notations)


def column(cells: list[str | None]) -> np.ndarray:
    return np.array(cells, dtype=object)


@pytest.mark.parametrize("language", READERS)
def test_numbers_however_they_are_written(tmp_path: Path, language: str) -> None:
    rows, fitted, notations = {}, {}, {}
    for k, (way, unit) in enumerate(product(WAYS, UNITS)):
        signs = [[*NEGATIVES][(i + k) % len(NEGATIVES)] for i in range(len(VALUES))]
        written = [spelled(value, *way, unit, sign) for value, sign in zip(VALUES, signs, strict=True)]
        read = table({"c": written})
        (notations[f"n{k}"],) = read.notations.values()
        fitted[f"n{k}"] = read["c"]
        rows[f"n{k}"] = column([*written, None, "unknown", "-", "about 3", " " + written[0] + "\u00a0"])
    model = model_of(fitted, notations)
    assert len({*model.notations.values()}) > 60
    assert_says(READERS[language](model, rows, tmp_path), model, rows)


@pytest.mark.parametrize("language", READERS)
def test_dates_however_they_are_written(tmp_path: Path, language: str) -> None:
    forms = [day + _TIMES[k % len(_TIMES)] for k, day in enumerate(_DAYS)] + ["%d.%m.%Y" + time for time in _TIMES]
    notations = {f"d{k}": Dates(form) for k, form in enumerate(forms)}
    days = np.array(MOMENTS, dtype="datetime64[us]")
    rows = {
        name: column([*(moment.strftime(how.form) for moment in MOMENTS), None, "unknown", "some day"])
        for name, how in notations.items()
    }
    model = model_of(dict.fromkeys(rows, days), notations)
    assert_says(READERS[language](model, rows, tmp_path), model, rows)


@pytest.mark.parametrize("language", READERS)
def test_days_that_do_not_exist_are_missing(tmp_path: Path, language: str) -> None:
    cells = ["31.02.2024", "29.02.2023", "00.01.2024", "1.13.2024", "32.1.2024", "1.1.24", "1.1.2024x", "29.02.2024"]
    model = model_of({"d": np.array(MOMENTS, dtype="datetime64[us]")}, {"d": Dates("%d.%m.%Y")})
    assert np.unique(model.predict({"d": cells})).size == 2
    assert_says(READERS[language](model, {"d": column(cells)}, tmp_path), model, {"d": column(cells)})


LABELS: dict[str, tuple[list[str | None], list[str | None]]] = {
    "capitals and blanks forgiven": (
        ["North", "South", "New York", "Straße", "ΟΔΟΣ", "İzmir", "ısı", None],
        [
            "north",
            " NORTH ",
            "new  york",
            "NEW\u00a0YORK\t",
            "STRASSE",
            "οδος",
            "İZMİR",
            "ısı",
            "the moon",
            "(Missing)",
        ],
    ),
    "capitals tell apart": (["AA", "Aa", "aa", "b"], ["AA", " Aa", "aa\n", "aA", "B", "b\u2003"]),
    "blanks tell apart": (["a", "a ", "A", "b"], ["a", "a ", "A", " a", "b ", "b"]),
    "numbers as labels": (["1", "2", "30"], ["1", " 2", "30 ", "3"]),
}


@pytest.mark.parametrize("language", READERS)
@pytest.mark.parametrize("kind", LABELS)
def test_labels_however_they_are_spelled(tmp_path: Path, kind: str, language: str) -> None:
    known, cells = LABELS[kind]
    fitted = {"label": column(known * 6)}
    model, rows = model_of(fitted, {}), {"label": column([*known, *cells, None])}
    assert_says(READERS[language](model, rows, tmp_path), model, rows)


@pytest.mark.parametrize("language", READERS)
def test_an_exposure_is_read_as_it_is_written(tmp_path: Path, language: str) -> None:
    random = np.random.default_rng(0)
    years = random.integers(1000, 9000, 300)
    written = column([f"{year:,}".replace(",", ".") + ",5 h" for year in years])
    count = random.poisson(years / 1000).astype(float)
    rows = {"x": random.normal(size=300), "hours": written}
    model = gm.run({**rows, "count": count}, "count", exposure="hours", decimal="comma", protocol="holdout").model
    assert model.notations
    few = {name: values[:20] for name, values in rows.items()}
    assert_says(READERS[language](model, few, tmp_path), model, few)


@pytest.mark.parametrize("language", READERS)
def test_numbers_that_are_numbers_stay_what_they_are(tmp_path: Path, language: str) -> None:
    """Only texts are read: 12.5 as a number is not twelve and a half per cent."""
    written = table({"c": ["12,5 %", "7,25 %", "99 %"]})
    model = model_of({"c": written["c"]}, written.notations)
    rows = {"c": np.array([12.5, 1234.5, np.nan])}
    assert_says(READERS[language](model, rows, tmp_path), model, rows)


@pytest.mark.parametrize("kind", ["REAL", "DECIMAL(9, 3)", "BIGINT", "DOUBLE"])
def test_columns_of_numbers_of_any_kind_are_cast_and_not_spelled(tmp_path: Path, kind: str) -> None:
    written = table({"c": ["12,5 %", "7,25 %", "99 %"]})
    model = model_of({"c": written["c"]}, written.notations)
    model.export(tmp_path / "m.sql")
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE rows AS SELECT CAST(unnest([0.1, 7.3, 1234.567]) AS {kind}) AS c")
        given = connection.execute("SELECT CAST(c AS DOUBLE) FROM rows").fetchnumpy()
        said = [row[-1] for row in connection.execute((tmp_path / "m.sql").read_text()).fetchall()]
    np.testing.assert_allclose(said, model.predict({"c": next(iter(given.values()))}), rtol=1e-13)


def test_whole_numbers_as_labels_have_no_point(tmp_path: Path) -> None:
    model = model_of({"label": column(["1", "2", "30"] * 5)}, {})
    known: dict = {}
    model.export(tmp_path / "m.py")
    exec((tmp_path / "m.py").read_text(), known)
    for label in (1, 2.0, 30.0, 7.5):
        assert known["predict"]({"label": label})["prediction"] == pytest.approx(model.predict({"label": [label]})[0])


def test_what_is_read_is_said_at_the_head_of_the_file(tmp_path: Path) -> None:
    written = table(
        {"cost": ["$ 1,234.50", "$ 2,000.00", "$ 17.25"] * 5, "day": ["31.01.2024", "15.02.2024", "1.3.2024"] * 5}
    )
    fitted = {**written.columns, "place": column(["North", "South", "East"] * 5)}
    model = model_of(fitted, dict(written.notations))
    for language, mark in (("py", "# "), ("js", "// "), ("sql", "-- ")):
        model.export(tmp_path / f"m.{language}")
        head = [line for line in (tmp_path / f"m.{language}").read_text().splitlines()[:6] if line.startswith(mark)]
        for word in (
            "'cost': texts are numbers written like $1,234.5",
            "'day': texts are dates written like 31.01.2024",
            "'place'",
        ):
            assert any(word in line for line in head), (language, word)


def test_a_graph_says_that_it_takes_cells_as_they_stand(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    written = table({"cost": ["$ 1,234.50", "$ 2,000.00", "$ 17.25"] * 5})
    model = model_of(dict(written.columns), dict(written.notations))
    model.export(tmp_path / "m.onnx")
    said = onnx.load(tmp_path / "m.onnx").doc_string
    assert "Cells are taken as they stand" in said
    assert "'cost': texts are numbers written like $1,234.5" in said


def test_a_file_is_read_by_sql_as_by_the_model(tmp_path: Path) -> None:
    written = ["$ 1,234.50", "$ 2,000.00", "$ 17.25", "n/a", "-", "$ (3.50)"] * 5
    model = model_of(
        {"cost": table({"c": written})["c"]}, {"cost": next(iter(table({"c": written}).notations.values()))}
    )
    model.export(tmp_path / "m.sql")
    (tmp_path / "t.csv").write_text("cost\n" + "\n".join(f'"{cell}"' for cell in written))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW rows AS SELECT * FROM read_csv('{tmp_path}/t.csv', all_varchar = true)")
        said = [row[-1] for row in connection.execute((tmp_path / "m.sql").read_text()).fetchall()]
    np.testing.assert_allclose(said, model.predict({"cost": written}), rtol=1e-12)
