"""The report as one HTML page: readable offline and without JavaScript, with every name from the table escaped."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from goodmeasure import __version__
from goodmeasure.drawing.terminal import word
from goodmeasure.report import sentences
from goodmeasure.report.acting import NAMES, acting, in_page
from goodmeasure.report.again import command, python
from goodmeasure.report.figures import drawn
from goodmeasure.report.tiles import tiles
from goodmeasure.study.question import MODELS
from goodmeasure.study.study import MODEL_FILE, Study
from goodmeasure.study.verdict import interval, number


def page(study: Study) -> str:
    """The page of a study."""
    return str(_template().render(study=study, version=__version__, **_content(study)))


@cache
def script() -> str:
    """The page's only script, which changes what the page already shows."""
    return (files("goodmeasure.report") / "templates" / "report.js").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """What the page may fetch or run: nothing but its own styles, and the one script by its hash."""
    digest = b64encode(sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; connect-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


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
    environment.filters |= {"number": number, "interval": interval, "sentence": _sentence}
    return environment.get_template("report.html")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _content(study: Study) -> dict[str, Any]:
    from markupsafe import Markup

    acted = acting(study)
    pictures = drawn(study)
    return {
        "pictures": pictures,
        "svg": lambda picture: Markup("".join(picture.parts())),  # our own SVG, whose texts are escaped
        "acting": acted,
        "acting_data": Markup("" if acted is None else acted.data()),
        "kinds": NAMES,
        "tiles": tiles(study),
        "verdict": study.verdict,
        "model_name": MODELS[study.question.model],
        "is_line": study.verdict.following.startswith(("goodmeasure ", "study.")),
        "model_file": word(study.model_file or MODEL_FILE),
        "target_line": _target(study),
        "signal_lines": str(study.judged.signal).splitlines(),
        "decision_lines": sentences.decision_lines(study),
        "rule_names": sentences.NAMES,
        "said": sentences.said,
        "takes_costs": sentences.takes_costs,
        "command": command(study),
        "python": python(study),
        "data": Markup(_embedded(study)),
        "policy": policy(),
        "script": Markup(script()),
    }


def _target(study: Study) -> str:
    plan = study.plan
    if len(plan.labels) == 2:
        return f"yes is {plan.labels[1]}, no is {plan.labels[0]}"
    return f"{len(plan.labels)} classes" if plan.labels else str(plan.represents)


def _embedded(study: Study) -> str:
    """The numbers of the page for programs, without curves; nothing in it can end the element that holds it."""
    found = study.to_dict()
    for part in ("before", "after"):
        if found["calibration"][part] is not None:
            found["calibration"][part].pop("curve")
            found["calibration"][part].pop("classes")
    found["plan"].pop("code")
    return in_page(json.dumps(found, allow_nan=False, ensure_ascii=True))
