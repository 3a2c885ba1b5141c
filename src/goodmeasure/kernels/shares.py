"""The loops of losses of classes whose targets give every class a share: a row of probabilities in place of an index.

A row costs what each class would if it had happened, times its share. So the formulas are evaluated once for every class, in
the vector lanes of the loops for indices: across rows where classes are few, along a row where they are many. What one class
does to the signals of all others is regrouped into sums over the classes, so that nothing is done for pairs of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from goodmeasure.deriving.arguments import ROUNDINGS, SLACK
from goodmeasure.deriving.class_statistics import LOG_P
from goodmeasure.formulas.expression import Expr, replaced, symbol
from goodmeasure.formulas.words import exp
from goodmeasure.kernels import statistics
from goodmeasure.kernels.few import TILE, across, tiled
from goodmeasure.kernels.many import GROUP, OF_SIGNAL, WIDTH, found, lined
from goodmeasure.kernels.printer import Body, expanded, indented, names_of
from goodmeasure.kernels.statistics import CLASS, ROW, STATISTICS, STILL, SUMS

# What the lines of a row say of the class that happened is here said of each class in turn, whose raw output is ``x``. The first
# of the largest raw outputs is the rival of every other class.
_OF = {
    "is_top": "at == at_top",
    "z_of": "x",
    "of_top": "top",
    "e_of": "e",
    "rival": "second if is_top else largest",
}


def _split() -> tuple[dict[str, str], dict[str, str]]:
    """The lines of a row that every class shares, and those of each class."""
    row: dict[str, str] = {}
    each = dict(_OF)
    for name, text in ROW.items():
        if name not in each:
            (each if names_of(text) & set(each) else row)[name] = text
    return row, each


_ROW, _EACH = _split()


@dataclass(frozen=True)
class MixedSlopes:
    """How shares mix a statistic's slopes, where ``s`` is the slope of a class times its share.

    ``terms`` are summed over the classes. Of a term t, ``whole_t`` is the sum over all classes and ``others_t`` that over the
    classes other than this one. ``signal`` are lines that end in the signal.
    """

    terms: Mapping[str, str]
    signal: Mapping[str, str]


_ASIDE = {"aside_{s}": "ZERO if is_top else {s}", "alone_{s}": "{s} if is_top else ZERO"}

# Statistics whose slope by one raw output depends on which other class happened; for the rest `statistics.Moves` says enough.
_MIXED: Mapping[str, MixedSlopes] = {
    # By raw output j, class k moves the squares of all but k: a sum over pairs, which the largest square is kept out of.
    "rest_p2": MixedSlopes(
        {**_ASIDE, "squared_{s}": "aside_{s} * (e * e)"},
        {
            "left_j": "(squares - (ZERO if top else e * e)) + (spare - (ONE if top & (at != at_top) else ZERO))",
            "pairs_{s}": (
                "(ZERO if is_top else whole_alone_{s} * left_j)"
                " + ((left_j if is_top else ONE + left_j) * others_aside_{s} - others_squared_{s})"
            ),
            "every_{s}": "others_aside_{s} + (ZERO if is_top else whole_alone_{s})",
            "mixed_{s}": "(p * rest_j * every_{s} - pairs_{s} * (inverse * inverse)) - {s} * others2",
            "signal_{s}": "ZERO if p == ZERO else (p + p) * mixed_{s}",
        },
    ),
    "margin": MixedSlopes(
        _ASIDE,
        {
            "rivals_{s}": "whole_aside_{s} if is_top else (whole_alone_{s} if at == at_second else ZERO)",
            "signal_{s}": "{s} * (ONE + ZERO * excess) - rivals_{s}",
        },
    ),
}


def _mixed(name: str) -> MixedSlopes:
    """How a statistic's slopes are mixed, in names of its own."""
    moves = STATISTICS[name]
    plain = MixedSlopes(
        {"{s}": "{s}"},
        {
            "of_{s}": moves.of,
            "other_{s}": moves.other,
            # Where a statistic does not move, an infinite slope must not make a NaN.
            "own_{s}": "ZERO if of_{s} == ZERO else {s} * of_{s}",
            "signal_{s}": "own_{s} + (ZERO if other_{s} == ZERO else others_{s} * other_{s})",
        },
    )
    mixed, s = _MIXED.get(name, plain), f"slope_{name}"
    return MixedSlopes(
        *({k.format(s=s): t.format(s=s) for k, t in part.items()} for part in (mixed.terms, mixed.signal))
    )


