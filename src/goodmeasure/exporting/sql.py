"""A model as a question in SQL: it gives the rows of a table named rows, with what the model says of each beside them.

Written for DuckDB; sqlglot turns it into other dialects. What is used more than once is a column of an inner question.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import starmap
from typing import Any

from goodmeasure.choosing.affirming import Alike
from goodmeasure.exporting.program import (
    Cell,
    GivenColumn,
    Layered,
    Linear,
    ModelProgram,
    NotExportable,
    NumberTerm,
    TextTerm,
    Trees,
    TreeSplit,
    trees,
)
from goodmeasure.exporting.scalars import SPACES, in_words_of, summands, walk
from goodmeasure.formulas.expression import Expr, nodes
from goodmeasure.formulas.sql_words import TEMPLATES
from goodmeasure.reading.sql import Sql, added, by_template, case, double, joined, listed, literal, quoted, sql
from goodmeasure.reading.tables import ABSENT, VAST, ColumnKind
from goodmeasure.statistics.row_arguments import Floats

PARTS: Mapping[str, str] = {
    "day": "epoch_us({0}) / 86400000000e0",
    "month": "CAST(extract(month FROM {0}) AS DOUBLE)",
    "weekday": "CAST(extract(isodow FROM {0}) - 1 AS DOUBLE)",
}
# What Python takes for blank; no control character stands in a file as it is, where a reader may change it.
_CONTROLS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85"
_AS_SQL = Sql(
    "chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || chr(133)"
)
_OTHERS = "".join(letter for letter in SPACES if letter not in _CONTROLS)
_SPACES = sql("{others} || {controls}", others=literal(_OTHERS), controls=_AS_SQL)
_SPELLING: Mapping[str, Any] = TEMPLATES
MARK = b"-- goodmeasure model in SQL\n"
_NOTE = "-- {}\n-- A table or view named rows holds what is asked about: CREATE VIEW rows AS SELECT * FROM 'new.csv';\n"


def written(program: ModelProgram) -> bytes:
    """The question, with a comment that says what it is. Error: GM272 where a database would take two columns for one."""
    _refuse_twins(program.columns)
    said = "\n-- ".join(re.sub(r"[^ -~]", "?", line) for line in [program.sentence, *program.readings])
    return MARK + (_NOTE.format(said) + _Question(program).text() + ";\n").encode()


def _refuse_twins(columns: Iterable[str]) -> None:
    """Refuse columns whose names differ in capitals alone. Error: GM272."""
    folded: dict[str, str] = {}
    for name in columns:
        if folded.setdefault(name.casefold(), name) != name:
            what = f"to a database, columns {folded[name.casefold()]!r} and {name!r} are one"
            raise NotExportable(what, fix="rename one before the model is fitted, or export to .py, .js or .onnx")


class _Question:
    """Columns by how many inner questions they need, each named so that no column of the table is in its way."""

    def __init__(self, program: ModelProgram) -> None:
        self.program = program
        self.mark = "gm"
        while any(name.casefold().startswith(self.mark) for name in program.columns):
            self.mark += "_"
        self.levels: list[dict[str, Sql]] = [{}]
        self.places: dict[str, tuple[Sql, int]] = {}
        self._cells()
        self._raw()
        self._formulas()
        self.shown = [(self._shown(shown), quoted(shown.title)) for shown in program.shown]

    def text(self) -> Sql:
        """All levels inside one another, and at last what is shown."""
        asked = sql("SELECT * FROM rows")
        inner: list[str] = []
        for level in self.levels:
            inner += level
            named = listed(sql("{text} AS {name}", text=text, name=quoted(name)) for name, text in level.items())
            asked = sql("SELECT *, {named} FROM ({asked})", named=named, asked=asked)
        shown = listed(sql("{text} AS {title}", text=text, title=title) for text, title in self.shown)
        without = listed(map(quoted, inner))
        return sql("SELECT * EXCLUDE ({without}), {shown} FROM ({asked})", without=without, shown=shown, asked=asked)

    def _put(self, level: int, name: str, text: Sql) -> None:
        while len(self.levels) <= level:
            self.levels.append({})
        column = f"{self.mark} {name}"
        self.levels[level][column] = text
        self.places[name] = quoted(column), level + 1

    def _cells(self) -> None:
        for name, cell in self.program.cells.items():
            self._put(0, name, _cell(cell))
        if self.program.exposure is not None:
            given = _number(self.program.exposure)
            self._put(0, "exposure", sql("CASE WHEN {given} > 0 THEN ln({given}) END", given=given))

    def _raw(self) -> None:
        program, scorer = self.program, self.program.scorer
        level, totals = self._totals(scorer)
        for z, total in zip(program.raw, totals, strict=True):
            offset = Sql("") if program.exposure is None else sql(" + {e}", e=self.places["exposure"][0])
            self._put(level, z, sql("{total}{offset}", total=total, offset=offset))

    def _totals(self, scorer: Linear | Trees | Layered) -> tuple[int, list[Sql]]:
        """How many inner questions the raw outputs need, and their texts."""
        if isinstance(scorer, Linear):
            return self._linear(scorer)
        return self._trees(scorer) if isinstance(scorer, Trees) else self._layered(scorer)

    def _linear(self, scorer: Linear) -> tuple[int, list[Sql]]:
        return 1, [added(summands(scorer, k, double, self._term)) for k in range(scorer.outputs)]

    def _trees(self, scorer: Trees) -> tuple[int, list[Sql]]:
        for cell, codes in scorer.codes.items():
            keyed = self.program.cells[cell].keyed(codes)
            known = [(literal(text), sql("{code}", code=code)) for text, code in keyed.items()]
            self._put(1, f"code {cell}", case(known, otherwise=Sql("NULL"), of=self.places[cell][0]))
            self.places[cell] = self.places[f"code {cell}"]
        return 2, [self._forest(scorer, k) for k in range(scorer.outputs)]

    def _forest(self, scorer: Trees, k: int) -> Sql:
        start = double(float(scorer.forest.start[k]))
        return added([start, *(joined(walk(tree, double, self._choice)) for tree in trees(scorer, k))])

    def _layered(self, scorer: Layered) -> tuple[int, list[Sql]]:
        """Every layer is an inner question; what one hands to the next is positive."""
        given = [self._term(term, k) for term, k in scorer.inputs]
        for level, layer in enumerate(scorer.layers, 1):
            places = []
            for k, text in enumerate(given):
                self._put(level, name := f"{level} {k}", text)
                places.append(self.places[name][0])
            sums = [*starmap(partial(_sum, places), zip(layer.weights, layer.biases, strict=True))]
            given = [sql("greatest({sum}, 0e0)", sum=each) for each in sums]
        return len(scorer.layers) + 1, sums

    def _term(self, term: NumberTerm | TextTerm, k: int) -> Sql:
        place = self.places[term.cell][0]
        if isinstance(term, TextTerm):
            other = term.otherwise[k]
            keyed = self.program.cells[term.cell].keyed(term.amounts)
            known = [(literal(text), double(each[k])) for text, each in keyed.items() if each[k] != other]
            return case(known, otherwise=double(other), of=place) if known else double(other)
        numbers = {name: double(getattr(term, name)) for name in ("centre", "scale")}
        each = {name: double(getattr(term, name)[k]) for name in ("slopes", "present", "absent")}
        return sql(
            "CASE WHEN {x} IS NULL THEN {absent} ELSE ({x} - {centre}) / {scale} * {slopes} + {present} END",
            x=place,
            **numbers,
            **each,
        )

    def _choice(self, split: TreeSplit) -> tuple[Sql, Sql, Sql]:
        x = self.places[split.cell][0]
        missing = Sql("IS NULL") if split.missing_left else Sql("IS NOT NULL")
        if split.codes is not None:
            codes = listed(sql("{code}", code=code) for code in split.codes) or Sql("NULL")
            holds = sql("coalesce({x} IN ({codes}), FALSE)", x=x, codes=codes)
        else:
            holds = Sql("TRUE") if math.isinf(split.limit) else sql("{x} <= {limit}", x=x, limit=double(split.limit))
        also = Sql("OR") if split.missing_left else Sql("AND")
        parts = {"x": x, "missing": missing, "also": also, "holds": holds}
        return sql("CASE WHEN {x} {missing} {also} {holds} THEN ", **parts), Sql(" ELSE "), Sql(" END")

    def _formulas(self) -> None:
        for name, formula in self.program.formulas.items():
            text, level = self._told(in_words_of(_SPELLING, formula), name)
            self._put(level, name, text)

    def _told(self, root: Expr, name: str) -> tuple[Sql, int]:
        """A formula as SQL, and how many inner questions it needs; parts that are used again become columns."""
        found: dict[Expr, tuple[Sql, int]] = {}
        used = Counter(node for parent in nodes(root) for node in _uses(parent))
        for node in nodes(root):
            found[node] = self._part(node, found)
            if node.word is not None and used[node] > 1:
                text, level = found[node]
                self._put(level, part := f"{name} {len(found)}", text)
                found[node] = self.places[part]
        return found[root]

    def _part(self, node: Expr, found: Mapping[Expr, tuple[Sql, int]]) -> tuple[Sql, int]:
        if node.word is None:
            return self.places[node.args[0]] if node.number is None else (double(float(node.number)), 0)
        parts = [found[arg] for arg in node.args]
        return by_template(TEMPLATES[node.word.name], (text for text, _ in parts)), max(level for _, level in parts)

    def _shown(self, shown: GivenColumn) -> Sql:
        if shown.number:
            return self.places[shown.number][0]
        *labels, last = map(_label, shown.labels)
        conditions = [self._told(in_words_of(_SPELLING, each), "")[0] for each in shown.conditions]
        return case(zip(conditions, labels, strict=True), otherwise=last)


def _sum(places: Sequence[Sql], weights: Floats, begun: float) -> Sql:
    products = [sql("{w} * {x}", w=double(float(w)), x=x) for w, x in zip(weights, places, strict=True)]
    return added([double(float(begun)), *products])


def _uses(node: Expr) -> Iterable[Expr]:
    """The arguments of a node, each as often as its template names it."""
    if node.word is not None:
        for k, arg in enumerate(node.args):
            yield from [arg] * TEMPLATES[node.word.name].count(f"{{{k}}}")


def _number(cell: Cell) -> Sql:
    return _read(cell, sql("DOUBLE"))


def _cell(cell: Cell) -> Sql:
    if cell.kind is ColumnKind.TEXT:
        text = sql("coalesce(CAST({column} AS VARCHAR), {absent})", column=quoted(cell.column), absent=literal(ABSENT))
        return _alike(text, cell.alike)
    if cell.kind is ColumnKind.NUMBER:
        return sql("CASE WHEN abs({x}) < {vast} THEN {x} END", x=_number(cell), vast=double(VAST))
    return by_template(PARTS[cell.part], (_read(cell, sql("TIMESTAMP")),))


def _alike(text: Sql, way: Alike) -> Sql:
    """A label as all ways to write it are made the same; letters that lower() leaves or spoils are folded as Python does."""
    if way == "stripped":
        return sql("trim({text}, {spaces})", text=text, spaces=_SPACES)
    if way == "folded":
        plain = sql(
            "translate({text}, {spaces}, {blanks})", text=text, spaces=_SPACES, blanks=literal(" " * len(SPACES))
        )
        # Of many blanks one: each is marked, and a mark before another blank goes with it.
        once = sql("replace(replace(replace({plain}, ' ', ' ' || chr(1)), chr(1) || ' ', ''), chr(1), '')", plain=plain)
        lower = sql("lower(replace(trim({once}), 'İ', 'i̇'))", once=once)
        return sql("replace(replace({lower}, 'ß', 'ss'), 'ς', 'σ')", lower=lower)
    return text


def _read(cell: Cell, kind: Sql) -> Sql:
    """A column of numbers or dates as such; texts there are first written as every program reads them."""
    column = quoted(cell.column)
    plain = sql("TRY_CAST({column} AS {kind})", column=column, kind=kind)
    if cell.notation is None:
        return plain
    text = cell.notation.sql(sql("CAST({column} AS VARCHAR)", column=column))
    is_text = sql("typeof({column}) = 'VARCHAR' OR typeof({column}) LIKE 'ENUM%'", column=column)
    return case([(is_text, sql("TRY_CAST({text} AS {kind})", text=text, kind=kind))], otherwise=plain)


def _label(label: Any) -> Sql:
    """A label as a text, or a number."""
    if isinstance(label, bool):
        return Sql("TRUE") if label else Sql("FALSE")
    return literal(label) if isinstance(label, str) else double(float(label))
