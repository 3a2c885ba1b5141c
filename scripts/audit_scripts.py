"""What the audit says of the whole scripts in tests/audit_scripts, and how long it takes: findings.json beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "audit_scripts"
PAGE = SCRIPTS / "findings.json"


def audited() -> Iterator[dict[str, Any]]:
    """What an audit of each script tells."""
    ground = {**os.environ, "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT / "src")}
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(ROOT / "tests" / "audit_scripts_run.py"),
            folder,
            *map(str, sorted(SCRIPTS.glob("*.py"))),
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=ground)
    yield from map(json.loads, said.stdout.splitlines())


def page() -> str:
    """Each script with the codes that are found in it, at warning or worse, and the seconds that its audit took."""
    rows = {
        row["script"]: {
            "codes": sorted({f["code"] for f in row["audit"]["findings"] if f["severity"] != "note"}),
            "seconds": round(row["cpu"], 1),
        }
        for row in audited()
    }
    return json.dumps(rows, indent=1) + "\n"