# A sum over the classes leaves the largest term out, so that the sum over the others of one class cancels nothing.
# Nothing is read or computed in a choice: where there are several, the compiler could not turn them into vector code.
_ADDED = [
    "peak_{t} = peak_{t}_[i]",
    "leads_{t} = abs({t}) > abs(peak_{t})",
    "less_{t} = peak_{t} if leads_{t} else {t}",
    "more_{t} = {t} if leads_{t} else peak_{t}",
    "under_{t}_[i] += less_{t}",
    "peak_{t}_[i] = more_{t}",
]
_MERGED = [
    "first, second = peak_{t}_[i], peak_{t}_[i + {{half}}]",
    "leads = abs(second) > abs(first)",
    "less, more = first if leads else second, second if leads else first",
    "under_{t}_[i] += under_{t}_[i + {{half}}] + less",
    "peak_{t}_[i] = more",
]
_OTHERS = {
    "whole_{t}": "peak_{t} + under_{t}",
    "others_{t}": "under_{t} if {t} == peak_{t} else peak_{t} + (under_{t} - {t})",
}


def _of_terms(templates: Iterable[str], terms: Iterable[str]) -> list[str]:
    return [line.format(t=t) for t in terms for line in templates]


def _of_p(formula: Expr) -> Expr:
    """The formula with the probability of a class, which is at hand for each of them, in place of exp(log_p)."""
    return replaced(formula, exp(LOG_P), symbol("p"))


