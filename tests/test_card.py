"""Does every loss have its card, does the command find and filter, and are the hosts' names the hosts' own?"""

import importlib
import json
import re

import pytest
from click.testing import CliRunner

import goodmeasure as gm
from catalogue_losses import definitions, everything
from goodmeasure import losses
from goodmeasure.cli.explain import command as explain
from goodmeasure.cli.explain import page, topics
from goodmeasure.cli.losses import command
from goodmeasure.formulas.expression import derivative, symbol
from goodmeasure.formulas.latex import latex
from goodmeasure.formulas.words import log, vocabulary
from goodmeasure.making import host_names
from goodmeasure.making.card import ASKS_FOR, card
from goodmeasure.traits.properties import aligned, directional, sensitive

# Cards of classes and distributions minimise expected losses, so they take seconds; one of each kind stands for them here.
QUICK = [e for e in everything() if not e.is_classwise and len(e.activation) == 1]
KINDS = [*QUICK, losses.cross_entropy(), losses.laplace_crps()]


@pytest.mark.parametrize("loss", KINDS, ids=repr)
def test_every_loss_has_a_card_in_words_html_and_json(loss):
    shown = loss.card()
    text = str(shown)
    for part in (
        loss.facts.sentence,
        "asks for",
        "book",
        "derived",
        str(shown.traits[0]),
    ):
        assert part in text
    assert loss.facts.advice in text
    assert "nan" not in text.lower().split()
    html = shown._repr_html_()
    assert html.count("<table") == html.count("</table>") == 1
    document = json.dumps(shown.to_dict(), default=str)
    assert json.loads(document)["loss"] == str(loss)


@gm.loss(target=gm.Real)
def own(y, mu):
    """A loss of one's own."""
    return (mu - y) ** 4


def test_a_loss_of_ones_own_has_a_card_too():
    shown = own().card()
    assert "nothing in particular" in str(shown)
    assert shown.traits[0].holds


def test_what_an_error_of_ten_costs_against_one():
    assert "costs 100 times one of 1" in losses.squared_error().card().costs
    assert "costs 10 times one of 1" in losses.absolute_error().card().costs
    assert "costs 19 times one of 1" in losses.huber().card().costs


@pytest.mark.parametrize("definition", definitions(), ids=repr)
def test_what_is_asked_for_has_a_plain_sentence(definition):
    assert definition.facts.asks_for in ASKS_FOR


# --- the learning signal ---


def test_the_signal_of_squared_error_on_a_sigmoid_vanishes_and_that_of_cross_entropy_does_not():
    assert {side.name for side in sensitive(losses.binary_brier())} == {"vanishing"}
    assert {side.name for side in sensitive(losses.binary_cross_entropy())} == {"saturating"}
    assert {side.name for side in sensitive(losses.squared_error())} == {"growing"}


def test_directional_has_evidence_both_ways():
    assert directional(losses.poisson()).evidence == "proved"
    assert not directional(losses.tukey_biweight()).holds
    assert not directional(losses.zero_one()).holds
    assert directional(losses.binary_brier()).holds


def test_alignment_is_a_bound_or_the_pair_that_breaks_it():
    bound = aligned(losses.binary_cross_entropy())
    assert bound.holds
    # The excess log-loss of an accuracy 0.5 below the best is log(2) - H(3/4).
    assert "0.131" in bound.seen
    assert not aligned(losses.perceptron()).holds
    assert not aligned(losses.cross_entropy()).holds
    assert aligned(losses.squared_error()) is None


# --- commands ---


