"""Can a tally be kept on disk and added to tomorrow, without counting a file twice or reading half of one?"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, chdir
from hashlib import blake2b
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.cli._evidence import TallyQuestion, evidence, question_of
from goodmeasure.engines import duckdb
from goodmeasure.engines.request import Request
from goodmeasure.reading.paths import places_of
from goodmeasure.tallying.saved import MAGIC, Saved, Shard, is_saved, load, save
from goodmeasure.tallying.serialise import StateUnreadable, sealed
from goodmeasure.tallying.shards import ShardTwice
from goodmeasure.tallying.tally import DifferentTallies

COLUMNS = ("--y", "churned", "--positive", "yes", "--p", "plain", "--p", "sharp")
BRIER = losses.binary_brier()
COSTS = ("--cost", "fn=40", "--cost", "fp=5")
Said = tuple[int, str, str]


def tallied(data: str, names: tuple[str, ...] = ("binary_cross_entropy", "binary_brier"), **given: str) -> Saved:
    """What score keeps of a table, without the wait for what it prints."""
    options = dict.fromkeys(("weights", "by", "cluster", "where", "decimal", "scheduler"))
    options |= {"target": "churned", "positive": "yes", "engine": "duckdb", **given}
    with places_of(data) as table:
        return evidence(table, [], TallyQuestion(question_of(["plain", "sharp"], options), names), options, save=True)[
            0
        ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four nights of 500 scored rows, and tallies of some of them."""
    place = tmp_path_factory.mktemp("nights")
    with chdir(place):
        for night in range(4):
            rng = np.random.default_rng(night)
            p = rng.uniform(0.05, 0.95, 500)
            label, region = np.where(rng.random(500) < p, "yes", "no"), rng.choice(["north", "south"], 500)
            rows = zip(label, p.tolist(), (p**2).tolist(), region, rng.integers(0, 40, 500), strict=True)
            lines = [",".join(map(str, row)) for row in rows]
            Path(f"n{night}.csv").write_text("\n".join(["churned,plain,sharp,region,person", *lines]))
        for night in range(4):
            save(f"{night}.tally", tallied(f"n{night}.csv"))
        save("two.tally", tallied("n[01].csv"))
        save("north.tally", tallied("n[01].csv", by="region"))
        save("people.tally", tallied("n0.csv", cluster="person"))
        save("other.tally", tallied("n1.csv", where="plain > 0.5"))
        save("brier.tally", tallied("n1.csv", ("binary_brier",)))
        data = Path("0.tally").read_bytes()
        Path("cut.tally").write_bytes(data[:-9])
        Path("flipped.tally").write_bytes(data[:900] + bytes([data[900] ^ 1]) + data[901:])
        Path("empty.tally").write_bytes(b"")
        Path("table.csv").write_text("a,b\n1,2\n")
        Path("renamed.csv").write_bytes(Path("n0.csv").read_bytes())
        with Path("n0.csv").open() as file, Path("grown.csv").open("w") as grown:
            grown.write(f"{file.read()}\nyes,0.5,0.5,north,1")
    return place


