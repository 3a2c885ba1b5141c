"""The learning signal: is there one, is it finite, does it reach the parameters, can the output reach the target?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.drawn import Drawn
    from goodmeasure.auditing.evidence.rewarded import Rewarded
    from goodmeasure.auditing.evidence.terms import Terms
    from goodmeasure.auditing.evidence.training_signal import TrainingSignal


@rule(
    "GM301",
    "error",
    "no gradient reaches the parameters",
    why="backward() runs, the loss is printed, and no weight ever changes.",
    fix=(
        "keep the computation in torch from the parameters to the loss: no .item(), .numpy(), argmax, detach or "
        "torch.tensor(...) on the way"
    ),
    follows=("GM111", "GM115"),
)
def no_gradient(signal: TrainingSignal) -> Iterator[Seen]:
    """The gradient of the loss is absent, or exactly zero, at every trainable parameter.

    Example: ``torch.tensor(value.item(), requires_grad=True)``, a loss of ``argmax`` labels, a ReLU output that is
    zero for every
    example. A loss that is exactly zero (a satisfied margin) is left alone. Ignore it where nothing is meant to learn.
    """
    if not signal.trainable or signal.wiring.loss is None:
        return
    reached = signal.reached()
    exits = signal.left_the_graph()
    where = exits[-1] if exits else signal.wiring.loss.where or "loss(output, targets)"
    if not reached:
        yield Seen(
            f"none of {len(signal.trainable)} trainable parameters is connected to the loss ({signal.loss:.4g})",
            where=where,
        )
    elif signal.loss != 0 and all(not bool(grad.any()) for _, grad in reached):
        yield Seen(
            f"the gradient is exactly zero at all {len(reached)} parameters while the loss is {signal.loss:.4g}",
            where=where,
            title="the gradient is zero everywhere",
        )


@rule(
    "GM302",
    "error",
    "the loss or its gradient is not finite",
    why="One NaN in a gradient makes every weight NaN at the next step, and all that follows.",
    fix="select before computing (prediction[keep], target[keep]); add a small epsilon inside sqrt, log and divisions",
    follows=("GM116", "GM122"),
)
def not_finite(signal: TrainingSignal) -> Iterator[Seen]:
    """The loss is NaN or infinite on this batch, or finite with a gradient that is not.

    Example: ``mse(o, t)[~t.isnan()].mean()`` (0 times NaN in the backward pass), ``sqrt`` at exactly zero, ``log`` of
    a saturated
    sigmoid. The operation at which it breaks is named. Ignore it never.
    """
    if not math.isfinite(signal.loss):
        node = signal.first_nonfinite()
        lost = [t for t in signal.wiring.targets if t.tensor.is_floating_point() and bool(t.value.isnan().any())]
        because = f" (the targets hold {sum(int(t.value.isnan().sum()) for t in lost)} NaN)" if lost else ""
        yield Seen(
            f"the loss of this batch is {signal.loss}{because}",
            where=signal.contracts.place(node) if node else "loss(output, targets)",
        )
        return
    bad = [name for name, grad in signal.reached() if not bool(grad.isfinite().all())]
    if bad:
        node = signal.broken_at()
        yield Seen(
            f"the loss is {signal.loss:.4g} but the gradient of {len(bad)} parameters ({bad[0]}, ...) is not "
            f"finite; it breaks at {node.op if node else 'an unknown operation'}",
            where=signal.contracts.place(node) if node else "",
            title="the loss is finite and its gradient is not",
        )


@rule(
    "GM303",
    "warning",
    "a term of the loss has no gradient",
    why="A term that enters as a number shifts the printed value and has no effect on any parameter.",
    fix="add the tensor itself; call .item() or .detach() only on what is logged",
    follows=("GM301",),
)
def term_without_gradient(terms: Terms) -> Iterator[Seen]:
    """A term follows from the model's output, is added to the loss, and carries no gradient; or a loss function that is
    added sees no output at all.

    Example: ``loss = ce + feature.item()``, or ``mse_loss(box, box.mean())`` where ``out["box"]`` is meant. Evidence: the
    declared ``terms``, or a number in the sum that changes with the input although nothing in the graph explains it.
    Detached targets and weights (factors, not summands) are left alone.
    Ignore it where the number only shifts what is printed.
    """
    for name, where in terms.dead():
        yield Seen(f"the term {name} is a plain number by the time it is added", where=where)
    for name, where in terms.blind:
        yield Seen(
            f"{name} compares what was read in with what was read in: no output of the model is among its operands",
            where=where,
            fix=f"hand the output of the model to {name}",
        )


@rule(
    "GM305",
    "warning",
    "targets lie outside what the output can reach",
    why=(
        "What the activation cannot reach is never learned: a ReLU output gives up on negative targets (and may "
        "die at zero), a tanh on "
        "everything beyond 1."
    ),
    fix="end in a linear layer, or scale the targets into the range of the activation",
    follows=("GM134",),
)
def output_range(signal: TrainingSignal) -> Iterator[Seen]:
    """The attainable range of an output excludes part of the targets that it is compared with.

    Example: ``Dense(1, activation="relu")`` on standardised targets. The range is followed from the last learned
    layer with the
    parameters free. Ignore it where the tails do not matter.
    """
    for where, output, target in signal.compared():
        if not output.live or not target.numel():
            continue
        lo, hi = signal.contracts.range(output)
        values = target.double()[target.isfinite()] if target.is_floating_point() else target.double()
        if not values.numel() or (lo == -math.inf and hi == math.inf):
            continue
        slack = 1e-3 * max(1e-9, min(hi - lo, float(values.max() - values.min())) or 1.0)
        beyond = (values < lo - slack) | (values > hi + slack)
        share = float(beyond.double().mean())
        if share > 0.02:
            made = signal.made_by(output)
            yield Seen(
                f"{made.op} confines the output to [{lo:g}, {hi:g}]; {share:.0%} of the targets lie outside "
                f"({float(values.min()):.3g} to {float(values.max()):.3g})",
                where=where,
            )


@rule(
    "GM312",
    "warning",
    "the targets are thousands of times larger than the output",
    why=(
        "With squared error the first gradients scale with the target: at 180,000 they are 360,000 per unit of "
        "output, and any usual "
        "learning rate explodes or crawls."
    ),
    fix="standardise the target, (y - y.mean()) / y.std(), and undo it after predicting",
)
def unscaled_target(signal: TrainingSignal) -> Iterator[Seen]:
    """Targets in the thousands meet outputs of ordinary size at the start of training.

    Example: house prices in euros under ``nn.MSELoss()``. Ignore it where the model's last layer scales back.
    """
    for where, output, target in signal.compared():
        if not output.live or not target.numel():
            continue
        size = (
            float(target.double()[target.isfinite()].square().mean().sqrt())
            if target.is_floating_point()
            else float(target.double().square().mean().sqrt())
        )
        now = float(output.value.double().square().mean().sqrt())
        if size > 2000 and now < 1e-2 * size:
            yield Seen(f"targets are about {size:,.0f}, outputs about {now:.3g}", where=where)


@rule(
    "GM304",
    "warning",
    "one term of the loss drowns another",
    why="Where one term pulls a hundred thousand times harder, the other might as well not be there.",
    fix="bring the terms to the same scale (mean against sum is the usual cause), then weigh them",
)
def drowned_term(terms: Terms) -> Iterator[Seen]:
    """The gradients of two declared terms at the outputs differ by a factor above 1e5.

    Example: a reconstruction that is averaged over pixels beside a divergence that is summed. Ignore it where the
    weights outside the terms
    make up for it.
    """
    for most, large, least, small in terms.drowned():
        if large > 1e5 * small:
            yield Seen(f"{most} pulls with {large:.3g}, {least} with {small:.3g}", where="terms")


@rule(
    "GM316",
    "error",
    "a prediction is pushed away from the target it is compared with",
    why="The error of this comparison enters the loss with the wrong sign: the loss falls while the error grows, without end.",
    fix="check the signs: error terms are added to a loss, log-likelihoods are subtracted",
    follows=("GM306",),
)
def repelled(signal: TrainingSignal) -> Iterator[Seen]:
    """The gradient at an output that is subtracted from its target moves it away on nearly every example.

    Example: ``(log_var - (t - mean) ** 2 / log_var.exp()).mean()``. Judged for regressions. Ignore it for adversarial terms.
    """
    for where, share, many in signal.repelled():
        yield Seen(f"{share:.0%} of {many} predictions are pushed away from their targets", where=where)


@rule(
    "GM318",
    "error",
    "the output is the same for every input",
    why="Whatever is fed in, one number comes out, and no weight that sees the input gets any gradient: it stays so.",
    fix="take away what lets nothing through: a ReLU of a negative number, a product with zero, a shape that is overwritten",
)
def deaf_to_inputs(training_signal: TrainingSignal) -> Iterator[Seen]:
    """All outputs of a batch are equal though its inputs differ, and every weight matrix has the gradient zero.

    Example: ``torch.relu(-torch.relu(x))``. A head that begins at zero gets gradient and is left alone. Ignore it never.
    """
    rows = training_signal.deaf()
    if rows:
        yield Seen(
            f"{rows} different inputs give one output, and the gradient of every weight is 0", where="model(inputs)"
        )


@rule(
    "GM319",
    "error",
    "the noise to be found is not the noise that was added",
    why="The target is a draw of its own, which nothing in the input tells of: the best output is its mean, zero.",
    fix="noise = torch.randn_like(x), once: x + noise goes into the model, and the same noise is its target",
)
def other_noise(drawn: Drawn) -> Iterator[Seen]:
    """An output is compared with a random draw that nothing else has seen, and the input was blurred with another.

    Example: a helper that draws its own noise for the input of a denoiser. Evidence: the recorded operations. Ignore it never.
    """
    if drawn.where and not drawn.repeats:
        yield Seen(
            f"the target {drawn.shape} was drawn anew; the input holds the draw of {drawn.other}", where=drawn.where
        )


@rule(
    "GM320",
    "error",
    "a noisy input is its own target",
    why="Noise of many levels is added so that it can be told from the data. Who is to repeat the sum learns neither.",
    fix="compare the output with the noise, or with the clean data: mse_loss(model(x_noisy, level), noise)",
)
def repeats_its_noise(drawn: Drawn) -> Iterator[Seen]:
    """The tensor that goes into the model, data blurred with noise of a level for each example, is the target too.

    Example: ``mse_loss(model(x_t, t), x_t)`` in a diffusion model. Noise of one level, as augmentation adds it, is left
    alone. Evidence: the recorded operations. Ignore it where a narrow model is to compress what is noisy.
    """
    if drawn.where and drawn.repeats:
        yield Seen(
            f"the target {drawn.shape} is what the model was given, with the noise of {drawn.other} in it",
            where=drawn.where,
        )


@rule(
    "GM321",
    "error",
    "rewarded actions are made rarer",
    why="An optimizer goes downhill: probability times reward, added to the loss, becomes small, and the reward with it.",
    fix="loss = -(log_prob * advantage).mean()",
)
def rewards_are_punished(rewarded: Rewarded) -> Iterator[Seen]:
    """A log-probability, or a ratio of probabilities, is multiplied with what the program itself calls a reward, a return or
    an advantage, and the loss falls where well rewarded actions become less likely. A short name (``r``) counts where the
    actions were drawn at random.

    Example: ``loss = (log_prob * returns).sum()``. Evidence: the gradient of the loss, and the names of the program's own
    variables. Ignore it where the name is wrong and the number is a cost.
    """
    if rewarded.where:
        yield Seen(
            f"{rewarded.said} are multiplied with {rewarded.name}, and the loss falls where large {rewarded.name} make an "
            f"action less likely",
            where=rewarded.where,
        )
