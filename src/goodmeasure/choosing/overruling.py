"""A plan whose loss somebody named, in place of the one that the target asks for."""

from __future__ import annotations

from dataclasses import replace

from goodmeasure import losses
from goodmeasure.choosing.plan import Plan, Rejected, Step
from goodmeasure.deriving.implied_probability import implies_probability
from goodmeasure.deriving.predictions import is_arrow, turn
from goodmeasure.drawing.terminal import word
from goodmeasure.errors import UsageError
from goodmeasure.losses import catalogue
from goodmeasure.making.loss import Loss


def with_loss(plan: Plan, loss: Loss) -> Plan:
    """The plan with another loss and its activation; what the target represents and the costs stay. Error: GM009."""
    loss = _of_this_turn(_of_these_costs(_of_as_many_grades(loss, plan), plan), plan)
    if loss == plan.loss:
        return plan
    why = _misfit(plan, loss)
    if why:
        raise UsageError(
            f"{loss} is no loss for {plan.name}", seen=why, fix=f"--loss {word(str(_instead(plan, loss)))}"
        )
    first, second, third, fourth = plan.steps
    activate = replace(second, answer=loss.activation[0].name, reason=f"{loss} comes with it", rejected=())
    measure = replace(
        third, answer=str(loss), reason=f"it was named; {plan.name} alone asks for {plan.loss}", rejected=()
    )
    asks_for = loss.facts.asks_for or "best of its own loss"
    decide = _provided(fourth, plan.asks_for, loss.facts.asks_for)
    return replace(plan, loss=loss, asks_for=asks_for, steps=(first, activate, measure, decide), tails=None)


def _provided(step: Step, before: str, now: str) -> Step:
    """The last step where there are no costs: what the loss asks for is provided, and so is no alternative."""
    if step.answer != f"provide the predicted {before}":
        return step
    others = tuple(each for each in step.rejected if each.alternative.removeprefix("a ") not in now)
    return replace(step, answer=f"provide the predicted {now}" if now else "provide the prediction", rejected=others)


def with_activation(plan: Plan, name: str, reason: str = "it was named") -> Plan:
    """The plan with another activation; what it measures stays. Error: GM009 where the loss cannot have it."""
    loss = plan.loss.with_activation(name)
    if loss == plan.loss:
        return plan
    first, second, third, fourth = plan.steps
    known = tuple(each for each in second.rejected if each.alternative != name)
    before = Rejected(plan.activation.name, "effects would multiply" if plan.activation.name == "exp" else "not named")
    activate = replace(second, answer=loss.activation[0].name, reason=reason, rejected=(before, *known))
    return replace(plan, loss=loss, steps=(first, activate, replace(third, answer=str(loss)), fourth))


def _instead(plan: Plan, loss: Loss) -> Loss:
    """The form of a loss, of yes and no or of classes, that fits the plan; the loss that its target asks for if none does."""
    name = loss.spelling.factory.removeprefix("binary_") if loss.is_binary else f"binary_{loss.spelling.factory}"
    other = catalogue().get(name)
    if other is None:
        return plan.loss
    usual = other().values
    found = other(**{key: value for key, value in loss.values.items() if usual.get(key, value) != value})
    return plan.loss if _misfit(plan, found) else found


def _of_as_many_grades(loss: Loss, plan: Plan) -> Loss:
    """A loss of the catalogue whose number of grades was not said, for as many as the target has."""
    name = loss.spelling.factory
    if not (loss.is_graded and plan.loss.is_graded) or str(loss) != f"{name}()":
        return loss
    return catalogue()[name](grades=len(plan.labels))


def _of_these_costs(loss: Loss, plan: Plan) -> Loss:
    """A loss that is tailored to costs, for those of the plan where its threshold was not said. Error: GM009 without costs."""
    if loss.spelling.factory != "tailored" or "threshold" in str(loss) or not plan.loss.is_binary:
        return loss
    if plan.threshold is None:
        raise UsageError(
            f"{loss} is tailored to costs, and there are none",
            seen="neither --cost fn=40 --cost fp=5 nor a threshold",
            fix=f"--loss {word('tailored(threshold=0.1)')}",
        )
    return losses.tailored(**{**loss.values, "threshold": plan.threshold})


def _of_this_turn(loss: Loss, plan: Plan) -> Loss:
    """A loss of angles whose period was not said, for the one that the target has."""
    period, name = turn(plan.loss), loss.spelling.factory
    if period is None or turn(loss) is None or str(loss) != f"{name}()":
        return loss
    return catalogue()[name](period=period)


def _misfit(plan: Plan, loss: Loss) -> str:
    """Why a loss does not measure what the plan predicts; empty where it does."""
    if loss.is_graded and loss.target == plan.loss.target:
        return ""
    outcome = loss.is_binary or loss.is_classwise
    if (plan.loss.is_classwise, plan.loss.is_graded) != (loss.is_classwise, loss.is_graded) or (
        plan.labels and not outcome
    ):
        return f"the target is {plan.represents}, and the loss is of {loss.target}"
    if loss.levels and plan.level is not None:
        return "costs of too little and too much ask for one quantile"
    if not outcome and len(loss.activation) > 1 and not (loss.levels or is_arrow(loss)):
        return f"it takes {len(loss.activation)} predictions a row"
    if outcome and not plan.loss.is_binary and not plan.loss.is_classwise:
        return f"the target is {plan.represents}, and the loss is of {loss.target}"
    if outcome and not implies_probability(loss):
        return "it implies no probability, so it cannot be judged beside others"
    return "" if turn(loss) == turn(plan.loss) else "one is of angles, and the other is not"