def run(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_the_list_names_every_loss_with_what_it_asks_for():
    shown = run().output
    for definition in definitions():
        assert re.search(rf"^  {definition.name} +\w", shown, re.MULTILINE), definition.name


def test_filters_keep_what_fits_and_say_when_nothing_does():
    convex = run("--convex", "--robust", "--for", "real").output
    assert "huber" in convex
    assert not re.search(r"^  (cauchy|squared_error|poisson) ", convex, re.MULTILINE)
    assert "without --robust: poisson" in run("--convex", "--robust", "--for", "positive").output
    assert "pinball" in run("--asks", "quantile").output


def test_a_card_takes_hyperparameters_and_speaks_json():
    assert run("huber", "--set", "delta=2").output.startswith("huber(delta=2.0)")
    document = json.loads(run("mse", "--json").output)
    assert document["loss"] == "squared_error()"
    rows = json.loads(run("--json").output)
    assert {row["name"] for row in rows} == set(losses.catalogue())


@pytest.mark.parametrize(
    "arguments", [["hubr"], ["huber", "--set", "delta=-1"], ["huber", "--set", "delta"], ["--asks", "luck"]]
)
def test_what_is_wrong_is_said_with_a_fix(arguments):
    with pytest.raises(gm.errors.Problem if hasattr(gm, "errors") else Exception, match="fix"):
        run(*arguments)


def test_every_topic_has_a_page():
    for topic in topics():
        if topic not in losses.catalogue() and topic != "exercise":
            assert page(topic).strip(), topic
    assert "huber" in page("smooth_l1")
    assert "exercise" in CliRunner().invoke(explain, []).output


# --- other languages ---


@pytest.mark.parametrize("word", vocabulary().values(), ids=lambda word: word.name)
def test_what_is_raised_to_a_power_is_one_thing_in_latex(word):
    base = word(*(symbol(letter) for letter in ("x", "a", "b")[: len(word.partials)]))
    written = latex(base**3)
    stands_alone = not re.match(r"\\(frac|begin)|-|[xab] ", latex(base))
    assert written.endswith("^{3}") or base.word.name == "power", written
    assert stands_alone or written.startswith("\\left("), written


@pytest.mark.parametrize("word", vocabulary().values(), ids=lambda w: w.name)
def test_every_word_and_its_derivative_is_written_on_paper(word):
    args = [symbol(n) for n in ("x", "a", "b")[: len(word.partials)]]
    for formula in (word(*args), derivative(word(*args), "x")):
        written = latex(formula)
        assert written.count("{") == written.count("}")
        assert written.count(r"\left") == written.count(r"\right")


def test_names_of_hosts_are_names_of_losses():
    tables = [table for key, table in vars(host_names).items() if key.isupper()]
    assert tables
    for table in tables:
        assert set(table) <= set(losses.catalogue())


@pytest.mark.parametrize("host", ["TORCH", "KERAS", "OPTAX", "SKLEARN"])
def test_hosts_have_what_we_say_they_have(host):
    for spelled in getattr(host_names, host).values():
        path = re.match(r"[\w.]+", spelled)[0].split(".")
        pytest.importorskip(path[0])
        found = importlib.import_module(".".join(path[:-1]))
        assert hasattr(found, path[-1]), spelled


def test_own_names_carry_the_hyperparameters():
    assert host_names.own_names("huber", {"delta": 2.0})["torch"] == "torch.nn.HuberLoss(delta=2)"
    assert card(losses.huber(delta=2.0)).spelled["lightgbm"] == 'objective="huber", alpha=2'


def _own(target, formula, activation=None):
    def own(y, mu):
        return formula(y, mu)

    return gm.loss(target=target, activation=activation)(own)


@pytest.mark.parametrize(
    "definition",
    [
        _own(gm.Real, lambda y, mu: -log(mu) + mu * y),
        _own(gm.Positive, lambda y, mu: (mu - y) ** 2 / y, "linear"),
    ],
    ids=["infinite where raw outputs are negative", "takes no zero"],
)
def test_a_loss_of_ones_own_has_a_card_and_a_page_whatever_its_formula_does(definition):
    card = definition().card()
    assert "own()" in str(card)
    assert "nan" not in card._repr_html_()
    assert "nan" not in definition.__doc__
