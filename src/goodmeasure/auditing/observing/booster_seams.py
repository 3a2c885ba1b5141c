"""What a program trains and predicts with the functions of XGBoost and LightGBM themselves: on which tables, stopped by which."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any

from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.evidence.workflow import COMPARED, Fit, Output
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.sklearn_seams import Calls, stops_early

_HOLDERS = {"xgboost": ("DMatrix", "QuantileDMatrix"), "lightgbm": ("Dataset",)}
_ROUNDS = ("early_stopping_rounds", "early_stopping_round", "early_stopping", "n_iter_no_change")


class Tables:
    """The tables behind the containers of a booster, which give nothing back of what they were made of."""

    def __init__(self) -> None:
        self._behind: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def remember(self, container: Any, table: Any) -> None:
        """Note what a container was made of, where it is small enough to be compared."""
        if len(getattr(table, "shape", ())) > 0 and table.shape[0] <= COMPARED:
            self._behind[container] = table

    def of(self, data: Any) -> Any:
        """The table behind a container; anything else is a table itself."""
        held = type(data).__name__ in {name for names in _HOLDERS.values() for name in names}
        return self._behind.get(data, data) if held else data


def install(module: str, seams: Seams, calls: Calls) -> None:
    """Watch what a library trains, and what its boosters predict."""
    library, tables = sys.modules[module], Tables()
    for name in _HOLDERS[module]:
        seams.replace(getattr(library, name), "__init__", partial(_make_container, tables))
    seams.replace(library, "train", partial(_make_train, module, calls, tables))
    seams.replace(library.Booster, "predict", partial(_make_predict, calls, tables))


def _make_container(tables: Tables, run: Any) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        run(self, *args, **kwargs)
        tables.remember(self, args[0] if args else kwargs.get("data"))

    return __init__


def _make_train(module: str, calls: Calls, tables: Tables, run: Any) -> Any:
    def train(params: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        if not calls.outermost():
            return run(params, data, *args, **kwargs)
        where = user_line()
        booster = calls.within(lambda: run(params, data, *args, **kwargs))
        stopping = tuple(map(tables.of, _stopping(module, params, data, [*args], kwargs)))
        calls.note(Fit(booster, tables.of(data), _label(data), None, where, stopping))
        return booster

    return train


def _make_predict(calls: Calls, tables: Tables, run: Any) -> Any:
    def predict(self: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        if not calls.outermost():
            return run(self, data, *args, **kwargs)
        where = user_line()
        result = calls.within(lambda: run(self, data, *args, **kwargs))
        calls.note(Output(self, "predict", tables.of(data), result, where))
        return result

    return predict


def _label(data: Any) -> Any:
    label = getattr(data, "label", None)
    return data.get_label() if label is None else label


def _stopping(module: str, params: Any, data: Any, args: list[Any], given: dict[str, Any]) -> list[Any]:
    """What decides when a training stops: the last table of XGBoost, the tables of LightGBM that it is not fitted on."""
    settings = params if isinstance(params, Mapping) else {}
    rounds = given.get("early_stopping_rounds") or any(settings.get(name) for name in _ROUNDS)
    if not rounds and not stops_early(given.get("callbacks")):
        return []
    if module == "xgboost":
        return [pair[0] for pair in given.get("evals") or (args[1] if len(args) > 1 else ())][-1:]
    shown = given.get("valid_sets") or (args[1] if len(args) > 1 else ())
    tables = list(shown) if isinstance(shown, (list, tuple)) else [shown]
    return [table for table in tables if table is not data] or tables
