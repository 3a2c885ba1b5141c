"""The test battery for a loss: its numbers against the truth, its limits, absence, dtypes, weights and symmetries.

Every loss of the catalogue passes it, and so should a loss of your own: ``goodmeasure.check(loss)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from goodmeasure.checking.truth import NoTruth, Truth, truth
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import Problem
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.formulas.expression import simplify, symbol
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords

_STEPS = (0.0, 1e-9, 1e-4, 0.1, 0.7, 1.0, 2.5, 6.0, 12.0, 18.0, 40.0, 95.0)
_FAR_STEPS = (300.0, 700.0)
ULPS = 8


@dataclass(frozen=True)
class Answer:
    """One question of the battery, whether the loss passed it, and what was seen where it did not."""

    question: str
    passed: bool
    seen: str = ""


@dataclass(frozen=True)
class Report(Displayed):
    """The answers of the battery for one loss.

    Attributes:
        loss: the loss, as it is spelled.
        answers: each question, whether the loss passed it, and what was seen where it did not.

    Example:
        >>> import goodmeasure as gm
        >>> gm.check(gm.losses.squared_error()).passed
        True
    """

    loss: str
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        """Whether the loss passed every question."""
        return all(a.passed for a in self.answers)

    @property
    def _summary(self) -> str:
        return f"{self.loss}: {sum(a.passed for a in self.answers)} of {len(self.answers)} passed"

    def _display(self) -> Display:
        # What failed stands first.
        rows = sorted(((a.passed, a.question, a.seen) for a in self.answers), key=lambda row: row[0])
        return Display(self._summary, columns_of(("passed", "question", "seen"), rows), under={"seen": "question"})

    def __str__(self) -> str:
        rows = [
            f"  {'ok  ' if a.passed else 'FAIL'} {a.question}{': ' + a.seen if a.seen else ''}" for a in self.answers
        ]
        return printable("\n".join([self._summary, *rows]))


class CheckFailed(Problem, AssertionError):
    """A loss does not keep the contract of its numbers.

    The message lists each question that failed with the first point at which it did. The usual cause is a formula that
    subtracts nearly equal numbers or overflows on the way: write it with the words made for that (``log1p``, ``expm1``,
    ``softplus``, ``sqrt1pm1``, ``xlogy``, ...).
    """

    code = "GM010"


@strict_keywords
def check(loss: Loss | Callable[..., Loss], *, thorough: bool = False, raises: bool = False) -> Report:
    """Find out whether the numbers of a loss can be trusted, a loss of your own above all.

    Value, signal and curvature are held against the book form in arbitrary precision, far into both tails; then come
    limits at infinity, masks and weights, dtypes, symmetries.

    Args:
        loss: a loss, or the factory of one, which is tried with its defaults.
        thorough: go further into the tails, which takes minutes.
        raises: raise a failure, in place of only reporting it.

    Returns:
        A `Report`: print it; it has ``passed`` and an answer to each question.

    Raises:
        GM001: the formula holds a word that is neither elementary nor explained.
        GM010: a question failed, where ``raises``.

    Example:
        >>> import goodmeasure as gm
        >>> print(str(gm.check(gm.losses.squared_error)).splitlines()[0])
        squared_error(): 15 of 15 passed
    """
    tested = (loss if isinstance(loss, Loss) else loss()).one_label
    report = Report(repr(tested), tuple(a for question in _questions() for a in question(tested, thorough)))
    if raises and not report.passed:
        raise CheckFailed(str(report), fix="write the formula with words that do not cancel; see goodmeasure.words")
    return report


def _questions() -> list[Callable[[Loss, bool], Iterator[Answer]]]:
    return [f for name, f in globals().items() if name.startswith("is_")]


# --- points ---


def targets(loss: Loss) -> list[float]:
    """Targets that try a loss: the ends of its domain where they belong to it, and values inside."""
    if loss.is_binary:
        return [1.0, 0.0, 0.25]
    tries = [0.0, 1.0, 0.25, 7.0, 40.0, -300.25]
    return [y for y in tries if y in loss.target][:4]


def points(loss: Loss, *, thorough: bool = False) -> list[tuple[float, list[float]]]:
    """Targets with raw outputs, exact in single precision, from next to the target to far into both tails."""
    steps = [float(np.float32(s)) for s in (*_STEPS, *(_FAR_STEPS if thorough else ()))]
    m = len(loss.activation)
    found: list[tuple[float, list[float]]] = []
    if loss.is_classwise:
        k = len(loss.class_weight) or 3
        for step in (0.0, 0.7, 6.0, 18.0, -18.0, 40.0, -1e-4, -95.0):
            row = [float(np.float32(x)) for x in [step, *(0.3 * i - 0.4 for i in range(k - 1))]]
            found += [(c, row) for c in range(min(2, k))]
        return found
    for y in targets(loss):
        centre = y if loss.activation[0].name == "linear" and not loss.is_binary else 0.0
        for step in steps if m == 1 else steps[1:9]:
            for signed in (step, -step) if step else (step,):
                found.append((y, [float(np.float32(centre + signed)), *([0.5, -0.25, 0.75][: m - 1])]))
    return found


def _computed(loss: Loss, y: list[float], z: list[list[float]], dtype: Any) -> np.ndarray[Any, Any]:
    """Value, signals and curvatures of each point, in the order of `Truth.all`."""
    raw = np.asarray(z, dtype=dtype)
    raw = raw if loss.is_classwise or len(loss.activation) > 1 else raw[:, 0]
    target = np.asarray(y, dtype=np.int64 if loss.is_classwise else dtype)
    columns = [loss.value(target, raw)[:, None], loss.gradient(target, raw), loss.hessian(target, raw)]
    return np.concatenate([c if c.ndim == 2 else c[:, None] for c in columns], axis=1)


def _ulp(x: float, dtype: Any) -> float:
    return float(np.spacing(np.asarray(abs(x), dtype=dtype)))


def budget(true: Truth, index: int, y: float, z: list[float], dtype: Any) -> Any:
    """What rounding may cost: `ULPS` ulps of the answer, and what moving each input by an ulp would do.

    Next to its own zero an answer is a difference of terms that are each rounded, as if an input had moved by a whole ulp;
    in a curvature the terms are products of such factors of the order of one, so it may use four, and of one at least.
    """
    answer = true.all[index]
    slack, least = (1.0, 0.0) if index <= len(z) else (4.0, 1.0)
    spent = ULPS * float(np.finfo(dtype).eps) * abs(answer) + float(np.finfo(dtype).tiny)
    for moved, at in zip(true.moves, [*z, y], strict=False):
        spent += abs(moved[index]) * _ulp(max(abs(at), least), dtype) * slack
    return spent


def _between_neighbours(loss: Loss, y: float, z: list[float], index: int, seen: float, dtype: Any) -> bool:
    """Whether rounding the inputs or the hyperparameters alone leads past what was seen, as next to a kink.

    It is also where a tiny answer took more digits than the truth began with.
    """
    rounded = replace(loss, hyperparameters=tuple((name, float(dtype(value))) for name, value in loss.hyperparameters))
    here = truth(rounded, y, z, digits=1000)
    there, allowed = [here.all[index]], budget(here, index, y, z, dtype)
    for k, way in ((k, way) for k in range(len(z)) for way in (-1, 1) if not loss.is_classwise):
        there.append(truth(rounded, y, [a + way * _ulp(a, dtype) * (i == k) for i, a in enumerate(z)]).all[index])
    if not (loss.is_classwise or loss.is_binary):
        there += [truth(rounded, y + way * _ulp(y, dtype), z).all[index] for way in (-1, 1)]
    return bool(min(there) - allowed <= seen <= max(there) + allowed)


# --- the questions ---


def is_true(loss: Loss, thorough: bool) -> Iterator[Answer]:
    """Value, signal and curvature agree with the book form in arbitrary precision."""
    try:
        yield from _held_to_truth(loss, thorough)
    except NoTruth as problem:
        yield Answer("the truth can be computed", False, f"{problem.what} ({problem.seen or problem.where})")


def _held_to_truth(loss: Loss, thorough: bool) -> Iterator[Answer]:
    import mpmath as mp

    tried = points(loss, thorough=thorough)
    found = {d: _computed(loss, [y for y, _ in tried], [z for _, z in tried], d) for d in (np.float32, np.float64)}
    m = len(tried[0][1])
    names = ["value", *["signal"] * m, *["curvature"] * m]
    worst = {(n, d): (0.0, "") for n in ("value", "signal", "curvature") for d in found}
    for row, (y, z) in enumerate(tried):
        true = truth(loss, y, z)
        for d, table in found.items():
            most = float(np.finfo(d).max)
            for i, name in enumerate(names[: 1 if true.kinked else None]):
                answer, seen = true.all[i], float(table[row, i])
                if abs(answer) > most / 2:
                    ratio = 0.0 if math.isinf(seen) or abs(seen) > most / 4 else math.inf
                else:
                    off = abs(mp.mpf(seen) - answer)
                    ratio = float(off / budget(true, i, y, z, d)) if not math.isnan(seen) else math.inf
                    if ratio > 1 and _between_neighbours(loss, y, z, i, seen, d):
                        ratio = 0.0
                if ratio > worst[name, d][0]:
                    worst[name, d] = (ratio, f"at y={y:g}, z={z}: {seen!r}, the truth is {mp.nstr(answer, 17)}")
    for (name, d), (ratio, where) in worst.items():
        good = ratio <= 1
        yield Answer(f"{name} is true in {np.dtype(d).name}", good, "" if good else f"{ratio:.3g} budgets off {where}")


def is_mirrored(loss: Loss, _: bool) -> Iterator[Answer]:
    """Where the formula treats yes and no alike, the numbers do, to the last bit."""
    if not loss.is_binary or loss.half(0) is not simplify(loss.half(1), {"z": -symbol("z")}):
        return
    z: Any = np.concatenate([np.asarray(_STEPS), np.linspace(-50, 50, 997)])
    for d in (np.float32, np.float64):
        raw, yes, no = z.astype(d), np.ones(z.shape), np.zeros(z.shape)
        same = np.array_equal(loss.value(yes, raw), loss.value(no, -raw))
        same &= np.array_equal(loss.gradient(yes, raw), -loss.gradient(no, -raw))
        same &= np.array_equal(loss.hessian(yes, raw), loss.hessian(no, -raw))
        yield Answer(f"mirror symmetry in {np.dtype(d).name}", bool(same))


def is_limiting(loss: Loss, _: bool) -> Iterator[Answer]:
    """At infinite raw outputs stands the limit, and a NaN stays with its own example."""
    if loss.is_classwise or len(loss.activation) > 1:
        yield from _row_limits(loss)
        return
    most = np.finfo(np.float64).max
    bad = []
    for y in targets(loss):
        for end in (np.inf, -np.inf):
            for name in ("value", "gradient"):
                reading = getattr(loss, name)
                at, near = (float(reading([y], [e])[0]) for e in (end, math.copysign(1e5, end)))
                far = float(reading([y], [math.copysign(most, end)])[0])
                # Going out, the reading settles at its limit or grows without bound, and infinity is where it ends.
                settled = (
                    at == far
                    or (math.isinf(at) and abs(far) >= abs(near))
                    or math.isclose(at, far, rel_tol=1e-12, abs_tol=1e-300)
                )
                if math.isnan(at) or not settled:
                    bad.append(f"{name} at y={y:g}, z={end}: {at}, and {far} at the largest finite z")
    yield Answer("limits at infinite raw outputs", not bad, "; ".join(bad[:2]))
    yield from _nan_stays(loss)


def _row_limits(loss: Loss) -> Iterator[Answer]:
    y, z = _sample(loss, 4)
    if loss.is_classwise:
        z[0, 0] = -np.inf
        y[0] = 1
        finite = loss.value(y, z)[0], loss.gradient(y, z)[0, 0]
        yield Answer(
            "limits at infinite raw outputs",
            not np.isnan(finite).any(),
            "" if not np.isnan(finite).any() else str(finite),
        )
    yield from _nan_stays(loss)


def _nan_stays(loss: Loss) -> Iterator[Answer]:
    y, z = _sample(loss, 6)
    broken = z.copy()
    broken[2] = np.nan
    with np.errstate(all="ignore"):
        value, slope = loss.value(y, broken), loss.gradient(y, broken)
    others = np.arange(6) != 2
    kept = np.array_equal(value[others], loss.value(y, z)[others]) and np.array_equal(
        slope[others], loss.gradient(y, z)[others]
    )
    yield Answer("NaN stays with its example", bool(kept and np.isnan(value[2]) and np.isnan(slope[2]).all()))


def _sample(loss: Loss, n: int, seed: int = 0) -> tuple[Any, Any]:
    """Ordinary targets and raw outputs, for questions that need no special ones."""
    random = np.random.default_rng(seed)
    if loss.is_classwise:
        k = len(loss.class_weight) or 4
        return random.integers(0, k, n), random.normal(size=(n, k)) * 2
    if isinstance(loss.target, OutcomeDomain):
        y: Any = random.integers(0, 2, n).astype(float)
    elif loss.target.whole:
        y = random.poisson(3, n).astype(float)
    elif (loss.target.low, loss.target.high) == (0, 1):
        y = random.uniform(0.05, 0.95, n)
    else:
        y = random.gamma(2.0, 1.0, n) if loss.target.low == 0 else random.normal(size=n) * 2
    m = len(loss.activation)
    return y, random.normal(size=n if m == 1 else (n, m))


def is_absent_where_told(loss: Loss, _: bool) -> Iterator[Answer]:
    """A masked or zero-weight example adds exactly nothing, whatever it holds."""
    y, z = _sample(loss, 8)
    keep = np.asarray([True, True, False, True, False, True, True, True])
    spoiled_y, spoiled_z = y.astype(float), z.copy()
    spoiled_y[~keep], spoiled_z[~keep] = np.nan, np.nan
    mean, slope = loss.value_and_gradient(y[keep], z[keep])
    for how, given in (("mask", {"mask": keep}), ("zero weight", {"sample_weight": keep.astype(float)})):
        value, gradient = loss.value_and_gradient(spoiled_y, spoiled_z, **given)
        good = value == mean and np.array_equal(gradient[keep], slope) and not gradient[~keep].any()
        yield Answer(f"absent by {how}", bool(good), "" if good else f"mean {value!r} for {mean!r}")


def is_dtype_true(loss: Loss, _: bool) -> Iterator[Answer]:
    """The dtype that comes in goes out, and half precision is single precision rounded once."""
    y, z = _sample(loss, 16)
    good = True
    for d in (np.float16, np.float32, np.float64):
        raw = z.astype(d)
        for reading in (loss.value, loss.gradient, loss.hessian):
            found = reading(y.astype(raw.dtype) if d != np.float16 else y.astype(np.float32), raw)
            good &= found.dtype == d
            if d == np.float16:
                single = reading(y.astype(np.float32), raw.astype(np.float32)).astype(np.float16)
                good &= np.array_equal(found, single)
    yield Answer("dtypes are kept", bool(good))


def is_a_mean(loss: Loss, _: bool) -> Iterator[Answer]:
    """Weights count examples, totals merge exactly, and order does not matter."""
    y, z = _sample(loss, 30, seed=1)
    w = np.random.default_rng(2).integers(0, 4, 30).astype(float)
    repeated = np.repeat(np.arange(30), w.astype(int))
    repeats = math.isclose(loss(y, z, w), loss(y[repeated], z[repeated]), rel_tol=1e-14)
    yield Answer("a whole weight is a repetition", repeats)
    merged = loss.total(y[:11], z[:11], w[:11]) + loss.total(y[11:], z[11:], w[11:])
    yield Answer("totals of parts add exactly", merged == loss.total(y, z, w))
    order = np.random.default_rng(3).permutation(30)
    value, slope = loss.value_and_gradient(y, z, w)
    again, shuffled = loss.value_and_gradient(y[order], z[order], w[order])
    yield Answer("order does not matter", value == again and np.array_equal(slope[order], shuffled))
    share = (w / w.sum())[(...,) + (None,) * (z.ndim - 1)]
    yield Answer("one pass says the same", np.allclose(slope, loss.gradient(y, z) * share, rtol=1e-12, atol=1e-300))


def is_fair_to_classes(loss: Loss, _: bool) -> Iterator[Answer]:
    """Class losses do not change with a shift of the row or a renaming of classes, and one-hot equals the index."""
    if not loss.is_classwise:
        return
    y, z = _sample(loss, 20, seed=4)
    z = np.round(z * 8) / 8
    if "log_z" not in {str(s) for s in loss.predictions}:
        yield Answer("a shift of the row changes nothing", np.array_equal(loss.value(y, z), loss.value(y, z + 4.0)))
        sums = loss.gradient(y, z).sum(axis=1)
        yield Answer("signals of a row add to nothing", bool(np.abs(sums).max() <= 1e-14))
    if not loss.class_weight:
        order = np.random.default_rng(5).permutation(z.shape[1])
        renamed = np.argsort(order)[y]
        same = np.allclose(loss.value(renamed, z[:, order]), loss.value(y, z), rtol=1e-13)
        yield Answer("classes may be renamed", bool(same))
    one_hot = np.eye(z.shape[1])[y]
    same = np.array_equal(loss.value(one_hot, z), loss.value(y, z))
    same &= np.array_equal(loss.gradient(one_hot, z), loss.gradient(y, z))
    yield Answer("one-hot rows equal indices", bool(same))
