"""A model as a program of plain formulas, and the file that it is written to: the ending says in which language."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from goodmeasure.calibrating.recalibration import Recalibration
from goodmeasure.choosing.affirming import apart
from goodmeasure.choosing.deciding import AnyCosts
from goodmeasure.decisions.costs import ClassCosts
from goodmeasure.deriving.implied_probability import class_formulas, probability_formula
from goodmeasure.deriving.predictions import at_bounds_formula, grade_formulas, turn
from goodmeasure.errors import UsageError
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
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.network import Network
from goodmeasure.fitting.scorers import LinearScorer, Scorer
from goodmeasure.formulas.activations import exchanges
from goodmeasure.formulas.expression import Expr, add, less_equal, substitute, symbol
from goodmeasure.formulas.words import exp, maximum, minimum, sigmoid
from goodmeasure.making.loss import Loss
from goodmeasure.reading.notation import Notation
from goodmeasure.reading.tables import ColumnKind
from goodmeasure.reading.writing import write_whole
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.coding import Coding
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.encoding import DATE_PARTS, Encoding
from goodmeasure.study.scaling import Scaling

_LANGUAGES = {
    ".py": "goodmeasure.exporting.python",
    ".js": "goodmeasure.exporting.javascript",
    ".mjs": "goodmeasure.exporting.javascript",
    ".sql": "goodmeasure.exporting.sql",
    ".onnx": "goodmeasure.exporting.onnx",
}
USE_IT = "goodmeasure predict, or goodmeasure.load(...).predict(rows)"


@dataclass(frozen=True)
class Titles:
    """The names of the columns that a model gives: a prediction or one for each class, and the decision."""

    predictions: tuple[str, ...]
    decision: str


class Predicting(Protocol):
    """What is asked of a model; `Model` has it."""

    @property
    def loss(self) -> Loss: ...
    @property
    def encoding(self) -> Encoding: ...
    @property
    def scorer(self) -> Scorer: ...
    @property
    def labels(self) -> tuple[Any, ...]: ...
    @property
    def exposure(self) -> str | None: ...
    @property
    def notations(self) -> Mapping[str, Notation]: ...
    @property
    def recalibration(self) -> Recalibration | None: ...
    @property
    def costs(self) -> AnyCosts | ColumnCosts | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def shift(self) -> float: ...


def export(model: Predicting, titles: Titles, path: str | PathLike[str]) -> None:
    """Write a model in the language that the file's ending says. Errors: GM008, GM009, GM012, GM272."""
    place = Path(path)
    if place.suffix not in _LANGUAGES:
        endings = ", ".join(_LANGUAGES)
        raise UsageError(f"a model cannot be exported to {place.name}", seen=f"endings are {endings}", fix="model.sql")
    language = import_module(_LANGUAGES[place.suffix])
    write_whole({place: language.written(program(model, titles))}, [language.MARK])


def program(model: Predicting, titles: Titles) -> ModelProgram:
    """The model as a program. Error: GM272 where no plain formula says what it does."""
    if isinstance(model.costs, ColumnCosts) and model.threshold is None:
        raise NotExportable("decisions by costs that columns hold row by row are not written down", fix=USE_IT)
    cells = _cells(model.encoding, model.notations)
    scorer = _scorer(model.encoding, model.scorer, cells)
    raw = tuple(f"z{k}" for k in range(scorer.outputs))
    z = [symbol(name) for name in raw]
    formulas, names = _predictions(model, z)
    more, shown = _shown(model, titles, names)
    of = model.exposure
    exposure = None if of is None else Cell(of, ColumnKind.NUMBER, notation=model.notations.get(of))
    return ModelProgram(cells, scorer, raw, exposure, formulas | more, shown, str(model))


def _cells(encoding: Encoding, notations: Mapping[str, Notation]) -> dict[str, Cell]:
    """The cells that are read, in the order of the columns of the matrix for trees."""
    found = [Cell(name, ColumnKind.NUMBER, notation=notations.get(name)) for name in encoding.numbers]
    found += [Cell(name, ColumnKind.DATE, part, notations.get(name)) for name in encoding.dates for part in DATE_PARTS]
    found += [
        Cell(name, ColumnKind.TEXT, alike=apart(coding.known))
        for name, coding in zip(encoding.texts, encoding.codings, strict=True)
    ]
    return {f"x{k}": cell for k, cell in enumerate(found)}


# --- raw outputs ---


