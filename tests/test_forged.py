"""Is a damaged or forged file refused as such, whatever it holds: never a fault of the program, never a wrong number?"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.errors import Problem
from goodmeasure.reading import recognition
from goodmeasure.reading.notation import Dates
from goodmeasure.study.model import load
from goodmeasure.study.saving import NotAModel
from goodmeasure.tallying import saved
from goodmeasure.tallying.serialise import DIGEST, MAGIC, StateUnreadable
from goodmeasure.tallying.state import State
from test_saving import columns
from turns import at_night

Path_ = tuple[Any, ...]
GONE = object()


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


OTHERS = [
    GONE,
    None,
    True,
    False,
    -1,
    0,
    1,
    7.5,
    10**30,
    1e308,
    -1e308,
    "",
    "x",
    "inf",
    "y",
    [],
    {},
    [[1.0]],
    [1, 2],
    {"a": 1},
]
HUGE = [[0.5] * 3000, "x" * 20_000, deep(300), 10**300]


def leaves(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """The places of everything in a document; of long lists only the first, the second and the last."""
    yield at
    if isinstance(value, dict):
        for name in value:
            yield from leaves(value[name], (*at, name))
    elif isinstance(value, list):
        for i in sorted({0, 1, len(value) - 1} & {*range(len(value))}):
            yield from leaves(value[i], (*at, i))


def changed(state: Any, at: Path_, value: Any) -> Any:
    """A copy of a document with one place changed or taken out."""
    if not at:
        return {} if value is GONE else value
    made = copy.deepcopy(state)
    inner = made
    for step in at[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return made


QUESTIONS = {
    "yes/no": ("hit", {"exclude": ("amount",), "costs": Costs(false_negative=5, false_positive=1)}),
    "amount": ("amount", {"exclude": ("hit",), "costs": UnderOverCosts(under=3, over=1)}),
    "classes": ("place", {"exclude": ("hit",)}),
    "trees": ("hit", {"exclude": ("amount",), "model": "boosting"}),
    "network": ("hit", {"exclude": ("amount",), "model": "network"}),
}


@cache
def good(question: str) -> str:
    """The text of a model without its checksum, which whoever forges a file would make anew."""
    target, asked = QUESTIONS[question]
    rows = columns(80 if question == "trees" else 240)
    state = json.loads(gm.run(rows, target, **{"protocol": "holdout"} | asked).model.to_json())
    del state["checksum"]
    if question == "yes/no":
        state["recalibration"] = {"method": "platt", "parameters": [[[1.1, 0.2]]], "raw": True, "shrink": 0}
    return json.dumps(state)


def refused_or_right(path: Path) -> str:
    """Load a model and use it. What is not refused must be ready for the table, or miss a column of it."""
    try:
        model = load(path)
    except NotAModel as problem:
        return problem.code
    try:
        shown, _ = model.answers(columns(5))
    except Problem as problem:
        return problem.code
    assert all(len(column) == 5 for column in shown.values())
    return "right"


def drawn(things: Iterable[str]) -> Any:
    """Each thing with the seed of what is changed in it; at night with another."""
    return [at_night(thing, seed, unless=seed == 0, id=f"{thing}-{seed}") for thing in things for seed in (0, 1)]


@pytest.mark.parametrize(("question", "seed"), drawn(QUESTIONS))
def test_a_model_that_was_changed_anywhere_is_refused_or_right(tmp_path: Path, question: str, seed: int) -> None:
    state = json.loads(good(question))
    path = tmp_path / "model.json"
    cases = [(at, value) for at in leaves(state) for value in (*OTHERS, *HUGE)]
    seen = set()
    for at, value in random.Random(seed).sample(cases, 30):
        path.write_text(json.dumps(changed(state, at, value)))
        seen.add(refused_or_right(path))
    assert {"GM270", "right"} <= seen
    path.write_text(json.dumps(state))
    assert refused_or_right(path) == "right"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": "goodmeasure model", "version": 2, "x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"format": "goodmeasure model", "version": 2, "shift": NaN}',
        b'{"format": "goodmeasure model", "version": 2, "shift": ' + b"9" * 10_000 + b"}",
        b'{"format": "goodmeasure model", "version": 10, "x": 1}',
        b'{"format": "goodmeasure model", "version": [1]}',
        b'"goodmeasure model"',
        bytes(1000),
    ],
    ids=range(10),
)
def test_bytes_that_are_no_model_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(data)
    assert refused_or_right(path) == "GM270"


def test_a_digit_that_changed_is_found_by_the_checksum(tmp_path: Path) -> None:
    state = json.loads(good("amount"))
    study = gm.run(columns(), "amount", exclude=("hit",), protocol="holdout")
    path = tmp_path / "model.json"
    study.model.save(path)
    whole = path.read_text()
    at = next(re.finditer(r"coefficients\D*\d\.\d\d\d", whole)).end()
    path.write_text(whole[:at] + str((int(whole[at]) + 1) % 10) + whole[at + 1 :])
    with pytest.raises(NotAModel, match="checksum"):
        load(path)
    path.write_text(json.dumps(state))  # models of before have none
    load(path)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("scaling", "fill"), [0.0]),
        (("scaling", "flagged"), [0, 0]),
        (("scaling", "flagged"), [99]),
        (("scaling", "centre"), []),
        (("scaling", "spread", 0), 0.0),
        (("scaling", "spread", 0), -1.0),
        (("codings",), []),
        (("codings", 0, "code"), [0]),
        (("codings", 0, "code", 0), 7),
        (("codings", 0, "code", 0), -2),
        (("codings", 0, "code"), [-1, -1, -1]),
        (("codings", 0, "known", 0), "south"),
        (("codings", 0, "otherwise"), 9),
        (("codings", 0, "otherwise"), True),
    ],
)
def test_an_encoding_that_fits_nothing_is_refused(tmp_path: Path, at: Path_, value: Any) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(changed(json.loads(good("yes/no")), ("encoding", *at), value)))
    with pytest.raises(NotAModel, match="encoding"):
        load(path)


@pytest.mark.parametrize(
    "book",
    [
        [["p"], *([["mul", i, i]] for i in range(0)), *[["mul", i, i] for i in range(60)]],
        [[2.0], *[["power", i, i] for i in range(30)]],
        [[9007199254740992], ["power", 0, 0]],
        [[3], *[["mul", i, i] for i in range(60)]],
        [["p"], ["log", 1]],
        [["p"], ["log", -1]],
        [["p"], ["log", 0.0]],
        [["p"], ["log", 0, 0]],
        [["p"], ["__import__", 0]],
        [["p", "positive", "x"]],
        [["__class__"]],
        [["log"]],
    ],
    ids=range(12),
)
def test_formulas_that_would_not_end_are_refused(tmp_path: Path, book: list[Any]) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(changed(json.loads(good("yes/no")), ("loss", "book"), book)))
    assert refused_or_right(path) in ("GM270", "right")


# --- saved tallies ---


def seal(header: Any, payload: bytes, magic: bytes) -> bytes:
    """What whoever forges a tally would write: any header, under a checksum that fits."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    body = magic + len(text).to_bytes(8, "little") + text + payload
    return body + hashlib.blake2b(body, digest_size=DIGEST).digest()


