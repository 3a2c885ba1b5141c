"""Install the built package into clean environments, run all examples and uses there, and tell what came in docs/installation.md.

python scripts/nightly_install.py             # everything: about an hour
python scripts/nightly_install.py core run    # prints some of it, and writes nothing

The core is tried with every Python from 3.11 on that is found on the path, each extra alone with the one that runs this.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable
from subprocess import CompletedProcess

from environments import ROOT, Environment, between, environment, extras, of_extras, wheel
from uses import program

PAGE = ROOT / "docs" / "installation.md"
RECIPE = ROOT / "conda" / "recipe.yaml"
TYPED = 98.0  # percent of the public names whose types are written down
CORE = "core"
OURS = (CORE, *extras(), "run,fast,plot,sql")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What looks at the wheel, each with its arguments.
CHECKS = (("twine", "check", "--strict"), ("check-wheel-contents",))
COMMANDS = (("losses", "huber"), ("explain", "GM206"), ("demo", "--out", "."))


class Broken(Exception):
    """Something does not hold in a clean environment."""


def checked() -> Iterable[str]:
    """What those say of the wheel whose business wheels are."""
    for checker, *given in CHECKS:
        with environment(checker, bytecode=False) as made:
            done = made.run("-m", checker.replace("-", "_"), *given, str(wheel()))
        if done.returncode:
            raise Broken(f"{checker}: {done.stdout}{done.stderr}")
        said = re.sub(r"\x1b\[\d*m", "", done.stdout).strip().splitlines()[-1]
        yield f"`{checker}`: {said.replace(str(wheel().parent), '').replace(': /', ': ')}"


def typed() -> str:
    """How many of the public names have types that a type checker need not guess, of the wheel as it is installed."""
    with environment(str(wheel()), "pyright", bytecode=False) as made:
        done = made.run("-m", "pyright", "--verifytypes", "goodmeasure", "--ignoreexternal", cwd=made.python.parent)
    score = re.search(r"completeness score: ([\d.]+)%", done.stdout)
    if not score or float(score[1]) < TYPED:
        raise Broken(f"pyright: {done.stdout[-2000:]}{done.stderr}")
    return f"`pyright --verifytypes`: {score[1]} %"


def rendered() -> str:
    """Whether the recipe for conda can be read and its variables be filled in; to build it needs conda's packages."""
    code = f"from rattler_build import Stage0Recipe as r; print(len(r.from_file({str(RECIPE)!r}).render()))"
    with environment("py-rattler-build", bytecode=False) as made:
        done = made.run("-c", code)
    if done.stdout.strip() != "1":
        raise Broken(f"rattler-build: {done.stdout}{done.stderr}")
    return "`conda/recipe.yaml`: is rendered by rattler-build"


def row(name: str) -> str:
    """One row of the table, of an environment that is made for it."""
    what, _, version = name.partition(" ")
    names = [] if what == CORE else what.split(",")
    python = _python(version) if version else None
    with environment(*of_extras(*names), python=python or sys.executable, bytecode=False) as made:
        examples = _examples(made, names)
        said = ", ".join(f"`{command[0]}` {_told(_asked(_command(made, command)))}" for command in COMMANDS)
        used = ", ".join(dict.fromkeys(_used(made, each) for each in names)) or "-"
    shown = f"`[{name}]`" if names else f"the core{f', Python {version}' if version else ''}"
    return f"| {shown} | {examples['as printed']} | {examples['asks']} | {examples['imports']} | {said} | {used} |"


def _python(version: str) -> str | None:
    """The Python of this version, if there is one that starts: what a manager of versions puts on the path may stand for none."""
    found = shutil.which(f"python{version}")
    return (
        found if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0 else None
    )


def _examples(made: Environment, names: Collection[str]) -> Counter[str]:
    """How many examples gave what is printed, asked for an extra that is not there, or import another system themselves."""
    done = made.run("told_examples.py", "", cwd=ROOT / "tests")
    if done.returncode:
        raise Broken(done.stderr)
    kinds = Counter[str]()
    for name, came in json.loads(done.stdout).items():
        kind = came if came == "as printed" else came.split()[0].rstrip(":")
        there = any(f"goodmeasure[{each}]" in came for each in names)
        if kind not in ("as printed", "asks", "imports") or there:
            raise Broken(f"{name}: {came}")
        kinds[kind] += 1
    return kinds


def _command(made: Environment, command: tuple[str, ...]) -> CompletedProcess[str]:
    done = made.run("-c", "from goodmeasure.cli import main; main()", *command, cwd=made.python.parent)
    if "Traceback" in done.stderr:
        raise Broken(f"{' '.join(command)}: {done.stderr}")
    return done


def _asked(done: CompletedProcess[str]) -> str | None:
    """The extra that a program asked for; none where it ran."""
    if done.returncode == 0:
        return None
    found = re.search(r"GM008 .*\n(?:.*\n)*  fix   pip install 'goodmeasure\[([\w-]+)\]'", done.stderr)
    if not found:
        raise Broken(f"{done.args}: {done.stderr}")
    return found[1]


def _told(asked: str | None) -> str:
    return f"asks for `[{asked}]`" if asked else "runs"


def _used(made: Environment, extra: str) -> str:
    """What came of the program of an extra: that it runs, or what it had asked for before it did."""
    asked: list[str] = []
    while another := _asked(made.run("-c", program(extra), cwd=made.python.parent)):
        if another in asked:
            raise Broken(f"{extra} still asks for {another}, which is installed")
        made.install(*of_extras(another), bytecode=False)
        asked.append(another)
    return "runs" if not asked else f"runs with {', '.join(f'`[{each}]`' for each in asked)}"


def told(names: Iterable[str]) -> Iterable[str]:
    """The table, line by line, as it is tried; and what is said of the wheel."""
    yield "| installed | examples as printed | ask for an extra | import another system | commands | what it is for |"
    yield "|---|---|---|---|---|---|"
    yield from map(row, names)
    yield ""
    yield from (f"{line}  " for line in (*checked(), typed(), rendered()))
    yield f"Python {platform.python_version()}, {platform.system()}."


def main(names: list[str]) -> None:
    """Try, print, and write where all was tried."""
    others = [each for each in PYTHONS if _python(each) and not platform.python_version().startswith(each)]
    lines = []
    for line in told(names or [*OURS, *(f"{CORE} {each}" for each in others)]):
        print(line, flush=True)
        lines.append(line)
    if not names:
        between(PAGE, "nightly_install.py", "\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
