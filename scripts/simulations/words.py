"""Every word that a verdict or a number says of itself, who says it, and the table that shows how often it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

COUNTED = "counted: no chance is in it"


class Word(NamedTuple):
    """The words as they are printed, by whom, and how the titles of tables begin that measure them; none for mere counts."""

    words: str
    by: str
    tables: tuple[str, ...] = ()


def _word(words: str, by: str, *tables: str) -> Word:
    return Word(words, by, tables)


RUN = "The five words of a run"
TOLD = "The words of a run"
MODELS, RARER = '"Better" and "worse" of two models', "Few rows of the rarer answer"
GAPS = '"Part of the fit does not generalise"'
METRICS = 'A metric "aligned" with the loss'
CALIBRATED = (
    "How often calibrated scores are said",
    "How often miscalibrated scores are not",
    "How often calibrated scores of rows that go together",
    "How often amounts are said",
    "How often three classes are said",
    '"Miscalibrated" of outcomes that go together',
    '"Miscalibrated" of amounts that go together',
    '"Miscalibrated" of three classes',
)
TALLIED = '"Miscalibrated" of tallied amounts'
COSTS = ('Costs of two rules, "surely more"', "Rare dear misses", "Bands of curves")
WEAK = (
    "Weak segments of skewed losses",
    "Weak segments by several columns of a study",
    '"Weak" and "cheaper" of five segments',
)
NOISE = "Columns of noise"
RATES = ("Segments whose rate is not", "Segments of rare events", "One segment of clusters")
LATER = ("Later rows said to have moved", 'Later rows said to cost "worse"')
KINDS = "Two tables said to be of two kinds"
DEPENDENT = ("Rows in time, AR(1)", "Groups of twenty rows", "Clusters of unequal size")

# Words whose tables have sizes of their own: of pairs of events and others, of groups, of so many rows as would tell.
OF_NO_SIZE = (
    *("would tell a difference", "rows tell a difference of", "are few to tell an area by", "no pair is out of order"),
    "taken as independent",
)

WORDS = (
    _word("use", "run", RUN, TOLD),
    _word("use with care", "run", RUN),
    _word("look first", "run", RUN, "GM222", "GM235", "GM251", "GM252"),
    _word("cannot tell yet", "run", RUN, TOLD),
    _word("do not use", "run", RUN, TOLD),
    _word("GM222", "run", "GM222"),
    _word("GM235", "run", "GM235"),
    _word("GM251", "run", "GM251"),
    _word("GM252", "run", "GM252"),
    _word("matters", "run", NOISE),
    _word("harms", "run", NOISE),
    _word("cannot be told to matter at this n", "run", NOISE),
    _word("by conformal prediction", "run, predict", "New rows between quantiles"),
    _word("none surely", "report", '"Best" of scored models'),
    _word("nothing says otherwise", "report", *CALIBRATED, TALLIED),
    _word("better", "run, score, compare, tally, monitor", MODELS, RARER, TOLD, LATER[1]),
    _word("worse", "run, score, compare, tally, monitor", MODELS, RARER, TOLD, LATER[1]),
    _word("cannot tell at this n", "run, score, decide, compare, tally", MODELS, COSTS[0], METRICS),
    _word("would tell a difference", "run, compare", "Rows that would tell"),
    _word("rows tell a difference of", "run, compare", "Rows that would tell"),
    _word("part of the fit does not generalise", "run", GAPS),
    _word("the reported rows are easier", "run", GAPS),
    _word("no gap can be told at this n", "run", GAPS),
    _word("cannot be told from luck with", "run", TOLD),
    _word("are off", "run", *CALIBRATED),
    _word("miscalibrated", "calibration, score, run, bias of a tally", *CALIBRATED, TALLIED),
    _word("cannot tell from calibrated at this n", "calibration", *CALIBRATED),
    _word("cannot be told from calibrated at this n", "run, segments", *CALIBRATED, *RATES),
    _word("not shown to be off", "score, bias of a tally", *CALIBRATED, TALLIED),
    _word("recalibrated", "run", '"Recalibrated"'),
    _word("surely more", "run, decide", *COSTS),
    _word("surely less", "run, decide", *COSTS),
    _word("no sure difference", "run, decide", *COSTS),
    _word("act when p >=", "decide", 'A tuned threshold ("practice")'),
    _word("practice", "decide", 'A tuned threshold ("practice")'),
    _word("theory", "decide", 'A tuned threshold ("practice")'),
    _word("surely cheaper on the rows to tune", "run", 'A tuned threshold ("practice")'),
    _word("moved", "run, decide, monitor", 'Amounts "moved"', *LATER[:1]),
    _word("not shown to have moved", "monitor", *LATER[:1]),
    _word("no change shown", "monitor", *LATER),
    _word("are not of the kind of those that were fitted", "run", KINDS),
    _word("decide better and were taken", "run", COSTS[0]),
    _word("decide worse", "run", COSTS[0]),
    _word("are not surely better", "run", COSTS[0]),
    _word("not one", "run, decide", '"Not one miss'),
    _word("improved", "run", METRICS),
    _word("got worse", "run", METRICS),
    _word("cannot be told to have moved", "run", METRICS),
    _word("aligned", "signal", METRICS),
    _word("against", "signal", METRICS),
    _word("ranked apart", "rank_models", '"Ranked apart"'),
    _word("no two models are surely ranked apart", "rank_models", '"Ranked apart"'),
    _word("weak", "run, segments", *WEAK),
    _word("cheaper", "run, segments", *WEAK),
    _word("cannot be told from the others at this n", "run, segments", *WEAK),
    _word("more events than promised", "segments", *RATES),
    _word("fewer events than promised", "segments", *RATES),
    _word("tails so heavy", "run, risk", '"Tails so heavy"'),
    _word("do not grow with it", "run", 'Errors "do not grow"'),
    _word("the interval reaches further up", "run, risk", "Intervals of a mean loss"),
    _word("tell how sure this is: the interval can be too short", "all, of rows that go together", *DEPENDENT),
    _word("are few to tell an area by", "run, curves", "ROC area: coverage"),
    _word("no pair is out of order", "run, curves", "ROC area: coverage"),
    _word("all rows cost the same", "run, risk, tally", "Rare dear misses"),
    _word("without a least", "run", "Logistic fits"),
    _word("not known", "all, of what is no number or was tallied without clusters"),
    _word("taken as independent", "all, of intervals that do not know which rows go together", DEPENDENT[1]),
    _word("cost infinity", "run, risk, score, calibration"),
    _word("costs infinity", "run, risk, score, calibration"),
    _word("are not a number", "risk"),
    _word("both means are infinite", "score"),
    _word("among these rows", "run, decide: a kind of row that there is none of"),
    _word("rows left out", "score"),
    _word("the split leaks", "leaks, and what they are given to"),
    _word("also stand in the training rows", "leaks"),
    _word("seen in training", "leaks"),
    _word("before the last training row in time", "leaks"),
)


def table(titles: Sequence[str]) -> str:
    """The list as it stands at the head of the page, of tables with these titles."""
    head = (
        "## Every word, who says it, and the tables that measure it",
        "",
        "| words | said by | tables that begin so |",
    )
    return "\n".join([*head, "|---|---|---|", *(_line(word, titles) for word in WORDS), ""])


def _line(word: Word, titles: Sequence[str]) -> str:
    """The beginnings of titles are enough to find the tables by, and each must be one."""
    found = "; ".join(begin for begin in word.tables if whole(begin, titles))
    return f"| {word.words} | {word.by} | {found or COUNTED} |"


def whole(begin: str, titles: Sequence[str]) -> str:
    """The one title that begins so."""
    (title,) = (each for each in titles if each.startswith(begin))
    return title