def parted(data: bytes, magic: bytes) -> tuple[Any, bytes]:
    """The header and what follows it."""
    start = len(magic) + 8
    end = start + int.from_bytes(data[len(magic) : start], "little")
    return json.loads(data[start:end]), data[end:-DIGEST]


def whole_tally(outer: Any, inner: Any, arrays: bytes) -> bytes:
    return seal(outer, seal(inner, arrays, MAGIC), saved.MAGIC)


TALLIES = {
    "yes/no": ("--y", "hit", "--p", "p", "--p", "q"),
    "everything": ("--y", "hit", "--p", "p", "--weights", "w", "--cluster", "place", "--by", "place"),
    "classes": ("--y", "place", "--p", "p_east,p_north,p_south", "--classes", "east,north,south"),
    "amounts": ("--y", "amount", "--p", "x1", "--loss", "squared_error"),
}


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tally of each kind, as score keeps it."""
    place = tmp_path_factory.mktemp("tallies")
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], 60)
    found = columns(60)
    more = {"p": rng.random(60), "q": rng.random(60), "w": rng.integers(1, 4, 60), "x1": rng.random(60)}
    more |= {f"p_{name}": shares[:, k] for k, name in enumerate(("east", "north", "south"))}
    table = {name: found[name] for name in ("hit", "place", "amount")} | more
    rows = zip(*(column.tolist() for column in table.values()), strict=True)
    (place / "t.csv").write_text("\n".join([",".join(table), *(",".join(map(str, row)) for row in rows)]))
    for name, words in TALLIES.items():
        assert status_of(["score", str(place / "t.csv"), *words, "--save", str(place / name.replace("/", " "))]) == 0
    return place


# A tally may be whole and yet of no rows, or of losses too small to be squared.
ALLOWED = {"right", "GM720", "GM005", "GM706"}


def said_of(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What score says of a file: it shows it, or refuses it as no whole tally."""
    status = status_of(["score", str(path)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    if status == 0:
        assert "nan" not in said.out
        return "right"
    assert (status, said.out) == (3, ""), said.err
    return said.err[:5]


@pytest.mark.parametrize(("name", "seed"), drawn(TALLIES))
def test_a_tally_whose_header_was_changed_is_refused_or_right(
    tallies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, seed: int
) -> None:
    outer, payload = parted((tallies / name.replace("/", " ")).read_bytes(), saved.MAGIC)
    inner, arrays = parted(payload, MAGIC)
    path, seen = tmp_path / "a.tally", set()
    others = [*OTHERS, [1, 2, 3], 10**6, 2**62]
    cases = [(outer, at, value, True) for at in leaves(outer) for value in others]
    cases += [(inner, at, value, False) for at in leaves(inner) for value in others]
    for document, at, value, is_outer in random.Random(seed).sample(cases, 80):
        forged = changed(document, at, value)
        path.write_bytes(whole_tally(forged, inner, arrays) if is_outer else whole_tally(outer, forged, arrays))
        seen.add(said_of(path, capsys))
    assert seen <= ALLOWED
    assert "GM720" in seen
    path.write_bytes(whole_tally(outer, inner, arrays))
    assert said_of(path, capsys) == "right"


@pytest.mark.parametrize(("name", "seed"), drawn(TALLIES))
def test_a_tally_whose_numbers_were_changed_is_refused_or_right(
    tallies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, seed: int
) -> None:
    outer, payload = parted((tallies / name.replace("/", " ")).read_bytes(), saved.MAGIC)
    inner, arrays = parted(payload, MAGIC)
    chance, path, seen = random.Random(seed), tmp_path / "a.tally", set()
    for _ in range(30):
        at = chance.randrange(len(arrays) // 8) * 8
        value = chance.choice([0, 1, -1, 2**31, 2**62, -(2**63), 2**63 - 1, chance.randrange(2**32)])
        forged = arrays[:at] + value.to_bytes(8, "little", signed=True) + arrays[at + 8 :]
        path.write_bytes(whole_tally(outer, inner, forged))
        seen.add(said_of(path, capsys))
    for forged in (arrays[:-8], arrays + bytes(8), b""):
        path.write_bytes(whole_tally(outer, inner, forged))
        seen.add(said_of(path, capsys))
    assert seen <= ALLOWED
    assert "GM720" in seen


@pytest.mark.parametrize("cut", [0, 10, 24, 25, 40, 200, -1, -17])
def test_a_tally_that_was_cut_or_has_a_bit_turned_is_refused(
    tallies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], cut: int
) -> None:
    data = (tallies / "everything").read_bytes()
    path = tmp_path / "a.tally"
    path.write_bytes(data[:cut])
    assert said_of(path, capsys) == "GM720"
    path.write_bytes(data[:cut] + bytes([data[cut] ^ 1]) + data[cut:][1:])
    assert said_of(path, capsys) == "GM720"


@pytest.fixture
def everything(tallies: Path) -> tuple[Any, Any, bytes]:
    """A tally with weights, clusters and groups: its outer header, its header, and its arrays."""
    outer, payload = parted((tallies / "everything").read_bytes(), saved.MAGIC)
    return (outer, *parted(payload, MAGIC))


def shared_by_many(inner: Any) -> Any:
    """One group's numbers under the names of very many."""
    return inner | {"groups": {f"group {i}": next(iter(inner["groups"].values())) for i in range(5000)}}


def of_many_columns(inner: Any) -> Any:
    """Clusters that say they have ten million columns."""
    made = copy.deepcopy(inner)
    for group in made["groups"].values():
        group["clusters"][0], group["clusters"][2][0] = 10_000_000, 90 * 10_000_001
    return made


@pytest.mark.parametrize("grown", [shared_by_many, of_many_columns])
def test_a_small_file_does_not_fill_the_memory(
    everything: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], grown: Any
) -> None:
    outer, inner, arrays = everything
    path = tmp_path / "a.tally"
    path.write_bytes(whole_tally(outer, grown(inner), arrays))
    tracemalloc.start()
    assert said_of(path, capsys) == "GM720"
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


def test_parts_that_contradict_each_other_are_refused() -> None:
    """Each part is sound by itself: two models of the same rows, other targets; weights of moments and of clusters."""
    rng = np.random.default_rng(0)
    z, y, w = rng.normal(size=40), np.arange(40) % 2, rng.integers(1, 5, 40)
    losses = gm.losses.binary_cross_entropy()

    def state(y: Any, w: Any) -> State:
        return gm.tally(losses, y, {"a": z, "b": z / 2}, sample_weight=w, cluster=np.arange(40) // 4).state

    mine, theirs, lighter = state(y, w), state(1 - y * (np.arange(40) < 36), w), state(y, w * 1.5)
    schema = gm.tally(losses, y, {"a": z, "b": z / 2}, sample_weight=w, cluster=np.arange(40) // 4).schema
    for other in (
        replace(mine, scores=mine.scores | {"b": theirs.scores["b"]}),
        replace(mine, clusters=lighter.clusters),
        replace(mine, moments=mine.moments | {"b\t0": lighter.moments["b\t0"]}),
    ):
        with pytest.raises(StateUnreadable, match=r"others|one weight"):
            gm.Tally.from_bytes(gm.Tally(schema, {"": other}).to_bytes())
    assert gm.Tally.from_bytes(gm.Tally(schema, {"": mine}).to_bytes()).n == 40


@pytest.mark.parametrize("more", [2**62, 2**63 - 1])
def test_counts_that_add_up_to_more_than_64_bits_are_refused(more: int) -> None:
    """A sum that begins again from below must not look like the rows of the group."""
    made = gm.tally(gm.losses.binary_cross_entropy(), [0.0, 1.0] * 4, [0.3, 0.6] * 4)
    counts = made.state.scores["model"].counts
    cells = [tuple(at) for at in np.argwhere(counts == 0)[: 2**64 // more]]
    for at in cells:
        counts[at] = more
    counts[cells[-1]] += (2**64 - more * len(cells)) % 2**64 if more < 2**63 - 1 else 0
    with np.errstate(over="ignore"):
        assert more == 2**63 - 1 or counts.sum() == 8
    with pytest.raises(StateUnreadable, match="counts of the rows"):
        gm.Tally.from_bytes(gm.Tally(made.schema, {"": made.state}).to_bytes())


@pytest.mark.parametrize(
    "how",
    [{"form": "%Y%Y"}, {"form": "%Q"}, {"form": "\ud800"}, {"form": ""}]
    + [{"decimal": ".", "grouping": "", "before": text, "after": ""} for text in ("\ud800", "\0")],
    ids=range(6),
)
def test_a_notation_that_nothing_is_written_in_is_refused(tmp_path: Path, how: Any) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(json.loads(good("yes/no")) | {"notations": {"x": how}}))
    with pytest.raises(NotAModel, match="notations"):
        load(path)


def test_every_form_of_dates_that_is_recognised_is_one() -> None:
    assert all(Dates(form).is_one for forms in recognition._BY_LOOKS.values() for form in forms)
