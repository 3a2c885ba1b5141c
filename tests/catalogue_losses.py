"""The losses that tests enumerate: the catalogue, and each of its kinds with weights, another activation, or added up."""

from goodmeasure import losses
from goodmeasure.deriving.class_statistics import speaks_of_outcomes
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


def ids(losses_):
    return [repr(each) for each in losses_]
