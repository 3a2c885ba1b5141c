"""For each code that a public docstring names, a call that raises it: what may go wrong is tried, not remembered."""

from __future__ import annotations

import atexit
import json
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import goodmeasure as gm
from goodmeasure.calibrating.recalibration import Recalibration
from goodmeasure.engines.summed_fits import fit_rows
from goodmeasure.formulas.expression import Word
from goodmeasure.frameworks.estimators import CATBOOST, LIGHTGBM, XGBOOST, Host

Misuses = Mapping[str, Mapping[str, Callable[[], Any]]]

Y, Z, P = [0, 1, 0, 1, 1, 0], [-1.0, 2.0, -0.5, 0.3, 1.0, -2.0], [0.2, 0.9, 0.3, 0.6, 0.7, 0.1]
NAN, ZERO, NEGATIVE, SAME, TWO = [np.nan] * 6, [0] * 6, [-1] * 6, [1] * 6, [0, 1]
TEXT_IN_YEARS = "age,claims,years\n" + "1,2,1\n3,0,2\n" * 60 + "4,1,x\n"
X = [[float(i)] for i in range(6)]
CLASSES = [[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]
BINARY, SQUARED, POISSON, HINGE = (
    make() for make in (gm.losses.binary_cross_entropy, gm.losses.squared_error, gm.losses.poisson, gm.losses.hinge)
)
CE = gm.losses.cross_entropy()
BY_COLUMN = {"false_negative": "cost", "false_positive": 1.0}
COSTS, UNITS = gm.Costs(false_negative=40, false_positive=5), gm.UnderOverCosts(under=3, over=1)
BY_CLASS, BY_ROW = (
    gm.ClassCosts([[0, 1, 4], [1, 0, 1], [9, 3, 0]]),
    gm.Costs(false_negative=np.ones(6), false_positive=1),
)


def linear(loss: gm.Loss, hidden: Any = None, targets: Any = None, **options: Any) -> Any:
    """The loss of a layer of three features and two classes on two rows."""
    hidden = torch.ones(2, 3) if hidden is None else hidden
    return gm.linear_loss(
        loss, hidden, torch.ones(2, 3), torch.tensor([0, 1]) if targets is None else targets, **options
    )


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values)


@cache
def tally() -> gm.Tally:
    return gm.tally(BINARY, Y, Z)


@cache
def halves(loss: Any = BINARY) -> gm.Tally:
    """A tally whose weights are no copies."""
    return gm.tally(loss, Y, {"model": Z, "other": Z}, sample_weight=[0.5] * 6)


def amounts() -> gm.Tally:
    return gm.tally(SQUARED, [1.0, 2.0, 3.0], [1.0, 2.0, 2.5])


def empty() -> gm.Tally:
    return gm.tally(BINARY, [], [])


def all_yes() -> gm.Tally:
    return gm.tally(BINARY, SAME, Z)


@cache
def study() -> gm.Study:
    """A study of counts with an exposure."""
    return gm.run(table(), "claims", exposure="years", represents="count")


def table(**changed: Any) -> dict[str, Any]:
    """A table of claims with some of its columns changed."""
    claims = [i % 4 for i in range(120)]
    return {"age": [i % 10 for i in range(120)], "claims": claims, "years": [1.0] * 120} | changed


def yes_no(**more: Any) -> dict[str, Any]:
    return table(claims=["no", "yes"] * 60, **more)


def model() -> gm.Model:
    return study().model


def estimate() -> gm.Estimate:
    return gm.risk(BINARY, Y, Z)


def saved(**changed: Any) -> Path:
    """A file of that model with some of its parts changed, by someone who left the checksum out."""
    state = json.loads(model().to_json()) | changed
    return written("model.json", json.dumps({name: part for name, part in state.items() if name != "checksum"}))


def written(name: str, text: str) -> Path:
    """A file of this name that holds a text."""
    place = folder() / name
    place.write_text(text)
    return place


@cache
def folder() -> Path:
    """A place for files that is gone when the tests are done."""
    place = mkdtemp()
    atexit.register(rmtree, place)
    return Path(place)


def without_sqlglot() -> object:
    with patch.dict("sys.modules", {"sqlglot": None}):
        return gm.to_sql(BINARY, "spark")


def doubled() -> Any:
    import pandas as pd

    return pd.DataFrame([[1.0, 1.0, 1.0]], columns=["age", "age", "years"])


def of_rows(read: str) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever a model is given a table."""

    def given(data: Any) -> Callable[[], Any]:
        return lambda: getattr(model(), read)(data() if callable(data) else data)

    return {
        "GM202": given([1, 2]),
        "GM203": given({"years": [1.0]}),
        "GM204": given(doubled),
        "GM205": given({"age": [], "years": []}),
        "GM206": given({"age": ["old"], "years": [1.0]}),
        "GM241": given({"age": [1.0], "years": [0.0]}),
    }


def of_exposures(call: Callable[[gm.LossRegressor, Any], Any]) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever a regressor is given exposures."""

    def fitted(loss: gm.Loss) -> gm.LossRegressor:
        return gm.LossRegressor(loss).fit(X, Y)

    return {
        "GM003": lambda: call(fitted(POISSON), [1.0]),
        "GM006": lambda: call(fitted(POISSON), NEGATIVE),
        "GM009": lambda: call(fitted(SQUARED), SAME),
    }


