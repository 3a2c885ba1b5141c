"""Does whoever asks for a loss that has no entry get the right numbers by another name, or a reason that is true?"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
import torch
from sklearn.metrics import f1_score, roc_auc_score
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.duration.hazard_regression import PHReg
from torch.nn import functional

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.errors import NoSuchLoss
from goodmeasure.making.answers import Counterpart, answers
from goodmeasure.making.elsewhere import elsewhere, plain

ANSWERS = {each.title: each for each in answers()}
HERE = [title for title, each in ANSWERS.items() if not each.why]
NOT_HERE = [title for title, each in ANSWERS.items() if each.why]


@pytest.fixture
def given(script: Any) -> dict[str, Any]:
    """The names of the page's first block."""
    found: dict[str, Any] = {}
    exec(script("not_here").SET_UP, found)
    return found


def answered(lines: str, names: dict[str, Any]) -> Any:
    """What the last line of a block comes to."""
    *before, last = ast.parse(re.sub(r"^    ", "", lines.strip("\n"), flags=re.MULTILINE)).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(before, []), "page", "exec"), names)
    return eval(compile(ast.Expression(last.value), "page", "eval"), names)


# --- names ---


@pytest.mark.parametrize("name", [name for each in ANSWERS.values() for name in each.names])
def test_a_name_leads_to_its_own_answer(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (answer,) = (each for each in ANSWERS.values() if name in each.names)
    assert plain(name) not in losses.names(), "a loss of the catalogue has this name"
    found = elsewhere(name)
    assert found is not None
    assert (found.ours, found.how, found.why) == (answer.ours, answer.how, answer.why)
    if answer.why:
        with pytest.raises(NoSuchLoss, match="GM011") as refused:
            losses.find(name)
        assert answer.why in str(refused.value)
        assert answer.how in str(refused.value)
    else:
        assert (losses.find(name).name, losses.find(name).note) == (answer.ours, f"{found.name}: {answer.how}")


@pytest.mark.parametrize(
    ("name", "ours"), [("kl", "cross_entropy"), ("KL", "cross_entropy"), ("ordinal", "proportional_odds")]
)
def test_a_short_name_leads_to_what_is_meant_first(name: str, ours: str) -> None:
    assert losses.find(name).name == ours


def test_no_two_answers_share_a_name() -> None:
    named = [plain(name) for each in ANSWERS.values() for name in each.names]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("title", NOT_HERE)
def test_the_line_that_is_printed_shows_what_to_use(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["losses", ANSWERS[title].names[0]]) == 2
    (fix,) = re.findall(r"^  fix +goodmeasure (.*)$", capsys.readouterr().err, re.MULTILINE)
    assert status_of(fix.split()) == 0
    assert capsys.readouterr().out.startswith(f"{ANSWERS[title].ours}(")


@pytest.mark.parametrize("title", HERE)
def test_the_card_of_another_name_says_what_stands_between(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ANSWERS[title].names[:2]:
        assert status_of(["losses", name]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{ANSWERS[title].ours}(")
        assert f"  nearly                 {name}: {ANSWERS[title].how}\n" in said
        assert status_of(["losses", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["nearly"][name] == ANSWERS[title].how
        assert losses.find(name)() == losses.catalogue()[ANSWERS[title].ours]()
        assert name not in dict(losses.catalogue()[ANSWERS[title].ours].facts.nearly)


# --- numbers ---


def torch_of(*arrays: Any) -> list[torch.Tensor]:
    return [torch.as_tensor(each) for each in arrays]


def listmle_of_allrank(of: dict[str, Any]) -> float:
    """The loss of allRank (Pobrotyn et al. 2020), as it is printed there, list by list."""
    total = 0.0
    for query in range(12):
        rows = np.flatnonzero(of["query"] == query)
        sorted_scores = torch.as_tensor(of["z"][rows[np.argsort(of["place"][rows])]])
        minus_max = sorted_scores - sorted_scores.max()
        cumulated = torch.cumsum(minus_max.exp().flip(dims=[0]), dim=0).flip(dims=[0])
        total += float((torch.log(cumulated) - minus_max).sum())
    return total


def listnet_of_allrank(of: dict[str, Any]) -> Any:
    """The loss of allRank: places that are padded have minus infinity."""
    scores, relevance = torch_of(of["scores"], of["relevance"])
    missing = torch.as_tensor(of["missing"])
    guessed, true = (functional.softmax(each.masked_fill(missing, -torch.inf), dim=1) for each in (scores, relevance))
    return -torch.sum(true * torch.log(guessed + 1e-300), dim=1)


def survived(of: dict[str, Any]) -> float:
    """Minus the logarithm of what happened to everybody: survived some periods, and died in the next or was lost after it."""
    hazard = 1 / (1 + np.exp(-of["hazard_scores"]))
    total = 0.0
    for chances, end, died in zip(hazard, of["period_of_end"], of["died"], strict=True):
        before = np.prod(1 - chances[: end - 1])
        total -= np.log(before * (chances[end - 1] if died else 1 - chances[end - 1]))
    return float(total)


def both_ways(of: dict[str, Any]) -> Any:
    similar, match = torch.as_tensor(of["left"] @ of["right"].T / 0.07), torch.arange(8)
    ways = (functional.cross_entropy(each, match, reduction="none") for each in (similar, similar.T))
    return sum(ways) / 2


def supcon_of_khosla(of: dict[str, Any]) -> Any:
    """Equation 2 of the paper, one anchor at a time."""
    similar, kind = of["left"] @ of["left"].T / 0.07, of["of_kind"]
    found = []
    for i in range(8):
        others = [a for a in range(8) if a != i]
        matches = [p for p in others if kind[p] == kind[i]]
        below = scipy.special.logsumexp(similar[i, others])
        found.append(-sum(similar[i, p] - below for p in matches) / len(matches))
    return found


PEERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "Kullback-Leibler divergence": lambda of: functional.kl_div(
        functional.log_softmax(torch.as_tensor(of["table"]), 1), torch.as_tensor(of["teacher"]), reduction="none"
    ).sum(1),
    "Distillation": lambda of: (
        4
        * functional.cross_entropy(
            torch.as_tensor(of["table"]) / 2, torch.softmax(torch.as_tensor(of["taught"]) / 2, 1), reduction="none"
        )
    ),
    "InfoNCE, CLIP": both_ways,
    "Supervised contrast": supcon_of_khosla,
    "ListNet": listnet_of_allrank,
    "ListMLE, Plackett-Luce": listmle_of_allrank,
    "Conditional logit": lambda of: -ConditionalLogit(of["took"], of["z"][:, None], groups=of["query"]).loglike([1.0]),
    "Cox's partial likelihood": lambda of: -PHReg(of["time"], of["z"][:, None], status=of["died"]).loglike([1.0]),
    "Discrete-time survival": survived,
    "RankNet, Bradley-Terry, BPR, reward models": lambda of: (
        -functional.logsigmoid(torch.as_tensor(of["better"] - of["worse"]))
    ),
    "DPO": lambda of: -functional.logsigmoid(0.1 * torch.as_tensor(of["better"] - of["worse"])),
    "Triplet loss": lambda of: functional.relu(torch.as_tensor(of["near"] - of["far"] + 0.2)),
    # In place of what is not here.
    "Dice, Tversky, Jaccard": lambda of: max(f1_score(of["bits"], of["p"] >= each) for each in of["p"]),
    "Metrics of a whole set": lambda of: 0.5 - roc_auc_score(of["bits"], of["z"]),
    "Losses of representations": both_ways,
    "CRPS of an ensemble": lambda of: np.mean(
        [
            np.abs(x - y).mean() - np.abs(x[:, None] - x).mean() / 2
            for x, y in zip(of["five"], of["amounts"], strict=True)
        ]
    ),
    "Squared beyond a band": lambda of: np.mean(np.maximum(0, np.abs(of["z"] - of["amounts"]) - 0.1) ** 2),
    "What makes losses": lambda of: functional.cross_entropy(*torch_of(of["table"], of["labels"])),
}


@pytest.mark.parametrize("title", ANSWERS)
def test_the_lines_run_and_are_the_numbers_of_others(title: str, given: dict[str, Any]) -> None:
    found = answered(ANSWERS[title].lines, given)
    assert np.isfinite(found).all()
    if title in PEERS:
        np.testing.assert_allclose(found, np.asarray(PEERS[title](given)), rtol=1e-12)


def test_whatever_is_here_is_held_to_somebody_else() -> None:
    assert set(HERE) <= set(PEERS)


def test_a_model_of_choices_is_trained_as_the_page_does(given: dict[str, Any], script: Any) -> None:
    exec(script("not_here").FIT, given)
    peer = PHReg(given["time"], given["x"], given["died"]).fit()
    np.testing.assert_allclose(given["coefficients"], peer.params, atol=1e-4)
    np.testing.assert_allclose(given["x"].T @ given["raw"].grad.numpy(), np.zeros(2), atol=1e-4)


# --- reasons ---


def test_the_signal_of_beta_nll_is_the_derivative_of_no_loss() -> None:
    """Of a loss the mixed second derivatives agree."""

    def signal(mean: float, scale: float, beta: float) -> tuple[float, float]:
        """By mean and scale at the target 0; the weight is held still."""
        return scale ** (2 * beta) * mean / scale**2, scale ** (2 * beta) * (1 / scale - mean**2 / scale**3)

    def mixed(beta: float) -> tuple[float, float]:
        step, mean, scale = 1e-5, 0.7, 1.3
        by_scale = (signal(mean, scale + step, beta)[0] - signal(mean, scale - step, beta)[0]) / (2 * step)
        by_mean = (signal(mean + step, scale, beta)[1] - signal(mean - step, scale, beta)[1]) / (2 * step)
        return by_scale, by_mean

    assert mixed(0.0)[0] == pytest.approx(mixed(0.0)[1], rel=1e-8)  # the likelihood itself is one
    assert abs(mixed(0.5)[0] - mixed(0.5)[1]) > 0.1


def test_no_probability_is_best_for_dice() -> None:
    """Of a thousand pixels, each yes with the same chance, the best constant answer is no or yes, whatever the chance is."""
    answers, hits = np.linspace(0, 1, 101), np.random.default_rng(0).binomial(1000, [0.3, 0.6], (500, 2))
    for yes in hits.T:
        dice = (2 * answers * yes[:, None] / (1000 * answers + yes[:, None])).mean(axis=0)
        assert answers[dice.argmax()] == 1.0
        loss = gm.losses.binary_brier()
        brier = [loss(yes / 1000, prediction=np.full(len(yes), each)) for each in answers]
        assert answers[int(np.argmin(brier))] == pytest.approx(yes.mean() / 1000, abs=0.006)


@pytest.mark.parametrize(("alarm", "miss"), [(0.5, 0.5), (1.0, 1.0), (0.3, 0.7)])
def test_an_overlap_is_best_from_the_threshold_that_is_said(alarm: float, miss: float, given: dict[str, Any]) -> None:
    rng, n = np.random.default_rng(1), 200_000
    p = rng.beta(0.5, 1.5, n)
    given |= {"p": p, "bits": rng.uniform(size=n) < p, "n": n}
    lines = ANSWERS["Dice, Tversky, Jaccard"].lines.replace("0.5, 0.5", f"{alarm}, {miss}")
    best = answered(lines, given)
    assert given["threshold"] == pytest.approx(alarm * best / (1 + (alarm + miss - 1) * best), abs=0.02)


def test_the_crps_of_a_mixture_as_it_is_printed_loses_digits() -> None:
    """Grimit et al. 2006, in double precision and at 50 digits: a light part far off costs three digits of the sum."""

    def printed(f: Any, sqrt: Any, share: Any, far: Any) -> Any:
        def distance(miss: Any, spread: Any) -> Any:
            phi, below = f(miss / spread)
            return 2 * spread * phi + miss * (2 * below - 1)

        first = (1 - share) * distance(0 * far, 1 + 0 * far) + share * distance(far, 1 + 0 * far)
        within = ((1 - share) ** 2 + share**2) * distance(0 * far, sqrt(2 + 0 * far))
        return first - (within + 2 * share * (1 - share) * distance(far, sqrt(2 + 0 * far))) / 2

    def double(u: float) -> tuple[float, float]:
        return float(np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)), float(scipy.special.ndtr(u))

    with mpmath.workdps(50):
        share, far = 1e-3, 3e6
        true = printed(lambda u: (mpmath.npdf(u), mpmath.ncdf(u)), mpmath.sqrt, mpmath.mpf(share), mpmath.mpf(far))
        found = printed(double, np.sqrt, share, far)
        assert 20 < abs(found - true) / true / np.finfo(float).eps < 1e5


def test_probabilities_of_sparsemax_may_be_zero_where_ours_are_not() -> None:
    z = np.array([2.0, 0.0, -1.0])
    kept = np.sort(z)[::-1]
    support = np.flatnonzero(1 + np.arange(1, 4) * kept > np.cumsum(kept))[-1] + 1
    sparse = np.maximum(z - (kept[:support].sum() - 1) / support, 0)
    assert sparse.sum() == pytest.approx(1)
    assert (sparse == 0).any()
    assert (gm.losses.cross_entropy().predict(z[None]) > 0).all()


@pytest.mark.parametrize("answer", answers(), ids=lambda each: each.title)
def test_an_answer_is_said_in_one_breath(answer: Counterpart) -> None:
    assert answer.ours in losses.catalogue()
    assert len(answer.how) <= 200
    assert len(answer.why) <= 130
    assert not answer.how.endswith(".")
    assert not answer.why.endswith(".")
