"""The page of the audit's rules: docs/audit.md, with what audit_findings.py found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import audit_findings

import audit_scripts
from goodmeasure.auditing.rule import Rule, all_rules

PAGE = Path(__file__).resolve().parent.parent / "docs" / "audit.md"
SAID = ("raises", "warns", "silent")

HEAD = """# The audit: every rule, its evidence, and what others say

Made by `make pages` from the rules and from `tests/audit_programs`. `goodmeasure explain CODE` prints the page of a rule. The
evidence is named after the classes of `goodmeasure.auditing.evidence`. "Programs" counts the wrong fixture programs in which a
rule speaks; the last column says what the framework does when the same programs are run without an audit.

An audit looks at what it is handed. A program of NumPy hands over `outputs` and `targets`, and with them what it has of
`loss`, `grad`, `train`, `decide` and `score`; one of a framework its `model`, `loss`, `inputs`, `targets`, `step` and
`optimizer`. Where nothing is found and few rules passed, the report says which arguments the others wanted, and how many
rules each; the script itself, audited as it runs (`goodmeasure audit train.py`), hands over everything.

| code | severity | what | evidence | programs | the framework |
|---|---|---|---|---|---|"""

PEERS = """Measured on 110 other programs with such faults, reproduced from public threads: frameworks raise on 5
and warn on 4, the linter for PyTorch finds none, and the best testing package finds 18 of the 86 in torch and blames 6
of 125 right ones."""


def page() -> str:
    """A line for each rule, with its evidence and what frameworks say about the programs that show it."""
    found = json.loads(audit_findings.PAGE.read_text(encoding="utf-8")).values()
    scripts = json.loads(audit_scripts.PAGE.read_text(encoding="utf-8"))
    return "\n".join(
        [HEAD, *(line(rule, found) for rule in all_rules()), "", total(found), "", PEERS, "", *as_they_are(scripts), ""]
    )


def line(rule: Rule, found: Iterable[dict[str, Any]]) -> str:
    """What is said of one rule."""
    hosts = [row["host"] for row in found if rule.code in row["codes"]]
    said = ", ".join(f"{hosts.count(word)} {word}" for word in SAID if word in hosts) or "-"
    needs = ", ".join(need.kind + ("" if need.required else "?") for need in rule.needs.values())
    return f"| {rule.code} | {rule.severity} | {rule.title} | {needs} | {len(hosts)} | {said} |"


def total(found: Iterable[dict[str, Any]]) -> str:
    """What is said of all programs."""
    hosts = [row["host"] for row in found]
    return (
        f"Of the {len(hosts)} wrong programs here, frameworks raise on {hosts.count('raises')} and warn on "
        f"{hosts.count('warns')}; torchfix 0.7.0 with all its rules on finds 0."
    )


AS_THEY_ARE = """## Programs as they are

`goodmeasure audit train.py -- ARGS`, `goodmeasure audit -m package.train` and `goodmeasure audit analysis.ipynb` run a program
itself, unchanged, in a process of its own, and observe it at the seams of its libraries: forward and backward passes,
optimizers, schedules and loaders of torch (and so of Lightning), `fit` of Keras, estimators,
splits and metrics of scikit-learn, `train` and `fit` of XGBoost and LightGBM. In a test or a notebook, `with gm.watch():`
observes what runs inside.

- After `--steps 3` training steps the loaders of batches end, as if the data were over; every later epoch gets one batch, and
  evaluation a few seconds. A loop over a `range`, a `zip`, an `enumerate`, a `map` or `reversed` ends too, as if it had run out:
  the innermost after its turn, those around it after the second turn in which they train; a `while` is left for the statement
  behind it. A loop that cannot be left (over something else, or a `while` that is the last of its function) goes on for three
  seconds. `--stop` ends the program at the last step, `--all` runs it whole, and `--budget` ends it wherever it is. A program
  that does not come back from a library when its time is over is judged where it stands, and its process ends without its exit
  handlers; where the library lets nothing else run, the line is told, and nothing more is known (GM191). The report lists the
  lines that were not reached.
- A second and a third training in one program, each with an optimizer of its own, are looked at too: a teacher and its student.
- From the first cut on, the program is ended where it is about to write, rename or remove a file, start a process or reach a
  service: nothing half-trained overwrites anything. Exit handlers and `finally` run. A program that was not cut writes what it
  always writes. Files and databases of SQLite that were opened before are refused to it too (a statement that changes a database
  is one that is not allowed), and the names of all files that were open for writing are told: what other code than Python
  writes there is not stopped.
