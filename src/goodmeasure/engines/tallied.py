"""The tally of rows in memory, or of a frame where its rows are: in this process, or on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from goodmeasure.deriving.record import Record
from goodmeasure.engines.framed import data_last
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import Shards
from goodmeasure.errors import UsageError, shorter
from goodmeasure.reading.tables import missing_column
from goodmeasure.statistics.row_arguments import UnknownLabel
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.tallying import accumulate
from goodmeasure.tallying.accumulate import SINGLE, losses_of, one_of, refuse_both
from goodmeasure.tallying.tally import Tally


@data_last(y="y", prediction="p")
@strict_keywords
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
    data: Any = None,
) -> Tally:
    """Count what rows say of predictions, so that parts of a table that no machine holds add up to the whole.

    Rows with a missing target or score, or with no weight, are counted as excluded.

    Args:
        loss: the loss to measure, or a list of losses.
        y: targets, (n,): 0 or 1, class indices, or amounts.
        z: raw outputs, (n,) or (n, K); or a dictionary of the outputs of several models by name, which are then
            compared pair by pair.
        prediction: predictions in place of raw outputs, in the same forms, (n,) or (n, K).
        sample_weight: how much each row counts, (n,); all alike unless given.
        group: a key of each row, (n,); each group can be read by itself.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: ids of blocks of time, (n,), such as days, in place of ``cluster``; states cannot rank rows.
        data: a frame of which all other arguments name columns (a list of names for a model of classes): of Spark or Dask,
            whose workers count the rows where they are, or of pandas, Polars or Arrow.

    Returns:
        A tally: add others to it with ``+``, and read risk, calibration, costs and curves from it.

    Raises:
        GM003: the columns differ in length.
        GM004: the targets are not numbers, or an amount lies outside the domain of the loss.
        GM006: a weight is negative or not finite.
        GM008: ``data`` is given and what reads it is not installed.
        GM203: ``data`` has no such column.
        GM725: the cluster gave up.
        GM007: the loss implies no probability, so its scores cannot be counted, or it weighs each label for itself.
        GM009: ``cluster`` and ``time`` are both given, or the loss and the shape of z do not go together.
        GM701: a prediction lies outside [0, 1].
        GM702: z holds what is not a number.
        GM703: a target is none of the labels.
        GM706: losses or weights are so large or so small that their squares are not numbers.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.tally(gm.losses.binary_cross_entropy(), [0, 1] * 4, [-1.0, 1.0] * 3 + [0.5, -0.5])
        >>> print(found.risk())
        0.4785 [0.2227, 0.7342] · n=8
        >>> round(found.curves().roc_area, 4)
        0.9375
    """
    if data is None:
        return accumulate.tally(
            loss,
            y,
            z,
            prediction=prediction,
            sample_weight=sample_weight,
            group=group,
            cluster=cluster,
            time=time,
        )
    given = one_of(z, prediction)
    models = given if isinstance(given, Mapping) else {SINGLE: given}
    refuse_both(cluster, time)
    request = Request(
        tuple(losses_of(loss)),
        name_of("y", y),
        tuple(
            (str(name), names_of("z" if prediction is None else "prediction", each)) for name, each in models.items()
        ),
        weight=name_or_none("sample_weight", sample_weight),
        group=name_or_none("group", group),
        cluster=name_or_none("cluster", cluster) or name_or_none("time", time),
        on_predictions=prediction is not None,
    )
    return _of_frame(data, request)


def _of_frame(frame: Any, request: Request) -> Tally:
    from goodmeasure.engines.clusters import tally_shards
    from goodmeasure.engines.duckdb import FRAME_NAME, tally_frame, with_losses

    try:
        shards = shards_of(frame, request.columns)
        if shards is None:
            return tally_frame(frame, request)
        return with_losses(tally_shards(shards, request), request, FRAME_NAME)
    except UnknownLabel as problem:
        if "holds texts" in problem.what:
            problem.fix = f"a column of 0 and 1, made of {request.target}: 1 where it holds the label that means yes"
        raise


def shards_of(frame: Any, columns: tuple[str, ...]) -> Shards | None:
    """The partitions of a frame of Spark or Dask, of these columns alone; None of one that is in memory.

    Errors: GM009 for what is no frame, GM203 for columns that it does not have.
    """
    host = type(frame).__module__.partition(".")[0]
    known = [str(name) for name in frame.columns] if host in ("pyspark", "dask") else _columns_of(frame)
    for name in columns:
        if name not in known:
            raise missing_column(name, known, "the frame")
    if host == "pyspark":
        from goodmeasure.engines.spark import SparkFrame

        return SparkFrame(frame, columns)
    if host == "dask":
        from goodmeasure.engines.dask import DaskFrame

        return DaskFrame(frame[list(columns)])
    return None


def _columns_of(frame: Any) -> list[str]:
    import narwhals as nw

    try:
        return list(nw.from_native(frame).columns)
    except TypeError as error:
        raise UsageError(
            f"data={shorter(frame)} is no frame",
            fix="a frame of Spark, Dask, pandas, Polars or Arrow: data=pandas.DataFrame(...)",
        ) from error


def name_or_none(argument: str, value: Any) -> str | None:
    return None if value is None else name_of(argument, value)


def name_of(argument: str, value: Any) -> str:
    """The name of a column. Error: GM009."""
    if not isinstance(value, str):
        raise UsageError(
            f"with data, {argument} is the name of a column", seen=shorter(value), fix=f"{argument}='{argument}'"
        )
    return value


def names_of(argument: str, value: Any) -> tuple[str, ...]:
    """The names of a model's columns: one, or one a class. Error: GM009."""
    several = value if isinstance(value, list | tuple) and value else [value]
    return tuple(name_of(argument, each) for each in several)
