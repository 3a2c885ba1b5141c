"""Write a model in another language: SQL, Python, JavaScript or ONNX."""

from __future__ import annotations

import click


@click.command
@click.argument("model")
@click.argument("out")
def command(model: str, out: str) -> None:
    """Write a model as a file that needs nothing of goodmeasure.

    MODEL is the model.json of a run. The ending of OUT says in which language: .sql is a question to a table named rows, .py
    and .js a function of a row without dependencies, .onnx a graph. Each says what `goodmeasure predict` says.

    \b
    goodmeasure export goodmeasure-out/model.json model.sql
    """
    from goodmeasure.drawing.terminal import printable
    from goodmeasure.reading.paths import refuse_onto
    from goodmeasure.study.model import load

    refuse_onto(out, [model])
    load(model).export(out)
    click.echo(printable(f"wrote {out}"))
