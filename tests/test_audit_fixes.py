"""Applied to a wrong program, the fix that a finding prints makes it go away, and nothing else comes."""

from __future__ import annotations

import os
import re
import warnings
from keyword import iskeyword
from pathlib import Path
from types import ModuleType

import pytest

from audit_fixes import FIXES, Applied
from trainer_programs import PROGRAMS

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
for needed in ("sklearn", "keras", "xgboost", "lightgbm"):
    pytest.importorskip(needed)

import goodmeasure as gm  # noqa: E402
from goodmeasure.auditing.engine import audit  # noqa: E402
from goodmeasure.auditing.finding import Audit  # noqa: E402
from goodmeasure.auditing.rule import all_rules  # noqa: E402

HERE = Path(__file__).parent

pytestmark = pytest.mark.filterwarnings("default")


def text_of(program: str) -> str:
    """The text of a script, or of the module of a program."""
    if program.endswith(".py"):
        return (HERE / "audit_scripts" / program).read_text()
    return (HERE / "audit_programs" / f"{program.partition('.')[0]}.py").read_text()


def part_of(text: str, program: str) -> str:
    """The function of a program in the text of its module; a script is one part."""
    if program.endswith(".py"):
        return text
    found = re.search(rf"^def {program.partition('.')[2]}\(.*?(?=^\S|\Z)", text, re.S | re.M)
    assert found is not None, program
    return found.group(0)


def changed(fix: Applied) -> str:
    """The text with the fix in it: in the function, or before it where the fault is in a part that the function uses."""
    text = text_of(fix.program)
    for old, new in fix.changes:
        part = part_of(text, fix.program)
        assert old in text, (fix.program, old)
        text = text.replace(part, part.replace(old, new)) if old in part else text.replace(old, new)
    return text


def report(text: str, program: str) -> Audit:
    """What the audit says of a program in this text."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not program.endswith(".py"):
            return audit(**vars(run(text))[program.partition(".")[2]]())
        with gm.watch(report=lambda finding: None) as watching:
            run(text)
        assert watching.audit is not None
        return watching.audit


def run(text: str) -> ModuleType:
    """A text as a module."""
    module = ModuleType("__main__")
    module.__dict__["__file__"] = str(HERE / "program.py")
    exec(compile(text, str(HERE / "program.py"), "exec"), vars(module))
    return module


def words(text: str) -> set[str]:
    """The words of a text, however they are written: LogSoftmax and log_softmax are one."""
    found = {word for word in re.findall(r"[A-Za-z_]{3,}", text) if not iskeyword(word)}
    return {word.lower().replace("_", "") for word in found}


def test_every_rule_has_a_fix_that_is_applied() -> None:
    # A program of the Trainer is a right one with an exchange; tests/test_audit_transformers.py runs both.
    by_trainer = {code for *_, codes in PROGRAMS.values() for code in codes}
    assert set(FIXES) | by_trainer == {rule.code for rule in all_rules()}
    assert by_trainer - set(FIXES) == {"GM555", "GM556"}


@pytest.mark.parametrize("code", FIXES)
def test_the_printed_fix_makes_the_finding_go_away(code: str) -> None:
    fix = FIXES[code]
    before, after = report(text_of(fix.program), fix.program), report(changed(fix), fix.program)
    printed = " ".join(finding.fix for finding in before.findings if finding.code == code)
    assert printed
    old, new = (words(" ".join(texts)) for texts in zip(*fix.changes, strict=True))
    typed = new - old - words(part_of(text_of(fix.program), fix.program))
    assert not typed or any(word in printed.lower().replace("_", "") for word in typed), (typed, printed)
    assert not after.at_least("warning"), str(after)
    assert not after.failed
    assert code in {*after.passed, *(skipped.code for skipped in after.not_applicable)}
