"""How goodmeasure says what went wrong: a stable code, what, where, what was seen, and one line that fixes it.

Every problem has a class of its own, whose docstring is the page that ``goodmeasure explain CODE`` prints. Classes derive
from what a host would expect (``ValueError``, ``TypeError``), so that ordinary ``except`` clauses keep working.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from reprlib import Repr
from typing import ClassVar, Self


class Problem(Exception):
    """Something that goodmeasure refuses to compute with, and how to mend it.

    The arguments are sentences without a code: ``what`` happened, ``where``, what was ``seen``, and a ``fix`` that can be
    run or typed as it stands.
    """

    code: ClassVar[str] = "GM000"
    exit_status: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", seen: str = "", fix: str = "") -> None:
        super().__init__(what, where, seen, fix)
        self.what: str = what
        self.where: str = where
        self.seen: str = seen
        self.fix: str = fix

    def mended_by(self, fix: str) -> Self:
        """The same problem where another line fixes it, as in a host whose arguments have other names."""
        return type(self)(self.what, where=self.where, seen=self.seen, fix=fix)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.seen, self.fix)

    def lines(self) -> list[tuple[str, str]]:
        """The labelled lines below the first one, in the order in which they are read."""
        return [(label, text) for label in ("where", "seen", "fix") if (text := getattr(self, label))]

    def __str__(self) -> str:
        return "\n".join([f"{self.code} {self.what}", *(f"  {label:6}{text}" for label, text in self.lines())])


def _rebuild(kind: type[Problem], what: str, where: str, seen: str, fix: str) -> Problem:
    return kind(what, where=where, seen=seen, fix=fix)


class FormulaError(Problem, TypeError):
    """A formula used something that is not in the vocabulary.

    A loss is traced: its function is called once with symbols, and what it returns is the formula. So it may only use
    goodmeasure's words (``log``, ``where``, ``maximum``, ...) and arithmetic, and no Python ``if`` on a symbol. Write
    ``where(condition, a, b)`` for a choice, and take functions from ``goodmeasure.words`` rather than from ``math`` or NumPy.
    """

    code = "GM001"


class HyperparameterError(Problem, ValueError):
    """A hyperparameter lies outside its domain, or the loss has none of that name.

    Each hyperparameter of a loss says which values make it a loss: a Huber delta is positive, a quantile level lies
    strictly between 0 and 1. The error names the allowed set.
    """

    code = "GM002"


class ShapeMismatch(Problem, ValueError):
    """The target and the raw output do not have matching shapes.

    Shapes never broadcast here: ``(N, 1)`` against ``(N,)`` would silently become an ``(N, N)`` table of mixed pairs, and
    its mean is a number that looks like a loss. Make the shapes equal with ``z[:, 0]``, ``z.squeeze(-1)`` or ``y[:, None]``.
    """

    code = "GM003"


class TargetOutsideDomain(Problem, ValueError):
    """A target lies outside the domain of the loss.

    A count is a whole number, a positive amount is above zero, a class index lies between 0 and K - 1, and NaN is in no
    domain. Give rows that should not count a ``mask=`` or a weight of zero; mend the others.
    """

    code = "GM004"


class NothingToAverage(Problem, ValueError):
    """A mean over no examples was asked for: everything is masked, weighted zero, or there are no rows.

    The mean of nothing has no value. Check the mask and the weights, or take ``loss.total(...)``, whose sum and weight
    of an empty part are both zero and merge with other parts exactly.
    """

    code = "GM005"


class WeightError(Problem, ValueError):
    """Weights must be finite, not negative, and one for each example.

    A weight says how many examples a row stands for, or how much it matters; a negative or infinite one has no such meaning.
    """

    code = "GM006"


class NoSuchReading(Problem, ValueError):
    """This loss does not have the reading that was asked for.

    The hinge loss, for example, implies no probability: its best raw output is the same for every probability above one
    half. The error says which losses have the reading.
    """

    code = "GM007"


class NoSuchLoss(Problem, AttributeError, LookupError):
    """No loss of the catalogue has this name, and nobody is known to call one so.

    Losses are found by their own names and by what people call them (mse, mae, bce, ...). ``goodmeasure losses`` lists
    them all with what each asks for; a loss of your own is a function under ``@goodmeasure.loss``. Of some that people ask
    for and that are not here the error says why, and what to use instead.
    """

    code = "GM011"
    exit_status = 2


class NothingToLearn(Problem, ValueError):
    """Every target has the same value, or only one class occurs.

    Nothing separates the rows, so no loss can tell a good model from a constant one. Check the filter that made the
    table; for a rare event, include the rows in which it did not happen.
    """

    code = "GM602"


class MissingExtra(Problem, ImportError):
    """A framework that this function needs is not installed.

    Each framework is an extra of the package, so that nobody installs what they do not use.
    """

    code = "GM008"
    exit_status = 2


class NotEnoughMemory(Problem, MemoryError):
    """What was asked takes more memory than there is, or than this process may use.

    Tables are read in parts where that can be, and a run takes a sample of a table that is too large; what is left grows with
    columns and with classes. Leave out columns or rows that are not needed, or take a machine with more memory. Nothing
    half-written was left.
    """

    code = "GM016"


class UsageError(Problem, ValueError, TypeError):
    """A command or function was called with arguments that it does not know or that do not fit together.

    The message names the argument, what was given, and what it takes; of a misspelt one it names the nearest that exists.
    """

    code = "GM009"
    exit_status = 2


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names that one may stand for, at most three, the closest first; none where nothing comes near.

    Near is what one slip in three letters leads to, what the name begins, and what it only goes on from a little.
    """
    typed = _letters(name)
    far = {each: _edits(typed, _letters(each)) for each in dict.fromkeys(known)}
    near = [each for each, edits in far.items() if edits <= max(1, len(typed) // 3)]
    begun = [each for each in far if each not in near and _begins(typed, _letters(each))]
    return [*sorted(near, key=far.__getitem__), *sorted(begun, key=len)][:3]


def _letters(name: str) -> str:
    """A name without what options begin with, in small letters."""
    return name.lstrip("-").casefold()


def _begins(typed: str, other: str) -> bool:
    """Whether a name is the beginning of another, or goes on a little after it."""
    return len(typed) > 2 and (other.startswith(typed) or (typed.startswith(other) and 2 * len(other) >= len(typed)))


def _edits(a: str, b: str) -> int:
    """Letters left out, put in, taken for another, or two of them swapped (optimal string alignment) from one to the other."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            fewest = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            swapped = i > 1 and j > 1 and a[i - 2 : i] == b[j - 1] + b[j - 2]
            rows[i].append(min(fewest, rows[i - 2][j - 2] + 1) if swapped else fewest)
    return rows[-1][-1]


def with_article(name: str) -> str:
    """The name of a kind as a sentence says it: an Estimate, a uint8."""
    return f"{'an' if _VOWEL.match(name) else 'a'} {name}"


_VOWEL = re.compile(
    "[aeio]|u(?!ni|int|s)|(?-i:[FHLMNRSX](?=[A-Z]))", re.IGNORECASE
)  # letters that are said one by one too


def shorter(value: object) -> str:
    """A value as an error shows it: at most a line, whatever it holds."""
    shown = _SHORT.repr(value)
    return " ".join(shown.split()) if shown.isprintable() else ascii(" ".join(shown.split()))


_SHORT = Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 60


def problems(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Every kind of problem that has been defined so far."""
    for sub in kind.__subclasses__():
        yield sub
        yield from problems(sub)
