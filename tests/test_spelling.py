"""The repr of a loss is code that makes it again, however it was put together."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from catalogue_losses import definitions, everything, ids, variants, weighted
from goodmeasure import losses
from goodmeasure.study.saving import loss_from_dict, loss_to_dict
from goodmeasure.tallying.schema import as_spelled_now

FACTORIES = {definition.name: definition for definition in definitions()} | {"weighted": gm.weighted}
AMOUNTS = [losses.squared_error(), losses.huber(delta=2.0), losses.poisson(), losses.pinball(level=0.3)]
ON_ANOTHER_SCALE = losses.squared_error().with_activation("exp") + losses.huber().with_activation("exp")


def again(loss):
    """The loss that the code in its repr makes."""
    return eval(repr(loss), FACTORIES)


@pytest.mark.parametrize(
    "loss", [*everything(), *variants(), *weighted()], ids=ids([*everything(), *variants(), *weighted()])
)
def test_the_repr_makes_the_loss_again(loss):
    assert again(loss) == loss
    for name in ("linear", "exp", "softplus") if not (loss.is_binary or loss.is_classwise or loss.is_graded) else ():
        other = loss.with_activation((name,) * len(loss.activation))
        assert again(other) == other


def steps(inner):
    """A loss of amounts from smaller ones: a multiple, another activation, or a sum of two that share a scale."""
    names = st.sampled_from(["linear", "exp", "softplus"])
    same = st.tuples(inner, inner).filter(lambda pair: pair[0].target == pair[1].target)
    return st.one_of(
        st.builds(lambda loss, by: by * loss, inner, st.one_of(st.integers(1, 9), st.floats(0.1, 9))),
        st.builds(lambda loss, name: loss.with_activation(name), inner, names),
        st.builds(lambda pair, name: pair[0].with_activation(name) + pair[1].with_activation(name), same, names),
    )


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.sampled_from(AMOUNTS), steps, max_leaves=5))
def test_the_repr_of_a_loss_put_together_makes_it_again(loss):
    assert again(loss) == loss
    assert loss_from_dict(loss_to_dict(loss)) == loss
    assert pickle.loads(pickle.dumps(loss)) == loss


@pytest.mark.parametrize(
    "loss",
    [
        gm.weighted(2 * losses.binary_cross_entropy(), positive=3.0) + losses.binary_brier(),
        gm.weighted(losses.cross_entropy().with_activation("sigmoid"), positive=3.0),
        losses.binary_brier() + losses.cross_entropy().with_activation("sigmoid"),
        gm.weighted(losses.cross_entropy() + losses.brier(), classes=(1.0, 2.0)).with_activation("sigmoid"),
        np.float64(0.5) * losses.hinge(),
    ],
    ids=repr,
)
def test_weights_and_changed_outcomes_are_spelled_where_they_apply(loss):
    assert again(loss) == loss


def test_a_spelling_says_no_more_than_it_must():
    assert repr(ON_ANOTHER_SCALE) == "(squared_error() + huber()).with_activation('exp')"
    assert repr(ON_ANOTHER_SCALE.with_activation("linear")) == "squared_error() + huber()"
    assert repr(1 / 3 * losses.huber()) == "0.3333333333333333 * huber()"
    assert repr(losses.huber() + (losses.huber() + 2 * losses.huber())) == "huber() + (huber() + 2 * huber())"
    assert losses.poisson().with_activation("softplus").with_activation("exp") == losses.poisson()


def test_what_was_saved_with_older_spellings_loads():
    state = loss_to_dict(losses.squared_error().with_activation("exp"))
    loaded = loss_from_dict({**state, "spelling": "squared_error().with_activation(exp)"})
    assert repr(loaded) == "squared_error().with_activation(exp)"
    assert loaded.spelling.factory == "squared_error"
    assert loss_from_dict({**loss_to_dict(losses.huber()), "spelling": "huber()"}) == losses.huber()
    assert as_spelled_now("huber().with_activation(exp)") == repr(losses.huber().with_activation("exp"))
