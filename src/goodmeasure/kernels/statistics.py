"""How kernels compute the statistics of a row of raw outputs: one entry a statistic, printed into the loops over classes.

A statistic is its value, from sums over the classes, and how it moves with the raw output of the class that happened and of
the others. Nothing is obtained by subtracting from one: the largest raw outputs are left out of the sums and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from goodmeasure.formulas.expression import Expr, symbols
from goodmeasure.kernels.printer import Body, body, expanded, names_of


@dataclass(frozen=True)
class Moves:
    """A statistic's value, and its slopes by the raw output of the class that happened, of another, and of the rival."""

    value: str
    of: str
    other: str = "ZERO"
    rival: str = ""


STATISTICS: Mapping[str, Moves] = {
    "log_p": Moves("fall_of - log_whole", of="rest", other="-p"),
    "rest": Moves("rest", of="ZERO"),
    "rest_p2": Moves("others2", of="-(p_of + p_of) * others2", other="(p + p) * (p * rest_j - apart)"),
    "mean_log_p": Moves("falls * each - log_whole", of="each - p_of", other="each - p"),
    "log_p2": Moves("(fall_of + fall_of) - log1p_excess2", of="rest2 + rest2", other="-(p2 + p2)"),
    "log_z": Moves("largest + log_whole", of="p_of", other="p"),
    "margin": Moves(
        # Zero times the excess is NaN for a row that holds one, which no comparison would notice.
        "(z_of - rival) + ZERO * excess",
        of="ONE + ZERO * excess",
        other="ZERO * excess",
        rival="ZERO * excess - ONE",
    ),
}

# Sums over the classes; the largest raw outputs (``ties`` of them) are left out of sums of ``grown`` and counted instead.
SUMS = {"below": "grown", "squares": "grown * grown", "falls": "fall", "ties": "ONE if top else ZERO"}

# What the statistics are made of, for a row and for one of its classes; each line may use those before it.
ROW = {
    "of_top": "z_of == largest",
    "e_of": "ONE if of_top else exp(z_of - largest)",
    "fall_of": "ZERO if of_top else z_of - largest",
    "spare": "ties - ONE",
    "no_limit": "(spare > ZERO) & (abs(largest) == INF)",
    "excess": "FLOAT(np.nan) if no_limit else below + spare",
    "log_whole": "log1p(excess)",
    "inverse": "ONE / (ONE + excess)",
    "p_of": "e_of * inverse",
    "rest": "(excess if of_top else ONE + (excess - e_of)) * inverse",
    "excess2": "squares + (excess - below)",
    "log1p_excess2": "log1p(excess2)",
    "inverse2": "ONE / (ONE + excess2)",
    "rest2": "(excess2 if of_top else ONE + (excess2 - e_of * e_of)) * inverse2",
    "squares_left": "squares - (ZERO if of_top else e_of * e_of)",
    "ties_left": "ties - (ONE if of_top else ZERO)",
    "others2": "(squares_left + ties_left) * (inverse * inverse)",
}
CLASS = {
    "p": "e * inverse",
    "rest_j": "(excess if top else ONE + (excess - e)) * inverse",
    "p2": "e * e * inverse2",
    "left": "(squares_left - (ZERO if top else e * e)) + (ties_left - (ONE if top else ZERO))",
    "apart": "left * (inverse * inverse)",
}

# What is zero where a class that happened no longer moves a statistic, whichever raw output moves. The slope may be no number
# there (0 * inf), and would spoil a sum over the classes.
STILL = {"log_p": "rest", "log_p2": "rest2", "rest_p2": "others2"}


def needed(wanted: Iterable[str], lines: Mapping[str, str]) -> list[str]:
    """The names of the lines that expressions use, directly or through each other, in order."""
    used = {name for line in wanted for name in names_of(line)}
    for name in reversed(list(lines)):
        if name in used:
            used |= names_of(lines[name])
    return [name for name in lines if name in used]


def vectors(names: Iterable[str], width: int, start: int = 0) -> tuple[str, int]:
    """Lines that lay out one scratch vector for each name, at a place that is known when the kernel is compiled."""
    found = list(dict.fromkeys(names))
    lines = [f"{v}_ = scratch[{start + width * j} : {start + width * (j + 1)}]" for j, v in enumerate(found)]
    return "\n".join(lines), len(found)


@dataclass(frozen=True)
class Asked:
    """What a kernel is printed for: a loss as a formula of statistics, and its derivatives by each (none: the value alone)."""

    value: Expr
    derivatives: tuple[tuple[str, Expr], ...]
    parameters: tuple[str, ...]
    dtype: str
    weighted: bool

    @property
    def slopes(self) -> dict[str, Expr]:
        """The derivatives by the name of their statistic."""
        return dict(self.derivatives)

    @property
    def formulas(self) -> list[Expr]:
        """The value and the derivatives."""
        return [self.value, *self.slopes.values()]

    @property
    def spoken(self) -> set[str]:
        """The statistics and other symbols that the formulas speak of."""
        return symbols(*self.formulas)


