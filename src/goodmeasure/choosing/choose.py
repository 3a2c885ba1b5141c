"""From a target and what is wanted of it to a loss, in four steps, each with its reason and what it rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goodmeasure.choosing.affirming import WhichIsYes, affirmative, folded
from goodmeasure.choosing.deciding import AnyCosts, costs_of_labels, decide, weighted
from goodmeasure.choosing.functionals import Functional, functional_of, loss_for, on_scale, others, usual
from goodmeasure.choosing.meanings import MEANINGS, Meaning, represented
from goodmeasure.choosing.observed import Observed, observe
from goodmeasure.choosing.outlying import Centre, treat
from goodmeasure.choosing.overruling import with_activation
from goodmeasure.choosing.plan import Outliers, Plan, Rejected, Step
from goodmeasure.choosing.questions import listed_in_order, questions
from goodmeasure.choosing.remarking import remarked
from goodmeasure.choosing.revisiting import revisit as revisit
from goodmeasure.choosing.tails import tails
from goodmeasure.decisions.costs import ClassCosts, Costs, CostsDoNotFit, UnderOverCosts
from goodmeasure.errors import UsageError
from goodmeasure.formulas.activations import Activation, activations, linear
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.statistics.row_arguments import in_range
from goodmeasure.strict.calls import strict_keywords

QUESTIONS = (
    "What does the output represent?",
    "Which activation makes the raw output mean that?",
    "Which loss measures error in that space?",
)


@dataclass(frozen=True)
class Wanted:
    """What the caller said: what is asked for, what errors cost, what outliers are, and which label is yes."""

    ask: Functional | None
    costs: AnyCosts | None
    outliers: Outliers | None
    positive: Any


@strict_keywords
def choose(
    y: Any,
    *,
    ask: str | None = None,
    costs: AnyCosts | None = None,
    represents: Any = None,
    activation: str | None = None,
    outliers: Outliers | None = None,
    sample_weight: Any = None,
    name: str = "target",
    positive: Any = None,
) -> Plan:
    """Find the loss for a target, in four steps that each give a reason and say what they reject.

    The steps are: what the output represents, the activation, the loss, and the check against costs. What is asked
    for is never swapped silently. What the values cannot settle is asked: ``plan.questions``.

    Args:
        y: the target, (n,), of any kind (list, array, series); or a table of yes/no, (n, K), with a column a label.
        ask: "mean", "median", "quantile=0.9", "quantiles=0.1,0.5,0.9", "probability" or what else a loss of the catalogue
            asks for; the usual one unless given.
        costs: what errors cost: `Costs` of yes and no, `ClassCosts`, or `UnderOverCosts` of an amount.
        represents: what the target is, if its values do not tell: "real", "positive", "count", ... or a domain such as
            ``gm.Positive``; "angle=360" for angles, of which a full turn measures 360; "bounded=0,100" for amounts with a
            known least and most, "percent" for those from 0 to 100 (or from 0 to 1). It settles the plan's questions.
        activation: how a raw output becomes a prediction, such as "softplus" where effects add; the usual one unless given.
        outliers: whether values far out are "errors" or "real"; None if you cannot say.
        sample_weight: how much each row counts, (n,); all alike unless given.
        name: the name of the column, which is evidence too: what is called zip holds codes.
        positive: the label that means yes, of two; unless given, the one that is known to mean it ("yes", "true", 1, "ja",
            "oui", ...), and without costs the later one in order.

    Returns:
        The plan: print it for the reasons; ``plan.loss`` is the loss and ``plan.code()`` carries it out.

    Raises:
        GM003: the weights have another length than the target, or the target has more than two axes.
        GM004: a value is infinite, or contradicts what the target was said to represent.
        GM009: ``ask``, ``represents``, ``activation``, ``outliers`` or ``positive`` names nothing that is known.
        GM601: the target has no values.
        GM602: every value is the same.
        GM603: most cells are numbers, and some are text.
        GM604: the values are dates, identifiers, free text or objects.
        GM605: what was asked for is not something that this target has.
        GM607: costs are given, and which of two labels means yes is not known.
        GM706: amounts are so large or so small that their squares are not numbers.
        GM711: the costs answer another question than the target asks.

    Example:
        >>> import goodmeasure as gm
        >>> plan = gm.choose([3, 0, 2, 7, 1, 0, 4])
        >>> plan.loss, plan.asks_for
        (poisson(), 'mean')
        >>> plan.steps[0].reason
        'every value is a whole number, none negative (from 0 to 7, 29 % zeros)'
    """
    seen = observe(y, name, sample_weight)
    meaning, reason = represented(seen, represents)
    wanted = Wanted(functional_of(ask), costs, outliers, positive)
    _costs_fit(meaning, costs, seen)
    if not meaning.is_outcome and seen.numbers is not None:
        in_range(seen.numbers, name, at=seen.at)
    asked = _asked(wanted, meaning)
    if asked.is_several and costs is not None:
        raise CostsDoNotFit(
            "costs of too little and too much ask for one quantile, and several are asked for", fix="leave out ask="
        )
    labels, note, guess = _labels(seen, meaning, positive, costs)
    centre = _centre(seen, meaning, asked, wanted)
    steps = (
        _represent(seen, meaning, reason + note),
        _activate(seen, meaning, centre.loss.activation[0]),
        _measure(seen, meaning, asked, centre),
        decide(meaning, asked, costs, seen),
    )
    plan = Plan(
        name=name,
        rows=seen.rows.read,
        left_out=seen.rows.left_out,
        meaning=meaning.name,
        represents=meaning.domain,
        loss=centre.loss,
        asks_for=centre.asks_for,
        steps=steps,
        labels=labels,
        threshold=costs.threshold if isinstance(costs, Costs) else None,
        level=costs.level if isinstance(costs, UnderOverCosts) else None,
        weighted=weighted(centre.loss, costs),
        outliers=outliers,
        tails=centre.tails,
        notes=(*_notes(seen), *guess, *remarked(seen, meaning, asked)),
        questions=questions(seen, meaning) if represents is None else (),
    )
    return plan if activation is None else with_activation(plan, activation)


def _costs_fit(meaning: Meaning, costs: AnyCosts | None, seen: Observed) -> None:
    """Error: GM711 where the costs answer another question."""
    if meaning.period is not None and costs is not None:
        raise CostsDoNotFit(
            f"{type(costs).__name__} are of amounts or outcomes, and angles are not too little or too much",
            seen=f"{meaning.domain.name}, a full turn being {meaning.period:.4g}",
            fix="ask='mean direction', and no costs",
        )
    yes_no = meaning.name in ("binary", "multilabel")
    fits = (
        costs is None
        or (isinstance(costs, Costs) and yes_no)
        or (isinstance(costs, ClassCosts) and meaning.is_named)
        or (isinstance(costs, UnderOverCosts) and not meaning.is_outcome)
    )
    if not fits:
        number = (
            "costs=gm.Costs(false_negative=40, false_positive=5)"
            if yes_no
            else "costs=gm.UnderOverCosts(under=3, over=1)"
        )
        raise CostsDoNotFit(
            f"{type(costs).__name__} answers another question than {meaning.domain.name} asks",
            fix=costs_of_labels(meaning, seen) if meaning.is_named else number,
        )


def _asked(wanted: Wanted, meaning: Meaning) -> Functional:
    """What was asked for; if nothing was, the quantile that the costs of too little and too much ask for, or the usual."""
    if wanted.ask is not None:
        return wanted.ask
    if isinstance(wanted.costs, UnderOverCosts):
        return Functional("quantile", wanted.costs.level)
    return usual(meaning)


_Labels = tuple[tuple[Any, ...], str, tuple[str, ...]]


def _labels(seen: Observed, meaning: Meaning, positive: Any, costs: AnyCosts | None) -> _Labels:
    """The classes in the order of their codes, which of two is yes, and a note if that is a guess. Error: GM607."""
    if positive is not None and meaning.name != "binary":
        raise UsageError(
            f"positive= is for two labels, and {seen.name} is {meaning.domain.name}",
            fix="choose(...) without positive=",
        )
    if meaning.is_graded:
        return meaning.order, f"; from the lowest on {listed_in_order(meaning.order)}", ()
    if meaning.name not in ("binary", "classes") or seen.table:
        return (), "", ()
    labels = seen.distinct
    if meaning.name == "classes":
        return labels, "", ()
    if len(labels) > 2:
        return (0, 1), "; values between 0 and 1 are how surely it happened", ()
    if positive is None:
        return _told_by_labels(seen.name, labels, costs)
    no, yes = _with_yes(seen.name, labels, positive)
    return (no, yes), f"; {yes!r} is yes, as you said", ()


def _told_by_labels(name: str, labels: tuple[Any, ...], costs: AnyCosts | None) -> _Labels:
    """Two labels, yes behind no, where nobody said which is which. Error: GM607 where costs would be turned round."""
    known = affirmative(labels)
    if known is None and costs is not None:
        raise WhichIsYes(
            f"costs are of yes and no, and which label of {name} is yes is not known",
            seen=f"{labels[0]!r} and {labels[1]!r}",
            fix=f"positive={labels[0]!r} or positive={labels[1]!r}",
        )
    yes = labels[1] if known is None else known
    no = next(label for label in labels if label != yes)
    guess = () if known is not None else (f"that {yes!r} means yes and {no!r} no is a guess: --positive says it",)
    return (no, yes), f"; {yes!r} is yes (say positive={no!r} to turn it round)", guess


def _with_yes(name: str, labels: tuple[Any, ...], positive: Any) -> tuple[Any, Any]:
    """The label that means no, and the one that was said to mean yes. Error: GM009."""
    same = [label for label in labels if label == positive or str(label) == str(positive)]
    chosen = same or [label for label in labels if folded(label) == folded(positive)]
    if not chosen:
        raise UsageError(f"{name} has no label {positive!r}", fix=f"positive={labels[0]!r} or positive={labels[1]!r}")
    return next(label for label in labels if label != chosen[0]), chosen[0]


def _centre(seen: Observed, meaning: Meaning, asked: Functional, wanted: Wanted) -> Centre:
    loss = loss_for(meaning, asked)
    if meaning.is_outcome or meaning.period is not None or seen.numbers is None:
        return Centre(loss, loss.facts.asks_for, "")
    explicit = wanted.ask is not None or isinstance(wanted.costs, UnderOverCosts)
    robust = lambda huber: on_scale(huber, meaning)  # noqa: E731
    return treat(loss, asked, wanted.outliers, tails(seen.numbers), explicit=explicit, on_scale=robust)


def _notes(seen: Observed) -> tuple[str, ...]:
    return ("the numbers were written as text and read as numbers",) if seen.from_text else ()


# --- the four steps ---


def _represent(seen: Observed, meaning: Meaning, reason: str) -> Step:
    rejected = []
    for other in MEANINGS:
        against = other.against(seen)
        if other.name != meaning.name:
            why = against or f"possible if {other.otherwise}: say represents={other.said!r}"
            rejected.append((bool(against), Rejected(other.domain.name, why)))
    # What would be possible comes first: it is what a reader may want to overrule.
    return Step(
        QUESTIONS[0], str(meaning.domain), reason, tuple(r for _, r in sorted(rejected, key=lambda pair: pair[0]))
    )


def _activate(seen: Observed, meaning: Meaning, chosen: Activation) -> Step:
    reaches = (
        chosen.reaches.interval if not isinstance(chosen.reaches, OutcomeDomain) else "probabilities that add up to 1"
    )
    reason = f"it reaches {reaches} and nothing else, which is where predictions of {meaning.domain.name} lie"
    rejected = [
        Rejected(a.name, _activation_why(a, chosen, meaning, seen))
        for a in activations().values()
        if a is not chosen and a.onward is None
    ]
    return Step(QUESTIONS[1], chosen.name, reason, tuple(rejected))


def _activation_why(other: Activation, chosen: Activation, meaning: Meaning, seen: Observed) -> str:
    if other.reaches == chosen.reaches:
        return f"reaches the same; say loss.with_activation({other.name!r}) if effects add rather than multiply"
    if isinstance(other.reaches, OutcomeDomain):
        return "gives one output a class, which compete for a total of 1"
    if isinstance(chosen.reaches, OutcomeDomain):
        return "its outputs would not add up to 1 over the classes"
    if chosen is linear or seen.numbers is None or meaning.is_graded:
        return (
            f"reaches only {other.reaches.interval}" if other is not linear else "its outputs would be no probabilities"
        )
    wider = other.reaches.low < chosen.reaches.low or other.reaches.high > chosen.reaches.high
    return f"could predict outside {meaning.domain}" if wider else f"reaches only {other.reaches.interval}"


def _measure(seen: Observed, meaning: Meaning, asked: Functional, centre: Centre) -> Step:
    how = "" if asked.name == centre.asks_for else f" ({centre.asks_for})"
    sentence = centre.loss.facts.sentence.rstrip(".")
    reason = f"it asks for the {centre.asks_for if how else asked}: {sentence[:1].lower()}{sentence[1:]}{centre.reason}"
    if meaning.name == "unit_interval" and asked.name == "mean":
        reason += (
            "; that it is surprise supposes the number is truly a probability or share, but its mean is asked for either way, "
            "by a signal that does not vanish"
        )
    if asked.name == "class":
        reason += "; a class is decided from the probability and the costs, so the probability is what to learn"
    more = (*centre.rejected, *_known(meaning, asked))
    told = {each.alternative for each in more}
    rest = (
        Rejected(name, why) for name, why in others(meaning, asked, centre.loss, seen) if not {name, f"{name}()"} & told
    )
    rejected = (*more, *rest)
    return Step(QUESTIONS[2], str(centre.loss), reason, rejected)


_HURDLE = Rejected(
    "a hurdle, or inflated zeros",
    "two models whose product is the mean, which one loss asks for however many zeros there are; whether it is zero is a "
    "yes/no target of its own",
)


def _known(meaning: Meaning, asked: Functional) -> tuple[Rejected, ...]:
    if meaning.name == "unit_interval":
        why = (
            "in the number's own units, right if it is no probability; but its signal vanishes where it is surely wrong"
        )
        return (Rejected('squared_error().with_activation("sigmoid")', why),)
    if meaning.period is not None and asked.name == "mean direction":
        circular = "a fit of one raw output has many low points, and winds around where a direction swings"
        line = f"{meaning.period:.4g} is as far from 0 as can be to it, and the mean of both sides points the other way"
        return (Rejected("circular", circular), Rejected("squared_error", line))
    if meaning.name == "bounded" and asked.name == "mean":
        squared = (
            "its predictions may leave the bounds, and it supposes errors that are as large at a bound as in the middle"
        )
        beta = "it gives the bounds themselves no probability, and a value at one an infinite loss"
        return (Rejected("squared_error()", squared), Rejected("the likelihood of a beta distribution", beta))
    if meaning.name in ("positive", "non_negative", "count") and asked.name == "mean":
        why = "asks for the geometric mean once turned back: totals come out too low"
        logarithm = Rejected("squared error of the logarithm", why)
        return (logarithm,) if meaning.name == "positive" else (_HURDLE, logarithm)
    return ()
