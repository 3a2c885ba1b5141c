"""The loop of losses over a few classes: rows stand side by side in the vector lanes, so that none is idle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goodmeasure.kernels import statistics, sums
from goodmeasure.kernels.lowering import COLUMNS, TYPES, lanes_of
from goodmeasure.kernels.printer import Body, expanded, indented, module, word_source
from goodmeasure.kernels.sums import BAD, STATE, adding

FEW = 32
TILE = 64
LANES = {dtype: lanes_of(TYPES[getattr(np, dtype)]) for dtype in ("float32", "float64")}

# Targets are class indices, or shares of the classes in the dtype of the raw outputs.
SIGNATURE = (
    "y_:*{y} z_:*{d} weights_:*float64 parameters_:*{d} table_:*{d} values_:*{d} signal_:*{d} "
    "scratch_:*{d} cells_:*{d} state_:*float64 n:int64 classes:int64 keep:int64 scale:float64"
)

# Rows are laid across the tile four classes at a time, in squares that are turned in registers; the last four overlap the ones
# before. Where rows are shorter, what follows them is read and written too, and put right by the next row, so there must be one;
# and what stands behind the lines of a tile is written after them.
_ACROSS = """\
if whole:
    for r in range(0, {width}, {lanes}):
        for j in range(0, classes, {columns}):
            k = max(min(j, classes - {columns}), 0)
            across({to}[k * {width} + r :], {width}, {rows}[r * classes + k :], classes)
else:
    for r in range(count):
        for k in range(classes):
            {to}[k * {width} + r] = {rows}[r * classes + k]"""
_FEW = (
    """\
y, z, weight = carray(y_, ({targets},)), carray(z_, (n * classes,)), carray(weights_, (n,))
parameters, table = carray(parameters_, ({count},)), carray(table_, (classes,))
values, signal = carray(values_, (n,)), carray(signal_, (n * classes,))
scratch, state = carray(scratch_, ({width} * {vectors},)), carray(state_, ({state} + {width},))
cells = carray(cells_, ({cells} * classes,))
factor, each, numbers = FLOAT(scale), ONE / FLOAT(classes), {width} * classes
bad = False
{before}
{vector_lines}
for start in range(0, n, {width}):
    count = min({width}, n - start)
    whole = (count == {width}) & ((classes >= {columns}) | (start + {width} < n))
    rows_part, weight_part = z[start * classes : (start + count) * classes], weight[start : start + {width}]
    if count < {width}:
        # Fewer rows than lanes: the lanes left over hold zeros, the class 0 and no weight.
        for i in range(numbers):
            cells[i] = ZERO
{weights}
{across}
{laid}
    for r in range({width}):
{label}
        largest_[r] = -INF
        {clear}
    for k in range(classes):
        line = cells[k * {width} : k * {width} + {width}]
        for r in range({width}):
            largest_[r] = line[r] if line[r] > largest_[r] else largest_[r]
    odd = False
    for r in range({width}):
        odd |= abs(largest_[r]) == INF
{rival}
    for k in range(classes):
        line = cells[k * {width} : k * {width} + {width}]
{beside}
        for r in range({width}):
            x, largest = line[r], largest_[r]
{step}
            line[r] = e
    if odd:
        for r in range({width}):
            if abs(largest_[r]) == INF:
                for k in range(classes):
                    x = rows_part[r * classes + k]
                    cells[k * {width} + r] = ONE if x == largest_[r] else (ZERO if x == x else x)
    for k in range(classes):
        line = cells[k * {width} : k * {width} + {width}]
        for r in range({width}):
            e = line[r]
            top = e == ONE
            grown = ZERO if top else e
{adds}
    for i in range({width}):
{formulas}
{classes}
"""
    + statistics.ROWS_END
)

_LABEL = """\
c = 0
if r < count:
    c = y[start + r]
known = (c >= 0) & (c < classes)
bad |= {bad_if_present}
c = c if known else 0
of_[r], z_of_[r] = FLOAT(c), cells[c * {width} + r]"""

_RIVAL = """\
for k in range(classes):
    line, at = cells[k * {width} : k * {width} + {width}], FLOAT(k)
    for r in range({width}):
        x = line[r]
        leads = (of_[r] != at) & (x > rival_[r])
        rival_[r] = x if leads else rival_[r]
        rival_at_[r] = at if leads else rival_at_[r]"""

_SIGNAL = """\
for k in range(classes):
    line, at = cells[k * {width} : k * {width} + {width}], FLOAT(k)
    for r in range({width}):
        e = line[r]
        top = e == ONE
{before}
{inside}
        line[r] = own_[r] if of_[r] == at else {signal}
{rivals}
"""

# A tile of signals is laid back in rows.
_BACK = """\
line = signal[start * classes : (start + count) * classes]
if whole:
    for r in range(0, {width}, {lanes}):
        for j in range(0, classes, {columns}):
            k = max(min(j, classes - {columns}), 0)
            back(line[r * classes + k :], classes, cells[k * {width} + r :], {width})
