"""Is the report one page that is readable offline, that runs nothing, and that says what the numbers say?"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from markdown_it import MarkdownIt

import goodmeasure as gm
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import UsageError
from goodmeasure.reading.writing import NotWritten
from goodmeasure.report import located, write
from goodmeasure.report.again import command, python
from goodmeasure.report.model_card import card
from goodmeasure.report.page import page
from goodmeasure.report.summary import rows, summary
from goodmeasure.report.web import script
from goodmeasure.study.study import Study

HOSTILE = {
    "<script>alert(1)</script>": "a",
    "$\\frac{x": "b",
    "\"quotes' & <b>": "c",
}
YES, NO = "<img src=x onerror=alert(2)>", "</script><script>alert(3)</script>"


def table(n: int = 200) -> dict[str, np.ndarray]:
    """A table in which every name and label would do harm if it were not escaped."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, n))
    hit = rng.random(n) < 1 / (1 + np.exp(-2 * x[0]))
    return {
        **dict(zip(HOSTILE, x, strict=True)),
        "\x1b[31m{{ 7*7 }}": rng.choice(["<i>", "{% raw %}"], n).astype(object),
        "target<u>": np.where(hit, YES, NO).astype(object),
        "amount": 3 + x[0] + rng.normal(size=n),
    }


@pytest.fixture(scope="module")
def hostile() -> Study:
    costs, yes = Costs(false_negative=4, false_positive=1), "<img src=x onerror=alert(2)>"
    return gm.run(table(), "target<u>", exclude=("amount",), positive=yes, costs=costs)


@pytest.fixture(scope="module")
def amount() -> Study:
    return gm.run(table(), "amount", exclude=("target<u>",), costs=UnderOverCosts(under=3, over=1))


