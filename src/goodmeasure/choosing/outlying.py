"""What values far out do to the choice: errors that should not dominate, or the very thing that is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from goodmeasure import losses
from goodmeasure.choosing.functionals import Functional
from goodmeasure.choosing.plan import Outliers, Rejected
from goodmeasure.choosing.tails import EFFICIENT, Tails
from goodmeasure.making.loss import Loss

BETWEEN = "centre between mean and median"


@dataclass(frozen=True)
class Centre:
    """The loss after the outlier question, what it asks for, what to add to the reason, and what was rejected."""

    loss: Loss
    asks_for: str
    reason: str
    tails: Tails | None = None
    rejected: tuple[Rejected, ...] = ()


def treat(
    loss: Loss,
    asked: Functional,
    outliers: Outliers | None,
    seen: Tails,
    *,
    explicit: bool,
    on_scale: Callable[[Loss], Loss],
) -> Centre:
    """The loss for what is asked, given what outliers are and how heavy the tails are.

    Only a mean bends to errors far out: a median or a quantile already gives each row one vote. The robust loss is
    Huber's, with its threshold from the MAD, and it is said that it no longer asks for the mean.
    """
    if asked.name != "mean":
        of_ranks = asked.name in ("median", "quantile", "quantiles")
        steady = "; each row has one vote, however far out it lies" if of_ranks else ""
        return Centre(loss, asked.name, steady, None if asked.is_several else seen)
    if outliers == "errors":
        return _robust(seen, explicit, on_scale)
    if outliers == "real":
        kept = Rejected("a robust loss", "you said that values far out are real: what they carry belongs to the mean")
        return Centre(loss, "mean", "; values far out count, as you said they should", seen, (kept,))
    if not seen.heavy:
        return Centre(loss, "mean", "", seen)
    why = "it would ask for something else than the mean; say outliers='errors' if values far out are mistakes"
    return Centre(loss, "mean", f"; mind the tails: {seen}", seen, (Rejected(f"huber(delta={seen.delta:.3g})", why),))


def _robust(seen: Tails, explicit: bool, on_scale: Callable[[Loss], Loss]) -> Centre:
    said = "you asked for the mean and said that values far out are errors"
    reason = (
        f"; {said if explicit else 'values far out are errors, as you said'}: the pull of a miss stops growing at "
        f"{seen.delta:.3g}, {EFFICIENT} robust standard deviations. It asks for the mean where errors are symmetric, and "
        "for a centre between mean and median where they are not"
    )
    rejected = (
        Rejected("squared_error()", f"an error of 10 costs 100 times one of 1, so the worst rows decide: {seen}"),
        Rejected(
            "absolute_error()", "as robust, but asks for the median and weighs every miss alike: say ask='median'"
        ),
    )
    return Centre(on_scale(losses.huber(delta=_short(seen.delta))), BETWEEN, reason, seen, rejected)


def _short(value: float) -> float:
    """A threshold to four digits: more would pretend to a precision that a scale does not have."""
    return float(f"{value:.4g}")
