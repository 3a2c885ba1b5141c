"""What is said of rules under costs: theory or practice, moved or as predicted, weights, and mistakes that no row shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

import goodmeasure as gm
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.decisions.decision import decide
from goodmeasure.decisions.pricing import Policy, Prices, mistakes, never_seen
from goodmeasure.reading.tables import Table
from goodmeasure.statistics.estimate import Difference
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.study.cases import Cases
from goodmeasure.study.judging import try_recalibration
from simulations.sections import Row, Section

Floats = np.ndarray
SIZES = (100, 300, 1000, 5000)
GROUP = 10


def together(rng: np.random.Generator, n: int, *, grouped: bool) -> Floats:
    """Normal numbers, of which those of a group share half of what they are."""
    shared = rng.normal(size=n // GROUP + 1)[np.arange(n) // GROUP]
    return (shared + rng.normal(size=n)) / np.sqrt(2) if grouped else rng.normal(size=n)


def scored(rng: np.random.Generator, n: int, base: float, *, grouped: bool = False) -> tuple[Floats, Floats]:
    """Outcomes of true probabilities; of groups both share what moves them."""
    z = base + 1.5 * together(rng, n, grouped=grouped)
    return (norm.cdf(together(rng, n, grouped=grouped)) < expit(z)) * 1.0, z


def thresholds(runs: int = 200) -> Iterator[Row]:
    """Practice beats theory nowhere where scores are true; where their odds are three times too small it does."""
    for name, base, costs, grouped in (
        ("half yes, 4 to 1", 0.0, Costs(false_negative=4, false_positive=1), False),
        ("half yes, 4 to 1, groups of ten", 0.0, Costs(false_negative=4, false_positive=1), True),
        ("5 % yes, 40 to 5", -3.8, Costs(false_negative=40, false_positive=5), False),
    ):
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                y, z = scored(rng, n, base, grouped=grouped)
                if len(np.unique(y)) < 2:
                    counts[1] += 1
                    continue
                known = {"cluster": np.arange(n) // GROUP} if grouped else {}
                best = [decide(y, expit(z - shift), costs, **known).best.name for shift in (0.0, np.log(3))]
                counts += best[0] == "practice", best[1] != "practice"
            yield name, n, *(counts / runs).tolist()


NOISE = {
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tails (Student 3)": lambda rng, n: rng.standard_t(3, n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
}
UNDER = UnderOverCosts(under=3, over=1)


def shifts(runs: int = 200) -> Iterator[Row]:
    """Amounts that are the .75 quantile of what is needed, and the median of it."""
    for name, noise in NOISE.items():
        known = noise(np.random.default_rng(10**6), 1_000_000)
        right, middle = np.quantile(known, (0.75, 0.5))
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                x = rng.normal(size=n)
                said = [decide(x + noise(rng, n), x + at, UNDER).rules[0].versus_practice for at in (right, middle)]
                counts += said[0].verdict == "worse", said[1].verdict != "worse"
            yield name, n, *(counts / runs).tolist()


def costs_of_two(runs: int = 400) -> Iterator[Row]:
    """Two rules that cost the same, and one that costs less: of models with as large and with a larger error."""
    for name in ("half yes, 4 to 1", "groups of ten, 4 to 1", "4 to 1 times a lognormal a row", "amounts, Student 3"):
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                counts += [
                    verdict != "better" if k else verdict != _UNKNOWN for k, verdict in enumerate(_said(name, rng, n))
                ]
            yield name, n, *(counts / runs).tolist()


_UNKNOWN = "cannot tell"


def _said(name: str, rng: np.random.Generator, n: int) -> Iterator[str]:
    """What is said of two models alike, and of a better one against a worse one."""
    grouped = name.startswith("groups")
    if name.startswith("amounts"):
        truth = rng.normal(size=n)
        y, errors = truth + 0.67 + rng.standard_t(3, n), (0.3, 0.3, 1.0)
        rows = Sample.of(PresentRows.of(n), 0.95)
        cost = [UNDER.of(y, truth + 0.67 + error * rng.normal(size=n)) for error in errors]
        yield from (_word(rows.difference(cost[0] - other)) for other in cost[1:])
        return
    y, z = scored(rng, n, 0.0, grouped=grouped)
    row = rng.lognormal(size=n) if "a row" in name else 1.0
    prices = Prices(
        Costs(false_negative=4 * row, false_positive=1 * row),
        y.astype(np.intp),
        Sample.of(PresentRows.of(n, **({"cluster": np.arange(n) // GROUP} if grouped else {})), 0.95),
    )
    acts = [np.asarray(z + e * together(rng, n, grouped=grouped) >= logit(0.2), dtype=np.intp) for e in (0.5, 0.5, 2.0)]
    yield from (_word(prices.extra(Policy(acts[0]), Policy(other))) for other in acts[1:])


def _word(found: Difference) -> str:
    return found.verdict if found.verdict in ("better", "worse") else _UNKNOWN


def never_shown() -> Iterator[Row]:
    """Exactly: a sample without a single miss says how often there may be one, and that is less than the truth."""
    miss = mistakes(Costs(false_negative=40, false_positive=5))[0]
    for n in SIZES:
        most = 1 - 0.05 ** (1 / n)
        assert f"at most {most:.2g}" in never_seen(miss, f"{n} events", n, 0.95)
        for share in (0.1, 0.01, 0.001):
            unseen = (1 - share) ** n
            yield n, share, unseen, unseen if most < share else 0.0


def maps(runs: int = 150) -> Iterator[Row]:
    """Of true log-odds every map is worse; twice too sharp ones ask for one. Rows to tune are a fifth of n."""
    loss = gm.losses.binary_cross_entropy()
    for name, base in (("half yes", 0.0), ("5 % yes", -3.8)):
        for n in SIZES:
            rng, counts = np.random.default_rng(n), np.zeros(2)
            for _ in range(runs):
                y, z = scored(rng, n // 5, base)
                tune = Cases(Table({"z": z}, "", len(z)), y)
                found = [try_recalibration(loss, tune, raw, 0)[0] for raw in (z, 2 * z)]
                counts += [found[0] is not None and found[0].used, found[1] is None or not found[1].used]
            yield name, n, *(counts / runs).tolist()


SECTIONS = (
    Section(
        'A tuned threshold ("practice") in place of "theory": falsely, and missed where odds are three times too small',
        ("table", "n", "falsely practice", "practice missed"),
        thresholds,
    ),
    Section(
        'Amounts "moved" by their misses: falsely where the quantile of the costs is predicted, missed where the median is',
        ("misses", "n", "falsely moved", "moved missed"),
        shifts,
    ),
    Section(
        'Costs of two rules, "surely more" or "surely less": falsely where they cost the same, and missed where one is worse',
        ("table", "n", "falsely", "missed"),
        costs_of_two,
    ),
    Section(
        '"Not one miss among n events, at most q of them": how often it is said, and with less than the truth; exactly',
        ("events", "share missed", "said", "falsely"),
        never_shown,
    ),
    Section(
        '"Recalibrated": falsely where log-odds are true, and missed where they are twice too sharp',
        ("table", "n", "falsely", "missed"),
        maps,
    ),
)
