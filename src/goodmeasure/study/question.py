"""What is asked of a table: the target, what errors cost, and how rows belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from goodmeasure.choosing.deciding import AnyCosts
from goodmeasure.choosing.plan import Outliers
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.decisions.floors import Floor
from goodmeasure.errors import UsageError, shorter
from goodmeasure.losses import find
from goodmeasure.making.loss import Loss
from goodmeasure.reading.recognition import ANSWERS, Written
from goodmeasure.reading.tables import Table
from goodmeasure.study.column_costs import COLUMN, ColumnCosts
from goodmeasure.study.elsewhere import Shift
from goodmeasure.study.label_costs import LabelCosts, is_of_labels, label_costs

MODELS = {
    "linear": "a linear model",
    "boosting": "boosted trees of scikit-learn",
    "xgboost": "boosted trees of XGBoost",
    "lightgbm": "boosted trees of LightGBM",
    "catboost": "boosted trees of CatBoost",
    "network": "a network",
}
"""What can be trained, with how it is called in a sentence."""
PROTOCOLS = ("auto", "holdout", "folds")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a run is asked: the column to predict, what errors cost, what is asked for, and the columns with a role.

    The fields are keywords of `run`, which says what each means and what it is unless given.
    """

    target: str
    positive: Any
    costs: AnyCosts | LabelCosts | ColumnCosts | None
    ask: str | None
    represents: str | None
    activation: str | None
    outliers: Outliers | None
    metric: str | None
    weights: str | None
    exposure: str | None
    group: str | None
    time: str | None
    learn_time: bool
    exclude: tuple[str, ...]
    loss: Loss | None
    model: str
    floors: tuple[Floor, ...]
    budget: int | None
    protocol: str
    conformal: bool | None
    seed: int
    rare_classes: str | None
    decimal: str | None
    dates: str | None
    prevalence: float | None
    shift: tuple[Shift, ...]
    like: str | None
    by: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise UsageError(f"there is no model {self.model!r}", fix=f"--model {' or --model '.join(MODELS)}")
        if self.protocol not in PROTOCOLS:
            raise UsageError(
                f"there is no protocol {self.protocol!r}", fix=f"--protocol {' or --protocol '.join(PROTOCOLS)}"
            )
        for name, answers in {**ANSWERS, "rare_classes": ("together", "drop")}.items():
            if getattr(self, name) not in (None, *answers):
                raise UsageError(
                    f"{name}={getattr(self, name)!r} is no answer",
                    fix=f"{name}={answers[0]!r} or {name}={answers[1]!r}",
                )
        if self.protocol == "folds" and self.time is not None:
            raise UsageError(
                "rows in order of time are judged by the latest: folds would learn from the future",
                fix="leave out --protocol folds",
            )
        named = [name for name in self.roles.values() if name is not None]
        for name in {n for n in named if named.count(n) > 1}:
            roles = " and ".join(role for role, column in self.roles.items() if column == name)
            raise UsageError(f"column {name!r} cannot be {roles} at once", fix="give each role its own column")
        if self.learn_time and self.time is None:
            raise UsageError("no time is named that could be learned from", fix="time='day', learn_time=True")
        if self.budget is not None and not self.budget >= 1:
            raise UsageError(f"a budget of {self.budget} rows acts on none", fix="budget=200")
        if self.target in self.cost_columns:
            raise UsageError(f"the target {self.target!r} cannot say what mistakes cost", fix="another column")
        if self.target in self.exclude:
            raise UsageError(f"the target {self.target!r} is excluded", fix=f"leave out --exclude {self.target}")

    def settled(self, labels: tuple[Any, ...]) -> Question:
        """The question with costs of the labels of its target, where they were named by label."""
        costs = self.costs
        return replace(self, costs=costs.settled(labels)) if isinstance(costs, LabelCosts) else self

    @property
    def roles(self) -> dict[str, str | None]:
        """The columns that have a role, by role."""
        names = ("target", "weights", "exposure", "group", "time")
        return {name: getattr(self, name) for name in names}

    @property
    def leaves_form_open(self) -> bool:
        """Whether nobody said how effects and errors go with the mean: by a loss, an activation or an exposure."""
        return self.loss is None and self.activation is None and self.exposure is None

    @property
    def cost_columns(self) -> tuple[str, ...]:
        """The columns that say what mistakes cost in each row."""
        return self.costs.columns if isinstance(self.costs, ColumnCosts) else ()

    def costs_of(self, table: Table) -> Costs | None:
        """What mistakes cost in each row of a table; None where it is the same in all, or nobody said. Error: GM713."""
        return self.costs.of(table) if isinstance(self.costs, ColumnCosts) else None

    @property
    def aims(self) -> bool:
        """Whether a floor must be kept, or only so many rows can be acted on."""
        return bool(self.floors) or self.budget is not None

    @property
    def written(self) -> Written:
        """What was said of how cells are written."""
        return Written(self.decimal, self.dates)

    @property
    def number_columns(self) -> list[str]:
        """Columns that must hold numbers wherever they hold mostly numbers."""
        named = (self.target, self.weights, self.exposure, *self.cost_columns)
        return [name for name in named if name is not None]

    def checked(self, table: Table) -> None:
        """Refuse names that the table does not have."""
        for name in [
            *filter(None, self.roles.values()),
            *self.cost_columns,
            *self.exclude,
            *self.by,
            *(shift.column for shift in self.shift),
        ]:
            table[name]

    def to_dict(self) -> dict[str, Any]:
        """The question as plain values, ready for JSON."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        loss = None if self.loss is None else str(self.loss)
        return {
            **found,
            "floors": list(map(str, self.floors)),
            "loss": loss,
            "shift": list(map(str, self.shift)),
            "costs": None if self.costs is None else self.costs.to_dict(),
            "exclude": list(self.exclude),
            "by": list(self.by),
        }


def named_costs(
    given: AnyCosts | Mapping[Any, Any] | LabelCosts | ColumnCosts | None,
) -> AnyCosts | LabelCosts | ColumnCosts | None:
    """Costs as they are, those of pairs of labels, or of outcomes with names of columns. Error: GM009."""
    if not isinstance(given, Mapping):
        return given
    if not any(isinstance(key, str) for key in given):
        return LabelCosts.of(given)
    found = ColumnCosts.named(given)
    return found if found.columns else Costs(**given)


def loss_named(given: Loss | str | None) -> Loss | None:
    """A loss, or the one of the catalogue that has this name. Error: GM009, GM011."""
    if given is None or isinstance(given, Loss):
        return given
    if not isinstance(given, str):
        raise UsageError(f"{shorter(given)} is no loss", fix="loss=gm.losses.huber()")
    return find(given)()


def cost_words(costs: Costs | UnderOverCosts | ColumnCosts | None) -> list[str]:
    """Costs as a command line has them, each ``name=value``; gains of nothing are left out."""
    words = {name: word for word, name in _NAMES.items()}
    given = {} if costs is None else costs.to_dict()
    gains = ("true_positive", "true_negative")
    shown = {name: value if isinstance(value, str) else f"{value:.15g}" for name, value in given.items()}
    return [f"{words.get(name, name)}={shown[name]}" for name, value in given.items() if value or name not in gains]


def costs_from(given: Sequence[str]) -> Costs | UnderOverCosts | LabelCosts | ColumnCosts | None:
    """Costs from what a command line says: fn= and fp= (with tp= and tn=), under= and over=, or cat->dog=3; of fn, fp, tp and tn
    ``@amount`` is what the column amount holds. Error: GM009."""
    if is_of_labels(given):
        return label_costs(given)
    read: dict[str, float | str] = {}
    for part in ",".join(given).split(","):
        if not part.strip():
            continue
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in _NAMES:
            # A shell that reads cat->dog=3 without quotes writes into a file of the name dog=3.
            label = name.removesuffix("-")
            quoted = f"in quotes, so that the shell leaves it alone: --cost '{label}->LABEL=3'"
            raise UsageError(
                f"--cost {part.strip()} names no outcome",
                fix=quoted if label != name else "--cost fn=40 --cost fp=5, or --cost under=3 --cost over=1",
            )
        if name in read:
            raise UsageError(f"--cost {name}= is given twice", seen=", ".join(given), fix=f"--cost {name}={value}")
        read[name] = value.removeprefix(COLUMN) if value.startswith(COLUMN) else _cost(name, value)
    if not read:
        return None
    if any(isinstance(value, str) for value in read.values()):
        return ColumnCosts.named({_NAMES[name]: value for name, value in read.items()})
    if {"fn", "fp"} & set(read):
        return Costs(**_made(Costs, read, ("fn", "fp")))
    if {"under", "over"} & set(read):
        return UnderOverCosts(**_made(UnderOverCosts, read, ("under", "over")))
    raise UsageError("gains alone make no decision: what do errors cost?", fix="--cost fn=40 --cost fp=5 --cost tp=-10")


def _cost(name: str, value: str) -> float:
    """A cost as it was typed. Error: GM009."""
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        what = "number" if math.isnan(found) else "finite cost"
        raise UsageError(f"--cost {name}={value} is not a {what}", fix=f"--cost {name}=5")
    return found


_NAMES = {
    "fn": "false_negative",
    "fp": "false_positive",
    "tp": "true_positive",
    "tn": "true_negative",
    "under": "under",
    "over": "over",
}


def _made(kind: type[Any], read: Mapping[str, Any], needed: tuple[str, str]) -> dict[str, Any]:
    """The arguments of a kind of costs, all of them there and none of the other kind."""
    missing = [name for name in needed if name not in read]
    if missing:
        raise UsageError(f"--cost {missing[0]}= is missing beside {', '.join(read)}", fix=f"--cost {missing[0]}=1")
    known = {f.name for f in fields(kind)}
    strange = [name for name in read if _NAMES[name] not in known]
    if strange:
        raise UsageError(
            f"--cost {strange[0]}= does not go with {' and '.join(needed)}=", fix="fn and fp, or under and over"
        )
    return {_NAMES[name]: value for name, value in read.items()}
