"""The outlier question again, on the residuals of a first fit: tails of the target are not tails of the errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from goodmeasure.choosing.functionals import Functional, loss_for, on_scale
from goodmeasure.choosing.meanings import MEANINGS
from goodmeasure.choosing.outlying import BETWEEN, treat
from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.tails import tails


def revisit(plan: Plan, residuals: Any) -> Plan:
    """The plan with its third step answered again on residuals, target minus prediction, on the scale of the target.

    Where outliers are errors, Huber's threshold follows from the residuals' MAD; otherwise the loss stays and the step says
    what the residuals look like. A plan for outcomes has no such question and comes back as it is.
    """
    if plan.tails is None:
        return plan
    meaning = replace(next(m for m in MEANINGS if m.name == plan.meaning), domain=plan.represents)
    seen = tails(residuals)
    asked = Functional("mean") if plan.asks_for == BETWEEN else Functional(plan.asks_for, plan.loss.values.get("level"))
    same = plan.loss if plan.asks_for != BETWEEN else loss_for(meaning, asked)
    centre = treat(same, asked, plan.outliers, seen, explicit=False, on_scale=lambda loss: on_scale(loss, meaning))
    old = plan.steps[2]
    light = "" if centre.reason or seen.heavy else ", and their tails are light: no reason to bend"
    reason = (
        f"it asks for the {centre.asks_for}; on the residuals of a first fit{centre.reason or ': ' + str(seen)}{light}"
    )
    known = {r.alternative.split("(")[0] for r in centre.rejected}
    kept = tuple(r for r in old.rejected if r.alternative.split("(")[0] not in {*known, "huber"})
    step = replace(old, answer=str(centre.loss), reason=reason, rejected=(*centre.rejected, *kept))
    steps = (*plan.steps[:2], step, *plan.steps[3:])
    return replace(plan, loss=centre.loss, asks_for=centre.asks_for, steps=steps, tails=seen, tails_of="the residuals")
