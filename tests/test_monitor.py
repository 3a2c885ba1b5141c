"""Are later rows said to differ where they do and as rarely as promised where they do not, however often one looks?"""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.monitoring.counts import Counts
from goodmeasure.monitoring.kept import NoCounts
from goodmeasure.monitoring.monitored import judged
from goodmeasure.statistics.anytime import share_sequence
from goodmeasure.study.seen import Distribution
from goodmeasure.tallying.shards import ShardTwice


def rows(n: int, seed: int, moved: float = 0.0, flipped: float = 0.0, target: bool = True) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    age, income = rng.normal(moved, 1, n), rng.normal(size=n)
    yes = rng.random(n) < expit(2 * age + income)
    yes = np.where(rng.random(n) < flipped, ~yes, yes)
    found = {
        "age": age,
        "income": income,
        "region": rng.choice(["north", "south", "west"], n).astype(object),
    }
    return found | ({"ill": np.where(yes, "yes", "no").astype(object)} if target else {})


@pytest.fixture(scope="module")
def model() -> gm.Model:
    return gm.run(rows(1500, 0), "ill", positive="yes").model


def written(place: Path, table: dict[str, Any]) -> str:
    lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
    place.write_text("\n".join(lines) + "\n")
    return str(place)


# --- intervals that hold at any time ---


def test_a_share_is_covered_at_every_look() -> None:
    """Nominal .9 for all of three hundred looks together."""
    rng, n = np.random.default_rng(0), np.arange(1, 301.0)
    for share in (0.02, 0.3):
        inside = []
        for _ in range(100):
            low, high = share_sequence(np.cumsum(rng.random(300) < share), n, 0.1)
            inside.append(bool(((low <= share) & (share <= high)).all()))
        assert sum(inside) >= 88


def test_a_sequence_narrows_and_holds_what_was_seen() -> None:
    low, high = share_sequence(np.array([1.0, 10.0, 100.0]), np.array([4.0, 40.0, 400.0]), 0.05)
    assert all(a > b for a, b in pairwise(high - low))
    assert ((low <= 0.25) & (high >= 0.25)).all()
    assert share_sequence(np.zeros(1), 0, 0.05) == (pytest.approx(0), pytest.approx(1))


# --- what is said ---


def test_rows_of_one_kind_are_not_said_to_move_or_to_cost_more(model: gm.Model) -> None:
    said = [gm.monitor(model, rows(400, seed)).word for seed in range(1, 13)]
    assert said.count("no change shown") >= 11


@pytest.mark.parametrize(
    ("later", "word"),
    [
        (rows(2000, 5, moved=0.8), "moved"),
        (rows(2000, 5, flipped=0.4), "worse"),
        (rows(2000, 5, moved=0.8, target=False), "moved"),
        (rows(2000, 5), "no change shown"),
    ],
)
def test_what_changed_is_said(model: gm.Model, later: dict[str, Any], word: str) -> None:
    found = gm.monitor(model, later)
    assert found.word == word
    assert (found.risk is None) is ("ill" not in later)
    moved = [column.name for column in found.columns if column.verdict == "moved"]
    assert moved == (["age"] if word == "moved" else [])


def test_what_rows_are_to_cost_covers_what_they_cost(model: gm.Model) -> None:
    """Nominal .95, also where columns moved."""
    inside = []
    for seed in range(30):
        found = gm.monitor(model, rows(400, 100 + seed, moved=0.5 * (seed % 3)))
        assert found.risk is not None
        inside.append(found.expected.low <= found.risk.value <= found.expected.high)
    assert sum(inside) >= 26


def test_a_label_that_was_never_seen_moves_its_column(model: gm.Model) -> None:
    later = rows(400, 3)
    later["region"] = np.where(np.arange(400) % 5 == 0, "east", later["region"]).astype(object)
    column = next(one for one in gm.monitor(model, later).columns if one.name == "region")
    assert column.verdict == "moved"
    assert column.marks[0].name == "is another"


def test_spelling_moves_no_column(model: gm.Model) -> None:
    later = rows(400, 3)
    later["region"] = np.array([f" {label.title()}" for label in later["region"]], dtype=object)
    assert gm.monitor(model, later).word == "no change shown"


@pytest.mark.parametrize("target", ["amount", "kind"])
def test_amounts_and_classes_are_monitored_too(target: str) -> None:
    def table(seed: int, n: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=n)
        if target == "amount":
            return {"x": x, "z": rng.normal(size=n), target: 3 * x + rng.normal(size=n)}
        shown = np.array(["cat", "dog", "fox"])[np.clip(np.round(x + rng.normal(size=n) / 2) + 1, 0, 2).astype(int)]
        return {"x": x, "z": rng.normal(size=n), target: shown.astype(object)}

    made = gm.run(table(0, 1200), target).model
    found = gm.monitor(made, table(2, 600))
    assert found.word == "no change shown"
    assert found.risk is not None
    assert found.expected.low <= found.risk.value <= found.expected.high


