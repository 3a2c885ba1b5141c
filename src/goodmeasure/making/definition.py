"""From a function that prints a formula as a book does to a factory of losses: the signature is the specification."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.algebra import positive_weight
from goodmeasure.deriving.record import Facts
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import FormulaError, HyperparameterError, UsageError, nearest
from goodmeasure.formulas.activations import Activation, activation, linear, natural, sigmoid, softmax
from goodmeasure.formulas.domains import Binary, Classes, Domain, OutcomeDomain, Real, RisingDomain, SizeDomain, domain
from goodmeasure.formulas.expression import Expr, Word, symbol, symbols
from goodmeasure.making import introspection
from goodmeasure.making.introspection import CLASS_WEIGHT, POSITIVE_WEIGHT
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords

Given = Activation | Word | str
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Page:
    """A docstring that on the class is the class's own, and on a definition the page of its loss, made when asked for."""

    def __init__(self, own: str | None) -> None:
        self.own = own

    def __get__(self, definition: Definition | None, kind: type) -> str | None:
        return self.own if definition is None else definition.page()


class WrittenFormula(NamedTuple):
    """A formula as a function wrote it down for given sizes, and the names and activations of its predictions."""

    book: Expr
    predictions: tuple[str, ...]
    activation: tuple[Activation, ...]


class NotCalled(UsageError, AttributeError):
    """A factory of losses was given where a loss is needed: call it.

    ``gm.losses.huber`` makes losses; ``gm.losses.huber()`` or ``gm.losses.huber(delta=2.0)`` is one.
    """

    code = "GM014"


