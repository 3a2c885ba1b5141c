"""A model as an ONNX graph in double precision: an input for each column, an output for each column that the model gives.

Numbers are doubles, NaN where one is missing; texts are strings, "(missing)" where one is; dates are days since 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

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
)
from goodmeasure.exporting.scalars import in_words_of
from goodmeasure.fitting.forest import Forest
from goodmeasure.formulas.expression import Expr, nodes
from goodmeasure.reading.tables import VAST, ColumnKind
from goodmeasure.strict.extras import needed

OPSET, OPSET_OF_TREES, IR = 17, 5, 10
MARK = b"\x08\x0a\x12\x0bgoodmeasure"  # the version of the format, and who made the file


def written(program: ModelProgram) -> bytes:
    """The bytes of the file."""
    onnx = needed("onnx", "export to .onnx")
    _sayable(program)
    graph = _Graph(onnx, program)
    made: bytes = graph.model().SerializeToString()
    return made


def _sayable(program: ModelProgram) -> None:
    """Refuse names that a graph cannot have. Error: GM272."""
    columns = {*program.columns}
    for name in [*columns, *(shown.title for shown in program.shown)]:
        if not name or name.encode("utf-8", "replace").decode() != name:
            raise NotExportable(f"ONNX has no name {name!r}", fix="rename the column")
    twice = columns & {shown.title for shown in program.shown}
    if twice:
        raise NotExportable(f"column {min(twice)!r} has the name of what the model gives", fix="rename the column")


def _as_they_stand(program: ModelProgram) -> list[str]:
    """What the model reads in texts and a graph does not."""
    if not program.readings:
        return []
    return [
        "Cells are taken as they stand: numbers, days and labels in one spelling. The model itself reads",
        *program.readings,
    ]


class _Graph:
    """A graph under construction: operations are added one by one, and each gives the name of its result."""

    def __init__(self, onnx: Any, program: ModelProgram) -> None:
        self.onnx, self.program = onnx, program
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: dict[str, Any] = {}
        self.known: dict[Any, str] = {}
        self.mark = "gm"
        names = [*program.columns, *(shown.title for shown in program.shown)]
        while any(name.startswith(self.mark) for name in names):
            self.mark += "_"

    def model(self) -> Any:
        """The whole model."""
        helper = self.onnx.helper
        cells = {name: self._cell(cell) for name, cell in self.program.cells.items()}
        values = self._formulas(self._columns(self._raw(cells)))
        outputs = [self._shown(shown, values) for shown in self.program.shown]
        inputs = [helper.make_tensor_value_info(name, kind, ["rows"]) for name, kind in self.inputs.items()]
        graph = helper.make_graph(self.nodes, "goodmeasure", inputs, outputs, self.constants)
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_OF_TREES)]
        said = "\n".join([self.program.sentence, *_as_they_stand(self.program)]).encode("ascii", "replace").decode()
        return helper.make_model(
            graph, opset_imports=versions, ir_version=IR, producer_name="goodmeasure", doc_string=said
        )

    def add(self, operation: str, *inputs: str, domain: str = "", output: str = "", **attributes: Any) -> str:
        """The result of an operation."""
        name = output or f"{self.mark} {len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operation, [*inputs], [name], domain=domain, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """An array that stands in the graph."""
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, str(array.tolist()))
        if key not in self.known:
            self.known[key] = f"{self.mark} constant {len(self.known)}"
            self.constants.append(self.onnx.numpy_helper.from_array(array, self.known[key]))
        return self.known[key]

    # --- cells ---

    def _input(self, column: str, kind: ColumnKind) -> str:
        kinds = self.onnx.TensorProto
        self.inputs[column] = kinds.STRING if kind is ColumnKind.TEXT else kinds.DOUBLE
        return column

    def _cell(self, cell: Cell) -> str:
        given = self._input(cell.column, cell.kind)
        if cell.kind is ColumnKind.TEXT:
            return given
        there = self.add("Less", self.add("Abs", given), self.constant(np.array(VAST)))
        present = self.add("Where", there, given, self.constant(np.array(np.nan)))
        return present if cell.kind is ColumnKind.NUMBER else _DATES[cell.part](self, present)

    def _code(self, cell: str, texts: Sequence[str]) -> str:
        """The place of each text in a list, and one more for all others."""
        return self.add(
            "LabelEncoder", cell, domain="ai.onnx.ml",
            keys_strings=[text.encode("utf-8", "surrogatepass") for text in texts],
            values_int64s=[*range(len(texts))], default_int64=len(texts),
        )  # fmt: skip

    def _matrix(self, columns: Sequence[str]) -> str:
        """Columns side by side."""
        axis = self.constant(np.array([1]))
        return self.add("Concat", *(self.add("Unsqueeze", column, axis) for column in columns), axis=1)

    def _columns(self, raw: str) -> dict[str, str]:
        """The raw outputs by name, with the exposure's logarithm added."""
        found = {z: self.add("Gather", raw, self.constant(np.array(k)), axis=1) for k, z in enumerate(self.program.raw)}
        if self.program.exposure is None:
            return found
        offset = self.add("Log", self._input(self.program.exposure.column, ColumnKind.NUMBER))
        return {z: self.add("Add", each, offset) for z, each in found.items()}

    # --- raw outputs ---

    def _raw(self, cells: Mapping[str, str]) -> str:
        scorer = self.program.scorer
        if isinstance(scorer, Linear):
            return self._linear(scorer, cells)
        return self._trees(scorer, cells) if isinstance(scorer, Trees) else self._layered(scorer, cells)

    def _layered(self, scorer: Layered, cells: Mapping[str, str]) -> str:
        columns = [self._amounts(term, cells[term.cell]) for term in scorer.terms]
        found = self.add("Concat", *columns, axis=1)
        for k, layer in enumerate(scorer.layers):
            given = self.add("Relu", found) if k else found
            product = self.add("MatMul", given, self.constant(layer.weights.T))
            found = self.add("Add", product, self.constant(layer.biases))
        return found

    def _amounts(self, term: NumberTerm | TextTerm, cell: str) -> str:
        """All amounts of a term side by side."""
        if isinstance(term, TextTerm):
            table = self.constant(np.array([*term.amounts.values(), term.otherwise]))
            return self.add("Gather", table, self._code(cell, [*term.amounts]))
        given = self._matrix([cell])
        slopes, present, absent = (self.constant(np.array([each])) for each in (term.slopes, term.present, term.absent))
        apart = self.add("Sub", given, self.constant(np.array(term.centre)))
        scaled = self.add("Div", apart, self.constant(np.array(term.scale)))
        amounts = self.add("Add", self.add("Mul", scaled, slopes), present)
        return self.add("Where", self.add("IsNaN", given), absent, amounts)

    def _linear(self, scorer: Linear, cells: Mapping[str, str]) -> str:
        numbers = [term for term in scorer.terms if isinstance(term, NumberTerm)]
        total = self.constant(np.array([scorer.start]))
        if numbers:
            total = self.add("Add", total, self._numbers(numbers, cells))
        for term in scorer.terms:
            if isinstance(term, TextTerm):
                total = self.add("Add", total, self._amounts(term, cells[term.cell]))
        return total

    def _numbers(self, terms: Sequence[NumberTerm], cells: Mapping[str, str]) -> str:
        """What numbers add: a product with their slopes, and one with what a missing one adds."""
        given = self._matrix([cells[term.cell] for term in terms])
        lost = self.add("IsNaN", given)
        centre, scale = (
            self.constant(np.array([getattr(term, name) for term in terms])) for name in ("centre", "scale")
        )
        scaled = self.add("Div", self.add("Sub", given, centre), scale)
        zero, one = self.constant(np.array(0.0)), self.constant(np.array(1.0))
        there = self.add(
            "MatMul", self.add("Where", lost, zero, scaled), self.constant(np.array([term.slopes for term in terms]))
        )
        present, absent = (np.array([getattr(term, name) for term in terms]) for name in ("present", "absent"))
        gone = self.add("MatMul", self.add("Where", lost, one, zero), self.constant(absent - present))
        return self.add("Add", self.add("Add", there, gone), self.constant(present.sum(axis=0)))

    def _trees(self, scorer: Trees, cells: Mapping[str, str]) -> str:
        names = [name for name in scorer.columns if name not in scorer.codes]
        columns = [cells[name] for name in names]
        place = {scorer.columns.index(name): k for k, name in enumerate(names)}
        sets: dict[int, int] = {}
        for node in np.flatnonzero(scorer.forest.set_of >= 0):
            name = scorer.columns[scorer.forest.column[node]]
            sets[int(node)] = len(columns)
            columns.append(self._membership(scorer, name, cells[name], int(scorer.forest.set_of[node])))
        forest = scorer.forest
        feature = [sets.get(k, place.get(int(c), 0)) for k, c in enumerate(forest.column)]
        if not columns or (forest.column < 0).all():
            start = forest.start + np.array(
                [forest.value[forest.roots[k :: forest.outputs]].sum() for k in range(forest.outputs)]
            )
            return self._everywhere(start)
        return self.add(
            "Add", self.constant(forest.start[None]), self._ensemble(forest, self._matrix(columns), feature, sets)
        )

    def _everywhere(self, start: Any) -> str:
        """The same raw outputs for all rows, whose number an input tells."""
        first = next(iter(self.inputs))
        shape = self.add("Concat", self.add("Shape", first), self.constant(np.array([len(start)])), axis=0)
        return self.add("Expand", self.constant(start[None]), shape)

    def _membership(self, scorer: Trees, name: str, cell: str, which: int) -> str:
        """0 for texts whose code a set holds, 1 for others, and NaN for those without a code."""
        codes = scorer.codes[name]
        inside = [0.0 if scorer.forest.sets[which, code] else 1.0 for code in codes.values()]
        return self.add("Gather", self.constant(np.array([*inside, np.nan])), self._code(cell, [*codes]))

    def _ensemble(self, forest: Forest, matrix: str, feature: Sequence[int], sets: Mapping[int, int]) -> str:
        """The sums of the leaves; a leaf that is a whole tree stands below a split that sends everything to it."""
        from_array, whole = self.onnx.numpy_helper.from_array, set(forest.roots.tolist())
        inner = [k for k in range(len(forest.column)) if forest.column[k] >= 0 or k in whole]
        leaves = [k for k in range(len(forest.column)) if forest.column[k] < 0]
        at = {k: i for i, k in enumerate(inner) if forest.column[k] >= 0}
        leaf_at = {k: i for i, k in enumerate(leaves)}
        tree_of = np.searchsorted(forest.roots, leaves, side="right") - 1
        most = np.finfo(np.float64).max
        limits = [0.5 if k in sets else min(float(forest.limit[k]), most) for k in inner]

        def side(name: str, k: int) -> int:
            return int(getattr(forest, name)[k]) if forest.column[k] >= 0 else k

        left, right = ([side(name, k) for k in inner] for name in ("left", "right"))
        return self.add(
            "TreeEnsemble",
            matrix,
            domain="ai.onnx.ml",
            n_targets=forest.outputs,
            aggregate_function=1,
            post_transform=0,
            tree_roots=np.searchsorted(inner, forest.roots).tolist(),
            nodes_featureids=[feature[k] if forest.column[k] >= 0 else 0 for k in inner],
            nodes_splits=from_array(np.array(limits), "splits"),
            nodes_modes=from_array(np.zeros(len(inner), dtype=np.uint8), "modes"),
            nodes_truenodeids=[at.get(k, leaf_at.get(k, 0)) for k in left],
            nodes_trueleafs=[int(k in leaf_at) for k in left],
            nodes_falsenodeids=[at.get(k, leaf_at.get(k, 0)) for k in right],
            nodes_falseleafs=[int(k in leaf_at) for k in right],
            nodes_missing_value_tracks_true=[int(forest.missing_left[k]) for k in inner],
            leaf_targetids=(tree_of % forest.outputs).tolist(),
            leaf_weights=from_array(forest.value[leaves], "weights"),
        )

    # --- formulas ---

    def _formulas(self, values: dict[str, str]) -> dict[str, str]:
        for name, formula in self.program.formulas.items():
            values[name] = self.of(formula, values)
        return values

    def of(self, formula: Expr, values: Mapping[str, str]) -> str:
        """The result of a formula."""
        found: dict[Expr, str] = {}
        root = in_words_of(_SPELLING, formula)
        for node in nodes(root):
            if node.word is not None:
                found[node] = _SPELLING[node.word.name](self, *(found[arg] for arg in node.args))
            elif node.number is None:
                found[node] = values[node.args[0]]
            else:
                found[node] = self.constant(np.array(float(node.number)))
        return found[root]

    def _shown(self, shown: GivenColumn, values: Mapping[str, str]) -> Any:
        """An output: numbers, or the label of the first condition that holds."""
        info, kinds = self.onnx.helper.make_tensor_value_info, self.onnx.TensorProto
        if shown.number:
            self.add("Identity", values[shown.number], output=shown.title)
            return info(shown.title, kinds.DOUBLE, ["rows"])
        chosen = self.constant(np.array(len(shown.labels) - 1))
        for k, condition in reversed([*enumerate(shown.conditions)]):
            chosen = self.add("Where", self.of(condition, values), self.constant(np.array(k)), chosen)
        numbers = all(isinstance(label, int | float) and not isinstance(label, bool) for label in shown.labels)
        labels = (
            np.array(shown.labels, dtype=np.float64) if numbers else np.array([*map(str, shown.labels)], dtype=object)
        )
        self.add("Gather", self.constant(labels), chosen, output=shown.title)
        return info(shown.title, kinds.DOUBLE if numbers else kinds.STRING, ["rows"])


