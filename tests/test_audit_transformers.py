"""Is what is wrong in programs of Hugging Face's Trainer found, and are right ones left alone?"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainer_programs import PROGRAMS

for needed in ("torch", "transformers", "accelerate"):
    pytest.importorskip(needed)

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every program, each audited in a process of its own, and the folder in which they ran."""
    programs, folder = tmp_path_factory.mktemp("programs"), tmp_path_factory.mktemp("run")
    for name, (source, changes, _) in PROGRAMS.items():
        assert all(old in source for old in changes), name
        text = functools.reduce(lambda text, change: text.replace(*change), changes.items(), source)
        (programs / f"{name}.py").write_text(text)
    command = [
        sys.executable,
        str(HERE / "audit_scripts_run.py"),
        str(folder),
        *map(str, sorted(programs.glob("*.py"))),
    ]
    ground = {**os.environ, "OMP_NUM_THREADS": "1", "LIBRARIES": "transformers.trainer"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=ground)
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    return {row["script"]: row for row in rows} | {"": folder}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_trainer_is_judged_as_it_is(outcomes: dict[str, Any], name: str) -> None:
    row = outcomes[name]
    assert "crash" not in row, row["crash"]
    assert not row["raised"]
    found = {f["code"]: f for f in row["audit"]["findings"] if f["severity"] != "note"}
    assert sorted(found) == PROGRAMS[name][2]
    assert all(f"{name}.py:" in f["where"] for f in found.values())
    assert any("metrics" in what for what in row["audit"]["looked_at"])
    assert not row["audit"]["not_seen"]
    assert not [s for s in row["audit"]["not_applicable"] if s["reason"].startswith("the check itself failed")]


def test_a_trainer_that_was_cut_keeps_nothing(outcomes: dict[str, Any]) -> None:
    assert all(row["ended"].endswith("before os.mkdir final") for name, row in outcomes.items() if name)
    assert not [path for path in outcomes[""].rglob("*") if path.is_file()]
