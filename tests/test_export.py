"""Does a model in another language say what the model says: the same numbers, the same decisions, for any row and any name?"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars
import pytest

import goodmeasure as gm
from catalogue_losses import everything
from goodmeasure.calibrating.recalibration import Recalibration
from goodmeasure.cli import status_of
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.errors import MissingExtra, NoSuchReading, UsageError
from goodmeasure.exporting.program import NotExportable
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.reading.frames import table
from goodmeasure.reading.tables import VAST
from goodmeasure.study.encoding import encoding
from goodmeasure.study.model import Model
from turns import by_turns

ROOT = Path(__file__).parent.parent
Rows = dict[str, np.ndarray]
Answers = dict[str, list[Any]]


def columns(n: int = 240, seed: int = 0) -> Rows:
    """A table with missing numbers, categories and dates, and targets of each kind that they say something about."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    place = random.choice(["north", "south", "east", "(missing)"], n).astype(object)
    rare = np.where(random.random(n) < 0.02, "rare", random.choice(["a", "b"], n)).astype(object)
    when = np.datetime64("2019-01-01") + random.integers(0, 2000, n)
    mean = np.exp(0.5 + 0.6 * x + 0.4 * (place == "south"))
    years = random.uniform(0.1, 2, n)
    place[random.random(n) < 0.05] = None
    return {
        "x": np.where(random.random(n) < 0.1, np.nan, x),
        "flat": random.integers(0, 3, n).astype(float),
        "place": place,
        "rare": rare,
        "when": when.astype("datetime64[us]"),
        "years": years,
        "amount": mean * random.gamma(4, 0.25, n),
        "count": random.poisson(mean * years).astype(float),
        "hit": np.where(mean > 1.7, "yes", "no").astype(object),
        "kind": np.array(["low", "middle", "high"], dtype=object)[np.digitize(mean, [1.3, 2.2])],
    }


TARGETS = ("amount", "count", "hit", "kind")
MEANINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "yes/no": ("hit", {"positive": "yes"}),
    "yes/no with costs": ("hit", {"positive": "yes", "costs": Costs(false_negative=5, false_positive=1)}),
    "classes": ("kind", {"represents": "classes"}),
    "grades": ("kind", {}),
    "amount": ("amount", {}),
    "amount to provide": ("amount", {"costs": UnderOverCosts(under=3, over=1)}),
    "count with exposure": ("count", {"exposure": "years"}),
    "quantile": ("amount", {"ask": "quantile=0.8"}),
}
SETTINGS = [(meaning, "linear") for meaning in MEANINGS] + [
    ("yes/no with costs", "boosting"),
    ("classes", "boosting"),
    ("count with exposure", "boosting"),
    ("yes/no", "xgboost"),
    ("classes", "lightgbm"),
    ("yes/no with costs", "network"),
    ("classes", "network"),
    ("count with exposure", "network"),
    ("quantile", "network"),
]


@cache
def modelled(meaning: str, kind: str) -> Model:
    """A model of each meaning, made once."""
    target, asked = MEANINGS[meaning]
    others = tuple(name for name in TARGETS if name != target)
    return gm.run(columns(), target, model=kind, protocol="holdout", exclude=others, **asked).model


def new_rows() -> Rows:
    """Rows with what the fitted rows did not hold: other categories, none, vast numbers, dates of other centuries."""
    rows = columns(40, seed=1)
    rows["place"][:3] = ["the moon", None, ""]
    rows["x"][:6] = [np.inf, -np.inf, np.nan, 1e200, -1.7e308, VAST]
    rows["when"][:4] = np.array(["1899-02-28", "2000-02-29", "NaT", "2024-12-31T23:59:59"], dtype="datetime64[us]")
    return rows


# --- the languages, each asked about a table ---


