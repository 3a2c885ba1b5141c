"""Losses for grades, which stand in an order. ``at_least`` are the probabilities of grade 1 or more, of 2 or more, and so on.

Their first raw output is the score: the log-odds of grade 1 or more. Each that follows says how much further up the next grade
begins, and can put it nowhere else: the probabilities never cross.
"""

from goodmeasure.formulas.domains import Domain, Grades, OrderDomain
from goodmeasure.formulas.words import log, where
from goodmeasure.making.definition import loss


def _grades(grades: int) -> Domain:
    return OrderDomain("a grade", low=0, high=grades - 1, whole=True)


def _falling(grades: int) -> tuple[str, ...]:
    return ("sigmoid",) + ("falling",) * (grades - 2)


@loss(
    target=_grades,
    activation=_falling,
    asks_for="grades",
    also=("ordinal", "ordered_logit", "ordinal_logistic", "cumulative_logit"),
)
def proportional_odds(y, *at_least, grades: Grades = 3):
    """Surprise at the grade that happened: minus the logarithm of the probability that was given to it.

    Reach for it first for grades, stars and answers from low to high; far misses and near ones cost alike if they were equally
    unlikely, which ranked_probability does otherwise. McCullagh 1980.
    """
    surprise, before = -log(at_least[-1]), (1, *at_least)
    for grade in reversed(range(grades - 1)):
        surprise = where(y <= grade, -log(before[grade] - at_least[grade]), surprise)
    return surprise


@loss(target=_grades, activation=_falling, asks_for="grades", also=("rps", "ordinal_crps"))
def ranked_probability(y, *at_least, grades: Grades = 3):
    """The squared distances between what happened and the probabilities of each grade or more, added up.

    Reach for it when a miss by three grades is worse than one by one, or when some grades are wrong; far on the wrong side its
    signal vanishes, so begin with proportional_odds. Epstein 1969.
    """
    first, *others = (where(y <= grade, p**2, (1 - p) ** 2) for grade, p in enumerate(at_least))
    return sum(others, first)
