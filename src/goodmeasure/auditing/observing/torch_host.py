"""What the rules say about a torch program, each loss as a case of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.evidence.passes import Passes
from goodmeasure.auditing.evidence.step_run import StepRecord
from goodmeasure.auditing.finding import Audit
from goodmeasure.auditing.observing import loaders, torch_seams
from goodmeasure.auditing.observing.cases import ObservedLoss
from goodmeasure.auditing.observing.judging import BUDGET_S, Judgement, about
from goodmeasure.auditing.observing.scenes import Labelling
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.steps import CalledModule, StepLog
from goodmeasure.auditing.observing.stopping import Cut, Limits
from goodmeasure.auditing.observing.torch_seams import TorchProgram
from goodmeasure.auditing.rule import Rule, all_rules

_UNUSED = ("GM303", "GM410")  # why what a module says teaches nothing is told there
_ON_A_LINE = re.compile(r":\d+ in ")


def begin(limits: Limits, cut: Cut) -> TorchHost:
    """Observe torch from here on."""
    return TorchHost(TorchProgram(limits, cut))


@dataclass
class TorchHost:
    """What was seen of torch."""

    program: TorchProgram

    def install(self, module: str, seams: Seams) -> None:
        """Replace the seams of a module that was imported."""
        if module == "keras":
            torch_seams.leave_to_keras(seams, self.program)
            return
        if module == "torch._dynamo":
            torch_seams.leave_uncompiled(seams)
            return
        torch_seams.install(seams, self.program)
        loaders.install(seams, self.program)

    def targets(self) -> list[Any]:
        """The targets of every loss, where they are one tensor."""
        found = [one.given.get("targets") for one in self.program.seen.values()]
        return [target.detach().cpu().numpy() for target in found if isinstance(target, torch.Tensor)]

    def judge(self, whole: bool) -> Judgement:
        """What the rules say, of a program that came to its end (``whole``) or was stopped."""
        return torch_program(self.program, whole)


def torch_program(program: TorchProgram, whole: bool) -> Judgement:
    """What the rules say about a torch program, which came to its end (``whole``) or was stopped."""
    program.close()
    judged = Judgement()
    learned = [one.learned for one in program.scenes.decisions.values()]
    learned += [one.learned for one in program.scenes.scores.values()]
    decided = {part for parts in learned for part in parts}
    waiting = {id(p) for log in program.logs if not log.steps or _unreached(log, program) for p in log.parameters()}
    for key, one in program.seen.items():
        others = waiting.union(*(reached for other, reached in program.teaches.items() if other != key))
        one.given["taught"] = [name for name, p in one.names.items() if id(p) in others]
        one.given["scored"] = [name for name, p in one.names.items() if id(p) in program.scored | decided]
        judged.looked_at.append(f"{one.where}: {one.what}")
        judged.audits.append(_loss(one, program, whole))
    for log in program.logs:
        _optimizer(log, program, judged)
    if not program.stepped:
        judged.audits += [_by_hand(where, values) for where, values in program.values.items()]
    for where, labelling in program.scenes.decisions.items():
        for one in _of(labelling.module, program):
            judged.looked_at.append(f"{where}: labels")
            judged.audits.append(_also(one, {"decide": labelling.decide}, where))
            judged.audits.append(_judged(labelling))
    for where, scoring in program.scenes.scores.items():
        extra = {"score": scoring.score, "targets": scoring.targets, "outputs": scoring.outputs}
        for one in _of(scoring.module, program):
            judged.looked_at.append(f"{where}: a score")
            judged.audits.append(_also(one, extra, where))
    judged.not_seen += [f"{where}: {reason}" for where, reason in program.unread.items()]
    return judged


def _optimizer(log: StepLog, program: TorchProgram, judged: Judgement) -> None:
    """Judge an optimizer that no loss reaches, and say of the others that they were looked at with their losses."""
    if log.steps:
        explained = any(f.code in _UNUSED for audit in judged.audits for f in audit.findings)
        judged.audits.append(_passes(log, program, [] if explained else log.silent(program.asked)))
    if _unreached(log, program):
        judged.audits.append(_steps_alone(log))
    elif not program.seen or not log.steps:
        return
    judged.looked_at.append(f"{log.place}: {log.steps} steps of {type(log.optimizer).__name__}")


def _unreached(log: StepLog, program: TorchProgram) -> bool:
    """Whether an optimizer steps and no loss ever reaches what it holds."""
    reached = any(passed for record in log.passed for passed in record)
    return log.steps > 1 and not reached and (len(program.logs) > 1 or not program.backwards)


def _of(module: Any, program: TorchProgram) -> list[ObservedLoss]:
    return [one for one in program.seen.values() if one.module is module][:1]


def _loss(one: ObservedLoss, program: TorchProgram, whole: bool) -> Audit:
    given = dict(one.given)
    if one.foreign & program.used or one.foreign & {p for reached in program.teaches.values() for p in reached}:
        given["optimizer"] = None  # it moves other parts of the program too
    if (steps := _steps(one, program, whole)) is not None:
        given["steps"] = steps
    rules = [rule for rule in all_rules() if rule.code not in one.unasked]
    first = _placed(examine(given, rules, BUDGET_S), one, program)
    if not first.findings:
        return first
    agreed = {f.code for f in first.findings}
    for other in one.others:
        doubtful = [rule for rule in all_rules() if rule.code in agreed and "step_run" not in rule.needs]
        again = {f.code for f in examine(other, doubtful, BUDGET_S).findings}
        agreed -= {rule.code for rule in doubtful} - again
    return replace(first, findings=tuple(f for f in first.findings if f.code in agreed))


def _by_hand(where: str, values: list[float]) -> Audit:
    """What the losses of a program say that moves its parameters by hand."""
    log = StepLog(None, [StepRecord(result=value) for value in values], where)
    rules = [rule for rule in about("StepRun") if rule.code == "GM407"]
    return examine({"framework": "torch", "steps": ObservedSteps(log, {}, alone=False)}, rules, BUDGET_S)


def _passes(log: StepLog, program: TorchProgram, silent: list[CalledModule]) -> Audit:
    """What became of the gradients of one optimizer; of a program that looks at gradients by itself nobody can tell."""
    own = {id(p) for p in log.parameters()}
    scaled = any("scale" in record.calls for record in log.records)
    plain = not scaled and not program.recorder.gradients_read
    passes = Passes(
        log.place,
        log.steps,
        [[passed.where for passed in step] for step in log.used],
        [[passed.where for passed in clear] for clear in log.thrown] if plain else [],
        log.undone,
        [
            [value for passed in step if passed.yes_no.judges & own for value in passed.yes_no.targets]
            for step in log.used
        ],
        log.rates,
        [(type(one.module).__name__, one.where) for one in silent],
    )
    return examine({"framework": "torch", "passes": passes}, about("Passes"), BUDGET_S)


def _steps_alone(log: StepLog) -> Audit:
    """Steps without any backward pass."""
    names = {f"p{number}": p for number, p in enumerate(log.parameters())}
    return examine({"framework": "torch", "steps": ObservedSteps(log, names, alone=False)}, about("StepRun"), BUDGET_S)


def _placed(audit: Audit, one: ObservedLoss, program: TorchProgram) -> Audit:
    """The same findings, with the program's own lines where the rules know only the parts of a case."""
    log = next((log for log in program.logs if log.place), None)
    stepped = log.place if log is not None else one.where
    places = {"loss(output, targets)": one.where, "step": stepped, "optimizer": stepped, "model(inputs)": one.called_at}
    return replace(audit, findings=tuple(replace(f, where=places.get(f.where, f.where)) for f in audit.findings))


