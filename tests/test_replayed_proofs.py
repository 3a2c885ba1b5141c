"""Do certificates replay with a checker that knows nothing of the prover, and does it find out what is false?"""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from goodmeasure import losses
from goodmeasure.cli.losses import command
from goodmeasure.traits.certificate import certificates
from turns import at_night

L = losses
# fmt: off
REPLAYED = [
    L.squared_error(), L.absolute_error(), L.huber(), L.pinball(level=0.9), L.expectile(level=0.1),
    L.epsilon_insensitive(), L.log_cosh(), L.binary_cross_entropy(), L.hinge(), L.perceptron(), L.poisson(), L.gamma(),
]
# fmt: on
WIDE = [L.huber(delta=50.0), L.huber(delta=1e6)]


@pytest.fixture(scope="session")
def checker(script):
    return script("check_certificate")


def replayed(checker, certificate):
    return checker.holds(json.loads(json.dumps(certificate.to_dict())))


@pytest.mark.parametrize("loss", [*REPLAYED, *(at_night(loss, unless=False, id=repr(loss)) for loss in WIDE)], ids=repr)
def test_a_certificate_replays(checker, loss):
    found = certificates(loss)
    assert found
    for each in found:
        assert replayed(checker, each), (each.claim, each.formula)


@pytest.mark.parametrize(
    "loss", [L.huber(delta=2.0), L.log_cosh(), at_night(L.binary_cross_entropy(), unless=False)], ids=repr
)
def test_a_certificate_that_claims_too_much_does_not_replay(checker, loss):
    convex, *_ = certificates(loss)
    sized = [each for each in certificates(loss) if each.high is not None]
    assert sized
    assert not replayed(checker, replace(convex, low=0.01))
    assert not replayed(checker, replace(convex, formula=f"-({convex.formula})"))
    assert not replayed(checker, replace(convex, edges=convex.edges[:-1]))
    assert not replayed(checker, replace(convex, jumps=((0.0, 0.0, -1.0),)))
    for each in sized:
        assert not replayed(checker, replace(each, low=each.low * 0.99, high=each.high * 0.99))


def test_the_command_prints_what_the_checker_reads(checker):
    shown = CliRunner().invoke(command, ["huber", "--set", "delta=3", "--certificates"], catch_exceptions=False)
    found = json.loads(shown.output)
    assert [each["claim"] for each in found][1].startswith("Lipschitz (3)")
    assert all(map(checker.holds, found))


def test_the_checker_does_not_import_the_prover(checker):
    assert "goodmeasure" not in {name.split(".")[0] for name in vars(checker)}
