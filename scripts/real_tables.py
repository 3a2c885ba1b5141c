"""Run real tables that packages bring, and write docs/real_tables.md: meanings, held-out losses, seconds and costs beside
scikit-learn's own pipelines on the same rows.

    python scripts/real_tables.py                     # all of them; needs the packages of the group nightly
    python scripts/real_tables.py AER/HMDA digits     # some, to look at: no page is written
    python scripts/real_tables.py --kept real.json    # goes on where a run that kept its outcomes stopped

A table is written to a file as people have it and read from there; the peers are given the frame, without its row names. A
fifth of the rows is held out of everything and judges all models; where rows are few, two fifths are, one after the other.
Of a larger table, 5,000 rows are taken.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from tables_of_packages import TABLES, RealTable

import goodmeasure as gm

PAGE = Path(__file__).resolve().parent.parent / "docs" / "real_tables.md"
MOST_ROWS, FEW = 5_000, 1_000
MODELS = ("linear", "boosting")
# A difference is clear where its interval excludes a hundredth of what the peer's loss is.
CLEAR = 0.01
HEAD = """# Real tables

{count} tables that packages on PyPI bring. What each target is was written down before any was run, and a change since then is
said in `scripts/tables_of_packages.py`. Losses are means over rows that were held out of everything, by the loss that was chosen,
above that of a perfect prediction; in brackets is the interval of the paired difference, ours minus
scikit-learn's, in percent of theirs: below zero ours is better. "Clearly" worse or better is said where it excludes one percent.
scikit-learn's pipelines are given the same rows: numbers imputed and scaled, categories one-hot, and `LogisticRegressionCV` or
`RidgeCV`; codes and `HistGradientBoosting`. Predictions of a ridge outside the target's range are cut off at the least one seen.
Ours choose the meaning, the loss, what is an identifier and the strength, split off rows to tune, fit all again and report;
seconds of a processor are those of all that beside those of the peer's fit.

Written by `scripts/real_tables.py`, which a night runs.
"""


@dataclass(frozen=True)
class Side:
    """What one library made of a table with one kind of model: its predictions of the held-out rows, and what it took."""

    predictions: Any
    seconds: float
    decisions: Any = None


@dataclass(frozen=True)
class Part:
    """Both sides on rows that were held out, ours first."""

    study: gm.Study
    test: pd.DataFrame
    ours: Side
    theirs: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Ours and theirs."""
        return self.ours, self.theirs

    def y(self, table: RealTable) -> Any:
        """The targets as the loss takes them."""
        return _coded(self.study, self.test[table.target])

    def costs(self, table: RealTable) -> tuple[Any, Any]:
        """What the decisions of either side cost in each row."""
        missed, needless = table.costs or (1.0, 1.0)
        happened = self.y(table) == 1
        said = (_coded(self.study, pd.Series(self.ours.decisions)) == 1, self.theirs.decisions)
        ours, theirs = (missed * (happened & ~each) + needless * (~happened & each) for each in said)
        return ours, theirs


@dataclass(frozen=True)
class Compared:
    """Both sides on the held-out rows, ours first."""

    losses: tuple[float, float]
    low: float
    high: float
    seconds: tuple[float, float]
    costs: tuple[float, float] | None

    @property
    def word(self) -> str:
        """What the interval says, in a word."""
        return "worse" if self.low > CLEAR else "better" if self.high < -CLEAR else ""


@dataclass(frozen=True)
class Outcome:
    """What was found of one table."""

    table: RealTable
    shape: tuple[int, int]
    meaning: str
    loss: str
    models: dict[str, Compared]

    def to_dict(self) -> dict[str, Any]:
        """What was found as plain values."""
        models = {name: asdict(found) for name, found in self.models.items()}
        return {"shape": self.shape, "meaning": self.meaning, "loss": self.loss, "models": models}

    @staticmethod
    def from_dict(table: RealTable, state: dict[str, Any]) -> Outcome:
        """The outcome that `to_dict` described."""
        models = {name: Compared(**found) for name, found in state["models"].items()}
        return Outcome(table, state["shape"], state["meaning"], state["loss"], models)

    @property
    def right(self) -> bool:
        """Whether the meaning is one that was written down."""
        return self.meaning in self.table.meanings


