"""From what mistakes cost to the loss that a model is trained with: exact where costs decide, and cheaper elsewhere."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.decisions.costs import Costs, DegenerateCosts
from goodmeasure.formulas.domains import Part
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords


@strict_keywords
def tailored(costs: Costs, *, spread: Part = 1.0, outside: Part = 0.1) -> Loss:
    """Make of costs the loss to train with, which is most exact about the probabilities where these costs decide.

    Costs that differ by row say the range of thresholds, from the least to the largest; so do the costs that are thought
    possible, one a scenario. It helps where a model is too simple to be right everywhere. A model that may be right learns
    more from each row by binary cross-entropy. For one decision under unsure costs their mean is enough.

    Args:
        costs: what the four outcomes of a yes/no decision cost.
        spread: where these costs have one threshold: how far it may be off, as a part of its distance to 0 or 1.
        outside: how much thresholds outside of the range count, of what they count in cross-entropy; 1 is cross-entropy.

    Returns:
        The loss of the catalogue with the middle of the range as its threshold, and half the width of the range as its spread.

    Raises:
        GM710: acting pays always or never in some row: a mistake costs nothing there.

    Source:
        Buja, Stuetzle and Shen 2005, Loss functions for binary class probability estimation and classification.

    Example:
        >>> import goodmeasure as gm
        >>> gm.tailored(gm.Costs(false_negative=40, false_positive=10))
        tailored(threshold=0.2, spread=1.0, outside=0.1)
        >>> gm.tailored(gm.Costs(false_negative=[90, 30, 10], false_positive=10))
        tailored(threshold=0.3, spread=0.6666666666666666, outside=0.1)
    """
    thresholds = np.atleast_1d(costs.thresholds)
    low, high = float(thresholds.min()), float(thresholds.max())
    if not 0 < low <= high < 1:
        raise DegenerateCosts(
            "a mistake that costs nothing leaves nothing to learn",
            seen=f"acting pays from a probability of {low:g} on, and of {high:g}",
            fix="both mistakes cost more than the right answers, e.g. gm.Costs(false_negative=40, false_positive=5)",
        )
    middle = (low + high) / 2
    part = (high - low) / 2 / min(middle, 1 - middle) if low < high else spread
    return losses.tailored(threshold=middle, spread=min(part, 1.0), outside=outside)
