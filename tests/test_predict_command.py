"""Does predict write what the table holds, and say where a spreadsheet would run it?"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from goodmeasure.cli import status_of
from table_files import columns, text

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "=", "=-5"]
HARMLESS = ["-5", "+1e3", "-0.25", "a=b", " =1", "'=1", "", "e-mail"]


HELD = ("--protocol", "holdout")  # ten times as soon as by folds


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("model")
    (folder / "t.csv").write_text(text())
    asked = ["run", str(folder / "t.csv"), "--target", "churned", "--exclude", "p", "--out", str(folder), *HELD]
    assert status_of(asked) == 0
    return (folder / "model.json").read_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: bytes) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(text())
    Path("model.json").write_bytes(model)
    found = {name: cells[: len(FORMULAS + HARMLESS)] for name, cells in columns().items()}
    Path("new.csv").write_text(text({**found, "=note": FORMULAS + HARMLESS}, end="\r\n"), newline="")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[list[list[str]], str]:
    """The cells that were written, and what was said beside them."""
    capsys.readouterr()
    assert status_of(["predict", "model.json", "new.csv", *more]) == 0
    out = capsys.readouterr()
    return list(csv.reader(io.StringIO(out.out, newline=""))), out.err


def test_texts_are_written_as_they_are_and_formulas_are_told_of(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (head, *rows), err = said(capsys, "--keep", "=note")
    assert head[0] == "=note"
    assert [row[0] for row in rows] == FORMULAS + HARMLESS
    assert f"GM210 {len(FORMULAS) + 1} cells begin as formulas do" in err
    assert "--for-spreadsheets" in err
    assert "GM210" not in said(capsys)[1]


def test_for_spreadsheets_formulas_become_texts_and_nothing_else_changes(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (head, *rows), err = said(capsys, "--keep", "=note", "--for-spreadsheets")
    assert head[0] == "'=note"
    assert [row[0] for row in rows] == [f"'{cell}" for cell in FORMULAS] + HARMLESS
    assert "GM210" not in err
    assert [row[1:] for row in rows] == [row[1:] for row in said(capsys, "--keep", "=note")[0][1:]]
    assert (
        status_of(["predict", "model.json", "new.csv", "--keep", "=note", "--for-spreadsheets", "--out", "o.csv"]) == 0
    )
    with Path("o.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [head, *rows]


def test_a_kept_column_never_hides_a_prediction(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = columns()
    Path("new.csv").write_text(text({**found, "probability_yes": found["p"]}))
    assert status_of(["predict", "model.json", "new.csv", "--keep", "probability_yes"]) == 2
    assert capsys.readouterr().err.startswith("GM009 --keep probability_yes has the name")


# --- what predict writes is what score and decide look for ---

COSTS = ["--cost", "fn=4", "--cost", "fp=1"]


@pytest.mark.parametrize("labels", [("no", "yes"), ("0", "1"), ("false", "true"), ("nein", "ja")], ids=repr)
def test_score_and_decide_find_what_predict_writes(
    labels: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = columns()
    found["churned"] = [labels[cell == "yes"] for cell in found["churned"]]
    Path("t.csv").write_text(text({**found, "id": [f"{i:03d}" for i in range(len(found["p"]))]}))
    run = ["run", "t.csv", "--target", "churned", "--exclude", "p", *COSTS, "--out", ".", *HELD]
    assert status_of(run) == 0
    kept = ["--keep", "churned", "--keep", "id", "--keep", "x"]
    assert status_of(["predict", "model.json", "t.csv", *kept, "--out", "p.csv"]) == 0
    with Path("p.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["churned", "id", "x", f"probability_{labels[1]}", "decision"]
    assert [row["id"] for row in rows[:2]] == ["000", "001"]
    assert [row["x"] for row in rows] == found["x"]
    capsys.readouterr()
    for command in (["score"], ["decide", *COSTS]):
        assert status_of([*command, "p.csv", "--y", "churned"]) == 0
        bare = capsys.readouterr().out
        named = ["--p", f"probability_{labels[1]}", "--positive", labels[1]]
        assert status_of([*command, "p.csv", "--y", "churned", *named]) == 0
        assert bare == capsys.readouterr().out


def test_predictions_of_classes_and_amounts_are_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    x = [i % 9 for i in range(180)]
    kinds, amounts = [("cat", "dog", "fox")[(i + i // 60) % 9 // 3] for i in x], [f"{i + i % 4 + 0.5:.1f}" for i in x]
    Path("t.csv").write_text(text({"x": [*map(str, x)], "kind": kinds, "amount": amounts}))
    for target, more in (("kind", []), ("amount", ["--loss", "squared_error"])):
        other = "kind" if target == "amount" else "amount"
        assert status_of(["run", "t.csv", "--target", target, "--exclude", other, "--out", ".", *HELD]) == 0
        assert (
            status_of(["predict", "model.json", "t.csv", "--keep", target, "--keep", "x", "--out", f"{target}.csv"])
            == 0
        )
        with Path(f"{target}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = ["probability_cat", "probability_dog", "probability_fox", "likeliest"]
        assert list(rows[0]) == [target, "x", *(names if target == "kind" else ["prediction"])]
        assert [row["x"] for row in rows] == [*map(str, x)]
        assert status_of(["score", f"{target}.csv", "--y", target, *more]) == 0


def test_out_takes_the_place_of_its_own_table_or_of_an_empty_file_and_of_no_other(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = {
        "thesis.txt": "It was a dark and stormy night",
        "other.csv": "a,b\n1,2\n",
        "spare.json": Path("model.json").read_text(),
        "blank.txt": "\n",
        "longer.csv": "probability_yes,decision,mine\n",
        "short.csv": "prob",
    }
    for name, held in others.items():
        Path(name).write_text(held)
        assert status_of(["predict", "model.json", "new.csv", "--out", name]) == 2, name
        assert capsys.readouterr().err.startswith("GM009 writing")
        assert Path(name).read_text() == held
    Path("empty.csv").touch()
    for name in ("empty.csv", "new_one.csv"):
        for _ in range(2):
            assert status_of(["predict", "model.json", "new.csv", "--out", name]) == 0
    assert status_of(["predict", "model.json", "new.csv", "--keep", "=note", "--out", "empty.csv"]) == 2
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("command", ["predict", "monitor"])
@pytest.mark.parametrize("cell", ["inf", "-inf", "1e200"])
def test_infinite_cells_are_told_of_once_for_all_parts_of_a_file(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, cell: str
) -> None:
    monkeypatch.setattr("goodmeasure.reading.files.PART", 7)
    found = columns()
    found["x"] = [cell if i % 5 == 0 else one for i, one in enumerate(found["x"])]
    Path("new.csv").write_text(text(found))
    capsys.readouterr()
    assert status_of([command, "model.json", "new.csv"]) == 0
    rows = len(found["x"])
    what = "infinite numbers" if "inf" in cell else "numbers of 1e+150 and more"
    told = f"GM234 {what} in column 'x' ({-(-rows // 5)} of {rows}) count as missing"
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("GM234")] == [told]


def test_strange_categories_are_counted_over_all_parts(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goodmeasure.reading.files.PART", 7)
    found = columns()
    found["région"] = ["nowhere" if i % 5 == 0 else one for i, one in enumerate(found["région"])]
    Path("new.csv").write_text(text(found))
    capsys.readouterr()
    assert status_of(["predict", "model.json", "new.csv"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("GM236")]
    assert len(told) == 1
    assert told[0].startswith(f"GM236 {-(-len(found['x']) // 5)} of ")
