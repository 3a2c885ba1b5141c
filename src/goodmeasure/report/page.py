"""The report of a study as one HTML page: readable offline and without JavaScript, with every name from the table escaped."""

from __future__ import annotations

import json
from platform import python_version
from typing import Any

import numpy as np

from goodmeasure.drawing.terminal import word
from goodmeasure.keeping.compiling import installed
from goodmeasure.report import sentences
from goodmeasure.report.acting import of_study, yes_no_curves
from goodmeasure.report.again import command, python, same_rows
from goodmeasure.report.classes import taken
from goodmeasure.report.figures import drawn, effects_drawn, groups_drawn
from goodmeasure.report.tiles import tiles
from goodmeasure.report.web import AGAIN, CUT, PRICES, rendered
from goodmeasure.study.names import plain_label
from goodmeasure.study.question import MODELS
from goodmeasure.study.study import MODEL_FILE, Study

# Columns beyond these are folded away.
MOST_EFFECTS = 10


def page(study: Study) -> str:
    """The page of a study."""
    found, verdict = yes_no_curves(study), study.verdict
    acted, pictures = of_study(study, found), drawn(study, found)
    return rendered(
        "report.html",
        _embedded(study),
        acted,
        verdict.following,
        title=f"{study.question.target}: {verdict.word}",
        tone=sentences.TONES[verdict.word],
        over=f"{study.source}, {study.prepared.rows}",
        lead=verdict.sentences[0],
        tiles=tiles(study),
        risk_caption=f"Mean loss ({study.plan.loss}) with 95 % intervals; less is better.",
        pictures=pictures,
        questions=_questions(study, is_cut=acted is not None, is_priced="prices" in pictures),
        foot=(
            f", NumPy {np.__version__}, Python {python_version()}; seed {study.question.seed}; "
            f"{study.seconds:.1f} s{_engine()}."
        ),
        **_content(study),
    )


def _engine() -> str:
    """What computed, where it is not what the usual times are of."""
    return "" if installed() else " without compiled kernels"


def _questions(study: Study, *, is_cut: bool, is_priced: bool) -> dict[str, str]:
    """The headings of the sections by their names, in order."""
    meant = "When it says 70 %, is it 70 %?" if study.plan.labels else "Do predictions mean what they say?"
    return {
        "meaning": "What does good mean here?",
        "risk": "How bad is it on rows it never saw?",
        "signal": "Who carries the loss?",
        "calibration": meant,
        "decision": CUT if is_cut else "What should I do with it?",
        **({"prices": PRICES} if is_priced else {}),
        **({"groups": "For whom is it worse?"} if study.segments.sentences else {}),
        **({"effects": "What does the model look at?"} if study.effects.each else {}),
        **({"comparison": "Would another loss or model do better?"} if study.comparison is not None else {}),
        "training": "How was it trained?",
        "remarks": "What else was noticed?",
        "again": AGAIN,
    }


def _content(study: Study) -> dict[str, Any]:
    return {
        "study": study,
        "verdict": study.verdict,
        "model_name": MODELS[study.question.model],
        "weighed": study.prepared.reweighed and sentences.weighed_line(study.prepared.reweighed),
        "model_file": word(study.model_file or MODEL_FILE),
        "target_line": _target(study),
        "signal_lines": str(study.judged.signal).splitlines(),
        "share_lines": sentences.share_lines(study),
        "decision_lines": sentences.decision_lines(study),
        "rule_names": sentences.NAMES,
        "said": sentences.said,
        "takes_costs": sentences.takes_costs,
        "costs_to_name": sentences.costs_to_name,
        "effect_pictures": effects_drawn(study),
        "group_pictures": groups_drawn(study),
        "most_effects": MOST_EFFECTS,
        "taken": taken(study),
        "below": _below(study),
        "shown": sentences.shown,
        "command": command(study),
        "python": python(study),
        "same_rows": list(same_rows(study)),
    }


def _target(study: Study) -> str:
    plan = study.plan
    if len(plan.labels) == 2:
        return f"yes is {plan.labels[1]}, no is {plan.labels[0]}"
    if plan.loss.is_graded:
        return f"{len(plan.labels)} grades, from the lowest on: {' < '.join(map(plain_label, plan.labels))}"
    return f"{len(plan.labels)} classes" if plan.labels else str(plan.represents)


def _below(study: Study) -> str:
    """Of a quantile: how many of the reported rows lie below it, beside how many should."""
    level, report = study.plan.level, study.prepared.report
    if level is None or study.judged.prediction.ndim > 1:
        return ""
    share = float(np.average(report.y <= study.judged.prediction, weights=report.weights))
    return f"{share:.1%} of the reported rows lie at or below the prediction, of which {level:.1%} were asked for."


def _embedded(study: Study) -> str:
    """The numbers of the page for programs, without curves."""
    found = study.to_dict()
    for part in ("before", "after"):
        if found["calibration"][part] is not None:
            found["calibration"][part].pop("curve")
            found["calibration"][part].pop("classes")
    found["plan"].pop("code")
    return json.dumps(found, allow_nan=False, ensure_ascii=True)
