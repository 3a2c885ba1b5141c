"""Boosters fitted on our objectives and on their own, in turns: ``python -m benchmarks.boosting``.

Both fit the same rows for the same rounds on the same threads, binning included; what they cost on new rows is compared beside
the time. On a machine that others use the clock measures them too, so that ratios are of processor time, the least of a few
turns; the clock stands beside them. A loss is compiled before it is timed. CatBoost hands Python objectives one number after
the other: it has fewer rows, and is measured where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Threads that wait by spinning would count as work; this is read when OpenMP is loaded.
os.environ.update(OMP_NUM_THREADS="2", OMP_WAIT_POLICY="PASSIVE")

import numpy as np

import goodmeasure as gm

ROWS, COLUMNS, ROUNDS, TURNS = 1_000_000, 20, 20, 3
ROWS_OF_CATBOOST = 20_000
NEW_ROWS = 50_000
L = gm.losses


@dataclass(frozen=True)
class Duel:
    """An objective of a booster, the loss that it is, and what both are fitted with."""

    host: str
    name: str
    loss: Any
    settings: dict[str, Any]

    @property
    def rows(self) -> int:
        return ROWS_OF_CATBOOST if self.host == "catboost" else ROWS


@dataclass(frozen=True)
class Seconds:
    """What a fit took on the clock and of the processors."""

    clock: float
    processors: float


DUELS = [
    Duel("xgboost", "reg:squarederror", 0.5 * L.squared_error(), {}),
    Duel("xgboost", "binary:logistic", L.binary_cross_entropy(), {}),
    Duel("xgboost", "count:poisson", L.poisson(), {}),
    Duel("xgboost", "reg:quantileerror", L.pinball(), {"quantile_alpha": 0.5}),
    Duel("xgboost", "multi:softprob", L.cross_entropy(), {}),
    Duel("lightgbm", "regression", 0.5 * L.squared_error(), {}),
    Duel("lightgbm", "binary", L.binary_cross_entropy(), {}),
    Duel("lightgbm", "poisson", L.poisson(), {}),
    Duel("lightgbm", "quantile", L.pinball(), {"alpha": 0.5}),
    Duel("lightgbm", "multiclass", L.cross_entropy(), {}),
    Duel("catboost", "RMSE", 0.5 * L.squared_error(), {}),
    Duel("catboost", "Logloss", L.binary_cross_entropy(), {}),
]


def rows(loss: Any, n: int) -> tuple[Any, Any]:
    """Features, and targets of the kind that the loss takes."""
    random = np.random.default_rng(0)
    x = random.normal(size=(n, COLUMNS)).astype(np.float32)
    score = x[:, 0] + np.sin(2 * x[:, 1]) * x[:, 2]
    if loss.is_classwise:
        return x, np.argmax(np.stack([score, -score, x[:, 3]], axis=1) + random.gumbel(size=(n, 3)), axis=1)
    if loss.is_binary:
        return x, (random.random(n) < 1 / (1 + np.exp(-score))).astype(np.intp)
    if loss.activation[0].name == "exp":
        return x, random.poisson(np.exp(0.5 * score)).astype(np.float64)
    return x, score + random.normal(size=n)


def model(duel: Duel, rounds: int, **objective: Any) -> Any:
    """An unfitted model of the host."""
    of_outcomes = duel.loss.is_binary or duel.loss.is_classwise
    if duel.host == "xgboost":
        import xgboost

        kind = xgboost.XGBClassifier if of_outcomes else xgboost.XGBRegressor
        return kind(n_estimators=rounds, max_depth=6, learning_rate=0.1, n_jobs=2, **objective)
    if duel.host == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMClassifier if of_outcomes else lightgbm.LGBMRegressor
        return kind(n_estimators=rounds, learning_rate=0.1, n_jobs=2, verbose=-1, **objective)
    import catboost

    settings = {
        "iterations": rounds,
        "learning_rate": 0.1,
        "thread_count": 2,
        "verbose": False,
        "allow_writing_files": False,
    }
    # Leaves by one Newton step, which is all that CatBoost takes on an objective of one's own.
    kind = catboost.CatBoostClassifier if of_outcomes else catboost.CatBoostRegressor
    return kind(**settings, leaf_estimation_iterations=1, **objective)


def theirs(duel: Duel, x: Any, y: Any) -> Any:
    """A model fitted on the host's own objective."""
    place = "loss_function" if duel.host == "catboost" else "objective"
    return model(duel, ROUNDS, **{place: duel.name}, **duel.settings).fit(x, y)


def ours(duel: Duel, x: Any, y: Any, rounds: int = ROUNDS) -> Any:
    """A model fitted on our objective."""
    to = {"xgboost": gm.to_xgboost, "lightgbm": gm.to_lightgbm, "catboost": gm.to_catboost}[duel.host]
    return to(duel.loss).fit(model(duel, rounds), x, y)


def raw(duel: Duel, fitted: Any, x: Any) -> Any:
    """The raw outputs of either model."""
    if duel.host == "xgboost":
        return np.asarray(fitted.predict(x, output_margin=True), dtype=np.float64)
    if duel.host == "lightgbm":
        return fitted.booster_.predict(x, raw_score=True)
    return fitted.predict(x, prediction_type="RawFormulaVal")


def timed(fit: Callable[[], Any]) -> tuple[Seconds, Any]:
    """How long a fit takes, and the fitted model."""
    clock, processors = time.perf_counter(), time.process_time()
    fitted = fit()
    return Seconds(time.perf_counter() - clock, time.process_time() - processors), fitted


def run(duel: Duel) -> str:
    """A row of the table: both fits in turns, and what they cost on new rows."""
    x, y = rows(duel.loss, duel.rows + NEW_ROWS)
    given, new = (x[: duel.rows], y[: duel.rows]), (x[duel.rows :], y[duel.rows :])
    took: dict[str, list[Seconds]] = {"theirs": [], "ours": []}
    cost = {}
    ours(duel, *given, rounds=1)
    for _ in range(TURNS):
        for name, fit in (("theirs", theirs), ("ours", ours)):
            seconds, fitted = timed(lambda fit=fit: fit(duel, *given))
            took[name].append(seconds)
            cost[name] = duel.loss(new[1], raw(duel, fitted, new[0]))
    work = {name: min(each.processors for each in found) for name, found in took.items()}
    clock = {name: min(each.clock for each in found) for name, found in took.items()}
    return (
        f"| {duel.host} | `{duel.name}` | {duel.rows:,} | {work['theirs']:.1f} | {work['ours']:.1f} | "
        f"{work['ours'] / work['theirs']:.2f} | {clock['theirs']:.1f} | {clock['ours']:.1f} | "
        f"{cost['theirs']:.5f} | {cost['ours']:.5f} |"
    )


def main() -> None:
    """Print the table, a row as soon as it is measured; only the hosts and objectives that are named, if any are."""
    warnings.simplefilter("ignore")
    named = sys.argv[1:]
    print(f"{ROUNDS} rounds, {COLUMNS} columns, 2 threads, the least of {TURNS} fits each in turns\n")
    print(
        "| host | objective | rows | theirs, s | ours, s | ratio | theirs, clock | ours, clock | loss, theirs | loss, ours |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for duel in DUELS:
        if (not named or {duel.host, duel.name} & {*named}) and importlib.util.find_spec(duel.host):
            print(run(duel), flush=True)


if __name__ == "__main__":
    main()
