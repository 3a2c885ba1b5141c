"""Making a tally: create, add rows, finish; rows come all at once or block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure import kernels
from goodmeasure.deriving.predictions import check_predictions, on_predictions
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem, TargetOutsideDomain, UsageError, WeightError, shorter
from goodmeasure.reading.rows_read import NO_SCORE, NO_TARGET, NO_WEIGHT
from goodmeasure.risks.outputs import refuse_labels, refuse_overflow, refuse_underflow
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.arrays import array_of, column_of, numbers_of, one_a_row, same_order
from goodmeasure.statistics.coded_keys import Coded, apart, coded
from goodmeasure.statistics.keys import refuse_missing
from goodmeasure.statistics.row_arguments import Floats, MissingScore, OutOfRange
from goodmeasure.statistics.weights import MOST_WEIGHT, are_tame
from goodmeasure.tallying import at_once
from goodmeasure.tallying.schema import MOST_CLASSES, Kind, Schema, column, columns
from goodmeasure.tallying.state import AmountSums, ClusterSums, Moments, ScoreCounts, State, hashed
from goodmeasure.tallying.tally import Tally

BLOCK = 1 << 17  # rows whose columns stay in a core's cache; kernels take them in one go
TOGETHER = 1 << 20  # rows that are put in the order of their groups at a time
SINGLE = "model"


class Portion(NamedTuple):
    """Rows to add: targets, each model's scores, weights, and hashes of clusters."""

    y: NDArray[Any]
    z: dict[str, NDArray[Any]]
    w: Floats | None
    cluster: NDArray[np.uint64] | None

    def at(self, where: slice | NDArray[Any]) -> Portion:
        """Some of the rows."""

        def some(column: NDArray[Any] | None) -> Any:
            return None if column is None else column[where]

        z = {name: values[where] for name, values in self.z.items()}
        return Portion(self.y[where], z, some(self.w), some(self.cluster))


class Group(NamedTuple):
    """The state of a group of rows, and its sums by cluster, which are put together at the end."""

    state: State
    clusters: list[ClusterSums]

    def add_clusters(self, part: ClusterSums) -> None:
        """Add a part; it is merged with earlier ones that are no larger, so that a cluster is moved only a few times."""
        while self.clusters and len(self.clusters[-1].keys) <= len(part.keys):
            part = self.clusters.pop().merge(part)
        self.clusters.append(part)

    def finished(self) -> State:
        """The state with the sums by cluster."""
        return replace(self.state, clusters=reduce(ClusterSums.merge, self.clusters) if self.clusters else None)


