"""A model as a JavaScript module that needs nothing else, for browsers and Node alike."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from goodmeasure.exporting.program import (
    Cell,
    GivenColumn,
    Layered,
    ModelProgram,
    NumberTerm,
    TextTerm,
    TreeSplit,
)
from goodmeasure.exporting.scalars import Assignments, RowWords, Spelling, layer_rows, raw_outputs
from goodmeasure.reading.tables import ABSENT, VAST, ColumnKind

SPELLING: Spelling = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"{a} / {b}",
    "neg": lambda a: f"-{a}",
    "less": lambda a, b: f"{a} < {b}",
    "less_equal": lambda a, b: f"{a} <= {b}",
    "where": lambda c, a, b: f"{c} ? {a} : {b}",
    "power": lambda a, b: f"Math.pow({a}, {b})",
    "maximum": lambda a, b: f"Math.max({a}, {b})",
    "minimum": lambda a, b: f"Math.min({a}, {b})",
    **{
        word: (lambda name: lambda a: f"Math.{name}({a})")(word)
        for word in ("abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos")
    },
}

MARK = b"// goodmeasure model in JavaScript\n"
_PRELUDE = (
    f"""
const ABSENT = {json.dumps(ABSENT)}, VAST = {VAST!r};
"""
    + """
const lacks = (x) => x === null || x === undefined || Number.isNaN(x);

function cell(row, column) {
  if (!Object.hasOwn(row, column)) throw new Error(`there is no column ${JSON.stringify(column)}`);
  return row[column];
}

function number(row, column) {
  const x = cell(row, column);
  if (lacks(x)) return null;
  if (typeof x !== "number") throw new TypeError(`column ${JSON.stringify(column)} holds no number`);
  return Math.abs(x) < VAST ? x : null;
}

function text(row, column) {
  const x = cell(row, column);
  return lacks(x) ? ABSENT : String(x);
}

// A Date, or an ISO text; one without a time zone is taken as it stands.
function date(row, column) {
  const x = cell(row, column);
  if (lacks(x)) return null;
  const iso = String(x).trim().replace(" ", "T");
  const zoned = !iso.includes("T") || /(Z|[+-]\\d\\d:?\\d\\d)$/.test(iso) ? iso : iso + "Z";
  const time = x instanceof Date ? x.getTime() : Date.parse(zoned);
  if (Number.isNaN(time)) throw new TypeError(`column ${JSON.stringify(column)} holds no date`);
  return time;
}

const day = (time) => (time === null ? null : time / 86400000);
const month = (time) => (time === null ? null : new Date(time).getUTCMonth() + 1);
const weekday = (time) => (time === null ? null : (new Date(time).getUTCDay() + 6) % 7);

const sums = (layer, given) =>
  layer.map(([begun, ...weights]) => weights.reduce((sum, w, k) => sum + w * given[k], 0) + begun);
const positive = (sums) => sums.map((x) => Math.max(x, 0));

function exposure(row, column) {
  const x = number(row, column);
  if (x === null || x <= 0) throw new RangeError(`the exposure ${JSON.stringify(column)} is missing or not positive`);
  return Math.log(x);
}
"""
)


def written(program: ModelProgram) -> bytes:
    """The source of a module that exports a function ``predict`` of a row, which is an object of cells by column."""
    tables, raw = _raw(program)
    body = [*(f"let {name} = {_cell(cell)};" for name, cell in program.cells.items()), *raw]
    found = Assignments(SPELLING, _written)
    for name, formula in program.formulas.items():
        found.name(name, formula)
    shown = [f"[{_text(shown.title)}]: {_shown(shown, found)}" for shown in program.shown]
    body += [f"const {name} = {text};" for name, text in found.lines]
    lines = "\n".join(f"  {line}" for line in [*body, f"return {{ {', '.join(shown)} }};"])
    head = f"{MARK.decode()}// {_text(program.sentence)}\n{_PRELUDE}\n{tables}"
    told = "// What the model says of a row, an object of cells by column.\n"
    return f"{head}{told}export function predict(row) {{\n{lines}\n}}\n".encode("ascii")


def _text(text: Any) -> str:
    """A text, a number or a truth as JSON, whose letters are plain ones; JavaScript reads them as they are."""
    return json.dumps(text)


def _written(x: float) -> str:
    return f"({x!r})" if x < 0 and math.isfinite(x) else repr(x) if math.isfinite(x) else f"({'-' * (x < 0)}Infinity)"


def _cell(cell: Cell) -> str:
    column = _text(cell.column)
    if cell.kind is ColumnKind.DATE:
        return f"{cell.part}(date(row, {column}))"
    return f"{'number' if cell.kind is ColumnKind.NUMBER else 'text'}(row, {column})"


def _raw(program: ModelProgram) -> tuple[str, list[str]]:
    """Tables beside the function, and the lines that give the raw outputs."""
    words = RowWords(
        _written,
        _term,
        _choice,
        code=lambda cell: f"of_{cell}.get({cell}) ?? null",
        layer=lambda k, given: f"sums(layer{k}, {f'positive({given})' if k else given})",
        exposure=lambda column: f"exposure(row, {_text(column)})",
    )
    tables, made = raw_outputs(program, words)
    # Cells have their names already; whatever else is set gets its own here.
    lines = [
        f"{'let ' * (sign == '=' and name not in program.cells)}{name} {sign} {text};" for name, sign, text in made
    ]
    beside = [f"const of_{cell} = {_table(table)};\n" for cell, table in tables.items()]
    if isinstance(program.scorer, Layered):
        beside += [f"const layer{k} = {json.dumps(rows)};\n" for k, rows in enumerate(layer_rows(program.scorer))]
    return "".join(beside), lines


def _table(table: Mapping[str, Any]) -> str:
    """A map: an object would take some names, such as __proto__, for its own."""
    return f"new Map({json.dumps([[text, value] for text, value in table.items()])})"


def _term(term: NumberTerm | TextTerm, k: int) -> str:
    if isinstance(term, TextTerm):
        return f"(of_{term.cell}.get({term.cell}) ?? {json.dumps(term.otherwise)})[{k}]"
    x = f"({term.cell} - {_written(term.centre)}) / {_written(term.scale)} * {_written(term.slopes[k])}"
    return f"({term.cell} === null ? {_written(term.absent[k])} : {x} + {_written(term.present[k])})"


def _choice(split: TreeSplit) -> tuple[str, str, str]:
    holds = (
        f"{split.cell} <= {_written(split.limit)}"
        if split.codes is None
        else f"{[*split.codes]}.includes({split.cell})"
    )
    asked = f"{split.cell} === null || {holds}" if split.missing_left else f"{split.cell} !== null && {holds}"
    return f"({asked} ? ", " : ", ")"


def _shown(shown: GivenColumn, found: Assignments) -> str:
    if shown.number:
        return shown.number
    *labels, last = shown.labels
    chosen = [f"{found.of(c)} ? {_text(label)} : " for c, label in zip(shown.conditions, labels, strict=True)]
    return "".join(chosen) + _text(last)
