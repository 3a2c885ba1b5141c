"""Clean environments with the package as a stranger installs it: its wheel, built from this tree, and an extra."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What every environment begins with.
_OWN = {"pip", "setuptools"}
_BARE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
# Asked for in another way, torch brings gigabytes of libraries for GPUs.
_FIRST = {"torch": ("torch==2.13.0",)}


def extras() -> list[str]:
    """The extras of the package, but for the one that brings all of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [name for name in project["optional-dependencies"] if name != "all"]


@dataclass(frozen=True)
class Environment:
    """A clean environment: its Python, and what was installed into it."""

    python: Path

    def run(self, *given: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """What a program says in it, as if it were activated; nothing of this tree is within its reach."""
        active = {**_BARE, "PATH": os.pathsep.join((str(self.python.parent), _BARE.get("PATH", "")))}
        return subprocess.run(
            [str(self.python), *given], cwd=cwd, env=active, capture_output=True, text=True, check=False
        )

    def install(self, *requirements: str, bytecode: bool = True) -> None:
        """Install these one after the other; without bytecode it takes less time."""
        for each in requirements:
            _quietly(str(self.python), "-m", "pip", "install", "-q", *([] if bytecode else ["--no-compile"]), each)

    @property
    def packages(self) -> dict[str, float]:
        """The size of each package in megabytes (millions of bytes), compiled bytecode included."""
        place = next(self.python.parent.parent.glob("lib/python*/site-packages"))
        sizes = {each.name: _size(each) for each in distributions(path=[str(place)])}
        return {name: size for name, size in sizes.items() if name not in _OWN}


def _size(package: Distribution) -> float:
    places = (Path(str(package.locate_file(file))) for file in package.files or [])
    return sum(place.stat().st_size for place in places if place.is_file()) / 1e6


@cache
def wheel() -> Path:
    """The wheel of this tree, built once."""
    place = Path(tempfile.mkdtemp())
    _quietly(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(place), str(ROOT))
    (found,) = place.glob("*.whl")
    return found


def of_extras(*names: str) -> tuple[str, ...]:
    """What installs the package with these extras."""
    first = [each for name in names for each in _FIRST.get(name, ())]
    return (*first, f"{wheel()}[{','.join(names)}]" if names else str(wheel()))


@contextmanager
def environment(*requirements: str, python: str = sys.executable, bytecode: bool = True) -> Iterator[Environment]:
    """A clean environment with these, gone afterwards; without bytecode it is made sooner."""
    with tempfile.TemporaryDirectory() as place:
        _quietly(python, "-m", "venv", place)
        made = Environment(Path(place) / "bin" / "python")
        made.install(*requirements, bytecode=bytecode)
        yield made


def _quietly(*command: str) -> None:
    done = subprocess.run(command, env=_BARE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def between(page: Path, name: str, text: str) -> None:
    """Put a text between the two marks of a script in a page."""
    start, end = f"<!-- written by scripts/{name} -->", "<!-- end of what it wrote -->"
    before, rest = page.read_text(encoding="utf-8").split(start)
    _, after = rest.split(end, 1)
    page.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")
