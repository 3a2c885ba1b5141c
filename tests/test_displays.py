"""Does every result show itself: as text, in notebooks, by Rich, and as a frame, whatever names and numbers it holds?"""

import dataclasses
import inspect
import math
import sys
import typing
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.auditing.finding import Audit, Finding
from goodmeasure.checking.checks import Answer, Report
from goodmeasure.drawing.cells import Code, Formula, Interval, ends, text
from goodmeasure.drawing.display import MOST_ROWS, Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.frames import FrameKind, arrays, frame
from goodmeasure.drawing.markup import html
from goodmeasure.drawing.plain import plain
from goodmeasure.errors import MissingExtra, UsageError
from goodmeasure.reading.frames import table
from goodmeasure.risks.leaks import leaks, row_hashes
from goodmeasure.risks.ranking import rank_models
from goodmeasure.risks.segment_rates import segment_rates
from goodmeasure.risks.segments import weak_segments

HOSTILE = "<script>alert(1)</script><b>[bold red][/]</b><i>\x1b[2J&' onclick='a()\" onload=\"a()"
KINDS = typing.get_args(FrameKind)
BINARY, SQUARED = gm.losses.binary_cross_entropy(), gm.losses.squared_error()

# Classes that public functions and results speak of and that are no results. Who adds one says here what it is.
INPUTS = {
    "ColumnCosts",
    "LabelCosts",
    "Shift",
    "Costs",
    "ClassCosts",
    "UnderOverCosts",
    "Loss",
    "Definition",
    "Metric",
    "Question",
    "Predicted",
    "Floor",
    "Speaker",
    "Effect",
    "EffectCurve",
    "Coefficient",
}
OF_HOSTS = {"JaxLoss", "KerasLoss", "TableLoss", "Language"}
OF_SKLEARN = {
    "CalibrationDisplay",
    "DecisionDisplay",
    "LossDisplay",
    "SklearnLoss",
    "SklearnCosts",
    "CostSensitiveClassifier",
    "CostSensitiveRegressor",
}
OF_BOOSTERS = {
    "CatBoostLoss",
    "CatBoostMetric",
    "HistGradientBoostingLoss",
    "LightGBMLoss",
    "XGBoostLoss",
    "XGBoostMetric",
    "SklearnLoss",
    "SklearnCosts",
}
WHAT_ONE_USES = {
    "ChoiceSets",
    "LossClassifier",
    "CostSensitiveClassifier",
    "CostSensitiveRegressor",
    "LossRegressor",
    "Model",
    "Expr",
    "Domain",
    "Activation",
    "Encoding",
    "Coding",
    "Scaling",
    "Scorer",
    "Sql",
    "Record",
}
PARTS_OF_A_ROW = {
    "Repair",
    "Answer",
    "Dates",
    "Numbers",
    "Written",
    "WrittenFormula",
    "Facts",
    "Finding",
    "Influence",
    "NamedMean",
    "LineCertificate",
    "OpenQuestion",
    "Rejected",
    "Skipped",
    "Spelling",
    "Step",
    "Trait",
    "Verdict",
}
PARTS_OF_A_MONITOR = {"Costing", "Counts", "Distribution", "LaterColumn", "MarkShare", "SeenRows", "Shard", "Vast"}
PARTS_OF_A_RUN = {
    "Engine",
    "Rare",
    "Coverage",
    "GroupsOf",
    "RowsRead",
    "Cases",
    "Columns",
    "Measured",
    "Prepared",
    "Priced",
    "Recalibrated",
    "Table",
    "Trained",
    "Weighing",
}
STATES = {"AmountSums", "ClusterSums", "Moments", "Power", "Schema", "ScoreCounts", "State"}
MESSAGES = {"InfiniteAsMissing", "Remark"}
WORDS = {"ColumnKind", "Status"}
OF_DRAWING = {"Display", "Interval"}
NO_RESULTS = (
    INPUTS
    | OF_HOSTS
    | OF_SKLEARN
    | OF_BOOSTERS
    | WHAT_ONE_USES
    | PARTS_OF_A_ROW
    | PARTS_OF_A_MONITOR
    | PARTS_OF_A_RUN
    | STATES
    | MESSAGES
    | WORDS
    | OF_DRAWING
)


