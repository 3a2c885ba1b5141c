"""What may be said of a model: sentences whose verbs come from intervals, a word, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goodmeasure.drawing.terminal import word
from goodmeasure.reading.remarks import Remark, at_least
from goodmeasure.risks.risk import Risk
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.study.deciding import Decided
from goodmeasure.study.judging import Judged
from goodmeasure.study.split import Split


@dataclass(frozen=True)
class Verdict:
    """One word, the sentences that support it, and the next step.

    Attributes:
        word: "use", "use with care", "look first", "cannot tell yet" or "do not use".
        sentences: what may be said, whose verbs come from intervals.
        following: what to do next.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> verdict = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").verdict
        >>> verdict.word, verdict.following
        ('use', 'study.model.predict(new_rows)')
    """

    word: str
    sentences: tuple[str, ...]
    following: str

    def __str__(self) -> str:
        return f"{self.word}: {self.following}"

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values, ready for JSON."""
        return {"word": self.word, "sentences": list(self.sentences), "next": self.following}


# What a model gains at least to be of use, as a share of what the constant leaves to gain.
SMALL_SKILL = 0.01
# Remarks on leaks, on metrics that contradict the loss, and on predictions that run away.
LOOK_FIRST = ("GM252", "GM251", "GM222", "GM235")
# Those that more rows like these would not mend: copies of rows, and columns that know the answer.
BEFORE_MORE_ROWS = ("GM222", "GM235")
# With fewer rows of the rarer label, a few dear rows decide, and useful models look surely worse.
FEW_EVENTS = 10


def verdict(
    judged: Judged,
    decided: Decided | None,
    remarks: tuple[Remark, ...],
    split: Split,
    *,
    what: str,
    events: int | None = None,
    model: str | None = None,
) -> Verdict:
    """Read the verdict off what was seen; ``what`` is what the model says ("probabilities" or "predictions").

    ``model`` is the path of the model's file; None where it was not written.
    ``events`` is how many reported rows have any label but the most common one; None where there are no labels.
    """
    sentences = [_against_constant(judged, split, events), _generalises(judged), _means_what_it_says(judged, what)]
    if decided is not None:
        sentences.append(_decides(decided))
    doubt = _doubt(judged, decided, remarks, what, events)
    return Verdict(doubt[0] if doubt else "use", tuple(sentences), doubt[1] if doubt else _use(model))


def number(value: float, digits: int = 3) -> str:
    """A number for people: so many significant digits, thousands apart."""
    if value != value or value in (float("inf"), float("-inf")):
        return {True: "no number"}.get(value != value, "infinite" if value > 0 else "minus infinite")
    text = f"{value:.{digits}g}"
    return f"{value:,.0f}" if "e+" in text else text


def interval(estimate: Estimate) -> str:
    """The interval of an estimate in brackets."""
    return f"[{number(estimate.low)}, {number(estimate.high)}]"


def _against_constant(judged: Judged, split: Split, events: int | None) -> str:
    found = judged.report
    versus = found.versus_constant
    assert versus is not None
    assert found.constant_risk is not None
    seen = ", each judged by models that did not see it" if split.deals else " it never saw"
    head = (
        f"mean loss {number(found.value)} {interval(found)} on {found.n:,} rows{seen}; the best constant has "
        f"{number(found.constant_risk.value)}"
    )
    if versus.verdict == "worse" and _few(events):
        return f"{head}: more in these rows, which cannot be told from luck with {_seen(events)}"
    if versus.verdict in ("better", "worse"):
        return f"{head}: {versus.verdict}, by {number(abs(versus.value))} {_size(versus)}"
    return f"{head}: {versus.verdict}"


def _size(difference: Difference) -> str:
    low, high = sorted((abs(difference.low), abs(difference.high)))
    return f"[{number(low)}, {number(high)}]"


def _generalises(judged: Judged) -> str:
    gap = judged.gap
    head = f"on fitted rows {number(judged.fit.value)}"
    if gap.low > 0:
        return f"{head}, less by {number(gap.value)} {interval(gap)}: part of the fit does not generalise"
    if gap.high < 0:
        return f"{head}, more by {number(-gap.value)} {_size(gap)}: the reported rows are easier"
    return f"{head}: no gap can be told at this n (difference in {interval(gap)})"


def _means_what_it_says(judged: Judged, what: str) -> str:
    found = judged.calibration
    used = judged.recalibrated is not None and judged.recalibrated.used
    head = f"its {'recalibrated ' if used else ''}{what}"
    error = f"calibration error {number(found.error.value)} {interval(found.error)}"
    if found.verdict == "miscalibrated":
        chance = f"chance of as much if they were right: {_chance(found.p_value)}"
        return f"{head} are off: {error}, {chance}"
    return f"{head} cannot be told from calibrated at this n ({error})"


