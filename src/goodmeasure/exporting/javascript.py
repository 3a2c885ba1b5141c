"""A model as a JavaScript module that needs nothing else, for browsers and Node alike."""

from __future__ import annotations

import json
import math
import re
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
from goodmeasure.exporting.scalars import SPACES, Assignments, RowWords, Spelling, layer_rows, raw_outputs
from goodmeasure.reading.notation import BALANCED, BLANKS, GROUPINGS, NEGATIVE, TWICE, Numbers
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

_MONTHS = "January February March April May June July August September October November December"
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
# The parts of dates as datetime.strptime reads them.
_PARTS = {
    "d": "3[01]|[12][0-9]|0[1-9]|[1-9]| [1-9]",
    "m": "1[0-2]|0[1-9]|[1-9]",
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "H": "2[0-3]|[01][0-9]|[0-9]",
    "I": "1[0-2]|0[1-9]|[1-9]",
    "M": "[0-5][0-9]|[0-9]",
    "S": "[0-5][0-9]|[0-9]",
    "p": "am|pm",
    "b": "|".join(month[:3] for month in _MONTHS.split()),
    "B": _MONTHS.replace(" ", "|"),
    "a": "|".join(day[:3] for day in _DAYS.split()),
    "A": _DAYS.replace(" ", "|"),
}


def _pattern(pattern: str, flags: str = "i") -> str:
    """A regular expression of Python in JavaScript, where a part of one cannot have flags of its own."""
    text = "".join(letter if " " <= letter <= "~" else rf"\u{ord(letter):04x}" for letter in pattern)
    return "/{}/{}".format(text.replace("(?i:", "(?:").replace("/", r"\/"), flags)


MARK = b"// goodmeasure model in JavaScript\n"
_PRELUDE = (
    f"""
const ABSENT = {json.dumps(ABSENT)}, VAST = {VAST!r};
// A number has at most one pair of brackets and one sign.
const BALANCED = {_pattern(BALANCED.pattern)};
const TWICE = {_pattern(TWICE.pattern)};
const NEGATIVE = {_pattern(NEGATIVE)};
const BLANKS = {_pattern(f"^[{BLANKS}]+|[{BLANKS}]+$", "g")};
const SPACES = {_pattern(f"[{SPACES}]+", "g")}, AROUND = {_pattern(f"^[{SPACES}]+|[{SPACES}]+$", "g")};
const MONTHS = {json.dumps([month[:3].lower() for month in _MONTHS.split()])};
"""
    + """
const lacks = (x) => x === null || x === undefined || Number.isNaN(x);

function cell(row, column) {
  if (!Object.hasOwn(row, column)) throw new Error(`there is no column ${JSON.stringify(column)}`);
  return row[column];
}

function number(row, column, written) {
  let x = cell(row, column);
  if (written && typeof x === "string") x = asNumber(x, ...written);
  if (lacks(x)) return null;
  if (typeof x !== "number") throw new TypeError(`column ${JSON.stringify(column)} holds no number`);
  return Math.abs(x) < VAST ? x : null;
}

function text(row, column) {
  const x = cell(row, column);
  return lacks(x) ? ABSENT : String(x);
}

function asNumber(text, pattern, grouping, decimal, divisor) {
  const found = pattern.exec(text);
  if (!found || !BALANCED.test(text) || TWICE.test(text)) return null;
  const digits = [...found[1]].filter((letter) => !grouping.includes(letter)).join("");
  return (Number(digits.replace(decimal, ".")) / divisor) * (NEGATIVE.test(text) ? -1 : 1);
}

// Labels that differ in capitals and blanks alone are one, as are the sharp s and two plain ones, and both forms of sigma.
const folded = (text) =>
  text.replace(SPACES, " ").trim().toLowerCase().replace(/\\u00df/g, "ss").replace(/\\u03c2/g, "\\u03c3");
const stripped = (text) => text.replace(AROUND, "");

// A text whose parts are named by the letters of datetime.strptime.
function asDate(text, [pattern, parts]) {
  const found = pattern.exec(text.replace(BLANKS, ""));
  if (!found) return null;
  const part = Object.fromEntries([...parts].map((letter, k) => [letter, found[k + 1].toLowerCase()]));
  const month = part.b ?? part.B;
  const year = part.y === undefined ? Number(part.Y) : Number(part.y) + (part.y < 69 ? 2000 : 1900);
  const index = month === undefined ? Number(part.m) - 1 : MONTHS.indexOf(month.slice(0, 3));
  const hour = part.I === undefined ? Number(part.H ?? 0) : (Number(part.I) % 12) + (part.p === "pm" ? 12 : 0);
  const time = new Date(0);
  time.setUTCFullYear(year, index, Number(part.d ?? 1));
  time.setUTCHours(hour, Number(part.M ?? 0), Number(part.S ?? 0));
  return time.getUTCMonth() === index ? time : null;
}

// A Date, or an ISO text; one without a time zone is taken as it stands.
function date(row, column, written) {
  let x = cell(row, column);
  if (written && typeof x === "string") x = asDate(x, written);
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

function exposure(row, column, written) {
  const x = number(row, column, written);
  if (x === null || x <= 0) throw new RangeError(`the exposure ${JSON.stringify(column)} is missing or not positive`);
  return Math.log(x);
}
"""
)