# --- one table ---


def ran(table: RealTable, asked: Sequence[str] = MODELS) -> Outcome:
    """Both sides of these models on one table."""
    data = _taken(table)
    models = {}
    for model in asked:
        parts = [_part(table, model, data.iloc[train], data.iloc[test]) for train, test in _parts(table, data)]
        models[model] = _compared(table, parts)
        plan = parts[0].study.plan
    return Outcome(table, data.shape, plan.meaning, str(plan.loss), models)


def _taken(table: RealTable) -> pd.DataFrame:
    """The rows with a target, or some of them, without the columns that know the answer."""
    data = table.load()
    known = data[data[table.target].notna()].drop(columns=[*table.exclude])
    return known if len(known) <= MOST_ROWS else known.sample(MOST_ROWS, random_state=0)


def _parts(table: RealTable, data: pd.DataFrame) -> Iterator[tuple[Any, Any]]:
    """The rows to learn from and a fifth that is held out; of few rows two fifths are, one after the other."""
    outcome = table.meanings[0] in ("binary", "classes")
    folds = (StratifiedKFold if outcome else KFold)(5, shuffle=True, random_state=0)
    return islice(folds.split(data, data[table.target] if outcome else None), 2 if len(data) < FEW else 1)


def _part(table: RealTable, model: str, train: pd.DataFrame, test: pd.DataFrame) -> Part:
    study, ours = _ours(table, model, train, test)
    return Part(study, test, ours, _theirs(table, model, study, train, test))


def _ours(table: RealTable, model: str, train: pd.DataFrame, test: pd.DataFrame) -> tuple[gm.Study, Side]:
    costs = None if table.costs is None else gm.Costs(false_negative=table.costs[0], false_positive=table.costs[1])
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("train.csv", "test.csv")]
        for path, rows in zip(paths, (train, test), strict=True):
            rows.to_csv(path, index=False)
        start = time.process_time()
        study = gm.run(paths[0], table.target, test=paths[1], positive=table.positive, costs=costs, model=model)
        seconds = time.process_time() - start
    decisions = None if costs is None else study.model.decide(test)
    return study, Side(study.model.predict(test), seconds, decisions)


def _theirs(table: RealTable, model: str, study: gm.Study, train: pd.DataFrame, test: pd.DataFrame) -> Side:
    features = _features(train.drop(columns=table.target))
    outcome = bool(study.plan.labels)
    pipeline = _PEERS[model, outcome](features)
    y = _coded(study, train[table.target])
    start = time.process_time()
    pipeline.fit(features, y)
    seconds = time.process_time() - start
    new = _features(test.drop(columns=table.target))[features.columns]
    if not outcome:
        return Side(np.maximum(pipeline.predict(new), _least(study, y)), seconds)
    shares = pipeline.predict_proba(new)
    binary = shares.shape[1] == 2
    return Side(shares[:, 1] if binary else shares, seconds, shares[:, 1] >= 0.5 if binary else None)


def _least(study: gm.Study, y: Any) -> float:
    """The least prediction that the loss can measure and that rows suggest."""
    domain = study.plan.represents
    return float(y[y > 0].min()) if getattr(domain, "low", -np.inf) == 0 else -np.inf


def _coded(study: gm.Study, values: pd.Series) -> Any:
    """A target as losses take it."""
    if not study.plan.labels:
        return values.to_numpy(dtype=float)
    place = {str(label): code for code, label in enumerate(study.plan.labels)}
    texts = [str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]
    return np.array([place[text] for text in texts])


