"""The door to the words of formulas, for those who write one: ``from goodmeasure.words import log1p, where``.

Nothing is defined here: words are rows of `formulas`.
"""

from typing import TYPE_CHECKING

from goodmeasure.formulas.words import vocabulary

if TYPE_CHECKING:
    from goodmeasure.formulas.words import *
else:
    # The words alone: what their modules import to write them stays behind the door.
    globals().update(vocabulary())
    __all__ = list(vocabulary())


def __dir__() -> list[str]:
    return list(vocabulary())
