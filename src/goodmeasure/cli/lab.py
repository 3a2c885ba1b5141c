"""Pages on which an idea is tried: a picture, a question to answer first, something to move."""

from __future__ import annotations

from typing import Any

import click

from goodmeasure.cli._written import options


@click.command
@click.argument("data", required=False)
@click.option("--target", metavar="COLUMN", help="The column of DATA that pages are to carry, binned.")
@click.option("--represents", metavar="WHAT", help="What the column is, if its values do not tell: count, classes, ...")
@click.option("--page", "number", type=int, help="Begin with this page; with --export, write it alone.")
@click.option(
    "--export", "out", metavar="FILE", help="Write the pages as one file that needs nothing else, and serve none."
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1; a free one unless given.")
@options
def command(data: str | None, number: int | None, out: str | None, port: int | None, **asked: Any) -> None:
    """Try ideas in the browser: why a model is trained on cross-entropy, and what a learning signal is.

    The pages are served on this machine alone until Ctrl-C. They ask nothing of any other place, work from the keyboard, and
    can be read and printed without JavaScript. With DATA, a file as `goodmeasure choose` takes it, the page on choosing a loss
    begins with your own column.

    \b
    goodmeasure lab
    goodmeasure lab --page 4 --export exercise.html
    goodmeasure lab claims.csv --target amount
    """
    from goodmeasure.cli import _lab

    own = _lab.own_column(data, **asked)
    if out is None:
        _lab.served(number, port, own)
    else:
        _lab.exported(number, port, out, own)
