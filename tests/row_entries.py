"""Every entry point that takes rows of evidence, with rows to give it: tests enumerate these and name none themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.decisions.curves import curves
from goodmeasure.decisions.decision import expected_cost, regret
from goodmeasure.risks.crossvalidation import naive, nested
from goodmeasure.risks.metrics import METRICS
from goodmeasure.risks.ranking import rank_models
from goodmeasure.risks.segment_rates import segment_rates
from goodmeasure.risks.segments import weak_segments

BCE, CE, SQUARED = losses.binary_cross_entropy(), losses.cross_entropy(), losses.squared_error()
PINBALL, EXPECTILE = losses.pinball(level=0.8), losses.expectile(level=0.8)
COSTS, OTHER_COSTS = gm.Costs(false_negative=5, false_positive=1), gm.Costs(false_negative=2, false_positive=1)
CLASS_COSTS = gm.ClassCosts(np.array([[0.0, 1, 4], [2, 0, 1], [5, 2, 0]]))
UNIT_COSTS = gm.UnderOverCosts(under=3, over=1)
AT = np.array([0.2, 0.5])

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry point: ``call(table, w, **more)`` and the columns it takes as target and as predictions.

    ``meant`` says that it takes ``weights_mean``; ``folds`` that it deals rows to folds, so that copies need ``cluster``;
    ``drawn`` that its intervals are made of random draws, ``dealt`` that its values are; ``excludes`` that it leaves missing
    values out and counts them; ``scaled`` that the scale of weights moves no value.
    """

    name: str
    call: Callable[..., Any]
    target: str
    scores: tuple[str, ...]
    meant: bool = True
    folds: bool = False
    drawn: bool = False
    excludes: bool = False
    scaled: bool = True
    dealt: bool = False

    def __repr__(self) -> str:
        return self.name