def _scorer(encoding: Encoding, scorer: Any, cells: Mapping[str, Cell]) -> Linear | Trees | Layered:
    if isinstance(scorer, LinearScorer):
        terms = _terms(encoding, cells, lambda at: scorer.coefficients[:, at])
        return Linear(tuple(scorer.intercepts.tolist()), terms)
    if isinstance(scorer, Network):
        first, *others = scorer.layers
        order = [k for at in _filled(encoding) for k in at]
        first = replace(first, weights=first.weights[:, order])
        return Layered(_terms(encoding, cells, lambda at: np.eye(len(at))), (first, *others))
    if isinstance(scorer, Forest):
        texts = [name for name, cell in cells.items() if cell.kind is ColumnKind.TEXT]
        known = dict(zip(texts, map(_codes, encoding.codings), strict=True))
        return Trees(scorer, tuple(cells), known)
    raise NotExportable(f"raw outputs of a {type(scorer).__name__} cannot be written down", fix=USE_IT)


def _terms(
    encoding: Encoding, cells: Mapping[str, Cell], weights: Callable[[list[int]], Floats]
) -> tuple[NumberTerm | TextTerm, ...]:
    """What each cell adds, where ``weights`` are those of the columns that it fills, a row for each amount."""
    assert encoding.scaling is not None
    codings, found = iter(encoding.codings), list[NumberTerm | TextTerm]()
    for k, ((name, cell), at) in enumerate(zip(cells.items(), _filled(encoding), strict=True)):
        if cell.kind is ColumnKind.TEXT:
            found.append(_text_term(next(codings), name, weights(at)))
        else:
            found.append(_number_term(encoding.scaling, k, name, weights(at)))
    return tuple(found)


def _filled(encoding: Encoding) -> Iterator[list[int]]:
    """The columns of the scaled matrix that each cell fills: a number its own and its flag, a text one for each code."""
    assert encoding.scaling is not None
    flagged, count = encoding.scaling.flagged, len(encoding.scaling.fill)
    for k in range(count):
        yield [k, *(count + i for i, each in enumerate(flagged) if each == k)]
    at = count + len(flagged)
    for coding in encoding.codings:
        yield [*range(at, at + coding.width)]
        at += coding.width


def _number_term(scaling: Scaling, k: int, name: str, weights: Floats) -> NumberTerm:
    """The amounts of a number by its weights and those of its flag; what stands for a missing one is worked out beforehand."""
    centre, scale, slopes = float(scaling.centre[k]), float(scaling.spread[k]), weights[:, 0]
    absent, present = (scaling.fill[k] - centre) / scale * slopes, np.zeros_like(slopes)
    if k in scaling.flagged:
        at = len(scaling.fill) + scaling.flagged.index(k)
        absent = absent + (1 - scaling.centre[at]) / scaling.spread[at] * weights[:, 1]
        present = (0 - scaling.centre[at]) / scaling.spread[at] * weights[:, 1]
    return NumberTerm(name, centre, scale, *(tuple(part.tolist()) for part in (slopes, present, absent)))


def _text_term(coding: Coding, name: str, weights: Floats) -> TextTerm:
    """The amount of each category of a text, and of one that was never seen; weights are those of its columns."""
    amounts = (coding.columns(np.array([*coding.code, coding.otherwise])) @ weights.T).tolist()
    *known, otherwise = map(tuple, amounts)
    return TextTerm(name, dict(zip(coding.known, known, strict=True)), otherwise)


def _codes(coding: Coding) -> dict[str, int]:
    """The code of each category of a text for trees; one that was not seen has none."""
    return {text: code for text, code in zip(coding.known, coding.code, strict=True) if code >= 0}


# --- predictions and what is shown of them ---


def _predictions(model: Predicting, z: list[Expr]) -> tuple[dict[str, Expr], list[str]]:
    """Formulas of the predictions, and the names of those that are predictions."""
    loss = model.loss
    if loss.is_classwise:
        return _classes(_logs(model, z))
    if model.recalibration is not None:
        return {"p": _recalibrated(model, z[0])}, ["p"]
    if loss.is_binary:
        formula = probability_formula(loss)
        if formula is None:
            raise NotExportable(
                f"no plain formula gives the probability that a raw output of {loss} stands for", fix=USE_IT
            )
        return {"p": substitute(formula, {"z": z[0]})}, ["p"]
    if loss.is_graded:
        given = dict(zip(loss.raw_names, z, strict=True))
        grades = {f"p{k}": substitute(each, given) for k, each in enumerate(grade_formulas(loss))}
        return grades, list(grades)
    if loss.levels:
        return _between(loss, *_rising([a(each) for a, each in zip(loss.activation, z, strict=True)]))
    if len(z) > 1 or turn(loss) is not None:
        raise NotExportable(
            f"predictions of {loss} cannot be written down: distributions and angles are not", fix=USE_IT
        )
    return _between(loss, {"p": loss.activation[0](z[0])}, ["p"])


