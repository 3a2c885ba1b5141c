"""The ideas behind the numbers, each in a paragraph that a stranger understands: the pages of ``goodmeasure explain``."""

from __future__ import annotations

IDEAS = {
    "chain": """The whole of supervised learning is one chain: meaning -> activation -> loss -> signal -> training -> risk ->
decision. What the output represents decides the activation; what an error costs decides the loss; its derivative is the
signal that training follows; the average loss on new rows is the risk; and costs turn a prediction into an act.""",
    "activation": """What turns a raw output into a prediction that can mean something: nothing for real numbers, exp or
softplus for positive amounts, the sigmoid for yes/no, the softmax for one of several classes. Loss and activation are
composed into one stable formula on raw outputs, so nothing is lost where a probability is next to 0 or 1.""",
    "signal": """The derivative of the loss by the raw output: what one row tells the model to do. A good one is directional
(the expected loss falls all the way toward what the loss asks for), sensitive (a larger error pulls harder, or at least
does not stop pulling) and aligned (lowering the loss improves what is judged in the end).""",
    "elicits": """What a loss asks for: the answer that makes its expected value least. Squared error asks for the mean,
absolute error for the median, pinball for a quantile, cross-entropy for the probabilities. Two losses that ask for
different things have different best models, however good the training.""",
    "proper": """A loss of probabilities is strictly proper when only the true probabilities make its expected value least.
It is so together with a link, the map from raw outputs to probabilities: focal loss is not proper with the sigmoid, and is
with the link that its own formula implies, which predict applies.""",
    "undistorted": """Class weights, focusing and label smoothing change which probability is best for the loss, exactly and
invertibly: weight 19 sends .05 to .50, focal with gamma 2 sends it to .25. predict undoes the distortion of the loss that
the model was trained on. Sampling error and misfit remain: recalibrate on other rows for those.""",
    "convex": """A loss is convex in the raw output when no chord lies below it: then a linear model has one valley and no
false ones. Strictly convex losses have one best answer; strongly convex ones pull back in proportion to the distance.""",
    "lipschitz": """A bound on the signal: no row can pull harder than this, whatever it holds. Squared error has none, so one
gross outlier can rule a fit; huber's is its delta.""",
    "calibrated": """A model is calibrated when, among all rows to which it gives the same prediction, what happens agrees with
it: of the rows that got 30 %, 30 % are yes. A loss is classification-calibrated when its best raw outputs name the most
likely class.""",
    "risk": """The expected loss of this fitted model on new rows. The average on a sample is an estimate of it, with an
interval; the average on the training rows is too low, by the gap that learning from them opened.""",
    "decision": """Costs turn a probability into an act: say yes above fp / (fp + fn). A prediction good for one set of costs
may be poor for another; a calibrated probability serves them all.""",
}