def test_the_first_rows_without_a_dear_mistake_do_not_cost_less() -> None:
    from goodmeasure.study.seen import Costing, SeenRows

    none = Distribution(0.0, (0.0, 1.0), 1000.0, labels=("a",))
    seen = SeenRows({}, none, Costing((), (0.0,), (19.0,), (1000.0,)), 1.0, 0.74, 1.28, 0.95)
    counts = Counts({}, np.zeros(3), np.array([50.0]), labelled=50, rows=50)
    assert judged(seen, counts, 0.95).versus.verdict.startswith("cannot tell")


# --- counts add up ---


def test_counts_of_files_add_up_in_any_order(model: gm.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    nights = [written(tmp_path / f"night{k}.csv", rows(150, k)) for k in range(3)]
    orders = []
    for k, order in enumerate(([0, 1, 2], [2, 0, 1])):
        kept = tmp_path / f"so_far{k}.json"
        for i, night in enumerate(order):
            found = gm.monitor(str(tmp_path / "model.json"), nights[night], so_far=kept if i else None, save=kept)
        orders.append(found)
    whole = gm.monitor(model, str(tmp_path / "night*.csv"))
    for found in orders:
        assert found.sentences == whole.sentences
        assert found.rows == 450
        assert sorted(found.files) == sorted(whole.files)


def test_a_file_counts_once(model: gm.Model, tmp_path: Path) -> None:
    night = written(tmp_path / "night.csv", rows(150, 1))
    gm.monitor(model, night, save=tmp_path / "so_far.json")
    copied = tmp_path / "copied.csv"
    copied.write_bytes(Path(night).read_bytes())
    with pytest.raises(ShardTwice):
        gm.monitor(model, str(copied), so_far=tmp_path / "so_far.json")


def test_counts_of_another_model_are_refused(model: gm.Model, tmp_path: Path) -> None:
    other = gm.run(rows(600, 9), "ill", positive="yes").model
    gm.monitor(model, rows(100, 1), save=tmp_path / "so_far.json")
    with pytest.raises(NoCounts, match="another model"):
        gm.monitor(other, rows(100, 2), so_far=tmp_path / "so_far.json")


def _parts(state: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    each = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
    for key, value in each:
        yield from _parts(value, (*path, key))


@pytest.mark.parametrize("forged", [None, -1, "x", [], {}, 1e308, "NaN"])
def test_no_forged_count_is_read_as_one(model: gm.Model, tmp_path: Path, forged: Any) -> None:
    """Whatever stands in the place of any part, it is refused, or it says something that counts can say."""
    kept = tmp_path / "so_far.json"
    gm.monitor(model, rows(100, 1), save=kept)
    state = json.loads(kept.read_text())
    for path in list(_parts(state))[1:]:
        changed = copy.deepcopy(state)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = forged
        kept.write_text(json.dumps(changed).replace('"NaN"', "NaN"))
        try:
            found = gm.monitor(model, None, so_far=kept)
        except NoCounts:
            continue
        assert str(found)


def test_what_a_model_keeps_holds_no_rare_label(tmp_path: Path) -> None:
    table = rows(600, 0)
    table["region"][:3] = "only three live here"
    made = gm.run(table, "ill", positive="yes").model
    assert "only three live here" not in made.seen.columns["region"].labels


def test_a_saved_model_monitors_as_it_did(model: gm.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    assert str(gm.monitor(gm.load(tmp_path / "model.json"), rows(300, 2))) == str(gm.monitor(model, rows(300, 2)))


# --- on a command line ---


@pytest.fixture
def place(model: gm.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    model.save("model.json")
    written(tmp_path / "same.csv", rows(600, 1))
    written(tmp_path / "moved.csv", rows(900, 2, moved=1.0, target=False))
    written(tmp_path / "worse.csv", rows(1500, 3, flipped=0.5))
    return tmp_path


@pytest.mark.parametrize(
    ("table", "statuses"), [("same.csv", (0, 0, 0)), ("moved.csv", (0, 1, 0)), ("worse.csv", (0, 1, 1))]
)
def test_the_exit_status_says_what_was_found(place: Path, table: str, statuses: tuple[int, ...]) -> None:
    asked = ((), ("--fail-on", "moved"), ("--fail-on", "worse"))
    assert tuple(status_of(["monitor", "model.json", table, *each]) for each in asked) == statuses


def test_terminal_document_and_page_say_the_same(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = gm.monitor("model.json", "moved.csv")
    assert status_of(["monitor", "model.json", "moved.csv", "--out", "page.html"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert status_of(["monitor", "model.json", "moved.csv", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    page = Path("page.html").read_text()
    assert document == found.to_dict()
    assert document["word"] == "moved"
    for sentence in found.sentences:
        assert sentence in said
    assert json.dumps(document["word"]) in page
    assert all(column.name in page for column in found.columns)


def test_nothing_is_written_over_what_is_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("same.csv").read_bytes()
    for option in ("--save", "--out"):
        for path in ("same.csv", "model.json", "moved.csv"):
            assert status_of(["monitor", "model.json", "same.csv", option, path]) == 2
    assert Path("same.csv").read_bytes() == before


def test_a_second_table_or_a_mixture_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["monitor", "model.json", "same.csv", "moved.csv"]) == 2
    assert "several tables" in capsys.readouterr().err
