"""What a saved model must be, before anything is made of it."""

from __future__ import annotations

from typing import Any, get_args

from goodmeasure.calibrating.recalibration import Method
from goodmeasure.decisions.costs import OUTCOMES
from goodmeasure.deriving.spelling import Kind
from goodmeasure.fitting.forest import CODES
from goodmeasure.formulas.activations import is_activation
from goodmeasure.formulas.words import vocabulary
from goodmeasure.reading.documents import (
    distinct,
    either,
    exactly,
    fields,
    infinity,
    mapping,
    must,
    number,
    optional,
    plain,
    row,
    sequence,
    text,
    truth,
    whole,
)
from goodmeasure.reading.notation import GROUPINGS, Dates
from goodmeasure.study.coding import MOST_TREE_CATEGORIES
from goodmeasure.study.covering import DOUBTS
from goodmeasure.study.encoding import width

FORMAT = "goodmeasure model"
MARK = f'{{\n "format": "{FORMAT}"'.encode()
VERSION = 2
# The longest formula of the catalogue has 34 rows, and 83 parts where shared ones are written out.
MOST_ROWS = 2_000
MOST_PARTS = 20_000
MOST_NODES = 20_000_000
MOST_LAYERS = 100


def _activation(value: Any, at: str) -> None:
    must(isinstance(value, str) and is_activation(value), at, "an activation")


_LIMIT = either(infinity(), number())
_NAMES = distinct(sequence(text(most=100_000)))

_SPELLING = fields(
    {
        "text": text(),
        "activation": sequence(_activation, least=1, most=16),
        "kind": exactly(*get_args(Kind)),
        "factory": text(),
    }
)
_LOSS = fields(
    {
        "spelling": either(text(), _SPELLING),
        "book": sequence(sequence(either(text(most=200), number()), least=1, most=8), least=1, most=MOST_ROWS),
        "target": fields(
            {
                "name": text(),
                "low": _LIMIT,
                "high": _LIMIT,
                "whole": truth(),
                "low_open": truth(),
                "high_open": truth(),
                "classes": truth(),
                "binary": truth(),
                "order": truth(),
            },
            optional=("classes", "binary", "order"),
        ),
        "predictions": sequence(text(most=200), least=1, most=24),
        "activation": sequence(_activation, least=1, most=24),
        "hyperparameters": sequence(row(text(most=200), number()), most=100),
        "class_weight": sequence(number(low=0), most=100_000),
        "facts": fields({"sentence": text(), "asks_for": text()}),
    }
)
_SCALING = fields(
    {
        "fill": sequence(number()),
        "flagged": sequence(whole(0)),
        "centre": sequence(number()),
        "spread": sequence(number(low=0)),
    }
)
_CODING = fields(
    {
        "known": distinct(sequence(text(most=100_000), least=1)),
        "code": sequence(whole(-1, MOST_TREE_CATEGORIES - 1), least=1),
        "otherwise": whole(-1, MOST_TREE_CATEGORIES - 1),
        "steps": whole(2, MOST_TREE_CATEGORIES),
    },
    optional=("steps",),
)
_ENCODING = fields(
    {"numbers": _NAMES, "dates": _NAMES, "texts": _NAMES, "scaling": optional(_SCALING), "codings": sequence(_CODING)}
)
_LINEAR = fields({"coefficients": sequence(sequence(number()), least=1), "intercepts": sequence(number(), least=1)})
_FOREST = fields(
    {
        "start": sequence(number(), least=1),
        "roots": sequence(whole(0)),
        "column": sequence(whole(-1), most=MOST_NODES),
        "limit": sequence(_LIMIT, most=MOST_NODES),
        "missing_left": sequence(truth(), most=MOST_NODES),
        "left": sequence(whole(-1), most=MOST_NODES),
        "right": sequence(whole(-1), most=MOST_NODES),
        "value": sequence(number(), most=MOST_NODES),
        "set": sequence(whole(-1), most=MOST_NODES),
        "sets": sequence(sequence(whole(0, CODES - 1), most=CODES), most=MOST_NODES),
    }
)
_TREES = fields({"forest": _FOREST})
_NETWORK = fields(
    {
        "weights": sequence(sequence(sequence(number(), least=1), least=1), least=1, most=MOST_LAYERS),
        "biases": sequence(sequence(number(), least=1), least=1, most=MOST_LAYERS),
    }
)
_LAYERS = fields({"network": _NETWORK})