# --- how the words are spelled ---

Spelled = Callable[..., str]


def _plain(operation: str) -> Spelled:
    return lambda graph, *given: graph.add(operation, *given)


def _log1p(graph: _Graph, x: str) -> str:
    """Of numbers that 1 swallows, themselves; else what rounding 1 + x did is undone (Kahan)."""
    one = graph.constant(np.array(1.0))
    grown = graph.add("Add", x, one)
    part = graph.add("Div", x, graph.add("Sub", grown, one))
    far = graph.add("Equal", grown, graph.add("Add", grown, grown))  # zero or infinite
    log = graph.add("Log", grown)
    exact = graph.add("Where", far, log, graph.add("Mul", log, part))
    return graph.add("Where", graph.add("Equal", grown, one), x, exact)


def _expm1(graph: _Graph, x: str) -> str:
    """The same for the other way; far from zero the difference itself is exact."""
    one = graph.constant(np.array(1.0))
    grown = graph.add("Exp", x)
    less = graph.add("Sub", grown, one)
    near = graph.add("Mul", less, graph.add("Div", x, graph.add("Log", grown)))
    far = graph.add("Greater", graph.add("Abs", x), one)
    return graph.add("Where", graph.add("Equal", grown, one), x, graph.add("Where", far, less, near))


