"""Says what good means in one formula, and derives the rest: the signal, the activation, the kernels, the decision.

Everything public is loaded when it is first used, so that ``import goodmeasure`` brings in next to nothing.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    # The public names and where each is defined: type checkers read this block, and so does `_homes` below.
    from goodmeasure import losses as losses
    from goodmeasure import words as words
    from goodmeasure.auditing.engine import audit as audit
    from goodmeasure.auditing.watching import watch as watch
    from goodmeasure.calibrating.calibration import calibration as calibration
    from goodmeasure.calibrating.recalibration import recalibrate as recalibrate
    from goodmeasure.checking.checks import check as check
    from goodmeasure.choosing.choose import choose as choose
    from goodmeasure.choosing.plan import Plan as Plan
    from goodmeasure.decisions.comparing import compare_costs as compare_costs
    from goodmeasure.decisions.comparing import decision_cost as decision_cost
    from goodmeasure.decisions.costs import ClassCosts as ClassCosts
    from goodmeasure.decisions.costs import Costs as Costs
    from goodmeasure.decisions.costs import UnderOverCosts as UnderOverCosts
    from goodmeasure.decisions.costs import bayes_act as bayes_act
    from goodmeasure.decisions.decision import decide as decide
    from goodmeasure.decisions.tailoring import tailored as tailored
    from goodmeasure.deriving.algebra import weighted as weighted
    from goodmeasure.deriving.choice_sets import choice_sets as choice_sets
    from goodmeasure.engines.linear import fit_linear as fit_linear
    from goodmeasure.engines.tallied import tally as tally
    from goodmeasure.explaining.means import explain_mean as explain_mean
    from goodmeasure.fitting.fit import LossClassifier as LossClassifier
    from goodmeasure.fitting.fit import LossRegressor as LossRegressor
    from goodmeasure.formulas.domains import Binary as Binary
    from goodmeasure.formulas.domains import Classes as Classes
    from goodmeasure.formulas.domains import Count as Count
    from goodmeasure.formulas.domains import Fraction as Fraction
    from goodmeasure.formulas.domains import Grade as Grade
    from goodmeasure.formulas.domains import Level as Level
    from goodmeasure.formulas.domains import NonNegative as NonNegative
    from goodmeasure.formulas.domains import Outcome as Outcome
    from goodmeasure.formulas.domains import Positive as Positive
    from goodmeasure.formulas.domains import Real as Real
    from goodmeasure.formulas.domains import UnitInterval as UnitInterval
    from goodmeasure.frameworks.catboost import to_catboost as to_catboost
    from goodmeasure.frameworks.jax import to_jax as to_jax
    from goodmeasure.frameworks.keras import to_keras as to_keras
    from goodmeasure.frameworks.lightgbm import to_lightgbm as to_lightgbm
    from goodmeasure.frameworks.polars import to_polars as to_polars
    from goodmeasure.frameworks.sklearn import to_sklearn as to_sklearn
    from goodmeasure.frameworks.sklearn_boosting import to_hist_gradient_boosting as to_hist_gradient_boosting
    from goodmeasure.frameworks.sklearn_deciding import CostSensitiveClassifier as CostSensitiveClassifier
    from goodmeasure.frameworks.sklearn_deciding import CostSensitiveRegressor as CostSensitiveRegressor
    from goodmeasure.frameworks.sklearn_displays import CalibrationDisplay as CalibrationDisplay
    from goodmeasure.frameworks.sklearn_displays import DecisionDisplay as DecisionDisplay
    from goodmeasure.frameworks.sklearn_displays import LossDisplay as LossDisplay
    from goodmeasure.frameworks.sql import to_sql as to_sql
    from goodmeasure.frameworks.torch import to_torch as to_torch
    from goodmeasure.frameworks.torch import torch_loss as torch_loss
    from goodmeasure.frameworks.torch_denominators import global_denominator as global_denominator
    from goodmeasure.frameworks.torch_linear import linear_loss as linear_loss
    from goodmeasure.frameworks.torch_partitions import assert_partition_invariant as assert_partition_invariant
    from goodmeasure.frameworks.xgboost import to_xgboost as to_xgboost
    from goodmeasure.making.definition import loss as loss
    from goodmeasure.making.loss import Loss as Loss
    from goodmeasure.monitoring.monitor import monitor as monitor
    from goodmeasure.report import write_report as write_report
    from goodmeasure.report.mlflow import log_mlflow as log_mlflow
    from goodmeasure.risks.ensembles import compare_ensembles as compare_ensembles
    from goodmeasure.risks.ensembles import ensemble_crps as ensemble_crps
    from goodmeasure.risks.risk import compare as compare
    from goodmeasure.risks.risk import gap as gap
    from goodmeasure.risks.risk import risk as risk
    from goodmeasure.signals.observed import signal as signal
    from goodmeasure.statistics.estimate import Estimate as Estimate
    from goodmeasure.study.elsewhere import reweigh as reweigh
    from goodmeasure.study.model import Model as Model
    from goodmeasure.study.model import load as load
    from goodmeasure.study.run import run as run
    from goodmeasure.study.study import Study as Study
    from goodmeasure.tallying.tally import Tally as Tally

    # How many threads kernels use: set it as goodmeasure.threads = 2. It starts at OMP_NUM_THREADS, or the cores there are.
    threads: int


@cache
def _homes() -> dict[str, str]:
    """Where each public name is defined, read from the imports above: there is no second list."""
    import ast
    from pathlib import Path

    found: dict[str, str] = {}
    page = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in page.body if isinstance(node, ast.If))
    for node in block.body:
        if isinstance(node, ast.ImportFrom):
            found.update({alias.name: node.module or "" for alias in node.names})
    return found


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext goodmeasure`` runs in a notebook: from then on ``%%audit`` audits a cell."""
    from goodmeasure.auditing.observing.magic import load

    load(shell)


class _Facade(ModuleType):
    """The package as a module whose public names are loaded on first use."""

    @property
    def threads(self) -> int:
        """How many threads kernels use; results do not change by it."""
        from goodmeasure.kernels.threads import get_threads

        return get_threads()

    @threads.setter
    def threads(self, count: int) -> None:
        from goodmeasure.kernels.threads import set_threads

        set_threads(count)

    def __getattr__(self, name: str) -> Any:
        home = _homes().get(name)
        if home is None:
            return _added(name)
        try:
            found = import_module(f"{home}.{name}") if home == __name__ else getattr(import_module(home), name)
        except ModuleNotFoundError as missing:
            from goodmeasure.strict.extras import missing_extra

            raise missing_extra(f"goodmeasure.{name}", str(missing.name).split(".")[0]) from missing
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        return sorted({*_homes(), *_hosts_added(), "__version__", "threads"})


def _hosts_added() -> dict[str, Any]:
    """What leads to the hosts that other packages add, by the name of the function, such as ``to_paddle``."""
    from goodmeasure.strict.additions import HOSTS, additions

    return {entry.name: entry for entry in additions(HOSTS, taken=_homes())}


def _added(name: str) -> Any:
    """The function of another package that makes a loss of another host."""
    found = _hosts_added().get(name) if name.startswith("to_") else None
    if found is None:
        raise AttributeError(f"goodmeasure has no {name}")
    from goodmeasure.strict.additions import added

    return added(found)


sys.modules[__name__].__class__ = _Facade