def _between(loss: Loss, formulas: dict[str, Expr], names: list[str]) -> tuple[dict[str, Expr], list[str]]:
    """Predictions whose quantiles within rounding of a bound are that bound, where the target has some."""
    held = {f"{name}_held": at_bounds_formula(loss, symbol(name)) for name in names}
    return (formulas, names) if all(each.word is None for each in held.values()) else (formulas | held, list(held))


def _rising(values: list[Expr]) -> tuple[dict[str, Expr], list[str]]:
    """Quantiles in rising order, each exchange of two named so that it is computed once."""
    names = [f"q{k}" for k in range(len(values))]
    formulas = dict(zip(names, values, strict=True))
    for step, (i, j) in enumerate(exchanges(len(names))):
        one, other = symbol(names[i]), symbol(names[j])
        names[i], names[j] = f"low{step}", f"high{step}"
        formulas |= {names[i]: minimum(one, other), names[j]: maximum(one, other)}
    return formulas, names


def _recalibrated(model: Predicting, z: Expr) -> Expr:
    """The probability of yes after recalibration."""
    found = model.recalibration
    assert found is not None
    if found.method not in ("platt", "temperature") or not found.raw:
        raise NotExportable(f"recalibration by {found.method} is a table, not a formula", fix="method='platt'")
    slope, *shift = found.parameters[0][0]
    return sigmoid(slope * z + (shift[0] if shift else 0.0))


def _logs(model: Predicting, z: list[Expr]) -> list[Expr]:
    """Logarithms of the class probabilities, but for what all of them have in common."""
    found = model.recalibration
    if found is not None and found.method == "temperature" and found.raw:
        return [found.parameters[0][0][0] * each for each in z]
    logs = class_formulas(model.loss, z) if found is None else None
    if logs is None:
        what = model.loss if found is None else f"recalibration by {found.method}"
        raise NotExportable(f"no plain formula gives the class probabilities of {what}", fix=USE_IT)
    return logs


def _classes(logs: list[Expr]) -> tuple[dict[str, Expr], list[str]]:
    """Class probabilities from their logarithms, which are named so that each is computed once."""
    formulas = {f"l{k}": each for k, each in enumerate(logs)}
    named = [symbol(name) for name in formulas]
    formulas["top"] = reduce(maximum, named)
    formulas |= {f"e{k}": exp(each - symbol("top")) for k, each in enumerate(named)}
    grown = [symbol(f"e{k}") for k in range(len(logs))]
    formulas["total"] = reduce(add, grown)
    names = [f"p{k}" for k in range(len(logs))]
    formulas |= {name: each / symbol("total") for name, each in zip(names, grown, strict=True)}
    return formulas, names


def _shown(model: Predicting, titles: Titles, names: list[str]) -> tuple[dict[str, Expr], tuple[GivenColumn, ...]]:
    """The columns that `Model.answers` gives, under the same names, and a formula more where an amount is shifted."""
    numbers = tuple(GivenColumn(title, number=name) for title, name in zip(titles.predictions, names, strict=True))
    if not model.labels and not model.shift:
        return {}, numbers
    if not model.labels:
        provided, reaches = symbol(names[0]) + model.shift, model.loss.activation[0].reaches
        if math.isfinite(reaches.high):
            provided = minimum(maximum(provided, reaches.low), reaches.high)
        return {"provided": provided}, (*numbers, GivenColumn(titles.decision, number="provided"))
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in model.labels)
    if len(names) == 1:
        limit = 0.5 if model.threshold is None else model.threshold
        no, yes = labels
        return {}, (
            *numbers,
            GivenColumn(titles.decision, conditions=(less_equal(limit, symbol(names[0])),), labels=(yes, no)),
        )
    if isinstance(model.costs, ClassCosts):
        return _of_least_cost(model.costs, titles, names, numbers, labels)
    best = reduce(maximum, map(symbol, names))
    first = tuple(less_equal(symbol("best"), symbol(name)) for name in names[:-1])
    return {"best": best}, (*numbers, GivenColumn(titles.decision, conditions=first, labels=labels))


def _of_least_cost(
    costs: ClassCosts, titles: Titles, names: list[str], numbers: tuple[GivenColumn, ...], labels: tuple[Any, ...]
) -> tuple[dict[str, Expr], tuple[GivenColumn, ...]]:
    """The label of least expected cost, the first of equal ones."""
    shares = [symbol(name) for name in names]
    formulas = {
        f"cost{act}": reduce(add, (share * float(price) for share, price in zip(shares, prices, strict=True)))
        for act, prices in enumerate(costs.matrix.T)
    }
    each = [symbol(name) for name in formulas]
    formulas["least"] = reduce(minimum, each)
    first = tuple(less_equal(one, symbol("least")) for one in each[:-1])
    return formulas, (*numbers, GivenColumn(titles.decision, conditions=first, labels=labels))
