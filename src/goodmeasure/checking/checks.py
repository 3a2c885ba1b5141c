"""The test battery for a loss: its numbers against the truth, its limits, absence, dtypes, weights and symmetries.

Every loss of the catalogue passes it, and so should a loss of your own: ``goodmeasure.check(loss)``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any, TypeAlias

import numpy as np

from goodmeasure.checking.repair import Repair, budgets_off, repaired
from goodmeasure.checking.truth import Clock, NoTruth, OutOfTime, Truth, target_moves, truth, value_and_moves
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import Problem
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.formulas.expression import nodes, simplify, symbol
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.traits.targets import inside, members

_STEPS = (0.0, 1e-9, 1e-4, 0.1, 0.7, 1.0, 2.5, 6.0, 12.0, 18.0, 40.0, 95.0)
_FAR_STEPS = (300.0, 700.0)
ULPS = 8


@dataclass(frozen=True)
class Answer:
    """One question of the battery, whether the loss passed it, and what was seen where it did not.

    ``passed`` is None where too little was looked at to say either.
    """

    question: str
    passed: bool | None
    seen: str = ""

    @property
    def status(self) -> str:
        """The answer in a word or two."""
        return "not examined" if self.passed is None else "passed" if self.passed else "failed"


@dataclass(frozen=True)
class Report(Displayed):
    """The answers of the battery for one loss.

    Attributes:
        loss: the loss, as it is spelled.
        answers: each question, its ``status`` ("passed", "failed", "not examined"), and what was seen where it is not
            passed.
        left_out: what was not checked in the work or time that was given, in sentences; empty where all was.
        repair: where digits are lost, a way to write the formula that loses fewer; None where none was found.

    Example:
        >>> import goodmeasure as gm
        >>> gm.check(gm.losses.squared_error()).passed
        True
    """

    loss: str
    answers: tuple[Answer, ...]
    left_out: tuple[str, ...] = ()
    repair: Repair | None = None

    @property
    def passed(self) -> bool:
        """Whether the loss passed every question: what was not examined has not passed."""
        return all(a.passed for a in self.answers)

    @property
    def failed(self) -> bool:
        """Whether the loss failed a question."""
        return any(a.passed is False for a in self.answers)

    @property
    def _summary(self) -> str:
        counts = Counter(a.status for a in self.answers)
        said = f"{self.loss}: {counts['passed']} of {len(self.answers)} passed"
        said += f", {counts['not examined']} not examined" if counts["not examined"] else ""
        return f"{said}; {'; '.join(self.left_out)}" if self.left_out else said

    def _display(self) -> Display:
        # What failed stands first, and what passed last.
        order = ("failed", "not examined", "passed")
        rows = sorted(((a.status, a.question, a.seen) for a in self.answers), key=lambda row: order.index(row[0]))
        notes = tuple(str(self.repair).splitlines()) if self.repair else ()
        columns = columns_of(("status", "question", "seen"), rows)
        return Display(self._summary, columns, notes=notes, under={"seen": "question"})

    def __str__(self) -> str:
        rows = [f"  {_MARKS[a.status]} {a.question}{': ' + a.seen if a.seen else ''}" for a in self.answers]
        told = [f"  {'write' if not k else '':6}{line}" for k, line in enumerate(str(self.repair).splitlines())]
        return printable("\n".join([self._summary, *rows, *(told if self.repair else [])]))


_MARKS = {"passed": "ok  ", "failed": "FAIL", "not examined": "?   "}


class CheckFailed(Problem, AssertionError):
    """A loss does not keep the contract of its numbers.

    The message lists each question that failed with the first point at which it did. The usual cause is a formula that
    subtracts nearly equal numbers or overflows on the way: write it with the words made for that (``log1p``, ``expm1``,
    ``softplus``, ``sqrt1pm1``, ``xlogy``, ...).
    """

    code = "GM010"


# The work of a check unless a time is given, in seconds of a quiet machine; and how many times as long it may take on another.
SECONDS = 10.0
_PATIENCE = 6.0
# The share of points below which what was looked at says nothing of the rest.
ENOUGH = 0.5
# How a check says how far it is.
Tick = Callable[[str], object]


@strict_keywords
def check(
    loss: Loss | Callable[..., Loss],
    *,
    thorough: bool = False,
    raises: bool = False,
    seconds: float | None = None,
    tick: Tick | None = None,
) -> Report:
    """Find out whether the numbers of a loss can be trusted, a loss of your own above all.

    Value, signal and curvature are held against the book form in arbitrary precision, far into both tails; then come
    limits at infinity, masks and weights, dtypes, symmetries. The same is looked at in every run, however busy the machine
    is; what does not fit is said in the report, and a question of which less than half was looked at is "not examined".

    Args:
        loss: a loss, or the factory of one, which is tried with its defaults.
        thorough: go further into the tails, which takes minutes.
        raises: raise a failure, in place of only reporting it.
        seconds: the time that it may take, in seconds. Unless given, it does the work of about 10 on a quiet machine, and
            all there is where ``thorough``. The search for a formula that keeps lost digits comes after it.
        tick: called with a short sentence at each step, for a sign of life; none unless given.

    Returns:
        A `Report`: print it; it has ``passed``, ``failed``, an answer to each question, ``left_out``, and, where digits are
        lost, the ``repair``: the line that keeps them, how many it wins, and what it costs.

    Raises:
        GM001: the formula holds a word that is neither elementary nor explained.
        GM010: a question failed, where ``raises``.

    Example:
        >>> import goodmeasure as gm
        >>> print(str(gm.check(gm.losses.squared_error)).splitlines()[0])
        squared_error(): 15 of 15 passed
    """
    tested = (loss if isinstance(loss, Loss) else loss()).one_label
    allowed = seconds if seconds is not None else math.inf if thorough else SECONDS
    clock = Clock(allowed) if seconds is not None or thorough else Clock(_PATIENCE * SECONDS, SECONDS)
    asked = Asking(thorough, clock, tick or (lambda _: None), allowed)
    truth_of = Held(tested, asked)
    # The truth comes before what kernels are compiled for, which takes seconds; and values, which show what is lost, before all.
    with clock.keeping(0.25):
        with clock.keeping(0.5):
            truth_of.look_at_values()
        held = tuple(truth_of.answers())
    rest = [answer for question in _questions() for answer in asked.of(question, tested)]
    better = truth_of.repair() if any(each.passed is False for each in held) else None
    report = Report(repr(tested), (*held, *rest), tuple(asked.left_out), better)
    if raises and report.failed:
        fix = better.line if better else "write the formula with words that do not cancel; see goodmeasure.words"
        raise CheckFailed(str(report), fix=fix)
    return report


@dataclass
class Asking:
    """How a battery is asked: how far, until when, who is told of it, and what had to be left out."""

    thorough: bool
    clock: Clock
    tick: Tick
    seconds: float
    left_out: list[str] = field(default_factory=list)

    def of(self, question: Question, loss: Loss) -> list[Answer]:
        asked = " ".join((question.__doc__ or "").split())
        self.tick(asked)
        takes = _compiling(loss) if question in (is_absent_where_told, is_a_mean) else 0.0
        if takes > max(self.clock.left, 0.0):
            why = f"the kernels of so long a formula take about {takes:.0f} s to compile"
            self.left_out.append(f"not asked, as {why}: {asked}")
            return [Answer(asked.rstrip("."), None, why)]
        self.clock.work -= takes
        return list(question(loss, self))

    def leave(self, what: str, done: int, of: int) -> None:
        """Note that only some points of a question were tried."""
        self.left_out.append(f"{what} at {done} of {of} points: the rest did not fit into {self.seconds:g} s")


# About how long kernels take to compile at least, and for each part of their formulas, in seconds.
_TO_COMPILE, _A_PART = 1.0, 0.05


def _compiling(loss: Loss) -> float:
    """About how long it takes until kernels answer: nothing where they are compiled already."""
    return 0.0 if "_kernels" in vars(loss) else _TO_COMPILE + _A_PART * len(list(nodes(loss.composed, *loss.signal)))


# A target and raw outputs.
Point: TypeAlias = tuple[float, list[float]]
Question: TypeAlias = Callable[[Loss, Asking], Iterator[Answer]]


def _questions() -> list[Question]:
    """Every question but that for the truth."""
    return [f for name, f in globals().items() if name.startswith("is_")]


# --- points ---


def targets(loss: Loss) -> list[float]:
    """Targets that try a loss: the ends of its domain where they belong to it, and values inside."""
    if loss.is_binary:
        return [1.0, 0.0, 0.25]
    tries = [0.0, 1.0, 0.25, 7.0, 40.0, -300.25, loss.target.high - 1, loss.target.high]
    inside = [y for y in dict.fromkeys(tries) if y in loss.target]
    # Other raw outputs than the first stay where they are: a target far from all of them shows what sums of densities lose.
    return inside[:4] if len(loss.activation) == 1 else [*inside[:3], *inside[3:][-1:]]


def points(loss: Loss, *, thorough: bool = False) -> list[Point]:
    """Targets with raw outputs, exact in single precision, from next to the target to far into both tails."""
    steps = [float(np.float32(s)) for s in (*_STEPS, *(_FAR_STEPS if thorough else ()))]
    m = len(loss.activation)
    found: list[Point] = []
    if loss.is_classwise:
        k = len(loss.class_weight) or 3
        for step in (0.0, 0.7, 6.0, 18.0, -18.0, 40.0, -1e-4, -95.0):
            row = [float(np.float32(x)) for x in [step, *(0.3 * i - 0.4 for i in range(k - 1))]]
            found += [(c, row) for c in range(min(2, k))]
        return found
    for y in targets(loss):
        centre = y if loss.activation[0].name == "linear" and not loss.is_binary else 0.0
        for step in steps if m == 1 else [*steps[1:9:2], *steps[8:12]]:
            for signed in (step, -step) if step else (step,):
                found.append((y, [float(np.float32(centre + signed)), *islice(cycle((0.5, -0.25, 0.75)), m - 1)]))
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


def budget(true: Truth, index: int, y: float, z: list[float], dtype: Any, least: float = 0.0) -> Any:
    """What rounding may cost one number of a point: see `_budget`."""
    return _budget(index, true.all[index], [moved[index] for moved in true.moves], y, z, dtype, least)


def _budget(index: int, answer: Any, moves: list[Any], y: float, z: list[float], dtype: Any, least: float) -> Any:
    """What rounding may cost: `ULPS` ulps of the answer, and what moving each input by an ulp would do.

    Next to its own zero an answer is a difference of terms that are each rounded, as if an input had moved by a whole ulp;
    in a curvature the terms are products of such factors of the order of one, so it may use four, and of one at least. An
    input counts as ``least`` at least: 1 where predictions are rounded that are of size one although raw outputs are tiny.
    """
    slack, least = (1.0, least) if index <= len(z) else (4.0, 1.0)
    spent = ULPS * float(np.finfo(dtype).eps) * abs(answer) + float(np.finfo(dtype).tiny)
    for moved, at in zip(moves, [*z, y], strict=False):
        spent += abs(moved) * _ulp(max(abs(at), least), dtype) * slack
    return spent


def _between_neighbours(
    loss: Loss, y: float, z: list[float], index: int, seen: float, dtype: Any, clock: Clock, least: float
) -> bool:
    """Whether rounding the inputs or the hyperparameters alone leads past what was seen, as next to a kink.

    It is also where a tiny answer took more digits than the truth began with.
    """

    def number(loss: Loss, y: float, z: list[float]) -> tuple[Any, Any]:
        """One number of a point, and what rounding may cost it."""
        if index == 0:
            answer, moves = value_and_moves(loss, y, z, clock)
            return answer, _budget(0, answer, moves, y, z, dtype, least)
        true = truth(loss, y, z, digits=1000, book=clock)
        return true.all[index], budget(true, index, y, z, dtype, least)

    rounded = _rounded(loss, dtype)
    here, allowed = number(rounded, y, z)
    there = [here]
    for k, way in ((k, way) for k in range(len(z)) for way in (-1, 1) if not loss.is_classwise):
        there.append(number(rounded, y, [a + way * _ulp(a, dtype) * (i == k) for i, a in enumerate(z)])[0])
    if target_moves(loss, y) and not loss.is_binary:
        beside = (y + way * _ulp(y, dtype) for way in (-1, 1))
        there += [number(rounded, near, z)[0] for near in beside if near in loss.target]
    if not min(there) - allowed <= seen <= max(there) + allowed:
        there += [number(near, y, z)[0] for near in _beside(rounded, dtype)]
    return bool(min(there) - allowed <= seen <= max(there) + allowed)


def _rounded(loss: Loss, dtype: Any) -> Loss:
    return replace(loss, hyperparameters=tuple((name, float(dtype(value))) for name, value in loss.hyperparameters))


def _beside(loss: Loss, dtype: Any) -> Iterator[Loss]:
    """The loss with one hyperparameter moved by an ulp: a power of 300 feels that 300-fold. Those of 0 and 1 are choices."""
    for name, value in loss.hyperparameters:
        for way in (-1, 1) if value not in (0, 1) else ():
            moved = value + way * _ulp(value, dtype)
            yield replace(loss, hyperparameters=tuple((n, moved if n == name else v) for n, v in loss.hyperparameters))


# --- the questions ---


_DTYPES = (np.float32, np.float64)
_NAMES = ("value", "signal", "curvature")
# What is looked at together.
_GROUPS = {"value": "values", "signal": "signals and curvatures", "curvature": "signals and curvatures"}


class Held:
    """The numbers of a loss at points, held to the truth: first all values, which is quick, then all that follows from them."""

    def __init__(self, loss: Loss, asked: Asking, tried: Sequence[Point] = (), least: float = 0.0) -> None:
        self.loss: Loss = loss
        self.asked: Asking = asked
        self.least: float = least
        self.tried: list[Point] = _spread(tried or points(loss, thorough=asked.thorough))
        y, z = [y for y, _ in self.tried], [z for _, z in self.tried]
        self.found: dict[Any, Any] = {d: _computed(loss, y, z, d) for d in _DTYPES}
        # At how many points values, and what follows from them, were looked at; and the word that has no truth.
        self.looked: dict[str, int] = {"values": 0, "signals and curvatures": 0}
        self.lacking: NoTruth | None = None
        # The worst that was seen of each number, in budgets, and where; and those whose fault is beyond doubt.
        self.worst: dict[tuple[str, Any], tuple[float, str]] = {(n, d): (0.0, "") for n in _NAMES for d in _DTYPES}
        self.certain: set[tuple[str, Any]] = set()
        # The truth of each number of a point, and what rounding may cost it in each precision.
        self.known: dict[tuple[int, int], dict[Any, tuple[Any, Any]]] = {}

    def look_at_values(self) -> bool:
        """Hold values to the truth as long as there is time; whether all of them were."""
        return self._look("values", self._values)

    def answers(self) -> Iterator[Answer]:
        """What was found of each number, after a look at what was not looked at yet."""
        done = {
            "values": self.look_at_values(),
            "signals and curvatures": self._look("signals and curvatures", self._all),
        }
        for what in (what for what, whole in done.items() if not whole):
            self.asked.leave(what, self.looked[what], len(self.tried))
        if self.lacking is not None:
            seen = f"{self.lacking.what} ({self.lacking.seen or self.lacking.where})"
            yield Answer("the truth can be computed", False, seen)
        for (name, d), (ratio, where) in self.worst.items():
            looked, question = self.looked[_GROUPS[name]], f"{name} is true in {np.dtype(d).name}"
            if ratio > 1:
                yield Answer(question, False, f"{ratio:.3g} budgets off {where}")
            elif looked < ENOUGH * len(self.tried):
                yield Answer(question, None, f"looked at {looked} of {len(self.tried)} points")
            else:
                yield Answer(question, True)

    def repair(self) -> Repair | None:
        """A way to write the formula that loses fewer digits, if one is found; see `repaired`."""
        self.asked.tick("a formula that loses fewer digits")
        y, z = [y for y, _ in self.tried], [z for _, z in self.tried]
        found = repaired(self.loss, y, z, self.known)
        return found[1] if found else None

    def _look(self, what: str, look: Callable[[int], None]) -> bool:
        """Go on looking at points while there is time; whether none is left, or a word has no truth."""
        count = len(self.tried)
        try:
            for row in range(self.looked[what], count if self.lacking is None else 0):
                self.asked.tick(f"the truth of {what}, point {row + 1} of {count}")
                look(row)
                self.looked[what] = row + 1
        except OutOfTime:
            return False
        except NoTruth as problem:
            self.lacking = problem
        return True

    def _values(self, row: int) -> None:
        y, z = self.tried[row]
        try:
            true, moves = value_and_moves(self.loss, y, z, self.asked.clock)
        except OutOfTime:
            raise
        except Exception:  # a word's book is anybody's function: the whole truth knows better, or says which word it is
            whole = truth(self.loss, y, z, book=self.asked.clock)
            true, moves = whole.value, [moved[0] for moved in whole.moves]
        for d in self.found:
            self._judge(row, 0, "value", d, true, _budget(0, true, moves, y, z, d, self.least))

    def _all(self, row: int) -> None:
        y, z = self.tried[row]
        true = truth(self.loss, y, z, book=self.asked.clock)
        names = ["value", *["signal"] * len(z), *["curvature"] * len(z)]
        for i, name in enumerate(names[: 1 if true.kinked else None]):
            for d in self.found:
                self._judge(row, i, name, d, true.all[i], budget(true, i, y, z, d, self.least))

    def _judge(self, row: int, index: int, name: str, d: Any, answer: Any, allowed: Any) -> None:
        import mpmath as mp

        y, z = self.tried[row]
        seen = float(self.found[d][row, index])
        if not answer and abs(seen) > float(
            np.finfo(d).tiny
        ):  # what is tiny takes more digits than the truth began with
            true = truth(self.loss, y, z, digits=1000, book=self.asked.clock)
            answer, allowed = true.all[index], budget(true, index, y, z, d, self.least)
        self.known.setdefault((row, index), {})[d] = answer, allowed
        ratio = budgets_off(seen, answer, allowed, d)
        if ratio <= max(1.0, self.worst[name, d][0]):
            return
        # One fault beyond doubt is enough: what lies between neighbours takes many digits to see.
        if (name, d) not in self.certain and _between_neighbours(
            self.loss, y, z, index, seen, d, self.asked.clock, self.least
        ):
            return
        self.certain.add((name, d))
        self.worst[name, d] = ratio, f"at y={y:g}, z={z}: {seen!r}, the truth is {mp.nstr(answer, 17)}"


def _spread(tried: Sequence[Point]) -> list[Point]:
    """The points in an order that visits every region early, the same each time."""
    order = np.random.default_rng(0).permutation(len(tried))
    return [tried[i] for i in order]


def is_mirrored(loss: Loss, _: Asking) -> Iterator[Answer]:
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


def is_limiting(loss: Loss, _: Asking) -> Iterator[Answer]:
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
        y = inside(loss.target, np.minimum(random.poisson(3, n).astype(float), loss.target.high))
    else:
        ended = math.isfinite(loss.target.low) or math.isfinite(loss.target.high)
        y = members(loss.target, random.gamma(2.0, 1.0, n) if ended else random.normal(size=n) * 2)
    m = len(loss.activation)
    return y, random.normal(size=n if m == 1 else (n, m))


def is_absent_where_told(loss: Loss, _: Asking) -> Iterator[Answer]:
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


def is_dtype_true(loss: Loss, _: Asking) -> Iterator[Answer]:
    """The dtype that comes in goes out, and half precision is single precision rounded once."""
    y, z = _sample(loss, 16)
    good = True
    for d in (np.float16, np.float32, np.float64):
        raw = z.astype(d)
        for reading in (loss.value, loss.gradient, loss.hessian):
            found = reading(y.astype(raw.dtype) if d != np.float16 else y.astype(np.float32), raw)
            good &= found.dtype == d
            if d == np.float16:
                with np.errstate(over="ignore"):
                    single = reading(y.astype(np.float32), raw.astype(np.float32)).astype(np.float16)
                good &= np.array_equal(found, single)
    yield Answer("dtypes are kept", bool(good))


def is_a_mean(loss: Loss, _: Asking) -> Iterator[Answer]:
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
    with np.errstate(over="ignore", invalid="ignore"):
        parts = loss.gradient(y, z) * share
        # Where a signal leaves the numbers, a pass of its own may leave them too, or share it first.
        far = ~np.isfinite(parts) | ~np.isfinite(slope)
        off = ~far & ~np.isclose(slope, parts, rtol=1e-12, atol=1e-300)
    seen = f"{slope[off][0]!r} for {parts[off][0]!r}" if off.any() else ""
    yield Answer("one pass says the same", not off.any(), seen)


def is_fair_to_classes(loss: Loss, _: Asking) -> Iterator[Answer]:
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
