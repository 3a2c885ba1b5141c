"""What ``goodmeasure lab`` does: pages on this machine, or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from goodmeasure.cli._spoken import spoken
from goodmeasure.drawing.terminal import printable, word
from goodmeasure.errors import UsageError
from goodmeasure.lab.column import LabColumn
from goodmeasure.lab.document import MARK, document
from goodmeasure.lab.page import LabPage, carriers, lab_pages, numbered, with_own_column
from goodmeasure.lab.server import address, serving
from goodmeasure.reading.files import read
from goodmeasure.reading.recognition import Written
from goodmeasure.reading.writing import write_whole
from goodmeasure.study.cases import as_target
from goodmeasure.study.counting import counting
from goodmeasure.study.respelling import one_spelling


def own_column(
    data: str | None, target: str | None, represents: str | None, decimal: str | None, dates: str | None
) -> LabColumn | None:
    """The column of a file that pages are to carry; None without one. Errors: GM009, and those of reading."""
    if data is None and target is None:
        return None
    if data is None or target is None:
        raise UsageError("a column is a file and a name", fix="goodmeasure lab DATA --target COLUMN, or neither")
    table = read(data, numbers=[target], written=Written(decimal, dates))
    spelled, _ = one_spelling(counting(table, target, None).table, [target])
    return LabColumn("own", f"your column {target}", target, as_target(spelled, target), represents)


def served(number: int | None, port: int | None, own: LabColumn | None) -> None:
    """Serve the pages until somebody asks to stop. Error: GM009."""
    pages = lab_pages()
    begun: tuple[LabPage, ...] = () if number is None else (numbered(number),)
    if own is not None:
        begun, pages = carriers(begun or pages), with_own_column(pages, own)
    fragment = f"#page-{begun[0].number}" if begun else ""
    page = _document(pages)
    try:
        with serving(page, port or 0) as server:
            click.echo(f"the lab is at {address(server)}{fragment}\nCtrl-C stops it")
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo("\nstopped")


def exported(number: int | None, port: int | None, out: str, own: LabColumn | None) -> None:
    """Write the pages, or one of them, as a file. Errors: GM009, GM012."""
    if port is not None:
        raise UsageError("a file has no port", fix="leave --port out, or leave --export out and serve the pages")
    pages = lab_pages() if number is None else (numbered(number),)
    if own is not None:
        carriers(pages)
        pages = with_own_column(pages, own)
    write_whole({Path(out): _document(pages).encode()}, [MARK])
    click.echo(printable(f"wrote {out}\nnext: open {word(out)}"))


def _document(pages: Sequence[LabPage]) -> str:
    """The pages; a column that no loss measures is found here."""
    with spoken():
        return document(pages)
