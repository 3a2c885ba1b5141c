"""A model as a program of plain formulas, and the file that it is written to: the ending says in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from goodmeasure.calibrating.recalibration import Recalibration
from goodmeasure.deriving.implied_probability import class_formulas, probability_formula
from goodmeasure.deriving.predictions import turn
from goodmeasure.errors import UsageError
from goodmeasure.exporting.program import (
    Cell,
    GivenColumn,
    Linear,
    ModelProgram,
    NotExportable,
    NumberTerm,
    TextTerm,
    Trees,
)
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.scorers import LinearScorer, Scorer
from goodmeasure.formulas.expression import Expr, add, expression, less_equal, substitute, symbol
from goodmeasure.formulas.words import exp, maximum, sigmoid
from goodmeasure.making.loss import Loss
from goodmeasure.reading.tables import ColumnKind
from goodmeasure.reading.writing import write_whole
from goodmeasure.study.encoding import DATE_PARTS, Encoding, quietly

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
    def recalibration(self) -> Recalibration | None: ...
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
    cells = _cells(model.encoding)
    scorer = _scorer(model.encoding, model.scorer, cells)
    outputs = len(scorer.start) if isinstance(scorer, Linear) else scorer.forest.outputs
    raw = tuple(f"z{k}" for k in range(outputs))
    z = [symbol(name) for name in raw]
    formulas, names = _predictions(model, z)
    more, shown = _shown(model, titles, names)
    return ModelProgram(cells, scorer, raw, model.exposure, formulas | more, shown, str(model))


def _cells(encoding: Encoding) -> dict[str, Cell]:
    """The cells that are read, in the order of the columns of the matrix for trees."""
    found = [Cell(name, ColumnKind.NUMBER) for name in encoding.numbers]
    found += [Cell(name, ColumnKind.DATE, part) for name in encoding.dates for part in DATE_PARTS]
    found += [Cell(name, ColumnKind.TEXT) for name in encoding.texts]
    return {f"x{k}": cell for k, cell in enumerate(found)}


# --- raw outputs ---


def _scorer(encoding: Encoding, scorer: Any, cells: Mapping[str, Cell]) -> Linear | Trees:
    if isinstance(scorer, LinearScorer):
        return _linear(encoding, scorer, cells)
    if isinstance(scorer, Forest):
        texts = [name for name, cell in cells.items() if cell.kind is ColumnKind.TEXT]
        known = encoding.steps["texts"] if texts else None
        return Trees(scorer, tuple(cells), {name: _codes(known, k) for k, name in enumerate(texts)})
    raise NotExportable(f"raw outputs of a {type(scorer).__name__} cannot be written down", fix=USE_IT)


def _linear(encoding: Encoding, scorer: LinearScorer, cells: Mapping[str, Cell]) -> Linear:
    """The sums of a linear scorer, a term for each cell; what stands for a missing number is worked out beforehand."""
    numbers = [name for name, cell in cells.items() if cell.kind is not ColumnKind.TEXT]
    texts = [name for name, cell in cells.items() if cell.kind is ColumnKind.TEXT]
    weights = scorer.coefficients
    terms: list[NumberTerm | TextTerm] = []
    if numbers:
        terms += _number_terms(encoding.steps["numbers"], numbers, weights)
    if texts:
        encoder = encoding.steps["texts"]
        width = sum(_widths(encoder, len(texts)))
        terms += _text_terms(encoder, texts, weights[:, weights.shape[1] - width :])
    return Linear(tuple(scorer.intercepts.tolist()), tuple(terms))


def _number_terms(steps: Any, names: list[str], weights: Any) -> list[NumberTerm]:
    """The terms of numbers; those that were missing in fitted rows have a column more, which says so, behind all numbers."""
    imputer, scaler = (step for _, step in steps.steps)
    flags = [] if imputer.indicator_ is None else imputer.indicator_.features_.tolist()
    terms = []
    for k, name in enumerate(names):
        centre, scale, slopes = float(scaler.mean_[k]), float(scaler.scale_[k]), weights[:, k]
        absent, present = (imputer.statistics_[k] - centre) / scale * slopes, np.zeros_like(slopes)
        if k in flags:
            at = len(names) + flags.index(k)
            said, unsaid = ((value - scaler.mean_[at]) / scaler.scale_[at] * weights[:, at] for value in (1, 0))
            absent, present = absent + said, unsaid
        terms.append(NumberTerm(name, centre, scale, *(tuple(part.tolist()) for part in (slopes, present, absent))))
    return terms


def _widths(encoder: Any, texts: int) -> list[int]:
    """How many columns of the matrix each text has."""
    names = encoder.get_feature_names_out([f"{k}" for k in range(texts)])
    found = [str(name).partition("_")[0] for name in names]
    return [found.count(f"{k}") for k in range(texts)]


def _text_terms(encoder: Any, names: list[str], weights: Any) -> list[TextTerm]:
    """The terms of texts: the encoder itself is asked what it makes of each category, and of one that it never saw."""
    widths = _widths(encoder, len(names))
    ends = np.cumsum(widths)
    terms = []
    for k, (name, known) in enumerate(zip(names, encoder.categories_, strict=True)):
        own = slice(int(ends[k]) - widths[k], int(ends[k]))
        *each, otherwise = (_asked(encoder, k)[:, own] @ weights[:, own].T).tolist()
        amounts = {str(text): tuple(row) for text, row in zip(known, each, strict=True)}
        terms.append(TextTerm(name, amounts, tuple(otherwise)))
    return terms


def _codes(encoder: Any, k: int) -> dict[str, int]:
    """The code of each category of a text for trees; one that was not seen has none."""
    codes = _asked(encoder, k)[:-1, k]
    return {str(text): int(code) for text, code in zip(encoder.categories_[k], codes, strict=True)}


def _asked(encoder: Any, k: int) -> Any:
    """What an encoder makes of all categories of a column, and at last of a text that is none of them."""
    known = [str(text) for text in encoder.categories_[k]]
    rows = np.tile(np.array([each[0] for each in encoder.categories_], dtype=object), (len(known) + 1, 1))
    rows[:, k] = [*encoder.categories_[k], "?" * (1 + max(map(len, known)))]
    return quietly(encoder.transform, rows)


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
    if len(z) > 1 or turn(loss) is not None:
        raise NotExportable(
            f"predictions of {loss} cannot be written down: distributions and angles are not", fix=USE_IT
        )
    return {"p": loss.activation[0](z[0])}, ["p"]


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
        provided = expression(symbol(names[0]) + model.shift)
        return {"provided": provided}, (*numbers, GivenColumn(titles.decision, number="provided"))
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in model.labels)
    if len(names) == 1:
        limit = 0.5 if model.threshold is None else model.threshold
        no, yes = labels
        return {}, (
            *numbers,
            GivenColumn(titles.decision, conditions=(less_equal(limit, symbol(names[0])),), labels=(yes, no)),
        )
    best = reduce(maximum, map(symbol, names))
    first = tuple(less_equal(symbol("best"), symbol(name)) for name in names[:-1])
    return {"best": best}, (*numbers, GivenColumn(titles.decision, conditions=first, labels=labels))