def _judged(labelling: Labelling) -> Audit:
    audit = examine({"framework": "torch", "judged": labelling.judged}, about("AskedForLabels"), BUDGET_S)
    return replace(audit, findings=tuple(replace(f, where=f.where or labelling.where) for f in audit.findings))


def _also(one: ObservedLoss, extra: dict[str, Any], where: str) -> Audit:
    audit = examine(one.given | extra, _about(extra), BUDGET_S)
    return replace(
        audit, findings=tuple(f if _ON_A_LINE.search(f.where) else replace(f, where=where) for f in audit.findings)
    )


def _about(extra: dict[str, Any]) -> Iterable[Rule]:
    kind = "TracedDecision" if "decide" in extra else "Scored"
    return [rule for rule in all_rules() if kind in {need.kind for need in rule.needs.values()}]


@dataclass
class ObservedSteps:
    """The steps of the optimizer that moves the parameters of a loss, as they were seen."""

    log: StepLog
    names: dict[str, Any]
    alone: bool  # every backward pass of every step was of this loss

    def __deepcopy__(self, _: dict[int, Any]) -> ObservedSteps:
        return self  # identities of the program's own parameters


def _steps(one: ObservedLoss, program: TorchProgram, whole: bool) -> ObservedSteps | None:
    own = {id(p) for p in one.names.values()}
    for log in program.logs:
        if log.records and (log.steps or whole) and not log.by_hand and any(id(p) in own for p in log.parameters()):
            alone = (
                all(passed.parameters <= own for record in log.passed for passed in record) and len(program.seen) == 1
            )
            return ObservedSteps(log, one.names, alone)
    return None
