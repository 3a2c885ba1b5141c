"""The loss: a formula with its activation and hyperparameters, and every number that is read from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from goodmeasure import algebra, classwise, constants, outcomes, pointwise, readings
from goodmeasure.activations import Activation, activation, sigmoid, softmax
from goodmeasure.arrays import examples
from goodmeasure.domains import Binary, Classes, Domain, OutcomeDomain, domain
from goodmeasure.errors import UsageError
from goodmeasure.evaluation import Array
from goodmeasure.formula import Expr, Word, decided, derivative, simplify, symbol
from goodmeasure.totals import Total, finished, shares, total_of

if TYPE_CHECKING:
    from goodmeasure.card import Card


@dataclass(frozen=True)
class Facts:
    """What a definition says about itself beyond its formula; optional, and held against the formula by a test."""

    sentence: str = ""
    asks_for: str = ""
    also: tuple[str, ...] = ()
    also_binary: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, repr=False)
class Loss:
    """One scalar that says what good means, on raw outputs; its signal, its curvature and its readings are derived.

    Made by the factories of ``goodmeasure.losses`` or by ``@goodmeasure.loss`` on a formula of your own.
    """

    spelling: str
    book: Expr
    target: Domain
    predictions: tuple[str, ...]
    activation: tuple[Activation, ...]
    hyperparameters: tuple[tuple[str, float], ...] = ()
    class_weight: tuple[float, ...] = ()
    facts: Facts = field(default=Facts(), compare=False)

    def __repr__(self) -> str:
        return self.spelling

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what was derived from them is derived again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    # --- what the formula is ---

    @cached_property
    def is_classwise(self) -> bool:
        """Whether a row of raw outputs, one a class, belongs to each example."""
        return self.activation == (softmax,)

    @property
    def is_binary(self) -> bool:
        """Whether the target is yes or no, on one raw output."""
        return isinstance(self.target, OutcomeDomain) and not self.is_classwise

    @property
    def raw_names(self) -> tuple[str, ...]:
        """The symbols of the raw outputs in `composed`: z, or z0, z1, ... where there are several."""
        count = len(self.activation)
        return ("z",) if count == 1 else tuple(f"z{i}" for i in range(count))

    @cached_property
    def values(self) -> dict[str, float]:
        """The hyperparameters, which are runtime symbols of the formula, with their values."""
        return dict(self.hyperparameters)

    @cached_property
    def settled(self) -> Expr:
        """The book formula with what hyperparameters decide: their choices are made, and a term times zero is absent."""
        book = decided(self.book, self.values)
        return simplify(book, {name: int(value) for name, value in self.hyperparameters if value in (0, 1)})

    @property
    def weights_of_yes_and_no(self) -> tuple[Any, Any]:
        """How much a yes and a no count in the formula."""
        return (1 if self.values.get("positive_weight", 1) == 1 else symbol("positive_weight"), 1)

    @cached_property
    def composed(self) -> Expr:
        """The formula on raw outputs: of y and z, or for classes of the row statistics (see `outcomes`)."""
        return _composed(self)

    @cached_property
    def signal(self) -> tuple[Expr, ...]:
        """The derivative of the formula by each raw output; for classes, by each statistic in turn."""
        if self.is_classwise:
            return tuple(outcomes.by_statistic(self.composed).values())
        return tuple(derivative(self.composed, name) for name in self.raw_names)

    @cached_property
    def curvature(self) -> tuple[tuple[Expr, ...], ...]:
        """The second derivatives by each pair of raw outputs (not for classes: see `outcomes.by_statistic`)."""
        return tuple(tuple(derivative(slope, name) for name in self.raw_names) for slope in self.signal)

    def half(self, outcome: int) -> Expr:
        """The loss of a yes/no target as a formula of z alone, when yes (1) or no (0) happened."""
        return simplify(self.composed, {"y": outcome})

    def with_activation(self, given: Activation | Word | str | tuple[Activation | Word | str, ...]) -> Loss:
        """The same loss on another scale of raw outputs, for example ``losses.poisson().with_activation(softplus)``."""
        chosen = tuple(activation(g) for g in (given if isinstance(given, tuple) else (given,)))
        if len(chosen) != len(self.activation):
            raise UsageError(
                f"{self} has {len(self.activation)} raw outputs and was given {len(chosen)} activations",
                fix=f"give {len(self.activation)} activations",
            )
        outcome = outcomes.speaks_of_outcomes(self.predictions)
        if (softmax in chosen and not outcome) or (outcome and chosen[0] not in (sigmoid, softmax)):
            raise UsageError(
                f"{self} cannot have the activation {chosen[0]}",
                seen="probabilities of outcomes come from sigmoid or softmax, and other predictions never from softmax",
                fix="with_activation('sigmoid')" if outcome else "with_activation('softplus')",
            )
        base = self.spelling.split(".with_activation", 1)[0]
        spelling = f"{base}.with_activation({', '.join(a.name for a in chosen)})"
        target = domain(Classes if softmax in chosen else Binary) if outcome else self.target
        return replace(self, activation=chosen, target=target, spelling=spelling)

    # --- numbers, one an example ---

    @property
    def _numbers(self) -> ModuleType:
        return classwise if self.is_classwise else pointwise

    def value(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The loss of each example, in the dtype of ``z``; 0 where masked."""
        given = examples(self, y, z, mask=mask)
        return finished(given, self._numbers.numbers(self, given, 0)[0])

    def gradient(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The signal of each example: the derivative of its loss by its raw outputs, of z's shape and dtype."""
        given = examples(self, y, z, mask=mask)
        return finished(given, self._numbers.numbers(self, given, 1)[1])

    def hessian(self, y: Any, z: Any, *, mask: Any = None, full: bool = False) -> Array:
        """The curvature of each example: second derivatives by its raw outputs, of z's shape.

        ``full=True`` gives the whole matrix of an example with several raw outputs, of shape z.shape + (K,).
        """
        given = examples(self, y, z, mask=mask)
        return finished(given, self._numbers.bends(self, given, full=full))

    # --- sums and means ---

    def total(self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None) -> Total:
        """The sum of weight times loss, and of the weights: totals of parts add up exactly to that of the whole."""
        given = examples(self, y, z, sample_weight, mask)
        return total_of(given, self._numbers.numbers(self, given, 0)[0])

    def __call__(
        self, y: Any, z: Any = None, sample_weight: Any = None, *, prediction: Any = None, mask: Any = None
    ) -> float:
        """The weighted mean of the loss; ``prediction=`` takes predictions in place of raw outputs."""
        if (z is None) == (prediction is None):
            raise UsageError(
                f"{self} takes raw outputs or predictions, one of them", fix="loss(y, z) or loss(y, prediction=p)"
            )
        if prediction is None:
            return self.total(y, z, sample_weight, mask=mask).mean
        given = readings.check_predictions(self, prediction)
        return readings.on_predictions(self).total(y, given, sample_weight, mask=mask).mean

    def value_and_gradient(
        self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None, out: Any = None
    ) -> tuple[float, Array]:
        """The weighted mean and its derivative by z in one compiled pass; ``out``, like z, is where the derivative goes."""
        if isinstance(z, np.ndarray):
            # The training step is compiled. Readings are not: their bits depend on nothing but the example.
            swept: tuple[float, Array] | None = _kernels().value_and_gradient(self, y, z, sample_weight, mask, out)
            if swept is not None:
                return swept
        given = examples(self, y, z, sample_weight, mask)
        value, slope = self._numbers.numbers(self, given, 1)
        total = total_of(given, value)
        share = shares(given, total)
        slope = finished(given, slope * (share if slope.ndim == share.ndim else share[..., None]))
        mean = total.mean
        if out is None:
            return mean, slope
        if not isinstance(out, np.ndarray) or out.shape != slope.shape or out.dtype != slope.dtype:
            raise UsageError(
                "out does not fit the gradient",
                seen=f"out of shape {getattr(out, 'shape', None)} and dtype {getattr(out, 'dtype', None)}",
                fix=f"out = numpy.empty({slope.shape}, dtype='{slope.dtype}')",
            )
        out[...] = slope
        return mean, out

    # --- readings (see `readings`) ---

    def predict(self, z: Any) -> Array:
        """Raw outputs as predictions; probabilities are free of what weights, focusing or smoothing did to them."""
        return readings.predict(self, z)

    def raw(self, prediction: Any) -> Array:
        """The raw outputs whose `predict` is this."""
        return readings.raw(self, prediction)

    def best_constant(self, y: Any, sample_weight: Any = None) -> Any:
        """The raw output that has the smallest mean loss when it is used for every example."""
        return constants.best_constant(self, y, sample_weight)

    def identification(self, y: Any, z: Any) -> Array:
        """Zero on average where predictions are what the loss asks for; for a mean, prediction minus target."""
        return readings.identification(self, y, z)

    # --- the card ---

    def card(self) -> Card:
        """What the loss asks for, its formulas, what errors cost, its traits with evidence, and how hosts spell it."""
        # The card stands floors above the loss that it describes; only asking for it brings it in.
        from goodmeasure.card import card

        return card(self)

    def _repr_html_(self) -> str:
        return self.card()._repr_html_()

    # --- algebra ---

    def __mul__(self, factor: float) -> Loss:
        return algebra.scaled(self, factor)

    __rmul__ = __mul__

    def __add__(self, other: Loss) -> Loss:
        return algebra.summed(self, other)


@cache
def _kernels() -> Any:
    """The compiled kernels, which speak of losses and are brought in by the first training step."""
    from goodmeasure import kernels

    return kernels


def _composed(loss: Loss) -> Expr:
    book = loss.settled
    if loss.is_classwise:
        return outcomes.class_formula(book)
    if outcomes.speaks_of_outcomes(loss.predictions):
        z = symbol("z")
        (squash,) = loss.activation
        return outcomes.yes_no(book, squash(z), squash(-z), loss.weights_of_yes_and_no)
    raws = [a(symbol(z)) for a, z in zip(loss.activation, loss.raw_names, strict=True)]
    return simplify(book, dict(zip(loss.predictions, raws, strict=True)))