class SharePasses:
    """What the passes over the classes of a row need: the lines of each, and what of the row they read."""

    def __init__(self, asked: statistics.Asked) -> None:
        slopes = {name: _of_p(slope) for name, slope in asked.derivatives}
        self.asked = replace(asked, value=_of_p(asked.value), derivatives=tuple(slopes.items()))
        self.slopes, spoken = list(slopes), self.asked.spoken
        given = {name: moves.value for name, moves in STATISTICS.items()}
        self.values = {name: text for name, text in {**given, "p": CLASS["p"]}.items() if name in spoken}
        self.counts = "weight" in spoken
        mixed = [_mixed(name) for name in slopes]
        self.terms = {name: text for each in mixed for name, text in each.terms.items()}
        others = {k.format(t=t): text.format(t=t) for t in self.terms for k, text in _OTHERS.items()}
        signal = {name: text for each in mixed for name, text in each.signal.items()}
        self.signals = [list(each.signal)[-1] for each in mixed]
        own = {name: text for name, text in self.terms.items() if name != text}
        self.still = {f"slope_{k}": STILL[k] for k, f in slopes.items() if k in STILL and f.number is None}
        first = [*self.values.values(), *own.values(), *self.still.values()]
        lines = {**_EACH, **CLASS, **own, **others, **signal}
        self.first = {name: _EACH[name] for name in statistics.needed(first, _EACH)}
        self.second = {name: lines[name] for name in statistics.needed(self.signals, lines)}
        read = {n for text in (*first, *self.first.values(), *self.second.values()) for n in names_of(text)}
        # Where the first of the largest raw outputs stands, and the largest of the others; where a statistic asks for them.
        self.ranked = [["at_top"], ["second", "at_second"]][: 2 if read & {"second", "at_second"} else "at_top" in read]
        read |= {"largest"} if self.ranked else set()
        self.row = {name: _ROW[name] for name in statistics.needed(read, _ROW)}
        used = read | {n for text in self.row.values() for n in names_of(text)}
        self.sums = [name for name in SUMS if name in used]
        self.kept = [name for name in ("largest", *SUMS, *_ROW) if name in read]

    def printed(self, weight: str) -> Body:
        """The formulas, and the bound on how far a row of shares may be from 1.

        It is stricter than elsewhere by what rounding may do to the sum: what it lets pass is refused nowhere.
        """
        found = statistics.of_row(self.asked, weight)
        unit = (ROUNDINGS - 1) * float(np.finfo(self.asked.dtype).eps)
        return replace(found, before=[*found.before, f"slack = FLOAT({unit} * classes + {SLACK})"])

    @property
    def leaders(self) -> list[str]:
        """The names of what `ranked` found."""
        return [name for names in self.ranked for name in names]

    @property
    def vectors(self) -> list[str]:
        """The vectors of what is summed over the classes."""
        return ["cost", "asked", *(f"{part}_{t}" for t in self.terms for part in ("peak", "under"))]

    @property
    def lines(self) -> list[str]:
        """The vectors of what is read and computed for a line of lanes."""
        return ["x", "e", "share", *(f"slope_{name}" for name in self.slopes)]

    def of_row(self, loaded: Iterable[str]) -> list[str]:
        """The lines that turn the sums of row ``i`` into what its classes share."""
        lines = [f"{name} = {name}_[i]" for name in loaded]
        lines += expanded(self.row, self.asked.dtype) if self.row else []
        lines += [f"{name}_[i] = {name}" for name in self.kept if name in self.row]
        return lines + (["pull_[i] = FLOAT(weight_part[i] * scale)"] if self.asked.weighted else ["pass"])

    def costs(self, printed: Body) -> list[str]:
        """The lines that add one class, which stands in lane ``i``, to the cost of its row and to the sums of its slopes."""
        lines = ["top = e == ONE", *(expanded(self.first, self.asked.dtype) if self.first else [])]
        lines += [f"now_{name} = {text}" for name, text in self.values.items()]
        results = dict(zip(["cost", *(f"slope_{name}" for name in self.slopes)], printed.results, strict=True))
        # Nothing is computed or stored between choices by one condition, which would become branches.
        lines += [*printed.inside, *(f"part_{name} = share * {result}" for name, result in results.items())]
        lines += [
            "here = share > ZERO",
            *(f"moves_{name} = here & ({text} != ZERO)" for name, text in self.still.items()),
        ]
        lines += [
            f"{name} = part_{name} if {f'moves_{name}' if name in self.still else 'here'} else ZERO" for name in results
        ]
        # What is no share leaves no sum that could be 1.
        lines += ["part = share if share >= ZERO else -INF"]
        pull = "pull" if self.asked.weighted else "factor"
        lines += [f"{name} *= {pull}" for name in list(results)[1:]]
        lines += [f"{name} = {text}" for name, text in self.terms.items() if name != text]
        lines += [f"{name}_[i] = {name}" for name in list(results)[1:]]
        return [*lines, "cost_[i] += cost", "asked_[i] += part", *_of_terms(_ADDED, self.terms)]

    def signal(self, present: str) -> list[str]:
        """The lines that turn the exponential ``e`` of a class in lane ``i`` into its signal."""
        lines = [f"slope_{name} = block[{n * WIDTH} + i]" for n, name in enumerate(self.slopes)]
        lines += ["top = e == ONE", *(f"{name} = {text}" for name, text in self.second.items())]
        return [*lines, f"line[i] = ({' + '.join(self.signals)}){present}"]


def tables_of(slopes: int, is_few: bool) -> int:
    """How many tables of a number a class a kernel has room for.

    Of few classes it keeps a tile's exponentials, shares, raw outputs, and slopes times shares. Of many it keeps the slopes of
    a row, while exponentials are where its signal will be; without a signal, the exponentials of a group of rows.
    """
    return 3 + slopes if is_few else slopes or GROUP


# The slopes of a line of lanes are kept until the sums of all are known. What is computed for a line stands in scratch at places
# that are known when the kernel is compiled, and is copied in and out: arrays that might overlap would be no vector code.
_KEPT = """\
block = {block}
{copies}"""
_COPY = """\
for i in range({width}):
    block[{start} + i] = {name}_[i]"""


def _kept(slopes: Sequence[str], block: str) -> str:
    copies = [_COPY.format(width=WIDTH, start=n * WIDTH, name=f"slope_{name}") for n, name in enumerate(slopes)]
    return _KEPT.format(block=block, copies="\n".join(copies)) if slopes else ""


# --- a few classes: rows in the lanes ---

_LAID = """\
given_, raws_ = cells[numbers : 2 * numbers], cells[2 * numbers : 3 * numbers]
shares_part = y[start * classes : (start + count) * classes]
if count < {width}:
    for i in range(numbers):
        given_[i] = ZERO
{across}"""

