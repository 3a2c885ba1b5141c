"""Formulas and their vocabulary: expressions, words, domains, activations, and how formulas are evaluated and printed.

What a formula is a loss of does not belong here: that is `goodmeasure.deriving`.
"""

# Brought in with any formula, because it is what pickles them.
from goodmeasure.formulas import serialise as serialise
