"""Does `goodmeasure choose` say which loss a column asks for, and refuse in words what it cannot read?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goodmeasure.cli import status_of

ROWS = "visits,colour,left\n" + "".join(f"{i * 7 % 5},{'rgb'[i % 3]},{'yes' if i % 4 else 'no'}\n" for i in range(60))


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "table.csv"
    path.write_text(ROWS)
    return str(path)


def test_it_prints_the_four_steps_and_the_next_command(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["choose", table, "--target", "left", "--cost", "fn=40", "--cost", "fp=5"]) == 0
    said = capsys.readouterr().out
    assert "binary_cross_entropy()" in said
    assert "act from probability 0.1111 on" in said
    assert said.rstrip().endswith("--target left --cost fn=40 --cost fp=5")


def test_json_is_one_document_and_code_is_code(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["choose", table, "--target", "colour", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] == "cross_entropy()"
    assert status_of(["choose", table, "--target", "visits", "--represents", "count", "--show-code", "sklearn"]) == 0
    compile(capsys.readouterr().out, "code", "exec")


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--target", "lefft"], 3, "left"),
        (["--target", "left", "--ask", "median"], 3, "GM605"),
        (["--target", "left", "--ask", "bliss"], 2, "GM009"),
        (["--target", "left", "--cost", "under=3,over=1"], 3, "GM711"),
        (["--target", "left", "--positive", "maybe"], 2, "maybe"),
        (["--target", "visits", "--show-code", "fortran"], 2, "numpy"),
    ],
)
def test_what_it_refuses(
    table: str, options: list[str], status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["choose", table, *options]) == status
    assert words in capsys.readouterr().err


def test_a_text_among_numbers_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("amount\n1.5\n2.5\noops\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n")
    assert status_of(["choose", str(path), "--target", "amount"]) == 3
    error = capsys.readouterr().err
    assert "oops" in error
    assert "4" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("command", ["choose", "run"])
def test_an_amount_that_is_too_large_is_told_with_its_row(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "big.csv"
    path.write_text("y,x\n" + "".join(f"{1e200 if i == 6 else i % 5 + 0.5},{i}\n" for i in range(50)))
    assert status_of([command, str(path), "--target", "y"]) == 3
    assert f"{path}, row 7, column 'y'" in capsys.readouterr().err


@pytest.mark.parametrize("cells", [[1, 2], ["a", "b"], [3.5, 4.25, 7.5], [0, 3, 5, 9]])
def test_reasons_name_options_and_no_arguments(
    cells: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("y\n" + "".join(f"{cells[i * i % len(cells)]}\n" for i in range(60)) + f"{cells[-1]}\n")
    assert status_of(["choose", str(path), "--target", "y"]) == 0
    said = capsys.readouterr().out
    assert not [word for word in ("positive='", "represents='", "costs=gm", "with_activation(") if word in said]


def test_an_activation_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("y\n" + "".join(f"{i % 7 + 0.5}\n" for i in range(60)))
    assert status_of(["choose", str(path), "--target", "y", "--activation", "softplus(2)"]) == 0
    assert "gamma().with_activation('softplus(2)')" in capsys.readouterr().out
    assert status_of(["choose", str(path), "--target", "y", "--activation", "softmin"]) == 2
    assert "there is no activation softmin" in capsys.readouterr().err