def _any_scorer(value: Any, at: str) -> None:
    """What a scorer of its kind must be; the kind is told by the name of its only field."""
    kinds = {"forest": _TREES, "network": _LAYERS}
    named = [check for name, check in kinds.items() if isinstance(value, dict) and name in value]
    (named or [_LINEAR])[0](value, at)


_RECALIBRATION = fields(
    {
        "method": exactly(*get_args(Method)),
        "parameters": sequence(sequence(sequence(number(), least=1), least=1, most=2), least=1),
        "raw": truth(),
        "shrink": whole(0, 2**53),
    }
)
_COSTS = fields(
    dict.fromkeys(("false_negative", "false_positive", "true_positive", "true_negative", "ask"), number()),
    optional=("true_positive", "true_negative", "ask"),
)
_CLASS_COSTS = fields({"matrix": sequence(sequence(number(), least=2), least=2)})
_COLUMN_COSTS = fields(
    {
        **dict.fromkeys(OUTCOMES, either(number(), text(most=100_000))),
        "ask": number(),
    },
    optional=("true_positive", "true_negative", "ask"),
)
_AMOUNT_COSTS = fields({"under": number(), "over": number()})


def _form_of_dates(value: Any, at: str) -> None:
    text(most=40)(value, at)
    must(Dates(value).is_one, at, "a form of dates")


def _mark(value: Any, at: str) -> None:
    """What stands before or behind numbers, which becomes part of a question to a database."""
    text(most=40)(value, at)
    must(not any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in value), at, "a text in UTF-8")


_DATES = fields({"form": _form_of_dates})
_NUMBERS = fields({"decimal": exactly(".", ","), "grouping": exactly(*GROUPINGS), "before": _mark, "after": _mark})
_DISTRIBUTION = fields(
    {
        "missing": number(0, 1),
        "shares": sequence(number(0, 1), most=1000),
        "rows": number(low=1),
        "cuts": sequence(number(), most=1000),
        "labels": distinct(sequence(text(most=100_000), most=1000)),
    }
)
_BINS = sequence(number(), least=1, most=1000)
_SEEN = fields(
    {
        "columns": mapping(_DISTRIBUTION),
        "predictions": _DISTRIBUTION,
        "costing": fields({"cuts": sequence(number(), most=1000), "excess": _BINS, "variance": _BINS, "rows": _BINS}),
        "loss": number(),
        "low": number(),
        "high": number(),
        "level": number(0, 1),
    }
)
_COVERAGE = fields(
    {
        "levels": sequence(number(0, 1), least=2, most=24),
        "moves": sequence(optional(number()), least=2, most=24),
        "rows": whole(1),
        "as_fitted": number(0, 1),
        "doubts": distinct(sequence(exactly(*DOUBTS))),
    }
)
_MODEL = fields(
    {
        "format": exactly(FORMAT),
        "version": exactly(VERSION),
        "target": text(most=100_000),
        "asks_for": text(),
        "labels": distinct(sequence(either(text(most=100_000), truth(), number()))),
        "exposure": optional(text(most=100_000)),
        "loss": _LOSS,
        "encoding": _ENCODING,
        "scorer": _any_scorer,
        "recalibration": optional(_RECALIBRATION),
        "costs": optional(either(_COSTS, _AMOUNT_COSTS, _CLASS_COSTS, _COLUMN_COSTS)),
        "costs_by_row": truth(),
        "threshold": optional(_LIMIT),
        "shift": number(),
        "facts": plain,
        "notations": mapping(either(_NUMBERS, _DATES)),
        "seen": optional(_SEEN),
        "coverage": optional(_COVERAGE),
    },
    optional=("notations", "seen", "coverage", "costs_by_row"),
)