_SPELLING: Mapping[str, Spelled] = {
    "add": _plain("Add"),
    "sub": _plain("Sub"),
    "mul": _plain("Mul"),
    "div": _plain("Div"),
    "power": _plain("Pow"),
    "neg": _plain("Neg"),
    "abs": _plain("Abs"),
    "sign": _plain("Sign"),
    "less": _plain("Less"),
    "less_equal": _plain("LessOrEqual"),
    "where": _plain("Where"),
    "maximum": _plain("Max"),
    "minimum": _plain("Min"),
    "exp": _plain("Exp"),
    "log": _plain("Log"),
    "sqrt": _plain("Sqrt"),
    "log1p": _log1p,
    "expm1": _expm1,
}


# --- dates ---


def _whole(graph: _Graph, x: str, by: float) -> str:
    """How often a number goes into another."""
    return graph.add("Floor", graph.add("Div", x, graph.constant(np.array(by))))


def _less(graph: _Graph, x: str, y: str, times: float = 1.0) -> str:
    return graph.add("Sub", x, graph.add("Mul", y, graph.constant(np.array(times))))


def _weekday(graph: _Graph, days: str) -> str:
    since = graph.add("Add", graph.add("Floor", days), graph.constant(np.array(3.0)))
    return _less(graph, since, _whole(graph, since, 7.0), 7.0)


