"""What does the audit say about right and wrong programs, and does it leave them as they were?"""

from __future__ import annotations

import copy
import gc
import importlib.util
import json
import os
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainer_programs

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")

from goodmeasure.auditing.engine import audit  # noqa: E402
from goodmeasure.auditing.finding import FAILED  # noqa: E402
from goodmeasure.auditing.isolate import copied  # noqa: E402
from goodmeasure.auditing.rule import all_rules, pages  # noqa: E402
from goodmeasure.errors import UsageError  # noqa: E402

HERE = Path(__file__).parent
PROGRAMS = HERE / "audit_programs"
SHARED = HERE.parent.parent / "shared" / "audit-cases"
FOUND = json.loads((PROGRAMS / "findings.json").read_text())

pytestmark = pytest.mark.filterwarnings("default")


def load(path: Path) -> Any:
    name = f"audited_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def programs(prefix: str) -> list[Any]:
    found = []
    for path in sorted(PROGRAMS.glob("*.py")):
        names = [
            line[4 : line.index("(")] for line in path.read_text().splitlines() if line.startswith(f"def {prefix}")
        ]
        found += [pytest.param(path, name, id=f"{path.stem}.{name}") for name in names]
    return found


def report(build: Any) -> Any:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = audit(**build())
    assert not [s for s in made.not_applicable if s.reason.startswith(FAILED)]
    return made


@pytest.mark.parametrize(("path", "name"), programs("right_"))
def test_a_right_program_raises_no_alarm(path: Path, name: str) -> None:
    assert not report(getattr(load(path), name)).at_least("warning")


@pytest.mark.parametrize(("path", "name"), programs("bad_"))
def test_a_wrong_program_is_found(path: Path, name: str) -> None:
    made = report(getattr(load(path), name))
    codes = {f.code for f in made.at_least("warning")}
    assert codes
    assert FOUND.get(f"{path.stem}.{name}", {}).get("codes") == sorted(codes), "run make pages"
    for finding in made.findings:
        assert finding.title
        assert finding.where
        assert finding.seen
        assert finding.why
        assert finding.fix


def test_every_rule_has_a_wrong_program_and_a_page() -> None:
    scripts = json.loads((HERE / "audit_scripts" / "findings.json").read_text())
    shown = {code for row in [*FOUND.values(), *scripts.values()] for code in row["codes"]}
    shown |= {code for *_, codes in trainer_programs.PROGRAMS.values() for code in codes}
    assert {rule.code for rule in all_rules()} == shown
    for code, page in pages().items():
        assert page.startswith(f"# {code}: ")
        said = " ".join(page.split())
        assert all(part in said for part in ("Why it hurts", "Fix", "Ignore it")), code


def test_there_are_many_right_programs() -> None:
    assert len(programs("right_")) >= 60


def shared_cases() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(SHARED.glob("*.py")) if path.name != "score.py"]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared cases are not here")
@pytest.mark.parametrize("path", shared_cases())
def test_shared_cases(path: Path) -> None:
    module = load(path)
    if module.OBSERVE == "intent":
        pytest.skip("only the author's intent decides")
    assert bool(report(module.build).at_least("warning")) == bool(module.FAULT)


def state_of(model: Any) -> dict[str, Any]:
    held: dict[str, Any] = {f"p:{n}": p.detach().clone() for n, p in model.named_parameters()}
    held |= {f"b:{n}": b.clone() for n, b in model.named_buffers()}
    held |= {f"g:{n}": None if p.grad is None else p.grad.clone() for n, p in model.named_parameters()}
    return held


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return (
        all((a is None and two[k] is None) or torch.equal(a, two[k]) for k, a in one.items())
        and one.keys() == two.keys()
    )


@pytest.mark.parametrize(("training", "copyable"), [(True, True), (False, True), (True, False)])
def test_nothing_of_the_program_changes(training: bool, copyable: bool) -> None:
    class Odd(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 3)
            )
            self.calls = 0
            self.lock = None if copyable else (i for i in range(3))  # a generator cannot be copied

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return self.net(x)

    torch.manual_seed(0)
    model = Odd().train(training)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    x, y = torch.randn(12, 6), torch.arange(12) % 3
    torch.nn.functional.cross_entropy(model(x), y).backward()

    def step(model: Any, loss: Any, inputs: Any, targets: Any, optimizer: Any) -> Any:
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    before, calls = state_of(model), model.calls
    seeds = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    inputs, targets = x.clone(), y.clone()
    made = audit(
        model=model,
        loss=torch.nn.CrossEntropyLoss(),
        inputs=x,
        targets=y,
        step=step,
        optimizer=optimizer,
        task="multiclass",
    )
    assert not made.at_least("warning")
    assert same(before, state_of(model))
    assert model.calls == calls
    assert [m.training for m in model.modules()] == [training] * len(list(model.modules()))
    assert not optimizer.state
    assert torch.equal(seeds[0], torch.get_rng_state())
    assert seeds[1] == random.getstate()
    assert np.array_equal(seeds[2], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(x, inputs)
    assert torch.equal(y, targets)
    skipped = {s.reason for s in made.not_applicable}
    assert copyable or any("cannot be copied" in reason for reason in skipped)


def test_a_step_with_closures_trains_copies_only() -> None:
    model = torch.nn.Linear(4, 2)
    teacher = copy.deepcopy(model)

    def step(model: Any, loss: Any, inputs: Any, targets: Any, optimizer: Any) -> None:
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), model.parameters(), strict=True):
                slow.add_(fast)
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        optimizer.step()

    before = state_of(teacher)
    audit(
        model=model,
        loss=torch.nn.CrossEntropyLoss(),
        inputs=torch.randn(8, 4),
        targets=torch.arange(8) % 2,
        step=step,
        optimizer=torch.optim.SGD(model.parameters(), 0.1),
    )
    assert same(before, state_of(teacher))