@dataclass(frozen=True)
class Needed:
    """What a loss needs: its statistics, their sums, and which numbers of a row its classes' signals use."""

    values: Sequence[str]
    slopes: Sequence[str]
    sums: Sequence[str]
    row: Sequence[str]
    classes: Sequence[str]
    kept: Sequence[str]

    @property
    def rival(self) -> list[str]:
        """The vectors of the largest raw output among the classes that did not happen, if a statistic looks at it."""
        return ["rival", "rival_at"] if "margin" in {*self.values, *self.slopes} else []


def plan_for(asked: Asked) -> Needed:
    values, slopes = [name for name in STATISTICS if name in asked.spoken], list(asked.slopes)
    of_classes = [text for name in slopes for text in (STATISTICS[name].of, STATISTICS[name].other)]
    classes = needed(of_classes, CLASS)
    kept_wanted = [*of_classes, *(CLASS[name] for name in classes)]
    row = needed([*(STATISTICS[name].value for name in values), *kept_wanted], ROW)
    used = {
        n
        for text in (*kept_wanted, *(STATISTICS[v].value for v in values), *(ROW[x] for x in row))
        for n in names_of(text)
    }
    kept = [name for name in (*row, "largest") if any(name in names_of(text) for text in kept_wanted)]
    return Needed(values, slopes, [s for s in SUMS if s in used], row, classes, kept)


# What is computed for every class of a row before its sums: the exponential of how far it lies below the largest, which is one
# for the largest itself; and, where a statistic asks for it, that distance. A row whose largest is infinite has neither; its
# exponentials are written by themselves.
STEP = {"e": "exp_down(x - largest)"}
FALL = {"fall": "ZERO if x == largest else x - largest"}


def of_row(asked: Asked, weight: str = "counts_[i]") -> Body:
    """Formulas of the statistics of row ``i``; ``weight`` says where that of the class stands."""
    place = {"weight": weight}
    return body(asked.formulas, lambda name: place.get(name, f"now_{name}"), asked.parameters, asked.dtype)


# The weights of a group of rows, of which ``count`` are there.
WEIGHTS = """\
for r in range(count):
    weight_part[r] = weight[start + r]
for r in range(count, {width}):
    weight_part[r] = 0.0"""

# How the loops over few and over many classes end: values are added up and kept, signals written, and what was seen is noted.
ROWS_END = """\
{adding}
    to = values[start * keep : start * keep + count]
    for r in range(count):
        to[r] = value_part[r]
{signal}
if bad:
    state[{bad}] = 1.0
{sums_after}
"""


def evaluated(plan: Needed, asked: Asked, printed: Body, loaded: Sequence[str], kept: Sequence[str]) -> list[str]:
    """The lines that turn the sums of row ``i`` into its value, its slopes and the signal of the class that happened.

    ``loaded`` names what the loop over classes left in vectors, ``kept`` what the loop over their signals will need.
    """
    present = " if weight_part[i] > 0.0 else ZERO" if asked.weighted else ""
    share = "FLOAT(weight_part[i] * scale)" if asked.weighted else "factor"
    lines = [f"{name} = {name}_[i]" for name in loaded]
    lines += expanded({name: ROW[name] for name in plan.row}, asked.dtype)
    lines += [f"now_{name} = {STATISTICS[name].value}" for name in plan.values]
    lines += [*printed.inside, f"value_part[i] = ({printed.results[0]}){present}"]
    for name, result in zip(plan.slopes, printed.results[1:], strict=True):
        of = STATISTICS[name].of
        lines += [f"slope_{name} = {result} * {share}", f"slope_{name}_[i] = slope_{name}"]
        lines.append(f"own_{name} = ZERO if {of} == ZERO else slope_{name} * ({of})")
    if plan.slopes:
        lines.append(f"own_[i] = ({' + '.join(f'own_{name}' for name in plan.slopes)}){present}")
    return lines + [f"{name}_[i] = {name}" for name in kept]


def of_others(plan: Needed, weighted: bool) -> tuple[list[str], list[str], str]:
    """For the signal of a class that did not happen in row ``r``: lines before the loop over classes, in it, and the signal."""
    before = [f"{name} = {name}_[r]" for name in (*plan.kept, *(f"slope_{name}" for name in plan.slopes))]
    inside, terms = [f"{name} = {CLASS[name]}" for name in plan.classes], []
    for name in plan.slopes:
        if STATISTICS[name].other != "ZERO":
            inside.append(f"move_{name} = {STATISTICS[name].other}")
            inside.append(f"term_{name} = ZERO if move_{name} == ZERO else slope_{name} * move_{name}")
            terms.append(f"term_{name}")
    # Added to zero times the exponential, a row that has no limit stays NaN.
    present = " if weight_part[r] > 0.0 else ZERO" if weighted else ""
    return before, inside, f"({' + '.join(terms) or 'ZERO * e'}){present}"


def of_rival(plan: Needed, weighted: bool) -> str:
    """What is added to the signal of the rival in row ``r``; empty if no statistic looks at one."""
    steps = [f"({STATISTICS[name].rival}) * slope_{name}" for name in plan.slopes if STATISTICS[name].rival]
    return f"({' + '.join(steps)})" + (" if weight_part[r] > 0.0 else ZERO" if weighted else "") if steps else ""