def _month(graph: _Graph, days: str) -> str:
    """The month of the Gregorian calendar, whose years are counted from March so that the leap day comes last."""
    since = graph.add("Add", graph.add("Floor", days), graph.constant(np.array(719468.0)))
    of_era = _less(graph, since, _whole(graph, since, 146097.0), 146097.0)
    leaps = graph.add("Add", _whole(graph, of_era, 1460.0), _whole(graph, of_era, 146096.0))
    years = _whole(graph, _less(graph, graph.add("Add", of_era, _whole(graph, of_era, 36524.0)), leaps), 365.0)
    before = graph.add(
        "Sub", graph.add("Add", _times(graph, years, 365.0), _whole(graph, years, 4.0)), _whole(graph, years, 100.0)
    )
    of_year = graph.add("Sub", of_era, before)
    month = _whole(graph, graph.add("Add", _times(graph, of_year, 5.0), graph.constant(np.array(2.0))), 153.0)
    early = graph.add("Less", month, graph.constant(np.array(10.0)))
    later, sooner = (graph.add("Add", month, graph.constant(np.array(by))) for by in (3.0, -9.0))
    return graph.add("Where", early, later, sooner)


def _times(graph: _Graph, x: str, by: float) -> str:
    return graph.add("Mul", x, graph.constant(np.array(by)))


_DATES: Mapping[str, Spelled] = {"day": lambda graph, days: days, "month": _month, "weekday": _weekday}
