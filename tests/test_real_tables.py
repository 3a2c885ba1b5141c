"""Are real tables understood, and is the page of them what the script writes? The short form of scripts/real_tables.py."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType

import pytest

Script = Callable[[str], ModuleType]


@pytest.mark.parametrize("name", ["diabetes", "breast_cancer"])
def test_a_table_of_scikit_learn_is_understood_and_not_learned_clearly_worse(name: str, script: Script) -> None:
    (table,) = (each for each in script("tables_of_packages").TABLES if each.name == name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = script("real_tables").ran(table, ("linear",))
    assert found.right
    assert found.models["linear"].word != "worse"


def test_the_page_has_forty_tables_and_all_are_understood(script: Script) -> None:
    text = script("real_tables").PAGE.read_text(encoding="utf-8")
    shown = [table for table in script("tables_of_packages").TABLES if f"| {table.name} | {table.package} |" in text]
    assert len(shown) >= 40
    assert f"meaning right: {len(shown)} of {len(shown)}" in text
