"""Do pictures show what they are given, whatever the numbers, and nothing that a page could not hold?"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodmeasure.drawing import pictures
from goodmeasure.drawing.axes import MOST_ROWS, Axes, svg
from goodmeasure.drawing.cells import Interval
from goodmeasure.drawing.marks import LOSS, SIGNAL, Bars, Guide, Mark, Points, Ribbon, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.plots import draw, plot
from goodmeasure.drawing.scales import logarithmic, round_ticks, scale_of

ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(ANY, min_size=1, max_size=20))
def test_every_finite_number_has_a_place_and_ticks_rise(values: list[float]) -> None:
    shown = np.array(values)
    scale = scale_of(shown / 4)
    places = scale(shown[np.isfinite(shown)] / 4)
    assert ((places >= 0) & (places <= 1)).all()
    ticks = [*scale.ticks]
    assert 2 <= len(ticks) <= 12
    assert ticks == sorted(set(ticks))
    assert scale.low <= ticks[0] + 1e-6 * abs(ticks[0])
    assert len({*scale.ticks.values()}) == len(ticks)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3.0, 7.0, ["-2", "0", "2", "4", "6"]),
        (0.0, 5200.0, ["0", "2,000", "4,000"]),
        (1e9, 1.1e9, ["1e+09", "1.02e+09", "1.04e+09", "1.06e+09", "1.08e+09", "1.1e+09"]),
        (0.0, 1e-7, ["0", "2e-08", "4e-08", "6e-08", "8e-08", "1e-07"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, texts: list[str]) -> None:
    assert [*round_ticks(low, high).values()] == texts


def test_a_logarithmic_axis_puts_equal_ratios_at_equal_distances() -> None:
    places = logarithmic(np.array([1e-4, 1.0]), {})(np.array([1e-4, 1e-2, 1.0]))
    assert np.diff(places) == pytest.approx(np.full(2, np.diff(places)[0]))


def drawn(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))


def test_marks_stand_where_their_numbers_say() -> None:
    axes = Axes(x_ends=(0.0, 10.0), y_ends=(0.0, 10.0))
    at = np.array([0.0, 10.0])
    axes.add(Stroke(at, at, "red"), Points(at, at, "red"), Bars(at[:1], at[1:], at[1:], "red"), Ribbon(at, at, at))
    axes.add(Guide(5.0), Guide(5.0, up=True))
    text = svg("p", [axes], (200, 100))
    drawn(text)
    first, last = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', text)
    (left, foot), (right, top) = (tuple(map(float, each)) for each in (first, last))
    assert left < right <= 200
    assert top < foot < 100
    assert f"M{left},{foot}L{right},{top}" in text
    assert f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{foot - top:.1f}"' in text


def test_a_line_is_broken_where_it_is_not_finite() -> None:
    axes = Axes()
    axes.add(Stroke(np.arange(5.0), np.array([1.0, 2.0, np.nan, np.inf, 3.0]), "red"))
    path = re.search(r'<path d="([^"]+)" fill="none" stroke="red"', svg("p", [axes], (200, 100)))
    assert path is not None
    assert (path[1].count("M"), path[1].count("L")) == (2, 1)


@pytest.mark.parametrize("name", ["<script>&", "a" * 500, "\x00\x1b[31m", "日本語" * 20, "\ud800"])
def test_names_are_escaped_and_cut(name: str) -> None:
    axes = Axes(across=name, up=name, y_ticks={0.0: name})
    axes.add(Stroke(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "red", label=name))
    shown = [each.text for each in drawn(svg("p", [axes], (300, 200))).iter() if each.text]
    assert all("\x00" not in text and "\x1b" not in text for text in shown)
    assert name in shown or not name.isprintable() or len(name) > 40


HOSTILE = {
    "constant": np.full(50, 3.0),
    "huge": np.linspace(-1e150, 1e150, 50),
    "tiny": np.linspace(0, 1e-300, 50),
    "zero": np.zeros(50),
    "one": np.array([0.5]),
}


def every_picture(values: np.ndarray) -> list[Picture]:
    """Each picture of the module, of these numbers."""
    with np.errstate(over="ignore"):
        squares = values**2
    first = float(values[0])
    return [
        pictures.amounts(values, values),
        pictures.loss_and_signal(values, [("a", squares, values), ("b", values, values)]),
        pictures.concentration([("loss", LOSS, np.abs(values)), ("signal", SIGNAL, values * 0)]),
        pictures.risks([("a", Interval(1.0, -np.inf, np.inf)), ("b", Interval(first, np.nan, np.nan))]),
        pictures.intervals("i", "?", [("a" * 500, Interval(first, first, first))], zero=True),
        pictures.curve("c", "?", values, [Interval(each, each, np.nan) for each in values.tolist()]),
        pictures.spread(values.clip(0, 1), None),
        pictures.spread(values.clip(0, 1), np.arange(len(values)) % 2),
        pictures.prices(values.clip(0, 1), [Interval(0.1, 0.0, 0.2)] * len(values), values * 0, values * 0 + 1, 0.3),
        pictures.choice([(1e-4, 1.0, 2.0), (1.0, first, np.inf)], "strength", 1e-4),
    ]


@pytest.mark.parametrize("values", HOSTILE.values(), ids=HOSTILE)
def test_pictures_of_any_numbers_are_well_formed(values: np.ndarray) -> None:
    for picture in every_picture(values):
        for text in (picture.svg(), *picture.parts()):
            root = drawn(text)
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"]
            assert not re.search(r'="[^"]*(nan|inf)[^"]*"', text)


@pytest.mark.parametrize("values", HOSTILE.values(), ids=HOSTILE)
def test_a_picture_has_its_numbers_as_tables(values: np.ndarray) -> None:
    for picture in every_picture(values):
        for names, rows in picture.tables():
            assert all(len(row) == len(names) for row in rows)
            assert rows
            assert len(rows) <= MOST_ROWS * 8


def test_lines_are_named_where_they_end_and_names_do_not_lie_on_each_other() -> None:
    x = np.linspace(0, 1, 5)
    axes = Axes(across="x", up="y")
    axes.add(*(Stroke(x, x * 0 + k / 1000, "red", label=f"line {k}") for k in range(4)))
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>line \d<', svg("p", [axes], (300, 200)))
    heights = sorted(float(y) for _, y in places)
    assert len(heights) == 4
    assert np.diff(heights).min() >= 10
    assert {x for x, _ in places} == {places[0][0]}
    axes.add(Points(x, x, "red", label="no line"))
    assert 'text-anchor="start" font-size="8.5">line 0<' in svg("p", [axes], (300, 200))


@pytest.mark.parametrize("values", HOSTILE.values(), ids=HOSTILE)
def test_matplotlib_draws_what_a_page_shows(values: np.ndarray) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    for picture in every_picture(values):
        drawn_on = np.atleast_1d(plot(picture))
        assert len(drawn_on) == len(picture.axes)
        for ax, axes in zip(drawn_on, picture.axes, strict=True):
            assert ax.get_xlabel() == axes.across
            assert len(ax.lines) + len(ax.collections) + len(ax.patches) >= len(axes.marks)
        plt.close("all")


def test_a_picture_of_two_parts_shares_the_axes_that_it_is_given() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    _, ax = plt.subplots()
    x = np.linspace(0, 1, 5)
    parts = plot(pictures.loss_and_signal(x, [("$a_", x, x)]), ax)
    assert [part.figure for part in parts] == [ax.figure] * 2
    assert not ax.axison
    plt.close("all")


def test_matplotlib_knows_every_mark() -> None:
    for mark in Mark.__subclasses__() or (Stroke, Points, Ribbon, Bars, Guide):
        assert draw.dispatch(mark) is not draw.dispatch(object)


def test_pictures_of_one_name_on_one_page_are_cut_each_by_its_own_box() -> None:
    x = np.linspace(0, 1, 5)
    found = [pictures.intervals("i", "?", [(name, Interval(0.1, 0.0, 0.2))]).svg() for name in ("a", "a long name")]
    found += [pictures.loss_and_signal(x, [("a", x * size, x)]).svg() for size in (1, 1e6)]
    boxes: dict[str, str] = {}
    for name, box in re.findall(r'<clipPath id="([^"]+)">(.*?)</clipPath>', "".join(found)):
        assert boxes.setdefault(name, box) == box


def test_names_at_the_ends_of_lines_begin_beside_the_axes_where_no_mark_crosses_them():
    """A line that ends at zero lies on the guide there: its name would be struck through."""
    x = np.linspace(-4.0, 4.0, 9)
    axes = Axes("x", "y", marks=(Guide(0.0), Stroke(x, -np.exp(-x), LOSS, label="y = 0")))
    drawn = svg("x", [axes], (460.0, 200.0))
    left, wide = map(float, re.search(r'<clipPath.*?<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn).groups())
    name = float(re.search(r'<text x="([\d.]+)"[^>]*>y = 0<', drawn)[1])
    assert name > left + wide
