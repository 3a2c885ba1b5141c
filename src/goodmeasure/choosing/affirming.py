"""Which of two labels means yes: by words of many languages, by numbers, or by one label that denies the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from goodmeasure.errors import Problem

_YES = (
    "yes y true t 1 on positive pos + present ja j wahr stimmt oui o vrai si sí sì s verdadero cierto vero sim verdade",
    "tak prawda da да д так истина ano pravda igen igaz evet e kyllä jah jā taip jo sant sandt ναι כן",
    "نعم بله はい 是 有 对 예 네 हाँ हां ya vâng có ndiyo verdadeiro",
)
_NO = (
    "no n false f 0 off negative neg - − absent none nein falsch non faux falso não nao nie fałsz net ne nu нет н ні",
    "ложь не nepravda nem hamis hayır hayir h ei nē nej nei falskt falsk nee onwaar όχι לא لا",
    "خیر いいえ 否 无 無 不 아니요 नहीं tidak không hapana hindi",
)
YES = frozenset(word for line in _YES for word in line.split())
NO = frozenset(word for line in _NO for word in line.split())
_DENIED = re.compile(
    r"^(not?|non|never|without|nicht|kein\w*|ohne|pas( de)?|sans|sin|não|sem|senza|nie|bez|не|без)"
    r"[ _-]+(?P<rest>.+)$"
)


class WhichIsYes(Problem, ValueError):
    """Costs are of yes and no, and neither of the two labels is known to mean yes.

    Taking the wrong one would turn the costs round: a missed case would be priced as a false alarm. Say which label means
    yes; words such as yes, true, 1, ja, oui or si are known.
    """

    code = "GM607"


def folded(label: Any) -> str:
    """A label as one types it: without blanks around, in lower case, and without the point of whole numbers."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return " ".join(str(label).split()).casefold()


def exact(label: Any) -> str:
    """A label as it stands."""
    return str(label)


def stripped(label: Any) -> str:
    """A label without blanks around."""
    return str(label).strip()


Alike = Literal["folded", "stripped", "exact"]
"""How two ways to write one label are made the same."""
ALIKE: Mapping[Alike, Callable[[Any], str]] = {"folded": folded, "stripped": stripped, "exact": exact}


def apart(labels: Collection[str]) -> Alike:
    """The way that forgives most and keeps all these labels apart: of ``AA`` and ``Aa`` capitals tell which is meant."""
    return next(name for name, way in ALIKE.items() if len({way(label) for label in labels}) == len(labels))


def affirmative(labels: Sequence[Any]) -> Any | None:
    """The one of two labels that means yes; None if that cannot be told."""
    by_word = {folded(label): label for label in labels}
    if len(by_word) < 2:
        return None
    rules = (_by_words, _by_denial, _by_zero)
    word = next((found for rule in rules if (found := rule(tuple(by_word)))), None)
    return None if word is None else by_word[word]


def _by_words(words: tuple[str, ...]) -> str | None:
    """A word for yes beside one for no; one of the two is enough where it is longer than a letter."""
    yes, no = ([word for word in words if word in known] for known in (YES, NO))
    if len(yes) == len(no) == 1 and yes != no:
        return yes[0]
    if len(yes) == 1 and not no and len(yes[0]) > 1:
        return yes[0]
    return next(word for word in words if word not in no) if len(no) == 1 and not yes and len(no[0]) > 1 else None


def _by_denial(words: tuple[str, ...]) -> str | None:
    """The label that the other one denies: ``survived`` beside ``not survived``."""
    for word, other in (words, words[::-1]):
        found = _DENIED.match(word)
        if found and found["rest"] == other:
            return other
    return None


def _by_zero(words: tuple[str, ...]) -> str | None:
    """The number above zero, beside zero or one below."""
    try:
        numbers = {float(word): word for word in words}
    except ValueError:
        return None
    low, high = sorted(numbers)
    return numbers[high] if low <= 0 < high else None
