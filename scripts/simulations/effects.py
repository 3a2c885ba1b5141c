"""How often a column that says nothing is said to matter, one that does is missed, and a model is falsely said to be best."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

import goodmeasure as gm
from goodmeasure.report.scored import ScoredRows
from simulations.sections import Row, Section, share

RUNS, TABLES = 60, 400
NOISE = 5


def _study(kind: str, n: int, seed: int) -> gm.Study:
    """Two columns that matter, the second half as much, and five of noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2 + NOISE, n))
    line = x[0] + 0.5 * x[1]
    columns = {f"x{k}": column for k, column in enumerate(x)}
    if kind == "half yes":
        columns["y"] = (rng.random(n) < 1 / (1 + np.exp(-line))) * 1.0
    else:
        columns["y"] = line + (rng.normal(size=n) if kind == "amounts" else rng.standard_t(3, size=n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gm.run(columns, "y", seed=seed)


def _columns() -> Iterator[Row]:
    for kind in ("half yes", "amounts", "amounts, heavy tails (Student 3)"):
        for n in (100, 300, 1000, 5000):
            studies = [_study(kind, n, seed) for seed in range(RUNS)]
            words = [{one.feature: one.word for one in study.effects.each} for study in studies]
            noise = [[held[f"x{k}"] for k in range(2, 2 + NOISE)] for held in words]
            zero = [
                one.coefficients[0].value.low <= 0 <= one.coefficients[0].value.high
                for study in studies
                for one in study.effects.each
                if one.feature not in ("x0", "x1") and one.coefficients
            ]
            yield (
                kind,
                n,
                share(["matters" in held for held in noise])[0],
                share(["harms" in held for held in noise])[0],
                share([held["x0"] != "matters" for held in words])[0],
                share([held["x1"] != "matters" for held in words])[0],
                share(zero)[0] if zero else "none is made",
            )


def _best() -> Iterator[Row]:
    loss = gm.losses.binary_cross_entropy()
    for models in (2, 5):
        for events in (0.5, 0.05):
            for n in (100, 300, 1000, 5000):
                alike, apart = [], []
                for seed in range(TABLES):
                    rng = np.random.default_rng(seed)
                    z = rng.normal(size=n) + np.log(events / (1 - events))
                    y = (rng.random(n) < 1 / (1 + np.exp(-z))) * 1.0
                    said = {f"m{k}": z + 0.5 * rng.normal(size=n) for k in range(models)}
                    alike.append(ScoredRows(gm.tally(loss, y, said), "y", "rows").verdict[0] != "none surely")
                    said["m0"] = z
                    apart.append(ScoredRows(gm.tally(loss, y, said), "y", "rows").verdict[0] != "m0")
                yield models, events, n, share(alike)[0], share(apart)[0]


SECTIONS = (
    Section(
        f"Columns of noise: how often any of five matters or harms, two that matter are missed, {RUNS} runs, nominal .05",
        ("table", "n", "noise matters", "noise harms", "first missed", "second missed", "intervals of noise hold 0"),
        _columns,
    ),
    Section(
        f'"Best" of scored models: falsely where all are alike, missed where one knows more, {TABLES} tables, nominal .05',
        ("models", "share of events", "n", "falsely", "missed"),
        _best,
    ),
)
