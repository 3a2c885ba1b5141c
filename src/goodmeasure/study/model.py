"""A trained model as it is used: from a table to raw outputs, predictions and decisions."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from goodmeasure.calibrating.recalibration import Recalibration
from goodmeasure.choosing.deciding import AnyCosts
from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts, bayes_act
from goodmeasure.deriving.predictions import at_bounds, foreseen, turn, within_bounds, within_turn
from goodmeasure.errors import UsageError
from goodmeasure.fitting.scorers import Scorer
from goodmeasure.making.loss import Loss
from goodmeasure.reading import notation
from goodmeasure.reading.documents import Mismatch, must
from goodmeasure.reading.frames import table
from goodmeasure.reading.notation import Notation
from goodmeasure.reading.paths import is_file, told
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import ColumnKind, NoSuchFile, Table, Values, listed
from goodmeasure.reading.writing import write_whole
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.strict.calls import strict_class, strict_keywords
from goodmeasure.study import form, saving
from goodmeasure.study.cases import exposure
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.columns import finite
from goodmeasure.study.counting import in_table
from goodmeasure.study.covering import Coverage
from goodmeasure.study.encoding import Encoding
from goodmeasure.study.exported import Titles, export
from goodmeasure.study.later_cells import LaterCells
from goodmeasure.study.names import plain_label
from goodmeasure.study.saving import NotAModel
from goodmeasure.study.seen import SeenRows, expected_losses
from goodmeasure.study.training import Trained

AGAIN = "train it again: goodmeasure run"


@strict_class
@dataclass(frozen=True, repr=False)
class Model:
    """What a run hands over: encoding, scorer, loss, recalibration and decision rule, with what they were made for.

    Attributes:
        loss: the loss that it was trained on.
        encoding: how columns become numbers.
        scorer: how those become raw outputs.
        target: the column that it predicts.
        asks_for: what of the target its predictions are: the mean, a quantile, the probability, ...
        labels: the classes in the order of their codes; of two, the second is yes. Empty for amounts.
        exposure: the column of exposures; None where there is none.
        recalibration: the map that puts its probabilities right; None where they are as the model gives them.
        costs: what its decisions were chosen for; None where nobody said.
        threshold: the probability from which to act.
        shift: what to provide beyond the predicted amount, in its unit.
        facts: what it was trained on.
        notations: how columns of texts are written that it reads as numbers or dates.
        seen: what its rows were like and what they cost, in shares, so that later rows can be held against them.
        coverage: what conformal prediction promises of its quantiles; None where they are as they were fitted.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> model = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").model
        >>> model.predict({"hours": [2, 4, 9]}).round(2)
        array([0.01, 0.2 , 1.  ])
        >>> model.decide({"hours": [2, 4, 9]}).tolist()
        ['no', 'no', 'yes']
    """

    loss: Loss
    encoding: Encoding
    scorer: Scorer
    target: str
    asks_for: str
    labels: tuple[Any, ...] = ()
    exposure: str | None = None
    recalibration: Recalibration | None = None
    costs: AnyCosts | ColumnCosts | None = None
    threshold: float | None = None
    shift: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    notations: Mapping[str, Notation] = field(default_factory=dict)
    seen: SeenRows | None = None
    coverage: Coverage | None = None

    @staticmethod
    def of(trained: Trained, **known: Any) -> Model:
        """Make a model of what was trained.

        Args:
            trained: the loss, the encoding and the scorer.
            **known: the other fields of `Model`.

        Returns:
            A model with these fields.
        """
        return Model(trained.loss, trained.encoding, trained.scorer, **known)

    def using(self, **changed: Any) -> Model:
        """The same model with another recalibration, threshold, ...

        Args:
            **changed: fields of `Model` with what they are to be.

        Returns:
            A changed copy.
        """
        return replace(self, **changed)

    @property
    def columns(self) -> dict[str, ColumnKind]:
        """The columns that a table must have, with what each must hold."""
        more = () if self.exposure is None else (self.exposure,)
        return self.encoding.kinds | dict.fromkeys((*more, *self._cost_columns), ColumnKind.NUMBER)

    @property
    def _cost_columns(self) -> tuple[str, ...]:
        """The columns that say in each row what mistakes cost, where that is what decides."""
        by_row = isinstance(self.costs, ColumnCosts) and self.threshold is None
        return self.costs.columns if by_row and isinstance(self.costs, ColumnCosts) else ()

    def raw(self, data: Any) -> Floats:
        """Raw outputs of the rows of a table, before any recalibration.

        Args:
            data: a frame (pandas, Polars, Arrow) or a dictionary of columns, with the columns that `columns` names.

        Returns:
            Raw outputs, (n,), or (n, K) for K classes or quantiles.

        Raises:
            GM202: the data are no table, or its columns differ in length.
            GM203: a column is missing.
            GM204: two columns have one name.
            GM205: there are no rows.
            GM206: a column holds texts where the model was fitted to numbers or dates.
            GM241: an exposure is missing, not positive or not finite.
        """
        given = self._table(data)
        given, _ = finite(given.only(self.columns), self.encoding.features)
        raw = self.scorer(self.encoding(given))
        amount = exposure(given, self.exposure)
        # A rate times its exposure, on the scale on which effects add.
        return raw if amount is None else raw + np.log(amount)

    def _table(self, data: Any) -> Table:
        """The rows as a table, whose texts are read as they were when the model was fitted."""
        texts = [name for name, kind in self.columns.items() if kind is ColumnKind.TEXT]
        return table(data, notations=self.notations, kept=texts)

    def settled(self, raw: Floats) -> Floats:
        """Raw outputs after recalibration, or those of quantiles that do not cross: what the predictions stand for.

        Args:
            raw: raw outputs, (n,) or (n, K).

        Returns:
            Raw outputs of the same shape.
        """
        if self.loss.levels:  # predictions in rising order are those that are handed over, and judged
            return np.asarray(self.loss.raw(self.loss.predict(raw)), dtype=np.float64)
        if self.recalibration is None:
            return raw
        return np.asarray(self.loss.raw(self.recalibration(raw)), dtype=np.float64)

    def predict(self, data: Any) -> Floats:
        """Predict the rows of a table.

        Args:
            data: a frame (pandas, Polars, Arrow) or a dictionary of columns, with the columns that `columns` names.

        Returns:
            Probabilities of yes or amounts, (n,), or probabilities of the classes or quantiles in rising order, (n, K).

        Raises:
            GM202: the data are no table, or its columns differ in length.
            GM203: a column is missing.
            GM204: two columns have one name.
            GM205: there are no rows.
            GM206: a column holds texts where the model was fitted to numbers or dates.
            GM241: an exposure is missing, not positive or not finite.
        """
        return self.predictions(self.raw(data))

    def predictions(self, raw: Floats) -> Floats:
        """Predictions from raw outputs, recalibrated if the model is.

        Args:
            raw: raw outputs, (n,) or (n, K).

        Returns:
            Probabilities of yes or amounts, (n,), or probabilities of the classes or quantiles in rising order, (n, K).
        """
        if self.recalibration is not None:
            return np.asarray(self.recalibration(raw))
        found, period = at_bounds(self.loss, foreseen(self.loss, raw)), turn(self.loss)
        return np.asarray(found if period is None else within_turn(found, period))

    def expected_losses(self, settled: Floats) -> Floats:
        """What rows are to cost by the model's own probabilities; zero where its predictions are none.

        Args:
            settled: raw outputs after recalibration, (n,) or (n, K).

        Returns:
            The expected loss of each row, (n,).
        """
        if not self.labels or self.asks_for != "probability":
            return np.zeros(len(settled))
        return expected_losses(self.loss, settled, foreseen(self.loss, settled))

    def decide(self, data: Any) -> Values:
        """Say what to do with each row: act or not under the costs, the likeliest class, or an amount to provide.

        Args:
            data: a frame (pandas, Polars, Arrow) or a dictionary of columns, with the columns that `columns` names.

        Returns:
            Labels or amounts, (n,).

        Raises:
            GM202: the data are no table, or its columns differ in length.
            GM203: a column is missing.
            GM204: two columns have one name.
            GM205: there are no rows.
            GM206: a column holds texts where the model was fitted to numbers or dates.
            GM241: an exposure is missing, not positive or not finite.
            GM713: a cost that a column holds is missing, negative or infinite.
        """
        given = self._table(data)
        return self.decisions(self.predict(given), given)

    def decisions(self, prediction: Floats, data: Any = None) -> Values:
        """Decisions from predictions.

        Args:
            prediction: what `predict` gave, (n,) or (n, K).
            data: the rows, where columns of theirs say what mistakes cost; of no use otherwise.

        Returns:
            Labels or amounts, (n,).

        Raises:
            GM009: columns say what mistakes cost, and the rows are not given.
            GM713: a cost in a row is missing, negative or infinite.
        """
        if not self.labels:
            return np.asarray(within_bounds(self.loss, prediction + self.shift))
        if prediction.ndim == 1:
            chosen = (prediction >= self._limits(data)).astype(np.intp)
        elif isinstance(self.costs, ClassCosts):
            chosen = bayes_act(prediction, self.costs)
        else:
            chosen = prediction.argmax(axis=1)
        return np.array([self.labels[k] for k in chosen], dtype=object)

    def _limits(self, data: Any) -> float | Floats:
        """The probability from which to act: one for all rows, or that of each row's own costs. Errors: GM009, GM713."""
        if not self._cost_columns or not isinstance(self.costs, ColumnCosts):
            return 0.5 if self.threshold is None else self.threshold
        if data is None:
            raise UsageError(
                "decisions depend on what mistakes cost in each row",
                seen=f"columns {listed(self._cost_columns)}",
                fix="model.decide(data)",
            )
        rows = table(data)
        with in_table(rows):
            return self.costs.of(rows).thresholds

    def answers(self, data: Any) -> tuple[dict[str, Values], tuple[Remark, ...]]:
        """Predict and decide a table, and say what in it the model has not seen.

        Args:
            data: a frame (pandas, Polars, Arrow) or a dictionary of columns, with the columns that `columns` names.

        Returns:
            Columns of predictions and decisions by name, each (n,), as `goodmeasure predict` writes them: "prediction" of an
            amount; "quantile_" with each level of several quantiles; "probability_yes", or of K classes a "probability_" with
            each label; "decision" with costs, and without them the "likeliest" label. Beside them remarks on missing and
            infinite values and new categories.

        Raises:
            GM202: the data are no table, or its columns differ in length.
            GM203: a column is missing.
            GM204: two columns have one name.
            GM205: there are no rows.
            GM206: a column holds texts where the model was fitted to numbers or dates.
            GM241: an exposure is missing, not positive or not finite.
            GM713: a cost that a column holds is missing, negative or infinite.
        """
        shown, cells = self._answered(data)
        return shown, cells.remarks()

    def _answered(self, data: Any) -> tuple[dict[str, Values], LaterCells]:
        given = self._table(data)
        prediction, titles = self.predict(given), self._titles
        columns = [prediction] if prediction.ndim == 1 else list(prediction.T)
        shown: dict[str, Values] = dict(zip(titles.predictions, columns, strict=True))
        if self.labels or self.shift:
            shown[titles.decision] = self.decisions(prediction, given)
        return shown, LaterCells.of(self.encoding, given)

    @property
    def _titles(self) -> Titles:
        """The names of the columns that `answers` gives."""
        if self.loss.levels:
            return Titles(tuple(f"quantile_{level:.12g}" for level in self.loss.levels), "decision")
        if not self.labels:
            return Titles(("prediction",), "decision")
        told = self.labels if len(self.labels) > 2 or self.loss.is_classwise else self.labels[1:]
        decided = self.threshold is not None or isinstance(self.costs, ClassCosts | ColumnCosts)
        decision = "decision" if decided else "likeliest"
        return Titles(tuple(f"probability_{plain_label(label)}" for label in told), decision)

    def export(self, path: str | PathLike[str]) -> None:
        """Write the model in another language, with its encoding, loss, recalibration and decision: it needs nothing of ours.

        Args:
            path: where to; the ending says in which language: ".sql" (a question to a table named rows), ".py" and ".js"
                (a function of a row, without dependencies) or ".onnx". A model in this language that stands there is
                replaced, any other file is not.

        Raises:
            GM008: a library that the language needs is not installed.
            GM009: the ending is none of these, or a file of another kind stands there.
            GM012: the file cannot be written.
            GM272: the language, or a plain formula, cannot say what the model does.

        Example:
            >>> import goodmeasure as gm
            >>> from pathlib import Path
            >>> from tempfile import TemporaryDirectory
            >>> hours = [i % 12 for i in range(240)]
            >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
            >>> model = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").model
            >>> known = {}
            >>> with TemporaryDirectory() as place:
            ...     model.export(f"{place}/passing.py")
            ...     exec(Path(place, "passing.py").read_text(), known)
            >>> known["predict"]({"hours": 9})["likeliest"]
            'yes'
        """
        export(self, self._titles, path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file that `goodmeasure.load` reads: JSON, with nothing in it that could be run.

        Args:
            path: where to; a model that stands there is replaced once the new one is whole, any other file is not.

        Raises:
            GM009: a file of another kind stands there.
            GM012: the file cannot be written.
        """
        write_whole({Path(path): self.to_json().encode(errors="backslashreplace")}, [form.MARK])

    def to_json(self) -> str:
        """The text of the file that `save` writes."""
        return json.dumps(to_dict(self), allow_nan=False, indent=1)

    def __repr__(self) -> str:
        return f"<Model: {self}>"

    def __str__(self) -> str:
        asked = f"the {self.asks_for} of {self.target}"
        rule = "" if self.threshold is None else f"; acts from {self.threshold:.4g} on"
        held = "" if self.coverage is None or not self.coverage.claim else f"; {self.coverage.claim}"
        return f"{asked} by {self.loss}, from {len(self.encoding.features)} columns{rule}{held}"


def answered(model: Model, part: Table) -> tuple[dict[str, Values], LaterCells]:
    """The columns that `Model.answers` gives of a part of a file, with what is to be said of all parts together."""
    return model._answered(part)


def to_dict(model: Model) -> dict[str, Any]:
    """The model as plain values, ready for JSON."""
    state = {
        "format": form.FORMAT,
        "version": form.VERSION,
        "target": model.target,
        "asks_for": model.asks_for,
        "labels": [label.item() if isinstance(label, np.generic) else label for label in model.labels],
        "exposure": model.exposure,
        "loss": saving.loss_to_dict(model.loss),
        "encoding": saving.encoding_to_dict(model.encoding),
        "scorer": saving.scorer_to_dict(model.scorer),
        "recalibration": None if model.recalibration is None else model.recalibration.to_dict(),
        "costs": None if model.costs is None else model.costs.to_dict(),
        "costs_by_row": isinstance(model.costs, ColumnCosts),
        "threshold": saving.number(model.threshold),
        "shift": model.shift,
        "facts": model.facts,
        "notations": {name: notation.to_dict(how) for name, how in model.notations.items()},
        **({} if model.seen is None else {"seen": model.seen.to_dict()}),
        **({} if model.coverage is None else {"coverage": model.coverage.to_dict()}),
    }
    return state | {"checksum": _checksum(state)}


def from_dict(state: dict[str, Any]) -> Model:
    """The model that `to_dict` described, which was checked."""
    loss = saving.loss_from_dict(state["loss"])
    recalibration, costs = state["recalibration"], state["costs"]
    return Model(
        loss=loss,
        encoding=saving.encoding_from_dict(state["encoding"]),
        scorer=saving.scorer_from_dict(state["scorer"]),
        target=state["target"],
        asks_for=state["asks_for"],
        labels=tuple(state["labels"]),
        exposure=state["exposure"],
        recalibration=None if recalibration is None else Recalibration.from_dict(recalibration),
        costs=None if costs is None else _costs_from(costs, by_row=state.get("costs_by_row", False)),
        threshold=None if state["threshold"] is None else float(state["threshold"]),
        shift=float(state["shift"]),
        facts=state["facts"],
        notations={name: notation.from_dict(how) for name, how in state.get("notations", {}).items()},
        seen=None if state.get("seen") is None else SeenRows.from_dict(state["seen"]),
        coverage=None if state.get("coverage") is None else Coverage.from_dict(state["coverage"]),
    )


def _costs_from(state: dict[str, Any], *, by_row: bool) -> AnyCosts | ColumnCosts:
    """The costs that a document describes."""
    if by_row:
        return ColumnCosts.from_dict(state)
    kind = ClassCosts if "matrix" in state else UnderOverCosts if "under" in state else Costs
    return kind(**state)


@strict_keywords
def load(path: str | PathLike[str]) -> Model:
    """Read a model that a run or `Model.save` wrote; nothing in the file is run.

    Args:
        path: the file, such as "goodmeasure-out/model.json".

    Returns:
        The model, which predicts and decides as it did.

    Raises:
        GM201: there is no such file.
        GM270: the file is no model, or one of a later version, or damaged.

    Example:
        >>> import goodmeasure as gm
        >>> from tempfile import TemporaryDirectory
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
        >>> with TemporaryDirectory() as place:
        ...     study.model.save(f"{place}/model.json")
        ...     model = gm.load(f"{place}/model.json")
        >>> model.decide({"hours": [2, 4, 9]}).tolist()
        ['no', 'no', 'yes']
    """
    place = Path(path)
    if not is_file(place):
        hint = place / "model.json"
        raise NoSuchFile(
            f"there is no file {place}", fix=f"did you mean {hint}?" if is_file(hint) else "check the path"
        )
    with told(str(place)):
        data = place.read_bytes()
    state = _document(data, place)
    try:
        form.check(state)
        must(state.get("checksum", same := _checksum(state)) == same, "", "what its checksum says: it was changed")
        model = from_dict(state)
        _try(model)
    except Mismatch as error:
        raise NotAModel(f"{place} is damaged", where=error.where, seen=f"not {error.needed}", fix=AGAIN) from error
    except Exception as error:  # whatever a forged part does when it is built or tried, the file is at fault
        raise NotAModel(f"{place} is damaged", seen=f"{type(error).__name__}: {error}", fix=AGAIN) from error
    return model


def _document(data: bytes, place: Path) -> dict[str, Any]:
    """The document of a model of this version. Error: GM270."""
    try:
        state = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        what = "it is not a JSON document"
        raise NotAModel(f"{place} is not a model", seen=what, fix="load the model.json of a run") from error
    if not isinstance(state, dict) or state.get("format") != form.FORMAT:
        what = "a JSON document of another kind"
        raise NotAModel(f"{place} is not a model", seen=what, fix="load the model.json of a run")
    if (version := state.get("version")) != form.VERSION:
        is_older = isinstance(version, int) and version < form.VERSION
        what = f"{place} is a model of version {version}"
        raise NotAModel(
            what, seen=f"this is version {form.VERSION}", fix=AGAIN if is_older else "pip install -U goodmeasure"
        )
    return state


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _checksum(state: dict[str, Any]) -> str:
    """A digest of all other fields of a document."""
    others = {name: value for name, value in state.items() if name != "checksum"}
    text = json.dumps(others, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _try(model: Model) -> None:
    """Predict for two rows, one of them empty: parts that do not fit one another are found before a table is read."""
    cells = {
        ColumnKind.NUMBER: np.array([np.nan, 1.0]),
        ColumnKind.TEXT: np.array([None, "a"], dtype=object),
        ColumnKind.DATE: np.array(["NaT", "2020-01-01"], dtype="datetime64[us]"),
    }
    columns = {name: cells[kind] for name, kind in model.columns.items()}
    for name in (*model._cost_columns, *(() if model.exposure is None else (model.exposure,))):
        columns[name] = np.ones(2)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        rows = Table(columns, "two rows", 2)
        prediction = model.predict(rows)
        decisions = model.decisions(prediction, rows)
        model.encoding.strange(rows)
    columns_of = len(model.loss.levels or model.labels)
    several = len(model.labels) > 2 or model.loss.is_classwise or model.loss.levels
    must(prediction.shape == ((2, columns_of) if several else (2,)), "scorer", "of the size that the labels need")
    must(
        len(model.labels) in (0, 2) or model.loss.is_classwise or model.loss.is_graded, "labels", "two labels, or none"
    )
    must(len(decisions) == 2, "scorer", "one prediction a row")
    must(model.coverage is None or model.coverage.levels == model.loss.levels, "coverage.levels", "those of the loss")
