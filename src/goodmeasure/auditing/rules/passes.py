"""What becomes of gradients and steps: thrown away unseen, undone at once, always towards one answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.passes import Passes


@rule(
    "GM412",
    "error",
    "gradients are cleared before a step has seen them",
    why="The backward passes of these parts cost their time and teach nothing: each step follows one part of its batch.",
    fix="optimizer.step() and optimizer.zero_grad() together, once after all parts: if (i + 1) % parts == 0",
)
def thrown_away(passes: Passes) -> Iterator[Seen]:
    """The gradients of one loss are used by some steps, and at other times cleared before any step.

    Example: ``optimizer.zero_grad()`` for every part of an accumulated batch, or a step on the first part alone. Not judged
    where the program reads gradients itself, moves parameters by hand, or scales its loss.
    Ignore it where a pass is made for something else than its gradients.
    """
    for where, thrown, used in passes.thrown_away():
        yield Seen(f"of {thrown + used} backward passes of this loss {used} were seen by a step", where=where)


@rule(
    "GM413",
    "error",
    "every step is undone before the next",
    why="The parameters are where they were at the start, however long the program runs.",
    fix="load_state_dict(best) once, after the last epoch",
)
def undone(passes: Passes) -> Iterator[Seen]:
    """After each step all parameters are, to the last bit, what they were before it.

    Example: ``model.load_state_dict(best)`` inside the loop. Ignore it where each step is tried from the same start, as in
    meta-learning with one inner step.
    """
    if passes.steps > 2 and passes.undone >= passes.steps - 1:
        yield Seen(f"{passes.undone} of {passes.steps} steps left all parameters where they were", where=passes.where)


@rule(
    "GM414",
    "error",
    "what judges is taught one answer only",
    why="The same answer to everything makes the loss as small as it can be: what is learned tells nothing apart.",
    fix="torch.zeros_like(scores) as the targets of what is generated, torch.ones_like(scores) as those of what is real",
)
def one_answer(passes: Passes) -> Iterator[Seen]:
    """Several yes-or-no losses train the same part, and all their targets in all steps are one number.

    Example: ``bce(D(real), ones) + bce(D(fake.detach()), ones)``. Losses that reach the judge and are used by another
    optimizer are left alone. Ignore it never.
    """
    value = passes.one_answer()
    if value is not None:
        count = sum(map(len, passes.answers))
        yield Seen(f"all targets of {count} yes-or-no losses in {passes.steps} steps are {value:g}", where=passes.where)


@rule(
    "GM415",
    "warning",
    "the learning rate is gone after a few steps",
    why="The schedule is meant for epochs and runs at every batch: nothing moves any more before the first epoch is over.",
    fix="call scheduler.step() after the loop over the batches, or choose a schedule that is counted in batches",
)
def fading_rate(passes: Passes) -> Iterator[Seen]:
    """From each step to the next the learning rate falls to less than 0.4 of what it was.

    Example: ``ExponentialLR(optimizer, gamma=0.1)``, stepped at every batch. Ignore it where a few steps are all there is.
    """
    if rates := passes.fading():
        yield Seen(f"the learning rate by step: {', '.join(f'{rate:.2g}' for rate in rates[:6])}", where=passes.where)


@rule(
    "GM416",
    "error",
    "a module is called for every step and never learns",
    why="The optimizer holds it and never gets a gradient of it: what comes behind it learns from its random start.",
    fix="hand its output on as the tensor that it is, without .detach(), .data, .numpy() or .tolist()",
)
def never_felt(passes: Passes) -> Iterator[Seen]:
    """A module of the program is called with gradient before every step, its parameters are in the optimizer, and no step
    sees a gradient of any of them, while others get theirs.

    Example: ``decoder(torch.tensor(encoder(x).tolist()))``. A copy of a module that learns (a target network, a teacher) is
    left alone. Ignore it where the module is called for something else.
    """
    for name, where in passes.silent:
        yield Seen(
            f"{name}: none of its parameters has a gradient in {passes.steps} steps", where=where or passes.where
        )
