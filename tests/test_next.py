"""Is the next line that a command prints right: typed as it stands, does it do what it says?"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import threading
from html import unescape
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from goodmeasure.cli import status_of
from goodmeasure.drawing.terminal import word
from table_files import columns, text
from turns import at_night

pytestmark = pytest.mark.usefixtures("a_cluster_at_hand")

ODD = 'it\'s "50%" \x1b[1m\n$HOME'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, in which the exercise gets an answer, with tables whose names and columns a shell would take apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("7\n"))
    rng = np.random.default_rng(0)
    found = columns()
    n = len(found["p"])
    shares = rng.dirichlet([1, 1, 1], n)
    found[ODD] = found["p"]
    found["animal"] = [("cat", "dog", "fox")[rng.choice(3, p=row)] for row in shares]
    found |= {f"is {name}": [repr(p) for p in shares[:, k].tolist()] for k, name in enumerate(("cat", "dog", "fox"))}
    found["weight"] = ["1", "2", "1"] * (n // 3)
    found["person"] = [f"{i // 3}" for i in range(n)]
    found["amount"] = [repr(5 + float(x)) for x in found["x"]]
    found["always"] = ["yes"] * n
    Path("t.csv").write_text(text(found))
    Path("two words [1].csv").write_text(text(found))
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of the table."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "t.csv").write_text(text())
    asked = ["run", str(folder / "t.csv"), "--target", "churned", "--exclude", "p", *HELD, "--out", str(folder)]
    assert status_of(asked) == 0
    return (folder / "model.json").read_bytes()


def words(line: str) -> list[str]:
    """A line as a shell takes it apart."""
    script = f"printf '%s\\0' {line}"
    said = subprocess.run(["bash", "-c", script], check=True, capture_output=True).stdout
    return said.decode(errors="surrogateescape").split("\0")[:-1]


YES = ("--y", "churned", "--positive", "yes")
HELD = ("--protocol", "holdout")  # ten times as soon as by folds
LINES = {
    "choose a number": ("choose", "t.csv", "--target", "amount", "--ask", "mean", "--weights", "weight"),
    "choose yes or no": (
        "choose",
        "two words [1].csv",
        "--target",
        "churned",
        "--positive",
        "yes",
        "--cost",
        "fn=4,fp=1",
    ),
    "choose with a condition": ("choose", "t.csv", "--target", "churned", "--where", "région = 'north' AND x < 2"),
    "score": ("score", "two words [1].csv", *YES, "--p", "p", "--p", "x", "--raw"),
    "score probabilities": ("score", "two words [1].csv", *YES, "--p", "p"),
    "score an odd name": ("score", "t.csv", *YES, "--p", ODD),
    "score some rows": ("score", "t.csv", *YES, "--p", "p", "--where", "région <> 'söuth'", "--weights", "weight"),
    "score clusters": ("score", "t.csv", *YES, "--p", "p", "--cluster", "person", "--by", "région"),
    "score with costs by row": ("score", "t.csv", *YES, "--p", "p", "--cost", "fn=@amount", "--cost", "fp=5"),
    "score classes with costs": ("score", "t.csv", "--y", "animal", "--p", "is cat,is dog,is fox", "--cost", "*->*=1"),
    "score amounts with costs": ("score", "t.csv", "--y", "amount", "--p", "x", "--cost", "under=3,over=1"),
    "score amounts": ("score", "t.csv", "--y", "amount", "--p", "x", "--loss", "huber"),
    "score classes": ("score", "t.csv", "--y", "animal", "--p", "is cat,is dog,is fox"),
    "score one answer": ("score", "t.csv", "--y", "always", "--positive", "yes", "--p", "p"),
    "save": ("score", "t.csv", *YES, "--p", "p", "--cluster", "person", "--save", "a b.tally"),
    "save amounts": ("score", "t.csv", "--y", "amount", "--p", "x", "--loss", "huber", "--save", "a.tally"),
    "save classes": ("score", "t.csv", "--y", "animal", "--p", "is cat,is dog,is fox", "--save", "a.tally"),
    "decide": (
        "decide",
        "two words [1].csv",
        *YES,
        "--p",
        ODD,
        "--cost",
        "fn=4",
        "--cost",
        "fp=1",
        "--where",
        "x > -1",
    ),
    "decide amounts": ("decide", "t.csv", "--y", "amount", "--p", "x", "--cost", "under=3", "--cost", "over=1"),
    "losses": ("losses", "--convex", "--robust"),
    "a loss": ("losses", "huber"),
    "a loss of classes": ("losses", "cross_entropy"),
    "explain": ("explain",),
    "the exercise": ("explain", "exercise", "--no-input"),
}


@pytest.mark.parametrize("name", LINES)
def test_the_next_line_can_be_typed_as_it_stands(place: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    given = [*LINES[name]]
    seen: list[list[str]] = []
    for _ in range(2):  # and the line that the next one prints
        assert status_of(given) == 0
        _, found, line = capsys.readouterr().out.rpartition("\nnext: ")
        if not found:
            break
        program, *given = words(line.strip())
        assert not any(letter in line for letter in "\x1b\x07")
        if program == "open":  # a page that has been written
            assert Path(given[0]).exists()
            break
        assert program == "goodmeasure"
        seen.append(given)
    assert seen
    capsys.readouterr()


def test_a_saved_tally_goes_on_to_a_decision(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["score", "t.csv", *YES, "--p", "p", "--save", "a b.tally"]) == 0
    line = capsys.readouterr().out.rpartition("\nnext: ")[2].strip()
    assert words(line)[1:4] == ["decide", "a b.tally", "--p"]
    assert status_of(words(line)[1:]) == 0


@pytest.mark.parametrize("path", ["t.csv", "two words [1].csv"])
def test_a_run_goes_on_to_predictions(place: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    asked = [
        "run",
        path,
        "--target",
        "churned",
        "--exclude",
        ODD,
        "--out",
        "an out",
        "--cost",
        "fn=4",
        "--cost",
        "fp=1",
        *HELD,
    ]
    assert status_of(asked) == 0
    said = " ".join(capsys.readouterr().out.partition("\n  next")[2].split())
    command = next(part for part in said.split("; ") if part.startswith("goodmeasure predict"))
    given = [path if each == "NEW.csv" else each for each in words(command)[1:]]
    assert status_of([*given, "--out", "predicted.csv"]) == 0
    with Path("predicted.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == len(columns()["p"]) + 1


@pytest.mark.parametrize(
    "name", ["a", "", "it's", "a b", "$HOME", "\x1b[1m", "two\nlines", "\udcff.csv", "`x`", "\\", "é\u202e", "!"]
)
def test_a_word_comes_back_from_a_shell_as_it_was(name: str) -> None:
    assert words(word(name)) == [name]
    assert word(name).isprintable()


@pytest.mark.parametrize(
    "words",
    [
        ("score", "-", "--y", "y", "--p", "p"),
        ("choose", "-", "--target", "y"),
        ("decide", "-", "--y", "y", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
    ],
)
def test_nothing_names_an_input_that_is_spent(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "piped.csv"
    place.write_text("y,p\n" + "".join(f"{i % 2},{0.2 + i % 3 / 5}\n" for i in range(60)))
    fifo = tmp_path / "fifo.csv"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_text(place.read_text()))
    writer.start()
    assert status_of([str(fifo) if word == "-" else word for word in words]) == 0
    writer.join()
    assert "next:" not in capsys.readouterr().out
    assert status_of([str(place) if word == "-" else word for word in words]) == 0
    assert "next:" in capsys.readouterr().out


# --- what was asked is asked again ---

# What each option is given where the next line might leave it out; those of the output alone change no answer.
VALUES = {
    "--activation": "sigmoid",
    "--ask": {"choose": "mean", "decide": "0.4"},
    "--budget": "50",
    "--by": "région",
    "--classes": "cat,dog,fox",
    "--cluster": "person",
    "--cost": {"choose": "fn=4,fp=1", "score": "fn=4,fp=1"},
    "--dates": "day-first",
    "--decimal": "point",
    "--engine": "dask",
    "--level": "0.9",
    "--like": "two words [1].csv",
    "--loss": "binary_brier",
    "--outliers": "errors",
    "--positive": "yes",
    "--prevalence": "0.3",
    "--raw": None,
    "--represents": "yes/no",
    "--scheduler": "threads",
    "--shift": "x=0.1",
    "--time": "person",
    "--weights": "weight",
    "--where": "x > -2",
}
OUTPUT = {"--json", "--out", "--save", "--fail-on", "--show-code", "--target", "data", "model"}
BASES = {
    "choose": ("choose", "t.csv", "--target", "churned"),
    "score": ("score", "t.csv", *YES, "--p", "p"),
    "score one answer": ("score", "t.csv", "--y", "always", "--positive", "yes", "--p", "p"),
    "score classes": ("score", "t.csv", "--y", "animal", "--p", "is cat,is dog,is fox"),
    "decide": ("decide", "t.csv", *YES, "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
    "report": ("report", "t.csv", *YES, "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
    "monitor": ("monitor", "an out/model.json", "t.csv"),
}


def options(command: str) -> set[str]:
    """The options of a command that may change what it answers."""
    found = import_module(f"goodmeasure.cli.{command}").command.params
    return {each.opts[0] for each in found} - OUTPUT


# By day every option is asked on the first base of a command, but of pages every other one, and options go round on the rest.
OF = {command: [base for base, asked in BASES.items() if asked[0] == command] for command, *_ in BASES.values()}
CASES = [
    at_night(
        base,
        option,
        unless=turn % len(bases) == place if place else command != "report" or turn % 2 == 0,
    )
    for command, bases in OF.items()
    for turn, option in enumerate(sorted(options(command)))
    for place, base in enumerate(bases)
]


@pytest.mark.parametrize(("base", "option"), CASES)
def test_the_next_line_keeps_every_option_that_was_given(
    place: Path, model: bytes, capsys: pytest.CaptureFixture[str], base: str, option: str
) -> None:
    command, *_ = given = [*BASES[base]]
    if command == "monitor":
        Path("an out").mkdir()
        Path("an out/model.json").write_bytes(model)
    if option in given:
        value = given[given.index(option) + 1]
    else:
        value = VALUES[option]
        value = value[command] if isinstance(value, dict) else value
        given += [option, *([] if value is None else [value])]
    capsys.readouterr()
    status = status_of(given)
    said = capsys.readouterr()
    if status != 0:  # it goes with other options: none of the lines is printed
        assert status in (2, 3), said.err
        pytest.skip(said.err.splitlines()[0])
    line = said.out.rpartition("\nnext: ")[2].strip()
    if command == "report":  # the page asks again
        line = unescape(Path("report.html").read_text().rpartition("<pre><code>")[2].partition("</code>")[0])
    _, after, *typed = words(line)
    if after in ("explain", "open") or option not in options(after):
        return
    pairs = list(zip(typed, [*typed[1:], ""], strict=True))
    assert option in typed if value is None else (option, value) in pairs, line