# --- every type that the public functions lead to ---


def mentioned(hint: Any) -> Iterator[type]:
    """The classes of ours in an annotation."""
    if inspect.isclass(hint) and not typing.get_args(hint) and hint.__module__.startswith("goodmeasure."):
        yield hint
    for inner in typing.get_args(hint):
        yield from mentioned(inner)


def leads_to(kind: type) -> Iterator[type]:
    """The classes that the fields, properties and methods of a class hold or return."""
    for name, member in inspect.getmembers(kind):
        found = member.fget if isinstance(member, property) else member
        if inspect.isfunction(found) and not name.startswith("_"):
            yield from mentioned(typing.get_type_hints(found).get("return"))
    if dataclasses.is_dataclass(kind):
        for hint in typing.get_type_hints(kind).values():
            yield from mentioned(hint)


# What these return is torch's, or needs torch, which is not named at run time.
OF_TORCH = (gm.to_torch, gm.watch)


@cache
def reached() -> frozenset[type]:
    """What the functions of the facade return, and what can be reached from there."""
    public = [getattr(gm, name) for name in dir(gm)]
    waiting = [found for found in public if inspect.isclass(found)]
    for function in filter(inspect.isfunction, public):
        waiting += mentioned(inspect.get_annotations(function, eval_str=function not in OF_TORCH).get("return"))
    seen: set[type] = set()
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            waiting += leads_to(kind)
    return frozenset(seen)


def test_every_type_that_public_functions_lead_to_is_a_result_or_said_to_be_none():
    strangers = {kind.__name__ for kind in reached() if not issubclass(kind, Displayed)} - NO_RESULTS
    assert not strangers, "give it a _display(), or say above what it is"


def test_what_is_said_to_be_no_result_is_none_and_is_there():
    by_name = {kind.__name__: kind for kind in reached()}
    assert not [name for name in NO_RESULTS & by_name.keys() if issubclass(by_name[name], Displayed)]
    assert by_name.keys() >= NO_RESULTS - OF_DRAWING


# --- one of each ---


RNG = np.random.default_rng(0)
Z = RNG.normal(0, 2, 400)
P = 1 / (1 + np.exp(-Z))
Y = (RNG.random(400) < P).astype(float)
AMOUNT, PREDICTED = RNG.gamma(2, 3, 400), RNG.gamma(2, 3, 400)
COSTS = gm.Costs(false_negative=40, false_positive=5)


@cache
def studied() -> Any:
    """A study of a small frame whose names are hostile."""
    polars = pytest.importorskip("polars")
    happened = np.where(Y > 0, "yes", HOSTILE)
    frame = polars.DataFrame({HOSTILE: Z, "target": happened})
    return gm.run(frame, "target", positive="yes", costs=COSTS, protocol="holdout")


