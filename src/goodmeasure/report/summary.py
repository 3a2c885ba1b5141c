"""A study on a terminal: a few labelled lines, worst news not left out, the next step last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import zip_longest

import click

from goodmeasure.drawing.terminal import printable, word
from goodmeasure.fitting.certificate import Certificate
from goodmeasure.report.sentences import (
    TONES,
    costs_to_name,
    decision_lines,
    metric_line,
    share_lines,
    signal_line,
    skill_line,
    takes_costs,
    weighed_line,
)
from goodmeasure.study.question import MODELS
from goodmeasure.study.study import MODEL_FILE, Study
from goodmeasure.study.verdict import number

LABEL = 14
MOST_REMARKS = 6
MOST_EFFECTS = 3
_COLOURS = {"good": "green", "care": "yellow", "bad": "red"}


def summary(study: Study, written: list[str], *, width: int = 100, head: str = "goodmeasure run") -> str:
    """The summary of a study for a terminal of this width; ``written`` are the paths of the files."""
    title = f"{head}: {study.source}, target {study.question.target}, {study.prepared.rows}"
    titled = textwrap.wrap(printable(title), width, subsequent_indent="  ", break_on_hyphens=False)
    lines = [*(click.style(line, bold=True) for line in titled), ""]
    for label, text in rows(study):
        found = labelled(label, text, width)
        lines += [_coloured(found[0], study.verdict.word), *found[1:]] if label == "verdict" else found
    lines += _remarks(study, width)
    lines += ["", *labelled("wrote", ", ".join(written), width), *labelled("next", _following(study, written), width)]
    return "\n".join(lines)


def rows(study: Study) -> Iterator[tuple[str, str]]:
    """What the terminal says of a study: a name and a line each; a line without a name belongs to the one before it."""
    plan, judged, verdict = study.plan, study.judged, study.verdict
    yield "meaning", f"{_target(study)} -> {plan.activation.name} -> {plan.loss}, which asks for the {plan.asks_for}"
    for question in plan.questions:
        yield "question", str(question)
    yield "rows", str(study.prepared.split)
    if study.prepared.reweighed is not None:
        yield "weighed", weighed_line(study.prepared.reweighed)
    yield "trained", _trained(study)
    yield "risk", verdict.sentences[0]
    yield "", verdict.sentences[1]
    if judged.report.skill is not None:
        yield "", skill_line(judged.report.skill)
    for caution in filter(None, (*judged.report.cautions, judged.report.leaning)):
        yield "", caution
    for found in judged.metrics:
        yield found.metric.name.replace("_", " "), metric_line(found)
    yield "signal", signal_line(judged.signal)
    yield "calibration", verdict.sentences[2]
    yield from zip_longest(("quantiles",), share_lines(study), fillvalue="") if judged.shares else ()
    for k, effect in enumerate(study.effects.each[:MOST_EFFECTS]):
        yield "" if k else "effects", effect.sentence
    if (more := len(study.effects.each) - MOST_EFFECTS) > 0:
        yield "", f"and {more} more {'column' if more == 1 else 'columns'} in the report"
    groups = study.segments.sentences
    yield from zip(("worse for", *[""] * MOST_EFFECTS), groups[:MOST_EFFECTS], strict=False)
    if (more := len(groups) - MOST_EFFECTS) > 0:
        yield "", f"and {more} more {'group' if more == 1 else 'groups'} in the report"
    yield from decision_lines(study)
    for aim in study.aims:
        yield "aim", aim.sentence
    if study.comparison is not None:
        lines = (study.comparison.chosen, *study.comparison.sentences)
        yield from zip(("compared", *[""] * len(lines)), lines, strict=False)
    yield "verdict", f"{verdict.word}: {verdict.following}"


def _coloured(line: str, word: str) -> str:
    return line.replace(word, click.style(word, fg=_COLOURS[TONES[word]], bold=True), 1)


def _target(study: Study) -> str:
    plan = study.plan
    if len(plan.labels) == 2:
        share = float(study.prepared.report.y.mean())
        return f"yes ({plan.labels[1]}, {share:.1%} of the reported rows) or no ({plan.labels[0]})"
    if plan.labels:
        return f"one of {len(plan.labels)} {'grades' if plan.loss.is_graded else 'classes'}"
    return str(plan.represents)


def _trained(study: Study) -> str:
    trained = study.trained
    kind = MODELS[study.question.model]
    features = len(study.prepared.columns.features)
    columns = f"{features:,} {'column' if features == 1 else 'columns'}"
    rows = "" if study.engine is None else f", fitted to {trained.rows:,} rows by {study.engine.name}"
    text = f"{kind} on {columns}{rows}; {trained.setting} {number(trained.chosen)}, chosen on {trained.chosen_on}"
    return text + (f"; {_surely(trained.certificate)}" if trained.certificate is not None else "")


def _surely(certificate: Certificate) -> str:
    """What the fit reached, in a few words; the report has the rest."""
    if certificate.gap is None:
        return f"the fit is {certificate.status.value}"
    return f"the fit is {certificate.status.value} within {certificate.gap:.0e}"


def labelled(label: str, text: str, width: int) -> list[str]:
    """A label and a text as lines of a terminal."""
    parts = textwrap.wrap(
        printable(text), max(width - LABEL - 2, 30), break_long_words=False, break_on_hyphens=False
    ) or [""]
    pad = " " * (LABEL + 2)
    return [f"  {click.style(f'{label:{LABEL}}', dim=True)}{parts[0]}", *(pad + part for part in parts[1:])]


def _remarks(study: Study, width: int) -> list[str]:
    order = ("error", "warning", "note")
    found = sorted(study.remarks, key=lambda r: order.index(r.severity))
    lines = [""] if found else []
    for remark in found[:MOST_REMARKS]:
        text = remark.what + (f" ({remark.fix})" if remark.fix else "")
        lines += labelled(f"{remark.code} {remark.severity[:7]}", text, width)
    if len(found) > MOST_REMARKS:
        lines.append(f"  and {len(found) - MOST_REMARKS} more in the report")
    return lines


def _following(study: Study, written: list[str]) -> str:
    report = next((path for path in written if path.endswith(".html")), "report.html")
    model = study.model_file or MODEL_FILE
    return f"open {word(report)}; goodmeasure predict {word(model)} NEW.csv{_cost_hint(study)}"


def _cost_hint(study: Study) -> str:
    if study.question.costs is not None or not takes_costs(study):
        return ""
    return f"; for a decision, say what errors cost: {costs_to_name(study)}"
