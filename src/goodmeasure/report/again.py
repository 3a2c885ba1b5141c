"""The lines that ask the same question again, on a command line and in Python."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from glob import has_magic
from itertools import product

from goodmeasure.decisions.costs import ClassCosts
from goodmeasure.making.loss import Loss
from goodmeasure.reading.frames import IN_MEMORY
from goodmeasure.reading.paths import STANDARD_INPUT
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.label_costs import LabelCosts
from goodmeasure.study.names import plain_label
from goodmeasure.study.question import cost_words
from goodmeasure.study.study import Study


def command(study: Study) -> str:
    """The command line that asks the same question of a file; empty where the table was none."""
    if (source := _typed(study)) is None:
        return ""
    question = study.question
    parts = ["goodmeasure", "run", source, "--target", question.target]
    for name in (
        "positive",
        "ask",
        "represents",
        "activation",
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
    parts += [part for cost in _costs(study) for part in ("--cost", cost)]
    parts += [] if question.prevalence is None else ["--prevalence", f"{question.prevalence:.15g}"]
    parts += [part for shift in question.shift for part in ("--shift", str(shift))]
    for name, value in (("test", study.test), ("where", study.where), ("like", question.like)):
        parts += [] if value is None else [f"--{name}", value]
    parts += ["--learn-time"] if question.learn_time else []
    parts += [part for name in question.exclude for part in ("--exclude", name)]
    parts += [part for name in question.by for part in ("--by", name)]
    parts += [part for floor in question.floors for part in ("--floor", f"{floor.share}={floor.least:g}")]
    parts += [] if question.budget is None else ["--budget", str(question.budget)]
    parts += [part for loss in _losses(study) for part in ("--loss", str(loss))]
    parts += [part for model in _models(study) for part in ("--model", model)]
    parts += [part for name, value in _engine(study).items() for part in (f"--{name}", value)]
    parts += [] if question.protocol == "auto" else ["--protocol", question.protocol]
    if question.conformal is not None:
        parts += ["--conformal" if question.conformal else "--no-conformal"]
    parts += ["--seed", str(question.seed)]
    return shlex.join(parts)


def _typed(study: Study) -> str | None:
    """What is typed to read the table; None where it was handed over in memory."""
    if study.source == IN_MEMORY and study.digests.get(IN_MEMORY) is None:
        return None
    return "-" if study.source == STANDARD_INPUT else study.source


def _costs(study: Study) -> list[str]:
    """What errors cost, as the command line has it."""
    costs = study.question.costs
    if isinstance(costs, ClassCosts):
        names = [plain_label(label) for label in study.plan.labels]
        pairs = product(names, names)
        return [
            f"{true}->{said}={cost:.15g}"
            for (true, said), cost in zip(pairs, costs.matrix.flat, strict=True)
            if cost or true != said
        ]
    assert not isinstance(costs, LabelCosts), "a study has settled them"
    return cost_words(costs)


def _engine(study: Study) -> dict[str, str]:
    """Who read all rows, where someone did."""
    given = {} if study.engine is None else study.engine._asdict()
    return {name if name == "scheduler" else "engine": value for name, value in given.items() if value is not None}


def _losses(study: Study) -> list[Loss]:
    """The losses that were named."""
    return list(dict.fromkeys(each.loss for each in study.asked or (study.question,) if each.loss is not None))


def _models(study: Study) -> list[str]:
    return list(dict.fromkeys(each.model for each in study.asked or (study.question,)))


def same_rows(study: Study) -> Iterator[str]:
    """How to tell whether each table is the one that was read."""
    for source, digest in study.digests.items():
        if digest is None:
            yield "A table was handed over in memory: it has no file, and so no hash that tells it from another."
        else:
            of = f"{source}, all its files one after the other," if has_magic(source) else source
            yield f"The SHA-256 of {of} begins with {digest} (sha256sum prints it): other bytes may give other numbers."


def python(study: Study) -> str:
    """The lines of Python that ask the same question."""
    question = study.question
    asked = {
        name: value
        for name, value in vars(question).items()
        if not (value in (None, ()) or name == "target" or (name == "learn_time" and not value))
    }
    costs, losses, models = asked.pop("costs", None), _losses(study), _models(study)
    asked.pop("loss", None)
    if question.floors:
        asked["floors"] = [f"{floor.share}={floor.least:g}" for floor in question.floors]
    asked["model"] = models[0] if len(models) == 1 else models
    source = _typed(study)
    arguments = [IN_MEMORY if source is None else repr(source), repr(question.target)]
    if costs is not None:
        given = ", ".join(f"{k}={v!r}" for k, v in costs.to_dict().items() if v)
        by_column = isinstance(costs, ColumnCosts)
        arguments.append(f"costs={dict(costs.each)}" if by_column else f"costs=gm.{type(costs).__name__}({given})")
    if question.shift:
        asked["shift"] = list(map(str, question.shift))
    if losses:
        named = ", ".join(f"gm.losses.{loss}" for loss in losses)
        arguments.append(f"loss={named}" if len(losses) == 1 else f"loss=[{named}]")
    asked |= {name: value for name, value in (("test", study.test), ("where", study.where)) if value is not None}
    asked |= _engine(study)
    arguments += [f"{name}={value!r}" for name, value in asked.items()]
    return f"import goodmeasure as gm\n\nstudy = gm.run({', '.join(arguments)})\nprint(study)"
