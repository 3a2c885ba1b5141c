"""The lines that ask the same question again, on a command line and in Python."""

from __future__ import annotations

import shlex

from goodmeasure.reading.frames import IN_MEMORY
from goodmeasure.study.study import Study


def command(study: Study) -> str:
    """The command line that asks the same question of a file; empty where the table was none."""
    if study.source == IN_MEMORY:
        return ""
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
    arguments = [IN_MEMORY if study.source == IN_MEMORY else repr(study.source), repr(question.target)]
    if costs is not None:
        given = ", ".join(f"{k}={v:g}" for k, v in costs.to_dict().items() if v)
        arguments.append(f"costs=gm.{type(costs).__name__}({given})")
    asked |= {name: value for name, value in (("test", study.test), ("where", study.where)) if value is not None}
    arguments += [f"{name}={value!r}" for name, value in asked.items()]
    return f"import goodmeasure as gm\n\nstudy = gm.run({', '.join(arguments)})\nprint(study)"