class Accumulator:
    """Makes a tally: create, ``add`` rows (as often as one likes), ``finish``; tallies merge with ``+``."""

    def __init__(self, losses: Sequence[Any], schema: Schema, called: Mapping[str, str] | None = None) -> None:
        self.losses: tuple[Any, ...] = tuple(losses)
        self.schema: Schema = schema
        self._called = called or {}
        self._groups: dict[str, Group] = {}
        self._taking = [on_predictions(loss) if schema.on_predictions else loss for loss in losses]

    def add(
        self,
        y: Any,
        z: Mapping[str, Any],
        w: Floats | None = None,
        group: ArrayLike | Coded | None = None,
        cluster: ArrayLike | Coded | None = None,
    ) -> None:
        """Add rows: targets, each model's raw outputs (or predictions), weights, group and cluster keys."""
        target, keys = np.asarray(y), None if cluster is None else _hashes(cluster, w)
        scores = {name: np.asarray(values) for name, values in z.items()}
        row_arguments.equal_length(scores, y=target, sample_weight=w, group=group, cluster=cluster)
        given = Portion(target, scores, w, keys)
        if group is None:
            self._add("", given)
            return
        of = coded(group, "group")
        try:
            for part in even(len(target), TOGETHER):
                order, runs = of[part].in_runs()
                ordered = given.at(part).at(order)
                for k, run in runs:
                    self._add(str(of.names[k]), ordered.at(run))
        except Problem:
            # In the order in which they were given, the row that is refused is named by its own place.
            Accumulator(self.losses, self.schema, self._called).add(y, z, w)
            raise

    def _add(self, label: str, given: Portion) -> None:
        """Add rows of one group."""
        group = self._groups.setdefault(label, Group(State(), []))
        for part in even(len(given.y), BLOCK):
            self._count(group, given.at(part))

    def check(self, y: NDArray[Any], z: dict[str, NDArray[Any]], w: Floats | None) -> None:
        """Refuse the rows that `add` refuses for what they hold."""
        given = _present(State(), Portion(y, z, w, None))
        if len(given.y):
            self._checked(given)

    def _checked(self, given: Portion) -> NDArray[Any]:
        """The targets of rows that are all present, if these and the probabilities are what they should be."""
        target = self._target(given.y)
        check = {"outcome": row_arguments.inside_unit_interval, "classes": row_arguments.class_probabilities}
        if self.schema.on_predictions and self.schema.kind in check:
            for name, values in given.z.items():
                check[self.schema.kind](values, self._called.get(name, name))
        return target

    def _counted_at_once(self, state: State, given: Portion) -> bool:
        """Whether rows could be added in one pass, and were."""
        # Addresses are asked for each time: those of another process, or of a loss that is gone, lead anywhere.
        places = at_once.kernels_of(self._taking, self.schema)
        if places is None or given.w is not None or given.cluster is not None:
            return False
        ((model, p),) = given.z.items()
        scores = state.scores[model] if model in state.scores else ScoreCounts(False)
        found = at_once.counted(places, given.y, p, scores)
        if found is None:
            return False
        state.rows += len(p)
        state.scores[model] = scores
        for at, limbs in enumerate(found):
            name = column(model, at)
            if name not in state.moments:
                state.moments[name] = Moments(False)
            state.moments[name].add_summed(len(p), limbs)
        return True

    def _count(self, group: Group, rows: Portion) -> None:
        """Add rows of one group."""
        if self._counted_at_once(group.state, rows):
            return
        given = _present(group.state, rows)
        if not len(given.y) or (len(given.y) < len(rows.y) and self._counted_at_once(group.state, given)):
            return
        target = self._checked(given)
        found = self._columns(target, given.z)
        if self.schema.kind != "outcome":  # labels that are 0 or 1 stay as narrow as they are
            given = given._replace(y=target)
        self._sum(group, given, found)

    def _columns(self, y: NDArray[Any], z: dict[str, NDArray[Any]]) -> dict[str, Floats]:
        """The losses of each row, and the differences of each pair of models; they do not depend on the group."""
        for loss, values in product(self._taking, z.values()):
            refuse_underflow(loss, y, values)
        found = {
            column(name, at): row_values(loss, y, taken)
            for name, taken in ((name, self._taken(values)) for name, values in z.items())
            for at, loss in enumerate(self._taking)
        }
        if self.schema.kind == "amount":
            self._refuse_overflow(y, z, found)
        for a, b in combinations(self.schema.models, 2):
            for at in range(len(self.losses)):
                with np.errstate(invalid="ignore", over="ignore"):
                    found[column(f"{a} - {b}", at)] = found[column(a, at)] - found[column(b, at)]
        return found

    def _refuse_overflow(self, y: NDArray[Any], z: dict[str, NDArray[Any]], found: dict[str, Floats]) -> None:
        """Refuse amounts whose losses cannot be squared, by their names. Error: GM706."""
        for name, at in product(z, range(len(self.losses))):
            losses = found[column(name, at)]
            if len(losses) and not -row_arguments.LARGEST < losses.min() <= losses.max() < row_arguments.LARGEST:
                with np.errstate(over="ignore"):
                    refuse_overflow(losses**2, y, {self._called.get(name, name): z[name]})

    def _sum(self, group: Group, given: Portion, found: dict[str, Floats]) -> None:
        """Add the columns of rows of one group."""
        state = group.state
        state.rows += len(given.y)
        for name, values in found.items():
            state.moments.setdefault(name, Moments(self.schema.weighted)).add(values, given.w)
        for name, values in given.z.items():
            self._grid(state, name, given.y, values, given.w)
        if given.cluster is not None:
            one = np.ones(len(given.y)) if given.w is None else given.w
            group.add_clusters(ClusterSums.of(given.cluster, one, [found[name] for name in columns(self.schema)]))

    def _target(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.schema.kind == "outcome":
            return row_arguments.outcomes(y)
        return (
            row_arguments.classes(y, k=self.schema.classes)
            if self.schema.kind == "classes"
            else row_arguments.column(y, "y", kind=TargetOutsideDomain)
        )

    def _taken(self, z: NDArray[Any]) -> NDArray[Any]:
        """The scores as the losses take them: raw outputs or probabilities as they are, classes as log probabilities."""
        if not self.schema.on_predictions or self.schema.kind == "outcome":
            return z
        return np.asarray(check_predictions(self.losses[0], z))

    def _grid(self, state: State, name: str, y: NDArray[Any], z: NDArray[Any], w: Floats | None) -> None:
        p = z if self.schema.on_predictions else np.asarray(self.losses[0].predict(z), dtype=np.float64)

        def scores(key: str, chance: Floats, hit: Any) -> None:
            counts = state.scores.setdefault(key, ScoreCounts(self.schema.weighted))
            counts.add(chance, np.asarray(hit, dtype=np.int8), w)

        if self.schema.kind == "outcome":
            scores(name, p, y)
        elif self.schema.kind == "classes":
            top = p.argmax(axis=1)
            scores(f"{name}\ttop", p[np.arange(len(p)), top], top == y)
            for k in range(self.schema.classes if self.schema.classes <= MOST_CLASSES else 0):
                scores(f"{name}\t{k}", p[:, k], y == k)
        else:
            raw = self.losses[0].raw(z) if self.schema.on_predictions else z
            v = np.asarray(self.losses[0].identification(y, raw), dtype=np.float64)
            row_arguments.finite(p, "predictions")
            state.amounts.setdefault(name, AmountSums()).add(p, v, w)

    def finish(self) -> Tally:
        """The tally of all rows added."""
        return Tally(self.schema, {label: group.finished() for label, group in self._groups.items()}, self.losses)


def even(n: int, most: int) -> Iterator[slice]:
    """Parts of ``n`` rows of about the same length, at most ``most``: no short one is left at the end."""
    parts = -(-n // most)
    for i in range(parts):
        yield slice(i * n // parts, (i + 1) * n // parts)


def _present(state: State, given: Portion) -> Portion:
    """The rows that can be counted; the others are counted by reason."""
    if given.w is None and not any(map(_any_missing, (given.y, *given.z.values()))):
        return given
    # A row without weight is not there, whatever it lacks besides.
    lost = {} if given.w is None else {NO_WEIGHT: given.w == 0}
    lost[NO_TARGET] = _missing(given.y)
    lost[NO_SCORE] = reduce(np.logical_or, map(_missing, given.z.values()))
    keep = np.ones(len(given.y), dtype=bool)
    for reason, gone in lost.items():
        if count := int(np.count_nonzero(gone & keep)):
            state.excluded[reason] = state.excluded.get(reason, 0) + count
        keep &= ~gone
    return given if keep.all() else given.at(keep)


def _hashes(keys: ArrayLike | Coded, w: Floats | None) -> NDArray[np.uint64]:
    """The hash of each row's key, where a row without weight may hold anything; errors: GM003, GM009, GM702."""
    if isinstance(keys, Coded):
        return np.asarray(hashed(keys.names)[keys.codes])
    lost, there = apart(keys, "cluster")
    counts = np.ones(len(lost), dtype=bool) if w is None or len(w) != len(lost) else w > 0
    refuse_missing(lost & counts, "cluster")
    if counts.all():
        return hashed(there)
    found = np.zeros(len(lost), dtype=np.uint64)
    if counts.any():
        found[counts] = hashed(there[counts[~lost]])
    return found


def _any_missing(values: NDArray[Any]) -> bool:
    """Whether a number is NaN: the smallest is then."""
    return values.dtype.kind == "f" and bool(np.isnan(values.min()))


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows hold a number that is NaN."""
    if values.dtype.kind != "f":
        return np.zeros(len(values), dtype=bool)
    return np.asarray(np.isnan(values).reshape(len(values), -1).any(axis=1))


def row_values(loss: Any, y: NDArray[Any], z: NDArray[Any]) -> Floats:
    """The loss of each row by its compiled kernel, whatever the number of rows: a value must not depend on its
    shard."""
    n = len(z)
    again = np.resize(np.arange(n), kernels.SMALLEST) if n < kernels.SMALLEST else slice(None)
    found = kernels.table(loss, "value", y[again], np.ascontiguousarray(z[again], dtype=np.float64))
    # What the kernels do not take is told of the rows as they are given.
    return np.asarray(loss.value(y, z) if found is None else found, dtype=np.float64)[:n]


def tally(
    loss: Record | list[Record] | tuple[Record, ...],
    y: ArrayLike,
    z: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    prediction: ArrayLike | Mapping[str, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
) -> Tally:
    """The tally of rows in memory; arguments and errors are those of `goodmeasure.tally`, which takes frames too."""
    losses = losses_of(loss)
    given = one_of(z, prediction)
    models = {str(k): v for k, v in given.items()} if isinstance(given, Mapping) else {SINGLE: given}
    if not models:
        raise UsageError(
            "there is no model to tally", seen="the dictionary is empty", fix="{'new': z_new, 'old': z_old}"
        )
    refuse_both(cluster, time)
    called = "prediction" if z is None else "z"
    tables = {name: f"{called}[{name!r}]" if isinstance(given, Mapping) else called for name in models}
    beside = {tables[name]: held for name, held in models.items()}
    same_order(y=y, **beside, sample_weight=sample_weight, group=group, cluster=cluster, time=time)
    w = None if sample_weight is None else weights(sample_weight, len(column_of(y, "y")))
    scores = {name: _numbers(values, tables[name], w) for name, values in models.items()}
    for name, values in scores.items():
        if values.shape[1:] == (1,):
            one_a_row(values, tables[name])
    together = time if cluster is None else cluster
    first = next(iter(scores.values()))
    schema = schema_of(losses, tuple(scores), first, (w is not None, together is not None, z is None))
    made = Accumulator(losses, schema, tables)
    made.add(_numbers(y, "y", w, TargetOutsideDomain), scores, w, group, together)
    return made.finish()


def losses_of(loss: Any) -> list[Record]:
    """The losses that were given, one or several, each of which a tally can be of. Errors: GM007, GM009."""
    losses = list(loss) if isinstance(loss, list | tuple) else [loss]
    if not losses or not all(isinstance(each, Record) for each in losses):
        raise UsageError(
            "a tally is of a loss, or of a list of losses", seen=shorter(loss), fix="gm.losses.binary_cross_entropy()"
        )
    for each in losses:
        refuse_labels(each)
    return losses


def one_of(z: Any, prediction: Any) -> Any:
    """Raw outputs or predictions, whichever was given. Error: GM009 for both or neither."""
    if (z is None) == (prediction is None):
        raise UsageError("a tally is of raw outputs or of predictions, one of them", fix="give z, or prediction=p")
    return prediction if z is None else z


def refuse_both(cluster: Any, time: Any) -> None:
    """Refuse two ways to say which rows go together. Error: GM009."""
    if cluster is not None and time is not None:
        raise UsageError("cluster= and time= both say which rows go together", fix="give the one that matters more")


def _numbers(values: Any, name: str, w: Floats | None, kind: type[Problem] = MissingScore) -> NDArray[Any]:
    """A column or table of numbers; of objects, those that are missing or without weight are NaN."""
    given = array_of(values, name, kind)
    row_arguments.equal_length({name: given})
    if given.dtype.kind != "O":
        return numbers_of(given, name, kind)
    lost = keys.missing(given.ravel()).reshape(given.shape)
    if w is not None and len(w) == len(given):
        lost |= (w == 0).reshape(-1, *[1] * (given.ndim - 1))
    return numbers_of(np.where(lost, math.nan, given), name, kind)


def weights(sample_weight: ArrayLike, n: int, unit: float = 1.0) -> Floats:
    """The checked weights of a part of the rows, which may be empty or weigh nothing, in a unit; error: GM706."""
    w = numbers_of(sample_weight, "sample_weight", WeightError).astype(np.float64, copy=False)
    if not w.any():
        return w
    w = row_arguments.weights(w, n) / unit
    held = w[w > 0]
    if not are_tame(held):
        raise OutOfRange(
            f"weights of a tally lie between {1 / MOST_WEIGHT:g} and {MOST_WEIGHT:g}: parts that merge share one unit",
            where="sample_weight",
            seen=f"weights from {held.min():g} to {held.max():g}",
            fix="sample_weight = sample_weight / sample_weight.mean(), by one mean for all parts",
        )
    return w


def schema_of(
    losses: Sequence[Any], models: tuple[str, ...], scores: NDArray[Any], how: tuple[bool, bool, bool]
) -> Schema:
    """What a tally of these losses counts; ``how`` is (weighted, clustered, on predictions)."""
    _refuse_names_of_pairs(models)
    first = losses[0]
    classes = scores.shape[1] if scores.ndim == 2 else 0
    kind = kind_of(first)
    if (kind == "classes") != (scores.ndim == 2):
        takes = "one a class, (rows, classes)" if kind == "classes" else "one a row, (rows,)"
        raise UsageError(
            f"{first!r} and scores of shape {scores.shape} do not go together",
            fix=f"give scores as the loss takes them: {takes}",
        )
    return Schema(tuple(map(repr, losses)), models, kind, classes, *how)


def _refuse_names_of_pairs(models: tuple[str, ...]) -> None:
    """Refuse a model that is called as the difference of two others is: their sums would be mixed. Error: GM009."""
    for a, b in combinations(models, 2):
        if f"{a} - {b}" in models:
            raise UsageError(
                f"a model is named {a} - {b}, as the difference of {a} and {b} is", fix="give the model another name"
            )


def kind_of(loss: Any) -> Kind:
    """The kind of target that a loss is of."""
    return "classes" if loss.is_classwise else "outcome" if loss.is_binary else "amount"
