"""The loops around printed formulas: what is read, checked, weighed, summed and written for each chunk of examples."""

from __future__ import annotations

from collections.abc import Sequence

from goodmeasure.formulas.expression import Expr
from goodmeasure.kernels import sums
from goodmeasure.kernels.printer import body, indented, module
from goodmeasure.kernels.sums import BAD, LOST, STATE, adding

CHUNK = 1024  # examples whose values stay in the first-level cache until they are summed

_POINTS = """\
{arrays}
state, domain = carray(state_, ({state},)), carray(domain_, (2,))
least, greatest = domain[0], domain[1]
factor = FLOAT(scale)
{before}
for start in range(0, n, {chunk}):
    count = min({chunk}, live - start)
{parts}
    bad = lost = False
    for i in range({chunk}):
{inside}
    if bad:
        state[{bad}] = 1.0
    if lost:
        state[{lost}] = 1.0
{adding}
{after}
"""

_TURNED = ["yes = y_now > ZERO", "turned = z_part[i] if yes else -z_part[i]"]
_INSIDE = {
    False: ["inside = (y_now >= least) & (y_now <= greatest)"],
    True: ["inside = (y_now == ZERO) | (y_now == ONE)"],
}

SIGNATURE = (
    "y_:*{d} z_:*{d} weight_:*float64 parameters_:*{d} domain_:*{d} value_:*{d} first_:*{d} second_:*{d} state_:*float64 "
    "n:int64 live:int64 keep:int64 scale:float64"
)
TABLES = ("y", "z", "weight", "value", "first", "second")


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
    sure: bool = False,
    turned: bool = False,
    summed: bool = True,
) -> str:
    """The source of a kernel over whole chunks of examples with a fixed number of raw outputs each.

    It fills ``value`` (which may be one chunk of scratch: ``keep`` is 0), ``first`` and ``second`` (times ``scale``), and adds
    the values of the first ``live`` examples to the sums of ``state``, where they are to be ``summed``. Where targets are
    ``sure``, one between yes and no counts as outside the domain. With ``turned``, which are sure, the formulas are those of a
    yes: the raw output of a no is turned round, and so is the first derivative.
    """
    m = len(raws)
    place = {
        "y": "y_part[i]",
        **{name: f"z_part[i * {m} + {j}]" if m > 1 else "z_part[i]" for j, name in enumerate(raws)},
    }
    loaded = place | ({raws[0]: "turned"} if turned else {})
    printed = body([*value, *first, *second], lambda name: loaded[name], parameters, dtype)
    results = iter(printed.results)
    lines = [f"y_now = {place['y']}", *(_TURNED if turned else []), *printed.inside, *_INSIDE[sure]]
    if whole:
        lines.append("inside &= np.floor(y_now) == y_now")
    gone = [f"({place[name]} != {place[name]})" for name in raws]
    present = "(w > 0.0) & " if weighted else ""
    if weighted:
        lines += ["w = weight_part[i]", "share = w * scale"]
    for table, count in (("value", len(value)), ("first", len(first)), ("second", len(second))):
        for column in range(count):
            result = next(results)
            if turned and table == "first":
                lines.append(f"pull = {result} if yes else -{result}")
                result = "pull"
            gone.append(f"({result} != {result})")
            at = f"i * {count} + {column}" if count > 1 else "i"
            lines.append(f"{table}_part[{at}] = {_scaled(result, table, weighted)}")
    lines += [f"bad |= {present}(not inside)", f"lost |= {present}({' | '.join(gone)})"]
    columns = dict(zip(TABLES, (1, m, int(weighted), len(value), len(first), len(second)), strict=True))
    held = {name: c for name, c in columns.items() if c}
    starts = {name: "start * keep" if name == "value" else f"start * {c}" for name, c in held.items()}
    adds = summed and bool(value)
    before = [f"parameters = carray(parameters_, ({len(parameters)},))"] if parameters else []
    code = _POINTS.format(
        state=STATE, chunk=CHUNK, arrays="\n".join(f"{name} = carray({name}_, (n * {c},))" for name, c in held.items()),
        parts="\n".join(
            f"    {name}_part = {name}[{starts[name]} : {starts[name]} + {CHUNK * c}]" for name, c in held.items()
        ),
        before="\n".join([*before, *printed.before, *([sums.BEFORE] if adds else [])]),
        inside=indented("\n".join(lines), 2), bad=BAD, lost=LOST,
        adding=indented(adding(CHUNK, dtype, weighted), 1) if adds else "", after=sums.AFTER if adds else "",
    )  # fmt: skip
    return module("A loss on its examples.", SIGNATURE.format(d=dtype), code, {**printed.constants, **sums.CONSTANTS})


def _scaled(result: str, table: str, weighted: bool) -> str:
    if table == "value":
        return f"{result} if w > 0.0 else ZERO" if weighted else result
    return f"FLOAT(np.float64({result}) * share) if w > 0.0 else ZERO" if weighted else f"{result} * factor"