@pytest.fixture
def nights(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, as the working directory."""
    place = tmp_path / "nights"
    copytree(made, place)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        status = status_of([*arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return status, captured.out, captured.err

    return run


def test_nights_add_up_to_the_bytes_of_all_of_them(nights: Path, said: Callable[..., Said]) -> None:
    save("so_far.tally", tallied("n[01].csv"))
    status, _, told = said("score", "so_far.tally", "n2.csv", "--save", "so_far.tally")
    assert (status, told) == (0, "wrote so_far.tally: 1,500 rows of 3 files\n")
    status, shown, _ = said("score", "3.tally", "so_far.tally", "--save", "again.bin")
    assert status == 0
    assert shown.startswith("2,000 rows\n")
    assert shown.splitlines()[-1] == "next: goodmeasure decide again.bin --p plain --cost fn=40 --cost fp=5"
    assert is_saved("again.bin")  # known by its contents, whatever its name
    assert Path("again.bin").read_bytes() == tallied("n?.csv").to_bytes()
    direct = duckdb.tally_files("n?.csv", Request((BRIER,), "churned", (("plain", ("plain",)),), positive="yes"))
    assert load("again.bin").tally.risk(BRIER, "plain") == direct.risk()


def test_a_decision_from_a_saved_tally_is_that_of_the_tally(
    nights: Path, said: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb, "MOST_BYTES", 0)  # so that the table is decided on its tally, too
    exact = said("decide", "n[01].csv", *COLUMNS[:6], "--by", "region", *COSTS, "--json")
    assert exact[0] == 0
    assert said("decide", "north.tally", "--p", "plain", *COSTS, "--json") == exact
    status, out, _ = said("decide", "two.tally", "n2.csv", "--p", "sharp", *COSTS)
    assert (status, out.splitlines()[0]) == (0, "by sharp, on 1,500 rows")
    assert out.splitlines()[-1] == "next: goodmeasure score two.tally n2.csv"
    assert "takes rows that go together as independent" in said("decide", "people.tally", "--p", "plain", *COSTS)[1]


@pytest.mark.parametrize("again", ["0.tally", "two.tally", "n0.csv", "renamed.csv", "grown"])
def test_no_file_counts_twice(nights: Path, said: Callable[..., Said], again: str) -> None:
    if again == "grown":
        again = "n0.csv"
        Path("grown.csv").replace(again)
    status, out, err = said("score", "0.tally", again)
    assert (status, out, err.split()[0]) == (3, "", "GM722")
    assert f"where {again}" in err


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("score", "cut.tally"), 3, "GM720 the tally is damaged or cut short\n  where cut.tally"),
        (("score", "0.tally", "flipped.tally"), 3, "GM720 the tally is damaged or cut short\n  where flipped.tally"),
        (("score", "empty.tally"), 3, "GM720 these bytes are not a tally\n  where empty.tally"),
        (("score", "0.tally", "other.tally"), 3, "GM721 these tallies are of different questions\n  where other.tally"),
        (("score", "0.tally", "brier.tally"), 3, "GM721 these tallies count different things\n  where brier.tally"),
        (("score", "0.tally", "table.csv"), 3, "GM203 table.csv has no column 'churned'"),
        (("score", "0.tally", "--where", "plain > 0.5"), 2, "GM009 --where asks something else"),
        (("score", "0.tally", "--loss", "huber"), 2, "GM009 --loss asks something else"),
        (("score", "0.tally", "--raw"), 2, "GM009 --raw asks something else"),
        (("score", "0.tally", "--p", "plain"), 2, "GM009 --p asks something else"),
        (("score", "n*"), 2, "GM009 n* matches saved tallies and other files"),
        (("score", "n0.csv", "n1.csv", *COLUMNS), 2, "GM009 several tables were given"),
        (("score", "n0.csv", "--y", "churned"), 2, "GM009 the option --p is missing"),
        (("score", "none.tally"), 3, "GM201 there is no file none.tally"),
        (("decide", "0.tally", *COSTS), 2, "GM009 the saved tally is of several models"),
        (("decide", "0.tally", "--p", "blunt", *COSTS), 2, "GM009 there is no model 'blunt'"),
        (("decide", "0.tally", "--p", "plain", *COSTS, "--budget", "9"), 2, "GM009 --budget needs the rows"),
        (("decide", "0.tally", "--p", "plain", "--cost", "under=1", "--cost", "over=2"), 2, "GM009 under= and over="),
        (("decide", "n0.csv", "--y", "churned", *COSTS), 2, "GM009 the option --p is missing"),
    ],
)
def test_what_cannot_be_added_is_named(
    nights: Path, said: Callable[..., Said], arguments: tuple[str, ...], status: int, told: str
) -> None:
    found, out, err = said(*arguments)
    assert (found, out) == (status, "")
    assert err.startswith(told)


def test_a_tally_that_does_not_fit_leaves_the_old_one_and_is_still_told(
    nights: Path, said: Callable[..., Said], disk_with_room_for: Callable[[int], AbstractContextManager[None]]
) -> None:
    before, names = Path("0.tally").read_bytes(), sorted(each.name for each in nights.iterdir())
    with disk_with_room_for(1000):
        status, out, err = said("score", "0.tally", "n1.csv", "--save", "0.tally")
    assert (status, err.split("\n")[0]) == (3, "GM012 0.tally cannot be written")
    assert out.startswith("1,000 rows")
    assert Path("0.tally").read_bytes() == before
    assert sorted(each.name for each in nights.iterdir()) == names
    status, out, err = said("score", "n0.csv", *COLUMNS, "--save", "nowhere/a.tally")
    assert (status, err.split("\n")[2]) == (3, "  seen  No such file or directory")


def test_a_saved_tally_ends_in_sixteen_bytes_of_blake2_over_all_others(nights: Path) -> None:
    """So that another release, or another program, can tell a whole file."""
    data = (nights / "0.tally").read_bytes()
    assert data[-16:] == blake2b(data[:-16], digest_size=16).digest()


def test_any_order_gives_the_same_bytes_and_headers_are_checked(nights: Path) -> None:
    a, b, c = (load(f"{night}.tally") for night in range(3))
    assert ((a + b) + c).to_bytes() == (c + (b + a)).to_bytes()
    assert Saved.from_bytes((a + b).to_bytes()).shards == tuple(sorted((*a.shards, *b.shards)))
    assert is_saved("0.tally")
    assert not is_saved("n0.csv")
    with pytest.raises(ShardTwice):
        (a + b) + (b + c)
    with pytest.raises(DifferentTallies, match="different questions"):
        a + Saved(b.tally, b.question | {"where": "plain > 0"}, b.shards)
    (nights / "odd.tally").write_bytes(sealed(MAGIC, {"question": {}}, a.tally.to_bytes()))
    with pytest.raises(StateUnreadable, match="does not hold what its header says") as refused:
        load("odd.tally")
    assert refused.value.where == "odd.tally"
    assert Shard.of("n0.csv") == a.shards[0]
    assert json.loads(json.dumps(a.question))["scores"] == ["plain", "sharp"]
