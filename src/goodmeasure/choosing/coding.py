"""The code that carries a plan out, one dialect a framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goodmeasure.deriving.predictions import is_arrow
from goodmeasure.errors import UsageError
from goodmeasure.making.loss import Loss


@dataclass(frozen=True)
class Outline:
    """What of a plan its code depends on."""

    loss: Loss
    meaning: str
    labels: tuple[Any, ...]
    threshold: float | None


def code(plan: Outline, framework: str) -> str:
    """The snippet of a plan for a framework. It expects the names that its first comment states."""
    if framework not in FRAMEWORKS:
        raise UsageError(f"there is no code for {framework!r}", fix=f"one of {', '.join(FRAMEWORKS)}")
    return FRAMEWORKS[framework](plan)


def made(plan: Outline) -> str:
    """The expression that makes the loss of a plan."""
    return f"gm.losses.{plan.loss}"


def encoded(plan: Outline) -> str:
    """The line that turns labels into what the loss takes; empty if the target is that already."""
    if plan.loss.is_graded and plan.labels:
        return f"y = np.array([{list(plan.labels)!r}.index(label) for label in labels], dtype=float)   # the place of each\n"
    if plan.loss.is_classwise and plan.labels:
        return f"y = np.searchsorted({list(plan.labels)!r}, labels)   # the code of each label\n"
    if len(plan.labels) == 2 and plan.labels != (0, 1):
        return f"y = (np.asarray(labels) == {plan.labels[1]!r}).astype(float)   # 1 is yes\n"
    return ""


def _expects(plan: Outline, rest: str) -> str:
    return f"# given: {'labels' if encoded(plan) else 'y'}, {rest}\n"


def _shape(plan: Outline) -> str:
    if plan.loss.is_classwise:
        return f"(rows, {len(plan.labels)})" if plan.labels else "(rows, classes)"
    if len(plan.loss.activation) > 1:
        return f"(rows, {len(plan.loss.activation)})"
    return "(rows, labels)" if plan.meaning == "multilabel" else "(rows,)"


def _decided(plan: Outline, prediction: str) -> str:
    return (
        "" if plan.threshold is None else f"act = {prediction} >= {plan.threshold!r}   # where your costs are least\n"
    )


def _pointed(plan: Outline) -> str:
    """The line that tells the direction of predicted arrows, from 0 to a full turn; empty where they are none."""
    if not is_arrow(plan.loss):
        return ""
    turn = plan.loss.values["period"]
    angle = f"np.arctan2(prediction[:, 1], prediction[:, 0]) * ({turn!r} / (2 * np.pi))"
    return f"direction = np.mod({angle}, {turn!r})\n"


def _numpy(plan: Outline) -> str:
    return (
        _expects(plan, f"and raw outputs z of shape {_shape(plan)}")
        + "import numpy as np\nimport goodmeasure as gm\n\n"
        + encoded(plan)
        + f"loss = {made(plan)}\n"
        + "mean, signal = loss.value_and_gradient(y, z)\n"
        + "prediction = loss.predict(z)\n"
        + _pointed(plan)
        + _decided(plan, "prediction")
    )


def _sklearn(plan: Outline) -> str:
    if plan.meaning == "multilabel":
        return (
            "# given: features X and a table Y of yes/no, one column a label\nimport goodmeasure as gm\n"
            "from sklearn.multioutput import MultiOutputClassifier\n\n"
            f"model = MultiOutputClassifier(gm.LossClassifier({made(plan)}, alpha=1e-3)).fit(X, Y)\n"
            "prediction = model.predict_proba(X)\n"
        )
    outcome = bool(plan.labels) and not plan.loss.is_graded
    kind, predict = ("LossClassifier", "predict_proba") if outcome else ("LossRegressor", "predict")
    target = "labels" if encoded(plan) and outcome else "y"
    code = f"import numpy as np\n\n{encoded(plan)}" if _pointed(plan) or (encoded(plan) and not outcome) else ""
    column = "[:, 1]" if outcome and not plan.loss.is_classwise else ""
    return (
        _expects(plan, "and features X of shape (rows, features)")
        + "import goodmeasure as gm\n"
        + (code or "\n")
        + f"model = gm.{kind}({made(plan)}, alpha=1e-3).fit(X, {target})\n"
        + f"prediction = model.{predict}(X){column}\n"
        + _pointed(plan)
        + _decided(plan, "prediction")
    )


def _torch(plan: Outline) -> str:
    outputs = str(len(plan.labels)) if plan.loss.is_classwise and plan.labels else "1"
    several = len(plan.loss.activation) > 1
    outputs = "labels" if plan.meaning == "multilabel" else str(len(plan.loss.activation)) if several else outputs
    wide = plan.loss.is_classwise or several or plan.meaning == "multilabel"
    squeeze = "" if wide else ".squeeze(-1)"
    kind = "torch.long" if plan.loss.is_classwise else "torch.float32"
    return (
        _expects(plan, "features (a tensor), and body, a network with width outputs")
        + "import numpy as np\nimport torch\nimport goodmeasure as gm\n\n"
        + encoded(plan)
        + f"criterion = gm.to_torch({made(plan)})\n"
        + f"model = torch.nn.Sequential(body, torch.nn.Linear(width, {outputs}))   # raw outputs: no {plan.loss.activation[0]}\n"
        + f"loss = criterion(model(features){squeeze}, torch.as_tensor(y, dtype={kind}))\n"
        + "loss.backward()\n"
    )


FRAMEWORKS = {"numpy": _numpy, "sklearn": _sklearn, "torch": _torch}
