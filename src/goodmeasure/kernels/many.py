"""The loop of losses over many classes: the classes of a row stand in the vector lanes, and the row stays in cache.

A row is read once; its exponentials go where its signal will be, and become the signal there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goodmeasure.kernels import statistics, sums
from goodmeasure.kernels.few import SIGNATURE
from goodmeasure.kernels.printer import Body, expanded, indented, module, word_source
from goodmeasure.kernels.sums import BAD, BITS_OF, STATE, adding_a_few

GROUP = 16  # rows whose formulas are evaluated together
WIDTH = 64  # classes in one step
LANES = 16  # sums of classes side by side

_CODE = (
    """\
y, z, weight = carray(y_, ({targets},)), carray(z_, (n * classes,)), carray(weights_, (n,))
parameters, table = carray(parameters_, ({parameters},)), carray(table_, (classes,))
values, signal = carray(values_, (n,)), carray(signal_, (n * classes,))
scratch, state = carray(scratch_, ({scratch},)), carray(state_, ({state},))
cells = carray(cells_, ({cells},))
factor, each = FLOAT(scale), ONE / FLOAT(classes)
{vectors}
whole_lines = classes - classes % {width}
{before}
bad = False
for start in range(0, n, {group}):
    count = min({group}, n - start)
    for r in range({group}):
        {clear}
{weights}
    for r in range(count):
        row = z[(start + r) * classes : (start + r + 1) * classes]
        line = {line}
{label}
        key = {bits}({lowest})
        for k in range(classes):
            bits = {bits}(np.{dtype}(row[k]).view({bits}))
            bits = {bits}(bits ^ {bits}(bits >> {bits}({sign}) & {bits}({unsigned})))
            key = bits if bits > key else key
        largest = {bits}(key ^ {bits}(key >> {bits}({sign}) & {bits}({unsigned}))).view(np.{dtype})
        largest_[r] = largest
        for k in range(classes):
            x = row[k]
{step}
            line[k] = e
        if abs(largest) == INF:
            for k in range(classes):
                x = row[k]
                line[k] = ONE if x == largest else (ZERO if x == x else x)
        ties = {bits}(0)
        for k in range(classes):
            ties += {bits}(1) if line[k] == ONE else {bits}(0)
        ties_[r] = FLOAT(ties)
        for lane in range({lanes}):
            totals[lane] = 0.0
        for j in range(0, whole_lines, {width}):
            part, place = row[j : j + {width}], line[j : j + {width}]
            for lane in range({lane}):
{adds}
        part, place = row[whole_lines:classes], line[whole_lines:classes]
        for lane in range(classes - whole_lines):
{ends}
{folded}
{rival}
    for i in range({group}):
{formulas}
{passes}
"""
    + statistics.ROWS_END
)

_LABEL = """\
c = y[start + r]
known = (c >= 0) & (c < classes)
bad |= {bad_if_present}
at = c if known else 0
counts_[r], z_of_[r] = table[at], row[at]"""

_RIVAL = """\
rival, rival_at = -INF, 1 if at == 0 else 0
for k in range(classes):
    if k != at and row[k] > rival:
        rival, rival_at = row[k], k
