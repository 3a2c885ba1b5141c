"""From a prediction and the costs of mistakes to an act: thresholds, quantiles, classes, and what each rule costs.

The price of a wrong probability is a loss and stands elsewhere; here costs are the user's own money.
"""
