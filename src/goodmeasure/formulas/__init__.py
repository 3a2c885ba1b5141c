"""Formulas and their vocabulary: expressions, words, domains, activations, and how formulas are evaluated and printed.

What a formula is the loss of does not belong here, nor how torch or SQL spells a word.
"""

# Brought in with any formula, because it is what pickles them.
from goodmeasure.formulas import serialise as serialise
