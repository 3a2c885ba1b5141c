"""One label that was typed in several ways: with blanks around it, or in other capitals."""

from __future__ import annotations

from collections.abc import Mapping

from goodmeasure.choosing.affirming import folded

# Columns of more different texts hold no labels.
MOST_LABELS = 1000


def spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """For each label that is written otherwise than most of its kind the way that most are written.

    Where nothing but capitals tells all labels apart, as in ``AA``, ``Aa`` and ``aa``, blanks alone make no difference.
    """
    if len(counts) > MOST_LABELS:
        return {}
    usual: dict[str, str] = {}
    for label in sorted(counts, key=lambda each: (counts[each], each)):
        usual[folded(label)] = label
    alike = folded if len(usual) > 1 else str.strip
    if alike is str.strip:
        usual = {label.strip(): label.strip() for label in counts}
    return {label: usual[alike(label)] for label in counts if usual[alike(label)] != label}


def ways(label: str, counts: Mapping[str, int]) -> tuple[str, ...]:
    """A label, and the other ways in which it is written among those that occur."""
    usual = spellings(counts)
    kind = {each: usual.get(each, each) for each in counts}
    meant = {kind[label]} if label in kind else {kind[each] for each in counts if folded(each) == folded(label)}
    others = [each for each in counts if kind[each] in meant and each != label] if len(meant) == 1 else []
    return (label, *sorted(others))
