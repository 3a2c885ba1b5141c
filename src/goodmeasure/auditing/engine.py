"""Run every rule over the evidence of one case."""

from __future__ import annotations

import warnings
from typing import Any

from .case import Case, Dossier, Unavailable, framework_of
from .evidence import kind
from .finding import SEVERITIES, Audit, Finding, Skipped
from .isolate import untouched
from .rule import Rule, rules


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
    ``step(model, loss, inputs, targets, optimizer)`` are called on copies: parameters, buffers, gradients, modes and random
    states are afterwards what they were. ``more`` holds what only some programs have: ``framework``, ``terms``, ``mask``,
    ``decide``, ``threshold``, ``score``, ``serve``, ``raw``, ``estimator``, ``X``, ``y``, ``sample_weight``, ``objective``,
    ``params``, ``fit``, ``output``, ``output_kind``, ``metric``, ``costs``, ``probability``, ``offset``, ``grad``, ``train``
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
    given = named | more
    dossier = Dossier(Case(framework_of(given), given), budget_s)
    findings: list[Finding] = []
    passed: list[str] = []
    skipped: list[Skipped] = []
    with untouched(model, loss), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in rules():
            _apply(one, dossier, findings, passed, skipped)
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    unique = {(f.code, f.where): f for f in sorted(findings, key=lambda f: -order[f.severity])}
    ranked = sorted(unique.values(), key=lambda f: (order[f.severity], f.code))
    return Audit(tuple(ranked), tuple(dict.fromkeys(passed)), tuple(skipped), _subject(given), dossier.spent())


def _apply(one: Rule, dossier: Dossier, findings: list[Finding], passed: list[str], skipped: list[Skipped]) -> None:
    try:
        evidence = {}
        for name, need in one.needs.items():
            try:
                evidence[name] = dossier.get(kind(need.kind))
            except Unavailable:
                if need.required:
                    raise
                evidence[name] = None
        seen = list(one.check(**evidence))
    except Unavailable as reason:
        skipped.append(Skipped(one.code, str(reason)))
        return
    except Exception as error:  # a program that no rule foresaw: the rule is skipped, and the report says so
        skipped.append(Skipped(one.code, f"the check itself failed: {type(error).__name__}: {error}"))
        return
    findings.extend(one.finding(part) for part in seen)
    if not seen:
        passed.append(one.code)


def _subject(given: dict[str, Any]) -> str:
    subject = given.get("model") if given.get("model") is not None else given.get("estimator")
    return type(subject).__name__ if subject is not None else ""
