"""The loop of losses over many classes: the classes of a row stand in the vector lanes, and the row stays in cache.

A row is read once; its exponentials go where its signal will be, and become the signal there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from goodmeasure.formula import Expr
from goodmeasure.kernels.few import SIGNATURE
from goodmeasure.kernels.layout import BAD, LANES, MERGED, STATE
from goodmeasure.kernels.printer import body, expanded, indented, module, word_source
from goodmeasure.kernels.statistics import CLASS, ROW, STATISTICS, STEP, SUMS, plan_for, vectors

GROUP = 16  # rows whose formulas are evaluated together
WIDTH = 64  # classes side by side

_CODE = """\
y, z, weight = carray(y_, (n,)), carray(z_, (n * classes,)), carray(weights_, (n,))
parameters, table = carray(parameters_, ({parameters},)), carray(table_, (classes,))
values, signal = carray(values_, (n + {group},)), carray(signal_, (n * classes,))
scratch, state = carray(scratch_, ({scratch},)), carray(state_, ({state},))
factor, each = FLOAT(scale), ONE / FLOAT(classes)
{vectors}
whole = classes - classes % {width}
{before}
bad = False
for start in range(0, n, {group}):
    count = min({group}, n - start)
    value_part, weight_part = values[start * keep :], weight[start : start + count]
    y_part = y[start : start + count]
    for r in range({group}):
{clear}
    for r in range(count):
        row = z[(start + r) * classes : (start + r + 1) * classes]
        line = {line}
        c = y_part[r]
        fine = (c >= 0) & (c < classes)
        bad |= {bad_if_present}
        at = np.uint64(c if fine else 0)
        counts_[r], z_of_[r] = table[at], row[at]
        for lane in range({width}):
            highs[lane] = -INF
        for j in range(0, whole, {width}):
            part = row[j : j + {width}]
            for lane in range({width}):
                highs[lane] = part[lane] if part[lane] > highs[lane] else highs[lane]
        for j in range(8, {width}, 8):
            for lane in range(8):
                highs[lane] = highs[j + lane] if highs[j + lane] > highs[lane] else highs[lane]
        largest = -INF
        for lane in range(8):
            largest = highs[lane] if highs[lane] > largest else largest
        for j in range(whole, classes):
            largest = row[np.uint64(j)] if row[np.uint64(j)] > largest else largest
        largest_[r] = largest
        for lane in range({width}):
            equal[lane] = ZERO
        for lane in range({lanes}):
            sums[lane] = 0.0
        for j in range(0, classes, {width}):
            part, place = row[j : j + {width}], line[j : j + {width}]
            if j >= whole:
                for lane in range({width}):
                    ends[lane] = largest
                for lane in range(classes - whole):
                    ends[lane] = part[lane]
                part, place = ends, spill
            for lane in range({width}):
                x = part[lane]
{step}
{spilled}
        for j in range(8, {width}, 8):
            for lane in range(8):
                equal[lane] += equal[j + lane]
        ties = ZERO
        for lane in range(8):
            ties += equal[lane]
        ties_[r] = ties - FLOAT((classes - whole + {width} - 1) // {width} * {width} - (classes - whole))
{folded}
{rival}
    for i in range({group}):
{formulas}
    for i in range(count):
        value_part[i] = shown_[i]
        x = np.float64(shown_[i]){share}
        s = state[i] + x
        between = s - state[i]
        state[{sums} + i] += (state[i] - (s - between)) + (x - between)
        state[i] = s
{signal}
if bad:
    state[{bad}] = 1.0
"""

_SPILLED = """\
if classes > whole:
    rest_of_line = line[whole:classes]
    for lane in range(classes - whole):
        rest_of_line[lane] = spill[lane]"""

_RIVAL = """\
rival, rival_at = -INF, np.uint64(0)
for j in range(classes):
    k = np.uint64(j)
    if k != at and row[k] > rival:
        rival, rival_at = row[k], k
rival_[r], rival_at_[r] = rival, FLOAT(rival_at)"""

_SIGNAL = """\
for r in range(count):
    line = signal[(start + r) * classes : (start + r + 1) * classes]
    c = y_part[r]
    at = np.uint64(c if (c >= 0) & (c < classes) else 0)
{unpack}
    for k in range(classes):
        e = line[k]
        top = e == ONE
{others}
    line[at] = {of}
{rivals}"""


def _fold(sums: Sequence[str]) -> str:
    """The lines that add up the lanes of each sum."""
    lines = []
    for j, name in enumerate(sums):
        lines += [
            f"for j in range(8, {WIDTH}, 8):",
            "    for lane in range(8):",
            f"        sums[{WIDTH * j} + lane] += sums[{WIDTH * j} + j + lane]",
            "total = 0.0",
            "for lane in range(8):",
            f"    total += sums[{WIDTH * j} + lane]",
            f"{name}_[r] = FLOAT(total)",
        ]
    return "\n".join(lines)


def _signal(slopes: Iterable[str], kept: Sequence[str], classes: Sequence[str], weighted: bool) -> str:
    """The lines that turn a row of exponentials into a row of signals."""
    present = " if weight_part[r] > 0.0 else ZERO" if weighted else ""
    unpack = [f"{name} = {name}_[r]" for name in kept]
    others = [f"{name} = {CLASS[name]}" for name in classes]
    fixes, of, other = [], [], []
    for name in slopes:
        moves = STATISTICS[name]
        unpack.append(f"slope_{name} = slope_{name}_[r]")
        unpack.append(f"of_{name} = ZERO if {moves.of} == ZERO else slope_{name} * ({moves.of})")
        of.append(f"of_{name}")
        if moves.other != "ZERO":
            others += [f"move_{name} = {moves.other}"]
            others += [f"term_{name} = ZERO if move_{name} == ZERO else slope_{name} * move_{name}"]
            other.append(f"term_{name}")
        if moves.rival:
            step = f"({moves.rival}) * slope_{name}"
            fixes.append(f"line[np.uint64(rival_at_[r])] += {f'({step}){present}'}")
    # Added to zero times the exponential, a row that has no limit stays NaN.
    others.append(f"line[k] = ({' + '.join(other) or 'ZERO * e'}){present}")
    return _SIGNAL.format(
        unpack=indented("\n".join(unpack), 1),
        others=indented("\n".join(others), 2),
        of=f"({' + '.join(of)}){present}",
        rivals=indented("\n".join(fixes), 1),
    )


def many(
    value: Expr,
    slopes: Mapping[str, Expr],
    wanted: Iterable[str],
    parameters: Sequence[str],
    dtype: str,
    *,
    weighted: bool,
) -> str:
    """The source of a kernel over rows of many classes; see `goodmeasure.kernels.few.few` for the arguments."""
    plan = plan_for([name for name in STATISTICS if name in set(wanted)], list(slopes))
    rival = ["rival", "rival_at"] if "margin" in {*plan.values, *plan.slopes} else []
    place = {"weight": "counts_[i]"}
    printed = body([value, *slopes.values()], lambda name: place.get(name, f"now_{name}"), parameters, dtype)
    sums = [name for name in plan.sums if name != "ties"]
    loaded = ["largest", "z_of", "ties", *sums, *rival[:1]]
    kept = [name for name in plan.kept if name not in loaded] if slopes else []
    lines, count = vectors(["counts", "shown", *loaded, *rival, *kept, *(f"slope_{s}" for s in slopes)], GROUP)
    buffers = ("highs", "equal", "ends", "spill")
    first = count * GROUP
    lines += "\n" + "\n".join(
        f"{name} = scratch[{first + WIDTH * j} : {first + WIDTH * (j + 1)}]" for j, name in enumerate(buffers)
    )
    lines += f"\nsums = state[{STATE} : {STATE + WIDTH * max(len(sums), 1)}]"
    step = [*expanded(STEP, dtype), "equal[lane] += ONE if top else ZERO"]
    step += [f"sums[{WIDTH * j} + lane] += np.float64({SUMS[name]})" for j, name in enumerate(sums)]
    step += ["place[lane] = e"] if slopes else []
    share = "FLOAT(weight_part[i] * scale) if i < count else ZERO" if weighted else "factor"
    present = " if (i < count) and weight_part[i] > 0.0 else ZERO" if weighted else ""
    formulas = [f"{name} = {name}_[i]" for name in loaded]
    formulas += expanded({name: ROW[name] for name in plan.row}, dtype)
    formulas += [f"now_{name} = {STATISTICS[name].value}" for name in plan.values]
    formulas += [*printed.inside, f"shown_[i] = ({printed.results[0]}){present}"]
    formulas += [f"slope_{s}_[i] = {r} * ({share})" for s, r in zip(slopes, printed.results[1:], strict=True)]
    formulas += [f"{name}_[i] = {name}" for name in kept]
    cleared = [f"{name}_[r] = {'ONE' if name in ('ties', 'counts') else 'ZERO'}" for name in ("counts", *loaded)]
    code = _CODE.format(
        parameters=max(len(parameters), 1), group=GROUP, width=WIDTH, scratch=first + WIDTH * len(buffers),
        state=STATE + WIDTH * max(len(sums), 1), vectors=lines, before="\n".join(printed.before),
        clear=indented("\n".join(cleared), 2),
        line="signal[(start + r) * classes : (start + r + 1) * classes]" if slopes else "row",
        bad_if_present="(weight_part[r] > 0.0) & (not fine)" if weighted else "not fine",
        lanes=WIDTH * max(len(sums), 1), step=indented("\n".join(step), 4), spilled=indented(_SPILLED, 2) if slopes else "",
        folded=indented(_fold(sums), 2), rival=indented(_RIVAL, 2) if rival else "",
        formulas=indented("\n".join(formulas), 2), share=" * weight_part[i]" if weighted else "",
        sums=LANES, bad=BAD,
        signal=indented(_signal(list(slopes), plan.kept, plan.classes, weighted), 1) if slopes else "",
    )  # fmt: skip
    _, constants = word_source(dtype)
    return module(
        "A loss of many classes.", SIGNATURE.format(d=dtype), code + MERGED, {**constants, **printed.constants}
    )