# Classes from the last to the first, so that the first of equal ones stays.
_FEW_TOP = """\
for j in range(classes):
    k = classes - 1 - j
    line, at = cells[k * {width} : k * {width} + {width}], FLOAT(k)
    for r in range({width}):
        at_top_[r] = at if line[r] == largest_[r] else at_top_[r]"""

_FEW_SECOND = """\
for r in range({width}):
    at_second_[r] = ONE if at_top_[r] == ZERO else ZERO
for k in range(classes):
    line, at = cells[k * {width} : k * {width} + {width}], FLOAT(k)
    for r in range({width}):
        x, second, at_second = line[r], second_[r], at_second_[r]
        follows = (x > second) & (at_top_[r] != at)
        second_[r] = x if follows else second
        at_second_[r] = at if follows else at_second"""

_FEW_COSTS = """\
for k in range(classes):
    line, given = cells[k * {width} : k * {width} + {width}], given_[k * {width} : k * {width} + {width}]
    raws, at, counts = raws_[k * {width} : k * {width} + {width}], FLOAT(k), table[k]
    for i in range({width}):
        x_[i], e_[i], share_[i] = raws[i], line[i], given[i]
    for i in range({width}):
        x, e, share = x_[i], e_[i], share_[i]
{inside}
{slopes}
for r in range(count):
    bad |= {present}(not (abs(asked_[r] - ONE) <= slack))
for r in range({width}):
    value_part[r] = cost_[r]{kept}"""

_FEW_SIGNAL = """\
for k in range(classes):
    line, at = cells[k * {width} : k * {width} + {width}], FLOAT(k)
    block = {block}
    for i in range({width}):
        e = line[i]
{inside}
"""


def few_shares(asked: statistics.Asked) -> str:
    """The source of a kernel over shares of at most `few.FEW` classes."""
    plan, slopes, weighted = SharePasses(asked), asked.slopes, asked.weighted
    printed = plan.printed("counts")
    loaded = ["largest", *plan.sums]
    ranked = "\n".join([_FEW_TOP, _FEW_SECOND][: len(plan.ranked)]).format(width=TILE)
    pull = ["pull"] if weighted else []
    read = [f"{name} = {name}_[i]" for name in (*plan.kept, *plan.leaders, *pull)]
    summed = [f"{name} = {name}_[i]" for name in plan.vectors[2:]]
    clear = [f"{name}_[r] = ZERO" for name in (*plan.vectors, *plan.leaders)]
    clear += ["second_[r] = -INF"] if "second" in plan.leaders else []
    present = (" if weight_part[{lane}] > 0.0 else ZERO" if weighted else "").format
    vectors = dict.fromkeys(["shown", *loaded, *plan.kept, *plan.leaders, *pull, *plan.vectors, *plan.lines])
    start = f"(3 * classes + k * {len(slopes)}) * {TILE}"
    block = f"cells[{start} : {start} + {len(slopes) * TILE}]"
    costs = _FEW_COSTS.format(
        width=TILE, slopes=indented(_kept(plan.slopes, block), 1),
        inside=indented("\n".join([*read, *plan.costs(printed)]), 2),
        present="(weight_part[r] > 0.0) & " if weighted else "", kept=present(lane="r"),
    )  # fmt: skip
    inside = indented("\n".join([*read, *summed, *plan.signal(present(lane="i"))]), 2)
    return tiled(
        asked, plan.sums, printed, list(vectors), clear,
        kind=asked.dtype, targets="n * classes", cells=tables_of(len(slopes), True) * TILE,
        laid=indented(_LAID.format(width=TILE, across=across("given_", "shares_part", asked.dtype)), 1),
        label="", rival=indented(ranked, 1),
        beside=f"        raws = raws_[k * {TILE} : k * {TILE} + {TILE}]", step=["raws[r] = x"],
        formulas=plan.of_row(loaded),
        classes=indented(costs, 1),
        signal=_FEW_SIGNAL.format(width=TILE, block=block, inside=inside) if slopes else "",
    )  # fmt: skip


# --- many classes: classes in the lanes ---

_MANY_TOP = """\
at_top = 0
for j in range(classes):
    k = classes - 1 - j
    at_top = k if row[k] == largest else at_top"""

