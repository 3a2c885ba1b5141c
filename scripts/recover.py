"""Whether `predict` gives the true probability back, for every loss, weight, focus and smoothing that implies one.

    python scripts/recover.py            # writes docs/probabilities.md
    python scripts/recover.py --check    # fails if the page is not what would be written

For each true probability the best raw output is searched for as the minimiser of the expected loss, with values of the loss alone
and nothing of what is derived from it. There `predict` must say that probability. Probabilities whose best raw output a search in
double precision cannot see (it is infinite, or values do not differ around it) are left out and counted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from goodmeasure import losses, weighted
from goodmeasure.deriving.implied_probability import implies_probability
from goodmeasure.formulas.domains import Domain
from goodmeasure.making.definition import Definition
from goodmeasure.making.loss import Loss

PAGE = Path(__file__).resolve().parent.parent / "docs" / "probabilities.md"
SHARES = (0.001, 0.02, 0.2, 0.5, 0.7, 0.97, 0.999)
COUNTS = (2, 3, 10)
POSITIVE = (1.0, 0.2, 19.0)
# Values of a hyperparameter at the ends of its domain, near them and between; those outside are left out.
LADDER = (-0.999, -0.5, 0.0, 0.001, 0.1, 0.5, 0.7, 0.9, 0.999, 1.0, 2.0, 5.0, 30.0)
# A search by values alone sees no more of a minimum than about the root of the rounding of a value.
CLOSE = 1e-5
FAR = 800.0


@dataclass(frozen=True)
class Found:
    """What became of one loss: probabilities asked for, with a best raw output, given back, and the largest miss of those."""

    name: str
    loss: Loss
    asked: int
    found: int
    back: int
    worst: float


# --- which losses ---


def settings(definition: Definition) -> Iterator[dict[str, float]]:
    """The defaults, and each hyperparameter along the ladder with the others as they are."""
    yield {}
    for name, domain in definition.domains:
        yield from ({name: value} for value in _inside(domain))


def _inside(domain: Domain) -> list[float]:
    return [value for value in LADDER if value in domain]


def yes_no() -> Iterator[tuple[str, Loss, int]]:
    """Every loss of yes/no, at each setting and weight of a yes."""
    for name, definition in losses.catalogue().items():
        if definition().is_binary:
            for given, weight in product(settings(definition), POSITIVE):
                loss = definition(**given)
                yield name, loss if weight == 1 else weighted(loss, positive=weight), 1


def classes(counts: Sequence[int] = COUNTS) -> Iterator[tuple[str, Loss, int]]:
    """Every loss of classes, at each setting and number of classes, with and without class weights."""
    for name, definition in losses.catalogue().items():
        if definition().is_classwise:
            for given, k in product(settings(definition), counts):
                yield name, definition(**given), k
                yield name, weighted(definition(**given), classes=np.geomspace(0.5, 4, k).tolist()), k


# --- what predict says at the best raw output ---


def judged(name: str, loss: Loss, k: int) -> Found:
    """The answers of one loss at some true probabilities."""
    truths = [np.array([share]) for share in SHARES] if k == 1 else rows_of(k)
    best = [best_number(loss, t) if k == 1 else best_row(loss, t) for t in truths]
    at = [(true, z) for true, z in zip(truths, best, strict=True) if z is not None]
    if not implies_probability(loss):
        return Found(name, loss, len(truths), len(at), 0, 0.0)
    misses = np.array([_miss(loss.predict(z if k == 1 else z[None]).ravel() - true) for true, z in at])
    return Found(name, loss, len(truths), len(at), int((misses <= CLOSE).sum()), float(misses.max(initial=0.0)))


def _miss(difference: Any) -> float:
    found = float(np.abs(difference).max())
    return np.inf if np.isnan(found) else found


def rows_of(k: int) -> list[Any]:
    """Probabilities of k classes: even, uneven, and nearly certain."""
    r = np.random.default_rng(0)
    return [np.full(k, 1 / k), *r.dirichlet(np.ones(k), 2), 0.95 * (np.arange(k) == 1) + 0.05 / k]


def best_number(loss: Loss, true: Any) -> Any:
    """The one best raw output for a probability of yes, on ever finer grids; None where there is none or more than one."""
    low, high = -FAR, FAR
    for _ in range(20):
        z = np.linspace(low, high, 81)
        expected = true * loss.value(np.ones_like(z), z) + (1 - true) * loss.value(np.zeros_like(z), z)
        ties = np.flatnonzero(expected <= np.nanmin(expected))
        low, high = z[max(ties[0] - 1, 0)], z[min(ties[-1] + 1, 80)]
        if len(ties) > 8 or high - low < 1e-9:
            break
    seen = high - low < 1e-4 and abs(low + high) / 2 < 0.99 * FAR
    return np.array([(low + high) / 2]) if seen else None


def best_row(loss: Loss, true: Any) -> Any:
    """The best raw outputs for class probabilities, by differences of the expected loss; None where they are not seen."""
    k, y, step = len(true), np.arange(len(true)), 1e-4

    def expected(table: Any) -> Any:
        full = np.concatenate([table, np.zeros((len(table), 1))], axis=1)
        repeated = np.repeat(full - full.mean(axis=1, keepdims=True), k, axis=0)
        return loss.value(np.tile(y, len(table)), repeated).reshape(-1, k) @ true

    def both(z: Any) -> tuple[float, Any]:
        steps = step * np.eye(k - 1)
        moved = np.concatenate([z[None], z + steps, z - steps, z + 2 * steps, z - 2 * steps])
        value, up, down, up2, down2 = np.split(expected(moved), [1, k, 2 * k - 1, 3 * k - 2])
        return float(value[0]) / unit, (8 * (up - down) - (up2 - down2)) / (12 * step * unit)

    start = (np.log(true) - np.log(true[-1]))[:-1]
    unit = float(expected(start[None])[0])
    found = minimize(both, start, jac=True, method="BFGS", options={"gtol": 1e-12, "maxiter": 500})
    full = np.concatenate([found.x, [0.0]])
    p = np.exp(full - full.max()) / np.exp(full - full.max()).sum()
    # Near a class of nearly no probability values do not differ enough for the slope to be more than rounding.
    unseen = np.abs(found.jac).max() > 1e-7 * p.min() or p.min() < 1e-9
    return None if unseen else full - full.mean()


# --- the page ---

HEAD = """\
# Probabilities that are given back

