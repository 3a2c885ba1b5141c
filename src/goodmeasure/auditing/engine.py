"""Run every rule over the evidence of one case."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from goodmeasure.auditing.case import SPENT, Case, Dossier, Unavailable, framework_of
from goodmeasure.auditing.evidence import kind
from goodmeasure.auditing.finding import FAILED, SEVERITIES, Audit, Finding, Severity, Skipped
from goodmeasure.auditing.isolate import untouched
from goodmeasure.auditing.rule import Rule, all_rules
from goodmeasure.errors import UsageError
from goodmeasure.strict.calls import strict_keywords


@strict_keywords
def audit(
    *,
    model: Any = None,
    loss: Any = None,
    inputs: Any = None,
    targets: Any = None,
    step: Callable[..., Any] | None = None,
    optimizer: Any = None,
    task: str | None = None,
    framework: str | None = None,
    terms: Mapping[str, Callable[..., Any]] | None = None,
    mask: Any = None,
    decide: Callable[..., Any] | None = None,
    threshold: float | None = None,
    score: Callable[..., Any] | None = None,
    serve: Callable[..., Any] | None = None,
    raw: Any = None,
    estimator: Any = None,
    X: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    fit: Callable[[], Any] | None = None,
    objective: Any = None,
    params: Mapping[str, Any] | None = None,
    output: Any = None,
    output_kind: str | None = None,
    probability: Any = None,
    metric: Any = None,
    costs: Mapping[str, float] | None = None,
    offset: Any = None,
    outputs: Any = None,
    grad: Callable[..., Any] | None = None,
    train: Callable[[], Any] | None = None,
    budget_s: float = 10.0,
) -> Audit:
    """Find what is wrong between a model, its output, its loss, its targets, its training step and its decision.

    Every argument may be absent; what is absent is not audited, and the report says so. Everything runs on copies:
    parameters, buffers, gradients, modes and random states are afterwards what they were.

    Args:
        model: the model in training (torch or Keras), or any callable that gives outputs.
        loss: called as ``loss(output, targets)``.
        inputs: one batch: a tensor, a tuple (``model(*inputs)``) or a dict (``model(**inputs)``).
        targets: what the loss compares the output with, one entry an example.
        step: your training step, called as ``step(model, loss, inputs, targets, optimizer)``.
        optimizer: the optimizer of the step.
        task: what the output is for: "binary", "multiclass", "multilabel", "regression", "count", "quantile", "gan", ...
            More is looked at where it is known.
        framework: "torch", "keras", "sklearn", "lightgbm", "xgboost" or "numpy"; read from the types unless given.
        terms: the terms of a compound loss by name, each called with the output.
        mask: which entries of the targets count, of their shape: True, or 1, where they do.
        decide: called with the output, gives the labels that are acted on.
        threshold: the probability from which ``decide`` is meant to say yes.
        score: the metric that you compute, called as ``score(targets, outputs)``.
        serve: the deployed prediction, called with the inputs.
        raw: the targets before preprocessing, one entry an example.
        estimator: a fitted estimator or booster (scikit-learn, LightGBM, XGBoost).
        X: the rows to predict, (n, features).
        y: their targets, (n,).
        sample_weight: the weights that the estimator was fitted with, (n,).
        fit: called without arguments, fits and returns the estimator, where there is none yet.
        objective: a custom objective of a booster, in the booster's own convention.
        params: what the booster was given besides.
        output: what the program uses as its output for ``X``: an array, or a function of ``X``.
        output_kind: what that output is taken for: "probability", "label", "score", "mean", "quantile", ...
        probability: probabilities behind the labels, where the output is labels: an array, or a function of ``X``.
        metric: the metric that is reported, as a function.
        costs: what errors cost: ``{"fp": 1.0, "fn": 20.0}``.
        offset: the logarithm of the exposure of each row, (n,).
        outputs: raw outputs of a program without a framework.
        grad: its hand-written gradient, called as ``grad(outputs, targets)``.
        train: its training loop, called without arguments, gives the list of its losses.
        budget_s: the seconds after which no further evidence is gathered.

    Returns:
        An `Audit`: findings (worst first), the rules that passed, and those that did not apply, each with its reason.

    Raises:
        GM009: there is no such keyword, or nothing was given.

    Example:
        >>> import goodmeasure as gm, torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
        >>> x, y = torch.randn(9, 4), torch.arange(9) % 3
        >>> found = gm.audit(model=model, loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y)
        >>> print(found.findings[0].code, found.findings[0].title)
        GM102 softmax is applied twice
    """
    given = {
        "model": model,
        "loss": loss,
        "inputs": inputs,
        "targets": targets,
        "step": step,
        "optimizer": optimizer,
        "task": task,
        "framework": framework,
        "terms": terms,
        "mask": mask,
        "decide": decide,
        "threshold": threshold,
        "score": score,
        "serve": serve,
        "raw": raw,
        "estimator": estimator,
        "X": X,
        "y": y,
        "sample_weight": sample_weight,
        "fit": fit,
        "objective": objective,
        "params": params,
        "output": output,
        "output_kind": output_kind,
        "probability": probability,
        "metric": metric,
        "costs": costs,
        "offset": offset,
        "outputs": outputs,
        "grad": grad,
        "train": train,
    }
    if all(given[name] is None for name in given.keys() - {"task", "framework"}):
        raise UsageError("there is nothing to audit", fix="gm.audit(model=..., loss=..., inputs=..., targets=...)")
    if model is not None:  # the names of scikit-learn are understood beside a model too
        given["inputs"] = X if inputs is None else inputs
        given["targets"] = y if targets is None else targets
    found = examine(given, all_rules(), budget_s)
    few = not found.findings and len(found.passed) < _FEW
    return replace(found, not_seen=(*found.not_seen, *_unasked(found.not_applicable, given))) if few else found


# Rules that passed, below which "nothing found" says little, and what was not handed over is told.
_FEW = 5
_LACKING = re.compile(r"no (?:fitted )?(\w+) given")


def _unasked(skipped: Iterable[Skipped], given: Mapping[str, Any]) -> Iterator[str]:
    """What rules were not asked for want of: arguments, the most wanted first, and time."""
    reasons = [one.reason for one in skipped]
    lacks = Counter(found[1] for reason in reasons if (found := _LACKING.fullmatch(reason)) and found[1] in given)
    if lacks:
        named = ", ".join(f"{count} {name}=" for name, count in lacks.most_common())
        yield f"what rules see in arguments that were not given ({named}); hand over what there is of these"
    late = sum(reason.startswith(SPENT) for reason in reasons)
    if late:
        yield f"what {late} rules look for, as the time was spent; give more by budget_s= (--budget)"


def examine(given: dict[str, Any], chosen: Iterable[Rule], budget_s: float) -> Audit:
    """Apply some rules to a case; what :func:`audit` does with all of them."""
    chosen = list(chosen)
    _load(chosen)
    dossier = Dossier(Case(framework_of(given), given), budget_s)
    report = _Report()
    with untouched(given.get("model"), given.get("loss")), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in chosen:
            report.apply(one, dossier)
    report.keep_causes(chosen)
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    worst_last = sorted(report.findings, key=lambda f: -order[f.severity])
    unique = {(f.code, f.where): f for f in worst_last}.values()
    ranked = sorted(unique, key=lambda f: (order[f.severity], f.code))
    found = {f.code for f in ranked}
    passed = tuple(code for code in dict.fromkeys(report.passed) if code not in found)
    return Audit(tuple(ranked), passed, tuple(report.skipped), _subject(given), dossier.spent(), dossier.gathered)


def _load(rules: Iterable[Rule]) -> None:
    """Bring in what gathers the evidence, and its framework, before the time of the audit begins: it may take seconds."""
    for name in {need.kind for one in rules for need in one.needs.values()}:
        with suppress(Unavailable, UsageError):  # which the rule tells that asks for it
            kind(name)


@dataclass
class _Report:
    """What the rules said so far."""

    findings: list[Finding] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def keep_causes(self, rules: Iterable[Rule]) -> None:
        """Report the first cause alone: what follows from another finding is skipped, and lends it its severity."""
        causes = {one.code: one.follows for one in rules}
        found = {f.code for f in self.findings}
        for effect in [f for f in self.findings if found & {*causes[f.code]}]:
            cause = next(code for code in causes[effect.code] if code in found)
            self.findings.remove(effect)
            self.findings = [_at_least(f, effect.severity) if f.code == cause else f for f in self.findings]
            self.skipped.append(Skipped(effect.code, f"what it sees follows from {cause}"))

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


def _at_least(finding: Finding, severity: Severity) -> Finding:
    return (
        finding
        if SEVERITIES.index(finding.severity) <= SEVERITIES.index(severity)
        else replace(finding, severity=severity)
    )


def _evidence(one: Rule, dossier: Dossier) -> dict[str, Any]:
    return {
        name: dossier.get(kind(need.kind)) if need.required else dossier.find(kind(need.kind))
        for name, need in one.needs.items()
    }


def _subject(given: dict[str, Any]) -> str:
    subject = given.get("model") if given.get("model") is not None else given.get("estimator")
    return type(subject).__name__ if subject is not None else ""