def _chance(p: float) -> str:
    return f"{p:.2g}" if p > 0.001 else "at most 0.001"


def _decides(decided: Decided) -> str:
    best = decided.best
    by_verdict: dict[str, list[str]] = {}
    for rule in decided.rules:
        if rule.versus_chosen is not None:
            word = rule.versus_chosen.verdict
            key = {"worse": "surely more", "better": "surely less"}.get(word, "no sure difference")
            by_verdict.setdefault(key, []).append(f"{rule.name} {number(rule.cost.value)}")
    others = "; ".join(f"{key}: {', '.join(names)}" for key, names in by_verdict.items())
    cautions = "".join(f"; {caution}" for caution in best.cost.cautions)
    return f"decisions cost {number(best.cost.value)} a row {interval(best.cost)}; {others}{cautions}"


def _few(events: int | None) -> bool:
    return events is not None and events < FEW_EVENTS


def _seen(events: int | None) -> str:
    return f"{events} reported {'row' if events == 1 else 'rows'} of the rarer label"


def hesitation(report: Risk, events: int | None = None) -> tuple[str, str] | None:
    """The word and the next step where the model is not shown to be better than the constant; None where it is.

    ``events`` is how many rows have any label but the most common one: few of them refuse no model.
    """
    versus = report.versus_constant
    assert versus is not None
    if versus.verdict == "better":
        return None
    if not versus.is_known:
        return "do not use", "some rows cost infinity, with the model and without it"
    useless = report.skill is not None and report.skill.high < SMALL_SKILL
    if _few(events) and (versus.verdict == "worse" or useless):
        return "cannot tell yet", f"bring more rows: {_seen(events)} cannot show it, and {FEW_EVENTS} are asked for"
    if versus.verdict == "worse":
        return "do not use", "one prediction for all rows costs less: look for columns that say more about the target"
    if useless:
        return "do not use", f"it gains less than {SMALL_SKILL:.0%} of what one prediction for all rows leaves to gain"
    return "cannot tell yet", f"bring more rows: {versus.outlook}"


# What one does without a model.
BLIND = {
    "always": "always acting",
    "never": "never acting",
    "one amount for all": "providing one amount for all",
    "one class for all": "saying one class of all",
}


def undecided(decided: Decided) -> tuple[str, str] | None:
    """The word and the next step where decisions are not shown to cost less than those without a model; None where they are."""
    against = [(BLIND[rule.name], rule.versus_chosen) for rule in decided.rules if rule.name in BLIND]
    pairs = [(name, extra) for name, extra in against if extra is not None]
    dearer = [_compared(name, extra) for name, extra in pairs if extra.verdict == "better"]
    if dearer:
        return "do not use", f"for this decision: its decisions cost more than {' and '.join(dearer)}"
    alike = [_compared(name, extra) for name, extra in pairs if extra.verdict != "worse"]
    if alike:
        return "use with care", f"at these costs its decisions cannot be told from {' and '.join(alike)}"
    return None


def _compared(name: str, extra: Difference) -> str:
    """What one does without a model, with what the decisions cost more than that."""
    return f"{name} (difference in [{number(-extra.high)}, {number(-extra.low)}])"


def _use(model: str | None) -> str:
    """How predictions are made, from where the user stands."""
    return "study.model.predict(new_rows)" if model is None else f"goodmeasure predict {word(model)} NEW.csv"


def _done(remark: Remark) -> str:
    """What is to be done about a remark."""
    return remark.fix or remark.what


def _doubt(
    judged: Judged, decided: Decided | None, remarks: tuple[Remark, ...], what: str, events: int | None
) -> tuple[str, str] | None:
    """The word and the next step where something speaks against plain use; None where nothing does."""
    first = [remark for remark in at_least(remarks, "warning") if remark.code in LOOK_FIRST]
    unshown = hesitation(judged.report, events)
    if unshown is not None:
        said, following = unshown
        before = [_done(remark) for remark in first if remark.code in BEFORE_MORE_ROWS]
        return said, f"{before[0]}; then {following}" if before and said == "cannot tell yet" else following
    doubt = None if decided is None else undecided(decided)
    if doubt is not None and doubt[0] == "do not use":
        return doubt
    if first:
        return "look first", _done(first[0])
    if doubt is not None:
        return doubt
    if judged.report.cautions:
        return "use with care", judged.report.cautions[0]
    if judged.calibration.verdict == "miscalibrated":
        return "use with care", f"the {what} are off: see calibration in the report before you act on their size"
    return None
