"""Does another installed package add losses, audit rules and hosts by its entry points alone, and is a broken one named?"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goodmeasure.auditing.rule import all_rules

LOSSES = '''
from goodmeasure import Positive, Real, loss
from goodmeasure.losses import huber, poisson  # what it compares with is no second loss of that name
from goodmeasure.words import abs, where


@loss(target=Real, asks_for="bulk", also=("trimmed",))
def talwar(y, mu, *, c: Positive = 2.795):
    """The squared miss up to c, and no more beyond. Hinich and Talwar 1975."""
    miss = mu - y
    return where(abs(miss) <= c, miss**2 / 2, c**2 / 2)
'''
RULES = '''
from goodmeasure.auditing.evidence.contracts import Contracts
from goodmeasure.auditing.rule import Seen, rule


@rule("ACME001", "warning", "a class that occurs has the weight zero", why="It is never learned.", fix="leave it out")
def weight_of_zero(contracts: Contracts):
    """A class of this batch weighs nothing."""
    for where, weights, counts in contracts.class_weights():
        for k, (weight, count) in enumerate(zip(weights, counts, strict=True)):
            if weight == 0 and count:
                yield Seen(f"class {k} has {count:g} examples and the weight 0", where=where)
'''
HOSTS = '''
def to_words(loss):
    """The formula of a loss, as words."""
    return f"take {loss.book}"
'''
ENTRIES = """
[goodmeasure.losses]
acme = acme.losses
[goodmeasure.rules]
acme = acme.rules
[goodmeasure.hosts]
to_words = acme.hosts:to_words
"""
PROGRAM = """
import torch
from torch import nn


def build():
    x, y = torch.randn(32, 5), torch.arange(32) % 3
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.0, 0.0]))
    return {"framework": "torch", "task": "multiclass", "model": nn.Linear(5, 3), "loss": loss, "inputs": x, "targets": y}
"""


def installed(place: Path, entries: str = ENTRIES, **modules: str) -> Path:
    """A package as an installer leaves it: its modules, and beside them what says of it."""
    room, told = place / "acme", place / "acme-1.0.dist-info"
    room.mkdir(parents=True), told.mkdir()
    for name, text in {"__init__": "", "losses": LOSSES, "rules": RULES, "hosts": HOSTS, **modules}.items():
        (room / f"{name}.py").write_text(text)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(entries)
    return place


def ran(place: Path, *given: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join((str(place), *filter(None, sys.path)))}
    return subprocess.run(
        [sys.executable, *given], env=settings, capture_output=True, text=True, check=False, cwd=place
    )


ASKS = """
import goodmeasure as gm
from goodmeasure.cli import main

print(gm.losses.talwar(c=1.0)([0.0, 3.0], [0.5, 0.0]), gm.losses.trimmed, "talwar" in dir(gm.losses))
print(gm.to_words(gm.losses.talwar()), "to_words" in dir(gm))
print(gm.choose([1.0, 2.5, -3.0, 0.25] * 30).loss)
for command in (["losses", "talwar"], ["explain", "ACME001"], ["explain", "acme001"], ["audit", "program.py:build"]):
    try:
        main(command)
    except SystemExit as end:
        print("status", end.code)
"""


def test_a_package_adds_losses_rules_and_hosts_by_its_entry_points(tmp_path):
    place = installed(tmp_path)
    (place / "program.py").write_text(PROGRAM)
    done = ran(place, "-c", ASKS)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "0.3125 talwar True" in said  # (0.125 + 0.5) / 2
    assert "take where(" in said
    assert "The squared miss up to c" in said
    assert said.count("# ACME001: a class that occurs has the weight zero") == 2
    assert "class 2 has 10 examples and the weight 0" in said


BROKEN = {
    "does not import": ({"losses": "import nowhere_at_all"}, ENTRIES, "what acme adds to goodmeasure cannot be loaded"),
    "ends the program": ({"losses": "raise ZeroDivisionError('acme')"}, ENTRIES, "ZeroDivisionError: acme"),
    "is not there": ({}, ENTRIES.replace("acme.losses", "acme.gone"), "goodmeasure.losses: acme = acme.gone"),
    "is no module": ({}, ENTRIES.replace("acme.losses", "acme.hosts:to_words"), "acme.hosts:to_words is no module"),
    "takes a name": ({"losses": LOSSES.replace("talwar", "cauchy")}, ENTRIES, "two losses are named cauchy"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_package_that_adds_what_cannot_be_added_is_named(how, tmp_path):
    modules, entries, said = BROKEN[how]
    done = ran(installed(tmp_path, entries, **modules), "-m", "goodmeasure", "losses", "huber")
    assert done.returncode == 2, done.stdout
    assert "GM009" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (RULES.replace("ACME001", all_rules()[0].code), f"two rules have the code {all_rules()[0].code}"),
        ("import nowhere_at_all", "what acme adds to goodmeasure cannot be loaded"),
    ],
)
def test_a_rule_that_cannot_be_added_is_named(wrong, said, tmp_path):
    done = ran(installed(tmp_path, rules=wrong), "-m", "goodmeasure", "explain", "ACME001")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_rule_that_asks_for_evidence_nobody_gathers_is_named_as_skipped(tmp_path):
    place = installed(tmp_path, rules=RULES.replace("contracts: Contracts", "contracts: 'Hearsay'"))
    (place / "program.py").write_text(PROGRAM)
    done = ran(place, "-m", "goodmeasure", "audit", "program.py:build", "--format", "json")
    skipped = {one["code"]: one["reason"] for one in json.loads(done.stdout)["not_applicable"]}
    assert "a rule asks for Hearsay, and nobody gathers that" in skipped["ACME001"]


@pytest.mark.parametrize("name", ["to_torch", "words_of"])
def test_a_host_with_a_name_that_cannot_be_is_named(name, tmp_path):
    place = installed(tmp_path, ENTRIES.replace("to_words = ", f"{name} = "))
    done = ran(
        place, "-c", "import goodmeasure as gm\ntry:\n    gm.to_words\nexcept Exception as told:\n    print(told)"
    )
    assert f"GM009 the name {name} of a host" in done.stdout
