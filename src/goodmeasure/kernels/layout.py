"""The loops around printed formulas: what is read, checked, weighed, summed and written for each chunk of examples."""

from __future__ import annotations

from collections.abc import Sequence

from goodmeasure.formula import Expr
from goodmeasure.kernels import sums
from goodmeasure.kernels.printer import body, indented, module
from goodmeasure.kernels.sums import BAD, LOST, STATE, adding

CHUNK = 1024  # examples whose values stay in the first-level cache until they are summed

# What is left over after whole chunks is copied and filled up with the first of it, so that every example meets the same code.
_POINTS = """\
y, z = carray(y_, (n,)), carray(z_, (n * {m},))
weight, parameters = carray(weight_, (n,)), carray(parameters_, ({count},))
values, first, second = carray(values_, (n,)), carray(first_, (n * {a},)), carray(second_, (n * {b},))
state, domain = carray(state_, ({state} + {chunk},)), carray(domain_, (2,))
rest = carray(rest_, ({chunk} * {columns},))
least, greatest = domain[0], domain[1]
factor = FLOAT(scale)
{before}
for start in range(0, n, {chunk}):
    count = min({chunk}, n - start)
    y_part, z_part = y[start : start + {chunk}], z[start * {m} : (start + {chunk}) * {m}]
    weight_part = weight[start : start + {chunk}]
    value_part = values[start * keep : start * keep + {chunk}]
    first_part = first[start * {a} : (start + {chunk}) * {a}]
    second_part = second[start * {b} : (start + {chunk}) * {b}]
    if count < {chunk}:
{shares}
        y_part, z_part = rest[:{chunk}], rest[{chunk} : {chunk} * {z_end}]
        value_part, first_part = rest[{chunk} * {z_end} : {chunk} * {v_end}], rest[{chunk} * {v_end} : {chunk} * {a_end}]
        second_part = rest[{chunk} * {a_end} :]
        y_left, z_left = y[start : start + count], z[start * {m} : (start + count) * {m}]
        for i in range(count):
            y_part[i] = y_left[i]
        for i in range(count * {m}):
            z_part[i] = z_left[i]
        filler = y_left[0]
{fillers}
        for i in range(count, {chunk}):
            y_part[i] = filler
{filled}
    bad = lost = False
    for i in range({chunk}):
{inside}
    if bad:
        state[{bad}] = 1.0
    if lost:
        state[{lost}] = 1.0
{adding}
    if count < {chunk}:
{copied}
{after}
"""
_SHARES = """\
weight_part, weight_left = state[{state} : {state} + {chunk}], weight[start : start + count]
for i in range(count):
    weight_part[i] = weight_left[i]
for i in range(count, {chunk}):
    weight_part[i] = weight_left[0]"""
_COPIED = {
    "value": """\
to = values[start * keep : start * keep + count]
for i in range(count):
    to[i] = value_part[i]""",
    "first": """\
to = first[start * {columns} : (start + count) * {columns}]
for i in range(count * {columns}):
    to[i] = first_part[i]""",
    "second": """\
to = second[start * {columns} : (start + count) * {columns}]
for i in range(count * {columns}):
    to[i] = second_part[i]""",
}

SIGNATURE = (
    "y_:*{d} z_:*{d} weight_:*float64 parameters_:*{d} domain_:*{d} values_:*{d} first_:*{d} second_:*{d} rest_:*{d} "
    "state_:*float64 n:int64 keep:int64 scale:float64"
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
    """The source of a kernel over examples with a fixed number of raw outputs each.

    It fills ``values`` (which may be one chunk of scratch: ``keep`` is 0), ``first`` and ``second`` (times ``scale``), and adds
    the values to the sums of ``state``.
    """
    m = len(raws)
    place = {
        "y": "y_part[i]",
        **{name: f"z_part[i * {m} + {j}]" if m > 1 else "z_part[i]" for j, name in enumerate(raws)},
    }
    printed = body([*value, *first, *second], lambda name: place[name], parameters, dtype)
    results = iter(printed.results)
    lines = [*printed.inside, f"y_now = {place['y']}", "inside = (y_now >= least) & (y_now <= greatest)"]
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
    wide = {"value": len(value), "first": len(first), "second": len(second)}
    a, b = max(len(first), 1), max(len(second), 1)
    copied = [_COPIED[table].format(columns=columns) for table, columns in wide.items() if columns]
    code = _POINTS.format(
        m=m, a=a, b=b, z_end=1 + m, v_end=2 + m, a_end=2 + m + a, columns=columns_of_rest(m, len(first), len(second)),
        count=max(len(parameters), 1), state=STATE, chunk=CHUNK,
        before="\n".join([*printed.before, sums.BEFORE] if value else printed.before),
        shares=indented(_SHARES.format(state=STATE, chunk=CHUNK), 2) if weighted else "",
        filled="\n".join(f"            z_part[i * {m} + {j}] = filler_{j}" for j in range(m)),
        fillers="\n".join(f"        filler_{j} = z_left[{j}]" for j in range(m)),
        inside=indented("\n".join(lines), 2), bad=BAD, lost=LOST,
        adding=indented(adding(CHUNK, dtype, weighted), 1) if value else "",
        copied=indented("\n".join(copied), 2), after=sums.AFTER if value else "",
    )  # fmt: skip
    return module("A loss on its examples.", SIGNATURE.format(d=dtype), code, {**printed.constants, **sums.CONSTANTS})


def columns_of_rest(raws: int, first: int, second: int) -> int:
    """How many chunks a kernel copies where less than a chunk is left over."""
    return 2 + raws + max(first, 1) + max(second, 1)


def _scaled(result: str, table: str, weighted: bool) -> str:
    if table == "value":
        return f"{result} if w > 0.0 else ZERO" if weighted else result
    return f"FLOAT(np.float64({result}) * share) if w > 0.0 else ZERO" if weighted else f"{result} * factor"
