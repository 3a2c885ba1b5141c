"""Is what the pages of the lab teach so, and do their scripts say what Python says?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import Opened, browser, opened
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.lab.column import ASKS, LabColumn
from goodmeasure.lab.document import document
from goodmeasure.lab.page import LabPage, carriers, lab_pages, numbered, with_own_column
from goodmeasure.lab.pages import outliers as far_out
from goodmeasure.lab.pages.chosen import chosen, columns
from goodmeasure.lab.pages.forecasts import balance, compared, expected, forecasts
from goodmeasure.lab.pages.outliers import outliers
from goodmeasure.lab.pages.wiring import FLOORS, WAYS, apart, twice, wiring

POINTS = np.arange(1, 100) / 100


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


def at(shown: Opened, path: Path, after: str) -> Any:
    """The page of an address, as it stands after what its state says."""
    shown.page.goto("about:blank")
    shown.page.goto(f"{path.as_uri()}{after}")
    shown.said.clear()  # the request of the file itself
    return shown.page


def alone(page: LabPage, folder: Path) -> Path:
    """A page as a file of its own."""
    path = folder / f"{page.name}.html"
    path.write_text(document([page]), encoding="utf-8")
    return path


def read(page: Any, *names: str) -> list[str]:
    """What stands where the script writes these."""
    return [page.locator(f"[data-shown='{name}']").first.text_content() for name in names]


@pytest.mark.parametrize("belief", [0.51, 0.6, 0.7, 0.95, 0.99])
def test_a_proper_loss_charges_least_for_the_belief_and_the_others_for_more(belief: float) -> None:
    for name, (_, loss, _) in compared().items():
        cost = expected(loss, belief, POINTS)
        lowest = POINTS[np.isclose(cost, cost.min(), rtol=1e-12)]
        wanted = {"absolute_error": [0.99], "zero_one": POINTS[POINTS > 0.5]}.get(name, [belief])
        assert np.array_equal(lowest, wanted), name


@pytest.mark.parametrize("belief", [0.51, 0.7, 0.99])
def test_one_point_more_is_worth_what_the_price_falls_by(belief: float) -> None:
    for name, (_, loss, _) in compared().items():
        for p in (0.3, belief, 0.8):
            saves, costs = balance(loss, belief, p)
            before, after = expected(loss, belief, [p - 1e-6, p + 1e-6])
            assert saves - costs == pytest.approx((before - after) / 2e-6, abs=1e-6), name


def test_a_forecast_that_is_moved_costs_in_the_page_what_it_costs_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(forecasts, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-6&pays=50&belief=0.6")
        assert page.inner_text("[data-told=pays]").startswith("You said 50 %. 100 %: it costs 0.30 a day")
        page.locator("[data-control=forecast]").focus()
        page.keyboard.press("Shift+ArrowRight")
        for name, (_, loss, _) in compared().items():
            costs = [f"{expected(loss, 0.6, p)[0]:.3f}" for p in (0.8, 0.6)]
            points = [f"{each:.2f}" for each in balance(loss, 0.6, 0.8)]
            assert read(page, f"now-{name}", f"honest-{name}", f"saves-{name}", f"costs-{name}") == costs + points
        said = read(page, *(f"so-{name}" for name in compared()))
        assert said == ["say less", "say less", "say more", "nothing moves"]
        assert read(page, "rain", "dry") == ["60", "40"]
        assert shown.said == []


def test_a_row_far_out_drags_on_or_counts_as_one_vote_or_hardly_counts() -> None:
    near, far = (
        {name: far_out.answer(loss, place) for name, (_, loss, _) in far_out.compared().items()} for place in (9.0, 1e6)
    )
    assert far["squared_error"] > 1e4
    assert far["huber"] == pytest.approx(near["huber"])
    assert far["absolute_error"] == near["absolute_error"]
    assert far_out.MEANT < far["cauchy"] < near["cauchy"]
    without = losses.cauchy().best_constant(far_out.HOURS)
    assert far["cauchy"] == pytest.approx(float(without), abs=1e-4), "as if the row were not there"


def test_a_wrong_label_is_loud_in_the_loss_and_quiet_in_the_pull_of_squared_error() -> None:
    entropy, squared = (np.array(parts) for parts in list(zip(*far_out.labels(), strict=True))[1:])
    assert (np.diff(entropy, axis=0) > 0).all()
    assert (np.diff(squared[:, 0]) > 0).all()
    assert (np.diff(squared[:, 1]) < 0).all()


def test_a_row_that_is_moved_drags_in_the_page_as_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(outliers, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-9&twice=both")
        assert page.inner_text("[data-told=twice]").startswith("Not quite. Only that of squared error moves on, by 0.8")
        for place in (0.0, 1.3, 1.5, 3.7, 18.0):
            page.locator("[data-control=wrong]").fill(f"{place:g}")
            for name, (_, loss, _) in far_out.compared().items():
                answer, meant = far_out.answer(loss, place), far_out.answer(loss, far_out.MEANT)
                numbers = [
                    float(text.rstrip(" %")) for text in read(page, f"answer-{name}", f"moved-{name}", f"share-{name}")
                ]
                truth = [answer, answer - meant, 100 * far_out.share(loss, place)]
                assert np.allclose(numbers, truth, rtol=0, atol=[0.0051, 0.0051, 0.51]), (name, place)
        assert shown.said == []


def test_libraries_end_the_price_of_the_impossible_where_the_page_says() -> None:
    torch, keras = pytest.importorskip("torch"), pytest.importorskip("keras")
    log_loss = pytest.importorskip("sklearn.metrics").log_loss
    never, happened = np.zeros(2), np.array([1, 1])
    prices = [
        torch.nn.BCELoss()(torch.tensor([0.0]), torch.tensor([1.0])).item(),
        log_loss(happened, never, labels=[0, 1]),
        float(keras.losses.BinaryCrossentropy()(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))),
        log_loss(happened, never.astype(np.float32), labels=[0, 1]),
    ]
    assert np.allclose(prices, [price for _, _, price in FLOORS], rtol=0, atol=0.005)


def test_sigmoid_and_logarithm_apart_are_those_of_a_library_in_single_precision() -> None:
    torch = pytest.importorskip("torch")
    places = np.linspace(-6, 24, 301)
    z = torch.tensor(places, dtype=torch.float32, requires_grad=True)
    found = torch.nn.BCELoss(reduction="none")(torch.sigmoid(z), torch.zeros(301))
    found.sum().backward()
    cost, pull = apart(places)
    assert np.allclose(np.minimum(cost, 100), found.detach(), rtol=1e-4, atol=1e-6)
    assert np.allclose(pull, z.grad, rtol=1e-4, atol=1e-6)
    assert np.flatnonzero(pull == 0)[0] == np.flatnonzero(np.isinf(cost))[0]
    halves = torch.sigmoid(torch.tensor([7.5, 9.0], dtype=torch.float16))
    assert (halves == 1).tolist() == [False, True]


def test_a_sigmoid_twice_can_neither_be_sure_nor_pull() -> None:
    z = np.linspace(-40, 40, 4001)
    costs = {y: twice(z, y)[0] for y in (1.0, 0.0)}
    assert costs[1.0].min() == pytest.approx(0.313, abs=5e-4)
    assert costs[0.0].min() == pytest.approx(0.693, abs=5e-4)
    for y, cost in costs.items():
        pull = twice(z, y)[1]
        assert np.abs(pull).max() < 0.16
        assert np.allclose(np.gradient(cost, z)[1:-1], pull[1:-1], atol=1e-4)


def test_each_way_to_wire_says_in_the_page_what_it_says_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(wiring, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-11&hard=none")
        assert page.inner_text("[data-told=hard]").startswith("So it is. Not at all")
        for z in (-6.0, 0.0, 5.3, 16.6, 16.7, 24.0):
            page.locator("[data-control=wired]").fill(f"{z:g}")
            for name, (_, parts, _) in WAYS.items():
                cost, pull = (float(part[0]) for part in parts(np.array([z])))
                said = f"{cost:.3f}" if np.isfinite(cost) else "without end", f"{pull:.4f}" if pull else "none"
                assert read(page, f"cost-{name}", f"pull-{name}") == [*said], (name, z)
        assert shown.said == []


def test_each_column_is_of_a_kind_of_its_own_and_the_median_and_quantile_are_as_the_page_says() -> None:
    firsts = [repr(next(iter(column.plans.values())).loss) for column in columns()]
    assert len(set(firsts)) == len(columns()) == 7
    for column in columns():
        if len(column.plans) > 1:
            mean, median, quantile = (column.says(plan) for plan in column.plans.values())
            assert mean == pytest.approx(float(np.mean(column.values)))
            for level, number in ((0.5, median), (0.9, quantile)):
                below, up_to = (np.mean(column.values < number - 1e-9), np.mean(column.values <= number + 1e-9))
                assert below <= level <= up_to
            names = [plan.loss.spelling.factory for plan in column.plans.values()]
            assert names[1:] == ["absolute_error", "pinball"]
            assert len({plan.activation for plan in column.plans.values()}) == 1


OWN = {
    "amounts": [0.0, 1.5, 2.5, 0.0, 9.0, 4.0],
    "labels": ["a", "b", "a", "c"],
    "many labels": [f"label {k % 30}" for k in range(300)],
    "yes and no": [True, False, True, None],
    "missing": [1.5, float("nan"), -2.0, 4.25],
    "far": [1.0, 2.0, 3.0, 1e12],
    "</script><img src=x onerror=alert(1)>": ["<b>", "</script>", "<b>", "&"],
}


@pytest.mark.parametrize("name", OWN)
def test_a_column_of_the_readers_own_comes_first_and_says_nothing_else(name: str, running: Any, tmp_path: Path) -> None:
    (page,) = with_own_column([chosen], LabColumn("own", f"your column {name}", name, OWN[name]))
    path = alone(page, tmp_path)
    with opened(running, path) as shown:
        found = at(shown, path, "#page-12&claims=-")
        assert found.input_value("[data-control=column]") == "own"
        assert f"What does the column {name} hold?" in found.inner_text("[data-column=own]")
        assert found.locator("[data-case^=own]:visible .found").count() == 4
        assert found.locator("main img").count() == 0
        assert shown.said == []


def test_the_column_and_what_is_asked_choose_the_plan(running: Any, tmp_path: Path) -> None:
    path = alone(chosen, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-12&claims=absolute")
        assert page.inner_text("[data-told=claims]").startswith("Not that one. The Tweedie deviance")
        for column in columns():
            page.select_option("[data-control=column]", column.key)
            assert page.locator("[data-control=ask]").is_visible() == (len(column.plans) > 1)
            for ask, plan in column.plans.items():
                if ask in ASKS:
                    page.select_option("[data-control=ask]", ask)
                assert page.locator(".found:visible").all_inner_texts() == [step.answer for step in plan.steps]
                assert page.locator("[data-column]:visible").count() == 1
        assert page.url.endswith("&column=marks&ask=quantile%3D0.9")
        assert shown.said == []


def test_a_table_gives_the_lab_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "claims.csv", tmp_path / "lab.html"
    table.write_text("amount,day\n0,2024-01-01\n12.5,2024-01-02\n0,2024-01-03\n3,2024-01-04\n")
    assert status_of(["lab", str(table), "--target", "amount", "--page", "12", "--export", str(out)]) == 0
    assert "your column amount" in out.read_text(encoding="utf-8")
    wrong = {
        ("--target", "amount", "--page", "4"): (2, "GM009 page 4 carries no column"),
        ("--target", "none"): (3, "GM203 "),
        ("--target", "day"): (3, "GM604 "),
        (): (2, "GM009 a column is a file and a name"),
    }
    for asked, (status, said) in wrong.items():
        capsys.readouterr()
        assert status_of(["lab", str(table), *asked, "--export", str(out)]) == status
        assert capsys.readouterr().err.startswith(said)
    assert status_of(["lab", "--target", "amount", "--export", str(out)]) == 2


def test_only_pages_that_can_carry_a_column_do() -> None:
    own = LabColumn("own", "your column y", "y", [1.0, 2.5, -3.0])
    able = {page.number for page in carriers(lab_pages())}
    assert 12 in able
    for before, after in zip(lab_pages(), with_own_column(lab_pages(), own), strict=True):
        assert (before is after) == (before.number not in able)
    assert numbered(12) is chosen


def test_a_line_and_the_address_are_copied(running: Any, tmp_path: Path) -> None:
    path = alone(forecasts, tmp_path)
    with opened(running, path, permissions=["clipboard-read", "clipboard-write"]) as shown:
        shown.page.clock.install()
        page = at(shown, path, "#page-6&pays=50&forecast=0.9")
        wanted = {"line": page.locator("[data-part=code] code").first.inner_text(), "link": page.url}
        for what, text in wanted.items():
            button = page.locator(f"[data-copy={what}]").first
            button.focus()
            page.keyboard.press("Enter")
            page.locator("[data-copied]").filter(has_text="copied").wait_for(state="attached")
            assert page.evaluate("navigator.clipboard.readText()") == text
            assert button.inner_text().startswith("copied")
            page.clock.fast_forward(60_000)
            page.locator("[data-copied]:empty").wait_for(state="attached")
            assert button.inner_text().startswith("copy")
        assert shown.said == []


def test_where_the_clipboard_is_refused_the_line_is_selected(running: Any, tmp_path: Path) -> None:
    path = alone(forecasts, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-6&pays=50")
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
        for what, said in (("line", "selected"), ("link", "not allowed")):
            page.locator(f"[data-copy={what}]").first.click()
            page.locator("[data-copied]").filter(has_text=said).wait_for(state="attached")
        assert page.evaluate("getSelection().toString()") == page.locator("[data-part=code] code").first.inner_text()
        assert shown.said == []


def test_on_a_phone_the_list_of_pages_is_short_and_each_is_named(running: Any, tmp_path: Path) -> None:
    path = tmp_path / "lab.html"
    path.write_text(document(lab_pages()), encoding="utf-8")
    with opened(running, path, width=360) as shown:
        assert shown.page.locator("nav").bounding_box()["height"] < 140
        for page in lab_pages():
            assert shown.page.get_by_role("link", name=f"{page.number} {page.title}").count() == 1


@pytest.mark.parametrize("width", [1000, 1280, 1920])
def test_the_list_of_pages_is_one_line_whose_numbers_tell_their_titles(
    width: int, running: Any, tmp_path: Path
) -> None:
    path = tmp_path / "lab.html"
    path.write_text(document(lab_pages()), encoding="utf-8")
    with opened(running, path, width=width) as shown:
        shown.page.locator("nav a").first.focus()
        headline = shown.page.locator("h1:visible").bounding_box()
        for page in lab_pages()[1:]:
            if width > 1000 and page.number % 4:  # where there is more room, a few of them
                shown.page.keyboard.press("Tab")
                continue
            title = shown.page.locator(f"nav a[href='#page-{page.number}'] .name")
            assert title.bounding_box()["width"] < 2
            shown.page.mouse.move(0, 600)
            shown.page.keyboard.press("Tab")
            focused = title.bounding_box()
            shown.page.locator("nav a").first.hover()
            title.locator("..").hover()
            for box in (focused, title.bounding_box()):
                assert box["width"] > 100
                assert 0 < box["x"] < width - box["width"]
                assert box["y"] + box["height"] <= headline["y"], "it covers nothing"


def test_each_page_leads_to_the_next(running: Any, tmp_path: Path) -> None:
    path = tmp_path / "lab.html"
    path.write_text(document(lab_pages()), encoding="utf-8")
    with opened(running, path) as shown:
        turns = shown.page.locator(".turn a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        assert turns == [f"#page-{page.number}" for page in lab_pages()[1:]]
        for page in lab_pages()[1:4]:
            shown.page.locator(".turn a:visible").click()
            shown.page.locator(f"#title-{page.number}").wait_for(state="visible")
        last = lab_pages()[-1].number
        shown.page.goto(f"{path.as_uri()}#page-{last}")
        shown.page.locator(f"#title-{last}").wait_for(state="visible")
        assert shown.page.locator(".turn:visible").count() == 0


def test_a_picture_says_which_labels_it_leaves_out_and_has_room_for_its_name() -> None:
    for count, said in ((8, "n"), (12, "n: the 8 most frequent of 12")):
        labels = [f"label {k % count}" for k in range(120)]
        assert LabColumn("own", "your column", "n", labels).picture("n").axes[0].across == said
    long = LabColumn("own", "your column", "n" * 200, [k / 7 for k in range(1, 121)]).picture("n").axes[0].across
    assert long == "n" * 31 + "\u2026"
