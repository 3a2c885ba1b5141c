"""Run every benchmark, each in a process of its own: ``python -m benchmarks``."""

import ast
import subprocess
import sys
from pathlib import Path


def runs(path: Path) -> bool:
    """Whether a module of this folder is a benchmark: it defines ``main``."""
    tree = ast.parse(path.read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


if __name__ == "__main__":
    failed = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        if runs(path):
            print(f"\n=== {path.stem} ===\n", flush=True)
            if subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False).returncode:
                failed.append(path.stem)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