def table(n: int = 120, seed: int = 0) -> dict[str, Any]:
    """Rows of every kind: yes/no, three classes, amounts; raw outputs and predictions; groups."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=n)
    p = 1 / (1 + np.exp(-z))
    rows = rng.normal(size=(n, 3)) * 1.5
    shares = np.exp(rows - rows.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    label = (shares.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 2).astype(float)
    mu = rng.normal(size=n) * 2
    return {
        "yes": (rng.random(n) < 1 / (1 + np.exp(-0.7 * z))).astype(float),
        "z": z,
        "z_old": z + rng.normal(size=n),
        "p": p,
        "label": label,
        "rows": rows,
        "shares": shares,
        "amount": mu + rng.normal(size=n),
        "mu": mu,
        "mu_old": mu + 0.5 * rng.normal(size=n),
        "loss": rng.exponential(size=n),
        "other_loss": rng.exponential(size=n),
        "group": np.array([f"g{k}" for k in rng.integers(0, 4, n)], dtype=object),
        "x": rng.normal(size=(n, 2)) + z[:, None],
    }


def _fitted(model: Any) -> dict[str, Any]:
    return {"coef": model.coef_, "intercept": model.intercept_, "classes": getattr(model, "classes_", 0)}


def _folds_losses(t: Table, w: Any, method: Any, **more: Any) -> Any:
    """The losses of weighted means, fitted on some rows and measured on others."""
    weight = np.ones(len(t["amount"])) if w is None else np.asarray(w, dtype=float)
    y = np.asarray(t["amount"], dtype=float)

    def losses_of(train: Any, test: Any) -> Any:
        return np.abs(y[test] - np.average(y[train], weights=weight[train]))

    return method(losses_of, len(y), folds=4, sample_weight=w, **more)


def _curves(t: Table, w: Any, **more: Any) -> Any:
    found = curves(t["yes"], t["p"], sample_weight=w, **more)
    bands = {name: found.band(name, AT) for name in ("net_benefit", "recall", "precision", "cost")}
    return {"area": found.roc_area, "precision": found.average_precision, "interval": found.area(), **bands}


def _read(made: Any, *names: str, **more: Any) -> dict[str, Any]:
    """What a tally says."""
    found = {name: getattr(made, name)(**more) for name in names if name not in ("decide", "curves")}
    if "decide" in names:
        found["decide"] = made.decide(COSTS, **more)
    if "curves" in names:
        read = made.curves(**more)
        found["curves"] = {"area": read.roc_area, "interval": read.area(), "band": read.band("net_benefit", AT)}
    return found


def _tally(t: Table, w: Any, loss: Any, y: str, z: str, *names: str, **more: Any) -> Any:
    said = {key: more.pop(key) for key in ("weights_mean",) if key in more}
    return _read(gm.tally(loss, t[y], t[z], sample_weight=w, **more), *names, **said)


def _pair(t: Table, w: Any, weights_mean: Any = "importance") -> Any:
    made = gm.tally(BCE, t["yes"], prediction={"a": t["p"], "b": 0.5 * np.asarray(t["p"])}, sample_weight=w)
    return made.compare("a", "b", weights_mean=weights_mean)


def _metric(name: str, target: str, p: str, t: Table, w: Any, **more: Any) -> Any:
    return METRICS[name].estimate(t[target], t[p], w, **more)


def _segments(t: Table, w: Any, **more: Any) -> Any:
    return {one.name: one for one in weak_segments(t["loss"], t["group"], sample_weight=w, **more)}


def _segment_rates(t: Table, w: Any, **more: Any) -> Any:
    return {one.name: one for one in segment_rates(t["yes"], t["p"], t["group"], sample_weight=w, **more)}


def _shown(display: Any, of: Mapping[str, Any], t: Table, w: Any, **more: Any) -> Any:
    return display.from_predictions(t["yes"], t["p"], **of, sample_weight=w, ax=Figure().add_subplot(), **more).found


def _gap(t: Table, w: Any, **more: Any) -> Any:
    return gm.gap(*(gm.risk(SQUARED, t["amount"], t[z], sample_weight=w, **more) for z in ("mu", "mu_old")))


def listed(column: Any) -> Any:
    """An array as a list; what else was given, as it came."""
    return list(column) if isinstance(column, np.ndarray) else column


def _lists(call: Any, t: Table, w: Any) -> Any:
    value, gradient = call(t, w)
    kept = np.asarray(w if w is not None else np.ones(len(gradient))) > 0
    return {"value": value, "gradient": gradient[kept]}


def _priced(target: str, p: str, costs: Any, t: dict[str, Any], w: Any, **more: Any) -> Any:
    """What decisions by one column cost."""
    return gm.decision_cost(t[target], t[p], costs, sample_weight=w, **more)


def _entries() -> list[Entry]:
    plain = {"meant": False}
    found = [
        Entry(f"{loss} ()", partial(lambda loss, y, z, t, w: loss(t[y], t[z], w), loss, y, z), y, (z,), **plain)
        for loss, y, z in ((BCE, "yes", "z"), (CE, "label", "rows"), (SQUARED, "amount", "mu"))
    ]
    found += [
        Entry(
            "loss(prediction=)", lambda t, w: BCE(t["yes"], prediction=t["p"], sample_weight=w), "yes", ("p",), **plain
        ),
        Entry("total", lambda t, w: BCE.total(t["yes"], t["z"], w).mean, "yes", ("z",), **plain),
        *(
            Entry(f"value_and_gradient {loss}", partial(_lists, call), y, (z,), **plain)
            for loss, y, z, call in (
                (BCE, "yes", "z", lambda t, w: BCE.value_and_gradient(t["yes"], t["z"], w)),
                (CE, "label", "rows", lambda t, w: CE.value_and_gradient(t["label"], t["rows"], w)),
                (
                    SQUARED,
                    "amount",
                    "mu",
                    lambda t, w: SQUARED.value_and_gradient(listed(t["amount"]), listed(t["mu"]), w),
                ),
            )
        ),
        *(
            Entry(
                f"best_constant {loss}",
                partial(lambda loss, y, t, w: loss.best_constant(t[y], w), loss, y),
                y,
                (),
                **plain,
            )
            for loss, y in (
                (BCE, "yes"),
                (CE, "label"),
                (SQUARED, "amount"),
                (PINBALL, "amount"),
                (EXPECTILE, "amount"),
            )
        ),
    ]
    found += [
        Entry(f"risk {name}", call, y, (z,))
        for name, y, z, call in (
            ("yes/no", "yes", "z", lambda t, w, **m: gm.risk(BCE, t["yes"], t["z"], sample_weight=w, **m)),
            (
                "prediction",
                "yes",
                "p",
                lambda t, w, **m: gm.risk(BCE, t["yes"], prediction=t["p"], sample_weight=w, **m),
            ),
            ("classes", "label", "rows", lambda t, w, **m: gm.risk(CE, t["label"], t["rows"], sample_weight=w, **m)),
            ("amounts", "amount", "mu", lambda t, w, **m: gm.risk(SQUARED, t["amount"], t["mu"], sample_weight=w, **m)),
            ("0/1", "yes", "z", lambda t, w, **m: gm.risk(losses.zero_one(), t["yes"], t["z"], sample_weight=w, **m)),
        )
    ]
    found += [
        Entry(
            "compare",
            lambda t, w, **m: gm.compare(BCE, t["yes"], t["z"], t["z_old"], sample_weight=w, **m),
            "yes",
            ("z", "z_old"),
        ),
        Entry("gap", _gap, "amount", ("mu", "mu_old")),
        *(
            Entry(f"signal {name}", call, y, (z,), drawn=drawn)
            for name, y, z, drawn, call in (
                ("yes/no", "yes", "z", False, lambda t, w, **m: gm.signal(BCE, t["yes"], t["z"], w, **m)),
                ("classes", "label", "rows", False, lambda t, w, **m: gm.signal(CE, t["label"], t["rows"], w, **m)),
                ("amounts", "amount", "mu", False, lambda t, w, **m: gm.signal(SQUARED, t["amount"], t["mu"], w, **m)),
                (
                    "auc",
                    "yes",
                    "z",
                    True,
                    lambda t, w, **m: gm.signal(BCE, t["yes"], t["z"], w, metric="auc", before=t["z_old"], **m),
                ),
            )
        ),
        *(
            Entry(f"calibration {name}", call, y, (p,), drawn=True)
            for name, y, p, call in (
                ("yes/no", "yes", "p", lambda t, w, **m: gm.calibration(t["yes"], t["p"], BCE, w, **m)),
                ("classes", "label", "shares", lambda t, w, **m: gm.calibration(t["label"], t["shares"], None, w, **m)),
                ("amounts", "amount", "mu", lambda t, w, **m: gm.calibration(t["amount"], t["mu"], None, w, **m)),
                ("quantiles", "amount", "mu", lambda t, w, **m: gm.calibration(t["amount"], t["mu"], PINBALL, w, **m)),
                (
                    "expectiles",
                    "amount",
                    "mu",
                    lambda t, w, **m: gm.calibration(t["amount"], t["mu"], EXPECTILE, w, **m),
                ),
            )
        ),
        *(
            Entry(
                f"recalibrate {m}",
                partial(lambda m, t, w, **more: gm.recalibrate(t["yes"], t["p"], m, sample_weight=w, **more), m),
                "yes",
                ("p",),
                scaled=m != "platt",
            )
            for m in ("platt", "temperature", "beta", "isotonic")
        ),
        *(
            Entry(
                f"recalibrate {m} classes",
                partial(
                    lambda m, t, w, **more: gm.recalibrate(t["label"], t["rows"], m, sample_weight=w, raw=True, **more),
                    m,
                ),
                "label",
                ("rows",),
                scaled=m != "platt",
            )
            for m in ("platt", "temperature")
        ),
        Entry(
            "decide yes/no",
            lambda t, w, **m: gm.decide(t["yes"], t["p"], COSTS, sample_weight=w, **m),
            "yes",
            ("p",),
            folds=True,
        ),
        Entry(
            "decide within",
            lambda t, w, **m: gm.decide(t["yes"], t["p"], COSTS, sample_weight=w, prevalence=0.2, **m),
            "yes",
            ("p",),
            folds=True,
        ),
        Entry(
            "decide classes",
            lambda t, w, **m: gm.decide(t["label"], t["shares"], CLASS_COSTS, sample_weight=w, **m),
            "label",
            ("shares",),
        ),
        Entry(
            "decide amounts",
            lambda t, w, **m: gm.decide(t["amount"], t["mu"], UNIT_COSTS, sample_weight=w, **m),
            "amount",
            ("mu",),
            folds=True,
        ),
        *(
            Entry(f"decision_cost {name}", partial(_priced, y, p, costs), y, (p,))
            for name, y, p, costs in (
                ("yes/no", "yes", "p", COSTS),
                ("classes", "label", "shares", CLASS_COSTS),
                ("amounts", "amount", "mu", UNIT_COSTS),
            )
        ),
        Entry(
            "compare_costs",
            lambda t, w, **m: gm.compare_costs(t["yes"], t["p"], t["p"] ** 2, COSTS, sample_weight=w, **m),
            "yes",
            ("p",),
        ),
        Entry(
            "ensemble_crps",
            lambda t, w, **m: gm.ensemble_crps(t["amount"], t["rows"], fair=True, sample_weight=w, **m),
            "amount",
            ("rows",),
        ),
        Entry(
            "compare_ensembles",
            lambda t, w, **m: gm.compare_ensembles(t["amount"], t["rows"], t["shares"], sample_weight=w, **m),
            "amount",
            ("rows", "shares"),
        ),
        Entry(
            "expected_cost",
            lambda t, w, **m: expected_cost(t["yes"], t["p"], COSTS, 0.3, sample_weight=w, **m),
            "yes",
            ("p",),
        ),
        Entry(
            "regret",
            lambda t, w, **m: regret(t["yes"], t["p"], OTHER_COSTS, COSTS, sample_weight=w, **m),
            "yes",
            ("p",),
        ),
        Entry("curves", _curves, "yes", ("p",)),
        Entry("weak_segments", _segments, "", ("loss",)),
        Entry("segment_rates", _segment_rates, "yes", ("p",)),
        Entry(
            "rank_models",
            lambda t, w, **m: rank_models(
                {"a": {"x": t["loss"], "y": t["other_loss"]}, "b": {"x": t["other_loss"], "y": t["loss"]}},
                sample_weight=w,
                **m,
            ),
            "",
            ("loss", "other_loss"),
        ),
        Entry("naive", lambda t, w, **m: _folds_losses(t, w, naive, **m), "", (), folds=True),
        Entry("nested", lambda t, w, **m: _folds_losses(t, w, partial(nested, repeats=2), **m), "", (), folds=True),
    ]
    found += [
        Entry(f"metric {name}", partial(_metric, name, "yes", "p"), "yes", ("p",), drawn=m.overall is not None)
        for name, m in METRICS.items()
        if m.scale == "outcome"
    ]
    found += [
        Entry(f"metric {name}", partial(_metric, name, "amount", "mu"), "amount", ("mu",), drawn=m.overall is not None)
        for name, m in METRICS.items()
        if m.scale == "amount"
    ]
    tallies = {"excludes": True}
    found += [
        Entry(
            "tally", lambda t, w, **m: _tally(t, w, BCE, "yes", "z", "risk", "curves", **m), "yes", ("z",), **tallies
        ),
        Entry(
            "tally's calibration",
            lambda t, w, **m: _tally(t, w, BCE, "yes", "z", "calibration", **m),
            "yes",
            ("z",),
            drawn=True,
            **tallies,
        ),
        Entry(
            "tally's classes",
            lambda t, w, **m: _tally(t, w, CE, "label", "rows", "risk", "calibration", **m),
            "label",
            ("rows",),
            drawn=True,
            **tallies,
        ),
        Entry(
            "tally's amounts",
            lambda t, w, **m: _tally(t, w, SQUARED, "amount", "mu", "risk", "bias", **m),
            "amount",
            ("mu",),
            **tallies,
        ),
        Entry(
            "tally's decision",
            lambda t, w, **m: _tally(t, w, BCE, "yes", "z", "decide", **m),
            "yes",
            ("z",),
            drawn=True,
            dealt=True,
            **tallies,
        ),
        Entry("tally's comparison", _pair, "yes", ("p",), **tallies),
        Entry(
            "regressor",
            lambda t, w: _fitted(gm.LossRegressor(SQUARED).fit(t["x"], t["amount"], w)),
            "amount",
            ("x",),
            meant=False,
        ),
        Entry(
            "classifier",
            lambda t, w: _fitted(gm.LossClassifier(CE).fit(t["x"], t["label"], w)),
            "label",
            ("x",),
            meant=False,
        ),
    ]
    return found


ENTRIES = _entries()
# They read labels as scikit-learn does, and say of missing ones what it says.
DISPLAYED = [
    Entry(f"{display.__name__}", partial(_shown, display, of), "yes", ("p",), drawn=drawn, folds=folds)
    for display, of, drawn, folds in (
        (gm.CalibrationDisplay, {}, True, False),
        (gm.LossDisplay, {"loss": BCE}, False, False),
        (gm.DecisionDisplay, {"costs": COSTS}, False, True),
    )
]


def flat(found: Any, path: str = "") -> dict[str, Any]:
    """Every number and word of a result by its path."""
    if dataclasses.is_dataclass(found):
        shown = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
        return flat({**shown, "verdict": getattr(found, "verdict", "")}, path)
    if isinstance(found, Mapping):
        return {key: value for name, part in found.items() for key, value in flat(part, f"{path}.{name}").items()}
    if isinstance(found, np.ndarray):
        return flat(found.tolist(), path)
    if isinstance(found, list | tuple):
        return {key: value for k, part in enumerate(found) for key, value in flat(part, f"{path}[{k}]").items()}
    return {path: found}
