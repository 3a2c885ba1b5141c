"""Does a real browser show the lab without a word of complaint, at any width, to everybody, and on paper?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from browser import Opened, browser, opened
from goodmeasure import losses
from goodmeasure.explaining.exercise import runs
from goodmeasure.lab.document import document
from goodmeasure.lab.page import LabPage, lab_pages
from goodmeasure.lab.pages import playground
from turns import at_night

PAGES = lab_pages()
NUMBER = r"-?\d+(?:\.\d+)?"
COUNT, ENTROPY, SQUARED = runs()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "lab.html"
    path.write_text(document(PAGES), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Each page as a file of its own: what is asked of one page is asked of that alone, which takes a tenth of the time."""
    folder = tmp_path_factory.mktemp("pages")
    found = {page.number: folder / f"{page.name}.html" for page in PAGES}
    for page in PAGES:
        found[page.number].write_text(document([page]), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


def go(shown: Opened, path: Path, after: str) -> Any:
    """Open the file at this address; a request of it is none to another place."""
    shown.page.goto("about:blank")
    shown.page.goto(f"{path.as_uri()}{after}")
    shown.said[:] = [said for said in shown.said if not said.startswith((path.as_uri(), "about:"))]
    return shown.page


def questions(page: Any, number: int) -> list[str]:
    found = f"#page-{number} form"
    return list(page.eval_on_selector_all(found, "all => all.map((each) => each.dataset.question)"))


def answered(page: Any, number: int) -> str:
    """The address of a page all of whose questions have been passed."""
    return "".join(f"&{name}=-" for name in [*questions(page, number), "explain"])


# What fits on a telephone hardly ever fails to fit elsewhere.
@pytest.mark.parametrize(
    ("it", "width", "colours"),
    [
        at_night(it, width, colours, unless=width == 360 or k % 3 == 1, id=f"{it.name}-{width}-{colours}")
        for k, it in enumerate(PAGES)
        for width, colours in [(360, "light"), (1280, "dark")]
    ],
)
def test_a_page_says_nothing_to_the_console_asks_for_nothing_and_fits(
    it: LabPage, width: int, colours: str, alone: dict[int, Path], running: Any
) -> None:
    path = alone[it.number]
    with opened(running, path, width=width, color_scheme=colours) as shown:
        page = shown.page
        assert page.locator("h1:visible").all_inner_texts() == [it.title]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page = go(shown, path, f"#page-{it.number}{answered(page, it.number)}")
        assert page.locator(f"#page-{it.number} .saw").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.said == []


# What axe runs would be refused by the policy of the page.
@pytest.mark.parametrize("it", [at_night(it, unless=k % 3 == 0, id=it.name) for k, it in enumerate(PAGES)])
def test_nothing_hinders_people_before_they_answered(it: LabPage, alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[it.number], bypass_csp=True) as shown:
        assert shown.hindrances() == []


@pytest.mark.parametrize("it", PAGES, ids=lambda page: page.name)
def test_nothing_on_a_page_hinders_people(it: LabPage, alone: dict[int, Path], running: Any) -> None:
    path = alone[it.number]
    with opened(running, path, bypass_csp=True) as shown:
        page = go(shown, path, f"#page-{it.number}{answered(shown.page, it.number)}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert shown.hindrances() == []


# The colours of all pages are those of one palette.
@pytest.mark.parametrize("it", [at_night(it, unless=k % 4 == 3, id=it.name) for k, it in enumerate(PAGES)])
def test_a_page_can_be_read_in_the_dark(it: LabPage, alone: dict[int, Path], running: Any) -> None:
    path = alone[it.number]
    with opened(running, path, bypass_csp=True, color_scheme="dark") as shown:
        page = go(shown, path, f"#page-{it.number}{answered(shown.page, it.number)}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert shown.hindrances("color-contrast") == []


def test_all_pages_share_a_file(written: Path, running: Any) -> None:
    with opened(running, written) as shown:
        for it in reversed(PAGES):
            shown.page.locator(f"nav a[href='#page-{it.number}']").click()
            shown.page.locator(f"#title-{it.number}").wait_for(state="visible")
            assert shown.page.locator("h1:visible").all_inner_texts() == [it.title]
        assert shown.said == []
        names = shown.page.eval_on_selector_all("[id]", "all => all.map((each) => each.id)")
        assert len(names) == len(set(names))


def test_all_pages_are_complete_without_javascript(written: Path, running: Any) -> None:
    with opened(running, written, java_script_enabled=False) as shown:
        page = shown.page
        assert page.locator("h1:visible").all_inner_texts() == [each.title for each in PAGES]
        assert (
            page.locator("form:visible, input:visible, button:visible").count() == page.locator(".rubric input").count()
        )
        text = re.sub(r"\s+", " ", page.inner_text("main"))
        assert f"on the count {COUNT.wrong[20]}, on cross-entropy {ENTROPY.wrong[20]}" in text
        assert "Four ideas" in text
        assert page.locator("svg[role=img]:visible").count() >= 10


@pytest.mark.parametrize("it", PAGES, ids=lambda page: page.name)
def test_a_script_shows_at_first_what_was_drawn(it: LabPage, alone: dict[int, Path], running: Any) -> None:
    read = """(number) => [...document.querySelectorAll(`#page-${number} output`)].map((each) => each.textContent)"""
    drawn = """(number) => [...document.querySelectorAll(`#page-${number} [data-mark] > *`)].map((each) =>
        [...each.attributes].map((one) => one.value).join(" ")
    )"""
    with opened(running, alone[it.number], java_script_enabled=False) as still:
        texts, marks = (still.page.evaluate(ask, it.number) for ask in (read, drawn))
    with opened(running, alone[it.number]) as shown:
        assert shown.page.evaluate(read, it.number) == texts
        moved = shown.page.evaluate(drawn, it.number)
    assert len(moved) == len(marks) > 4
    for one, other in zip(marks, moved, strict=True):
        assert re.sub(NUMBER, "", one) == re.sub(NUMBER, "", other)
        places = [np.array(re.findall(NUMBER, text), dtype=float) for text in (one, other)]
        assert np.allclose(*places, rtol=0, atol=0.11)


def test_the_exercise_is_done_by_the_keyboard_alone(alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[4]) as shown:
        page = go(shown, alone[4], "#page-4")
        race = page.locator("#page-4 [data-part=race]")
        assert not race.is_visible()
        page.locator("input[name=nudge]").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.inner_text("[data-told=nudge]").startswith("You said 1. None of them")
        assert race.is_visible()

        page.locator("[data-control=weight]").focus()
        page.keyboard.press("ArrowRight")
        assert page.inner_text("[data-shown=count]") == "35"
        assert "weight=-2.99" in page.url
        page.keyboard.press("Shift+ArrowRight")
        assert page.inner_text("[data-shown=weight]") == "-2.89"
        page.keyboard.press("t")
        assert page.locator("#page-4 details[open]").count() >= 2
        page.keyboard.press("r")
        assert page.inner_text("[data-shown=weight]") == "-3.00"
        assert "weight" not in page.url

        page.locator("input[name=race-0]").focus()
        for number in ("4", "7", "30"):
            page.keyboard.type(number)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        told = page.inner_text("[data-told=race]")
        assert told.startswith(
            "Wrong after 20 steps of training: on the count 35 (you said 4), on cross-entropy 4 (you said 7)"
        )

        page.locator("[data-control=step]").focus()
        page.keyboard.press("Home")
        for step in range(21):
            wrong = [int(page.inner_text(f"[data-shown=wrong-{name}]")) for name in ("count", "entropy", "squared")]
            assert wrong == [COUNT.wrong[step], ENTROPY.wrong[step], SQUARED.wrong[step]]
            page.keyboard.press("ArrowRight")
        page.keyboard.press("End")
        assert page.inner_text("[data-shown=wrong-squared]") == "5"

        reveal = page.locator("[data-button=reveal]")
        assert reveal.is_disabled()
        page.locator("textarea").focus()
        page.keyboard.type("the count is flat, so it has no slope")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert "Flat almost everywhere" in page.inner_text("#page-4 [data-part=explain]")
        assert shown.said == []


def test_the_playground_says_what_python_says(alone: dict[int, Path], running: Any) -> None:
    sample = playground.samples()[0]
    with opened(running, alone[13]) as shown:
        page = go(shown, alone[13], "#page-13")
        borders = page.locator("#page-13 [data-picture=plane] [data-mark^=answer-]")
        assert borders.evaluate_all("all => all.map((each) => getComputedStyle(each).visibility)") == ["hidden"] * 3
        page.get_by_text("Show me").locator("visible=true").click()
        assert borders.evaluate_all("all => all.map((each) => getComputedStyle(each).visibility)") == ["visible"] * 3
        for name in ("hinge", "zero_one"):
            page.select_option("[data-control=loss-1]", name)
            steps = playground.wrong(playground.trained(losses.find(name)(), sample), sample)
            assert int(page.inner_text("[data-shown=wrong-1]")) == steps[-1]
        assert "loss-1=zero_one" in page.url
        page.select_option("[data-control=points]", "2")
        page.select_option("[data-control=model]", "1")
        ring = page.get_attribute("[data-picture=plane] [data-mark=answer-0] path", "d")
        assert ring.count("M") == 1
        assert ring.split("L")[0][1:] == ring.split("L")[-1], "a ring is closed"
        assert shown.said == []


def test_a_formula_is_typed_and_raced(alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[13]) as shown:
        page = go(shown, alone[13], "#page-13&dragged=-&loss-1=hinge")
        line = page.locator("[data-control=formula]")
        line.fill("maximum(0, 1 - m)")
        assert page.input_value("[data-control=loss-2]") == "typed"
        assert page.inner_text("[data-shown=wrong-2]") == page.inner_text("[data-shown=wrong-1]")
        line.fill("maximum(0, 1 - m")
        assert page.inner_text("[data-shown=formula]") == "Not a formula yet: ) is missing at the end."
        assert line.get_attribute("aria-invalid") == "true"
        assert page.inner_text("[data-shown=wrong-2]") == page.inner_text("[data-shown=wrong-1]"), (
            "the last formula races on"
        )
        line.fill("log(-p)")
        assert "Loss 3 stands still from step 0" in page.inner_text("[data-shown=formula]")
        assert shown.said == []


@pytest.mark.parametrize(
    "text", ["alert(1)", "<img src=x onerror=alert(1)>", "');alert(1);('", "constructor", "1e400*p/(p-p)"]
)
def test_a_formula_in_the_address_runs_nothing(text: str, alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[13]) as shown:
        page = go(shown, alone[13], f"#page-13&dragged=-&loss-0=typed&formula={quote(text)}")
        assert page.input_value("[data-control=formula]") == text
        assert page.locator("main img").count() == 0
        assert page.inner_text("[data-shown=formula]")
        assert shown.said == []


def test_the_address_keeps_where_one_is(written: Path, running: Any) -> None:
    with opened(running, written) as shown:
        page = go(shown, written, "#page-4&nudge=0&race=35.4.23&step=50&weight=1.5")
        assert page.input_value("[data-control=step]") == "50"
        assert page.inner_text("[data-shown=wrong-entropy]") == "5"
        assert page.inner_text("[data-told=nudge]").startswith("You said 0, and so it is.")
        assert "squared error 23 (you said 23)" in page.inner_text("[data-told=race]")


NONSENSE = (
    "#page-99",
    "#%",
    "#page-4&step=abc&nudge=<b>&race=",
    "#page-4&weight=1e999&=&a&step=%E0%A4%A",
    "#page-13&points=9&model=x&loss-0=none&formula=%3Cb%3E",
)


@pytest.mark.parametrize("fragment", NONSENSE)
def test_an_address_that_makes_no_sense_breaks_nothing(fragment: str, written: Path, running: Any) -> None:
    with opened(running, written) as shown:
        page = go(shown, written, fragment)
        assert page.locator("h1:visible").count() == 1
        assert "NaN" not in page.inner_text("main")
        assert page.locator("main b").filter(has_text="<b>").count() == 0
        assert shown.said == []


def test_a_teacher_hides_and_locks(alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[4]) as shown:
        page = go(shown, alone[4], "?hide=worth,code&lock=weight#page-4&nudge=-&race=-")
        assert page.locator("#page-4 [data-part=worth]").count() == 0
        assert page.locator("[data-part=code]").count() == 0
        assert page.locator("[data-control=weight]").is_disabled()
        assert not page.locator("[data-control=step]").is_disabled()
        assert shown.said == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_race_runs_and_jumps_where_motion_is_not_wanted(motion: str, alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[4], reduced_motion=motion) as shown:
        shown.page.clock.install()
        page = go(shown, alone[4], "#page-4&nudge=-&race=-")
        page.locator("#page-4 [data-button=play]").click()
        at = int(page.input_value("[data-control=step]"))
        assert at == 100 if motion == "reduce" else at < 60
        page.clock.run_for(6_500)  # a hundred steps of 60 milliseconds
        assert page.input_value("[data-control=step]") == "100"


def test_a_sheet_is_printed_without_the_answers_and_a_key_with_them(alone: dict[int, Path], running: Any) -> None:
    with opened(running, alone[4]) as shown:
        page = go(shown, alone[4], "#page-4")
        page.emulate_media(media="print")
        for sheet, seen in (("sheet", False), ("key", True)):
            page.evaluate("(sheet) => (document.documentElement.dataset.sheet = sheet)", sheet)
            assert page.locator(".blank:visible").count() == (0 if seen else 3)
            assert page.get_by_text("Flat almost everywhere").is_visible() == seen
            assert page.locator("[data-told=race]").is_visible() == seen
            assert page.locator("#page-4 .ask:visible").count() == 3
            assert page.locator("button:visible, form:visible").count() == 0
            assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= (4 if seen else 2)