def test_copies_keep_what_belongs_together() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    pair = copied({"loss": lambda: 1.0 * weight.sum(), "weight": weight}, {})
    assert pair["weight"] is not weight
    with torch.no_grad():
        pair["weight"].zero_()
    assert float(pair["loss"]()) == 0
    assert float(weight.sum()) == 2


class Broken(torch.nn.Module):
    """A model that cannot run here."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.f, self.error = torch.nn.Linear(2, 2), error

    def forward(self, x: Any) -> Any:
        raise self.error


def test_a_crash_is_a_finding_and_a_missing_device_is_not() -> None:
    given = {"loss": torch.nn.MSELoss(), "inputs": torch.ones(4, 2), "targets": torch.ones(4, 2)}
    crashed = audit(model=Broken(IndexError("index 7 is out of bounds")), **given)
    assert [f.code for f in crashed.findings] == ["GM100"]
    assert "index 7" in crashed.findings[0].seen
    assert "in forward" in crashed.findings[0].where
    elsewhere = audit(model=Broken(AssertionError("Torch not compiled with CUDA enabled")), **given)
    assert not elsewhere.findings
    assert any("device" in s.reason for s in elsewhere.not_applicable)


def test_wrong_arguments_skip_the_model() -> None:
    made = audit(
        model=torch.nn.Linear(2, 2),
        loss=torch.nn.MSELoss(),
        inputs=(torch.ones(3, 2), torch.ones(3, 2)),
        targets=torch.ones(3, 2),
    )
    assert not made.findings
    assert any("does not take these inputs" in s.reason for s in made.not_applicable)


def test_nothing_given_is_an_error_and_no_health() -> None:
    with pytest.raises(UsageError, match="nothing to audit"):
        audit()


def test_a_spent_budget_is_reported() -> None:
    given = {
        "model": torch.nn.Linear(2, 2),
        "loss": torch.nn.MSELoss(),
        "inputs": torch.ones(4, 2),
        "targets": torch.ones(4, 2),
    }
    assert any("time budget" in s.reason for s in audit(**given, budget_s=0.0).not_applicable)


def test_a_program_without_a_module_is_audited() -> None:
    scope: dict[str, Any] = {"torch": torch, "__name__": "__main__"}
    source = "def loss(o, t):\n    return torch.nn.functional.cross_entropy(o.softmax(-1), t)\n"
    exec(compile(source, "<cell>", "exec"), scope)  # as a notebook does
    made = audit(model=torch.nn.Linear(4, 3), loss=scope["loss"], inputs=torch.randn(9, 4), targets=torch.arange(9) % 3)
    assert [f.code for f in made.findings] == ["GM102"]


def test_faces_of_the_report() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    made = audit(model=model, loss=torch.nn.CrossEntropyLoss(), inputs=torch.randn(9, 4), targets=torch.arange(9) % 3)
    assert "GM102" in str(made)
    assert "goodmeasure explain GM102" in str(made)
    assert json.loads(made.to_json())["findings"][0]["code"] == "GM102"
    assert made.to_sarif()["runs"][0]["results"][0]["ruleId"] == "GM102"
    assert "<script" not in made._repr_html_()
    assert "GM102" in made._repr_html_()
    assert made.without(["GM102"]).ok
    assert not made.ok
    gc.collect()


@pytest.mark.parametrize(("slope", "least", "most"), [(1.0, 0, 0), (0.5, 0, 0), (0.1, 60, 60)])
def test_how_often_probabilities_are_called_far_too_sure(slope: float, least: int, most: int) -> None:
    rng, said = np.random.default_rng(0), 0
    for _ in range(60):
        odds = rng.standard_t(3, 400)
        y = (rng.random(400) < 1 / (1 + np.exp(-odds))).astype(int)
        p = 1 / (1 + np.exp(-odds / slope))
        made = audit(framework="sklearn", X=p, y=y, output=lambda X: X, output_kind="probability")
        said += any(f.code == "GM526" for f in made.findings)
    assert least <= said <= most


def test_what_follows_from_another_finding_lends_it_its_severity_and_is_skipped() -> None:
    x, y = torch.randn(40, 6), torch.randn(40)
    made = audit(model=torch.nn.Linear(6, 1), loss=lambda o, t: ((o - t) ** 2).mean(), inputs=x, targets=y)
    assert [f.code for f in made.findings] == ["GM101"]
    assert "GM315" not in made.passed
    assert {s.code: s.reason for s in made.not_applicable}["GM315"] == "what it sees follows from GM101"
    codes = {rule.code for rule in all_rules()}
    for rule in all_rules():
        assert set(rule.follows) <= codes - {rule.code}
