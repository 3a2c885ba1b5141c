"""Run every rule over the evidence of one case."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from goodmeasure.auditing.case import Case, Dossier, Unavailable, framework_of
from goodmeasure.auditing.evidence import kind
from goodmeasure.auditing.finding import SEVERITIES, Audit, Finding, Skipped
from goodmeasure.auditing.isolate import untouched
from goodmeasure.auditing.rule import Rule, all_rules


def audit(
    *,
    model: Any = None,
    loss: Any = None,
    inputs: Any = None,
    targets: Any = None,
    step: Any = None,
    optimizer: Any = None,
    task: str | None = None,
    budget_s: float = 10.0,
    **more: Any,
) -> Audit:
    """What is wrong between a model, its output, its loss, its targets, its training step and its decision.

    Every argument may be absent; what is absent is not audited, and the report says so. ``inputs`` is a tensor, a tuple
    (``model(*inputs)``) or a dict (``model(**inputs)``); ``loss(output, targets)`` and
    ``step(model, loss, inputs, targets, optimizer)`` are called on copies: parameters, buffers, gradients, modes and
    random
    states are afterwards what they were. ``more`` holds what only some programs have: ``framework``, ``terms``,
    ``mask``,
    ``decide``, ``threshold``, ``score``, ``serve``, ``raw``, ``estimator``, ``X``, ``y``, ``sample_weight``,
    ``objective``,
    ``params``, ``fit``, ``output``, ``output_kind``, ``metric``, ``costs``, ``probability``, ``offset``, ``grad``,
    ``train``
    and ``outputs``. ``budget_s`` bounds the seconds after which no further evidence is gathered.
    """
    named = {
        "model": model,
        "loss": loss,
        "inputs": inputs,
        "targets": targets,
        "step": step,
        "optimizer": optimizer,
        "task": task,
    }
    return examine(named | more, all_rules(), budget_s)


def examine(given: dict[str, Any], chosen: Iterable[Rule], budget_s: float) -> Audit:
    """Apply some rules to a case; what :func:`audit` does with all of them."""
    dossier = Dossier(Case(framework_of(given), given), budget_s)
    report = _Report()
    with untouched(given.get("model"), given.get("loss")), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in chosen:
            report.apply(one, dossier)
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    worst_last = sorted(report.findings, key=lambda f: -order[f.severity])
    unique = {(f.code, f.where): f for f in worst_last}.values()
    ranked = sorted(unique, key=lambda f: (order[f.severity], f.code))
    found = {f.code for f in ranked}
    passed = tuple(code for code in dict.fromkeys(report.passed) if code not in found)
    return Audit(tuple(ranked), passed, tuple(report.skipped), _subject(given), dossier.spent())


FAILED = "the check itself failed"


@dataclass
class _Report:
    """What the rules said so far."""

    findings: list[Finding] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def apply(self, one: Rule, dossier: Dossier) -> None:
        """Gather what a rule needs and note what it says."""
        try:
            seen = list(one.check(**_evidence(one, dossier)))
        except Unavailable as reason:
            self.skipped.append(Skipped(one.code, str(reason)))
            return
        except Exception as error:  # a program that no rule foresaw: this rule is skipped, and the report says so
            self.skipped.append(Skipped(one.code, f"{FAILED}: {type(error).__name__}: {error}"))
            return
        self.findings += [one.finding(part) for part in seen]
        if not seen:
            self.passed.append(one.code)


def _evidence(one: Rule, dossier: Dossier) -> dict[str, Any]:
    return {
        name: dossier.get(kind(need.kind)) if need.required else dossier.find(kind(need.kind))
        for name, need in one.needs.items()
    }


def _subject(given: dict[str, Any]) -> str:
    subject = given.get("model") if given.get("model") is not None else given.get("estimator")
    return type(subject).__name__ if subject is not None else ""
