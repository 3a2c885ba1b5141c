"""The loop of losses over a few classes: rows stand side by side in the vector lanes, so that none is idle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from goodmeasure.formula import Expr
from goodmeasure.kernels.layout import BAD, MERGED, STATE
from goodmeasure.kernels.printer import body, expanded, indented, module, word_source
from goodmeasure.kernels.statistics import CLASS, ROW, STATISTICS, STEP, SUMS, plan_for, vectors

FEW = 32
TILE = 64


SIGNATURE = (
    "y_:*int64 z_:*{d} weights_:*float64 parameters_:*{d} table_:*{d} values_:*{d} signal_:*{d} scratch_:*{d} cells_:*{d} "
    "state_:*float64 n:int64 live:int64 classes:int64 keep:int64 scale:float64"
)

_COMMON = """\
y, z, weight = carray(y_, (n,)), carray(z_, (n * classes,)), carray(weights_, (n,))
parameters, table = carray(parameters_, ({count},)), carray(table_, (classes,))
values, signal = carray(values_, (n + {width},)), carray(signal_, (n * classes,))
scratch, state = carray(scratch_, ({width} * {vectors},)), carray(state_, ({state},))
cells = carray(cells_, ({width} * classes,))
factor, each = FLOAT(scale), ONE / FLOAT(classes)
bad = False
{before}
{vector_lines}
for start in range(0, n, {width}):
"""

_FEW = """\
y_part, weight_part = y[start : start + 64], weight[start : start + 64]
value_part = values[start * keep : start * keep + 64]
for r in range(64):
    c = y_part[r]
    fine = (c >= 0) & (c < classes)
    bad |= {bad_if_present}
    c = c if fine else 0
    of_[r] = FLOAT(c)
    counts_[r] = table[c]
    largest_[r] = -INF
    z_of_[r] = e_of_[r] = ZERO
    {clear}
for r in range(64):
    row = z[(start + r) * classes : (start + r + 1) * classes]
    for k in range(classes):
        cells[k * 64 + r] = row[k]
for k in range(classes):
    line = cells[k * 64 : k * 64 + 64]
    for r in range(64):
        largest_[r] = line[r] if line[r] > largest_[r] else largest_[r]
for k in range(classes):
    line, at = cells[k * 64 : k * 64 + 64], FLOAT(k)
    for r in range(64):
        x, largest, mine = line[r], largest_[r], of_[r] == at
{step}
        z_of_[r] = x if mine else z_of_[r]
        e_of_[r] = e if mine else e_of_[r]
        line[r] = e
for i in range(64):
{formulas}
{adding}
{signal}
"""

_FEW_SIGNAL = """\
for k in range(classes):
    line, at = cells[k * 64 : k * 64 + 64], FLOAT(k)
    for r in range(64):
        e, mine = line[r], of_[r] == at
        top = e == ONE
{unpack}
{moves}
        line[r] = {total}
for r in range(64):
    row = signal[(start + r) * classes : (start + r + 1) * classes]
    for k in range(classes):
        row[k] = cells[k * 64 + r]
"""

_ADD_FEW = """\
for i in range(live - start, 64):
    value_part[i] = ZERO
for i in range(64):
    x = np.float64(value_part[i]){share}
    s = state[i] + x
    part = s - state[i]
    state[64 + i] += (state[i] - (s - part)) + (x - part)
    state[i] = s
"""


def few(
    value: Expr,
    slopes: Mapping[str, Expr],
    wanted: Iterable[str],
    parameters: Sequence[str],
    dtype: str,
    *,
    weighted: bool,
) -> str:
    """The source of a kernel over whole tiles of rows of at most `FEW` classes.

    ``slopes`` are the formulas of the derivatives by each statistic (none: the value alone), ``wanted`` the statistics and
    other symbols that the formulas speak of.
    """
    plan = plan_for([name for name in STATISTICS if name in set(wanted)], list(slopes))
    rival = "margin" in {*plan.values, *plan.slopes}
    _, constants = word_source(dtype)
    printed = body(
        [value, *slopes.values()], lambda name: "counts_[i]" if name == "weight" else f"now_{name}", parameters, dtype
    )
    kept = ["of", "counts", "largest", "z_of", "e_of", *plan.sums, *plan.kept, *(f"slope_{s}" for s in slopes)]
    kept += ["rival", "rival_at"] if rival else []
    lines, count = vectors(kept, TILE)
    step = expanded(STEP, dtype)
    step += [f"{name}_[r] += {SUMS[name]}" for name in plan.sums]
    if rival:
        step += [
            "leads = (not mine) & (x > rival_[r])",
            "rival_[r] = x if leads else rival_[r]",
            "rival_at_[r] = at if leads else rival_at_[r]",
        ]
    formulas = [
        f"{name} = {name}_[i]" for name in ("largest", "z_of", "e_of", *plan.sums, *(["rival"] if rival else []))
    ]
    formulas += expanded({name: ROW[name] for name in plan.row if name != "e_of"}, dtype)
    formulas += [f"now_{name} = {STATISTICS[name].value}" for name in plan.values]
    formulas += [*printed.inside, f"value_part[i] = {printed.results[0]}"]
    if weighted:
        formulas[-1] = f"value_part[i] = {printed.results[0]} if weight_part[i] > 0.0 else ZERO"
    share = "FLOAT(weight_part[i] * scale)" if weighted else "factor"
    formulas += [
        f"slope_{name}_[i] = {result} * {share}" for name, result in zip(slopes, printed.results[1:], strict=True)
    ]
    formulas += [f"{name}_[i] = {name}" for name in plan.kept if slopes and name not in ("largest", "e_of")]
    signal = ""
    if slopes:
        moves = [f"{name} = {CLASS[name]}" for name in plan.classes]
        for name in slopes:
            m = STATISTICS[name]
            other = f"({m.rival} if at == rival_at_[r] else {m.other})" if m.rival else m.other
            moves += [
                f"move_{name} = {m.of} if mine else {other}",
                f"term_{name} = ZERO if move_{name} == ZERO else slope_{name}_[r] * move_{name}",
            ]
        total = " + ".join(f"term_{name}" for name in slopes)
        signal = _FEW_SIGNAL.format(
            unpack=indented("\n".join(f"{name} = {name}_[r]" for name in plan.kept), 2),
            moves=indented("\n".join(moves), 2),
            total=f"({total}) if weight_part[r] > 0.0 else ZERO" if weighted else total,
        )
    head = _COMMON.format(
        count=max(len(parameters), 1),
        width=TILE,
        vectors=count,
        state=STATE,
        before="\n".join(printed.before),
        vector_lines=lines,
    )
    clear = "; ".join(
        [*(f"{s}_[r] = ZERO" for s in plan.sums), *(["rival_[r] = -INF", "rival_at_[r] = -ONE"] if rival else [])]
    )
    loop = _FEW.format(
        bad_if_present="(weight_part[r] > 0.0) & (not fine)" if weighted else "not fine",
        clear=clear or "pass",
        step=indented("\n".join(step), 2),
        formulas=indented("\n".join(formulas), 1),
        adding=_ADD_FEW.format(share=" * weight_part[i]" if weighted else ""),
        signal=signal,
    )
    code = head + indented(loop, 1) + f"\nif bad:\n    state[{BAD}] = 1.0\n{MERGED}"
    return module("A loss of a few classes.", SIGNATURE.format(d=dtype), code, {**constants, **printed.constants})