# One of each, by the name of its type; texts are hostile where a user may write them.
MAKERS: dict[str, Callable[[], Any]] = {
    "Monitored": lambda: gm.monitor(studied().model, {HOSTILE: Z, "target": np.where(Y > 0, "yes", HOSTILE)}),
    "Reweighed": lambda: gm.reweigh({HOSTILE: Z}, shift={HOSTILE: 0.5}),
    "Means": lambda: gm.explain_mean(SQUARED, AMOUNT, PREDICTED, logged=1.0),
    "ActDecision": lambda: gm.decide(AMOUNT, PREDICTED, gm.UnderOverCosts(under=3, over=1)),
    "Audit": lambda: Audit((Finding("GM102", "error", *[HOSTILE] * 5),), ("GM101",), (), HOSTILE),
    "Band": lambda: made("Curves").band("recall", [0.2, 0.5]),
    "Bias": lambda: gm.tally(SQUARED, AMOUNT, PREDICTED).bias(),
    "Calibration": lambda: gm.calibration(Y, P),
    "Card": lambda: gm.losses.huber().card(),
    "Certificate": lambda: studied().trained.certificate,
    "Aim": lambda: gm.run({"x": Z, "y": Y}, "y", floors="recall=0.9", protocol="holdout").aims[0],
    "Comparison": lambda: studied().compare(studied()),
    "Curve": lambda: made("Calibration").curve,
    "Curves": lambda: made("Tally").curves(),
    "Decided": lambda: studied().decided,
    "Decision": lambda: gm.decide(Y, P, COSTS),
    "Difference": lambda: gm.compare(BINARY, Y, Z, -Z),
    "Estimate": lambda: made("Risk").skill,
    "Effects": lambda: studied().effects,
    "Judged": lambda: studied().judged,
    "Leaks": lambda: leaks(row_hashes(Y), row_hashes(Y)),
    "MetricAlignment": lambda: made("Signal").aligned,
    "Plan": lambda: gm.choose(Y, name=HOSTILE),
    "PricedRule": lambda: made("Decision").theory,
    "ModelRanking": lambda: rank_models({HOSTILE: {"a": Y, "b": 1 - Y}, "y": {"a": P, "b": Z}}),
    "Recalibration": lambda: gm.recalibrate(Y, P, "isotonic"),
    "Report": lambda: Report(HOSTILE, (Answer(HOSTILE, False, HOSTILE), Answer("is sound", True))),
    "Risk": lambda: gm.risk(BINARY, Y, Z),
    "Segment": lambda: weak_segments(P, np.where(Y > 0, HOSTILE, "b"))[0],
    "SegmentRate": lambda: segment_rates(Y, P, np.where(Y > 0, HOSTILE, "b"))[0],
    "Segments": lambda: (
        gm.run({"x": Z, HOSTILE: np.where(Y > 0, HOSTILE, "b"), "y": AMOUNT}, "y", protocol="holdout").segments
    ),
    "Signal": lambda: gm.signal(BINARY, Y, Z),
    "Split": lambda: studied().prepared.split,
    "Standing": lambda: made("Comparison").standings[0],
    "Study": studied,
    "Tails": lambda: gm.choose(AMOUNT).tails,
    "Tally": lambda: gm.tally(BINARY, Y, {HOSTILE: Z, "other": -Z}, group=np.where(Z > 0, HOSTILE, "b")),
    "Threshold": lambda: made("Decision").threshold,
    "Total": lambda: BINARY.total(Y, Z),
}


@cache
def made(name: str) -> Any:
    """The result of this type."""
    return MAKERS[name]()


def kinds(of: type) -> Iterator[type]:
    """Every type of result that has been loaded."""
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_one_of_each_kind_of_result_is_made_here():
    reached()
    assert {kind.__name__ for kind in kinds(Displayed) if kind.__module__.startswith("goodmeasure.")} == MAKERS.keys()
    assert {name: type(made(name)).__name__ for name in MAKERS} == {name: name for name in MAKERS}


