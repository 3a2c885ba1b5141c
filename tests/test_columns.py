"""Do expressions of SQL and Polars give the numbers of the loss, far out too, and nothing where there is none to give?"""

import importlib.util
import itertools
import math
import sys
from pathlib import Path

import duckdb
import numpy as np
import polars
import pyarrow
import pytest
import sqlglot

import goodmeasure as gm
from catalogue_losses import everything, variants, weighted
from goodmeasure.deriving.predictions import implies_probability
from goodmeasure.errors import NoSuchReading
from goodmeasure.frameworks.columns import TableLoss
from goodmeasure.frameworks.sql import DIALECTS, room_for
from turns import by_turns

L = gm.losses
ALL = [*everything(), *weighted(), *variants(), gm.weighted(L.cross_entropy(smoothing=0.1), classes=[1.0, 3.0, 0.5])]
HOSTS = ("duckdb", "polars")
FAR = np.array([-700.0, -300, -80, -37, -20, -1e-3, 0, 1e-3, 20, 37, 80, 300, 700])
hosts = pytest.mark.parametrize("host", HOSTS)


def names_of(loss):
    """The columns of raw outputs."""
    count = (len(loss.class_weight) or 3) if loss.is_classwise else len(loss.activation)
    return ["z"] if count == 1 else [f"z{i}" for i in range(count)]


