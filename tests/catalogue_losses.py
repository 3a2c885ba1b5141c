"""The losses that tests enumerate: the catalogue, and each of its kinds with weights, another activation, or added up."""

import numpy as np

from goodmeasure import losses
from goodmeasure.deriving.class_statistics import speaks_of_outcomes
from goodmeasure.formulas.domains import RisingDomain, SizeDomain
from goodmeasure.making.definition import Definition


def definitions() -> list[Definition]:
    """Every definition of the catalogue."""
    return list(losses.catalogue().values())


def everything():
    """One loss of each definition, with its defaults."""
    return [definition() for definition in definitions()]


def variants():
    """Weighted, scaled, summed and re-activated forms, picked by kind and not by name."""
    plain = everything()
    yes_no = [each for each in plain if each.is_binary and speaks_of_outcomes(each.predictions)]
    classes = [each for each in plain if each.is_classwise and speaks_of_outcomes(each.predictions)]
    amounts = [each for each in plain if [a.name for a in each.activation] == ["exp"]]
    sums = [kind[0] + 0.1 * kind[1] for kind in (yes_no, classes)]
    return [2.5 * plain[0], *sums, *(each.with_activation("softplus") for each in amounts)]


def weighted():
    """Some losses of yes/no and of classes with weights on what happened, which are factors whatever the loss."""
    kinds = [d for d in definitions() if speaks_of_outcomes(d.predictions)]
    yes_no = [d(positive_weight=19.0) for d in kinds if d.activation[0].name == "sigmoid"]
    classes = [d(class_weight=(1.0, 2.0, 5.0)) for d in kinds if d.activation[0].name == "softmax"]
    return [*yes_no[::3], *classes[::3]]


def between_bounds(loss, y):
    """Targets above zero as they are, or brought between the bounds of a loss that has some, in the same order."""
    low, high = loss.target.low, loss.target.high
    return low + (high - low) * (y / (1 + y)) if np.isfinite(high) and not loss.target.whole else y


def ids(losses_):
    return [repr(each) for each in losses_]


def drawn(definition, random, size=6.0):
    """A loss with hyperparameters anywhere in their domains, next to the ends too; scales from 1e-size to 1e+size."""
    return definition(**{name: _drawn(domain, random, size) for name, domain in definition.domains})


def _drawn(domain, random, size):
    far = float(10 ** random.uniform(-size, size))
    if domain.gap == (0, 1):  # powers of the mean
        return float(random.choice([0.0, 1.0, 1 + 1e-6, 1.5, 2 - 1e-6, 2.0, 2 + 1e-6, 3.0, random.uniform(1, 2), 8.0]))
    if isinstance(domain, RisingDomain):
        small = float(10 ** -random.uniform(1, size))
        if domain.written:
            return (float(random.choice([-far, 0.0, 1.0])), float(random.choice([1.5, 2.0, 100.0])) + far)
        return tuple(sorted({small, *random.random(int(random.integers(1, 4)))}))
    if isinstance(domain, SizeDomain):
        return int(random.integers(domain.low, 6))  # formulas grow with their size, and the time that a test takes
    if np.isfinite(domain.low) and np.isfinite(domain.high):
        small = float(10 ** -random.uniform(1, size))
        inside = domain.low + (domain.high - domain.low) * float(
            random.choice([small, 0.5, random.random(), 1 - small])
        )
        return inside if inside in domain else (domain.low + domain.high) / 2
    if np.isfinite(domain.low):
        return domain.low + (0.0 if domain.low in domain and random.random() < 0.2 else far)
    # A power or an exponent: beyond a hundred its formulas leave the range of numbers next to zero.
    return float(random.choice([-1, 1])) * float(10 ** random.uniform(-size, min(size, 2.0)))


def scales_of(loss):
    """The same loss on every scale of raw outputs that it admits."""
    if loss.is_classwise or loss.is_binary or loss.is_graded:
        return [loss]
    names = ("linear", "exp", "softplus", "sigmoid")
    first = loss.activation[0]
    others = [loss.with_activation((n, *loss.activation[1:])) for n in names if n != first.name]
    return [loss, *(each for each in others if _fits(each))]


def _fits(loss):
    """Whether predictions on this scale are what the loss speaks of: no logarithm of a negative amount."""
    if np.isfinite(loss.target.high) and not loss.target.whole:
        return loss.activation[0].reaches.high <= loss.target.high
    positive = loss.target.low == 0
    return not (positive and loss.activation[0].name == "linear")
