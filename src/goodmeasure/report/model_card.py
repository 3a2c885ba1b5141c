"""The model card of a study: what the model is for and how good it is, in Markdown with the front matter of Hugging Face's hub.

Source: Mitchell and others 2019, Model cards for model reporting.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from goodmeasure.drawing.terminal import printable, word
from goodmeasure.report import again
from goodmeasure.report.summary import rows
from goodmeasure.study.study import MODEL_FILE, Study

# What every card begins with.
MARK = '---\nlibrary_name: "goodmeasure"\n'
# What the summary calls each line, by the section of the card in which it stands; those that are not named are numbers.
_SECTIONS = {
    "meaning": "What it predicts",
    "question": "What it predicts",
    "rows": "How it was trained",
    "trained": "How it was trained",
    "decision": "How to act on it",
    "weights": "How to act on it",
    "aim": "How to act on it",
    "effects": "What it looks at",
    "compared": "What else was tried",
    "verdict": "Verdict",
}
_NUMBERS = "How good it is on rows it never saw"
_ORDER = (
    "Verdict",
    "What it predicts",
    _NUMBERS,
    "How to act on it",
    "What it looks at",
    "How it was trained",
    "What else was tried",
)
# What begins or ends something in Markdown or HTML, wherever it stands in a line.
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")


def card(study: Study) -> str:
    """The card of a study."""
    parts = [_front(study), f"# {_plain(study.question.target)}", *_described(study), *_limits(study), *_use(study)]
    return "\n\n".join(parts) + "\n"


def _front(study: Study) -> str:
    """What programs read of it: each value is JSON, which is YAML too, so that no name can break out of its place."""
    kind = "tabular-classification" if study.plan.labels else "tabular-regression"
    found = {
        "library_name": "goodmeasure",
        "tags": ["goodmeasure", kind],
        "model-index": [
            {
                "name": study.question.target,
                "results": [
                    {
                        "task": {"type": kind},
                        "dataset": {"type": "table", "name": study.source, "split": "reported"},
                        "metrics": list(_metrics(study)),
                    }
                ],
            }
        ],
    }
    return "\n".join(
        ["---", *(f"{name}: {json.dumps(value, allow_nan=False)}" for name, value in found.items()), "---"]
    )


def _metrics(study: Study) -> Iterator[dict[str, Any]]:
    """What was measured on the reported rows, where it is a number."""
    risk, measured = study.judged.report, study.judged.metrics
    found = [("loss", f"mean {study.plan.loss}", risk.value)]
    found += [] if risk.skill is None else [("skill", "skill", risk.skill.value)]
    found += [(one.metric.name, one.metric.name.replace("_", " "), one.report.value) for one in measured]
    for kind, name, value in found:
        if math.isfinite(value):
            yield {"type": kind, "name": name, "value": value}


def _described(study: Study) -> Iterator[str]:
    """The lines of the summary, each in its section."""
    held: dict[str, list[str]] = {name: [] for name in _ORDER}
    section = ""
    for label, text in rows(study):
        section = _SECTIONS.get(label, _NUMBERS) if label else section
        held[section].append(f"- {f'**{_plain(label)}**: ' if label else ''}{_plain(text)}")
    for name in _ORDER:
        if held[name]:
            yield f"## {name}"
            yield "\n".join(held[name])


def _limits(study: Study) -> Iterator[str]:
    yield "## What was noticed"
    lines = [f"- {remark.code} {remark.severity}: {_plain(remark.what)}" for remark in study.remarks]
    yield "\n".join(lines) or "Nothing, by the checks that `goodmeasure run` makes."


def _use(study: Study) -> Iterator[str]:
    yield "## How to use it"
    yield _fenced(f"goodmeasure predict {word(MODEL_FILE)} NEW.csv --out predicted.csv")
    yield "## How to get these numbers again"
    yield _fenced(again.command(study) or again.python(study))
    yield from map(_plain, again.same_rows(study))


def _fenced(code: str) -> str:
    """A block of code, between fences longer than any that stands in it."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{printable(code)}\n{fence}"


def _plain(text: str) -> str:
    """A text on one line in which nothing is a mark of Markdown."""
    return _MARKS.sub(r"\\\1", printable(str(text)).replace("\n", " "))