@dataclass(frozen=True)
class Definition:
    """A traced formula: what it is called, its target, its scale, its hyperparameters. Calling it makes a `Loss`.

    ``write`` writes the formula for other sizes, such as another number of grades. ``note`` says how it differs from what was
    looked for, where that is only nearly the same.
    """

    __doc__ = _Page(__doc__)

    name: str
    book: Expr
    targets: Callable[[dict[str, Any]], Domain]
    predictions: tuple[str, ...]
    activation: tuple[Activation, ...]
    defaults: tuple[tuple[str, Any], ...]
    domains: tuple[tuple[str, Domain], ...]
    facts: Facts
    function: Callable[..., Any] = field(compare=False)
    write: Callable[[Mapping[str, Any]], WrittenFormula] = field(compare=False)
    note: str = field(default="", compare=False)
    __signature__: inspect.Signature = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """To Python and its tools a definition is a function: it has a name, a module, a source, and a signature."""
        named = {"__name__": self.name, "__qualname__": self.name, "__module__": self.function.__module__ or "__main__"}
        for name, value in {**named, "__wrapped__": self.function}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "__signature__", introspection.signature(self(), self.defaults))

    def __getattr__(self, name: str) -> Any:
        """What only a loss has is asked of a factory where its brackets were forgotten."""
        if name.startswith("__") or not hasattr(Loss, name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        raise self._mistaken()

    def _mistaken(self) -> NotCalled:
        return NotCalled(f"{self.name} makes losses and is none itself", fix=f"{self.name}()")

    def __repr__(self) -> str:
        return f"{self.name}  # {self.note}" if self.note else self.name

    def page(self) -> str:
        """The docstring: what the loss is, its formula, its hyperparameters, and an example."""
        room = "gm.losses." if _in_catalogue(self.function) else ""
        return introspection.page(self(), self.defaults, dict(self.domains), room)

    @property
    def binary(self) -> Definition | None:
        """The same formula for yes/no on one raw output, where the formula serves both."""
        both = self.activation == (softmax,) and self._target({}).binary
        facts = replace(self.facts, also=self.facts.also_binary, nearly=self.facts.nearly_binary)
        return replace(self, name=f"binary_{self.name}", activation=(sigmoid,), facts=facts) if both else None

    def _target(self, given: dict[str, Any]) -> Any:
        return self.targets({**dict(self.defaults), **given})

    def __call__(self, /, *unnamed: Any, **given: Any) -> Loss:
        """The loss with these hyperparameters, given by name; those not given have their defaults."""
        if unnamed:
            raise HyperparameterError(
                f"hyperparameters of {self.name} are given by name",
                seen=f"{self.name}({', '.join(map(repr, unnamed))})",
                fix=f"{self.name}({', '.join(f'{k}={v}' for k, v in self.defaults)})",
            )
        class_weight = self._class_weight(given.get(CLASS_WEIGHT.name, CLASS_WEIGHT.default))
        weighted = self._positive_weight(given)
        weights = (CLASS_WEIGHT.name, POSITIVE_WEIGHT.name)
        values = {name: self._checked(name, value) for name, value in given.items() if name not in weights}
        written = self._written(values)
        book = class_statistics.weighed(written.book) if class_weight or weighted else written.book
        target = self._target(values)
        if isinstance(target, OutcomeDomain):
            target = domain(Classes if self.activation == (softmax,) else Binary)
        return Loss(
            spelling=self._spelling(given, written.activation),
            book=book,
            target=target,
            predictions=written.predictions,
            activation=written.activation,
            hyperparameters=(*_each_by_name({**dict(self.defaults), **values}), *weighted.items()),
            class_weight=class_weight,
            facts=self.facts,
        )

    def _written(self, values: dict[str, Any]) -> WrittenFormula:
        """The formula, written anew where it is for another size."""
        if any(isinstance(known, SizeDomain | RisingDomain) and name in values for name, known in self.domains):
            return self.write({**dict(self.defaults), **values})
        return WrittenFormula(self.book, self.predictions, self.activation)

    def _spelling(self, given: dict[str, Any], activation: tuple[Activation, ...]) -> Spelling:
        keywords = ", ".join(f"{name}={self._shown(name, value)}" for name, value in given.items())
        return Spelling(f"{self.name}({keywords})", activation, factory=self.name)

    def _shown(self, name: str, value: Any) -> str:
        within = dict(self.domains).get(name)
        several = within is None and not _is_number(value)
        return repr(tuple(float(v) for v in value) if several else _number(within, value))

    def _class_weight(self, given: Any) -> tuple[float, ...]:
        name, weight = CLASS_WEIGHT.name, tuple(float(w) for w in given)
        if weight and name not in self.__signature__.parameters:
            raise HyperparameterError(
                f"{self.name} has no classes to weight", fix=f"{self.name}({POSITIVE_WEIGHT.name}=3.0)"
            )
        if any(not 0 <= w < float("inf") for w in weight):
            raise HyperparameterError(f"{name}={weight}: class weights are finite and not negative", fix="one a class")
        return weight

    def _positive_weight(self, given: dict[str, Any]) -> dict[str, Any]:
        """The weight of a yes under its name; nothing where it is one, or not given."""
        name = POSITIVE_WEIGHT.name
        if name not in given:
            return {}
        if name not in self.__signature__.parameters:
            raise HyperparameterError(
                f"{self.name} has no {name}", fix=f"{self.name}({CLASS_WEIGHT.name}=(1.0, 3.0)) or the binary_ form"
            )
        weight = positive_weight(given[name], self)
        return {name: weight} if weight != POSITIVE_WEIGHT.default else {}

    def _checked(self, name: str, value: Any) -> Any:
        known = dict(self.domains)
        if name not in known:
            raise self._unknown(name)
        if not _lies_in(known[name], value):
            raise HyperparameterError(
                f"{name}={value!r} is outside its domain in {self.name}: {known[name]}",
                fix=f"{self.name}({name}={dict(self.defaults)[name]})",
            )
        return _number(known[name], value)

    def _unknown(self, name: str) -> HyperparameterError:
        """The error for a hyperparameter that is not there, which points to the nearest."""
        parameters = self.__signature__.parameters
        meant = nearest(name, parameters)[:1] or [k for k, _ in self.defaults]
        return HyperparameterError(
            f"{self.name} has no hyperparameter {name}",
            seen=f"it has {', '.join(parameters) or 'none'}",
            fix=f"{self.name}({', '.join(f'{k}={parameters[k].default}' for k in meant)})",
        )


def _in_catalogue(function: Callable[..., Any]) -> bool:
    return (function.__module__ or "").startswith("goodmeasure.losses.")


def _lies_in(within: Domain, value: Any) -> bool:
    """Whether a value is a number of a domain, or of a rising one several of them."""
    if isinstance(within, RisingDomain):
        return _are_numbers(value) and tuple(map(float, value)) in within
    return not isinstance(value, bool) and _is_number(value) and float(value) in within


def _are_numbers(values: Any) -> bool:
    """Whether these are several numbers, in an order of their own."""
    if isinstance(values, str | bytes | set | frozenset | Mapping) or not isinstance(values, Iterable):
        return False
    return all(not isinstance(value, bool) and _is_number(value) for value in values)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and value is not inspect.Parameter.empty


def _number(within: Domain | None, value: Any) -> Any:
    """A hyperparameter as a float, as a whole number where it is a size, or as several numbers."""
    if isinstance(within, RisingDomain):
        return tuple(map(float, value))
    return int(value) if isinstance(within, SizeDomain) else float(value)


def _each_by_name(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Hyperparameters by the names of their symbols: several numbers under one name, such as levels, are level1, level2, ..."""
    for name, value in values.items():
        yield from (
            zip(_symbols_of(name, len(value)), value, strict=True) if isinstance(value, tuple) else [(name, value)]
        )


def _symbols_of(name: str, count: int) -> list[str]:
    return [f"{name.removesuffix('s')}{k + 1}" for k in range(count)]


@strict_keywords
def loss(
    *,
    target: Any = Real,
    activation: Given | tuple[Given, ...] | Callable[..., Given | tuple[Given, ...]] | None = None,
    asks_for: str = "",
    also: tuple[str, ...] = (),
    also_binary: tuple[str, ...] = (),
    nearly: Mapping[str, str] = _NOTHING,
    nearly_binary: Mapping[str, str] = _NOTHING,
) -> Callable[[Callable[..., Any]], Definition]:
    """Make a loss of a formula that you write as a book prints it, with everything derived from it at once.

    The function is called once, with symbols. Its parameter names say the scale: ``p`` (the probability given to what
    happened), ``y, mu`` (target and prediction), ``y, z`` (target and raw score), ``y, mean, scale`` (several predictions),
    ``y, *at_least`` (as many predictions as there are activations).
    Keyword-only parameters are hyperparameters, each with a default and a domain as annotation. The first paragraph of its
    docstring says what the loss is, the rest when to reach for it.

    Args:
        target: the domain of the target, such as ``gm.Positive``, or a function of the hyperparameters that returns it.
        activation: how raw outputs become predictions: "exp", "sigmoid", ..., a tuple of them for several predictions; the
            natural one of the target unless given. A function of the hyperparameters where they say how many there are,
            or which.
        asks_for: the functional that is best: "mean", "median", "quantile", "probability", ...
        also: what else people call the loss.
        also_binary: what else people call its yes/no form.
        nearly: names that people have for something close, and how that differs.
        nearly_binary: the same for its yes/no form.

    Returns:
        A decorator, which makes of the function a factory of losses: call it with hyperparameters, or with none.

    Raises:
        GM001: the formula leaves the vocabulary of ``gm.words``, or its parameters do not say its scale.
        GM009: the activation is not known.

    Example:
        >>> import goodmeasure as gm
        >>> from goodmeasure.words import abs, sqrt
        >>> @gm.loss(target=gm.Real)
        ... def root_error(y, mu):
        ...     "Grows with the square root of the miss."
        ...     return sqrt(abs(mu - y))
        >>> root_error()(y=[1.0, 5.0], z=[2.0, 1.0])
        1.5
    """

    def define(function: Callable[..., Any]) -> Definition:
        sentence, advice = _paragraphs(function)
        close = tuple(nearly.items()), tuple(nearly_binary.items())
        return _traced(function, target, activation, Facts(sentence, asks_for, also, also_binary, advice, *close))

    return define


def _paragraphs(function: Callable[..., Any]) -> tuple[str, str]:
    """What a docstring says first, and what it says after that."""
    first, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
    return " ".join(first.split()), " ".join(rest.split())


def _traced(function: Callable[..., Any], target: Any, given: Any, facts: Facts) -> Definition:
    name = getattr(function, "__name__", "loss")
    parameters = _parameters(function, name)
    free = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    domains = {p.name: domain(Real if p.annotation is p.empty else p.annotation) for p in free}
    defaults = {p.name: _number(domains[p.name], p.default) for p in free}

    def targets(values: Mapping[str, Any]) -> Domain:
        return domain(target(**values) if inspect.isfunction(target) else target)

    def write(values: Mapping[str, Any]) -> WrittenFormula:
        chosen = given(**values) if inspect.isfunction(given) else given
        names = _names(parameters, name, len(chosen) if isinstance(chosen, tuple) else 1)
        predictions = _predictions(name, names)
        book = _trace(function, name, names, domains, values)
        return WrittenFormula(book, predictions, _activation(chosen, predictions, targets(values)))

    return Definition(
        name=name,
        **write(defaults)._asdict(),
        targets=targets,
        defaults=tuple(defaults.items()),
        domains=tuple(domains.items()),
        facts=facts,
        function=function,
        write=write,
    )


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except NameError as error:
        raise FormulaError(
            f"an annotation of {name} is not known: {error}", fix="import it: from goodmeasure import Positive"
        ) from error
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not (_is_number(p.default) or isinstance(p.default, tuple)):
            raise FormulaError(
                f"hyperparameter {p.name} of {name} has no number as default", fix=f"{p.name}: Positive = 1.0"
            )
    return parameters


def _names(parameters: list[inspect.Parameter], name: str, count: int) -> tuple[str, ...]:
    """What a formula speaks of beside its hyperparameters; what is starred stands for all predictions that are left."""
    plain = [p.name for p in parameters if p.kind not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)]
    starred = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    left = count + 1 - len(plain)
    if starred and left < 1:
        raise FormulaError(
            f"it is not said how many {starred[0]} the formula of {name} has",
            fix='activation=("linear", "softplus"), one each, or a function of the hyperparameters that returns such a tuple',
        )
    return (*plain, *(f"{star}{i + 1}" for star in starred for i in range(left)))


def _predictions(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if class_statistics.speaks_of_outcomes(names):
        return names
    if len(names) < 2 or names[0] != "y":
        raise FormulaError(
            f"the parameters of {name} do not say its scale: ({', '.join(names)})",
            fix="use (p), (y, mu), (y, z), (y, mean, scale) or (y, *at_least), and keyword-only hyperparameters",
        )
    if class_statistics.speaks_of_outcomes(names[1:]):
        raise FormulaError(
            f"{name} speaks of what happened twice: as y, and as {names[1]}, which is of what happened already",
            fix=f"def {name}(y, mu), where mu is the probability of yes; or def {name}(p), without y",
        )
    return names[1:]


def _trace(
    function: Callable[..., Any],
    name: str,
    names: tuple[str, ...],
    free: dict[str, Domain],
    values: Mapping[str, Any],
) -> Expr:
    known = {n: _in_formula(n, d, values[n]) for n, d in free.items()}
    try:
        book = function(*map(symbol, names), **known)
    except FormulaError:
        raise
    except (TypeError, AttributeError) as error:
        raise FormulaError(
            f"the formula of {name} leaves the vocabulary: {error}",
            fix="use arithmetic and the functions of goodmeasure.words",
        ) from error
    if not isinstance(book, Expr):
        raise FormulaError(
            f"{name} returned {book!r}, which is not a formula of its parameters",
            fix=f"return an expression of {names[-1]}",
        )
    unknown = symbols(book) - {*names, *dict(_each_by_name(values))}
    if unknown:
        raise FormulaError(
            f"the formula of {name} speaks of {', '.join(sorted(unknown))}, which are not its parameters",
            fix="give each as a parameter, or name a number in the formula itself",
        )
    return book


def _in_formula(name: str, within: Domain, value: Any) -> Any:
    """What a hyperparameter is in the formula: a symbol, several of them, or where it is written down, as a size is, itself."""
    if isinstance(within, RisingDomain):
        return value if within.written else tuple(_symbol(each, within) for each in _symbols_of(name, len(value)))
    return value if isinstance(within, SizeDomain) else _symbol(name, within)


def _symbol(name: str, within: Domain) -> Expr:
    return symbol(name, positive=within.low > 0 or (within.low == 0 and within.low_open))


def _activation(given: Any, predictions: tuple[str, ...], target: Domain) -> tuple[Activation, ...]:
    if given is not None:
        return tuple(activation(g) for g in (given if isinstance(given, tuple) else (given,)))
    if class_statistics.speaks_of_outcomes(predictions):
        return (natural(target),)
    if predictions == ("z",):
        return (linear,)
    return (natural(target),) * len(predictions)