def of_frames(make: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever a frame is asked for."""

    def without_polars() -> None:
        with patch("goodmeasure.drawing.frames.find_spec", return_value=None):
            make().to_frame("polars")

    return {"GM008": without_polars, "GM009": lambda: make().to_frame("excel")}


def without_matplotlib() -> None:
    with patch.dict(sys.modules, {"matplotlib.pyplot": None}):
        estimate().plot()


def stepped() -> Recalibration:
    """A map that is a table of steps."""
    return Recalibration("isotonic", (((0.0, 1.0), (0.2, 0.8)),), raw=True)


def frame(**columns: list[Any]) -> Any:
    """A frame in which x says little of y, and some columns are as they were given."""
    import pyarrow

    return pyarrow.table({"x": Z, "y": Y, "z": Z, **columns})


def without_duckdb(call: Callable[[], Any]) -> Callable[[], Any]:
    def tried() -> None:
        with patch.dict(sys.modules, {"duckdb": None}):
            call()

    return tried


def on_failing_workers(call: Callable[[Any], Any], task: str) -> Callable[[], Any]:
    """A call on a frame of Dask, whose tasks cannot be done."""

    def tried() -> None:
        import dask.dataframe

        with patch(f"goodmeasure.engines.{task}", side_effect=OSError("the disk is away")):
            call(dask.dataframe.from_pandas(frame().to_pandas(), npartitions=1))

    return tried


def without_mlflow() -> None:
    with patch.dict(sys.modules, mlflow=None):
        gm.log_mlflow(study())


def without_onnx() -> None:
    """Export to a format whose library is not there."""
    with patch.dict(sys.modules, onnx=None):
        model().export(folder() / "m.onnx")


def of_examples(call: Callable[..., Any]) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever a loss is given targets, raw outputs and a mask."""
    return {
        "GM003": lambda: call(Y, Z[:2]),
        "GM004": lambda: call([2] * 6, Z),
        "GM006": lambda: call(Y, Z, mask=[0.5] * 6),
    }


def of_scales(read: str) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever a loss takes numbers from one scale to the other."""
    return {"GM003": lambda: getattr(BINARY, read)(["a"]), "GM007": lambda: getattr(HINGE, read)(P)}


def guess(p: Any) -> Any:
    """A formula that leaves the vocabulary."""
    return float(p)


@gm.loss(target=gm.Real)
def cancelling(y: Any, mu: Any) -> Any:
    """What is left of two numbers that are nearly equal."""
    return gm.words.sqrt(1 + (mu - y) ** 2) - 1


def unexplained() -> None:
    """The battery on a loss with a word that no language spells."""

    @gm.loss(target=gm.Real)
    def bare(y: Any, mu: Any) -> Any:
        """A word alone."""
        return Word("bare", (None,))(mu - y)

    gm.check(bare)


def without_xgboost() -> None:
    """Train a booster that is not there."""
    with patch.dict(sys.modules, xgboost=None):
        gm.run(table(), "claims", model="xgboost")


@cache
def _by_column() -> gm.Model:
    """A model that decides by what a column says that mistakes cost."""
    return gm.run(yes_no(cost=[1.0] * 120), "claims", costs=BY_COLUMN).model


def by_column(read: str) -> Callable[[], Any]:
    """What goes wrong where columns of later rows say what mistakes cost."""
    return lambda: getattr(_by_column(), read)(yes_no(cost=[-1.0] * 120))


def yes_no_model() -> gm.Model:
    """A model of yes and no."""
    return gm.run(yes_no(), "claims").model


def counted_twice() -> None:
    """The same file once more."""
    place = written("later.csv", "age,claims,years\n" + "1,2,1\n" * 40)
    gm.monitor(model(), place, save=folder() / "later.json")
    gm.monitor(model(), place, so_far=folder() / "later.json")


def claims() -> Path:
    """Rows of a file."""
    return written("claims.csv", "age,claims\n" + "".join(f"{i % 10},{i % 4}\n" for i in range(120)))


def by_dask_that_does_not_start() -> None:
    with patch("distributed.Client", side_effect=OSError("no more processes")):
        gm.run(claims(), "claims", engine="dask")


def in_one_step() -> None:
    """A fit to all rows that is given one step of Newton's method, which is too few."""
    with patch("goodmeasure.study.all_rows.fit_rows", partial(fit_rows, max_iter=1)):
        gm.run(claims(), "claims", engine="duckdb")


RUN: Mapping[str, Callable[[], Any]] = {
    "GM004": lambda: gm.run(table(), "claims", represents="binary"),
    "GM006": lambda: gm.run(table(weights=[-1.0] * 120), "claims", weights="weights"),
    "GM008": without_xgboost,
    "GM009": lambda: gm.run(table(), "claims", model="forest"),
    "GM011": lambda: gm.run(table(), "claims", loss="hubris"),
    "GM201": lambda: gm.run("no such file.csv", "claims"),
    "GM202": lambda: gm.run([1, 2], "claims"),
    "GM203": lambda: gm.run(table(), "claim"),
    "GM204": lambda: gm.run(doubled(), "age"),
    "GM205": lambda: gm.run(written("empty.csv", "age,claims\n"), "claims"),
    "GM206": lambda: gm.run(written("text.csv", TEXT_IN_YEARS), "claims", exposure="years"),
    "GM211": lambda: gm.run(table(age=["1,234", "2,345"] * 60), "claims"),
    "GM607": lambda: gm.run(table(claims=["a", "b"] * 60), "claims", costs=COSTS),
    "GM247": lambda: gm.run(table(day=["first", "second", "third"] * 40), "claims", time="day"),
    "GM220": lambda: gm.run({"age": [1.0, 2.0, 3.0], "claims": [1, 0, 2]}, "claims"),
    "GM231": lambda: gm.run({"claims": table()["claims"]}, "claims"),
    "GM241": lambda: gm.run(table(years=[0.0] * 120), "claims", exposure="years", represents="count"),
    "GM242": lambda: gm.run(table(day=[None, *range(119)]), "claims", time="day"),
    "GM601": lambda: gm.run(table(claims=[None] * 120), "claims"),
    "GM602": lambda: gm.run(table(claims=[1] * 120), "claims"),
    "GM603": lambda: gm.run(table(claims=["1", "2", "x"] * 40), "claims"),
    "GM604": lambda: gm.run(table(claims=[f"claim {i}" for i in range(120)]), "claims"),
    "GM605": lambda: gm.run(yes_no(), "claims", ask="median"),
    "GM703": lambda: gm.run(yes_no(), "claims", test=table(claims=["maybe"] * 120)),
    "GM706": lambda: gm.run(table(claims=[1e-200 * (i + 0.5) for i in range(120)]), "claims"),
    "GM711": lambda: gm.run(table(), "claims", costs=COSTS),
    "GM725": by_dask_that_does_not_start,
    "GM726": in_one_step,
    "GM713": lambda: gm.run(yes_no(cost=[-1.0] * 120), "claims", costs=BY_COLUMN),
    "GM280": lambda: gm.run(table(), "claims", shift={"age": 99.0}),
    "GM281": lambda: gm.run(table(), "claims", like={"age": [99.0] * 120}),
}


def unkept() -> gm.Model:
    """A model that keeps nothing of its rows."""
    return model().using(seen=None)


MONITOR: Mapping[str, Callable[[], Any]] = {
    "GM009": lambda: gm.monitor(model(), None),
    "GM201": lambda: gm.monitor(model(), "no such file.csv"),
    "GM202": lambda: gm.monitor(model(), [1, 2]),
    "GM203": lambda: gm.monitor(model(), {"other": [1.0]}),
    "GM204": lambda: gm.monitor(model(), doubled()),
    "GM205": lambda: gm.monitor(model(), written("empty.csv", "age,claims,years\n")),
    "GM206": lambda: gm.monitor(model(), {"age": ["old"], "years": [1.0]}),
    "GM241": lambda: gm.monitor(model(), {"age": [1.0], "years": [0.0]}),
    "GM270": lambda: gm.monitor(written("table.csv", TEXT_IN_YEARS), {"age": [1.0]}),
    "GM283": lambda: gm.monitor(unkept(), {"age": [1.0], "years": [1.0]}),
    "GM284": lambda: gm.monitor(model(), None, so_far=written("table.csv", TEXT_IN_YEARS)),
    "GM703": lambda: gm.monitor(yes_no_model(), table(claims=["perhaps"] * 120)),
    "GM722": counted_twice,
}
REWEIGH: Mapping[str, Callable[[], Any]] = {
    "GM006": lambda: gm.reweigh(table(weights=[-1.0] * 120), shift={"age": 4.0}, weights="weights"),
    "GM009": lambda: gm.reweigh(table()),
    "GM201": lambda: gm.reweigh("no such file.csv", shift={"age": 4.0}),
    "GM203": lambda: gm.reweigh(table(), shift={"aeg": 4.0}),
    "GM280": lambda: gm.reweigh(table(), shift={"age": 99.0}),
    "GM281": lambda: gm.reweigh(table(), like={"age": [99.0] * 120}),
}


FUNCTIONS: Misuses = {
    "audit": {"GM009": lambda: gm.audit(modle=None)},
    "bayes_act": {
        "GM003": lambda: gm.bayes_act(P, BY_CLASS),
        "GM701": lambda: gm.bayes_act([1.5], COSTS),
        "GM702": lambda: gm.bayes_act(NAN, COSTS),
        "GM711": lambda: gm.bayes_act([[0.5, 0.5]], BY_CLASS),
    },
    "calibration": {
        "GM003": lambda: gm.calibration(Y, P[:3]),
        "GM004": lambda: gm.calibration([-1.0, 2.0, 3.0], [1.0, 2.0, 3.0], POISSON),
        "GM005": lambda: gm.calibration([], []),
        "GM006": lambda: gm.calibration(Y, P, sample_weight=NEGATIVE),
        "GM007": lambda: gm.calibration(Y, P, HINGE),
        "GM701": lambda: gm.calibration([0, 1, 2], [[0.5, 0.3, 0.1]] * 3),
        "GM702": lambda: gm.calibration(Y, NAN),
        "GM703": lambda: gm.calibration([0, 1, 5], CLASSES),
        "GM705": lambda: gm.calibration([1], [0.3]),
        "GM706": lambda: gm.calibration([1e200, 2e200, 3e200], [1e200, 2e200, 1e200], SQUARED),
    },
    "check": {"GM001": unexplained, "GM010": lambda: gm.check(cancelling, raises=True)},
    "choose": {
        "GM003": lambda: gm.choose([1.0, 2.5], sample_weight=[1]),
        "GM607": lambda: gm.choose(["a", "b"] * 20, costs=COSTS),
        "GM004": lambda: gm.choose([1.0, 2.5], represents="count"),
        "GM009": lambda: gm.choose([1.0, 2.5], ask="medan"),
        "GM601": lambda: gm.choose([]),
        "GM602": lambda: gm.choose([1, 1, 1]),
        "GM603": lambda: gm.choose(["1", "2", "x", "4"]),
        "GM604": lambda: gm.choose([object(), object()]),
        "GM605": lambda: gm.choose(["no", "yes", "no"], ask="median"),
        "GM706": lambda: gm.choose([1e200, 2e200, 3.5e200]),
        "GM711": lambda: gm.choose([1.0, 2.5], costs=COSTS),
    },
    "compare": {
        "GM003": lambda: gm.compare(BINARY, Y, Z, Z[:2]),
        "GM004": lambda: gm.compare(BINARY, [2] * 6, Z, Z),
        "GM005": lambda: gm.compare(BINARY, Y, Z, Z, sample_weight=ZERO),
        "GM006": lambda: gm.compare(BINARY, Y, Z, Z, sample_weight=NEGATIVE),
        "GM007": lambda: gm.compare(gm.weighted(BINARY, positive=[3.0, 2.0]), Y, Z, Z),
        "GM009": lambda: gm.compare(BINARY, Y, Z, Z, cluster=Y, time=Y),
        "GM702": lambda: gm.compare(BINARY, Y, Z, NAN),
        "GM705": lambda: gm.compare(BINARY, Y, Z, Z, cluster=SAME),
        "GM706": lambda: gm.compare(SQUARED, [1e200] * 6, Z, Z),
    },
    "compare_costs": {
        "GM003": lambda: gm.compare_costs(Y, P[:3], P[:3], COSTS),
        "GM005": lambda: gm.compare_costs(Y, P, P, COSTS, sample_weight=ZERO),
        "GM006": lambda: gm.compare_costs(Y, P, P, COSTS, sample_weight=NEGATIVE),
        "GM009": lambda: gm.compare_costs(Y, P, P, COSTS, cluster=Y, time=Y),
        "GM701": lambda: gm.compare_costs(Y, Z, Z, COSTS),
        "GM702": lambda: gm.compare_costs(Y, NAN, NAN, UNITS),
        "GM703": lambda: gm.compare_costs([2] * 6, P, P, COSTS),
        "GM705": lambda: gm.compare_costs(Y, P, P, COSTS, cluster=SAME),
        "GM706": lambda: gm.compare_costs([1e200] * 6, Z, Z, UNITS),
        "GM711": lambda: gm.compare_costs([0, 1], [[0.5, 0.5]] * 2, [[0.5, 0.5]] * 2, BY_CLASS),
    },
    "compare_ensembles": {
        "GM003": lambda: gm.compare_ensembles(Z, Z, Z),
        "GM004": lambda: gm.compare_ensembles(NAN, X, X),
        "GM005": lambda: gm.compare_ensembles(Z, X, X, sample_weight=ZERO),
        "GM006": lambda: gm.compare_ensembles(Z, X, X, sample_weight=NEGATIVE),
        "GM009": lambda: gm.compare_ensembles(Z, X, X, cluster=Y, time=Y),
        "GM702": lambda: gm.compare_ensembles(Z, [[np.nan]] * 6, [[np.nan]] * 6),
        "GM705": lambda: gm.compare_ensembles(Z, X, X, cluster=SAME),
        "GM706": lambda: gm.compare_ensembles([1e200] * 6, X, X),
    },
    "decision_cost": {
        "GM003": lambda: gm.decision_cost(Y, P[:3], COSTS),
        "GM005": lambda: gm.decision_cost(Y, P, COSTS, sample_weight=ZERO),
        "GM006": lambda: gm.decision_cost(Y, P, COSTS, sample_weight=NEGATIVE),
        "GM009": lambda: gm.decision_cost(Y, P, COSTS, cluster=Y, time=Y),
        "GM701": lambda: gm.decision_cost(Y, Z, COSTS),
        "GM702": lambda: gm.decision_cost(Y, NAN, UNITS),
        "GM703": lambda: gm.decision_cost([2] * 6, P, COSTS),
        "GM705": lambda: gm.decision_cost(Y, P, COSTS, cluster=SAME),
        "GM706": lambda: gm.decision_cost([1e200] * 6, Z, UNITS),
        "GM711": lambda: gm.decision_cost([0, 1], [[0.5, 0.5]] * 2, BY_CLASS),
    },
    "ensemble_crps": {
        "GM003": lambda: gm.ensemble_crps(Z, Z),
        "GM004": lambda: gm.ensemble_crps(NAN, X),
        "GM005": lambda: gm.ensemble_crps(Z, X, sample_weight=ZERO),
        "GM006": lambda: gm.ensemble_crps(Z, X, sample_weight=NEGATIVE),
        "GM009": lambda: gm.ensemble_crps(Z, X, cluster=Y, time=Y),
        "GM702": lambda: gm.ensemble_crps(Z, [[np.nan]] * 6),
        "GM705": lambda: gm.ensemble_crps(Z, X, cluster=SAME),
        "GM706": lambda: gm.ensemble_crps([1e200] * 6, X),
    },
    "decide": {
        "GM003": lambda: gm.decide(Y, P[:3], COSTS),
        "GM005": lambda: gm.decide(Y, P, COSTS, sample_weight=ZERO),
        "GM006": lambda: gm.decide(Y, P, COSTS, sample_weight=NEGATIVE),
        "GM009": lambda: gm.decide([0, 1, 2], CLASSES, BY_CLASS, prevalence=0.2),
        "GM701": lambda: gm.decide(Y, Z, COSTS),
        "GM702": lambda: gm.decide(Y, NAN, UNITS),
        "GM703": lambda: gm.decide([2] * 6, P, COSTS),
        "GM704": lambda: gm.decide(SAME, P, COSTS),
        "GM705": lambda: gm.decide(Y[:3], P[:3], COSTS),
        "GM706": lambda: gm.decide([1e200] * 6, Z, UNITS),
        "GM711": lambda: gm.decide([0, 1], [[0.5, 0.5]] * 2, BY_CLASS),
        "GM712": lambda: gm.decide(Y, P, COSTS, ids=list("abcdef"), trained_on=["c", "x"]),
    },
    "load": {
        "GM201": lambda: gm.load("no such file.json"),
        "GM270": lambda: gm.load(saved(version=99)),
    },
    "loss": {
        "GM001": lambda: gm.loss(target=gm.Outcome)(guess),
        "GM009": lambda: gm.loss(target=gm.Positive, activation="expp")(lambda y, mu: mu - y),
    },
    "monitor": MONITOR,
    "recalibrate": {
        "GM003": lambda: gm.recalibrate(Y, P[:3]),
        "GM005": lambda: gm.recalibrate([], []),
        "GM006": lambda: gm.recalibrate(Y, P, sample_weight=NEGATIVE),
        "GM007": lambda: gm.recalibrate(Y, Z, "beta", raw=True),
        "GM009": lambda: gm.recalibrate(Y, P, "plat"),
        "GM701": lambda: gm.recalibrate(Y, Z),
        "GM702": lambda: gm.recalibrate(Y, NAN, raw=True),
        "GM703": lambda: gm.recalibrate([2] * 6, P),
        "GM704": lambda: gm.recalibrate(SAME, P),
    },
    "reweigh": REWEIGH,
    "risk": {
        "GM003": lambda: gm.risk(BINARY, Y, Z[:3]),
        "GM004": lambda: gm.risk(BINARY, [2] * 6, Z),
        "GM005": lambda: gm.risk(BINARY, Y, Z, sample_weight=ZERO),
        "GM006": lambda: gm.risk(BINARY, Y, Z, sample_weight=NEGATIVE),
        "GM007": lambda: gm.risk(HINGE, Y, Z, clip=0.1),
        "GM009": lambda: gm.risk(BINARY, Y, Z, method="exact"),
        "GM702": lambda: gm.risk(BINARY, Y, NAN),
        "GM705": lambda: gm.risk(BINARY, Y, Z, time=SAME),
        "GM706": lambda: gm.risk(SQUARED, [1e200] * 6, Z),
    },
    "run": RUN,
    "signal": {
        "GM003": lambda: gm.signal(BINARY, Y, Z[:2]),
        "GM004": lambda: gm.signal(BINARY, [2] * 6, Z),
        "GM005": lambda: gm.signal(BINARY, Y, Z, ZERO),
        "GM006": lambda: gm.signal(BINARY, Y, Z, NEGATIVE),
        "GM007": lambda: gm.signal(gm.weighted(BINARY, positive=[3.0, 2.0]), Y, Z),
        "GM009": lambda: gm.signal(BINARY, Y, Z, metric="acuracy"),
        "GM702": lambda: gm.signal(BINARY, Y, NAN),
        "GM706": lambda: gm.signal(SQUARED, np.array(Z) * 1e-170, np.array(Z) * 2e-170),
    },
    "tally": {
        "GM003": lambda: gm.tally(BINARY, Y, Z[:2]),
        "GM004": lambda: gm.tally(POISSON, [-1.0, 2.0], [1.0, 2.0]),
        "GM006": lambda: gm.tally(BINARY, Y, Z, sample_weight=NEGATIVE),
        "GM007": lambda: gm.tally(HINGE, Y, Z),
        "GM008": without_duckdb(lambda: gm.tally(BINARY, "y", "z", data=frame())),
        "GM203": lambda: gm.tally(BINARY, "y", "Q", data=frame()),
        "GM725": on_failing_workers(lambda given: gm.tally(BINARY, "y", "z", data=given), "clusters.part_of"),
        "GM009": lambda: gm.tally(gm.losses.cross_entropy(), Y, Z),
        "GM701": lambda: gm.tally(BINARY, Y, prediction=Z),
        "GM702": lambda: gm.tally(BINARY, Y, ["high"] * 6),
        "GM703": lambda: gm.tally(BINARY, [2] * 6, Z),
        "GM706": lambda: gm.tally(SQUARED, [1e200, 2.0, 3.0], [0.0, 0.0, 0.0]),
    },
    "fit_linear": {
        "GM004": lambda: gm.fit_linear(POISSON, "w", ["x"], data=frame(w=NEGATIVE)),
        "GM005": lambda: gm.fit_linear(SQUARED, "y", ["x"], data=frame(w=ZERO), sample_weight="w"),
        "GM006": lambda: gm.fit_linear(SQUARED, "y", ["x"], data=frame(w=NEGATIVE), sample_weight="w"),
        "GM008": without_duckdb(lambda: gm.fit_linear(SQUARED, "y", ["x"], data=frame())),
        "GM009": lambda: gm.fit_linear(gm.losses.absolute_error(), "y", ["x"], data=frame()),
        "GM203": lambda: gm.fit_linear(SQUARED, "y", ["age"], data=frame()),
        "GM702": lambda: gm.fit_linear(SQUARED, "y", ["w"], data=frame(w=NAN)),
        "GM725": on_failing_workers(
            lambda given: gm.fit_linear(SQUARED, "y", ["x"], data=given), "summed_fits._moments"
        ),
        "GM726": lambda: gm.fit_linear(BINARY, "y", ["x"], data=frame(x=[2.0 * one for one in Y])),
    },
    "to_catboost": {"GM007": lambda: gm.to_catboost(gm.losses.zero_one())},
    "to_hist_gradient_boosting": {
        "GM007": lambda: gm.to_hist_gradient_boosting(gm.losses.zero_one()),
        "GM009": lambda: gm.to_hist_gradient_boosting(gm.losses.cross_entropy()),
    },
    "to_jax": {"GM009": lambda: gm.to_jax(BINARY, reduction="average")},
    "to_keras": {"GM009": lambda: gm.to_keras(BINARY, reduction="average")},
    "to_lightgbm": {"GM007": lambda: gm.to_lightgbm(gm.losses.zero_one())},
    "to_polars": {
        "GM003": lambda: gm.to_polars(gm.losses.cross_entropy(), raw="z"),
        "GM009": lambda: gm.to_polars(BINARY, raw="z", prediction="p"),
    },
    "assert_partition_invariant": {
        "GM003": lambda: gm.assert_partition_invariant(torch.nn.functional.mse_loss, tensor(1.0)),
        "GM009": lambda: gm.assert_partition_invariant(torch.sub, (tensor(1.0, 2.0), tensor(0.0, 0.0))),
        "GM015": lambda: gm.assert_partition_invariant(
            torch.nn.functional.mse_loss, (tensor(1.0, 2.0, 5.0), tensor(0.0, 0.0, 0.0))
        ),
    },
    "explain_mean": {
        "GM003": lambda: gm.explain_mean(BINARY, Y, Z[1:]),
        "GM004": lambda: gm.explain_mean(BINARY, [*TWO[1:], 3], [0.0, 0.0]),
        "GM005": lambda: gm.explain_mean(BINARY, Y, Z, ZERO),
        "GM006": lambda: gm.explain_mean(BINARY, Y, Z, NEGATIVE),
        "GM009": lambda: gm.explain_mean(BINARY, Y, Z, parts=(1, 2)),
    },
    "linear_loss": {
        "GM003": lambda: linear(CE, torch.ones(2, 4)),
        "GM004": lambda: linear(CE, targets=torch.tensor([0, 5])),
        "GM006": lambda: linear(CE, token_weight=tensor(1.0, -1.0)),
        "GM007": lambda: linear(SQUARED),
        "GM009": lambda: linear(CE, softcap=-1.0),
    },
    "global_denominator": {"GM009": lambda: gm.global_denominator(-1)},
    "to_torch": {
        "GM002": lambda: gm.to_torch(BINARY, pos_weight=-1.0),
        "GM009": lambda: gm.to_torch(BINARY, reduction="average"),
    },
    "torch_loss": {
        "GM003": lambda: gm.torch_loss(BINARY, tensor(1.0, 2.0), tensor(1.0)),
        "GM004": lambda: gm.torch_loss(BINARY, tensor(1.0, 2.0), tensor(1.0, 3.0)),
        "GM006": lambda: gm.torch_loss(BINARY, tensor(1.0, 2.0), tensor(1.0, 0.0), tensor(-1.0, 1.0)),
        "GM009": lambda: gm.torch_loss(BINARY, tensor(1.0), tensor(1.0), reduction="average"),
    },
    "to_sklearn": {
        "GM004": lambda: gm.to_sklearn(BINARY, labels=["no", None]),
        "GM009": lambda: gm.to_sklearn(BINARY, labels=["yes", "no"]),
    },
    "to_sql": {
        "GM003": lambda: gm.to_sql(gm.losses.cross_entropy(), raw="z"),
        "GM008": without_sqlglot,
        "GM009": lambda: gm.to_sql(BINARY, "cobol"),
    },
    "to_xgboost": {"GM007": lambda: gm.to_xgboost(gm.losses.zero_one())},
    "weighted": {
        "GM002": lambda: gm.weighted(BINARY, positive=-1.0),
        "GM009": lambda: gm.weighted(SQUARED, positive=2.0),
    },
    "watch": {"GM009": lambda: gm.watch(loss=len)},
}


def fitted_model_of(host: Host) -> Any:
    """What looks like a fitted model of a booster, installed or not, and gives two raw outputs a row."""
    said = {"predict": lambda self, X, **more: np.zeros((6, 2)), "get_params": lambda self: {}, "set_params": print}
    fitted = {"is_fitted": lambda self: True, "__sklearn_is_fitted__": lambda self: True}
    width = len(X[0])
    columns = {
        "fit": lambda self, X, y, sample_weight=None: self,
        "num_features": lambda self: width,
        "feature_names": None,
        "num_feature": lambda self: width,
        "feature_name": lambda self: [f"Column_{k}" for k in range(width)],
        "feature_names_": [str(k) for k in range(width)],
    }
    return type(host.base, (), {"__module__": host.package, **said, **fitted, **columns})()


def of_boosters(name: str, to: Callable[[object], Any], host: Host) -> Misuses:
    """What the objective of any booster refuses."""
    ours, counted, model = to(BINARY), to(POISSON), fitted_model_of(host)
    starts = {
        "GM003": lambda: ours.start(Y, [1.0]),
        "GM005": lambda: ours.start(Y, [0.0] * 6),
    }
    found: Misuses = {
        name: {},
        f"{name}.start": starts,
        f"{name}.fit": {
            "GM003": lambda: ours.fit(model, X, Y, [1.0]),
            "GM004": lambda: counted.fit(model, X, NEGATIVE),
            "GM005": lambda: ours.fit(model, X, Y, ZERO),
            "GM009": lambda: ours.fit(None, X, Y),
            "GM602": lambda: ours.fit(model, X, SAME),
        },
        f"{name}.predict": {
            "GM003": lambda: ours.predict(model, X),
            "GM007": lambda: to(HINGE).loss.predict([0.0]),
            "GM009": lambda: ours.predict(None, X),
        },
    }
    return found


def of_objectives(ours: Any, host: Host) -> dict[str, Callable[[], object]]:
    """What an objective refuses that a booster calls in the fit of its own models."""
    wrong = type(host.base, (), {"__module__": host.package, "fit": lambda self, objective: objective(Y, Z)})()
    return {**of_steps(ours), "GM006": lambda: ours(Y, Z, NEGATIVE), "GM009": lambda: wrong.fit(type(ours)(CE))}


def of_steps(step: Callable[[Any, Any], object]) -> dict[str, Callable[[], object]]:
    """What anything refuses that takes targets and raw outputs."""
    return {"GM003": lambda: step(Y, [0.0]), "GM004": lambda: step([7.0] * 6, [0.0] * 6)}


def of_metrics(metric: Callable[..., Any], good: Any, bad: Any) -> dict[str, Callable[[], Any]]:
    """What goes wrong wherever scikit-learn's targets and predictions are read; ``bad`` is a target out of its domain."""
    return {
        "GM003": lambda: metric(Y, good[:3]),
        "GM004": lambda: metric(bad, good),
        "GM005": lambda: metric(Y, good, sample_weight=ZERO),
        "GM006": lambda: metric(Y, good, sample_weight=NEGATIVE),
        "GM009": lambda: metric(["no", "yes", "maybe"] * 2, good),
    }


# A metric that was told all labels.
KNOWING = gm.to_sklearn(BINARY, labels=[0, 1])
STRANGER, MISSING, BAD = [0, 5] * 3, [0, 1, None] * 2, [-1.0, 1.5] * 3


def of_classifiers(**given: Any) -> Callable[[], Any]:
    """A classifier around a logistic one, made so, that is fitted."""
    from sklearn.linear_model import LogisticRegression

    return lambda: gm.CostSensitiveClassifier(LogisticRegression(), **given).fit(X * 5, Y * 5)


def asking() -> Any:
    """A classifier that passes rows to a person for nothing."""
    costs = gm.Costs(false_negative=40, false_positive=5, ask=0.0)
    return of_classifiers(costs=costs)().predict(X)


def of_deciding(kind: Any, inner: Any) -> dict[str, Callable[[], Any]]:
    """What goes wrong in a fit of both estimators that carry costs."""
    return {
        "GM006": lambda: kind(inner).fit(X * 5, Y * 5, sample_weight=NEGATIVE * 5),
        "GM009": lambda: kind(inner, "dear").fit(X * 5, Y * 5),
        "GM003": lambda: kind(inner).fit(X, Y[:3]),
        "GM004": lambda: kind(inner).fit(X, [1j] * 6),
        "ValueError": lambda: kind(inner).fit(X, NAN),
    }


def of_displays(kind: Any, of: tuple[Any, ...], more: str = "") -> Misuses:
    """What goes wrong in a display, of predictions and of a model; ``more`` are the codes that this kind has beside others."""

    def told(y: Any, p: Any, *what: Any, **how: Any) -> Any:
        return kind.from_predictions(y, p, *(what or of), **how)

    def asked(y: Any, p: Any, *what: Any, **how: Any) -> Any:
        from sklearn.linear_model import LogisticRegression

        return kind.from_estimator(LogisticRegression().fit(X, Y), X[: len(p)], y, *(what or of), **how)

    def also(call: Callable[..., Any], *codes: str) -> dict[str, Callable[[], Any]]:
        every = {
            "GM007": lambda: call(Y, P, loss=HINGE),
            "GM702": lambda: call(Y, NAN),
            "GM704": lambda: call([0] * 6, P),
            "GM705": lambda: call(Y[:1], P[:1]),
            "GM711": lambda: call(Y, P, BY_CLASS),
        }
        return {code: every[code] for code in codes}

    both = more.split()
    return {
        f"{kind.__name__}.from_predictions": of_metrics(told, P, MISSING) | also(told, "GM702", *both),
        f"{kind.__name__}.from_estimator": of_metrics(asked, P, MISSING) | also(asked, *both),
    }


CLASSES_AND_METHODS: Misuses = {
    "CalibrationDisplay.plot": {
        "GM008": without_matplotlib,
        "GM009": lambda: gm.CalibrationDisplay.from_predictions(Y, P).plot(3),
    },
    **of_displays(gm.CalibrationDisplay, (), "GM007 GM705"),
    **of_displays(gm.DecisionDisplay, (COSTS,), "GM704 GM705 GM711"),
    **of_displays(gm.LossDisplay, (BINARY,)),
    "SklearnLoss.__call__": {
        **of_metrics(KNOWING, P, MISSING),
        "GM009": lambda: gm.to_sklearn(BINARY)(["no", "yes", "maybe"] * 2, P),
        "GM702": lambda: KNOWING(Y, NAN),
        "GM703": lambda: KNOWING(STRANGER, P),
    },
    "SklearnLoss.skill": {
        **of_metrics(KNOWING.skill, P, MISSING),
        "GM007": lambda: gm.to_sklearn(gm.losses.gaussian_nll()).skill(Z, np.zeros((6, 2))),
        "GM009": lambda: gm.to_sklearn(BINARY).skill(["no", "yes", "maybe"] * 2, P),
        "GM702": lambda: KNOWING.skill(Y, NAN),
        "GM703": lambda: KNOWING.skill(STRANGER, P),
    },
    "SklearnCosts.__call__": {
        **of_metrics(gm.to_sklearn(COSTS), Y, MISSING),
        "GM009": lambda: gm.to_sklearn(COSTS)(["no"] * 6, ["no"] * 6),
        "GM703": lambda: gm.to_sklearn(COSTS, labels=[0, 1])(STRANGER, Y),
        "GM711": lambda: gm.to_sklearn(BY_CLASS)(Y, Y),
    },
    "CostSensitiveClassifier.fit": {
        **of_deciding(gm.CostSensitiveClassifier, gm.LossClassifier()),
        "GM007": lambda: gm.CostSensitiveClassifier(gm.LossClassifier(HINGE), method=None).fit(X * 5, Y * 5),
        "GM602": lambda: gm.CostSensitiveClassifier(gm.LossClassifier()).fit(X, SAME),
        "GM704": lambda: gm.CostSensitiveClassifier(gm.LossClassifier(alpha=0.1), method="beta", cv=2).fit(
            X * 2, [0, 0, 0, 1, 1, 1] * 2
        ),
        "GM711": of_classifiers(costs=BY_CLASS),
    },
    "CostSensitiveClassifier.predict": {"GM009": asking},
    "CostSensitiveRegressor.fit": {
        **of_deciding(gm.CostSensitiveRegressor, gm.LossRegressor()),
        "GM706": lambda: gm.CostSensitiveRegressor(gm.LossRegressor()).fit(X, [1e150, -1e150] * 3),
    },
    **of_boosters("XGBoostLoss", gm.to_xgboost, XGBOOST),
    **of_boosters("LightGBMLoss", gm.to_lightgbm, LIGHTGBM),
    **of_boosters("CatBoostLoss", gm.to_catboost, CATBOOST),
    "XGBoostLoss.__call__": of_objectives(gm.to_xgboost(BINARY), XGBOOST),
    "XGBoostMetric.__call__": of_steps(gm.to_xgboost(BINARY).metric),
    "LightGBMLoss.__call__": of_objectives(gm.to_lightgbm(BINARY), LIGHTGBM),
    "LightGBMLoss.metric": of_steps(gm.to_lightgbm(BINARY).metric),
    "CatBoostLoss.calc_ders_range": of_steps(lambda y, z: gm.to_catboost(BINARY).calc_ders_range(z, y, None)),
    "CatBoostMetric.evaluate": of_steps(lambda y, z: gm.to_catboost(BINARY).metric.evaluate([z], y, None)),
    "HistGradientBoostingLoss": {"GM007": lambda: gm.to_hist_gradient_boosting(gm.losses.zero_one())},
    "HistGradientBoostingLoss.loss": of_steps(gm.to_hist_gradient_boosting(BINARY).loss),
    "HistGradientBoostingLoss.gradient_hessian": of_steps(gm.to_hist_gradient_boosting(BINARY).gradient_hessian),
    "HistGradientBoostingLoss.fit_intercept_only": {
        "GM009": lambda: gm.to_hist_gradient_boosting(gm.losses.cross_entropy(), classes=4).fit_intercept_only(
            np.arange(9) % 3.0
        ),
        "GM004": lambda: gm.to_hist_gradient_boosting(BINARY).fit_intercept_only([0, 1, 2] * 2),
        "GM005": lambda: gm.to_hist_gradient_boosting(BINARY).fit_intercept_only(Y, [0.0] * 6),
    },
    "HistGradientBoostingLoss.predict_proba": {
        "GM007": lambda: gm.to_hist_gradient_boosting(HINGE).predict_proba(np.zeros(3)),
        "GM009": lambda: gm.to_hist_gradient_boosting(SQUARED).predict_proba(np.zeros(3)),
    },
    "ClassCosts": {"GM710": lambda: gm.ClassCosts([1, 2])},
    "ClassCosts.with_asking": {"GM710": lambda: BY_CLASS.with_asking(np.inf)},
    "Costs": {"GM710": lambda: gm.Costs(false_negative=-1, false_positive=5)},
    "choice_sets": {
        "GM003": lambda: gm.choice_sets(Y, happened=TWO),
        "GM005": lambda: gm.choice_sets(Y, happened=ZERO),
        "GM009": lambda: gm.choice_sets(Y, most=1),
        "GM702": lambda: gm.choice_sets(NAN),
        "GM703": lambda: gm.choice_sets(Y, happened=[2] * 6),
    },
    "ChoiceSets.table": {"GM003": lambda: gm.choice_sets(Y).table(TWO)},
    "ChoiceSets.summed": {"GM003": lambda: gm.choice_sets(Y).summed(Y)},
    "tailored": {"GM710": lambda: gm.tailored(gm.Costs(false_negative=1, false_positive=0))},
    "Costs.from_grade": {
        "GM009": lambda: COSTS.from_grade(5, grades=5),
        "GM710": lambda: BY_ROW.from_grade(1, grades=3),
    },
    "Costs.from_matrix": {"GM710": lambda: gm.Costs.from_matrix([[0, 0], [0, 0]])},
    "Costs.matrix": {"GM711": lambda: BY_ROW.matrix},
    "Costs.of_rows": {"GM003": lambda: BY_ROW.of_rows(np.arange(3), 5)},
    "UnderOverCosts": {"GM710": lambda: gm.UnderOverCosts(under=0, over=1)},
    "UnderOverCosts.of": {"GM706": lambda: UNITS.of(np.array([1e308]), np.array([-1e308]))},
    "Decision.rule": {"GM009": lambda: gm.decide(Y, P, COSTS).rule("alway")},
    "Decision.act": {
        "GM003": lambda: gm.decide(Y, P, COSTS).act(CLASSES),
        "GM009": lambda: gm.decide(Y, P, gm.Costs(false_negative=np.full(len(Y), 40.0), false_positive=5)).act(P),
        "GM701": lambda: gm.decide(Y, P, COSTS).act([2.0]),
        "GM702": lambda: gm.decide(Y, P, COSTS).act(NAN),
    },
    "Recalibration.__call__": {
        "GM009": lambda: gm.recalibrate(Y, P, "isotonic")(CLASSES),
        "GM701": lambda: gm.recalibrate(Y, P, "isotonic")([2.0]),
        "GM702": lambda: gm.recalibrate(Y, P, "isotonic")(NAN),
    },
    "Difference.rows_to_tell": {"GM009": lambda: gm.compare(BINARY, Y, Z, P).rows_to_tell(power=1.0)},
    "Difference.smallest_told": {"GM009": lambda: gm.compare(BINARY, Y, Z, P).smallest_told(0)},
    "Recalibration.from_dict": {"GM009": lambda: gm.recalibrate(Y, P, "isotonic").from_dict({"method": "plat"})},
    "Curves.cost": {"GM009": lambda: tally().curves().cost([1.5])},
    "Curves.murphy": {"GM009": lambda: tally().curves().murphy([-0.5])},
    "Curves.net_benefit": {"GM009": lambda: tally().curves().net_benefit([1.0])},
    "Curves.treat_all": {"GM009": lambda: tally().curves().treat_all([1.0])},
    "Curves.band": {"GM009": lambda: tally().curves().band("recal", [0.5])},
    "Tally": {"GM009": lambda: tally()["north"], "GM721": lambda: tally() + amounts()},
    "Tally.from_bytes": {
        "GM720": lambda: gm.Tally.from_bytes(b"no tally"),
        "GM721": lambda: gm.Tally.from_bytes(tally().to_bytes(), [SQUARED]),
    },
    "Tally.risk": {
        "GM006": lambda: halves().risk(weights_mean="frequency"),
        "GM005": lambda: empty().risk(),
        "GM009": lambda: tally().risk(SQUARED),
    },
    "Tally.compare": {
        "GM006": lambda: halves().compare("model", "other", weights_mean="frequency"),
        "GM005": lambda: gm.tally(BINARY, [], {"a": [], "b": []}).compare("a", "b"),
        "GM009": lambda: tally().compare("model", "other"),
    },
    "Tally.calibration": {
        "GM006": lambda: halves().calibration(weights_mean="frequency"),
        "GM005": lambda: empty().calibration(),
        "GM009": lambda: amounts().calibration(),
        "GM705": lambda: gm.tally(BINARY, [1], [2.0]).calibration(),
    },
    "Tally.bias": {
        "GM006": lambda: halves(SQUARED).bias(weights_mean="frequency"),
        "GM009": lambda: tally().bias(),
        "GM705": lambda: gm.tally(SQUARED, [1.0], [1.0]).bias(),
    },
    "Tally.decide": {
        "GM006": lambda: halves().decide(COSTS, weights_mean="frequency"),
        "GM009": lambda: amounts().decide(COSTS),
        "GM704": lambda: all_yes().decide(COSTS),
        "GM711": lambda: tally().decide(BY_ROW),
    },
    "Tally.curves": {
        "GM006": lambda: halves().curves(weights_mean="frequency"),
        "GM009": lambda: amounts().curves(),
        "GM704": lambda: all_yes().curves(),
    },
    "Tally.cost_curve": {
        "GM009": lambda: tally().cost_curve([2.0]),
        "GM704": lambda: all_yes().cost_curve([0.5]),
    },
    **{f"Model.{read}": of_rows(read) for read in ("raw", "predict")},
    **{f"Model.{read}": of_rows(read) | {"GM713": by_column(read)} for read in ("decide", "answers")},
    "Model.decisions": {
        "GM009": lambda: _by_column().decisions(np.array([0.2, 0.8])),
        "GM713": lambda: _by_column().decisions(np.array([0.2]), {"cost": [-1.0]}),
    },
    "Model.save": {
        "GM009": lambda: model().save(written("model.json", "mine")),
        "GM012": lambda: model().save("/no such folder/model.json"),
    },
    "Model.export": {
        "GM008": without_onnx,
        "GM009": lambda: model().export(folder() / "m.pkl"),
        "GM012": lambda: model().export("/no such folder/model.sql"),
        "GM272": lambda: model().using(recalibration=stepped()).export(folder() / "m.sql"),
    },
    "Plan.code": {"GM009": lambda: gm.choose(Y).code("fortran")},
    **{f"Loss.{name}": of_examples(getattr(BINARY, name)) for name in ("value", "gradient", "hessian", "total")},
    **{f"Loss.{name}": of_scales(name) for name in ("predict", "raw")},
    "Loss.__call__": {
        **of_examples(BINARY),
        "GM005": lambda: BINARY(Y, Z, ZERO),
        "GM009": lambda: BINARY(Y),
    },
    "Loss.value_and_gradient": {
        **of_examples(BINARY.value_and_gradient),
        "GM005": lambda: BINARY.value_and_gradient(Y, Z, ZERO),
        "GM009": lambda: BINARY.value_and_gradient(Y, Z, out=np.ones(2)),
    },
    "Loss.identification": {
        "GM003": lambda: BINARY.identification(Y, Z[:2]),
        "GM004": lambda: BINARY.identification([2] * 6, Z),
        "GM007": lambda: HINGE.identification(Y, Z),
    },
    "Loss.outcome_probabilities": {
        "GM003": lambda: gm.losses.proportional_odds().outcome_probabilities([[1.0]]),
        "GM007": lambda: SQUARED.outcome_probabilities(Z),
    },
    "Loss.best_constant": {
        "GM003": lambda: BINARY.best_constant(Y, [1]),
        "GM005": lambda: BINARY.best_constant(Y, ZERO),
        "GM006": lambda: BINARY.best_constant(Y, NEGATIVE),
    },
    "Loss.of_label": {"GM009": lambda: gm.weighted(BINARY, positive=[3.0, 2.0]).of_label(2)},
    "Loss.with_activation": {"GM009": lambda: BINARY.with_activation("expp")},
    "LossRegressor.fit": {
        **of_exposures(lambda regressor, exposure: regressor.fit(X, Y, exposure=exposure)),
        "GM004": lambda: gm.LossRegressor(POISSON).fit(X, NEGATIVE),
        "GM606": lambda: gm.LossRegressor(gm.losses.squared_error()).fit(X, [1e200, -1e200] * 3),
        "ValueError": lambda: gm.LossRegressor().fit(X, [float("nan")] * 6),
    },
    "LossRegressor.predict": of_exposures(lambda regressor, exposure: regressor.predict(X, exposure=exposure)),
    # The method of both; a regressor has losses that take exposures.
    "LossClassifier.raw": of_exposures(lambda regressor, exposure: regressor.raw(X, exposure=exposure)),
    "LossClassifier.fit": {
        "GM003": lambda: gm.LossClassifier().fit(X, np.eye(2, dtype=int)[[0, 1] * 3]),
        "GM006": lambda: gm.LossClassifier().fit(X, Y, NEGATIVE),
        "GM009": lambda: gm.LossClassifier(SQUARED).fit(X, Y),
        "GM602": lambda: gm.LossClassifier().fit(X, SAME),
        "GM004": lambda: gm.LossClassifier().fit(X, Z),
    },
    "JaxLoss": {"GM009": lambda: type(gm.to_jax(BINARY))(BINARY, "average")},
    "JaxLoss.__call__": {
        "GM003": lambda: gm.to_jax(BINARY)(np.zeros(2), np.zeros(1)),
        "GM004": lambda: gm.to_jax(BINARY)(np.zeros(2), ["no", "yes"]),
        "GM006": lambda: gm.to_jax(BINARY)(np.zeros(2), np.zeros(2), where=np.ones(2)),
        "GM009": lambda: gm.to_jax(BINARY)(np.zeros(2, int), np.zeros(2)),
    },
    "JaxLoss.check": {
        "GM003": lambda: gm.to_jax(BINARY).check(np.zeros(2), np.zeros(1)),
        "GM004": lambda: gm.to_jax(BINARY).check(np.zeros(2), np.array([1.0, 2.0])),
        "GM006": lambda: gm.to_jax(BINARY).check(np.zeros(2), np.zeros(2), where=np.ones(2)),
        "GM009": lambda: gm.to_jax(BINARY).check(None, np.zeros(2)),
    },
    "KerasLoss": {"GM009": lambda: type(gm.to_keras(BINARY))(BINARY, "average")},
    "KerasLoss.__call__": {
        "GM003": lambda: gm.to_keras(BINARY)(np.zeros(2), np.zeros(3)),
        "GM004": lambda: gm.to_keras(BINARY)(["no", "yes"], np.zeros(2)),
        "GM006": lambda: gm.to_keras(BINARY)(np.zeros(2), np.zeros(2), [-1.0, 1.0]),
        "GM009": lambda: gm.to_keras(BINARY)([-0.5, 1.5], [0.0, 1.0]),
    },
    "KerasLoss.check": {
        "GM003": lambda: gm.to_keras(BINARY).check(np.zeros(2), np.zeros(3)),
        "GM004": lambda: gm.to_keras(BINARY).check(np.array([1.0, 2.0]), np.zeros(2)),
        "GM006": lambda: gm.to_keras(BINARY).check(np.zeros(2), np.zeros(2), [-1.0, 1.0]),
        "GM009": lambda: gm.to_keras(BINARY).check(None, np.zeros(2)),
    },
    "KerasLoss.from_config": {"GM009": lambda: gm.to_keras(BINARY).from_config({"loss": {}})},
    "KerasLoss.call": {
        "GM003": lambda: gm.to_keras(BINARY).call(np.zeros(2), np.zeros(3)),
        "GM004": lambda: gm.to_keras(BINARY).call(["no", "yes"], np.zeros(2)),
        "GM009": lambda: gm.to_keras(BINARY).call(None, np.zeros(2)),
    },
    "TableLoss": {
        "GM003": lambda: gm.to_sql(gm.losses.cross_entropy(), raw="z"),
        "GM009": lambda: gm.to_sql(gm.losses.cross_entropy(), prediction=["a", "b"]),
    },
    "TableLoss.prediction": {"GM007": lambda: gm.to_sql(HINGE).prediction},
    "TableLoss.decision": {
        "GM003": lambda: gm.to_sql(BINARY).decision(BY_CLASS),
        "GM007": lambda: gm.to_sql(HINGE).decision(COSTS),
        "GM009": lambda: gm.to_sql(SQUARED).decision(COSTS),
        "GM711": lambda: gm.to_sql(BINARY).decision(BY_ROW),
    },
    "TorchLoss.count": {"GM009": lambda: gm.to_torch(BINARY, denominator=3.0).count(tensor(1.0))},
    "TorchLoss": {
        "GM002": lambda: type(gm.to_torch(BINARY))(BINARY, pos_weight=-1.0),
        "GM009": lambda: type(gm.to_torch(BINARY))(BINARY, denominator=-1.0),
    },
    "TorchLoss.forward": {
        "GM003": lambda: gm.to_torch(BINARY)(tensor(1.0, 2.0), tensor(1.0)),
        "GM004": lambda: gm.to_torch(BINARY)(tensor(1.0, 2.0), tensor(1.0, 3.0)),
        "GM006": lambda: gm.to_torch(BINARY)(tensor(1.0, 2.0), tensor(1.0, 0.0), weight=tensor(-1.0, 1.0)),
        "GM009": lambda: gm.to_torch(BINARY)(tensor(1, 2), tensor(1.0, 0.0)),
    },
    "log_mlflow": {"GM008": without_mlflow, "GM009": lambda: gm.log_mlflow(model())},
    "write_report": {
        "GM009": lambda: gm.write_report(study(), "page.html", costs=gm.Costs(false_negative=1, false_positive=1)),
        "GM012": lambda: gm.write_report(study(), "/no such folder/page.html"),
    },
    "Estimate.plot": {
        "GM008": without_matplotlib,
        "GM009": lambda: gm.explain_mean(SQUARED, [1.0], [2.0]).plot(),
    },
    **{f"{kind}.to_frame": of_frames(make) for kind, make in (("Estimate", estimate), ("Study", study))},
    "Expr": {"GM001": lambda: bool(SQUARED.book)},
    "Study.compare": {"GM009": lambda: study().compare([])},
    "Total.mean": {"GM005": lambda: BINARY.total([], []).mean},
}

MISUSES: Misuses = {**FUNCTIONS, **CLASSES_AND_METHODS}
