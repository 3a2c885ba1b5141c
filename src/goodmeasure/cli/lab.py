"""Pages on which an idea is tried: a picture, a question to answer first, something to move."""

from __future__ import annotations

import click


@click.command
@click.option("--page", "number", type=int, help="Begin with this page; with --export, write it alone.")
@click.option(
    "--export", "out", metavar="FILE", help="Write the pages as one file that needs nothing else, and serve none."
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1; a free one unless given.")
def command(number: int | None, out: str | None, port: int | None) -> None:
    """Try ideas in the browser: why a model is trained on cross-entropy, and what a learning signal is.

    The pages are served on this machine alone until Ctrl-C. They ask nothing of any other place, work from the keyboard, and
    can be read and printed without JavaScript.

    \b
    goodmeasure lab
    goodmeasure lab --page 4 --export exercise.html
    """
    from goodmeasure.cli import _lab

    if out is None:
        _lab.served(number, port)
    else:
        _lab.exported(number, port, out)