def check(state: Any) -> None:
    """Refuse a document that is no model: what is missing, of another type or size, or fits nothing else in it.

    Raises:
        Mismatch: it says where, and what is needed there
    """
    _MODEL(state, "")
    _book(state["loss"]["book"])
    _encoding(state["encoding"])
    _scorer(state["scorer"], state["encoding"])
    _costs(state["costs"], len(state["labels"]))
    by_row = any(isinstance(value, str) for value in (state["costs"] or {}).values())
    must(by_row == state.get("costs_by_row", False), "costs_by_row", "whether columns hold costs")
    if state.get("seen") is not None:
        _seen(state["seen"])
    if (coverage := state.get("coverage")) is not None:
        must(len(coverage["moves"]) == len(coverage["levels"]), "coverage.moves", "one for each level")
    for one in [] if state["recalibration"] is None else state["recalibration"]["parameters"]:
        _knots(one, state["recalibration"]["method"])


def _seen(state: dict[str, Any]) -> None:
    """A share for each cut in order, or for each label and all others, and bins with a cut between each two."""
    for at, one in [
        ("seen.predictions", state["predictions"]),
        *((f"seen.columns.{n}", d) for n, d in state["columns"].items()),
    ]:
        must(len(one["shares"]) in (len(one["cuts"]), len(one["labels"]) + 1), at, "a share for each cut or label")
        must(not (one["cuts"] and one["labels"]), at, "cuts or labels")
        must(one["cuts"] == sorted({*one["cuts"]}), at, "cuts in order")
    costing = state["costing"]
    sizes = {len(costing[name]) for name in ("excess", "variance", "rows")} | {len(costing["cuts"]) + 1}
    must(len(sizes) == 1, "seen.costing", "a number for each bin")
    must(min(costing["rows"]) >= 1 and min(costing["variance"]) >= 0, "seen.costing", "rows and a spread in each bin")


def _costs(state: dict[str, Any] | None, labels: int) -> None:
    """Costs of classes are a table with a row and a column a label."""
    matrix = (state or {}).get("matrix")
    if matrix is not None:
        must({len(matrix), *map(len, matrix)} == {labels}, "costs.matrix", "a row and a column for each label")


def _book(rows: list[list[Any]]) -> None:
    """A formula is made of words of earlier rows; written out, it must not grow without bound."""
    known, parts = vocabulary(), list[int]()
    for i, (head, *rest) in enumerate(rows):
        at = f"loss.book[{i}]"
        if not rest or rest == ["positive"]:
            must(isinstance(head, str) or not rest, at, "a symbol or a number")
            parts.append(1)
            continue
        must(head in known, at, "a word of formulas")
        must(all(isinstance(one, int) and 0 <= one < i for one in rest), at, "made of earlier rows")
        parts.append(1 + sum(parts[one] for one in rest))
        must(parts[-1] <= MOST_PARTS, at, "so short that it can be written out")


def _encoding(state: dict[str, Any]) -> None:
    """Every number has its mean and its spread, every text its coding, and codes are those of columns without a gap."""
    count, scaling = width(state["numbers"], state["dates"], ()), state["scaling"]
    if scaling is not None:
        flagged = scaling["flagged"]
        must(len(scaling["fill"]) == count, "encoding.scaling.fill", "one number a column of numbers")
        must(flagged == sorted({*flagged}) and max(flagged, default=-1) < count, "encoding.scaling.flagged", "in order")
        for name in ("centre", "spread"):
            must(len(scaling[name]) == count + len(flagged), f"encoding.scaling.{name}", "one number a column")
        must(0 not in scaling["spread"], "encoding.scaling.spread", "above zero")
    must(len(state["codings"]) == len(state["texts"]), "encoding.codings", "one for each column of texts")
    for k, coding in enumerate(state["codings"]):
        _coding(coding, f"encoding.codings[{k}]")