rival_[r], rival_at_[r] = rival, FLOAT(rival_at)"""

_SIGNAL = """\
for r in range(count):
    line = signal[(start + r) * classes : (start + r + 1) * classes]
    c = y[start + r]
    at = c if (c >= 0) & (c < classes) else 0
{before}
    for k in range(classes):
        e = line[k]
        top = e == ONE
{inside}
        line[k] = {signal}
    line[at] = own_[r]
{rivals}"""


def _tree(terms: Sequence[str]) -> str:
    """A sum in pairs, and pairs of pairs."""
    while len(terms) > 1:
        terms = [f"({a} + {b})" for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def _terms(totals: Sequence[str], place: str, mark: str) -> list[str]:
    """The lines that compute what one class, which stands at a place of its line, adds to each sum."""
    lines = [f"e = place[{place}]", "grown = ZERO if e == ONE else e"]
    if "falls" in totals:
        lines += [f"x = part[{place}]", *(f"{name} = {text}" for name, text in statistics.FALL.items())]
    return lines + [f"{name}{mark} = {statistics.SUMS[name]}" for name in totals]


def _adds(totals: Sequence[str]) -> list[str]:
    """The lines that add a line of classes to each sum: first those of one lane in pairs, then in double precision."""
    steps = range(WIDTH // LANES)
    lines = [line for q in steps for line in _terms(totals, f"{q * LANES} + lane", f"_{q}")]
    for n, name in enumerate(totals):
        lines.append(f"totals[{n * LANES} + lane] += np.float64({_tree([f'{name}_{q}' for q in steps])})")
    return lines


def _signal(plan: statistics.Needed, weighted: bool) -> str:
    """The lines that turn rows of exponentials into rows of signals."""
    before, inside, signal = statistics.of_others(plan, weighted)
    step = statistics.of_rival(plan, weighted)
    return _SIGNAL.format(
        before=indented("\n".join(before), 1), inside=indented("\n".join(inside), 2), signal=signal,
        rivals=f"    line[np.int64(rival_at_[r])] += {step}" if step else "",
    )  # fmt: skip


def many(asked: statistics.Asked) -> str:
    """The source of a kernel over rows of many classes."""
    plan, printed = statistics.plan_for(asked), statistics.of_row(asked)
    rival = plan.rival
    loaded = [*found(plan.sums), "z_of", *rival[:1]]
    kept = [name for name in plan.kept if name not in loaded] if plan.slopes else []
    more = ["own", *kept, *(f"slope_{s}" for s in plan.slopes)] if plan.slopes else []
    bad = "(weight_part[r] > 0.0) & (not known)" if asked.weighted else "not known"
    return lined(
        asked, plan.sums, printed, ["counts", *loaded], ["shown", *rival, *more],
        label=indented(_LABEL.format(bad_if_present=bad), 2),
        rival=indented(_RIVAL, 2) if rival else "",
        formulas=statistics.evaluated(plan, asked, printed, loaded, kept),
        line=OF_SIGNAL if plan.slopes else "cells",
        signal=_signal(plan, asked.weighted) if plan.slopes else "",
    )  # fmt: skip


OF_SIGNAL = "signal[(start + r) * classes : (start + r + 1) * classes]"


def found(summed: Sequence[str]) -> list[str]:
    """What the first loop over the classes of a row leaves in vectors."""
    return ["largest", "ties", *_totals(summed)]


def _totals(summed: Sequence[str]) -> list[str]:
    return [name for name in summed if name != "ties"]


def lined(
    asked: statistics.Asked,
    summed: Sequence[str],
    printed: Body,
    loaded: Sequence[str],
    vectors: Sequence[str],
    *,
    formulas: Sequence[str],
    signal: str = "",
    kind: str = "int64",
    targets: str = "n",
    cells: str = "classes",
    wide: Sequence[str] = (),
    **pieces: str,
) -> str:
    """The source of a kernel that goes through rows line by line, with what it does besides exponentials and their sums.

    ``summed`` names the sums, ``vectors`` its vectors of scratch for a group of rows, beside those ``loaded`` with what
    formulas read, and ``wide`` those for a line of classes; ``formulas`` are for row ``i`` of the group, and ``signal`` turns
    its exponentials into signals.
    """
    totals, dtype, weighted = _totals(summed), asked.dtype, asked.weighted
    lines, count = statistics.vectors([*loaded, *vectors], GROUP)
    wider, more = statistics.vectors(wide, WIDTH, GROUP * count)
    lanes = LANES * max(len(totals), 1)
    lines += (
        f"\n{wider}\nvalue_part = shown_"
        f"\ntotals, weight_part = state[{STATE} : {STATE + lanes}], state[{STATE + lanes} : {STATE + lanes + GROUP}]"
    )
    ends = [f"totals[{n * LANES} + lane % {LANES}] += np.float64({name}_0)" for n, name in enumerate(totals)]
    folded = [
        f"{name}_[r] = FLOAT({_tree([f'totals[{n * LANES + lane}]' for lane in range(LANES)])})"
        for n, name in enumerate(totals)
    ]
    bits, unsigned, _, _, _ = BITS_OF[dtype]
    code = _CODE.format(
        dtype=dtype, bits=bits, unsigned=unsigned, lowest=-1 - unsigned, sign=np.dtype(dtype).itemsize * 8 - 1, lane=LANES,
        parameters=max(len(asked.parameters), 1), group=GROUP, width=WIDTH, scratch=count * GROUP + more * WIDTH,
        state=STATE + lanes + GROUP, vectors=lines, before="\n".join([*printed.before, sums.BEFORE]),
        weights=indented(statistics.WEIGHTS.format(width=GROUP), 1) if weighted else "",
        # Rows that are not there have one class, of which nothing comes.
        clear="; ".join(f"{name}_[r] = {'ONE' if name in ('ties', 'counts') else 'ZERO'}" for name in loaded),
        lanes=lanes, step=indented("\n".join(expanded(statistics.STEP, dtype)), 3), adds=indented("\n".join(_adds(totals)), 4),
        ends=indented("\n".join([*_terms(totals, "lane", "_0"), *ends] or ["pass"]), 3),
        folded=indented("\n".join(folded), 2), formulas=indented("\n".join(formulas), 2),
        adding=indented(adding_a_few(weighted), 1), bad=BAD, signal=indented(signal, 1) if signal else "",
        sums_after=sums.AFTER, targets=targets, cells=cells, **{"passes": "", **pieces},
    )  # fmt: skip
    constants = word_source(dtype).constants
    return module(
        "A loss of many classes.", SIGNATURE.format(y=kind, d=dtype), code,
        {**constants, **printed.constants, **sums.CONSTANTS},
    )  # fmt: skip
