"""Do all commands that read tables read the same, say the same of what is wrong, and leave every file as it was?"""

from __future__ import annotations

import io
import os
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from goodmeasure.cli import status_of
from goodmeasure.reading.dialects import MOST_COLUMNS
from goodmeasure.reading.files import read
from goodmeasure.reading.sources import MISSING
from table_files import RIGHT, ROWS, WRONG, Right, Wrong, columns, parquet, text, typed
from turns import at_night, by_turns

COMMANDS = {
    "choose": ("choose", "{}", "--target", "churned"),
    "run": ("run", "{}", "--target", "churned", "--exclude", "p", "--protocol", "holdout", "--out", "out"),
    "predict": ("predict", "model.json", "{}"),
    "monitor": ("monitor", "model.json", "{}"),
    "score": ("score", "{}", "--y", "churned", "--positive", "yes", "--p", "p"),
    "report": ("report", "{}", "--y", "churned", "--positive", "yes", "--p", "p", "--out", "out.html"),
    "decide": ("decide", "{}", "--y", "churned", "--positive", "yes", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
}
Said = tuple[int, str, str]


def asked(command: str, source: str, *more: str) -> list[str]:
    return [source if word == "{}" else word for word in COMMANDS[command]] + list(more)


def put(made: bytes | dict[str, bytes] | None, source: str) -> None:
    """Write what a case makes below the working directory."""
    for name, data in (made if isinstance(made, dict) else {} if made is None else {source: made}).items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(data)


def held() -> dict[str, bytes]:
    """Every file below the working directory, and what it holds."""
    files = (path for path in sorted(Path().rglob("*")) if path.is_file() and path.parts[0] not in ("out", "out.html"))
    return {str(path): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of the table."""
    place = tmp_path_factory.mktemp("model")
    (place / "t.csv").write_text(text())
    assert status_of([str(place) if word == "out" else word for word in asked("run", str(place / "t.csv"))]) == 0
    return (place / "model.json").read_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: bytes) -> Path:
    """An empty working directory but for a model."""
    monkeypatch.chdir(tmp_path)
    Path("model.json").write_bytes(model)
    return tmp_path


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]):
    def run(*words: str) -> Said:
        status = status_of([*words])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return status, said.out, said.err

    return run


@pytest.fixture(scope="module")
def plain() -> dict[str, str]:
    """What each command says of the plain table, filled when it is first asked."""
    return {}


def of_rows(said: str) -> str:
    """The part of what is said that does not name the file or the time."""
    lines = said.splitlines()
    return "\n".join(
        line for line in lines if "next" not in line and "goodmeasure run" not in line and ".csv" not in line
    ).rstrip()


# A run reads as choose does, a report as score, and they take ten times as long.
LONG = ("run", "report")
SOON = tuple(command for command in COMMANDS if command not in LONG)
LATER = [case for k, case in enumerate(RIGHT) if k % 6 == 0 or "two files" in case.name]


@pytest.mark.parametrize(
    ("case", "command"),
    [*by_turns(RIGHT, SOON), *by_turns(LATER, LONG)],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_table_is_the_same_however_it_is_written(
    place: Path, say, plain: dict[str, str], case: Right, command: str
) -> None:
    if command not in plain:
        Path("plain.csv").write_text(text())
        plain[command] = of_rows(say(*asked(command, "plain.csv"))[1])
        Path("plain.csv").unlink()
    put(case.make(), case.source)
    before = held()
    status, out, _ = say(*asked(command, case.source))
    assert status == 0
    assert of_rows(out) == plain[command]
    assert held() == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_what_is_wrong_is_the_same_for_all(place: Path, say, case: Wrong, command: str) -> None:
    put(case.make(), case.source)
    before = held()
    status, out, err = say(*asked(command, case.source))
    assert (status, out, err[:5]) == (3, "", case.code)
    assert case.told in err.split("\n  more")[0]
    assert held() == before


def given_as(source: str, how: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What to type so that the bytes of a file come in on standard input, or through a pipe that has a name."""
    if how == "standard input":

        class Input:
            buffer = io.BytesIO(Path(source).read_bytes())

        monkeypatch.setattr(sys, "stdin", Input)
        yield "-"
        return
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(Path(source).read_bytes()))
    writer.start()
    yield "pipe"
    writer.join()
    Path("pipe").unlink()


@pytest.mark.parametrize("how", ["standard input", "a pipe"])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_comes_in_through_a_pipe_is_read_once_and_alike(
    place: Path, say, plain: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str, how: str
) -> None:
    Path("t.csv").write_text(text(), encoding="utf-16")
    for source in given_as("t.csv", how, monkeypatch):
        status, out, _ = say(*asked(command, source))
    Path("plain.csv").write_text(text())
    assert status == 0
    assert of_rows(out) == of_rows(say(*asked(command, "plain.csv"))[1])


# --- cells ---


def numeric(cell: str, name: str) -> dict[str, list[str]]:
    """The table with 1 and 0 for yes and no, and one cell changed."""
    found = columns()
    found["churned"] = ["1" if one == "yes" else "0" for one in found["churned"]]
    found[name][ROWS // 2] = cell
    return found


@pytest.mark.parametrize("cell", ["oops", "1,5", "0x10", "--1", "$3", "\x1b[31m", "1 000"])
def test_a_cell_that_is_no_number_is_named_by_all_in_the_same_words(place: Path, say, cell: str) -> None:
    Path("t.csv").write_text(text(numeric(cell, "churned")))
    told = {}
    for command in ("choose", "run", "score", "decide"):
        words = [word for word in asked(command, "t.csv") if word not in ("--positive", "yes")]
        status, out, told[command] = say(*words)
        assert (status, out) == (3, "")
    assert len({*told.values()}) == 1
    said = told["score"]
    assert said.startswith("GM206 column 'churned' holds ")
    assert f"where t.csv, line {ROWS // 2 + 2}, column 'churned'" in said
    if "decimal comma" in said:  # to leave such rows out would leave out all
        return
    fix = said.split("--where ")[1].split("\n")[0]
    for command in ("choose", "run", "score", "decide") if cell == "oops" else ("choose", "score"):
        words = [word for word in asked(command, "t.csv") if word not in ("--positive", "yes")]
        assert say(*words, "--where", *shlex.split(fix))[0] == 0


@pytest.mark.parametrize("word", MISSING)
def test_words_for_missing_are_missing_for_all(place: Path, say, word: str) -> None:
    both = numeric(word, "churned")
    both["p"][3] = word
    Path("t.csv").write_text(text(both))
    for command in ("score", "decide"):
        words = [each for each in asked(command, "t.csv") if each not in ("--positive", "yes")]
        status, out, err = say(*words)
        assert (status, err) == (0, "")
        assert f"{ROWS} rows read, {ROWS - 2} used; left out: 1 missing target, 1 missing score" in out.splitlines()[0]
    assert say(*asked("choose", "t.csv"))[0] == say(*asked("predict", "t.csv"))[0] == 0


# --- names ---

NAMES = [
    "it's",
    'a "b"',
    "two\nlines",
    "\x1b[31mred",
    "\u202eright",
    "a,b",
    "a;b",
    "{x}",
    "%s",
    "SELECT",
    "row",
    "cell",
    "n" * 10_000,
]


@pytest.mark.parametrize(
    ("name", "form"), by_turns(NAMES, ("t.csv", "t.parquet")), ids=lambda each: repr(each)[1:20].rstrip("'\"")
)
def test_any_name_of_a_column_is_only_a_name(place: Path, say, name: str, form: str) -> None:
    target, score = name, f"{name} 2"
    found = {
        target: columns()["churned"],
        score: columns()["p"],
        "x": columns()["x"],
        "région": columns()["région"],
    }
    if form == "t.parquet":
        Path(form).write_bytes(parquet([*found], [pa.array(cells) for cells in found.values()]))
    else:
        Path(form).write_text(text(found), encoding="utf-8")
    quoted = '"' + name.replace('"', '""') + '"'
    where = ("--where", f"{quoted} IN ('yes', 'no')")
    priced = ("--cost", "fn=4", "--cost", "fp=1")
    said = [
        say("choose", form, "--target", target, *where),
        say("score", form, "--y", target, "--positive", "yes", "--p", score, "--by", "région", *where),
        say("decide", form, "--y", target, "--positive", "yes", "--p", score, *priced, *where),
        say("predict", "model.json", form, "--keep", target, *where),
    ]
    assert [status for status, _, _ in said] == [0, 0, 0, 0], said
    assert not any(letter in out for _, out, _ in said[:3] for letter in "\x1b\u202e")


def test_a_label_with_quotes_is_only_a_label(place: Path, say) -> None:
    found = columns()
    found["churned"] = ["it's" if one == "yes" else 'no "way"' for one in found["churned"]]
    Path("t.csv").write_text(text(found))
    Path("plain.csv").write_text(text())
    words = ("score", "t.csv", "--y", "churned", "--p", "p", "--positive", "it's")
    assert of_rows(say(*words)[1]) == of_rows(say(*asked("score", "plain.csv"))[1])


# --- conditions ---

UNSUITABLE = [
    "zz > 1",
    "p >",
    "p > 0 --",
    "p > 0 -- and nothing else",
    "p > 0 --\n",
    "p > 0 -- )) ; DROP TABLE t",
    "p > 0 /* more */",
    "p > 0 /*",
    "/* less */ p > 0",
    "p > 0 -- '",
    "p > 0\u00a0--",
    "--",
    "-- p > 0\np > 0",
    "p > 0;",
    "p > 0 ; --",
    "p > 0 #",
    "p > 0 AS q",
    "p > 0 ORDER BY p",
    "p > 0 LIMIT 1",
    "p > 0, p < 1",
    "p > 0 FROM t",
    "p > 0 \\g",
    "(p > 0",
    "p > 0)",
    "p > '0",
    'p > "0',
    "p > $$0",
    "p > $1",
    "p > :name",
    "* > 0",
    "p > 0 USING SAMPLE 1",
    "p > 0 UNION SELECT true",
    "p > 0\x00 OR true",
    "getvariable('x') IS NULL",
    "txid_current() > 0",
    "nextval('s') > 0",
    "pg_sleep(1) IS NULL",
    "error('x') IS NULL",
    "p > 0.5; SELECT 1",
    "1=1)); COPY (SELECT 1 AS y) TO '{}' (FORMAT csv, USE_TMP_FILE false); --",
    "1=1) UNION ALL SELECT * FROM read_csv('/etc/passwd'",
    "p > 0) OR (p < 1",
    "p > (SELECT 0)",
    "EXISTS (FROM read_text('/etc/passwd'))",
    "p IN (FROM '{}')",
    "random() < 0.5",
    "current_setting('threads') = '2'",
    "getenv('HOME') = '/root'",
    "length(repeat('x', 1000000000)) > 1",
    "length(lpad('x', 1000000000, 'y')) > 1",
    "length(replace('x', 'x', 'xx')) > 1",
    "row_number() OVER () < 5",
    "count(*) > 1",
    "p > ?",
    "#1 > 0",
    "COLUMNS(*) > 0",
    "p::JSON IS NOT NULL",
    "list_filter([p], v -> v > 0) = [p]",
    'churned = "yes"',
    "churned COLLATE NOCASE = 'yes'",
    "rowid > 1",
    "p",
    "p + 1",
    "churned > 9",
    "CAST(churned AS DOUBLE) > 1",
    "p LIKE '0%'",
    "regexp_matches(churned, '[')",
    "date_part('nothing', DATE '2020-01-01') > 1",
    "",
    "--",
    "'",
    "\udcff > 1",
    "p > 1e",
    "(" * 4000 + "p" + ")" * 4000 + " > 0",
    "NOT " * 900 + "true",
    " OR ".join(["p > 2"] * 40_000),
]


READERS = [*((name, "t.csv") for name in COMMANDS), ("predict", "t.parquet"), ("score", "t.parquet")]
# All of them to one command, and every eighth to each other, in turns: one parser reads them all.
ASKED = [
    at_night(command, form, i, unless=(command, form) == ("score", "t.csv") or i % 8 == k % 8)
    for k, (command, form) in enumerate(READERS)
    for i in range(len(UNSUITABLE))
    if command == "score" or i % 4 == k % 4
]


@pytest.mark.parametrize(("command", "form", "i"), ASKED)
def test_a_condition_is_one_expression_and_nothing_else(place: Path, say, i: int, form: str, command: str) -> None:
    condition = UNSUITABLE[i]
    Path(form).write_bytes(text().encode() if form == "t.csv" else typed())
    before = held()
    status, out, err = say(*asked(command, form), "--where", condition.replace("{}", form))
    assert (status, out) == (2, "")
    assert err.startswith("GM009 the condition ")
    assert " cannot be used" in err
    assert held() == before
    assert not Path("out").exists()


SUITABLE = {
    "p > 0.5 AND région = 'north'": lambda row: float(row["p"]) > 0.5 and row["région"] == "north",
    "P > 0.5 AND churned <> '--'": lambda row: float(row["p"]) > 0.5,
    "x BETWEEN -1 AND 1 OR churned IN ('yes')": lambda row: -1 <= float(row["x"]) <= 1 or row["churned"] == "yes",
    "CASE WHEN abs(x) < 1 THEN 'a' ELSE 'b' END = 'a'": lambda row: abs(float(row["x"])) < 1,
    "lower(région) LIKE 's%' AND NOT churned = 'no'": lambda row: row["région"][0] == "s" and row["churned"] != "no",
    "TRY_CAST(p AS DECIMAL(9, 6)) >= 0.25 AND round(x) <> 0": lambda row: (
        float(row["p"]) >= 0.25 and abs(float(row["x"])) > 0.5
    ),
    "replace(churned, 'yes', 'y') = 'y'": lambda row: row["churned"] == "yes",
    "(DATE '2020-01-01' + INTERVAL 3 DAY) > DATE '2020-01-02'": lambda row: True,
}


@pytest.mark.parametrize("form", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("condition", SUITABLE)
def test_a_condition_keeps_the_same_rows_for_all(place: Path, say, condition: str, form: str) -> None:
    Path(form).write_bytes(text().encode() if form == "t.csv" else typed())
    rows = [dict(zip(columns(), row, strict=True)) for row in zip(*columns().values(), strict=True)]
    n = sum(map(SUITABLE[condition], rows))
    status, out, _ = say(*asked("predict", form), "--where", condition)
    assert (status, len(out.splitlines()) - 1) == (0, n)
    assert f"{n} rows" in say(*asked("score", form), "--where", condition)[1]
    assert len(read(form, where=condition)) == n


# --- what is too large ---


@pytest.mark.parametrize(("command", "form"), by_turns(COMMANDS, ("csv", "parquet")))
def test_more_columns_than_can_be_read_are_refused_at_once(place: Path, say, command: str, form: str) -> None:
    names = [*columns(), *(f"c{k}" for k in range(MOST_COLUMNS))]
    if form == "csv":
        Path("t.csv").write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    else:
        Path("t.parquet").write_bytes(parquet(names, [pa.array([1.0])] * len(names)))
    start = time.process_time()
    status, out, err = say(*asked(command, f"t.{form}"))
    assert (status, out) == (3, "")
    assert f"GM202 t.{form} has {len(names):,} columns; at most {MOST_COLUMNS:,} can be read" in err
    assert time.process_time() - start < 5


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("said", ["", "Unable to allocate 7.28 TiB for an array"])
def test_memory_that_is_not_there_is_no_fault_of_the_program(
    place: Path, say, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError(said)

    Path("t.csv").write_text(text())
    monkeypatch.setattr("goodmeasure.reading.connection.Reader.ask", full)
    status, out, err = say(*asked(command, "t.csv"))
    assert (status, out) == (3, "")
    assert err.startswith("GM016 this takes more memory than there is\n")
    assert said in err
    assert "fix" in err