class Balanced(HTMLParser):
    """Reads HTML, and remembers its tags and their attributes, and whether each tag was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in ("br", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "polyline":
            assert self.open.pop() == tag


def runs_nothing(page: Balanced) -> bool:
    """Whether no text of a user became a tag or an attribute."""
    return not page.tags & {"script", "b", "i"} and not any(name.startswith("on") for name in page.attributes)


def printed(shown: Any, width: int = 80) -> list[str]:
    """The lines that rich.print writes on a terminal of this width."""
    from rich.console import Console

    console = Console(width=width, color_system=None, force_terminal=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(shown)
    return captured.get().splitlines()


def harmless(text: str) -> bool:
    return "\x1b" not in text and "\x07" not in text


@pytest.mark.parametrize("name", MAKERS)
def test_every_result_has_a_title_and_rows_of_one_length(name):
    display = made(name)._display()
    assert display.title.strip()
    assert display.rows
    assert {len(cells) for cells in display.columns.values()} == {display.rows}
    assert {*display.under, *display.under.values(), *display.aside} <= display.columns.keys()


@pytest.mark.parametrize("name", MAKERS)
def test_every_result_reads_as_text(name):
    text = str(made(name))
    assert text.strip()
    assert harmless(text)
    assert "object at 0x" not in text
    assert "Estimate(" not in text, "numbers are for people"


@pytest.mark.parametrize("name", MAKERS)
def test_every_result_has_html_that_closes_its_tags_and_runs_nothing(name):
    page = Balanced(made(name)._repr_html_())
    assert page.open == []
    assert "table" in page.tags
    assert runs_nothing(page)
    assert harmless(made(name)._repr_html_())


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("width", [80, 60])
def test_every_result_fits_a_terminal_and_no_number_is_broken(name, width):
    shown = made(name)
    lines = printed(shown, width)
    assert all(len(line) <= width for line in lines)
    assert harmless("".join(lines))
    assert "…" not in "".join(lines)
    for column in shown._display().shown():
        for cell in column.cells:
            whole = f"{text(cell)} {ends(cell)}".strip() if column.of_numbers else ends(cell)
            assert any(whole in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MAKERS)
def test_every_result_is_a_frame_of_each_kind_that_reads_as_a_table(name, kind):
    pytest.importorskip("polars")
    display = made(name)._display()
    frame = made(name).to_frame(kind)
    back = table(frame)
    assert len(back) == display.rows
    assert back.frame == (None if kind == "dict" else kind)
    for column in display.columns:
        if any(isinstance(cell, Interval) for cell in display.cells(column)):
            ends = ("low", "high") if column == "value" else (f"{column}_low", f"{column}_high")
            assert {column, *ends} <= back.columns.keys()


def test_a_study_of_a_frame_gives_frames_of_that_kind():
    import pandas
    import polars

    assert isinstance(studied().to_frame(), polars.DataFrame)
    assert isinstance(studied().to_frame("pandas"), pandas.DataFrame)
    assert isinstance(made("Risk").to_frame(), pandas.DataFrame)


def test_numbers_of_a_frame_are_those_of_the_record():
    risk = made("Risk")
    columns = risk.to_frame("dict")
    assert (columns["value"][0], columns["low"][0], columns["high"][0]) == (risk.value, risk.low, risk.high)
    assert columns["n"].dtype == np.int64
    assert columns["effective_n"][0] == risk.effective_n
    curve = made("Curve")
    np.testing.assert_array_equal(curve.to_frame("dict")["seen_low"], curve.low)


def test_without_pandas_a_frame_is_a_dictionary_and_what_is_not_installed_is_said(monkeypatch):
    from goodmeasure.drawing import frames

    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    assert isinstance(made("Risk").to_frame(), dict)
    with pytest.raises(MissingExtra, match="pip install polars"):
        made("Risk").to_frame("polars")
    with pytest.raises(UsageError, match="pandas' or 'polars"):
        made("Risk").to_frame("spark")


# --- what stands in the cells ---

ODD = Display(
    HOSTILE,
    {
        HOSTILE: [HOSTILE, "", "two\nlines"],
        "number": [math.nan, math.inf, None],
        "cost": [Interval(1.5, -math.inf, math.inf), None, Interval(math.nan, math.nan, math.nan)],
        "rows": [np.int64(12345), 7, 0],
        "sure": [np.bool_(True), False, True],
        "code": [Code(HOSTILE), Code(""), Code("f(x)")],
        "said": [Formula("a < b", "a < b"), None, "none"],
        HOSTILE + " below": ["a", "b", "c"],
    },
    notes=(HOSTILE,),
    under={"said": "code", HOSTILE + " below": "code"},
    aside=("sure",),
)
EMPTY = Display(HOSTILE, columns_of(("name", "value"), []))


@pytest.mark.parametrize("display", [ODD, EMPTY], ids=["odd", "empty"])
def test_hostile_names_and_missing_numbers_are_shown_as_texts(display):
    from goodmeasure.drawing.coloured import coloured

    page = html(display)
    assert runs_nothing(Balanced(page))
    assert "&lt;script&gt;" in page
    for shown in (page, plain(display), "".join(printed(coloured(display), 200))):
        assert harmless(shown)
    assert "[bold red]" in plain(display)
    assert "[bold red][/]" in "".join(printed(coloured(display), 200)), "Rich reads no markup in it"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("display", [ODD, EMPTY], ids=["odd", "empty"])
def test_odd_cells_and_no_cells_make_frames(display, kind):
    made = frame(display, kind)
    assert len(made["value" if display is EMPTY else "rows"]) == display.rows


def test_an_array_has_the_type_of_its_cells():
    columns = arrays(ODD)
    assert columns[HOSTILE].tolist() == [HOSTILE, "", "two\nlines"]
    assert columns["number"].dtype == columns["cost_low"].dtype == np.float64
    assert math.isnan(columns["number"][2])
    assert math.isnan(columns["cost"][1])
    assert columns["rows"].dtype == np.int64
    assert columns["sure"].dtype == bool
    assert columns["said"].tolist() == ["a < b", None, "none"]
    assert all(type(cell) is str for cell in columns["code"])


def test_numbers_stand_to_the_right_with_their_intervals():
    shown = plain(Display("Costs", {"cost": [Interval(1.5, 1, 2), Interval(12345.6, -1e9, 2e-9)], "n": [3, 40000]}))
    assert shown.splitlines()[1:] == [
        "  cost                                 n",
        "     1.5 [1, 2]                        3",
        "  12,346 [-1,000,000,000, 2e-09]  40,000",
    ]


def test_a_title_stands_alone_where_there_are_no_rows():
    assert plain(Display("Nothing", columns_of(("a",), []), ("because",))) == "Nothing\nbecause"
    assert "<table" not in html(EMPTY)


def test_of_many_rows_a_screen_shows_some_and_a_frame_has_all():
    many = {"x": np.arange(1000.0)}
    curve, rows = Display("curve", many, is_curve=True), Display("rows", many)
    assert [*curve.shown()[0].cells][-1] == 999.0
    assert [*rows.shown()[0].cells] == [*range(MOST_ROWS)]
    for display in (curve, rows):
        assert f"{MOST_ROWS} of 1,000 rows; to_frame() has all" in plain(display)
        assert len(frame(display, "dict")["x"]) == 1000


def test_text_on_the_page_takes_the_colour_of_the_page():
    for name in MAKERS:
        page = made(name)._repr_html_()
        assert "background:#" not in page
        assert ";color:#" not in page


def test_results_of_nothing_still_show_themselves():
    nothing = gm.risk(BINARY, [0.0, 1.0], [-np.inf, -np.inf])
    audit, report = Audit(()), Report("loss()", ())
    empty = gm.tally(BINARY, np.zeros(0), np.zeros(0))
    whole = BINARY.total(np.zeros(0), np.zeros(0))
    for result in (nothing, audit, report, empty, whole):
        assert str(result).strip()
        assert Balanced(result._repr_html_()).open == []
        assert printed(result)
        assert isinstance(result.to_frame("dict"), dict)
    assert list(audit.to_frame("dict")) == ["code", "severity", "what", "where", "seen", "why", "fix"]


def test_the_sum_of_a_total_may_lie_beyond_all_floats():
    from fractions import Fraction

    huge = type(BINARY.total([1.0], [0.0]))(Fraction(10) ** 400, Fraction(10) ** 399)
    assert huge.to_frame("dict")["sum"][0] == math.inf
    assert huge.to_frame("dict")["mean"][0] == 10.0


def test_an_interval_stays_beside_its_number_in_a_column_that_holds_texts_too():
    from goodmeasure.drawing.coloured import coloured

    mixed = Display("mixed", {"found": [Interval(1.5, 1, 2), "nothing"]})
    for shown in (plain(mixed), html(mixed), "".join(printed(coloured(mixed), 200))):
        assert "[1, 2]" in shown


@pytest.mark.parametrize(
    "columns",
    [{"a": [1], "b": [1, 2]}, {"value": [Interval(1, 0, 2)], "low": [5]}, {"p": [Interval(1, 0, 2)], "p_high": [5]}],
    ids=["unequal", "low", "high"],
)
def test_columns_that_do_not_fit_together_are_refused(columns):
    with pytest.raises(ValueError, match=r"unequal length|two columns named"):
        Display("wrong", columns)


# --- pictures ---


@pytest.mark.parametrize("name", MAKERS)
def test_a_result_with_intervals_or_a_curve_is_drawn_and_another_says_that_it_has_none(name: str) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    result = made(name)
    display = result._display()
    holds = display.is_curve or any(
        isinstance(cell, Interval) for held in display.columns for cell in display.cells(held)
    )
    if holds or type(result)._picture is not Displayed._picture:
        for ax in np.atleast_1d(result.plot()):
            ax.figure.canvas.draw()
            assert ax.has_data()
        plt.close("all")
    else:
        with pytest.raises(UsageError, match="no intervals and no curve"):
            result.plot()


def test_a_plot_without_matplotlib_says_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtra, match="matplotlib") as raised:
        made("Risk").plot()
    assert "goodmeasure[plot]" in str(raised.value)
