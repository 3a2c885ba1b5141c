"""What a loss of amounts supposes of their errors, and the loss instead where those of a first fit are otherwise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from goodmeasure import losses
from goodmeasure.choosing.plan import Plan, Rejected
from goodmeasure.choosing.spreading import GROWS, Spread
from goodmeasure.deriving.predictions import on_predictions
from goodmeasure.making.loss import Loss

# Hyperparameters that say how errors spread and leave what is asked for as it is: learned where nobody said them.
LEARNED = {"negative_binomial": "dispersion", "tweedie": "power"}
# Between zeros that follow Poisson's law and amounts that are never zero, and so far from both that a fit is well-behaved.
_POWERS = (1.05, 1.95)
_LEAST_DISPERSION = 1e-3


def growth(loss: Loss) -> float:
    """The power of the mean with which a loss supposes that the variance goes: its curvature at the mean is one over it."""
    plain, at = on_predictions(loss), np.array([1.0, 2.0])
    return float(-np.log2(np.divide(*plain.hessian(at, at)[::-1])))


def is_unsaid(loss: Loss) -> bool:
    """Whether it has a hyperparameter that says how errors spread, and nobody said it."""
    name = LEARNED.get(loss.spelling.factory)
    return name is not None and f"{name}=" not in str(loss)


def supposing(plan: Plan, seen: Spread | None, *, is_open: bool) -> Plan:
    """The plan with a loss that supposes what the errors of a first fit say; which loss it is stays unless that is open."""
    if seen is None:
        return plan
    if is_open and seen.is_even(growth(plan.loss)):
        return _evened(plan, seen)
    name, unsaid = plan.loss.spelling.factory, is_unsaid(plan.loss)
    if (name == "negative_binomial" and unsaid) or (is_open and name == "poisson" and seen.low > GROWS):
        return _dispersed(plan, seen)
    if name == "tweedie" and unsaid and not (is_open and seen.low <= growth(plan.loss) <= seen.high):
        return _powered(plan, seen)
    return plan


def kept(plan: Plan, other: Plan, why: str) -> Plan:
    """The plan as it was, with what another one would have measured among what was rejected."""
    first, second, third, fourth = plan.steps
    rejected = (Rejected(str(other.loss), why), *_without(third.rejected, str(other.loss)))
    return replace(plan, steps=(first, second, replace(third, rejected=rejected), fourth))


def _evened(plan: Plan, seen: Spread) -> Plan:
    """The squared error in place of a loss whose errors grow with the mean."""
    first, second, third, fourth = plan.steps
    loss = losses.squared_error()
    before = Rejected(plan.activation.name, "errors that do not grow with the mean leave no need to multiply")
    activate = replace(
        second,
        answer=loss.activation[0].name,
        reason="squared errors are counted in units of the target; a prediction may fall below its range",
        rejected=(before, *_without(second.rejected, loss.activation[0].name)),
    )
    supposes = Rejected(
        str(plan.loss), "it supposes errors that grow with the mean, and would count small amounts most"
    )
    measure = replace(
        third,
        answer=str(loss),
        reason=f"it asks for the mean, and the errors of a first fit do not grow with it: {seen} on {seen.n:,} rows left out",
        rejected=(supposes, *_without(third.rejected, str(loss))),
    )
    return replace(plan, loss=loss, steps=(first, activate, measure, fourth))


def _dispersed(plan: Plan, seen: Spread) -> Plan:
    """The negative binomial, with the dispersion of the errors."""
    found = seen.dispersion
    dispersion = _short(max(found.value, _LEAST_DISPERSION))
    loss = losses.negative_binomial(dispersion=dispersion).with_activation(plan.activation.name)
    bounded = "" if found.value >= _LEAST_DISPERSION else f"; {dispersion:g} is as good as none"
    spread = f"their variance is the mean and {found} times its square, on {seen.n:,} rows left out{bounded}"
    return _instead(plan, loss, spread, "it asks for the same mean, and counts the large ones too much for such errors")


def _powered(plan: Plan, seen: Spread) -> Plan:
    """Tweedie's loss, with the power of the errors."""
    power = _short(float(np.clip(seen.power, *_POWERS)))
    loss = losses.tweedie(power=power).with_activation(plan.activation.name)
    bounded = "" if _POWERS[0] <= seen.power <= _POWERS[1] else f"; {power:g} is the nearest that goes with zeros"
    return _instead(
        plan, loss, f"{seen} on {seen.n:,} rows left out{bounded}", "it asks for the same mean, by another power"
    )


def _instead(plan: Plan, loss: Loss, spread: str, why: str) -> Plan:
    """The plan with another loss of the same mean."""
    first, second, third, fourth = plan.steps
    known = loss.spelling.factory
    rejected = (
        *([Rejected(str(plan.loss), why)] if plan.loss.spelling.factory != known else []),
        *(each for each in third.rejected if each.alternative.partition("(")[0] != known),
    )
    reason = f"it asks for the mean; of the errors of a first fit {spread}. A wrong one would cost rows, and leave the mean right"
    measure = replace(third, answer=str(loss), reason=reason, rejected=rejected)
    return replace(plan, loss=loss, steps=(first, second, measure, fourth))


def _short(value: float) -> float:
    """A number to three digits: more would pretend to a precision that the spread of errors does not have."""
    return float(f"{value:.3g}") if math.isfinite(value) else value


def _without(rejected: tuple[Rejected, ...], name: str) -> tuple[Rejected, ...]:
    """What was rejected besides this."""
    return tuple(each for each in rejected if each.alternative != name)
