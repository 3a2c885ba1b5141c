"""Is a frame that comes before the loss told with the call that was meant, whatever made it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import UsageError
from turns import by_turns

TABLE = {
    "happened": [0, 1, 0, 1, 1, 0],
    "said": [0.1, 0.8, 0.3, 0.6, 0.9, 0.2],
    "other": [0.5, 0.5, 0.4, 0.6, 0.7, 0.3],
}
MORE = {"z": [-1.0, 1.0, 0.0, 2.0, 1.0, -2.0], "region": ["n", "s", "n", "s", "n", "s"], "p": TABLE["said"]}
ALL = {**TABLE, **MORE, "y": TABLE["happened"], "x1": [0.1, 0.1, 0.1, 0.2, 0.3, 0.9], "x2": [1, 2, 3, 4, 5, 6]}
BRIER = gm.losses.binary_brier()


def frames() -> dict[str, Callable[[], Any]]:
    """What holds columns, by who makes it."""

    def of(library: str) -> Any:
        return pytest.importorskip(library)

    return {
        "pandas": lambda: of("pandas").DataFrame(ALL),
        "polars": lambda: of("polars").DataFrame(ALL),
        "lazy": lambda: of("polars").LazyFrame(ALL).collect(),
        "pyarrow": lambda: of("pyarrow").table(ALL),
        "dask": lambda: of("dask.dataframe").from_pandas(of("pandas").DataFrame(ALL), npartitions=2),
    }


CALLS: dict[str, Callable[[Any], Any]] = {
    "all by name": lambda frame: gm.tally(frame, BRIER, y="happened", prediction="said", group="region"),
    "no loss": lambda frame: gm.tally(frame, "happened", prediction="said"),
    "raw outputs": lambda frame: gm.tally(frame, BRIER, "happened", z="z"),
    "several models": lambda frame: gm.tally(frame, BRIER, "happened", prediction={"a": "said", "b": "other"}),
    "by position": lambda frame: gm.tally(frame, BRIER, "happened", "said"),
    "nothing more": gm.tally,
    "a loss by name": lambda frame: gm.tally(loss=frame, y="happened", prediction="said"),
    "arrays": lambda frame: gm.tally(frame, BRIER, np.array([0, 1]), prediction=np.array([0.1, 0.2])),
    "a fit": lambda frame: gm.fit_linear(frame, gm.losses.huber(), "said", ["other"]),
    "a fit of nothing": lambda frame: gm.fit_linear(frame, "y"),
}


@pytest.mark.parametrize(("call", "kind"), by_turns(CALLS, [*frames()], asked=2))
def test_the_line_that_fixes_runs_on_the_frame(kind: str, call: str) -> None:
    frame = frames()[kind]()
    with pytest.raises(UsageError, match="the loss first") as caught:
        CALLS[call](frame)
    assert "happened" in caught.value.seen
    found = eval(caught.value.fix, {"gm": gm, "frame": frame})
    assert isinstance(found, gm.Tally | gm.LossRegressor | gm.LossClassifier)


def test_names_that_were_given_are_kept() -> None:
    frame = frames()["pandas"]()
    with pytest.raises(UsageError) as caught:
        CALLS["all by name"](frame)
    assert caught.value.fix == (
        "gm.tally(gm.losses.binary_brier(), y='happened', prediction='said', group='region', data=frame)"
    )
    found = eval(caught.value.fix, {"gm": gm, "frame": frame})
    arrays = gm.tally(BRIER, TABLE["happened"], prediction=TABLE["said"], group=MORE["region"])
    assert found.to_bytes() == arrays.to_bytes()
