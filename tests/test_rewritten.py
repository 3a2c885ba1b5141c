"""One table written in all ways that people write tables: is each read like the plain one, or told by what it is?"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import goodmeasure as gm
from goodmeasure.reading.files import read
from goodmeasure.reading.tables import Table

N = 240
RNG = np.random.default_rng(11)
WEIGHT = RNG.normal(50, 12, N).round(2)
INCOME = (RNG.integers(900, 9000, N) * 10 + RNG.integers(0, 100, N) / 100).round(2)
SHARE = RNG.random(N).round(3)
KIND = RNG.choice(["north", "south", "west"], N)
DAY = pd.date_range("2023-01-05", periods=N, freq="D")
BOUGHT = np.where(RNG.random(N) < 1 / (1 + np.exp(-(WEIGHT - 50) / 8)), "yes", "no")
PLAIN = pd.DataFrame({"weight": WEIGHT, "income": INCOME, "share": SHARE, "kind": KIND, "day": DAY, "bought": BOUGHT})


def text(frame: pd.DataFrame = PLAIN, sep: str = ",", **how: Any) -> str:
    return frame.to_csv(index=False, sep=sep, **how)


def but(sep: str = ",", **columns: Any) -> str:
    """The table with some columns written otherwise."""
    return text(PLAIN.assign(**columns), sep)


def each(values: Any, form: str) -> list[str]:
    return [form.format(value) for value in values]


def marked(values: Any, grouping: str = ",", decimal: str = ".") -> list[str]:
    table = str.maketrans({",": grouping, ".": decimal})
    return [f"{value:,.2f}".translate(table) for value in values]


def with_commas(income: list[str] | None = None, sep: str = ";") -> str:
    grouped = marked(INCOME, "", ",") if income is None else income
    share = [f"{value:.3f}".replace(".", ",") for value in SHARE]
    return but(sep, weight=marked(WEIGHT, "", ","), income=grouped, share=share)


def dated(form: str) -> str:
    return but(day=DAY.strftime(form))


LINES = text().splitlines()
ALIKE: dict[str, Callable[[], str | bytes]] = {
    **{f"between {mark!r}": lambda mark=mark: text(sep=mark) for mark in ",;\t| "},
    "ends of Windows": lambda: text(lineterminator="\r\n"),
    "ends of an old Mac": lambda: text(lineterminator="\r"),
    "byte order mark": lambda: text().encode("utf-8-sig"),
    "UTF-16": lambda: text().encode("utf-16"),
    "UTF-32": lambda: text().encode("utf-32"),
    "gzip": lambda: gzip.compress(text().encode()),
    "all in quotes": lambda: text(quoting=1),
    "sep=": lambda: "sep=;\n" + text(sep=";"),
    "as pandas prints": lambda: PLAIN.to_string(index=False),
    "as pandas prints, with the index": PLAIN.to_string,
    "JSON lines": lambda: PLAIN.to_json(orient="records", lines=True, date_format="iso"),
    "JSON list": lambda: PLAIN.to_json(orient="records", date_format="iso"),
    "decimal comma": with_commas,
    "decimal comma, tabs": lambda: with_commas(sep="\t"),
    "decimal comma in quotes": lambda: with_commas(sep=","),
    "German": lambda: with_commas(marked(INCOME, ".", ",")),
    "French": lambda: with_commas(marked(INCOME, "\u202f", ",")),
    "Swiss": lambda: but(income=marked(INCOME, "'")),
    "English": lambda: but(income=marked(INCOME)),
    "dollars": lambda: but(income=[f"${cell}" for cell in marked(INCOME)]),
    "euros behind": lambda: but(income=each(INCOME, "{:.2f} €")),
    "EUR before": lambda: but(income=each(INCOME, "EUR {:.2f}")),
    "percent": lambda: but(share=each(100 * SHARE, "{:.1f}%")),
    "percent behind a blank": lambda: but(share=each(100 * SHARE, "{:.1f} %")),
    "a unit": lambda: but(weight=each(WEIGHT, "{} kg")),
    "a unit without a blank": lambda: but(weight=each(WEIGHT, "{}kg")),
    "plus signs": lambda: but(weight=each(WEIGHT, "+{}")),
    "about": lambda: but(weight=each(WEIGHT, "~{}")),
    "apostrophes of spreadsheets": lambda: but(income=each(INCOME, "'{}")),
    "zeros before": lambda: but(income=each(INCOME, "{:010.2f}")),
    "powers of ten": lambda: but(income=each(INCOME, "{:.9e}")),
    "blanks around": lambda: but(weight=each(WEIGHT, " {} "), kind=each(KIND, " {}")),
    "capitals": lambda: but(kind=[k.upper() if i % 3 == 0 else k for i, k in enumerate(KIND)]),
    "capitals and blanks in the target": lambda: but(bought=[f"{b.title()} " if i % 4 else b for i, b in enumerate(BOUGHT)]),
    "an index without a name": PLAIN.to_csv,
    "an index with a name": lambda: PLAIN.to_csv(index_label="id"),
    "a total": lambda: text() + f"{WEIGHT.sum()},{INCOME.sum()},{SHARE.sum()},Total,,\n",
    "the word total alone": lambda: text() + "Total,,,,,\n",
    "empty rows at the end": lambda: text() + ",,,,,\n" * 5,
    "empty lines": lambda: text().replace("\n", "\n\n"),
    "empty columns": lambda: but(e1="", e2=np.nan),
    "a comma behind each line": lambda: "\n".join(f"{line}," for line in LINES) + "\n",
    "names again": lambda: "\n".join([*LINES[:100], LINES[0], *LINES[100:]]) + "\n",
    "blanks in names": lambda: text(PLAIN.rename(columns={"weight": " weight ", "share": "share "})),
    **{
        f"dates as {form}": lambda form=form: dated(form)
        for form in (
            "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%B %d, %Y", "%d-%b-%y", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
            "%Y-%m-%d %H:%M:%S.000", "%m/%d/%Y %I:%M %p", "%a, %d %b %Y", "%d. %B %Y",
        )
    },
}  # fmt: skip
NAMED: dict[str, tuple[Callable[[], str | bytes], str, bool]] = {
    "a preamble": (lambda: "Sales of May\nmade on Monday\n\n" + text(), "first 3 lines stand above", True),
    "a comment": (lambda: "# made by hand\n" + text(), "first 1 line stand above", True),
    "an empty line first": (lambda: "\n" + text(), "begins with an empty line", True),
    "no names": (lambda: text(header=False), "has no line of names", True),
    "Markdown": (lambda: LINES[0].replace(",", "|") + "\n" + "|".join(["---"] * 6) + "\n" + text(header=False, sep="|"),
                 "a line of dashes", True),
    "a note below": (lambda: text() + "Source: our shop\n", "cannot be read as a table", False),
    "one name twice": (lambda: text().replace("share", "weight", 1), "several columns named 'weight'", False),
    "UTF-16 without a mark": (lambda: text().encode("utf-16-le"), "is written in UTF-16LE", True),
    "UTF-16, big end first": (lambda: text().encode("utf-16-be"), "is written in UTF-16BE", True),
    "UTF-32 without a mark": (lambda: text().encode("utf-32-le"), "is written in UTF-32LE", True),
    "JSON by column": (lambda: PLAIN.to_json(date_format="iso"), "a JSON document", True),
    "JSON with rows inside": (
        lambda: json.dumps({"made": 1, "rows": json.loads(PLAIN.to_json(orient="records", date_format="iso"))}),
        "a JSON document", True),
    "JSON with rows inside, on many lines": (
        lambda: json.dumps({"rows": json.loads(PLAIN.to_json(orient="records", date_format="iso"))}, indent=1),
        "a JSON document", True),
    "a web page": (PLAIN.to_html, "a web page", False),
}  # fmt: skip


def written(make: Callable[[], str | bytes]) -> bytes:
    found = make()
    return found if isinstance(found, bytes) else found.encode()


def is_plain(found: Table) -> bool:
    """Whether a table holds what the plain one does, but for rows and labels that a study mends."""
    rows = np.isin([str(v).strip().lower() for v in found["bought"]], ["yes", "no"])
    numbers = all(
        np.allclose(found[name][rows].astype(float), PLAIN[name], rtol=1e-9) for name in ("weight", "income", "share")
    )
    texts = all([v.strip().lower() for v in found[name][rows]] == PLAIN[name].tolist() for name in ("kind", "bought"))
    return numbers and texts


@pytest.mark.parametrize("way", ALIKE)
def test_it_is_read_like_the_plain_one(way: str, tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_bytes(written(ALIKE[way]))
    found = read(str(place))
    assert is_plain(found)
    if way != "names again":
        days = found["day"].astype("datetime64[D]")
        assert np.array_equal(days[~np.isnat(days)], DAY.to_numpy().astype("datetime64[D]"))


@pytest.mark.parametrize(
    "way", ["between ';'", "German", "a total", "the word total alone", "names again", "capitals and blanks in the target",
            "empty rows at the end", "an index without a name", "as pandas prints, with the index"],
)  # fmt: skip
def test_a_study_of_it_has_the_same_rows_labels_and_columns(way: str, tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_bytes(written(ALIKE[way]))
    study = gm.run(str(place), "bought", protocol="holdout", exclude="day")
    assert [str(label).strip().lower() for label in study.plan.labels] == ["no", "yes"]
    assert study.prepared.columns.features == ("weight", "income", "share", "kind")
    assert study.prepared.rows.used == N


@pytest.mark.parametrize("way", NAMED)
def test_it_is_named_and_the_line_that_mends_it_makes_the_plain_one(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, told, mends = NAMED[way]
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_bytes(written(make))
    with pytest.raises(gm.errors.Problem, match=told) as caught:
        read("t.csv")
    if not mends:
        return
    line = caught.value.fix.partition(": ")[2]
    if caught.value.fix.startswith("in Python"):
        exec(line if line.startswith("import") else f"import pandas; {line}", {})
    else:
        subprocess.run(line, shell=True, check=True)
    text = Path("t-rows.csv").read_text()
    Path("t-rows.csv").write_text(text.replace("c1,c2,c3,c4,c5,c6", LINES[0], 1))
    assert is_plain(read("t-rows.csv"))


def test_letters_of_windows_are_read_and_said(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    frame = PLAIN.assign(kind=[f"{kind} – “5 €”" for kind in KIND])
    for encoding, name in (("cp1252", "Windows-1252"), ("latin-1", "Latin-1")):
        place.write_bytes(
            text(frame if encoding == "cp1252" else PLAIN.assign(kind=[f"{k}ö" for k in KIND])).encode(encoding)
        )
        found = read(str(place))
        assert [name in remark.what for remark in found.remarks if remark.code == "GM209"] == [True]
    place.write_bytes(text(frame).encode("cp1252"))
    assert read(str(place))["kind"].tolist() == frame["kind"].tolist()


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_bytes(written(ALIKE["names again"]))
    study = gm.run(str(place), "bought", protocol="holdout")
    assert "GM254" in {remark.code for remark in study.remarks}
    assert re.search("names of the columns again", str(study.prepared.rows.left_out))
