"""What every page has: its layout, the policy that keeps it to itself, and the one script that it may run."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from goodmeasure import __version__
from goodmeasure.drawing.offline import policy, templates
from goodmeasure.drawing.palette import palette
from goodmeasure.report.acting import NAMES, Acting, in_page
from goodmeasure.study.verdict import interval, number

# Headings of sections that both kinds of pages have.
CUT, PRICES, AGAIN = (
    "Where do I cut, given my costs?",
    "What if the costs are wrong?",
    "How do I get these numbers again?",
)
PRICES_CAPTION = (
    "At every ratio of costs, what acting from that probability on costs a row (a false alarm c, a miss 1 - c), with its "
    "pointwise band. Where the curve lies below both lines of always and never, the model is worth having at these costs."
)


def rendered(template: str, data: str, acting: Acting | None, following: str, **content: Any) -> str:
    """A page by its template; ``data`` is JSON that it holds for programs, ``following`` the next step."""
    from markupsafe import Markup

    return str(
        _environment()
        .get_template(template)
        .render(
            svg=lambda picture: Markup("".join(picture.parts())),  # our own SVG, whose texts are escaped
            data=Markup(in_page(data)),
            acting=acting,
            acting_data=Markup("" if acting is None else acting.data()),
            kinds=NAMES,
            following=following,
            is_line=following.startswith(("goodmeasure ", "study.")),
            prices_caption=PRICES_CAPTION,
            policy=policy(script()),
            palette=Markup(palette()),
            script=Markup(script()),
            version=__version__,
            **content,
        )
    )


@cache
def script() -> str:
    """The page's only script, which changes what the page already shows."""
    return (files("goodmeasure.report") / "templates" / "report.js").read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    environment = templates("goodmeasure.report")
    environment.filters |= {"number": number, "interval": interval, "sentence": _sentence}
    return environment


def _sentence(text: str) -> str:
    """A sentence that begins with a capital and ends with a point."""
    return f"{text[:1].upper()}{text[1:]}."