def _compared(table: RealTable, parts: list[Part]) -> Compared:
    loss = parts[0].study.plan.loss
    y = np.concatenate([part.y(table) for part in parts])
    both = tuple(
        np.concatenate([side.predictions for side in sides]) for sides in zip(*(p.sides for p in parts), strict=True)
    )
    least = _perfect(parts[0].study, y)
    losses = tuple(gm.risk(loss, y, prediction=predictions).value - least for predictions in both)
    found = gm.compare(loss, y, prediction=both)
    scale = losses[1] or 1.0
    seconds = tuple(np.mean([part.sides[k].seconds for part in parts]) for k in range(2))
    costs = None if table.costs is None else _costs_of(table, parts)
    return Compared(losses, found.low / scale, found.high / scale, seconds, costs)


def _perfect(study: gm.Study, y: Any) -> float:
    """What a perfect prediction costs, which losses of amounts count from."""
    if study.plan.labels:
        return 0.0
    least = 1e-9 * y[y > 0].min() if _least(study, y) > 0 else -np.inf
    return gm.risk(study.plan.loss, y, prediction=np.maximum(y, least)).value


def _costs_of(table: RealTable, parts: list[Part]) -> tuple[float, float]:
    """What the decisions of either side cost a row."""
    each = [np.concatenate([part.costs(table)[k] for part in parts]).mean() for k in range(2)]
    return float(each[0]), float(each[1])


# --- scikit-learn's pipelines ---


def _features(data: pd.DataFrame) -> pd.DataFrame:
    """What peers can use: no names of rows, no texts that are nearly all different, dates as days."""
    found = {name: _feature(values) for name, values in data.items() if name != "rownames"}
    return pd.DataFrame({name: values for name, values in found.items() if values is not None})


def _feature(values: pd.Series) -> pd.Series | None:
    if pd.api.types.is_numeric_dtype(values):
        return values
    if _is_date(values):
        return pd.to_datetime(values).map(pd.Timestamp.toordinal)
    if values.nunique() > len(values) / 2:
        return None
    return values.astype(object).where(values.notna(), "missing").astype(str)


def _is_date(values: pd.Series) -> bool:
    return bool(values.astype(str).str.match(r"\d{4}-\d\d-\d\d").all())


def _kinds(features: pd.DataFrame) -> tuple[list[str], list[str]]:
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    return [name for name in features if name not in texts], texts


def _linear(final: Any) -> Callable[[pd.DataFrame], Any]:
    def made(features: pd.DataFrame) -> Any:
        numbers, texts = _kinds(features)
        return make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=40), texts),
            ),
            final,
        )

    return made


def _trees(kind: Any) -> Callable[[pd.DataFrame], Any]:
    def made(features: pd.DataFrame) -> Any:
        numbers, texts = _kinds(features)
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
        return make_pipeline(
            make_column_transformer((codes, texts), ("passthrough", numbers)),
            kind(categorical_features=[k < len(texts) for k in range(features.shape[1])], random_state=0),
        )

    return made


_PEERS = {
    ("linear", True): _linear(LogisticRegressionCV(Cs=10, max_iter=2000, scoring="neg_log_loss")),
    ("linear", False): _linear(RidgeCV(np.logspace(-3, 4, 15))),
    ("boosting", True): _trees(HistGradientBoostingClassifier),
    ("boosting", False): _trees(HistGradientBoostingRegressor),
}


# --- the page ---


def page(found: Iterable[Outcome]) -> str:
    """The page of all outcomes."""
    outcomes = list(found)
    return "\n".join(
        [HEAD.format(count=len(outcomes)), _summary(outcomes), *_why(outcomes), *_losses(outcomes), *_costs(outcomes)]
    )


