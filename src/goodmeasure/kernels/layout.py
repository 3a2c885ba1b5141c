"""The loops around printed formulas: what is read, checked, weighed, summed and written for each chunk of examples."""

from __future__ import annotations

from collections.abc import Sequence

from goodmeasure.formula import Expr
from goodmeasure.kernels.printer import body, indented, module

CHUNK = 1024  # examples whose values stay in the first-level cache until they are summed
LANES = 64  # partial sums, enough to hide how long an addition takes

# What a kernel notes beside its partial sums: all of them in one number and what rounding it left out, whether a target was
# outside the domain, and whether a result was NaN.
HIGH, LOW, BAD, LOST, STATE = 2 * LANES, 2 * LANES + 1, 2 * LANES + 2, 2 * LANES + 3, 2 * LANES + 4

MERGED = f"""
high, low = 0.0, 0.0
for lane in range({LANES}):
    s = high + state[lane]
    part = s - high
    low += ((high - (s - part)) + (state[lane] - part)) + state[{LANES} + lane]
    high = s
state[{HIGH}], state[{LOW}] = high, low
"""

_POINTS = """\
y, z = carray(y_, (n,)), carray(z_, (n * {m},))
weight, parameters = carray(weight_, (n,)), carray(parameters_, ({count},))
values, first, second = carray(values_, (n,)), carray(first_, (n * {a},)), carray(second_, (n * {b},))
state, domain = carray(state_, ({state},)), carray(domain_, (2,))
low, high = domain[0], domain[1]
factor = FLOAT(scale)
{before}
for start in range(0, n, {chunk}):
    y_part, z_part = y[start : start + {chunk}], z[start * {m} : (start + {chunk}) * {m}]
    weight_part = weight[start : start + {chunk}]
    value_part = values[start * keep : start * keep + {chunk}]
    first_part = first[start * {a} : (start + {chunk}) * {a}]
    second_part = second[start * {b} : (start + {chunk}) * {b}]
    bad = lost = False
    for i in range({chunk}):
{inside}
    if bad:
        state[{bad}] = 1.0
    if lost:
        state[{lost}] = 1.0
{adding}
"""

_ADDING = """\
for i in range(live - start, {chunk}):
    value_part[i] = ZERO
for j in range(0, {chunk}, {lanes}):
    line = value_part[j : j + {lanes}]
    shares = weight_part[j : j + {lanes}]
    for lane in range({lanes}):
        x = {term}
        s = state[lane] + x
        part = s - state[lane]
        state[{lanes} + lane] += (state[lane] - (s - part)) + (x - part)
        state[lane] = s
"""

SIGNATURE = (
    "y_:*{d} z_:*{d} weight_:*float64 parameters_:*{d} domain_:*{d} values_:*{d} first_:*{d} second_:*{d} "
    "state_:*float64 n:int64 live:int64 keep:int64 scale:float64"
)


def points(
    value: Sequence[Expr],
    first: Sequence[Expr],
    second: Sequence[Expr],
    *,
    raws: Sequence[str],
    parameters: Sequence[str],
    dtype: str,
    weighted: bool,
    whole: bool,
) -> str:
    """The source of a kernel over whole chunks of examples with a fixed number of raw outputs each.

    It fills ``values`` (which may be one chunk of scratch: ``keep`` is 0), ``first`` and ``second`` (times ``scale``), and adds
    the values of the first ``live`` examples to the sums of ``state``; every rounding error of a sum is kept (Knuth's two-sum).
    """
    m = len(raws)
    place = {
        "y": "y_part[i]",
        **{name: f"z_part[i * {m} + {j}]" if m > 1 else "z_part[i]" for j, name in enumerate(raws)},
    }
    printed = body([*value, *first, *second], lambda name: place[name], parameters, dtype)
    results = iter(printed.results)
    lines = [*printed.inside, f"y_now = {place['y']}", "inside = (y_now >= low) & (y_now <= high)"]
    if whole:
        lines.append("inside &= np.floor(y_now) == y_now")
    gone = [f"({place[name]} != {place[name]})" for name in raws]
    present = "(w > 0.0) & " if weighted else ""
    if weighted:
        lines += ["w = weight_part[i]", "share = w * scale"]
    for table, count in (("value", len(value)), ("first", len(first)), ("second", len(second))):
        for column in range(count):
            result = next(results)
            gone.append(f"({result} != {result})")
            at = f"i * {count} + {column}" if count > 1 else "i"
            lines.append(f"{table}_part[{at}] = {_scaled(result, table, weighted)}")
    lines += [f"bad |= {present}(not inside)", f"lost |= {present}({' | '.join(gone)})"]
    term = "np.float64(line[lane])" + (" * shares[lane]" if weighted else "")
    adding = _ADDING.format(chunk=CHUNK, lanes=LANES, term=term) if value else ""
    code = _POINTS.format(
        m=m,
        a=max(len(first), 1),
        b=max(len(second), 1),
        count=max(len(parameters), 1),
        state=STATE,
        chunk=CHUNK,
        before="\n".join(printed.before),
        inside=indented("\n".join(lines), 2),
        bad=BAD,
        lost=LOST,
        adding=indented(adding, 1),
    )
    return module(
        "A loss on its examples.", SIGNATURE.format(d=dtype), code + (MERGED if value else ""), printed.constants
    )


def _scaled(result: str, table: str, weighted: bool) -> str:
    if table == "value":
        return f"{result} if w > 0.0 else ZERO" if weighted else result
    return f"FLOAT(np.float64({result}) * share) if w > 0.0 else ZERO" if weighted else f"{result} * factor"