else:
    for r in range(count):
        for k in range(classes):
            line[r * classes + k] = cells[k * {width} + r]
"""

_RIVAL_SIGNAL = """\
for r in range({width}):
{before}
    cells[np.int64(rival_at_[r]) * {width} + r] += {step}"""


def few(asked: statistics.Asked) -> str:
    """The source of a kernel over rows of at most `FEW` classes."""
    plan, printed = statistics.plan_for(asked), statistics.of_row(asked)
    rival = plan.rival
    loaded = ["largest", "z_of", *plan.sums, *rival[:1]]
    kept = [name for name in plan.kept if name not in loaded] if plan.slopes else []
    counted = ["counts"] if "weight" in asked.spoken else []
    more = ["own", *kept, *(f"slope_{s}" for s in plan.slopes)] if plan.slopes else []
    clear = [f"{name}_[r] = table[c]" for name in counted]
    clear += ["rival_[r] = -INF", "rival_at_[r] = ONE if c == 0 else ZERO"] if rival else []
    bad = "(weight_part[r] > 0.0) & (not known)" if asked.weighted else "not known"
    return tiled(
        asked, plan.sums, printed, ["of", "shown", *counted, *loaded, *rival, *more], clear,
        label=indented(_LABEL.format(width=TILE, bad_if_present=bad), 2),
        rival=indented(_RIVAL.format(width=TILE), 1) if rival else "",
        formulas=statistics.evaluated(plan, asked, printed, loaded, kept),
        signal=_signal(plan, asked.weighted) if plan.slopes else "",
    )  # fmt: skip


def tiled(
    asked: statistics.Asked,
    summed: Sequence[str],
    printed: Body,
    vectors: Sequence[str],
    clear: Sequence[str],
    *,
    formulas: Sequence[str],
    signal: str,
    kind: str = "int64",
    targets: str = "n",
    cells: int = TILE,
    step: Sequence[str] = (),
    **pieces: str,
) -> str:
    """The source of a kernel that lays rows across a tile, with what it does besides finding exponentials and their sums.

    ``summed`` names the sums, ``vectors`` its vectors of scratch, ``clear`` sets some of them for row ``r``; ``formulas`` are for
    row ``i`` of the tile, and ``signal`` turns the tile of exponentials into signals.
    """
    dtype, weighted = asked.dtype, asked.weighted
    constants = word_source(dtype).constants
    lines, count = statistics.vectors(vectors, TILE)
    clear = [*(f"{name}_[r] = ZERO" for name in summed), *clear]
    falls = "falls" in summed
    steps = expanded({**(statistics.FALL if falls else {}), **statistics.STEP}, dtype) + (
        ["falls_[r] += fall"] if falls else []
    )
    adds = [f"{name}_[r] += {statistics.SUMS[name]}" for name in summed if name != "falls"]
    weights = f"weight_part = state[{STATE} : {STATE + TILE}]\n{statistics.WEIGHTS.format(width=TILE)}"
    code = _FEW.format(
        columns=COLUMNS, across=indented(across("cells", "rows_part", dtype), 1),
        count=max(len(asked.parameters), 1), width=TILE, vectors=count, state=STATE, targets=targets, cells=cells,
        before="\n".join([*printed.before, sums.BEFORE]),
        vector_lines=lines + "\nvalue_part = shown_", weights=indented(weights, 2) if weighted else "",
        clear="; ".join(clear) or "pass", step=indented("\n".join([*steps, *step]), 3),
        adds=indented("\n".join(adds or ["pass"]), 3), formulas=indented("\n".join(formulas), 2),
        adding=indented(adding(TILE, dtype, weighted), 1),
        signal=indented(signal + _BACK.format(width=TILE, lanes=LANES[dtype], columns=COLUMNS), 1) if signal else "",
        bad=BAD, sums_after=sums.AFTER, **{"laid": "", "beside": "", "classes": "", **pieces},
    )  # fmt: skip
    return module(
        "A loss of a few classes.", SIGNATURE.format(y=kind, d=dtype), code,
        {**constants, **printed.constants, **sums.CONSTANTS},
    )  # fmt: skip


def across(to: str, rows: str, dtype: str) -> str:
    """The lines that lay rows of a tile across."""
    return _ACROSS.format(to=to, rows=rows, width=TILE, lanes=LANES[dtype], columns=COLUMNS)


def _signal(plan: statistics.Needed, weighted: bool) -> str:
    """The lines that turn a tile of exponentials into signals, and lay them back in rows."""
    before, inside, signal = statistics.of_others(plan, weighted)
    step = statistics.of_rival(plan, weighted)
    rivals = _RIVAL_SIGNAL.format(width=TILE, before=indented("\n".join(before), 1), step=step) if step else ""
    return _SIGNAL.format(
        width=TILE,
        before=indented("\n".join(before), 2),
        inside=indented("\n".join(inside), 2),
        signal=signal,
        rivals=rivals,
    )
