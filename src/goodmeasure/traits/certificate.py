"""Proofs about a loss as data that anyone can replay: the boxes that cover the line, and the bound in each.

A certificate says that a formula lies within its bounds in every one of its boxes, and what follows from that. To check it
takes interval arithmetic of the formula and nothing of this package: see ``scripts/check_certificate.py``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from goodmeasure.deriving.record import Record
from goodmeasure.formulas.expression import Expr, text
from goodmeasure.traits.line import Line, lines
from goodmeasure.traits.shape import bounds_of_convexity, bounds_of_size, convex, lipschitz, smooth
from goodmeasure.traits.trait import PROVED, Trait


@dataclass(frozen=True)
class LineCertificate:
    """A formula of ``u`` and two numbers between which it lies for every u from the first edge to the last.

    Attributes:
        claim: what follows, such as "convex" or "Lipschitz (1)".
        of: which part of the loss the formula is of.
        formula: the signal or the curvature, in words that the checker knows.
        hyperparameters: their values.
        low: below this the formula never is.
        high: above this the formula never is; None where nothing is said of that.
        edges: where the boxes end, in rising order.
        jumps: where the value or the signal jumps, with both jumps.

    Example:
        >>> import goodmeasure as gm
        >>> certificate = gm.losses.log_cosh().card().certificates()[1]
        >>> certificate.claim, certificate.formula, certificate.edges[0]
        ('Lipschitz (1)', 'tanh(u)', -1000000000000.0)
    """

    claim: str
    of: str
    formula: str
    hyperparameters: dict[str, float]
    low: float
    high: float | None
    edges: tuple[float, ...]
    jumps: tuple[tuple[float, float, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)


def certificates(loss: Record) -> tuple[LineCertificate, ...]:
    """The proofs of a loss that it is convex, Lipschitz and smooth, those that there are."""
    loss = loss.one_label
    found: list[LineCertificate] = []
    for ask, what in ((convex, "curvature"), (lipschitz, "signal"), (smooth, "curvature")):
        claim = ask(loss)
        if claim is not None and claim.holds and claim.evidence == PROVED:
            found += [_certificate(claim, each, getattr(each.view, what)) for each in lines(loss)]
    return tuple(found)


def _certificate(claim: Trait, each: Line, formula: Expr) -> LineCertificate:
    size = claim.constant
    boxes, _ = bounds_of_convexity(each) if size is None else bounds_of_size(each, formula)
    return LineCertificate(
        claim=claim.name if size is None else f"{claim.name} ({claim.size})",
        of=each.view.name,
        formula=text(formula),
        hyperparameters=dict(each.hyperparameters),
        low=0.0 if size is None else -size,
        high=size,
        edges=(*boxes.low.tolist(), float(boxes.high[-1])),
        jumps=tuple((k.at, k.value, k.signal) for k in each.kinks),
    )
