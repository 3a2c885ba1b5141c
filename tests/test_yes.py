"""Is the label that means yes known in many languages, asked for where costs hang on it, and said where it is guessed?"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

import goodmeasure as gm
from goodmeasure.choosing.affirming import NO, YES, WhichIsYes, affirmative
from goodmeasure.errors import UsageError

COSTS = gm.Costs(false_negative=40, false_positive=5)
# The label that means yes first.
KNOWN: list[tuple[Any, Any]] = [
    ("yes", "no"), ("Y", "N"), ("TRUE", "False"), (True, False), (1, 0), (1.0, 0.0), (1, -1), (5, 0),
    ("ja", "nein"), ("j", "n"), ("oui", "non"), ("O", "N"), ("si", "no"), ("s\u00ed", "no"),
    ("S\u00ec", "No"), ("sim", "n\u00e3o"), ("sim", "nao"), ("tak", "nie"),
    ("\u0434\u0430", "\u043d\u0435\u0442"), ("\u0442\u0430\u043a", "\u043d\u0456"), ("ano", "ne"),
    ("igen", "nem"), ("evet", "hay\u0131r"), ("ja", "nej"), ("kyll\u00e4", "ei"), ("da", "nu"),
    ("\u03bd\u03b1\u03b9", "\u03cc\u03c7\u03b9"), ("\u306f\u3044", "\u3044\u3044\u3048"), ("\u662f", "\u5426"),
    ("\uc608", "\uc544\ub2c8\uc694"), ("positive", "negative"), ("present", "absent"),
    ("survived", "not survived"), ("churned", "Not churned"), ("default", "no default"),
    ("responder", "non-responder"), ("fraud", "none"), (" yes", "no "), ("+", "-"), ("on", "off"),
    ("wahr", "falsch"),
]  # fmt: skip
UNKNOWN = [
    ("a", "b"),
    (1, 2),
    (3, 7),
    ("malignant", "benign"),
    ("F", "M"),
    ("<=50K", ">50K"),
    ("n", "m"),
    ("yes", "ja"),
]


def target(labels: tuple[Any, Any]) -> list[Any]:
    return [labels[i % 3 == 0] for i in range(60)]


@pytest.mark.parametrize("pair", KNOWN, ids=repr)
def test_words_for_yes_are_known_in_any_order(pair: tuple[Any, Any]) -> None:
    for labels in permutations(pair):
        assert affirmative(labels) == pair[0]
        plan = gm.choose(target(labels), costs=COSTS)
        assert plan.labels == (pair[1], pair[0])


@pytest.mark.parametrize("pair", UNKNOWN, ids=repr)
def test_with_costs_an_unknown_yes_is_asked_for_and_without_them_the_guess_is_said(pair: tuple[Any, Any]) -> None:
    values = target(pair)
    assert affirmative(pair) is None
    with pytest.raises(WhichIsYes) as caught:
        gm.choose(values, costs=COSTS)
    assert all(f"positive={label!r}" in caught.value.fix for label in pair)
    assert any("is a guess" in note for note in gm.choose(values).notes)
    for yes in pair:
        plan = gm.choose(values, costs=COSTS, positive=yes)
        assert plan.labels[1] == yes
        assert not any("is a guess" in note for note in plan.notes)


def test_no_word_means_both() -> None:
    assert not YES & NO


@pytest.mark.parametrize("said", [True, "true", "True", "TRUE", " true"])
def test_a_label_may_be_said_as_it_is_typed(said: Any) -> None:
    happened = [i % 3 == 0 for i in range(240)]
    study = gm.run(
        {"x": [float(i % 7) for i in range(240)], "happened": happened}, "happened", positive=said, protocol="holdout"
    )
    assert study.plan.labels == ("false", "true")
    assert gm.choose(happened, positive=said).labels == (False, True)
    with pytest.raises(UsageError, match="has no label 'perhaps'"):
        gm.choose(happened, positive="perhaps")


def test_a_run_says_that_it_guessed() -> None:
    table = {"x": [float(i % 7) for i in range(240)], "kind": ["ab"[i % 3 == 0] for i in range(240)]}
    assert "GM244" in {remark.code for remark in gm.run(table, "kind", protocol="holdout").remarks}
    assert "GM244" not in {remark.code for remark in gm.run(table, "kind", positive="a", protocol="holdout").remarks}


# --- one label, typed in several ways ---

WAYS = [str, str.upper, str.title, lambda text: f" {text}", lambda text: f"{text}  ", lambda text: f"\t{text.upper()} "]


def labelled(*, mixed: bool) -> dict[str, list[Any]]:
    """A table of labels, each written in one way, or mostly in one and sometimes in others."""

    def typed(label: str, i: int) -> str:
        return WAYS[i // 5 % len(WAYS)](label) if mixed and i % 5 == 0 else label

    kinds = ["north", "south", "east"]
    answers = ["yes" if (i % 3 == 0) ^ (i % 7 == 0) else "no" for i in range(600)]
    return {
        "x": [float(i % 7) for i in range(600)],
        "kind": [typed(kinds[i % 3], i) for i in range(600)],
        "answer": [typed(answer, i + 1) for i, answer in enumerate(answers)],
    }


def test_a_label_is_one_however_it_is_typed() -> None:
    plain, mixed = (gm.run(labelled(mixed=how), "answer", protocol="holdout") for how in (False, True))
    assert mixed.plan.labels == plain.plan.labels == ("no", "yes")
    assert mixed.judged.report.value == plain.judged.report.value
    said = [remark.what for remark in mixed.remarks if remark.code == "GM245"]
    assert len(said) == 2
    assert "'NORTH' -> 'north'" in " ".join(said) or "->" in said[0]
    assert "GM245" not in {remark.code for remark in plain.remarks}
    new = {"x": [1.0, 2.0], "kind": ["SOUTH ", " East"]}
    expected = plain.model.predict({"x": [1.0, 2.0], "kind": ["south", "east"]})
    assert mixed.model.predict(new).tolist() == plain.model.predict(new).tolist() == expected.tolist()
    assert mixed.model.answers(new)[1] == ()


def test_labels_that_capitals_alone_tell_apart_stay_apart() -> None:
    table = {"x": [float(i % 7) for i in range(600)], "gene": [["AA", "Aa", "aa"][i % 3] for i in range(600)]}
    study = gm.run(table, "gene", protocol="holdout")
    assert study.plan.labels == ("AA", "Aa", "aa")
