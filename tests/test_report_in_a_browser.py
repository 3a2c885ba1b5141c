"""Does a real browser show the report without a word of complaint, at any width, to everybody, and on paper?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from browser import browser, opened
from goodmeasure.report.page import page as page_of
from goodmeasure.study.study import Study
from turns import at_night

N = 400
HOSTILE = "<script>alert(1)</script> & \"quotes' \N{RIGHT-TO-LEFT OVERRIDE}abc"
# What stands between grades is no part of their names.
GRADE = HOSTILE.replace("<", "")


def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, N))
    mean = np.exp(0.5 * x[0])
    return {
        HOSTILE: x[0],
        "z" * 300: x[1],
        "bought": np.where(rng.random(N) < 1 / (1 + np.exp(-2 * x[0])), "yes", "no").astype(object),
        "sort": np.array([HOSTILE, "b", "c"], dtype=object)[np.argmax(x + 0.3 * rng.normal(size=x.shape), axis=0)],
        "amount": 3 + x[0] + rng.normal(size=N),
        "grade": np.array(["bad", "fair", GRADE, "good", "best"], dtype=object)[
            np.digitize(x[0] + rng.normal(size=N), [-1.2, -0.4, 0.4, 1.2])
        ],
        "visits": rng.poisson(mean * 2),
        "days": np.full(N, 2.0) + rng.random(N),
    }


STUDIES: dict[str, dict[str, Any]] = {
    "yes and no": {"target": "bought", "costs": gm.Costs(false_negative=40, false_positive=5)},
    "yes and no, no costs": {"target": "bought"},
    "classes": {"target": "sort"},
    "amount": {"target": "amount", "costs": gm.UnderOverCosts(under=3, over=1)},
    "count with exposure": {"target": "visits", "exposure": "days"},
    "quantile": {"target": "amount", "ask": "quantile=0.9"},
    "order": {"target": "grade", "represents": f"bad < fair < {GRADE} < good < best", "by": [HOSTILE, "bought"]},
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@cache
def written(name: str, shelf: Path) -> tuple[Study, Path]:
    """A study with its page."""
    asked, path = STUDIES[name], shelf / f"{list(STUDIES).index(name)}.html"
    others = {"bought", "sort", "amount", "grade", "visits", "days"} - {asked["target"], asked.get("exposure")}
    study = gm.run(columns(), exclude=tuple(sorted(others)), protocol="holdout", **asked)
    path.write_text(page_of(study), encoding="utf-8")
    return study, path


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


# What fits on a telephone hardly ever fails to fit elsewhere.
@pytest.mark.parametrize(
    ("name", "width", "colours"),
    [
        at_night(name, width, colours, unless=width == 360 or k % 4 == width % 3, id=f"{name}-{width}-{colours}")
        for k, name in enumerate(STUDIES)
        for width, colours in [(360, "light"), (1280, "dark"), (1600, "light")]
    ],
)
def test_a_page_says_nothing_to_the_console_asks_for_nothing_and_fits(
    name: str, width: int, colours: str, shelf: Path, running: Any
) -> None:
    with opened(running, written(name, shelf)[1], width=width, color_scheme=colours) as shown:
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.said == []


@pytest.mark.parametrize("name", ["yes and no", "classes", "amount", "order"])  # the parts of all pages
def test_nothing_on_a_page_hinders_people(name: str, shelf: Path, running: Any) -> None:
    # What axe runs would be refused by the policy of the page.
    with opened(running, written(name, shelf)[1], bypass_csp=True) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert shown.hindrances() == []


def test_everything_can_be_read_in_the_dark(shelf: Path, running: Any) -> None:
    with opened(running, written("yes and no", shelf)[1], color_scheme="dark", bypass_csp=True) as shown:
        assert shown.hindrances("color-contrast") == []


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_is_complete_without_javascript(name: str, shelf: Path, running: Any) -> None:
    study, path = written(name, shelf)
    with opened(running, path, java_script_enabled=False) as shown:
        text = re.sub(r"\s+", " ", shown.page.inner_text("body"))
        for sentence in study.verdict.sentences[:3]:
            assert sentence[1:] in text
        assert shown.page.locator("svg[role=img]").count() >= 4
        assert not shown.page.locator("#acting-sliders").is_visible()


@pytest.mark.parametrize("name", [at_night(name, unless=k % 2 == 0, id=name) for k, name in enumerate(STUDIES)])
def test_on_paper_nothing_is_unfolded(name: str, shelf: Path, running: Any) -> None:
    with opened(running, written(name, shelf)[1]) as shown:
        sheets = shown.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
        assert 1 <= sheets <= 6


def test_two_sliders_move_the_costs_and_everything_that_follows(shelf: Path, running: Any) -> None:
    study, path = written("yes and no", shelf)
    with opened(running, path, java_script_enabled=False) as still:
        before = still.page.locator("#acting-sentence").inner_text()
        kinds = [still.page.get_attribute(f"#acting-kind-{k}", "d") for k in range(4)]
    with opened(running, path) as shown:
        page = shown.page
        # The script shows at first what Python has drawn.
        assert page.locator("#acting-sentence").inner_text() == before
        assert [page.get_attribute(f"#acting-kind-{k}", "d") for k in range(4)] == kinds
        assert "from 0.111 on" in before
        # By the keyboard alone: a false alarm costs more, and fewer are called.
        page.locator("#acting-alarm").focus()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        alarm = 5 * 10**0.8
        found = page.locator("#acting-sentence").inner_text()
        cut = alarm / (alarm + 40)
        assert f"Acting from {cut:.3g} on" in found
        cases, p = study.prepared.report, study.judged.prediction
        called = np.average(p >= cut, weights=cases.weights)
        assert abs(int(re.search(r"calls (\d+)", found)[1]) - 1000 * called) <= 5  # type: ignore[index]
        assert sum(int(page.inner_text(f"#acting-count-{k}")) for k in range(4)) == 1000
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator("#acting-sentence").inner_text() == before
        assert shown.said == []


def test_every_question_is_reached_by_the_keyboard(shelf: Path, running: Any) -> None:
    with opened(running, written("yes and no", shelf)[1]) as shown:
        page, reached = shown.page, []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.id"))
        links = page.eval_on_selector_all("nav a", "all => all.map((each) => each.getAttribute('href'))")
        assert len(links) >= 8
        assert [link for link in dict.fromkeys(reached) if link in links] == links
        assert {"acting-miss", "acting-alarm", "acting-again"} <= set(reached)
        sections = page.eval_on_selector_all("section", "all => all.map((each) => '#' + each.id)")
        assert links == sections
