"""The record of a loss: its formula, activation and hyperparameters, and the formulas that follow from them.

It knows none of its readers: numbers, predictions, constants, kernels and traits are functions of it, in modules above.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import UsageError
from goodmeasure.formulas.activations import Activation, activation, predicted, sigmoid, softmax
from goodmeasure.formulas.domains import Binary, Classes, Domain, OrderDomain, OutcomeDomain, domain
from goodmeasure.formulas.expression import Expr, Word, decided, derivative, released, simplify, symbol
from goodmeasure.strict.calls import strict_class

# What was given comes back as what it was: a record, or the object that a user holds.
R = TypeVar("R", bound="Record")


@dataclass(frozen=True)
class Facts:
    """What a definition says about itself beyond its formula; optional, and held against the formula by a test.

    ``also`` are names that people have for it, ``nearly`` names of what differs from it, each with how; the yes/no form of a
    formula for both has names of its own.
    """

    sentence: str = ""
    asks_for: str = ""
    also: tuple[str, ...] = ()
    also_binary: tuple[str, ...] = ()
    advice: str = ""
    nearly: tuple[tuple[str, str], ...] = ()
    nearly_binary: tuple[tuple[str, str], ...] = ()


@strict_class
@dataclass(frozen=True, repr=False)
class Record:
    """What a loss is made of, and the formulas of its value, signal and curvature on raw outputs."""

    _called = "a loss, such as gm.losses.huber()"

    spelling: Spelling
    book: Expr
    target: Domain
    predictions: tuple[str, ...]
    activation: tuple[Activation, ...]
    # A number each; a tuple of them, one a label, where labels weigh each for itself.
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    class_weight: tuple[float, ...] = ()
    facts: Facts = field(default=Facts(), compare=False)

    def __repr__(self) -> str:
        return self.spelling.on(self.activation).text

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
    def is_graded(self) -> bool:
        """Whether the target is a grade: one of several that stand in an order."""
        return isinstance(self.target, OrderDomain)

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """The level of each prediction, where they are quantiles of one target and the next never lies lower; else nothing."""
        if self.facts.asks_for == "interval":
            outside = (1 - self.values["level"]) / 2
            return (outside, 1 - outside)
        names = [f"level{k + 1}" for k in range(len(self.predictions))]
        return tuple(self.values[name] for name in names) if self.facts.asks_for == "quantiles" else ()

    @property
    def follows(self) -> tuple[bool, ...]:
        """Which raw outputs a linear model moves with the features: of grades the score alone, so the odds are proportional."""
        return tuple(not self.is_graded or a.onward is None for a in self.activation)

    @property
    def of_stands(self: R) -> R:
        """The loss as a formula of where its predictions stand, each for itself: nothing keeps their order any more."""
        return replace(self, activation=tuple(replace(a, onward=None, between=None) for a in self.activation))

    @property
    def raw_names(self) -> tuple[str, ...]:
        """The symbols of the raw outputs in `composed`: z, or z0, z1, ... where there are several."""
        count = len(self.activation)
        return ("z",) if count == 1 else tuple(f"z{i}" for i in range(count))

    @cached_property
    def values(self) -> dict[str, Any]:
        """The hyperparameters, which are runtime symbols of the formula, with their values."""
        return dict(self.hyperparameters)

    @cached_property
    def labels(self) -> int:
        """How many labels stand on the last axis where they weigh each for itself; 0 where all weigh alike."""
        return max((len(value) for value in self.values.values() if isinstance(value, tuple)), default=0)

    @property
    def one_label(self: R) -> R:
        """The loss of the first label, where labels weigh each for itself: what holds whatever the weight holds for all."""
        return self.of_label(0) if self.labels else self

    def of_label(self: R, k: int) -> R:
        """The loss of one label, where labels weigh each for itself.

        Args:
            k: which label, from 0 on.

        Returns:
            The loss with the weight of this label alone.

        Raises:
            GM009: there is no such label.
        """
        if self.labels and not 0 <= k < self.labels:
            raise UsageError(f"there is no label {k}", seen=f"{self} has the labels 0 to {self.labels - 1}", fix="k=0")
        values = {name: value[k] if isinstance(value, tuple) else value for name, value in self.hyperparameters}
        return replace(
            self, hyperparameters=tuple(values.items()), spelling=Spelling(f"({self}).of_label({k})", self.activation)
        )

    @cached_property
    def released(self: R) -> R:
        """The loss whose signal is the whole slope of its value: what stands under ``stop_gradient`` is held no more."""
        book = released(self.book)
        return self if book is self.book else replace(self, book=book)

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
        """The formula on raw outputs: of y and z, or for classes of the row statistics (see `class_statistics`)."""
        return _composed(self)

    @cached_property
    def signal(self) -> tuple[Expr, ...]:
        """The derivative of the formula by each raw output; for classes, by each statistic in turn."""
        if self.is_classwise:
            return tuple(class_statistics.by_statistic(self.composed).values())
        return tuple(derivative(self.composed, name) for name in self.raw_names)

    @cached_property
    def curvature(self) -> tuple[tuple[Expr, ...], ...]:
        """The second derivatives by each pair of raw outputs (not for classes: see `class_statistics.by_statistic`)."""
        return tuple(tuple(derivative(slope, name) for name in self.raw_names) for slope in self.signal)

    def half(self, outcome: Literal[0, 1]) -> Expr:
        """Give one side of a yes/no loss: its formula of z alone, when yes or no happened.

        Args:
            outcome: 1 for yes, 0 for no.

        Returns:
            A formula of z.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.binary_cross_entropy().half(1)
            softplus(-z)
        """
        return simplify(self.composed, {"y": outcome})

    def with_activation(self: R, given: Activation | Word | str | tuple[Activation | Word | str, ...]) -> R:
        """Put the same loss on another scale of raw outputs.

        Args:
            given: an activation or its name, such as "exp", "softplus", "linear" or "sigmoid"; a tuple of them where an
                example has several raw outputs.

        Returns:
            The loss whose predictions are that activation of its raw outputs.

        Raises:
            GM009: the activation is not known, or does not go with what the loss predicts.

        Example:
            >>> import goodmeasure as gm
            >>> loss = gm.losses.poisson().with_activation("softplus")
            >>> loss, loss.composed
            (poisson().with_activation('softplus'), softplus(z) - times(y, log_softplus(z)))
        """
        chosen = tuple(activation(g) for g in (given if isinstance(given, tuple) else (given,)))
        if len(chosen) != len(self.activation):
            raise UsageError(
                f"{self} has {len(self.activation)} raw outputs and was given {len(chosen)} activations",
                fix=f"give {len(self.activation)} activations",
            )
        if chosen != self.activation and any(a.onward is not None for a in (*chosen, *self.activation)):
            raise UsageError(
                f"{self} keeps its activations",
                seen=f"{', '.join(a.name for a in self.activation)}: together they keep its predictions in order",
                fix=f"with_activation({tuple(a.name for a in self.activation)!r})",
            )
        outcome = class_statistics.speaks_of_outcomes(self.predictions)
        if (softmax in chosen and not outcome) or (outcome and chosen[0] not in (sigmoid, softmax)):
            raise UsageError(
                f"{self} cannot have the activation {chosen[0]}",
                seen="probabilities of outcomes come from sigmoid or softmax, and other predictions never from softmax",
                fix="with_activation('sigmoid')" if outcome else "with_activation('softplus')",
            )
        target = domain(Classes if softmax in chosen else Binary) if outcome else self.target
        return replace(self, activation=chosen, target=target)


def _composed(loss: Record) -> Expr:
    book = loss.settled
    if loss.is_classwise:
        return class_statistics.class_formula(book)
    if class_statistics.speaks_of_outcomes(loss.predictions):
        z = symbol("z")
        (squash,) = loss.activation
        return class_statistics.yes_no(book, squash(z), squash(-z), loss.weights_of_yes_and_no)
    raws = predicted(loss.activation, [symbol(z) for z in loss.raw_names])
    return simplify(book, dict(zip(loss.predictions, raws, strict=True)))