def _summary(outcomes: list[Outcome]) -> str:
    lines = [f"- meaning right: {sum(o.right for o in outcomes)} of {len(outcomes)}"]
    for model in MODELS:
        words = [o.models[model].word for o in outcomes]
        lines.append(f"- {model}: clearly worse {words.count('worse')}, clearly better {words.count('better')}")
        costs = [c for o in outcomes if (c := o.models[model].costs) is not None]
        less = [ours <= 0.9 * theirs for ours, theirs in costs]
        lines.append(f"- {model}, costs: a tenth less or better on {sum(less)} of {len(less)} tables with costs")
    return "\n".join([*lines, ""])


# Why one of ours is clearly worse, as far as trials tell.
WHY: dict[str, str] = {}


def _why(outcomes: list[Outcome]) -> list[str]:
    """What is known of those that are clearly worse."""
    worse = [o.table.name for o in outcomes if any(each.word == "worse" for each in o.models.values())]
    lines = [f"- {name}: {WHY.get(name, 'not known')}" for name in worse]
    return ["## Clearly worse, and why", "", *lines, ""] if worse else []


def _losses(outcomes: list[Outcome]) -> list[str]:
    head = ["## Meanings and held-out losses", ""]
    head += [
        "| table | of | target | rows | meaning | loss | linear | logistic, ridge | boosting | histogram trees | seconds |"
    ]
    return [*head, "|---" * 11 + "|", *map(_row, outcomes), ""]


def _row(one: Outcome) -> str:
    meaning = one.meaning if one.right else f"**{one.meaning}**, not {one.table.meanings[0]}"
    cells = [one.table.name, one.table.package, one.table.target, f"{one.shape[0]:,}", meaning, f"`{one.loss}`"]
    for model in MODELS:
        m = one.models[model]
        word = f" **{m.word}**" if m.word else ""
        cells += [f"{m.losses[0]:.4g} [{100 * m.low:+.1f}, {100 * m.high:+.1f}] %{word}", f"{m.losses[1]:.4g}"]
    cells.append(", ".join("{:.1f} / {:.1f}".format(*m.seconds) for m in one.models.values()))
    return f"| {' | '.join(cells)} |"


def _costs(outcomes: list[Outcome]) -> list[str]:
    """The costs a row of our decisions, and of the peers' cut at one half."""
    head = ["## Costs a row", "", "Decisions by the costs beside those of the peers, who cut at one half.", ""]
    head += [
        "| table | missed, needless | linear | logistic | boosting | histogram trees |",
        "|---|---|---|---|---|---|",
    ]
    return [*head, *(_cost_row(one) for one in outcomes if one.table.costs is not None), ""]


def _cost_row(one: Outcome) -> str:
    assert one.table.costs is not None
    cells = [one.table.name, "{:g}, {:g}".format(*one.table.costs)]
    for model in MODELS:
        ours, theirs = one.models[model].costs or (np.nan, np.nan)
        cells += [f"{ours:.4g} ({100 * (ours / theirs - 1) if theirs else 0:+.0f} %)", f"{theirs:.4g}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = ArgumentParser(description="Run real tables, and write the page.")
    parser.add_argument("names", nargs="*", help="which tables; without one, all of them")
    parser.add_argument("--kept", metavar="FILE", help="where outcomes are kept, so that a run that stopped goes on")
    given = parser.parse_args()
    asked, kept = given.names, None if given.kept is None else Path(given.kept)
    held = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    wanted = [table for table in TABLES if not asked or table.name in asked]
    for unknown in set(asked) - {table.name for table in wanted}:
        parser.error(f"there is no table {unknown}: there are {', '.join(table.name for table in TABLES)}")
    found = []
    for table in wanted:
        key = f"{table.name}: {table.target}"
        if key not in held:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                held[key] = ran(table).to_dict()
            if kept is not None:
                kept.write_text(json.dumps(held))
        found.append(Outcome.from_dict(table, held[key]))
        print(
            _row(found[-1]), *(_cost_row(o) for o in found[-1:] if o.table.costs), sep="\n", file=sys.stderr, flush=True
        )
    if not asked:
        PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
