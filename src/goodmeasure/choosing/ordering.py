"""Labels that stand in an order, or in a circle: scales of words, numbered labels, bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Each line from its low end to its high one; labels are in order if one line holds them all.
_SCALES = tuple(
    tuple(" ".join(label.split()) for label in scale.split("<"))
    for scale in """
    strongly disagree < disagree < somewhat disagree < slightly disagree < neutral < neither < undecided <
      slightly agree < somewhat agree < agree < strongly agree;
    very dissatisfied < dissatisfied < unsatisfied < somewhat dissatisfied < neutral < somewhat satisfied <
      satisfied < very satisfied;
    very negative < negative < neutral < positive < very positive;
    very unhappy < unhappy < neutral < happy < very happy;
    very unlikely < unlikely < possible < neutral < likely < very likely < certain;
    none < very low < low < medium < moderate < mid < middle < average < normal < high < very high < extreme;
    xxs < xs < s < m < l < xl < xxl < xxxl;
    tiny < small < medium < large < extra large < huge;
    never < rarely < seldom < occasionally < sometimes < often < frequently < usually < very often < always;
    terrible < very poor < very bad < poor < bad < below average < mediocre < fair < average < standard < ok < satisfactory
      < good < above average < very good < great < excellent < outstanding < perfect;
    none < absent < minimal < slight < mild < moderate < serious < severe < very severe < critical < fatal;
    none < preschool < primary < elementary < middle school < secondary < high school < vocational < some
      college < associate < tertiary < college < bachelor < bachelors < graduate < master < masters < doctorate
      < phd;
    very slow < slow < medium < fast < very fast;
    very short < short < medium < long < very long;
    very young < young < middle aged < adult < old < very old;
    freezing < cold < cool < mild < warm < hot < very hot;
    light < medium < heavy;
    weak < moderate < strong;
    early < mid < middle < late;
    novice < beginner < intermediate < advanced < expert;
    bronze < silver < gold < platinum < diamond;
    not important < slightly important < moderately important < important < very important;
    no < maybe < yes;
    red < amber < green;
    first < second < third < fourth < fifth < sixth;
    i < ii < iii < iv < v < vi < vii < viii < ix < x;
    """.strip()
    .removesuffix(";")
    .split(";")
)
# Grades run the other way in the alphabet, and a plus is above its letter. Single letters are as often mere names.
_GRADES = (
    ("d", "c", "cc", "ccc", "b", "bb", "bbb", "a", "aa", "aaa"),
    tuple(f"{letter}{sign}" for letter in "fedcba" for sign in ("-", "", "+")),
)
_CIRCLES = {
    "the points of a compass": (
        "n ne e se s sw w nw",
        "north northeast east southeast south southwest west northwest",
    ),
    "days of the week": ("mon tue wed thu fri sat sun", "monday tuesday wednesday thursday friday saturday sunday"),
    "months": (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "january february march april may june july august september october november december",
    ),
    "seasons": ("spring summer autumn winter", "spring summer fall winter"),
}  # fmt: skip
_NUMBERED = re.compile(r"(\D*?)\s*(\d+(?:\.\d+)?)(?:st|nd|rd|th)?\s*")
_BAND = re.compile(
    r"(<=?|under |below |up to |>=?|over |above |from )?\s*(\d+(?:\.\d+)?)\s*"
    r"(?:(-|–|to)\s*\d+(?:\.\d+)?|\+| and more| or more)?\s*\D*"
)


def ordered(labels: Sequence[Any], *, graded: bool = False) -> tuple[Any, ...]:
    """Three or more labels from the low end to the high one, if they are known to stand in an order; else nothing.

    ``graded`` says that the name of the column speaks of grades: then single letters are some.
    """
    texts = {label: _plain(label) for label in labels}
    if len(labels) < 3 or len(set(texts.values())) < len(labels) or not all(isinstance(label, str) for label in labels):
        return ()
    are_grades = graded or any(len(text) > 1 for text in texts.values())
    for scale in (*_SCALES, *(_GRADES if are_grades else ())):
        if set(texts.values()) <= set(scale):
            return tuple(sorted(labels, key=lambda label: scale.index(texts[label])))
    return _numbered(texts) or _bands(texts)


def circle(labels: Sequence[Any]) -> str:
    """What stands in a circle: the points of a compass, days of the week, months; empty if these labels do not."""
    texts = {_plain(label) for label in labels}
    found = (what for what, rounds in _CIRCLES.items() if any(texts <= set(round_.split()) for round_ in rounds))
    return next(found, "") if len(texts) >= 3 else ""


def _plain(label: Any) -> str:
    return re.sub(
        r"[\s_-]+(?=[a-z])", " ", re.sub(r"(?<=[a-z]{2})[\s_-]+", " ", str(label).strip().lower().replace("'", ""))
    )


def _numbered(texts: dict[Any, str]) -> tuple[Any, ...]:
    """Labels that differ in a number alone: P1, P2, P3; stage 1, stage 2, stage 3."""
    found = {label: match for label, text in texts.items() if (match := _NUMBERED.fullmatch(text))}
    if len(found) < len(texts) or len({match[1] for match in found.values()}) > 1:
        return ()
    return tuple(sorted(found, key=lambda label: float(found[label][2])))


def _bands(texts: dict[Any, str]) -> tuple[Any, ...]:
    """Bands of numbers: under 18, 18-25, 26+."""
    found = {label: match for label, text in texts.items() if (match := _BAND.fullmatch(text))}
    if len(found) < len(texts) or not any(match[3] for match in found.values()):
        return ()
    below = ("<", "<=", "under ", "below ", "up to ")
    return tuple(sorted(found, key=lambda label: (float(found[label][2]), found[label][1] not in below)))