def _coding(state: dict[str, Any], at: str) -> None:
    used = {*state["code"]} - {-1}
    must(len(state["code"]) == len(state["known"]), f"{at}.code", "one a category")
    must(used == {*range(len(used))} and used != set(), f"{at}.code", "columns without a gap")
    must(state["otherwise"] in {-1, *used}, f"{at}.otherwise", "one of the codes, or -1")
    must(
        state.get("steps", 0) <= len(used) <= state.get("steps", len(used)) + 1,
        f"{at}.steps",
        "as many as there are codes",
    )


def _scorer(state: dict[str, Any], encoding: dict[str, Any]) -> None:
    """A linear scorer is a table with one intercept a row; trees are walked by code that does not look where it goes."""
    if "forest" in state:
        _forest(state["forest"], width(encoding["numbers"], encoding["dates"], encoding["texts"]))
        return
    if "network" in state:
        _network(**state["network"])
        return
    widths = {len(each) for each in state["coefficients"]}
    must(len(widths) == 1, "scorer.coefficients", "a table")
    must(
        len(state["coefficients"]) == len(state["intercepts"]), "scorer.intercepts", "one number a row of coefficients"
    )


def _forest(state: dict[str, Any], columns: int) -> None:
    """Every split asks for a column and a set that exist, and its children come after it in its own tree."""
    count, roots = len(state["column"]), state["roots"]
    per_node = ("limit", "missing_left", "left", "right", "value", "set")
    must(all(len(state[name]) == count for name in per_node), "scorer.forest", "lists of one length")
    must(len(roots) % len(state["start"]) == 0, "scorer.forest.roots", "as many trees for each raw output")
    ends = [*roots[1:], count]
    must(roots[:1] == [0][: count > 0], "scorer.forest.roots", "the first of all nodes first")
    must(all(root < end for root, end in zip(roots, ends, strict=True)), "scorer.forest.roots", "in order")
    must(max(state["column"], default=-1) < columns, "scorer.forest.column", "columns that exist")
    must(max(state["set"], default=-1) < len(state["sets"]), "scorer.forest.set", "sets that exist")
    for root, end in zip(roots, ends, strict=True):
        for k in range(root, end):
            after = state["column"][k] < 0 or (k < state["left"][k] < end and k < state["right"][k] < end)
            must(after, f"scorer.forest.left[{k}]", "further on in its tree")


def _network(weights: list[list[list[float]]], biases: list[list[float]]) -> None:
    """Every layer is a table with a row for each of its sums, and takes what the layer before gives."""
    must(len(weights) == len(biases), "scorer.network.biases", "one list a layer")
    for k, (table, begun) in enumerate(zip(weights, biases, strict=True)):
        at = f"scorer.network.weights[{k}]"
        must(len({len(row) for row in table}) == 1, at, "a table")
        must(len(table) == len(begun), f"scorer.network.biases[{k}]", "one number a row of weights")
        must(k == 0 or len(table[0]) == len(biases[k - 1]), at, "as wide as the layer before")


def _knots(one: list[list[float]], method: str) -> None:
    """A map has its coefficients, or rising steps with a height each."""
    at = "recalibration.parameters"
    if method != "isotonic":
        must(
            len(one) == 1 and len(one[0]) == {"platt": 2, "beta": 3, "temperature": 1}[method], at, f"those of {method}"
        )
        return
    must(len(one) == 2 and len(one[0]) == len(one[1]), at, "steps with a height each")
    places, heights = one
    must(places == sorted(places), at, "steps in order")
    must(all(0 <= height <= 1 for height in heights), at, "heights that are probabilities")
