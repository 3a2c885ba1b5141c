"""Pages of the lab as one file: everything that it needs stands in it, and nothing may leave it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from goodmeasure import __version__, losses
from goodmeasure.drawing.offline import policy, templates
from goodmeasure.drawing.palette import palette
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab import modules, printed, vocabulary
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import ends, keyed, without_keys

MARK = b"<!doctype html>\n<!-- goodmeasure lab -->\n"


def document(pages: Sequence[LabPage]) -> str:
    """The pages as a document, in which the first is shown unless the address names another."""
    from markupsafe import Markup

    said = script(pages)
    return MARK.decode() + str(
        _environment()
        .get_template("lab.html")
        .render(
            pages=pages,
            shown={page.number: page.shown() for page in pages},
            svg=lambda picture, **kept: Markup(_svg(picture)),  # our own SVG, whose texts are escaped
            keys=lambda picture: [(Markup(mark.key(0, 6)), mark.label) for mark in keyed(picture)],
            ends=ends,
            palette=Markup(palette()),
            script=Markup(said),
            policy=policy(said, images=True),
            version=__version__,
        )
    )


@cache
def _environment() -> Any:
    """The templates of the lab, read and compiled once."""
    return templates("goodmeasure.lab")


def _svg(picture: Picture) -> str:
    return "".join(without_keys(picture).parts())


def script(pages: Sequence[LabPage]) -> str:
    """The one script of a document: the written modules, and those that are printed for these pages."""
    given = {page.name: page.given() for page in pages}
    made = {
        "formulas": _formulas(),
        "words": vocabulary.module(),
        "given": f"export const GIVEN = {json.dumps(given, allow_nan=False)};\n",
        "start": _start(pages),
    }
    return modules.joined({**modules.written(), **made}, "start")


def _start(pages: Sequence[LabPage]) -> str:
    """The module that brings each page to life."""
    imports = [f'import {{ {page.name} }} from "./{page.name}.js";\n' for page in pages]
    mounted = [f"  {page.name}: {page.name},\n" for page in pages]
    return f'import {{ begin }} from "./frame.js";\n{"".join(imports)}begin({{\n{"".join(mounted)}}});\n'


@cache
def _formulas() -> str:
    """The module of every loss of the catalogue that has one raw output."""
    found = [factory() for factory in losses.catalogue().values()]
    return printed.module(loss for loss in found if not loss.is_classwise and len(loss.activation) == 1)