_MANY_SECOND = """\
second, at_second = -INF, 1 if at_top == 0 else 0
for k in range(classes):
    if k != at_top and row[k] > second:
        second, at_second = row[k], k"""

_MANY = """\
for r in range(count):
    row, row_given = z[(start + r) * classes : (start + r + 1) * classes], y[(start + r) * classes : (start + r + 1) * classes]
    e_row = {line}
{before}
    for i in range({width}):
        {clear}
    for j in range(0, classes, {width}):
        # Lanes that are left over hold classes without a share.
        left = min({width}, classes - j)
        row_part, given_part, e_part = row[j : j + left], row_given[j : j + left], e_row[j : j + left]
        counts_part = table[j : j + left]
        for i in range(left):
            x_[i], e_[i], share_[i]{counted} = row_part[i], e_part[i], given_part[i]{counts}
        for i in range(left, {width}):
            x_[i], e_[i], share_[i] = ZERO, ZERO, ZERO
        for i in range({width}):
            x, e, share, at = x_[i], e_[i], share_[i], j + i
{inside}
{slopes}
{folded}
    value_part[r] = cost_[0]{kept}
    bad |= {present}(not (abs(asked_[0] - ONE) <= slack))
{signal}"""

_HALVES = [WIDTH >> step for step in range(1, WIDTH.bit_length())]
# One step of those that fold the lanes; each is a loop of its own, whose length is known when it is compiled.
_FOLD = """\
for i in range({half}):
    cost_[i] += cost_[i + {half}]
    asked_[i] += asked_[i + {half}]
{merged}"""

_MANY_SIGNAL = """\
{summed}
for j in range(0, classes, {width}):
    left = min({width}, classes - j)
    line, block = e_row[j : j + left], {block}
    for i in range(left):
        e, at = line[i], j + i
{inside}
"""


def many_shares(asked: statistics.Asked) -> str:
    """The source of a kernel over shares of many classes."""
    plan, slopes, weighted = SharePasses(asked), asked.slopes, asked.weighted
    printed = plan.printed("counts_[i]")
    loaded, pull = found(plan.sums), ["pull"] if weighted else []
    read = [f"{name} = {name}_[r]" for name in (*plan.kept, *pull)]
    present = " if weight_part[r] > 0.0 else ZERO" if weighted else ""
    merged = indented("\n".join(_of_terms(_MERGED, plan.terms)), 1)
    folded = "\n".join(_FOLD.format(merged=merged.format(half=half), half=half) for half in _HALVES)
    block = f"cells[j * {len(slopes)} : j * {len(slopes)} + {WIDTH * len(slopes)}]"
    signal = _MANY_SIGNAL.format(
        width=WIDTH, block=block, summed="\n".join(f"{name} = {name}_[0]" for name in plan.vectors[2:]),
        inside=indented("\n".join(plan.signal(present)), 2),
    )  # fmt: skip
    line = OF_SIGNAL if slopes else "cells[r * classes : (r + 1) * classes]"
    passes = _MANY.format(
        width=WIDTH, line=line, slopes=indented(_kept(plan.slopes, block), 2),
        before=indented("\n".join([*read, *[_MANY_TOP, _MANY_SECOND][: len(plan.ranked)]]), 1),
        clear="; ".join(f"{name}_[i] = ZERO" for name in plan.vectors),
        counted=", counts_[i]" if plan.counts else "", counts=", counts_part[i]" if plan.counts else "",
        inside=indented("\n".join(plan.costs(printed)), 3),
        folded=indented(folded, 1), kept=present, present="(weight_part[r] > 0.0) & " if weighted else "",
        signal=indented(signal, 1) if slopes else "",
    )  # fmt: skip
    return lined(
        asked, plan.sums, printed, loaded, [*dict.fromkeys(["shown", *plan.kept, *pull])],
        kind=asked.dtype, targets="n * classes", cells=f"{tables_of(len(slopes), False)} * (classes + {WIDTH})",
        wide=[*plan.vectors, *plan.lines, *(["counts"] if plan.counts else [])],
        label="", rival="", line=line,
        formulas=plan.of_row(loaded), passes=indented(passes, 1),
    )  # fmt: skip