def plain(rows: Rows) -> list[dict[str, Any]]:
    """Rows as dictionaries of Python's own values, and dates as texts."""
    lists = {}
    for name, values in rows.items():
        if values.dtype.kind == "M":
            lists[name] = [None if np.isnat(v) else str(v) for v in values]
        else:
            lists[name] = [None if isinstance(v, float) and np.isnan(v) else v for v in values.tolist()]
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def transposed(rows: list[dict[str, Any]]) -> Answers:
    return {name: [row[name] for row in rows] for name in rows[0]}


def by_python(model: Model, rows: Rows, place: Path) -> Answers:
    model.export(place / "m.py")
    known: dict[str, Any] = {}
    exec((place / "m.py").read_text(encoding="ascii"), known)
    return transposed([known["predict"](row) for row in plain(rows)])


_NODE = """
import { readFileSync } from "node:fs";
const rows = JSON.parse(readFileSync("rows.json", "utf8"));
const found = {};
for (const name of JSON.parse(process.argv[1])) {
  const { predict } = await import(process.cwd() + "/" + name);
  found[name] = rows.map((row) => predict(row)).map((row) => Object.entries(row));
}
console.log(JSON.stringify(found));
"""


def in_node(names: list[str], rows: Rows, place: Path) -> dict[str, Answers]:
    """What exported modules say of rows, all of them asked by one process."""
    (place / "package.json").write_text('{"type": "module"}')
    (place / "rows.json").write_text(json.dumps(plain(rows)).replace("Infinity", "1e999"))
    command = ["node", "--input-type=module", "-e", _NODE, json.dumps(names)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: transposed([dict(row) for row in said]) for name, said in json.loads(done.stdout).items()}


def by_javascript(model: Model, rows: Rows, place: Path) -> Answers:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    model.export(place / "m.js")
    return in_node(["m.js"], rows, place)["m.js"]


def by_sql(model: Model, rows: Rows, place: Path) -> Answers:
    model.export(place / "m.sql")
    return asked_of_duckdb((place / "m.sql").read_text(encoding="utf-8"), rows)


def asked_of_duckdb(question: str, rows: Rows) -> Answers:
    """What DuckDB answers, beside the rows themselves."""
    with duckdb.connect() as connection:
        connection.register(
            "rows", polars.DataFrame({name: values.tolist() for name, values in rows.items()}).to_arrow()
        )
        asked = connection.execute(question)
        names = [each[0] for each in asked.description]
        given = dict(zip(names, map(list, zip(*asked.fetchall(), strict=True)), strict=True))
    assert list(given)[: len(rows)] == list(rows)
    return {name: values for name, values in given.items() if name not in rows}


