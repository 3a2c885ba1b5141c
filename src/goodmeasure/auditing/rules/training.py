"""The training step: what is cleared, accumulated, scaled and moved, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING, Any

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.optimizer_holds import OptimizerHolds
    from goodmeasure.auditing.evidence.parameters import Parameters
    from goodmeasure.auditing.evidence.step_run import LossEvent, StepRun


@rule(
    "GM401",
    "error",
    "gradients are never cleared",
    why=(
        "Every backward pass adds to what is there: the step follows the sum of all gradients since the start, and "
        "training drifts or explodes."
    ),
    fix="call optimizer.zero_grad() before backward()",
    follows=("GM408",),
)
def stale_gradients(step_run: StepRun) -> Iterator[Seen]:
    """A mark put on the gradients after one step is still in them at the next.

    Example: a step without ``zero_grad()``. Clearing before the forward pass or after the update both pass, and so
    does accumulation over
    several calls that ends in a clear. Ignore it never.
    """
    if step_run.stale:
        yield Seen("the optimizer's second step still sees the gradients of the first", where=step_run.where())


@rule(
    "GM402",
    "error",
    "the training step moves no parameter",
    why="The loss is computed and printed, and the model stays as it was.",
    fix="loss.backward(); optimizer.step(), with an optimizer over model.parameters()",
    follows=("GM301", "GM404", "GM408"),
)
def nothing_moves(step_run: StepRun) -> Iterator[Seen]:
    """After several steps every trainable parameter has the value it had before.

    Example: ``step()`` forgotten, an optimizer built from another model, a loss without gradient. A learning rate of
    zero that no
    scheduler set is left alone, and so is a loss that is exactly zero. Ignore it where nothing is meant to learn.
    """
    trainable = [p for _, p in step_run.parameters.values() if p.requires_grad]
    groups = getattr(step_run.optimizer, "param_groups", [])
    if step_run.crash or not trainable or any(r.moved for r in step_run.records):
        return
    if groups and all(float(g.get("lr", 1)) == 0 for g in groups):
        yield from rate_stays_zero(groups, step_run)
        return
    if all(not r.losses and not r.calls for r in step_run.records) or all(r.result == 0 for r in step_run.records):
        return
    calls = ", ".join(dict.fromkeys(c for r in step_run.records for c in r.calls)) or "none"
    yield Seen(
        f"none of {len(trainable)} trainable parameters changed in {len(step_run.records)} steps (calls seen: {calls})",
        where=step_run.where(),
    )


def rate_stays_zero(groups: list[dict[str, Any]], step_run: StepRun) -> Iterator[Seen]:
    """A schedule that holds every learning rate at zero although the optimizer was given another."""
    meant = [float(g["initial_lr"]) for g in groups if float(g.get("initial_lr", 0)) > 0]
    if meant:
        yield Seen(
            f"a scheduler holds the learning rate at 0 for {len(step_run.records)} steps (it was built with {meant[0]:g})",
            where=step_run.where(),
            severity="warning",
            title="the schedule keeps the learning rate at zero",
            fix="let the warm-up begin above zero, and divide as floats: (step + 1) / warmup_steps",
        )


@rule(
    "GM403",
    "warning",
    "parts of a batch are averaged with the wrong weights",
    why=(
        "The gradient of a batch is the mean over its examples. A mean of part means weighs the examples of small "
        "parts more; parts that are not "
        "divided at all multiply the learning rate by their number."
    ),
    fix="weigh every part by its share: loss * len(part) / len(batch), or by counted tokens / all counted tokens",
)
def part_weights(step_run: StepRun) -> Iterator[Seen]:
    """The weights with which partial losses reach ``backward`` are not the shares of the examples that they average.

    Example: micro-batches or ranks of different size, averaged and then averaged again; accumulation without
    dividing. Evidence: a hook on
    every partial loss. Ignore it where all parts always have the same number of counted targets.
    """
    record = step_run.records[0] if step_run.records else None
    targets = step_run.given.get("targets")
    rows = len(targets) if isinstance(targets, Sized) else 0
    if record is None or step_run.crash or "scale" in record.calls or record.calls.count("step") > 1:
        return
    if record.closure:
        return  # the optimizer asks for the loss of the same rows again and again
    parts = [e for e in record.losses if e.weight != 0 and e.examples]
    if len(parts) < 2 or sum(e.examples for e in parts) != rows or step_run.whole_gradient(record):
        return
    summed = getattr(step_run.given.get("loss"), "reduction", "mean") == "sum"
    yield from uneven_parts(parts, step_run.where(), summed)


def uneven_parts(parts: list[LossEvent], where: str, summed: bool) -> Iterator[Seen]:
    """What is wrong with the weights of these parts, if anything."""
    sizes = [1 if summed else e.counted for e in parts]
    rates = [e.weight / max(size, 1) for e, size in zip(parts, sizes, strict=True)]
    total = sum(e.weight for e in parts)
    tolerance = 1.02 if all(e.counted % e.examples == 0 for e in parts) else 1.2
    if min(rates) > 0 and max(rates) / min(rates) > tolerance:
        shares = ", ".join(f"{e.counted} targets: weight {e.weight:.3g}" for e in parts[:4])
        yield Seen(f"parts of different size count alike ({shares})", where=where)
    elif not summed and abs(total - 1) > 0.02:
        yield Seen(
            f"{len(parts)} parts reach backward with weights that sum to {total:.3g}: the gradient is {total:.3g} "
            f"times that of the mean",
            where=where,
            title="the gradient of the batch is scaled",
        )


@rule(
    "GM404",
    "warning",
    "the calls of a training step are in the wrong order",
    why=(
        "Clipping before backward clips the old gradients, a step before backward uses them, clearing between "
        "backward and step throws the new ones "
        "away."
    ),
    fix="zero_grad(); loss.backward(); clip_grad_norm_(...); optimizer.step(); scheduler.step()",
)
def order(step_run: StepRun) -> Iterator[Seen]:
    """``backward``, ``clip``, ``step``, ``zero_grad`` and the scheduler are called in an order that undoes one of them.

    Example: ``clip_grad_norm_`` before ``loss.backward()``. Ignore it never.
    """
    record = next((r for r in step_run.records if r.stepped), None)
    if record is None:
        return
    calls = record.calls
    last_step = len(calls) - 1 - calls[::-1].index("step")
    for seen in misplaced(calls, last_step):
        yield Seen(f"{seen} (calls: {' '.join(calls)})", where=step_run.where())


def misplaced(calls: list[str], step: int) -> Iterator[str]:
    """In words, each call that stands where it has no effect or the wrong one."""
    before = calls[:step]
    backward = len(before) - 1 - before[::-1].index("backward") if "backward" in before else None
    if backward is None:
        if "backward" in calls:
            yield "the optimizer steps before backward"
        return
    if "zero_grad" in calls[backward:step]:
        yield "gradients are cleared between backward and step"
    if "clip" in calls and "clip" not in calls[backward:step]:
        yield "gradients are clipped, but not between backward and step"
    if "schedule" in calls[: calls.index("step")]:
        yield "the scheduler steps before the optimizer"
    if "scale" in calls and "clip" in calls[backward:step] and "unscale" not in calls[backward:step]:
        yield "scaled gradients are clipped before unscale_"


@rule(
    "GM406",
    "warning",
    "the model trains in eval mode",
    why=(
        "Dropout does nothing and batch normalisation uses statistics that it no longer updates: what is trained "
        "is another model than the one described."
    ),
    fix="call model.train() at the start of every training epoch (and model.eval() only for validation)",
)
def trains_in_eval(step_run: StepRun) -> Iterator[Seen]:
    """The whole model is in eval mode while gradients are computed, and has layers that behave differently there.

    Example: a step that calls ``model.eval()`` for a check and never returns. Single layers frozen in eval mode are
    left alone.
    Ignore it where the whole model is frozen on purpose.
    """
    for record in step_run.records[:1]:
        if record.resting:
            yield Seen(
                f"{len(record.resting)} layers in eval mode during backward ({', '.join(sorted(set(record.resting)))})",
                where=step_run.where(),
            )


@rule(
    "GM407",
    "warning",
    "training diverges within a few steps",
    why=(
        "The learning rate is too large for the size of loss and targets: weights overflow and every prediction "
        "becomes NaN."
    ),
    fix="standardise the targets, or lower the learning rate",
)
def diverges(step_run: StepRun) -> Iterator[Seen]:
    """Six steps on one batch make the loss a million times larger, or not finite.

    Example: prices in euros under squared error with ``lr=0.1``. Ignore it where the batch is not typical.
    """
    results = [r.result for r in step_run.records if r.result is not None]
    if step_run.crash or len(results) < 2 or not math.isfinite(results[0]):
        return
    worst = next((v for v in results if not math.isfinite(v) or abs(v) > 1e6 * max(abs(results[0]), 1e-3)), None)
    if worst is not None:
        yield Seen("loss by step: " + ", ".join(f"{v:.3g}" for v in results), where=step_run.where())


@rule(
    "GM408",
    "warning",
    "the optimizer and the model hold different parameters",
    why=(
        "What the optimizer does not hold never moves, and what it holds besides is moved for nothing: typically "
        "the model, or its head, was replaced "
        "after the optimizer was built, or the loss has parameters of its own."
    ),
    fix="build the optimizer last: torch.optim.AdamW([*model.parameters(), *loss.parameters()])",
)
def optimizer_parameters(optimizer_holds: OptimizerHolds) -> Iterator[Seen]:
    """Parameters in the optimizer belong to neither model nor loss, or parameters of the loss are in no optimizer.

    Example: ``model.head = nn.Linear(...)`` after ``Adam(model.parameters())``, or a centre loss whose centres are
    never given to an optimizer.
    An optimizer that holds only part of the model (a generator, a head) is left alone.
    Ignore it where another optimizer holds the rest.
    """
    held = optimizer_holds
    if held.strangers and held.known == 0:
        yield Seen(
            f"all {held.strangers} tensors of the optimizer are strangers to the model",
            severity="error",
            where="optimizer",
        )
    elif held.strangers:
        yield Seen(f"{held.strangers} tensors of the optimizer belong to neither model nor loss", where="optimizer")
    if held.loss_left_out:
        yield Seen(
            f"the loss has trainable parameters that no optimizer holds: {', '.join(held.loss_left_out[:3])}",
            where="optimizer",
        )


@rule(
    "GM409",
    "error",
    "the training step goes uphill",
    why="The parameters move along the gradient instead of against it: the declared loss rises.",
    fix="minimise the loss: parameter -= lr * gradient, no minus before backward, maximize=False",
)
def uphill(step_run: StepRun) -> Iterator[Seen]:
    """The change of the parameters in one step has a positive product with the gradient of the declared loss.

    Example: ``(-loss).backward()`` or a hand-written update with the wrong sign. Not judged for adversarial training.
    Ignore it where ascent is meant.
    """
    record = next((r for r in step_run.records if r.moved), None)
    if record is None or step_run.task in ("gan", "adversarial") or step_run.crash or not step_run.reference:
        return
    both = [(delta, step_run.reference[key]) for key, delta in record.moved.items() if key in step_run.reference]
    dot = sum(float((d * g).sum()) for d, g in both)
    size = math.sqrt(sum(float(d.square().sum()) for d, _ in both) * sum(float(g.square().sum()) for _, g in both))
    if size > 0 and dot / size > 0.3:
        yield Seen(
            f"the cosine between the update and the gradient is +{dot / size:.2f} (descent is negative)",
            where=step_run.where(),
        )


@rule(
    "GM405",
    "warning",
    "the optimizer gets gradients of a scaled loss",
    why=(
        "A loss is scaled so that small gradients survive half precision; what is not divided out again multiplies the "
        "learning rate, and a clip in between cuts at a threshold that is thousands of times too small."
    ),
    fix="scaler.unscale_(optimizer) (or divide the gradients by the scale) before clipping and before optimizer.step()",
)
def scaled_gradients(step_run: StepRun) -> Iterator[Seen]:
    """The gradient points where that of the declared loss does and is hundreds of times longer, at the clip or at the
    step.

    Example: ``(loss * 2**14).backward(); optimizer.step()``. Evidence: the gradient of ``loss(model(inputs), targets)``
    on the whole batch.
    Ignore it where the step weighs its loss on purpose.
    """
    record = next((r for r in step_run.records if r.stepped), None)
    if record is None or step_run.crash:
        return
    for gradients, place in ((record.clipped, "gradient clipping"), (record.gradients, "optimizer.step()")):
        found = step_run.against_reference(gradients)
        if found is not None and found[0] > 0.98 and found[1] > SCALED:
            yield Seen(f"at {place} the gradient is {found[1]:.4g} times that of the loss", where=step_run.where())
            return


SCALED = 200.0  # more than any weight that a loss is given by hand


@rule(
    "GM410",
    "warning",
    "part of the model runs and never learns",
    why="Its parameters keep their random start: the rest of the model learns to work around them, and the loss still falls.",
    fix="remove the .detach(), .data, no_grad or argmax in between, add the missing term, or freeze it: requires_grad_(False)",
)
def stranded_layers(parameters: Parameters) -> Iterator[Seen]:
    """A trainable layer runs in the forward pass, other layers get gradient, and this one gets none.

    Example: ``decoder(encoder(x).detach())``, a router whose ``argmax`` chooses the branch, ``loss = ...`` where
    ``loss += ...`` is meant. What the given optimizer does not hold, and a copy of a branch that learns (a target
    network, a teacher), is left alone. Without an optimizer, what runs under ``no_grad`` is a note, and so is a head that
    nobody counts on: no target waits for it, no score or unused loss follows from it. Ignore it where the layer is trained
    by another loss.
    """
    for one in parameters.stranded():
        how = (
            "runs under no_grad"
            if one.frozen
            else "reaches the output by value alone"
            if one.cut
            else "leads to no term of the loss"
        )
        awaited = parameters.unread or (one.scored and not one.frozen)  # somebody counts on what it says
        clear = parameters.optimized or (one.cut and not one.frozen) or (not one.cut and awaited)
        scored = " although what it says is scored" if clear and one.scored else ""
        yield Seen(
            f"{one.name} is trainable, {how}{scored}, and gets no gradient",
            where=one.node.where or one.name,
            severity=None if clear else "note",
        )


@rule(
    "GM411",
    "warning",
    "the forward pass uses weights that the model does not know",
    why=(
        "Plain tensors, and layers in a Python list, are not in model.parameters(): no optimizer moves them, "
        "state_dict() does not save them, .to(device) leaves them behind."
    ),
    fix="self.weight = nn.Parameter(...); self.layers = nn.ModuleList([...]) or nn.ModuleDict({...})",
)
def strangers(parameters: Parameters) -> Iterator[Seen]:
    """Gradient arrives at tensors that are neither registered with the model or the loss nor held by the optimizer.

    Example: ``self.layers = [nn.Linear(8, 8) for _ in range(3)]``. Tensors of the loss alone are judged where an optimizer
    is given. Ignore it where another optimizer holds them.
    """
    found = list(parameters.strangers())
    if found:
        shapes = ", ".join(str(part.shape) for part, _ in found[:3])
        yield Seen(f"{len(found)} tensors that ask for gradient: {shapes}", where=found[0][1].where or "model")