- Workers of loaders are not started: batches are made in the process itself. Compiled models run as plain Python.
- The loss is what `backward` is called on. What was computed between the output of the model and the loss is repeated on copies
  with other outputs and other targets; a finding of one batch that a second batch does not show is chance, and is not reported.
- What follows from another finding is not reported beside it: the first cause stands there, as severe as what it causes.
- "Nothing found" stands above the list of what was looked at. A program in which nothing was seen is an error (GM192), and so
  is one that stops by itself (GM190, after the findings so far).

What cannot be seen from a run: what a number is meant for (a mask, a cost, a probability that nobody scores), what other
processes and threads compute, what other code than Python writes to a file that
was opened before the cut, losses that are made outside torch
or in an operation written in C++, columns that give the target away without
being it, and metrics that are imported before `gm.watch` begins. Nor whether a class that does not occur ever will, whether an
output that nothing scores yet is meant to be scored, whether a sum over channels that is divided by the number of time steps is
meant (squared distances are averaged so), whether large rewards are good where no variable is called so, which of two items a
ranking loss ought to prefer, whether rows and targets were shuffled apart, what NumPy makes of predictions (a sigmoid by hand of
what a booster said), and whether a part that no optimizer holds was meant to learn.

Once the first steps were looked at, a step that is observed takes 1.08 times as long where it is nearly all Python (three small
layers), 1.05 times in forty small modules, and no longer in layers of 512 units (`python -m benchmarks.observing`).

Lines that are ready: in a workflow, whose code host shows the findings beside their lines,

```yaml
- run: goodmeasure audit train.py --fail-on warning --format sarif -- --epochs 1 > audit.sarif
```

and in a test:

```python
def test_training_is_sound():
    with gm.watch(report=print) as watching:
        train(epochs=1)
    assert watching.audit.looked_at and watching.audit.ok, str(watching.audit)
```
"""


def as_they_are(scripts: dict[str, dict[str, Any]]) -> list[str]:
    """What is said of whole scripts, and what was found in those of the tests."""
    wrong = {name: row for name, row in scripts.items() if name.startswith("bad_")}
    right = {name: row for name, row in scripts.items() if name not in wrong}
    found, blamed = (sum(bool(row["codes"]) for row in rows) for rows in (wrong.values(), right.values()))
    slowest = max(row["seconds"] for row in scripts.values())
    figures = (
        f"Of the {len(wrong)} wrong scripts in `tests/audit_scripts`, {found} are found; of the {len(right)} "
        f"right ones, {blamed} are blamed.\nThe slowest takes {slowest:g} s of CPU after its imports."
    )
    table = [
        "| script | found | seconds |",
        "|---|---|---|",
        *(f"| {said(name)} | {' '.join(row['codes'])} | {row['seconds']:g} |" for name, row in wrong.items()),
        *(
            f"| {said(name)} | {' '.join(row['codes']) or 'nothing'} | {row['seconds']:g} |"
            for name, row in right.items()
        ),
    ]
    return [AS_THEY_ARE, figures, "", FIRST_CONTACT, "", *table]


FIRST_CONTACT = """At first contact, before anything was changed for them:

| programs that were new to the rules | wrong ones found | right ones blamed |
|---|---|---|
| 413 programs of the other tests, trained for four steps by a script that declares nothing | 142 of 172 | 15 of 241 |
| the last whole scripts of a first series | 12 of 15 | 1 of 27 |
| 27 whole scripts of kinds that were missed before | 4 of 17 | 0 of 10 |
| 13 more of these kinds, kept aside | 0 of 8 | 0 of 5 |
| the same 13, once the 27 had been looked at (14 of 17 found) and they had not | 2 of 8 | 1 of 5 |
| 27 whole programs of a further series, in many styles | 9 of 16 | 2 of 11 |
| 13 more of that series, kept aside | 3 of 8 | 0 of 5 |
| the same 13, once the 27 had been looked at (16 of 16 found) and they had not | 3 of 8 | 0 of 5 |
| 64 programs of a stranger | 23 of 34 | 2 of 30 |
| 23 programs in other idioms, written beside the rules that those had led to | 7 of 11 | 0 of 12 |
| 43 programs of another stranger, after all these | 18 of 22 | 0 of 21 |

None of the right ones is blamed now."""


def said(name: str) -> str:
    """The name of a script in words."""
    kind, _, words = name.partition("_")
    return words.replace("_", " ") if kind == "bad" else f"right: {words.replace('_', ' ')}"