Made by `python scripts/recover.py`; takes minutes.

`predict` undoes what weights, focus and smoothing in a loss do to the best probability. For each loss of the catalogue, each of
its hyperparameters at and near the ends of its domain and between, weights of {weights} for a yes or uneven class weights, and
{counts} classes, the best raw output for a true probability is searched for with values of the loss alone; there `predict` must
say that probability within {close:g}. *Asked* counts true probabilities. *Seen* are those whose best raw output is finite and
can be seen in double precision: that of generalized_cross_entropy with q near 1 soon is out of sight, and beyond .96 that of
asymmetric is infinite. The tables hold the losses that say they imply a probability.
"""


def page() -> str:
    """The page, simulated now."""
    parts = [
        HEAD.format(weights=", ".join(f"{w:g}" for w in POSITIVE), counts=", ".join(map(str, COUNTS)), close=CLOSE)
    ]
    for title, cases in (("Yes or no", yes_no()), ("Classes", classes())):
        parts += [f"\n## {title}\n", *_table([judged(*case) for case in cases])]
    return "\n".join([*parts, ""])


def _table(found: Sequence[Found]) -> list[str]:
    says = [each for each in found if implies_probability(each.loss)]
    none = [each for each in found if not implies_probability(each.loss)]
    lines = ["| loss | forms | asked | seen | given back | largest miss |", "|---|---|---|---|---|---|"]
    names = dict.fromkeys(each.name for each in says)
    lines += [_line(name, [each for each in says if each.name == name]) for name in names]
    lines.append(_line("all", says))
    return [*lines, "", "These say that they imply none, and `predict` is an error (GM007):", *_refused(none)]


def _line(name: str, rows: Sequence[Found]) -> str:
    asked, seen, back = (sum(getattr(each, part) for each in rows) for part in ("asked", "found", "back"))
    return f"| {name} | {len(rows)} | {asked} | {seen} | {back} | {max(each.worst for each in rows):.0e} |"


def _refused(none: Iterable[Found]) -> list[str]:
    plain = dict.fromkeys(str(each.loss) for each in none if not str(each.loss).startswith("weighted"))
    return [f"`{'`, `'.join(plain)}`, and their weighted forms."]


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
