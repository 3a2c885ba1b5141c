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
from __future__ import annotations

from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:  # evidence is found by its name, so that torch need not be there
    from goodmeasure.auditing.evidence.contracts import Contracts


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


def installed(place: Path, entries: str = ENTRIES, name: str = "acme", **modules: str) -> Path:
    """A package as an installer leaves it: its modules, and beside them what says of it."""
    room, told = place / name, place / f"{name}-1.0.dist-info"
    room.mkdir(parents=True), told.mkdir()
    for module, text in {"__init__": "", "losses": LOSSES, "rules": RULES, "hosts": HOSTS, **modules}.items():
        (room / f"{module}.py").write_text(text)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
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


# Without torch, as where the core alone is installed.
NO_TORCH = "from absent import keep_out\nkeep_out(['torch'])\n"
TORCH_AT_THE_TOP = RULES.replace("if TYPE_CHECKING:", "if True:")
# By what is bad of a package: the group and the entry that it has, the text of its module, and how it is told.
BROKEN = {
    "does not import": ("losses", "x = {}.losses", "import nowhere_at_all", "cannot be loaded"),
    "raises": ("losses", "x = {}.losses", "raise ZeroDivisionError('acme')", "ZeroDivisionError: acme"),
    "ends the program": ("losses", "x = {}.losses", "raise SystemExit(3)", "SystemExit: 3"),
    "is misspelt": ("losses", "x = {}.losses", LOSSES.replace("(abs(", "(abss("), "name 'abss' is not defined"),
    "is not there": ("losses", "x = {}.gone", "", "No module named"),
    "is no module": ("losses", "x = {}.hosts:to_words", "", "hosts:to_words is no module"),
    "takes a name": ("losses", "x = {}.losses", LOSSES.replace("def talwar", "def cauchy"), "two losses are named cauchy"),
    "takes a code": ("rules", "x = {}.rules", RULES.replace("ACME001", all_rules()[0].code), "two rules have the code"),
    "has rules that do not import": ("rules", "x = {}.rules", "import nowhere_at_all", "No module named 'nowhere_at_all'"),
    "has no such severity": ("rules", "x = {}.rules", RULES.replace('"warning"', '"warn"'), "ACME001 has no severity"),
    "needs an extra": ("rules", "x = {}.rules", TORCH_AT_THE_TOP, "fix: pip install 'goodmeasure[torch]'"),
    "takes a host": ("hosts", "to_torch = {}.hosts:to_words", "", "the name to_torch of a host is taken"),
    "misnames a host": ("hosts", "paddle = {}.hosts:to_words", "", "the name paddle of a host does not begin with to_"),
}
OURS = """
import goodmeasure as gm
from goodmeasure.auditing.rule import all_rules
from goodmeasure.cli import status_of

print(gm.losses.huber()([0.0], [0.5]), gm.choose([1.0, 2.5, -3.0, 0.25] * 30).loss)
print(gm.to_sql(gm.losses.huber(), target="a", raw="b") is not None, "to_jax" in dir(gm), hasattr(gm, "to_foo"), len(all_rules()) > 99)
for command in (["losses"], ["losses", "huber"], ["explain", "GM102"]):
    print("status", status_of(command))
"""


def test_what_is_ours_works_beside_bad_additions_each_of_which_is_named_once(tmp_path):
    for k, (group, entry, text, _) in enumerate(BROKEN.values()):
        entries = f"[goodmeasure.{group}]\n{entry.format(f'bad{k}')}\n"
        installed(tmp_path, entries, f"bad{k}", **({group: text} if text else {}))
    done = ran(tmp_path, "-c", NO_TORCH + OURS)
    assert done.returncode == 0, done.stderr
    assert "0.125" in done.stdout
    assert "True True False True" in done.stdout
    assert done.stdout.count("status 0") == 3
    told = [line for line in done.stderr.splitlines() if "NotAdded: left out: " in line]
    for k, (group, entry, _, said) in enumerate(BROKEN.values()):
        (line,) = [line for line in told if f"goodmeasure.{group}: {entry.format(f'bad{k}')}" in line]
        assert said in line
    assert len(told) == len(BROKEN)


@pytest.mark.parametrize(
    ("modules", "asked", "said"),
    [
        ({"losses": "import nowhere_at_all"}, ("losses", "talwar"), "GM011 there is no loss named 'talwar', and what acme adds"),
        ({"rules": "import nowhere_at_all"}, ("explain", "ACME001"), "under 'ACME001', and what acme adds to goodmeasure"),
    ],
)
def test_what_a_bad_addition_may_hold_is_an_error_that_names_it(modules, asked, said, tmp_path):
    done = ran(installed(tmp_path, **modules), "-m", "goodmeasure", *asked)
    assert done.returncode == 2
    assert said in done.stderr
    assert "pip install --upgrade acme" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_cannot_be_loaded_is_an_error_where_it_is_asked_for(tmp_path):
    place = installed(tmp_path, hosts="import nowhere_at_all")
    done = ran(place, "-c", "import goodmeasure as gm\nprint('to_words' in dir(gm))\ngm.to_words")
    assert done.stdout == "True\n"
    assert "GM009 what acme adds to goodmeasure cannot be loaded" in done.stderr


def test_a_rule_as_the_page_writes_it_is_explained_where_torch_is_not_installed(tmp_path):
    done = ran(installed(tmp_path), "-c", NO_TORCH + "from goodmeasure.cli import main\nmain(['explain', 'ACME001'])")
    assert done.returncode == 0, done.stderr
    assert "# ACME001: a class that occurs has the weight zero" in done.stdout
    assert not done.stderr
    page = (Path(__file__).parent.parent / "docs/additions.md").read_text()
    assert RULES.strip() in page
    assert LOSSES.strip() in page


def test_a_rule_that_asks_for_evidence_nobody_gathers_says_so(tmp_path):
    place = installed(tmp_path, rules=RULES.replace("contracts: Contracts", "contracts: Contract"))
    (place / "program.py").write_text(PROGRAM)
    assert "It asks for Contract, and nobody gathers that" in ran(place, "-m", "goodmeasure", "explain", "ACME001").stdout
    done = ran(place, "-m", "goodmeasure", "audit", "program.py:build", "--format", "json")
    skipped = {one["code"]: one["reason"] for one in json.loads(done.stdout)["not_applicable"]}
    assert "a rule asks for Contract, and nobody gathers that" in skipped["ACME001"]
    assert "annotate it with Contracts" in skipped["ACME001"]
