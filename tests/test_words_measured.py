"""Is every word of a verdict measured in docs/risk_coverage.md, and are the words that were found false said no more?"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

import goodmeasure as gm
import said_words
from goodmeasure.calibrating.miscalibration import debiased_squared_error
from goodmeasure.reading.tables import Table
from goodmeasure.report.sentences import signal_line
from goodmeasure.risks.metrics import METRICS
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.study.columns import nearly_perfect
from goodmeasure.study.judging import Measured
from goodmeasure.study.vetoing import _worse

PAGE = Path(__file__).parent.parent / "docs" / "risk_coverage.md"
SIZES = ("100|113", "300", "1000", "5000")
# What words are put into, and what is put into them: numbers with their names, which claim nothing.
FRAMES = re.compile(
    "|".join(
        (
            r"[…\s:;,.()/=\[\]]*",
            "z|the raw outputs|prediction= takes probabilities|no|care|good",
            "only … …|… …, worth … of equal size,",
            "events|rows without the event|groups|stretches of time|the … of … …|its ……",
            " it never saw|, each judged by models that did not see it|fewer than … (rows|groups)( of a label)?",
            "mean loss … … on … rows…; the best constant has …|on fitted rows …|…: …, by … …|… as the loss …",
            "calibration error … …|chance of as much if they were right: …|decisions cost … a row …; ……",
            "class weights of … to 1 … … … a row on the rows to tune; taken at its word, .*",
        )
    )
)


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: part for part in parts}


def test_every_word_of_the_source_is_listed_and_every_one_that_is_listed_is_said(script: Any) -> None:
    listed = {word.words for word in script("simulations.words").WORDS}
    texts = {text for text in said_words.said() if not FRAMES.fullmatch(text)}
    assert {text for text in texts if not any(words in text for words in listed)} == set()
    source = "\n".join(path.read_text("utf-8") for path in said_words.PACKAGE.rglob("*.py"))
    assert {words for words in listed if words not in source} == set()


def test_every_word_stands_in_the_page_with_the_tables_that_measure_it(script: Any, sections: dict[str, str]) -> None:
    words = script("simulations.words")
    listed = sections["Every word, who says it, and the tables that measure it"]
    for word in words.WORDS:
        assert f"| {word.words} | {word.by} |" in listed
        for begin in word.tables:
            assert "|---|" in sections[words.whole(begin, list(sections))]


def test_the_words_of_each_command_are_measured_at_four_sizes(script: Any, sections: dict[str, str]) -> None:
    """A word has at least one table of n = 100, 300, 1000 and 5000; what is no word of a sample has none."""
    words = script("simulations.words")
    for word in words.WORDS:
        held = [sections[words.whole(begin, list(sections))].replace(",", "") for begin in word.tables]
        of_sizes = [text for text in held if all(re.search(rf"\| (n = )?({n}) \|", text) for n in SIZES)]
        assert of_sizes or not word.tables or word.words in words.OF_NO_SIZE, word.words


# --- words that simulation showed to be false ---


class _Told(SimpleNamespace):
    verdict: str


@pytest.mark.parametrize(
    ("verdict", "loss", "metric", "said"),
    [
        ("aligned", "better", "better", "accuracy improved as the loss fell"),
        ("aligned", "worse", "worse", "accuracy got worse as the loss rose"),
        ("against", "better", "worse", "accuracy got worse as the loss fell"),
        ("against", "worse", "better", "accuracy improved as the loss rose"),
        ("cannot tell at this n", "better", "", "accuracy cannot be told to have moved with the loss at this n"),
    ],
)
def test_a_metric_is_said_to_go_where_it_went(verdict: str, loss: str, metric: str, said: str) -> None:
    moved = {"loss": _Told(verdict=loss, cautions=()), "difference": _Told(verdict=metric, cautions=())}
    aligned = SimpleNamespace(metric="accuracy", verdict=verdict, **moved)
    signal: Any = SimpleNamespace(directional=None, faint=None, carried=0.1, aligned=aligned)
    assert said in signal_line(signal).split("; ")


@pytest.mark.parametrize("constant", [0.0, -0.2, 0.2])
def test_a_bias_is_worse_where_it_is_surely_larger_on_either_side(constant: float) -> None:
    for low, high, worse in ((0.01, 0.1, False), (-0.1, 0.1, False), (0.3, 0.4, True), (-0.4, -0.3, True)):
        expected = worse or (constant == 0 and low > 0)
        bias = Estimate((low + high) / 2, low, high, 100, 100.0, "")
        assert _worse(Measured(METRICS["bias"], bias, bias, constant)) is expected


def test_a_bias_that_nears_zero_from_below_improved() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    for now, past in ((-0.1, -1.0), (0.1, 1.0), (-0.1, 1.0)):
        found = gm.signal(gm.losses.squared_error(), y, np.full(400, now), metric="bias", before=np.full(400, past))
        assert found.aligned is not None
        assert isinstance(found.aligned.difference, Difference)
        assert found.aligned.difference.verdict == "better"


@pytest.mark.parametrize("n", [60, 180, 600])
def test_a_feature_that_tells_half_of_few_events_does_not_know_the_answer(n: int) -> None:
    said, known = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        y = rng.random(n) < 0.04
        half = (y & (rng.random(n) < 0.5)) * 1.0
        said += bool(nearly_perfect(Table({"x": half}, "", n), ["x"], y * 1.0, True, 0))
        known += bool(nearly_perfect(Table({"x": y * 1.0}, "", n), ["x"], y * 1.0, True, 0))
    assert said <= 3
    assert known >= {60: 0, 180: 12, 600: 38}[n]


@pytest.mark.parametrize("groups", [30, 100])
@pytest.mark.parametrize(("sharpened", "truth"), [(1.0, 0.0), (2.0, 0.0127)])
def test_the_calibration_error_of_rows_that_go_together_is_covered(groups: int, sharpened: float, truth: float) -> None:
    """Probabilities of a group share half of what they are, and so do outcomes; nominal .95."""
    rng, group, inside, alone = np.random.default_rng(0), np.repeat(np.arange(groups), 10), 0, []

    def together() -> np.ndarray:
        return (rng.normal(size=groups)[group] + rng.normal(size=len(group))) / np.sqrt(2)

    for _ in range(200):
        z = 1.2 * together()
        p, y = expit(sharpened * z), (norm.cdf(together()) < expit(z)) * 1.0
        ones = np.ones(len(y))
        found = debiased_squared_error(y - p, p, ones, spread=p * (1 - p), together=group)
        inside += found.low <= truth <= found.high
        alone.append(debiased_squared_error(y - p, p, ones, spread=p * (1 - p), together=np.arange(len(y))).value)
    assert inside >= 170
    assert np.mean(alone) > truth, "the noise of a group is taken for error"


def test_the_error_of_rows_each_in_a_group_of_its_own_is_that_of_independent_rows() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    y, w = (rng.random(500) < p**2) * 1.0, np.full(500, 0.7)
    plain = debiased_squared_error(y - p, p, w, spread=p * (1 - p))
    known = debiased_squared_error(y - p, p, w, spread=p * (1 - p), together=np.arange(500))
    assert known.value == pytest.approx(plain.value, rel=1e-6)
    assert known.standard_error == pytest.approx(plain.standard_error, rel=0.15)


def test_calibration_says_where_few_clusters_tell_it() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(90)
    y = (rng.random(90) < p) * 1.0
    few, many = (gm.calibration(y, p, cluster=np.arange(90) % count) for count in (6, 30))
    names = ("loss", "error", "squared_error", "smooth_error", "miscalibration")
    assert all(any("only 6 groups" in caution for caution in getattr(few, name).cautions) for name in names)
    assert not any(getattr(many, name).cautions for name in names)


# --- the simulation of a run says what a run says ---


@pytest.mark.parametrize("name", ["half yes, 4 to 1", "amounts, a bend: predictions are off"])
def test_the_simulated_run_says_the_word_of_a_run(script: Any, name: str) -> None:
    uses = script("simulations.uses")
    world = next(world for world in uses.WORLDS if world.name == name)
    for seed in (0, 1):
        rng = np.random.default_rng([seed, 1000])
        x, y, _ = uses._judgeable(world, rng, 1000)
        columns = {f"x{k}": x[:, k] for k in range(1, 7)}
        more = (
            {"positive": "yes", "costs": world.costs} if world.noise is None else {"ask": "mean", "represents": "real"}
        )
        target = np.where(y == 1, "yes", "no") if world.noise is None else y
        study = gm.run({**columns, "target": target}, "target", seed=seed, **more)
        assert study.verdict.word == uses.told(world, 1000, seed)[0]
