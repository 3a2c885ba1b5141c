"""A model as a Python module that needs nothing but Python."""

from __future__ import annotations

import math

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
from goodmeasure.reading.notation import BALANCED, BLANKS, GROUPINGS, NEGATIVE, TWICE, Numbers
from goodmeasure.reading.tables import ABSENT, VAST, ColumnKind

SPELLING: Spelling = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"_over({a}, {b})",
    "power": lambda a, b: f"_power({a}, {b})",
    "neg": lambda a: f"-({a})",
    "abs": lambda a: f"abs({a})",
    "sign": lambda a: f"({a} > 0) - ({a} < 0)",
    "less": lambda a, b: f"{a} < {b}",
    "less_equal": lambda a, b: f"{a} <= {b}",
    "where": lambda c, a, b: f"{a} if {c} else {b}",
    "maximum": lambda a, b: f"max({a}, {b})",
    "minimum": lambda a, b: f"min({a}, {b})",
    "exp": lambda a: f"_exp({a})",
    "expm1": lambda a: f"_expm1({a})",
    "log": lambda a: f"_log({a})",
    "log1p": lambda a: f"_log1p({a})",
    "sqrt": lambda a: f"_sqrt({a})",
}

MARK = b"# goodmeasure model in Python\n"
_PRELUDE = (
    f"""
import datetime
import math
import re

_ABSENT, _BLANKS, _VAST = {ABSENT!a}, {BLANKS!a}, {VAST!r}
# A number has at most one pair of brackets and one sign.
_BALANCED = {BALANCED.pattern!a}
_TWICE = {TWICE.pattern!a}
_NEGATIVE = {NEGATIVE!a}
"""
    + """


def _exp(x):
    return math.exp(x) if x < 709.78 else math.inf


def _expm1(x):
    return math.expm1(x) if x < 709.78 else math.inf


def _log(x):
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _log1p(x):
    return math.log1p(x) if x > -1 else -math.inf if x == -1 else math.nan


def _sqrt(x):
    return math.sqrt(x) if x >= 0 else math.nan


def _over(a, b):
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a, b):
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


def _lacks(x):
    return x is None or x != x


def _number(row, column, written=None):
    x = row[column]
    if written and isinstance(x, str):
        x = _as_number(x, *written)
    if _lacks(x):
        return None
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise TypeError("column %r holds %r where a number is needed" % (column, x))
    return float(x) if abs(x) < _VAST else None


def _as_number(text, pattern, grouping, decimal, divisor):
    found = re.match(pattern, text)
    if not found or not re.match(_BALANCED, text) or re.match(_TWICE, text):
        return None
    digits = "".join(letter for letter in found[1] if letter not in grouping).replace(decimal, ".")
    return float(digits) / divisor * (-1 if re.search(_NEGATIVE, text) else 1)


def _text(row, column):
    x = row[column]
    if isinstance(x, float) and x.is_integer():
        x = int(x)
    return _ABSENT if _lacks(x) else str(x).lower() if isinstance(x, bool) else str(x)


def _folded(text):
    return " ".join(text.split()).casefold()


def _stripped(text):
    return text.strip()


def _date(row, column, form=None):
    x = row[column]
    if form and isinstance(x, str):
        x = _as_date(x.strip(_BLANKS), form)
    if _lacks(x):
        return None
    if isinstance(x, str):
        x = datetime.datetime.fromisoformat(x)
    elif not isinstance(x, datetime.datetime):
        x = datetime.datetime(x.year, x.month, x.day)
    return x if x.tzinfo is None else x.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _as_date(text, form):
    try:
        return datetime.datetime.strptime(text, form)
    except ValueError:
        return None


def _day(x):
    return None if x is None else (x - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)


def _month(x):
    return None if x is None else float(x.month)


def _weekday(x):
    return None if x is None else float(x.weekday())


def _sums(layer, given):
    return [sum(w * x for w, x in zip(weights, given)) + begun for begun, *weights in layer]


def _positive(sums):
    return [x if x > 0 else 0.0 for x in sums]


def _exposure(row, column, written=None):
    x = _number(row, column, written)
    if x is None or x <= 0:
        raise ValueError("the exposure %r is missing, not positive or not finite" % (column,))
    return math.log(x)
"""
)


