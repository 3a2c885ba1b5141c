"""Does the exercise show live what it says?"""

import pytest
from click.testing import CliRunner

from goodmeasure.cli.explain import command
from goodmeasure.explaining.exercise import SHOWN, STEPS, points, runs, told, twins

COUNT, ENTROPY, SQUARED = runs()


def test_all_start_with_35_of_40_wrong():
    assert len(points()[1]) == 40
    assert COUNT.wrong[0] == ENTROPY.wrong[0] == SQUARED.wrong[0] == 35


def test_the_count_has_no_signal_and_nothing_moves():
    assert set(COUNT.signal) == {0.0}
    assert set(COUNT.wrong) == {35}
    assert len(COUNT.wrong) == STEPS + 1


def test_the_race_is_the_same_wherever_it_is_run():
    assert SHOWN == (0, 5, 10, 20, 50, 100)
    assert [ENTROPY.wrong[step] for step in SHOWN] == [35, 7, 6, 4, 5, 5]
    assert [SQUARED.wrong[step] for step in SHOWN] == [35, 35, 34, 23, 6, 5]


def test_cross_entropy_arrives_and_squared_error_lags():
    assert 3 <= ENTROPY.wrong[20] <= 5
    assert SQUARED.wrong[20] >= 20
    assert SQUARED.signal[0] < ENTROPY.signal[0] / 10
    assert SQUARED.wrong[-1] <= ENTROPY.wrong[-1] + 1


def test_the_same_accuracy_hides_very_different_probabilities():
    first, second = twins(ENTROPY)
    assert first.wrong == second.wrong
    assert second.loss > 3 * first.loss
    assert second.surest_error > first.surest_error


def test_it_prints_through_without_asking():
    shown = CliRunner().invoke(command, ["exercise", "--no-input"])
    assert shown.exit_code == 0
    assert "35    35    35" in shown.output
    assert "honestly" in shown.output


@pytest.mark.parametrize(("guess", "said"), [("35", "That is right"), ("4", "It is 35")])
def test_a_guess_is_answered(guess, said):
    shown = CliRunner().invoke(command, ["exercise"], input=f"{guess}\n")
    assert said in shown.output


def test_every_number_said_is_computed():
    text = "\n".join(told())
    assert f"{twins(ENTROPY)[1].loss:.3f}" in text
    assert f"leaves {ENTROPY.wrong[-1]} wrong and squared error {SQUARED.wrong[-1]}" in " ".join(text.split())
