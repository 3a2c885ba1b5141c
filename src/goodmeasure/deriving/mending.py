"""The line that makes targets what a loss takes: of texts, dates and labels, and of targets that were given for raw outputs."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import numpy as np

from goodmeasure.formulas.domains import Domain, OutcomeDomain
from goodmeasure.formulas.evaluation import Array
from goodmeasure.statistics.arrays import hold_numbers

# Where there is no line for it, as where a target is missing.
_OUT = "mend them, or leave such rows out: mask=False or weight 0, at the terminal --where"
# So many labels may be those of classes; of more there are rather amounts.
_FEW = 100
# With fewer targets outside than this share they are mistakes, and no further labels.
_STRAY = 0.05


# --- targets that are no numbers ---


def labels_of(y: Array) -> list[Any]:
    """What targets are, each once, in order where they have one; those that are missing are none."""
    each = [label for label in dict.fromkeys(y.ravel().tolist()) if label is not None]
    with suppress(TypeError):
        each.sort()
    return each


def what_they_are(y: Array, labels: list[Any]) -> str:
    """What targets are that are no numbers, in a word."""
    texts = y.dtype.kind == "U" or any(isinstance(label, str) for label in labels)
    if texts or y.dtype.kind != "O":
        return "text" if texts else {"S": "bytes", "V": "several fields"}.get(y.dtype.kind, str(y.dtype))
    return next((type(label).__name__ for label in labels if not isinstance(label, int | float)), "objects")


def as_numbers(loss: Any, y: Array, labels: list[Any], name: str) -> str:
    """The line that makes numbers of them; where the loss is for nothing of that kind, with one that is."""
    if y.dtype.kind == "V":
        return f"{name} = {name}[{(y.dtype.names or ('field',))[0]!r}]"
    if y.dtype.kind == "c":
        return f"{name} = numpy.real({name})"
    days = _in_days(y, labels, name)
    if getattr(loss, "is_classwise", False):
        return f"{name} = {numbered(name)}"
    if getattr(loss, "is_binary", False):
        if not days:
            return f"{name} = {_is(labels[-1], name)}"
        return f"{name} = {numbered(name)}" if len(labels) == 2 else f"loss, {name} = gm.losses.huber(), {days}"
    if days:
        return f"{name} = {days}"
    if hold_numbers(labels):
        return f"{name} = numpy.asarray({name}).astype(float)"
    if len(labels) == 2:
        return f"loss, {name} = gm.losses.binary_cross_entropy(), {_is(labels[-1], name)}"
    return f"loss, {name} = gm.losses.cross_entropy(), {numbered(name)}"


def as_raw(z: Array, name: str) -> str:
    """The line that makes raw outputs of an array that holds no numbers, or what to give."""
    if z.dtype.kind == "c":
        return f"{name} = numpy.real({name})"
    if z.dtype.kind == "V":
        return f"{name} = {name}[{(z.dtype.names or ('field',))[0]!r}]"
    labels = labels_of(z)
    days = _in_days(z, labels, name)
    if days or hold_numbers(labels):
        return f"{name} = {days or f'numpy.asarray({name}).astype(float)'}"
    return f"give {name} as what a model puts out: numbers"


def are_labels(given: Any, beside: Any) -> bool:
    """Whether texts or other names were given for numbers, and numbers for what they name: as when two arguments are swapped."""
    try:
        names, numbers = np.asarray(given), np.asarray(beside)
    except (TypeError, ValueError):
        return False
    if not names.ndim or names.dtype.kind not in "USO" or numbers.dtype.kind not in "biuf":
        return False
    return not hold_numbers(names) and not _in_days(names, labels_of(names), "")


def numbered(name: str) -> str:
    """Labels as numbers from 0 on, in sorted order."""
    return f"numpy.unique({name}, return_inverse=True)[1]"


def _is(label: Any, name: str) -> str:
    """One label as yes, and every other as no."""
    return f"(numpy.asarray({name}) == {label!r}).astype(float)"


def _in_days(y: Array, labels: list[Any], name: str) -> str:
    """Dates or lengths of time as numbers of days, NaN where they are missing; empty where targets are neither."""
    if _are(date, "M", y, labels):
        since = f"numpy.asarray({name}, 'datetime64[s]') - numpy.datetime64(0, 's')"
        return f"({since}) / numpy.timedelta64(1, 'D')  # days"
    if _are(timedelta, "m", y, labels):
        return f"numpy.asarray({name}, 'timedelta64[s]') / numpy.timedelta64(1, 'D')  # days"
    return ""


def _are(kind: type, code: str, y: Array, labels: list[Any]) -> bool:
    return y.dtype.kind == code or (bool(labels) and all(isinstance(label, kind) for label in labels))


# --- numbers that are no targets ---


def into_domain(y: Array, z: Array, domain: Domain, present: Array | None, loss: Any, names: tuple[str, str]) -> str:
    """The line that moves targets into the domain of the loss, or what to do where there is none."""
    if not isinstance(domain, OutcomeDomain) or y.dtype.kind not in "iuf":
        return _OUT
    if stand_for_each_other(loss, y, z):
        return exchanged(names)
    if y.ndim != 1:
        return _OUT
    there = y if present is None else y[np.asarray(present)]
    return (_as_indices if domain.classes else _as_yes)(there, loss, names[0]) or _OUT


def exchanged(names: tuple[str, str]) -> str:
    """The line that exchanges two arguments."""
    return f"{names[0]}, {names[1]} = {names[1]}, {names[0]}"


def stand_for_each_other(loss: Any, y: Array, z: Array) -> bool:
    """Whether raw outputs were given for targets of yes and no, and the targets for raw outputs."""
    if not getattr(loss, "is_binary", False) or tuple(y.shape) != tuple(z.shape):
        return False
    are_targets = bool(((z == 0) | (z == 1)).all())
    return are_targets and bool((((y < 0) | (y > 1)) & (y % 1 != 0)).any())


def _as_yes(y: Array, loss: Any, name: str) -> str:
    """The label of yes among two; of more one against the others, as classes are the business of other losses."""
    labels = np.unique(y).tolist()
    if len(labels) == 2 and all(label % 1 == 0 for label in labels):
        return f"{name} = {_is(int(labels[1]), name)}"
    return one_against_others(several_labels(y), name)


def one_against_others(labels: list[Any], name: str) -> str:
    """The line that makes yes of one label among several; empty where there are none."""
    of_classes = "  # or a loss of classes: gm.losses.cross_entropy()"
    return f"{name} = {_is(labels[-1], name)}{of_classes}" if labels else ""


def several_labels(y: Array) -> list[Any]:
    """The labels of three classes or more, where targets are such: few texts, or few whole numbers beyond a few stray ones."""
    if y.dtype.kind in "biuf":
        if ((y >= 0) & (y <= 1)).all() or (y % 1 != 0).any() or np.mean((y != 0) & (y != 1)) < _STRAY:
            return []
        y = y.astype(np.int64)
    elif not all(isinstance(label, str | bytes) for label in y.tolist()):
        return []
    labels = np.unique(y).tolist()
    return labels if 2 < len(labels) <= _FEW else []


def _as_indices(y: Array, loss: Any, name: str) -> str:
    """The numbers of classes from 0 on, where these are counted from 1 or are as many as the loss weighs."""
    labels = np.unique(y)
    in_a_row = bool(len(labels) and labels[0] > 0 and labels[-1] - labels[0] + 1 == len(labels))
    return f"{name} = {numbered(name)}" if in_a_row or len(labels) == len(loss.class_weight) else ""
