"""Does what a user wrote reach the database as a quoted name, a literal or a checked condition, and in no other way?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import goodmeasure
from goodmeasure.errors import UsageError
from goodmeasure.reading.conditions import FUNCTIONS, condition
from goodmeasure.reading.connection import Reader
from goodmeasure.reading.sql import Sql, literal, quoted, sql

ROOT = Path(goodmeasure.__file__).parent
SQL, CONNECTION, CONDITIONS = (ROOT / "reading" / f"{name}.py" for name in ("sql", "connection", "conditions"))
FILES = sorted(ROOT.rglob("*.py"))


def calls(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a module, with the last part of the name of what is called."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


@pytest.mark.parametrize("file", [f for f in FILES if "duckdb" in f.read_text(encoding="utf-8")], ids=lambda f: f.stem)
def test_the_database_is_asked_in_one_place(file: Path) -> None:
    if file != CONNECTION:
        assert not {name for name, _ in calls(file)} & {
            "connect",
            "execute",
            "executemany",
            "from_arrow",
            "read_csv",
            "query",
        }


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_sql_is_made_of_templates_that_stand_in_the_program(file: Path) -> None:
    for name, call in calls(file):
        if name == "sql" and isinstance(call.func, ast.Name):
            assert isinstance(call.args[0], ast.Constant), f"{file.name}:{call.lineno}"
        if name == "by_template" and file != SQL:  # a table of templates of the program
            assert isinstance(call.args[0], ast.Subscript), f"{file.name}:{call.lineno}"
            assert ast.unparse(call.args[0].value) in ("TEMPLATES", "PARTS"), f"{file.name}:{call.lineno}"
        if name == "Sql" and file not in (SQL, CONDITIONS):
            assert isinstance(call.args[0], ast.Constant), f"{file.name}:{call.lineno}"


@pytest.mark.parametrize("text", ["a", 'a"; DROP TABLE t; --', "it's", "", "{}", "\\", "\n", "ü", "a\x01b"])
def test_names_and_literals_come_back_as_they_were(text: str) -> None:
    with Reader() as reader:
        found = reader.ask(sql("SELECT {value} AS {name}", value=literal(text), name=quoted(text or "x")))
        assert found.fetchall() == [(text,)]
        assert found.description[0][0] == (text or "x")


def test_a_text_is_no_piece_of_sql() -> None:
    with Reader() as reader:
        for refused in (lambda: sql("SELECT {a}", a="1"), lambda: reader.ask("SELECT 1")):
            with pytest.raises(TypeError):
                refused()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1 AS y) TO '{}' (FORMAT csv, USE_TMP_FILE false)",
        "SELECT 1; COPY (SELECT 1 AS y) TO '{}'",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS y) TO '{}'",
        "ATTACH '{}' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "PRAGMA threads = 1",
        "CALL pragma_version()",
        "CREATE TABLE t AS SELECT 1",
        "EXPORT DATABASE '{}'",
        "",
    ],
)
def test_a_reader_runs_one_select_and_nothing_else(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    with Reader([str(path)]) as reader, pytest.raises(PermissionError):
        reader.ask(Sql(statement.replace("{}", str(path))))
    assert path.read_text() == "a\n1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]


def test_a_reader_reaches_only_the_files_that_were_named(tmp_path: Path) -> None:
    import duckdb

    for name in ("mine.csv", "other.csv"):
        (tmp_path / name).write_text("a\n1\n")
    frame = [1]  # noqa: F841 - what stands in a program is not within reach either
    with Reader([str(tmp_path / "mine.csv")]) as reader:
        assert reader.ask(
            sql("SELECT * FROM read_csv({path})", path=literal(str(tmp_path / "mine.csv")))
        ).fetchall() == [(1,)]
        for strange in (
            sql("SELECT * FROM read_csv({path})", path=literal(str(tmp_path / "other.csv"))),
            sql("SELECT * FROM read_text('/etc/passwd')"),
            sql("SELECT * FROM glob('*')"),
            sql("SELECT * FROM frame"),
        ):
            with pytest.raises(duckdb.Error):
                reader.ask(strange).fetchall()


# --- conditions ---

NAMES = ["a", "b c", 'd"e', "select", "f's"]
cells = st.one_of(st.sampled_from(NAMES).map(quoted), st.integers(-9, 9).map(str), st.text(max_size=4).map(literal))
expressions = st.recursive(
    cells,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["=", "<>", "<", "AND", "OR", "+", "||", "LIKE", "IS DISTINCT FROM"]), inner
        ).map(lambda three: f"({three[0]}) {three[1]} ({three[2]})"),
        inner.map(lambda one: f"NOT ({one})"),
        inner.map(lambda one: f"({one}) IS NULL"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}) IN (({two[1]}), 1)"),
        st.tuples(inner, inner, inner).map(lambda three: f"CASE WHEN {three[0]} THEN {three[1]} ELSE {three[2]} END"),
        st.tuples(inner, st.sampled_from(["DOUBLE", "VARCHAR", "DECIMAL(9, 2)"])).map(
            lambda two: f"TRY_CAST({two[0]} AS {two[1]})"
        ),
        st.tuples(st.sampled_from(["abs", "lower", "coalesce", "isnan"]), inner).map(lambda two: f"{two[0]}({two[1]})"),
    ),
    max_leaves=8,
)


@given(expressions)
def test_what_a_checked_condition_says_is_again_that_condition(text: str) -> None:
    if "\0" in text:
        return
    found = condition(text, NAMES, "t.csv")
    again = condition(found.sql, NAMES, "t.csv")
    assert (again.sql, set(again.columns)) == (found.sql, set(found.columns))


@given(st.text(alphabet="ab(),;'\"-*/ \n=1<>", max_size=30))
def test_no_text_is_more_than_one_expression_of_the_columns(text: str) -> None:
    try:
        found = condition(text, ["a", "b"], "t.csv")
    except UsageError:
        return
    assert set(found.columns) <= {"a", "b"}
    with Reader() as reader:
        ((n,),) = reader.ask(
            sql("SELECT count(*) FROM (SELECT 1 AS a, 2 AS b) WHERE {found} IS NULL OR true", found=found.sql)
        ).fetchall()
    assert n == 1


def test_every_function_that_is_allowed_is_one() -> None:
    with Reader() as reader:
        known = {name for (name,) in reader.ask(sql("SELECT function_name FROM duckdb_functions()")).fetchall()}
    assert FUNCTIONS - known <= {"if", "nullif"}