def written(program: ModelProgram) -> bytes:
    """The source of a module with a function ``predict`` of a row, which is a dictionary."""
    body = [f"{name} = {_cell(cell)}" for name, cell in program.cells.items()]
    tables, raw = _raw(program)
    body += raw
    found = Assignments(SPELLING, _written)
    for name, formula in program.formulas.items():
        found.name(name, formula)
    shown = [f"{shown.title!a}: {_shown(shown, found)}" for shown in program.shown]
    body += [f"{name} = {text}" for name, text in found.lines]
    lines = "\n".join(f"    {line}" for line in [*body, f"return {{{', '.join(shown)}}}"])
    text = (
        f"{MARK.decode()}{_head(program)}{_PRELUDE}\n\n{tables}def predict(row):\n"
        f'    """What the model says of a row, a dictionary of cells by column."""\n{lines}\n'
    )
    return text.encode("ascii")


def _head(program: ModelProgram) -> str:
    return "".join(f"# {ascii(line)[1:-1]}\n" for line in [program.sentence, *program.readings])


def _written(x: float) -> str:
    return f"({x!r})" if x < 0 and math.isfinite(x) else repr(x) if math.isfinite(x) else f"({'-' * (x < 0)}math.inf)"


def _cell(cell: Cell) -> str:
    if cell.kind is ColumnKind.DATE:
        return f"_{cell.part}(_date({_given(cell)}))"
    if cell.kind is ColumnKind.NUMBER:
        return f"_number({_given(cell)})"
    text = f"_text({_given(cell)})"
    return text if cell.alike == "exact" else f"_{cell.alike}({text})"


def _given(cell: Cell) -> str:
    """Where a cell stands, and how texts there are written."""
    how, place = cell.notation, f"row, {cell.column!a}"
    if isinstance(how, Numbers):
        return f"{place}, {(how.pattern, GROUPINGS[how.grouping], how.decimal, how.divisor)!a}"
    return place if how is None else f"{place}, {how.form!a}"


def _raw(program: ModelProgram) -> tuple[str, list[str]]:
    """Tables beside the function, and the lines that give the raw outputs."""
    words = RowWords(
        _written,
        _term,
        _choice,
        code=lambda cell: f"_{cell}.get({cell})",
        layer=lambda k, given: f"_sums(_layer{k}, {f'_positive({given})' if k else given})",
        exposure=lambda cell: f"_exposure({_given(cell)})",
    )
    tables, made = raw_outputs(program, words)
    beside = [f"_{cell} = {dict(table)!a}\n" for cell, table in tables.items()]
    if isinstance(program.scorer, Layered):
        beside += [f"_layer{k} = {rows!r}\n" for k, rows in enumerate(layer_rows(program.scorer))]
    lines = [f"{name} {sign} {text}" for name, sign, text in made]
    return "".join(beside) + "\n\n" * bool(beside), lines


def _term(term: NumberTerm | TextTerm, k: int) -> str:
    if isinstance(term, TextTerm):
        return f"_{term.cell}.get({term.cell}, {term.otherwise!r})[{k}]"
    x = f"({term.cell} - {_written(term.centre)}) / {_written(term.scale)} * {_written(term.slopes[k])}"
    return f"({_written(term.absent[k])} if {term.cell} is None else {x} + {_written(term.present[k])})"


def _choice(split: TreeSplit) -> tuple[str, str, str]:
    holds = f"{split.cell} <= {_written(split.limit)}" if split.codes is None else f"{split.cell} in {set(split.codes)}"
    asked = f"{split.cell} is None or {holds}" if split.missing_left else f"{split.cell} is not None and {holds}"
    return "(", f" if {asked} else ", ")"


def _shown(shown: GivenColumn, found: Assignments) -> str:
    if shown.number:
        return shown.number
    *labels, last = shown.labels
    chosen = [f"{label!a} if {found.of(c)} else " for c, label in zip(shown.conditions, labels, strict=True)]
    return "".join(chosen) + ascii(last)
