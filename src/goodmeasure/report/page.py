"""The report as one HTML page: readable offline and without JavaScript, with every name from the table escaped."""

from __future__ import annotations

import json
import shlex
from functools import cache
from typing import Any

import numpy as np

from goodmeasure import __version__
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.thresholds import cuts
from goodmeasure.drawing import pictures
from goodmeasure.drawing.terminal import word
from goodmeasure.making.loss import Loss
from goodmeasure.report import sentences
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.question import MODELS
from goodmeasure.study.study import MODEL_FILE, Study
from goodmeasure.study.verdict import interval, number

# Probabilities of yes/no are drawn from .002 to .998: beyond, the loss of a wrong answer would leave the picture.
_SURE = 6.0
# What the page may fetch or run: nothing. Styles stand in the page itself.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(study: Study) -> str:
    """The page of a study."""
    return str(_template().render(study=study, policy=POLICY, version=__version__, **_content(study)))


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("goodmeasure.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "interval": interval}
    return environment.get_template("report.html")


def _content(study: Study) -> dict[str, Any]:
    from markupsafe import Markup

    inline = {name: Markup(svg) for name, svg in drawn(study).items()}  # our own SVG, whose texts are escaped
    return {
        "pictures": inline,
        "verdict": study.verdict,
        "model_file": word(study.model_file or MODEL_FILE),
        "target_line": _target(study),
        "trained": MODELS[study.question.model],
        "signal_text": str(study.judged.signal),
        "decision_lines": sentences.decision_lines(study),
        "rule_names": sentences.NAMES,
        "metric_line": sentences.metric_line,
        "said": sentences.said,
        "takes_costs": sentences.takes_costs,
        "command": command(study),
        "python": python(study),
        "data": Markup(_embedded(study)),
    }


def _target(study: Study) -> str:
    plan = study.plan
    if len(plan.labels) == 2:
        return f"yes is {plan.labels[1]}, no is {plan.labels[0]}"
    return f"{len(plan.labels)} classes" if plan.labels else str(plan.represents)


# --- pictures ---


def drawn(study: Study) -> dict[str, str]:
    """Every picture of the page that this study has, by name."""
    judged, report = study.judged, study.prepared.report
    raw, prediction = judged.raw, judged.prediction
    loss = study.plan.loss
    found = {"risks": pictures.risks(_risks(study))}
    if raw.ndim == 1:
        found["loss"] = pictures.loss_and_signal(*_loss_curves(loss, _targets(study), raw))
    after = None if judged.after is None or judged.recalibrated is None else judged.after.curve
    unit = bool(study.plan.labels)
    found["calibration"] = pictures.calibration_curves(judged.before.curve, after, unit)
    if prediction.ndim == 1:
        shown = pictures.spread if unit else pictures.amounts
        found["spread" if unit else "amounts"] = shown(prediction, report.y)
    found["carried"] = pictures.concentration(_carried(study, raw))
    trained = study.trained
    found["choice"] = pictures.choice(trained.path, trained.setting, trained.chosen)
    if study.decided is not None and isinstance(study.decided.costs, Costs):
        found["costs"] = pictures.cost_curve(*_cost_curve(study, study.decided.costs, prediction))
    return found


def _risks(study: Study) -> list[tuple[str, float, float, float]]:
    judged = study.judged
    assert judged.report.constant_risk is not None
    rows = (
        ("rows to report", judged.report),
        ("rows to fit", judged.fit),
        ("best constant", judged.report.constant_risk),
    )
    return [(name, r.value, r.low, r.high) for name, r in rows]


def _loss_curves(
    loss: Loss, targets: list[tuple[str, float]], raw: Floats
) -> tuple[Floats, list[tuple[str, Floats, Floats]]]:
    """Predictions over the raw outputs that occur, with the loss and the signal of each for a few targets."""
    low, high = np.quantile(raw, [0.005, 0.995])
    pad = max(0.15 * (high - low), 0.5)
    ends = (-_SURE, _SURE) if loss.is_binary else (low - pad, high + pad)
    z = np.linspace(float(ends[0]), float(ends[1]), 240)
    rows = [(name, np.full(len(z), y)) for name, y in targets]
    return np.asarray(loss.predict(z)), [(name, loss.value(y, z), loss.gradient(y, z)) for name, y in rows]


def _targets(study: Study) -> list[tuple[str, float]]:
    if study.plan.labels:
        return [(f"{study.plan.labels[1]}", 1.0), (f"{study.plan.labels[0]}", 0.0)]
    middle = np.quantile(study.prepared.fit.y, [0.5, 0.9, 0.1])
    return [(f"target {number(value)}", float(value)) for value in np.unique(middle)]


def _carried(study: Study, raw: Floats) -> list[tuple[str, Floats]]:
    report, loss = study.prepared.report, study.plan.loss
    values = np.asarray(loss.value(report.y, raw), dtype=np.float64)
    pulls = np.abs(np.asarray(loss.gradient(report.y, raw), dtype=np.float64))
    pulls = pulls if pulls.ndim == 1 else pulls.sum(axis=1)
    curves = [("signal", pulls * report.weights)]
    return [("loss", values * report.weights), *curves] if values.min() >= 0 else curves


def _cost_curve(study: Study, costs: Costs, p: Floats) -> tuple[Floats, Floats, list[tuple[str, float, float]]]:
    assert study.decided is not None
    cases = study.prepared.report
    found = cuts(p, costs.of_acting(cases.y), costs.of_leaving(cases.y), cases.weights)
    thresholds = np.concatenate([[0.0], found.scores])
    place, cost = pictures.thinned(thresholds, np.concatenate([found.cost[:1], found.cost[1:]]))
    shown = ("costs", "tuned", "half")
    marks = [
        (sentences.NAMES[r.name], r.threshold, r.cost.value)
        for r in study.decided.rules
        if r.name in shown and r.threshold is not None and np.isfinite(r.threshold)
    ]
    return place, cost, marks


# --- how to get it again ---


def command(study: Study) -> str:
    """The command line that asks the same question."""
    question = study.question
    parts = ["goodmeasure", "run", study.source, "--target", question.target]
    for name in (
        "positive",
        "ask",
        "represents",
        "outliers",
        "metric",
        "weights",
        "exposure",
        "group",
        "time",
        "rare_classes",
        "decimal",
        "dates",
    ):
        if (value := getattr(question, name)) is not None:
            parts += [f"--{name.replace('_', '-')}", str(value)]
    if question.costs is not None:
        short = {"false_negative": "fn", "false_positive": "fp", "true_positive": "tp", "true_negative": "tn"}
        for name, value in question.costs.to_dict().items():
            if value or name not in ("true_positive", "true_negative"):
                parts += ["--cost", f"{short.get(name, name)}={value:g}"]
    for name, value in (("test", study.test), ("where", study.where)):
        parts += [] if value is None else [f"--{name}", value]
    for name in question.exclude:
        parts += ["--exclude", name]
    parts += ["--model", question.model, "--seed", str(question.seed)]
    return shlex.join(parts)


def python(study: Study) -> str:
    """The lines of Python that ask the same question."""
    question = study.question
    asked = {name: value for name, value in vars(question).items() if value not in (None, ()) and name != "target"}
    costs = asked.pop("costs", None)
    arguments = [repr(study.source), repr(question.target)]
    if costs is not None:
        given = ", ".join(f"{k}={v:g}" for k, v in costs.to_dict().items() if v)
        arguments.append(f"costs=gm.{type(costs).__name__}({given})")
    asked |= {name: value for name, value in (("test", study.test), ("where", study.where)) if value is not None}
    arguments += [f"{name}={value!r}" for name, value in asked.items()]
    return f"import goodmeasure as gm\n\nstudy = gm.run({', '.join(arguments)})\nprint(study)"


def _embedded(study: Study) -> str:
    """The numbers of the page for programs, without curves; nothing in it can end the element that holds it."""
    found = study.to_dict()
    for part in ("before", "after"):
        if found["calibration"][part] is not None:
            found["calibration"][part].pop("curve")
            found["calibration"][part].pop("classes")
    found["plan"].pop("code")
    text = json.dumps(found, allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