def written(program: ModelProgram) -> bytes:
    """The source of a module that exports a function ``predict`` of a row, which is an object of cells by column."""
    tables, raw = _raw(program)
    body = [*(f"let {name} = {_cell(cell)};" for name, cell in program.cells.items()), *raw]
    found = Assignments(SPELLING, literal)
    for name, formula in program.formulas.items():
        found.name(name, formula)
    shown = [f"[{_text(shown.title)}]: {_shown(shown, found)}" for shown in program.shown]
    body += [f"const {name} = {text};" for name, text in found.lines]
    lines = "\n".join(f"  {line}" for line in [*body, f"return {{ {', '.join(shown)} }};"])
    told_first = "".join(f"// {_text(line)}\n" for line in [program.sentence, *program.readings])
    head = f"{MARK.decode()}{told_first}{_PRELUDE}\n{tables}"
    told = "// What the model says of a row, an object of cells by column.\n"
    return f"{head}{told}export function predict(row) {{\n{lines}\n}}\n".encode("ascii")


def _text(text: Any) -> str:
    """A text, a number or a truth as JSON, whose letters are plain ones; JavaScript reads them as they are."""
    return json.dumps(text)


def literal(x: float) -> str:
    """A number as JavaScript writes it."""
    return f"({x!r})" if x < 0 and math.isfinite(x) else repr(x) if math.isfinite(x) else f"({'-' * (x < 0)}Infinity)"


def _cell(cell: Cell) -> str:
    if cell.kind is ColumnKind.DATE:
        return f"{cell.part}(date({_given(cell)}))"
    if cell.kind is ColumnKind.NUMBER:
        return f"number({_given(cell)})"
    text = f"text({_given(cell)})"
    return text if cell.alike == "exact" else f"{cell.alike}({text})"


def _given(cell: Cell) -> str:
    """Where a cell stands, and how texts there are written."""
    how, place = cell.notation, f"row, {_text(cell.column)}"
    if isinstance(how, Numbers):
        marks = [_text(GROUPINGS[how.grouping]), _text(how.decimal), str(how.divisor)]
        return f"{place}, [{', '.join([_pattern(how.pattern), *marks])}]"
    return place if how is None else f"{place}, [{_pattern(_date_pattern(how.form))}, {_text(_letters(how.form))}]"


def _letters(form: str) -> str:
    """The letters that stand for parts of a date, in order."""
    return "".join(re.findall("%(.)", form))


def _date_pattern(form: str) -> str:
    """A regular expression of dates in a form, with a group for each part."""
    return f"^{''.join(map(_date_part, re.findall('%.|[^%]', form)))}$"


def _date_part(text: str) -> str:
    if text.startswith("%"):
        return f"({_PARTS[text[1]]})"
    return r"\s+" if text == " " else re.escape(text)


def _raw(program: ModelProgram) -> tuple[str, list[str]]:
    """Tables beside the function, and the lines that give the raw outputs."""
    words = RowWords(
        literal,
        _term,
        _choice,
        code=lambda cell: f"of_{cell}.get({cell}) ?? null",
        layer=lambda k, given: f"sums(layer{k}, {f'positive({given})' if k else given})",
        exposure=lambda cell: f"exposure({_given(cell)})",
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
    x = f"({term.cell} - {literal(term.centre)}) / {literal(term.scale)} * {literal(term.slopes[k])}"
    return f"({term.cell} === null ? {literal(term.absent[k])} : {x} + {literal(term.present[k])})"


def _choice(split: TreeSplit) -> tuple[str, str, str]:
    holds = (
        f"{split.cell} <= {literal(split.limit)}" if split.codes is None else f"{[*split.codes]}.includes({split.cell})"
    )
    asked = f"{split.cell} === null || {holds}" if split.missing_left else f"{split.cell} !== null && {holds}"
    return f"({asked} ? ", " : ", ")"


def _shown(shown: GivenColumn, found: Assignments) -> str:
    if shown.number:
        return shown.number
    *labels, last = shown.labels
    chosen = [f"{found.of(c)} ? {_text(label)} : " for c, label in zip(shown.conditions, labels, strict=True)]
    return "".join(chosen) + _text(last)
