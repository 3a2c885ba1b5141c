"""The door to the words of formulas, for those who write one: ``from goodmeasure.words import log1p, where``.

Nothing is defined here: words are rows of `formulas`.
"""

import builtins
from typing import TYPE_CHECKING

from goodmeasure.formulas.words import vocabulary

if TYPE_CHECKING:
    from goodmeasure.formulas.words import *
else:
    # The words alone: what their modules import to write them stays behind the door.
    globals().update(vocabulary())
    # A star takes no name from Python: its own ``abs`` serves formulas and numbers alike.
    __all__ = [name for name in vocabulary() if not hasattr(builtins, name)]


def __dir__() -> list[str]:
    return list(vocabulary())
