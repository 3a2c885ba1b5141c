"""What ``goodmeasure lab`` does: pages on this machine, or in a file."""

from __future__ import annotations

from pathlib import Path

import click

from goodmeasure.drawing.terminal import printable, word
from goodmeasure.errors import UsageError
from goodmeasure.lab.document import MARK, document
from goodmeasure.lab.page import lab_pages, numbered
from goodmeasure.lab.server import address, serving
from goodmeasure.reading.writing import write_whole


def served(number: int | None, port: int | None) -> None:
    """Serve the pages until somebody asks to stop. Error: GM009."""
    fragment = "" if number is None else f"#page-{numbered(number).number}"
    page = document(lab_pages())
    try:
        with serving(page, port or 0) as server:
            click.echo(f"the lab is at {address(server)}{fragment}\nCtrl-C stops it")
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo("\nstopped")


def exported(number: int | None, port: int | None, out: str) -> None:
    """Write the pages, or one of them, as a file. Errors: GM009, GM012."""
    if port is not None:
        raise UsageError("a file has no port", fix="leave --port out, or leave --export out and serve the pages")
    pages = lab_pages() if number is None else (numbered(number),)
    write_whole({Path(out): document(pages).encode()}, [MARK])
    click.echo(printable(f"wrote {out}\nnext: open {word(out)}"))
