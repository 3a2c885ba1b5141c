"""Making a tally: create, add rows, finish; rows come all at once or block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure import kernels, rows
from goodmeasure.calibrating.decomposition import book_form
from goodmeasure.errors import UsageError
from goodmeasure.rows import Floats
from goodmeasure.tallying.schema import Kind, Schema, column, columns
from goodmeasure.tallying.state import AmountSums, ClusterSums, Moments, ScoreCounts, State, hashed
from goodmeasure.tallying.tally import Tally

MOST_CLASSES = 32
BLOCK = 1 << 18
SINGLE = "model"


class Accumulator:
    """Makes a tally: create, ``add`` rows (as often as one likes), ``finish``; tallies merge with ``+``."""

    def __init__(self, losses: Sequence[Any], schema: Schema) -> None:
        self.losses, self.schema = tuple(losses), schema
        self.groups: dict[str, State] = {}
        self._book = [
            book_form(loss) if schema.on_predictions and schema.kind == "outcome" else None for loss in losses
        ]

    def add(
        self,
        y: Any,
        z: Mapping[str, Any],
        w: Floats | None = None,
        group: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
    ) -> None:
        """Add rows: targets, each model's raw outputs (or predictions), weights, group and cluster keys."""
        target, keys = np.asarray(y), None if cluster is None else hashed(cluster)
        scores = {name: np.asarray(values) for name, values in z.items()}
        rows.equal_length(y=target, **scores, sample_weight=w, group=group, cluster=cluster)
        labels, inverse = (
            ([""], None) if group is None else np.unique(np.asarray(group).astype(str), return_inverse=True)
        )
        for g, label in enumerate(labels):
            here = slice(None) if inverse is None else np.flatnonzero(inverse == g)
            state = self.groups.setdefault(str(label), State())
            part = {name: values[here] for name, values in scores.items()}
            self._add(state, target[here], part, None if w is None else w[here], None if keys is None else keys[here])

    def _add(
        self,
        state: State,
        y: NDArray[Any],
        z: dict[str, NDArray[Any]],
        w: Floats | None,
        keys: NDArray[np.uint64] | None,
    ) -> None:
        for start in range(0, len(y), BLOCK):
            part = slice(start, start + BLOCK)
            block = {name: values[part] for name, values in z.items()}
            keep = self._present(state, y[part], block, None if w is None else w[part])
            held = part if keep is None else np.arange(start, start + len(keep))[keep]
            block = {name: values[held] for name, values in z.items()}
            self._count(state, y[held], block, None if w is None else w[held], None if keys is None else keys[held])

    def _present(
        self, state: State, y: NDArray[Any], z: dict[str, NDArray[Any]], w: Floats | None
    ) -> NDArray[np.bool_] | None:
        """Which rows can be counted (None: all); the others are counted by reason."""
        lost = {"missing target": np.isnan(y) if y.dtype.kind == "f" else np.zeros(len(y), dtype=bool)}
        lost["missing score"] = np.zeros(len(y), dtype=bool)
        for values in z.values():
            lost["missing score"] |= np.isnan(values).reshape(len(y), -1).any(axis=1)
        if w is not None:
            lost["no weight"] = w == 0
        keep = np.ones(len(y), dtype=bool)
        for reason, rows_lost in lost.items():
            count = int((rows_lost & keep).sum())
            if count:
                state.excluded[reason] = state.excluded.get(reason, 0) + count
                keep &= ~rows_lost
        return None if keep.all() else keep

    def _count(
        self,
        state: State,
        y: NDArray[Any],
        z: dict[str, NDArray[Any]],
        w: Floats | None,
        keys: NDArray[np.uint64] | None,
    ) -> None:
        """Add rows that are all present."""
        state.rows += len(y)
        if not len(y):
            return
        target = self._target(y)
        if self.schema.on_predictions and self.schema.kind == "outcome":
            for values in z.values():
                rows.inside_unit_interval(values)
        found = {
            column(name, at): self._losses(at, loss, target, values)
            for name, values in z.items()
            for at, loss in enumerate(self.losses)
        }
        for a, b in combinations(self.schema.models, 2):
            for at in range(len(self.losses)):
                with np.errstate(invalid="ignore"):
                    found[column(f"{a} - {b}", at)] = found[column(a, at)] - found[column(b, at)]
        for name, values in found.items():
            state.moments.setdefault(name, Moments(self.schema.weighted)).add(values, w)
        for name, values in z.items():
            self._grid(state, name, target, values, w)
        if keys is not None:
            one = np.ones(len(y)) if w is None else w
            part = ClusterSums.of(keys, one, [found[name] for name in columns(self.schema)])
            state.clusters = part if state.clusters is None else state.clusters.merge(part)

    def _target(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.schema.kind == "outcome":
            return rows.outcomes(y)
        return rows.classes(y, self.schema.classes) if self.schema.kind == "classes" else rows.column(y, "y")

    def _losses(self, at: int, loss: Any, y: NDArray[Any], z: NDArray[Any]) -> Floats:
        if self._book[at] is not None:
            return row_values(self._book[at], y, z)
        raw = loss.raw(z) if self.schema.on_predictions else z
        return row_values(loss, y, np.asarray(raw))

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
            state.amounts.setdefault(name, AmountSums()).add(p, v, w)

    def finish(self) -> Tally:
        """The tally of all rows added."""
        return Tally(self.schema, self.groups, self.losses)


def row_values(loss: Any, y: NDArray[Any], z: NDArray[Any]) -> Floats:
    """The loss of each row by its compiled kernel, whatever the number of rows: a value must not depend on its
    shard."""
    n = len(z)
    if n < kernels.SMALLEST:
        again = np.resize(np.arange(n), kernels.SMALLEST)
        y, z = y[again], z[again]
    found = kernels.table(loss, "value", y, np.ascontiguousarray(z, dtype=np.float64))
    return np.asarray(loss.value(y, z) if found is None else found, dtype=np.float64)[:n]


def tally(
    loss: Any,
    y: ArrayLike,
    z: ArrayLike | Mapping[str, ArrayLike],
    *,
    sample_weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    on_predictions: bool = False,
) -> Tally:
    """The mergeable evidence of raw outputs (or predictions): risk, calibration, costs and curves are read from it.

    ``loss`` may be a list of losses and ``z`` a mapping from names to several models' outputs, which are then
    compared pair by pair. ``time`` holds ids of blocks (a day, a week), which are clusters: states cannot rank
    rows. Rows with a missing target or score, or no weight, are counted as excluded. Errors: GM003, GM006, GM701 to
    GM703.
    """
    losses = list(loss) if isinstance(loss, list | tuple) else [loss]
    models = {str(k): v for k, v in z.items()} if isinstance(z, Mapping) else {SINGLE: z}
    if cluster is not None and time is not None:
        raise UsageError("cluster= and time= both say which rows go together", fix="give the one that matters more")
    scores = {name: np.asarray(values) for name, values in models.items()}
    w = None if sample_weight is None else weights(sample_weight, len(np.asarray(y)))
    together = time if cluster is None else cluster
    first = next(iter(scores.values()))
    schema = schema_of(losses, tuple(scores), first, (w is not None, together is not None, on_predictions))
    made = Accumulator(losses, schema)
    made.add(y, scores, w, group, together)
    return made.finish()


def weights(sample_weight: ArrayLike, n: int) -> Floats:
    """The checked weights of a part of the rows, which may be empty or weigh nothing."""
    w = np.asarray(sample_weight, dtype=np.float64)
    return rows.weights(w, n) if w.any() else w


def schema_of(
    losses: Sequence[Any], models: tuple[str, ...], scores: NDArray[Any], how: tuple[bool, bool, bool]
) -> Schema:
    """What a tally of these losses counts; ``how`` is (weighted, clustered, on predictions)."""
    first = losses[0]
    classes = scores.shape[1] if scores.ndim == 2 else 0
    kind: Kind = "classes" if first.is_classwise else "outcome" if first.is_binary else "amount"
    if (kind == "classes") != (scores.ndim == 2):
        raise UsageError(f"{first!r} and scores of shape {scores.shape} do not go together")
    return Schema(tuple(map(repr, losses)), models, kind, classes, *how)
