"""The door to the words of formulas, for those who write one: ``from goodmeasure.words import log1p, where``.

Nothing is defined here: words are rows of `formulas`.
"""

from goodmeasure.formulas.words import *
