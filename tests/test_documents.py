"""Does every document that a command prints hold what the published schema says, and would the schema notice if it did not?"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import goodmeasure, status_of
from goodmeasure.drawing.plain_values import plain_values

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "documents.schema.json"
N = 300
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8"))
    return found


def against(found: Any, shape: dict[str, Any], where: str = "") -> Iterator[str]:
    """What of a document is not as a schema says; of JSON Schema as much as is used here."""
    if "$ref" in shape:
        name = shape["$ref"].removeprefix("#/$defs/").replace("%20", " ")
        yield from against(found, schema()["$defs"][name], where)
    if "anyOf" in shape:
        each = [list(against(found, one, where)) for one in shape["anyOf"]]
        yield from [] if [] in each else min(each, key=len)
    if "const" in shape and found != shape["const"]:
        yield f"{where} is {found!r} and not {shape['const']!r}"
    if "enum" in shape and found not in shape["enum"]:
        yield f"{where} is {found!r} and none of {shape['enum']}"
    if "type" in shape:
        kinds = shape["type"] if isinstance(shape["type"], list) else [shape["type"]]
        if not any(isinstance(found, TYPES[k]) and (k == "boolean" or not isinstance(found, bool)) for k in kinds):
            yield f"{where} is {found!r} and no {kinds}"
    if isinstance(found, dict):
        yield from (f"{where} lacks {name}" for name in shape.get("required", ()) if name not in found)
        for name, value in found.items():
            inner = shape.get("properties", {}).get(name, shape.get("additionalProperties", {}))
            yield from [f"{where}.{name} is unknown"] if inner is False else against(value, inner, f"{where}.{name}")
    if isinstance(found, list):
        for k, value in enumerate(found):
            yield from against(value, shape.get("items", {}), f"{where}[{k}]")


def unlike(command: str, found: Any) -> list[str]:
    """What of a document is not what this command prints."""
    return list(against(found, schema()["$defs"][command]))


def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, N))
    p = 1 / (1 + np.exp(-2 * x[0]))
    yes = rng.random(N) < p
    return {
        "a": x[0],
        "b": x[1],
        "place": rng.choice(["north", "south"], N).astype(object),
        "day": np.datetime64("2024-01-01") + np.arange(N),
        "bought": np.where(yes, "yes", "no").astype(object),
        "p": p,
        "q": np.clip(p + 0.1 * rng.random(N), 0, 1),
        "sort": np.array(["x", "y", "z"], dtype=object)[np.argmax(x + rng.normal(size=x.shape), axis=0)],
        "grade": np.digitize(x[0] + rng.normal(size=N), [-1, 0, 1]) + 1.0,
        "amount": 3 + x[0] + rng.normal(size=N),
        "guess": 3 + x[0],
        "visits": rng.poisson(np.exp(0.5 * x[0])).astype(float),
        "years": 1 + rng.random(N),
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, data = tmp_path_factory.mktemp("documents") / "data.csv", columns()
    lines = [",".join(data), *(",".join(map(str, row)) for row in zip(*data.values(), strict=True))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def leaving(*kept: str) -> list[str]:
    """The options that leave out every column but these and the features."""
    return [part for name in columns() if name not in (*kept, "a", "b", "place") for part in ("--exclude", name)]


YES, CLASSES = ("--target", "bought", *leaving("bought")), ("--target", "sort", *leaving("sort"))
AMOUNT, GRADE = ("--target", "amount", *leaving("amount")), ("--target", "grade", *leaving("grade"))
HELD = ("--protocol", "holdout")
SCORED = ("--y", "bought", "--positive", "yes", "--p", "p", "--p", "q")
ASKED: dict[str, list[tuple[str, ...]]] = {
    "run": [
        ("run", "{}", *YES, "--cost", "fn=4", "--cost", "fp=1", "--floor", "recall=0.8", *HELD),
        ("run", "{}", *YES, "--budget", "20"),
        ("run", "{}", *YES, "--prevalence", "0.1", *HELD),
        ("run", "{}", *YES, "--model", "linear", "--model", "boosting", *HELD),
        ("run", "{}", *CLASSES, "--cost", "x->y=3", "--cost", "*->*=1", *HELD),
        ("run", "{}", *GRADE, "--represents", "ordered", *HELD),
        ("run", "{}", *AMOUNT, "--cost", "under=3", "--cost", "over=1", "--by", "a", *HELD),
        ("run", "{}", *AMOUNT, "--ask", "quantile=0.9", "--where", "a > -1", *HELD),
        ("run", "{}", "--target", "visits", *leaving("visits", "years"), "--exposure", "years", *HELD),
        ("run", "{}", "--target", "amount", *leaving("amount", "day"), "--time", "day"),
    ],
    "demo": [("demo",)],
    "report": [
        ("report", "{}", *SCORED, "--cost", "fn=4", "--cost", "fp=1", "--by", "place"),
        ("report", "{}", "--y", "amount", "--p", "guess", "--loss", "squared_error"),
    ],
    "monitor": [("monitor", "out/model.json", "{}")],
    "choose": [
        ("choose", "{}", "--target", "bought", "--cost", "fn=4", "--cost", "fp=1"),
        ("choose", "{}", "--target", "sort"),
        ("choose", "{}", "--target", "amount", "--ask", "quantile=0.9"),
    ],
    "score": [
        ("score", "{}", *SCORED, "--by", "place"),
        ("score", "{}", "--y", "amount", "--p", "guess", "--loss", "squared_error"),
        ("score", "{}", *SCORED, "--cluster", "place"),
    ],
    "decide": [
        ("decide", "{}", *SCORED[:6], "--cost", "fn=4", "--cost", "fp=1", "--by", "place"),
        ("decide", "{}", "--y", "amount", "--p", "guess", "--cost", "under=3", "--cost", "over=1"),
    ],
    "losses": [("losses",)],
    "losses NAME": [("losses", name) for name in ("huber", "cross_entropy", "gaussian_nll", "proportional_odds")],
    "losses NAME --certificates": [("losses", "huber", "--certificates")],
}


def test_every_command_that_prints_json_is_asked_here() -> None:
    printing = {
        name
        for name in goodmeasure.list_commands(click.Context(goodmeasure))
        for option in goodmeasure.get_command(click.Context(goodmeasure), name).params
        if "--json" in option.opts
    }
    assert printing == {asked.split()[0] for asked in ASKED}
    assert set(schema()["$defs"]) >= {*ASKED, "audit"}


@pytest.mark.parametrize("command", ASKED)
def test_every_document_is_what_the_schema_says(
    command: str, table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    if command == "monitor":
        assert status_of(["run", str(table), *YES, "--out", "out"]) == 0
        capsys.readouterr()
    for words in ASKED[command]:
        as_json = [] if "--certificates" in words else ["--json"]
        status = status_of([str(table) if word == "{}" else word for word in (*words, *as_json)])
        said = capsys.readouterr()
        assert status == 0, said.err
        assert unlike(command, json.loads(said.out)) == [], words


def test_an_audit_is_what_the_schema_says() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 1)
    found = gm.audit(model=model, loss=torch.nn.BCELoss(), inputs=torch.zeros(8, 3), targets=torch.ones(8, 1))
    assert found.findings
    assert unlike("audit", json.loads(found.to_json())) == []


def changed(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with one of its names lost, one too many, and one of another type, by what was done."""
    for name in document:
        without = {key: value for key, value in document.items() if key != name}
        yield f"without {name}", without
    yield "one name too many", {**document, "colour": "red"}
    for path, wrong in ((("risk", "report", "value"), "0.3"), (("risk", "report", "n"), 0.5), (("verdict", "word"), 3)):
        held = copy.deepcopy(document)
        inner: Any = held
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = wrong
        yield f"{path} of another type", held


def test_the_schema_notices_what_is_lost_added_or_of_another_type() -> None:
    data = {name: values for name, values in columns().items() if name in ("a", "place", "bought")}
    document = plain_values(gm.run(data, "bought", protocol="holdout").to_dict())
    assert unlike("run", document) == []
    for what, wrong in changed(document):
        assert unlike("run", wrong), what


def test_hardly_anything_may_be_anything() -> None:
    def leaves(shape: Any) -> Iterator[dict[str, Any]]:
        if isinstance(shape, dict):
            yield from shape.get("properties", {}).values()
            for inner in shape.values():
                yield from leaves(inner)
        elif isinstance(shape, list):
            for inner in shape:
                yield from leaves(inner)

    found = list(leaves(schema()["$defs"]))
    assert sum(leaf == {} for leaf in found) <= 0.02 * len(found)


def test_the_page_is_what_the_records_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import schema as maker

    assert maker.PAGE == PAGE
    assert PAGE.read_text(encoding="utf-8") == maker.page()