def rows(loss, size=60):
    """Targets and raw outputs, half of them far out."""
    r, count = np.random.default_rng(5), len(names_of(loss))
    far = FAR if loss.is_classwise or count == 1 else FAR[np.abs(FAR) < 100]
    z = np.concatenate([r.normal(0, 3, (size // 2, count)), r.choice(far, (size - size // 2, count))])
    z += 1e-3 * r.normal(size=z.shape)  # no ties: a kink has more than one derivative
    known = range(count) if loss.is_classwise else [v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target]
    return r.choice(known, size), z if count > 1 else z[:, 0]


def said(host, loss, **named):
    named = named or {"raw": names_of(loss)}
    return gm.to_polars(loss, **named) if host == "polars" else gm.to_sql(loss, **named)


def on_table(columns, asked):
    """What DuckDB answers of a table of columns."""
    connection = duckdb.connect()
    connection.register("held", pyarrow.table(columns))
    return connection.execute(f"SELECT {asked} FROM held")


def read(expressions, columns):
    """The numbers of expressions on a table."""
    if not isinstance(expressions[0], str):
        named = [e.alias(f"e{i}") for i, e in enumerate(expressions)]
        return polars.DataFrame(columns).select(named).to_numpy().astype(float)
    found = on_table(columns, ", ".join(f"CAST({e} AS DOUBLE) AS e{i}" for i, e in enumerate(expressions))).fetchnumpy()
    return np.stack([np.ma.filled(found[name], np.nan) for name in found], -1)


def table(loss, y, z):
    return {"y": y.astype(float), **dict(zip(names_of(loss), z.reshape(len(y), -1).T, strict=True))}


@pytest.mark.parametrize(("loss", "host"), by_turns(ALL, HOSTS), ids=str)
def test_value_and_signal_are_those_of_the_loss(loss, host):
    y, z = rows(loss)
    made = said(host, loss)
    found = read([made.value, *made.signal], table(loss, y, z))
    with np.errstate(all="ignore"):
        value, signal = loss.value(y, z), loss.gradient(y, z)
    np.testing.assert_allclose(found[:, 0], value, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[:, 1:], signal.reshape(len(y), -1), rtol=1e-12, atol=1e-15)


def told(loss):
    """Whether a formula gives its predictions."""
    try:
        return bool(gm.to_sql(loss, raw=names_of(loss)).prediction)
    except NoSuchReading:
        return False


PREDICTING = [loss for loss in ALL if told(loss)]


@pytest.mark.parametrize(("loss", "host"), by_turns(PREDICTING, HOSTS), ids=str)
def test_predictions_are_those_of_the_loss(loss, host):
    y, z = rows(loss)
    with np.errstate(all="ignore"):
        wanted = loss.predict(z)
    found = read(said(host, loss).prediction, table(loss, y, z))
    np.testing.assert_allclose(found, wanted.reshape(len(y), -1), rtol=1e-11, atol=1e-15)


def test_a_prediction_is_refused_only_where_there_is_none_or_it_takes_a_search():
    refused = [loss for loss in ALL if not told(loss)]
    assert all(loss.is_binary or loss.is_classwise for loss in refused)
    assert all(not implies_probability(loss) for loss in refused if loss.is_binary)
    assert told(L.cross_entropy(class_weight=(1.0, 2.0, 5.0)))


@pytest.mark.parametrize(
    ("loss", "host"), by_turns((each for each in everything() if not each.is_classwise), HOSTS), ids=str
)
def test_predictions_in_place_of_raw_outputs(loss, host):
    y, z = rows(loss)
    y, z = y[: len(y) // 2], z[: len(y) // 2]
    p = list((1 / (1 + np.exp(-z)) if loss.is_binary else loss.predict(z)).reshape(len(y), -1).T)
    names = names_of(loss)
    made = said(host, loss, prediction=names)
    found = read([made.value], dict(zip(names, p, strict=True)) | {"y": y.astype(float)})[:, 0]
    assert math.isclose(found.mean(), loss(y, prediction=np.stack(p, -1) if len(p) > 1 else p[0]), rel_tol=1e-11)


@hosts
@pytest.mark.parametrize(
    ("loss", "costs"),
    [
        (L.binary_cross_entropy(positive_weight=9.0), gm.Costs(false_negative=40, false_positive=5)),
        (L.binary_focal(), gm.Costs(false_negative=4, false_positive=5, ask=0.5)),
        (L.cross_entropy(class_weight=(1.0, 2.0, 5.0)), gm.ClassCosts([[0, 1, 4], [1, 0, 1], [9, 3, 0]])),
    ],
    ids=repr,
)
def test_decisions_are_those_of_least_cost(loss, costs, host):
    y, z = rows(loss)
    found = read([said(host, loss).decision(costs)], table(loss, y, z))[:, 0]
    assert found.tolist() == gm.bayes_act(loss.predict(z), costs).tolist()
    assert len(set(found)) > 1
    z[0] = math.nan  # NaN is above every threshold in a language of tables, and was acted on
    assert math.isnan(read([said(host, loss).decision(costs)], table(loss, y, z))[0, 0])


@hosts
@pytest.mark.parametrize("loss", [*everything()[::4], L.cross_entropy(), L.gaussian_nll(), L.zero_one()], ids=repr)
def test_what_is_missing_or_outside_gives_no_number(loss, host):
    y, z = (part[:6] for part in rows(loss))
    wrong = [v for v in (-1.0, 0.5, 255.0, math.nan, math.inf) if loss.is_classwise or v not in loss.target]
    columns = {name: [None if v is None else float(v) for v in column] for name, column in table(loss, y, z).items()}
    first = names_of(loss)[0]
    columns["y"] = [*columns["y"][:4], None, wrong[0]]
    columns[first] = [*columns[first][:2], None, math.nan, *columns[first][4:]]
    made = said(host, loss)
    if host == "polars":
        found = polars.DataFrame(columns, strict=False).select(v=made.value)["v"].to_list()
    else:
        found = [v for (v,) in on_table(columns, made.value).fetchall()]
    assert found[2] is found[4] is None
    assert math.isnan(found[3])
    assert math.isnan(found[5])
    assert all(math.isfinite(v) for v in found[:2])


@pytest.mark.parametrize("name", ['a "quoted" name', "select", "y; DROP TABLE t", "é ü", "a'b", "{y}", "100%"])
def test_any_name_of_a_column_is_quoted(name):
    asked = gm.to_sql(L.absolute_error(), target=name).value
    assert on_table({name: [3.0, 4.0], "z": [1.5, 4.5]}, f"avg({asked})").fetchone() == (1.0,)
    assert sqlglot.parse_one(gm.to_sql(L.absolute_error(), "bigquery", target=name).value, read="bigquery")


IN_TURN = [*zip(everything(), itertools.cycle(DIALECTS[1:]))]
DEEPEST = [(loss, dialect) for loss in (L.gaussian_crps(), L.fair()) for dialect in DIALECTS[1:]]


@pytest.mark.parametrize(("loss", "dialect"), IN_TURN + DEEPEST, ids=str)
def test_other_dialects_read_what_is_said_as_what_was_meant(loss, dialect):
    """Said in the dialect and read back into DuckDB's, the numbers are the same."""
    y, z = rows(loss, 12)
    made, limit = gm.to_sql(loss, dialect, raw=names_of(loss)), sys.getrecursionlimit()
    with room_for(made.value):
        back = sqlglot.transpile(made.value, read=dialect, write="duckdb")[0]
    assert sys.getrecursionlimit() == limit
    found = read([back], table(loss, y, z))[:, 0]
    np.testing.assert_allclose(found, loss.value(y, z), rtol=1e-12, atol=1e-15)


def test_it_says_what_it_is():
    made = gm.to_sql(L.huber(delta=2.0), "snowflake")
    assert isinstance(made, TableLoss)
    assert repr(made) == "TableLoss(huber(delta=2.0), 'snowflake')"


def test_the_example_scores_a_table():
    path = Path(__file__).parent.parent / "examples" / "score_in_sql.py"
    spec = importlib.util.spec_from_file_location("score_in_sql", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    few, many = (example.report(gm.Costs(false_negative=c, false_positive=5)) for c in (1, 40))
    assert [region for region, *_ in few] == ["north", "south"]
    assert all(a[1] == b[1] and a[2] < b[2] for a, b in zip(few, many, strict=True))