class Elements(HTMLParser):
    """Every element of a page with its attributes, and what text it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def elements(text: str) -> Elements:
    """The parsed page."""
    parser = Elements()
    parser.feed(text)
    return parser


@pytest.mark.parametrize("which", ["hostile", "amount"])
def test_the_page_runs_and_fetches_nothing(which: str, request: pytest.FixtureRequest) -> None:
    text = page(request.getfixturevalue(which))
    found = elements(text)
    policy = next(a["content"] for tag, a in found.found if tag == "meta" and a.get("http-equiv"))
    assert "default-src 'none'" in policy
    scripts = re.findall(r"<script(?: type=\"([^\"]*)\"[^>]*)?>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == sum(tag == "script" for tag, _ in found.found)
    assert {kind for kind, _ in scripts} <= {"application/json", ""}
    # What runs is the one script of the package, and the policy lets no other run.
    running = [source for kind, source in scripts if not kind]
    assert running == ([script()] if which == "hostile" else [])
    assert b64encode(sha256(script().encode()).digest()).decode() in policy
    assert "connect-src 'none'" in policy
    for tag, attributes in found.found:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base", "form"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) <= {"http://www.w3.org/1999/xlink"}
    assert "url(" not in re.sub(r"url\(#", "", text)


def test_names_from_the_table_are_shown_as_they_are_and_do_nothing(hostile: Study) -> None:
    text = page(hostile)
    shown = " ".join(elements(text).texts)
    for name in (*HOSTILE, YES, NO, "target<u>"):
        assert name in shown
    assert "49" not in re.findall(r"\{\{ ?7\*7 ?\}\}|\b49\b(?= is)", text)
    assert NO not in text
    data = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data[1])["plan"]["labels"] == [NO, YES]


def test_every_picture_is_well_formed_has_a_name_and_follows_the_page(hostile: Study, amount: Study) -> None:
    for study in (hostile, amount):
        pictures = re.findall(r"<svg.*?</svg>", page(study), re.DOTALL)
        assert len(pictures) >= 5
        for svg in pictures:
            root = ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))
            assert root.attrib["viewBox"]
            hidden = root.attrib.get("aria-hidden") == "true"
            assert hidden or (root.attrib["role"], bool(root.attrib["aria-label"])) == ("img", True)
            colours = re.findall(r'(?:fill|stroke)="([^"]+)"', svg)
            assert all(colour == "none" or colour.startswith("var(--") for colour in colours)


@pytest.mark.parametrize("rows", [200, 60_000])
def test_the_page_is_small_whatever_the_number_of_rows(rows: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    study = gm.run({"x": x, "y": 2 * x + rng.normal(size=rows)}, "y")
    assert len(page(study)) <= 400_000


def test_many_columns_and_classes_fit_on_the_page() -> None:
    rng = np.random.default_rng(1)
    k = 12
    labels = np.arange(600) % k
    x = rng.normal(size=(600, 40)) + (labels[:, None] == np.arange(40)) * 4
    data = {f"a rather long name of column number {j}": x[:, j] for j in range(40)}
    study = gm.run({**data, "y": np.array([f"class {v}" for v in labels], dtype=object)}, "y")
    assert len(page(study)) <= 400_000


def test_the_page_says_what_the_document_says(hostile: Study) -> None:
    shown = html.unescape(re.sub(r"<[^>]+>", " ", page(hostile)))
    squeezed = re.sub(r"\s+", " ", shown)
    for sentence in hostile.verdict.sentences:
        assert sentence[1:] in squeezed
    document = hostile.to_dict()
    assert f"{document['risk']['report']['value']:.4g}" in squeezed
    for step in document["plan"]["steps"]:
        assert step["question"] in squeezed


def test_the_lines_that_ask_again_ask_the_same(hostile: Study, amount: Study) -> None:
    import shlex

    assert (command(hostile), python(hostile).split("(")[1][:4]) == ("", "data")  # the table was in memory
    words = shlex.split(command(replace(hostile, source="a table.csv")))
    assert words[:3] == ["goodmeasure", "run", "a table.csv"]
    assert words[words.index("--target") + 1] == "target<u>"
    assert "fn=4" in words
    assert "UnderOverCosts(under=3, over=1)" in python(amount)
    compile(python(hostile), "python", "exec")


def test_files_appear_together_or_not_at_all(
    hostile: Study, tmp_path: Path, disk_with_room_for: Callable[[int], AbstractContextManager[None]]
) -> None:
    place = tmp_path / "new" / "out"
    paths = write(hostile, place)
    assert sorted(p.name for p in place.iterdir()) == ["model.json", "model.md", "report.html", "report.json"]
    assert json.loads(Path(paths[1]).read_text(encoding="utf-8"))["format"] == "goodmeasure report"
    before = {p.name: p.read_bytes() for p in place.iterdir()}

    with disk_with_room_for(1000), pytest.raises(NotWritten, match="cannot be written"):
        write(hostile, place)
    assert {p.name: p.read_bytes() for p in place.iterdir()} == before
    with pytest.raises(UsageError, match="is a file"):
        write(hostile, paths[0])


@pytest.mark.parametrize("kind", ["hostile", "amount"])
def test_the_model_card_is_read_by_the_hub_and_holds_the_lines_of_the_summary(
    kind: str, request: pytest.FixtureRequest
) -> None:
    hub = pytest.importorskip("huggingface_hub")
    study = request.getfixturevalue(kind)
    text = card(study)
    data = hub.ModelCard(text).data
    assert data.library_name == "goodmeasure"
    assert data.model_name == study.question.target
    measured = {found.metric_name: found.metric_value for found in data.eval_results}
    assert measured[f"mean {study.plan.loss}"] == study.judged.report.value
    tokens = MarkdownIt("commonmark").parse(text.split("\n---\n", 1)[1])
    # Neither a name nor a label makes markup: each line of the summary is a line of text.
    said = [shown(inline) for inline in tokens if inline.type == "inline"]
    assert not {token.type for token in tokens} & {"html_block", "table_open", "hr", "blockquote_open"}
    assert printable(study.question.target) == said[0]
    for label, line in rows(study):
        assert f"{label}: {printable(line)}" if label else printable(line) in said, line
    assert all(any(printable(remark.what) in line for line in said) for remark in study.remarks)


def shown(inline: Any) -> str:
    """The text of a paragraph, in which nothing but names of lines and codes is marked."""
    assert {child.type for child in inline.children} <= {
        "text",
        "text_special",
        "strong_open",
        "strong_close",
        "code_inline",
    }
    return "".join(child.content for child in inline.children)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_fits_the_terminal_steers_nothing_and_ends_with_the_next_step(hostile: Study, width: int) -> None:
    text = summary(located(hostile, "out"), ["out/report.html", "out/model.json"], width=width)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in stripped
    longest_word = max(len(word) for word in stripped.split())
    assert max(map(len, stripped.splitlines())) <= max(width, longest_word + 18)
    assert "next" in stripped.splitlines()[-1] or stripped.splitlines()[-1].startswith(" " * 16)
    assert "goodmeasure predict out/model.json" in " ".join(stripped.split())


def test_what_is_not_finite_is_null_and_nothing_else_is_lost() -> None:
    given = {"a": float("nan"), "b": [float("inf"), 1.5, None], "c": np.float64(2), "d": np.arange(2), 5: True}
    assert json.loads(json.dumps(plain_values(given), allow_nan=False)) == {
        "a": None,
        "b": [None, 1.5, None],
        "c": 2.0,
        "d": [0, 1],
        "5": True,
    }