def by_onnx(model: Model, rows: Rows, place: Path) -> Answers:
    runtime = pytest.importorskip("onnxruntime")
    model.export(place / "m.onnx")
    session = runtime.InferenceSession((place / "m.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    feed = {each.name: _fed(rows[each.name]) for each in session.get_inputs()}
    found = session.run(None, feed)
    return {each.name: values.tolist() for each, values in zip(session.get_outputs(), found, strict=True)}


def _fed(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[us]").astype(np.int64) / 86_400_000_000)
    if values.dtype == object:
        return np.array(["(missing)" if v is None else v for v in values], dtype=object)
    return values


LANGUAGES: dict[str, Callable[[Model, Rows, Path], Answers]] = {
    "py": by_python,
    "js": by_javascript,
    "sql": by_sql,
    "onnx": by_onnx,
}


def assert_says(found: Answers, model: Model, rows: Rows) -> None:
    """The answers are the model's: labels are the same, and numbers to 1e-12."""
    wanted, _ = model.answers(rows)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        if values.dtype == object:
            assert found[name] == values.tolist(), name
        else:
            np.testing.assert_allclose(np.array(found[name], dtype=float), values, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize(("setting", "language"), by_turns(SETTINGS, tuple(LANGUAGES)), ids=str)
def test_it_says_what_the_model_says(tmp_path: Path, setting: tuple[str, str], language: str) -> None:
    meaning, kind = setting
    model = modelled(meaning, kind)
    assert_says(LANGUAGES[language](model, new_rows(), tmp_path), model, new_rows())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("meaning", ["yes/no", "classes"])
def test_recalibration_goes_with_it(tmp_path: Path, meaning: str, language: str) -> None:
    method, numbers = ("temperature", (0.7,)) if meaning == "classes" else ("platt", (1.2, -0.3))
    model = modelled(meaning, "linear").using(recalibration=Recalibration(method, ((numbers,),), raw=True))
    assert_says(LANGUAGES[language](model, new_rows(), tmp_path), model, new_rows())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "loss",
    [
        gm.losses.quantiles(levels=(0.05, 0.5, 0.95)).with_activation(("sigmoid(-2,5)",) * 3),
        gm.losses.pinball(level=0.9).with_activation("sigmoid(-2,5)"),
        gm.losses.absolute_error().with_activation("sigmoid(-2,5)"),
    ],
    ids=lambda loss: loss.facts.asks_for,
)
def test_quantiles_of_bounded_amounts_are_the_bounds_where_they_are_in_predict(
    tmp_path: Path, loss: gm.Loss, language: str
) -> None:
    model, rows = predicting(numbers_alone(), loss), {"x": np.linspace(-12, 12, 49)}
    found = LANGUAGES[language](model, rows, tmp_path)
    assert_says(found, model, rows)
    wanted, _ = model.answers(rows)
    for name, values in wanted.items():
        at = np.isin(values, (-2.0, 5.0))
        assert (np.isin(found[name], (-2.0, 5.0)) == at).all()
        assert at.any() or model.scorer.coefficients[list(wanted).index(name), 0] == 0  # type: ignore[attr-defined]


# --- every loss ---


def numbers_alone() -> Model:
    """A model of one number."""
    x = np.linspace(-2, 2, 60)
    return gm.run({"x": x, "y": x + np.sin(9 * x)}, "y", protocol="holdout").model


def predicting(base: Model, loss: Any) -> Model:
    """The model with another loss, and raw outputs that go far to both sides."""
    outputs = 3 if loss.is_classwise else len(loss.activation)
    scorer = LinearScorer(np.linspace(-9, 9, outputs)[:, None] if outputs > 1 else np.array([[9.0]]), np.zeros(outputs))
    labels = ("a", "b", "c") if loss.is_classwise or loss.is_graded else ("no", "yes") if loss.is_binary else ()
    return base.using(loss=loss, scorer=scorer, labels=labels, recalibration=None)


def test_every_loss_that_predicts_is_exported_or_refused_and_never_wrong(tmp_path: Path) -> None:
    base, rows = numbers_alone(), {"x": np.concatenate([np.linspace(-6, 6, 60), [np.nan]])}
    refused, modules = set(), {}
    for k, loss in enumerate(everything()):
        model = predicting(base, loss)
        try:
            model.predict(rows)
            model.export(tmp_path / f"m{k}.js")
        except (NotExportable, NoSuchReading) as problem:
            refused.add((loss.spelling.factory, problem.code))
            continue
        modules[f"m{k}.js"] = model
        for language in ("py", "sql", "onnx"):
            assert_says(LANGUAGES[language](model, rows, tmp_path), model, rows)
    several = [loss for loss in everything() if not loss.is_classwise and len(loss.activation) > 1]
    distributions = {loss.spelling.factory for loss in several if loss.facts.asks_for == "distribution"}
    assert {name for name, code in refused if code == "GM272"} == {"circular", "arrow_error"} | distributions
    assert len(modules) > 30
    if shutil.which("node") is not None:
        for name, found in in_node([*modules], rows, tmp_path).items():
            assert_says(found, modules[name], rows)


def test_undone_weights_and_the_first_of_equals(tmp_path: Path) -> None:
    base, rows = numbers_alone(), {"x": np.linspace(-3, 3, 25)}
    losses = [
        gm.losses.binary_cross_entropy(positive_weight=8.0),
        gm.losses.cross_entropy(class_weight=[1.0, 5.0, 2.0]),
    ]
    for loss in [*losses, gm.losses.focal(gamma=1.5, class_weight=[1.0, 2.0, 3.0])]:
        model = predicting(base, loss)
        for say in LANGUAGES.values():
            assert_says(say(model, rows, tmp_path), model, rows)
    alike = predicting(base, gm.losses.cross_entropy())
    alike = alike.using(scorer=LinearScorer(np.zeros((3, 1)), np.zeros(3)))
    for say in LANGUAGES.values():
        assert_says(say(alike, rows, tmp_path), alike, rows)


def test_dates_may_be_written_in_any_usual_way(tmp_path: Path) -> None:
    model = modelled("amount", "linear")
    row = plain(new_rows())[5]
    texts = ["2024-05-01T12:30:00", "2024-05-01 12:30:00", "2024-05-01T14:30:00+02:00", "2024-05-01T12:30:00Z"]
    model.export(tmp_path / "m.py")
    known: dict[str, Any] = {}
    exec((tmp_path / "m.py").read_text(), known)
    said = [known["predict"]({**row, "when": text})["prediction"] for text in texts]
    assert set(said) == {said[0]}
    if shutil.which("node") is not None:
        rows = {name: np.array([cell] * 4, dtype=object) for name, cell in row.items()} | {
            "when": np.array(texts, dtype=object)
        }
        model.export(tmp_path / "m.js")
        np.testing.assert_allclose(in_node(["m.js"], rows, tmp_path)["m.js"]["prediction"], said[0], rtol=1e-12)


def test_more_columns_than_calls_may_be_nested_are_one_question(tmp_path: Path) -> None:
    base = numbers_alone()
    random = np.random.default_rng(0)
    rows = {f"x{k}": random.normal(size=4) for k in range(1200)}
    fitted = encoding(table({name: random.normal(size=50) for name in rows}), list(rows))
    model = base.using(encoding=fitted, scorer=LinearScorer(random.normal(size=(1, 1200)), np.zeros(1)))
    for language in ("py", "sql"):
        assert_says(LANGUAGES[language](model, rows, tmp_path), model, rows)


# --- names and texts of any kind ---

HOSTILE = [
    'a"b',
    "c'd",
    "select",
    "; DROP TABLE rows; --",
    "__proto__",
    "gm x0",
    "GM z0",
    "{row}",
    "${x}",
    "back\\slash",
    "new\nline",
    "line\u2028separator",
    "größe 😀",
    "*/ </script> #",
    "row",
]


@pytest.mark.parametrize("kind", ["linear", "boosting", "network"])
def test_names_and_texts_are_never_code(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(0)
    n = 600
    table: Rows = {name: random.normal(size=n) for name in HOSTILE}
    table["text '"] = np.array(HOSTILE, dtype=object)[random.integers(0, len(HOSTILE), n)]
    table["text '"][random.random(n) < 0.1] = None
    score = sum(table[name] for name in HOSTILE[:4]) + (table["text '"] == "__proto__") * 2.0
    table["tar\"get'"] = np.where(score > 0, "y'es\"\\", "n\no😀").astype(object)
    model = gm.run(table, "tar\"get'", positive="y'es\"\\", model=kind, protocol="holdout").model
    rows = {name: values[:50] for name, values in table.items() if name != "tar\"get'"}
    for say in LANGUAGES.values():
        assert_says(say(model, rows, tmp_path), model, rows)


# --- what is refused ---


def test_other_endings_and_parts_that_cannot_be_said_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = modelled("yes/no", "linear")
    with pytest.raises(UsageError, match=r"m\.pkl"):
        model.export(tmp_path / "m.pkl")
    stepped = Recalibration("isotonic", (((0.0, 1.0), (0.1, 0.9)),), raw=True)
    with pytest.raises(NotExportable, match="isotonic"):
        model.using(recalibration=stepped).export(tmp_path / "m.sql")
    smoothed = predicting(numbers_alone(), gm.losses.cross_entropy(smoothing=0.1))
    with pytest.raises(NotExportable, match="class probabilities"):
        smoothed.export(tmp_path / "m.py")
    assert not list(tmp_path.iterdir())
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtra) as error:
        model.export(tmp_path / "m.onnx")
    assert error.value.fix == "pip install 'goodmeasure[onnx]'"


def test_cells_of_another_kind_are_errors_in_python_too(tmp_path: Path) -> None:
    model = modelled("count with exposure", "linear")
    model.export(tmp_path / "m.py")
    known: dict[str, Any] = {}
    exec((tmp_path / "m.py").read_text(), known)
    row = plain(new_rows())[5]
    with pytest.raises(TypeError, match="'x' holds 'three'"):
        known["predict"]({**row, "x": "three"})
    with pytest.raises(ValueError, match="exposure 'years'"):
        known["predict"]({**row, "years": 0.0})
    with pytest.raises(KeyError, match="place"):
        known["predict"]({name: cell for name, cell in row.items() if name != "place"})


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modelled("yes/no", "linear").save(tmp_path / "model.json")
    assert status_of(["export", str(tmp_path / "model.json"), str(tmp_path / "m.sql")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'm.sql'}\n"
    assert "-- the probability of hit" in (tmp_path / "m.sql").read_text()
    assert status_of(["export", str(tmp_path / "model.json"), str(tmp_path / "m.sql")]) == 0
    (tmp_path / "mine.sql").write_text("SELECT 1")
    assert status_of(["export", str(tmp_path / "model.json"), str(tmp_path / "mine.sql")]) == 2
    assert (tmp_path / "mine.sql").read_text() == "SELECT 1"
    assert status_of(["export", str(tmp_path / "model.json"), str(tmp_path / "model.json")]) == 2
    assert status_of(["export", str(tmp_path / "model.json"), str(tmp_path / "m.txt")]) == 2
    assert status_of(["export", str(tmp_path / "none.json"), str(tmp_path / "m.sql")]) == 3


# --- the page, the example, and other dialects ---


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    age, plan = random.integers(18, 80, 600), random.choice(["basic", "full"], 600)
    since = np.datetime64("2020-01-01") + random.integers(0, 1500, 600)
    churned = np.where(random.random(600) < 1 / (1 + np.exp((age - 45) / 9)), "yes", "no")
    lines = [",".join(map(str, row)) for row in zip(age, plan, since, churned, strict=True)]
    (tmp_path / "customers.csv").write_text("\n".join(["age,plan,since,churned", *lines]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    page = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    known: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        *lines, last = block.strip().splitlines()
        exec("\n".join(lines), known)
        known["said"] = (
            eval(last.partition("  #")[0], known) if not last.startswith(("study", "duckdb")) else exec(last, known)
        )
    model = known["study"].model
    row = {"age": [41], "plan": ["basic"], "since": np.array(["2024-05-01"], dtype="datetime64[us]")}
    np.testing.assert_allclose(known["said"][0], model.predict(row), rtol=1e-12)
    assert known["said"][1].tolist() == model.decide(row).tolist()
    assert known["predict"]({"age": 41, "plan": "basic", "since": "2024-05-01"})["decision"] == model.decide(row)[0]


def test_the_example() -> None:
    spec = importlib.util.spec_from_file_location("export_model", ROOT / "examples" / "export_model.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert example.main() < 1e-12


@pytest.mark.parametrize("kind", ["linear", "boosting", "network"])
def test_sqlglot_reads_the_question_and_writes_it_anew(tmp_path: Path, kind: str) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    model, rows = modelled("yes/no with costs", kind), new_rows()
    model.export(tmp_path / "m.sql")
    text = (tmp_path / "m.sql").read_text(encoding="utf-8")
    for dialect in ("snowflake", "bigquery", "databricks"):
        assert sqlglot.transpile(text, read="duckdb", write=dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)
    (again,) = sqlglot.transpile(text, read="duckdb", write="duckdb")
    assert_says(asked_of_duckdb(again, rows), model, rows)
