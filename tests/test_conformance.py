"""One loss, every host: each gives the numbers of the plain formula, whatever the loss and the precision."""

import doctest
import re
from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import duckdb
import jax
import jax.numpy as jnp
import keras
import numpy as np
import polars
import pyarrow
import pytest
import torch

import goodmeasure as gm
from catalogue_losses import everything, variants
from goodmeasure import kernels
from goodmeasure.errors import NoSuchReading
from turns import at_night, precision_of

LOSSES = [*everything(), *variants()]
SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")


@dataclass(frozen=True)
class Host:
    """Values and signals of a loss in a host, and the precisions that it computes in."""

    numbers: Callable
    precisions: tuple = (SINGLE, DOUBLE)


def compiled(loss, y, z):
    values, signal = kernels.each(loss, y, z, None, signal=True)
    return values, signal


def in_torch(loss, y, z):
    raw = torch.tensor(z, requires_grad=True)
    values = gm.to_torch(loss, reduction="none")(raw, torch.tensor(y))
    return values.detach().numpy(), torch.autograd.grad(values.sum(), raw)[0].numpy()


def in_jax(loss, y, z):
    with jax.enable_x64(z.dtype == DOUBLE):
        of_each = gm.to_jax(loss)

        @jax.jit
        def both(z, y):
            values, back = jax.vjp(lambda z: of_each(z, y), z)
            return values, back(jnp.ones_like(values))[0]

        return tuple(map(np.asarray, both(jnp.asarray(z), jnp.asarray(y))))


def in_keras(loss, y, z):
    """On torch; on JAX the tests of Keras run."""
    assert keras.backend.backend() == "torch"
    raw = torch.tensor(z, requires_grad=True)
    values = gm.to_keras(loss, reduction="none", dtype=z.dtype.name)(y, raw)
    return values.detach().numpy(), torch.autograd.grad(values.sum(), raw)[0].numpy()


def booster(to):
    """What a booster is handed: a mean, and a signal of each row."""

    def numbers(loss, y, z):
        made = to(loss)
        mean, signal = made.metric(y, z), made(y, z)[0]
        return np.asarray(mean[1] if isinstance(mean, tuple) else mean), np.asarray(signal).reshape(z.shape)

    return numbers


def names_of(z):
    return [f"z{i}" for i in range(z.shape[1])] if z.ndim > 1 else ["z"]


def columns(y, z):
    return {"y": y.astype(float), **dict(zip(names_of(z), z.reshape(len(y), -1).T, strict=True))}


def in_duckdb(loss, y, z):
    said, connection = gm.to_sql(loss, raw=names_of(z)), duckdb.connect()
    connection.register("held", pyarrow.table(columns(y, z)))
    asked = ", ".join(f"CAST({e} AS DOUBLE) AS e{i}" for i, e in enumerate((said.value, *said.signal)))
    return apart([*connection.execute(f"SELECT {asked} FROM held").fetchnumpy().values()], z)


def in_polars(loss, y, z):
    said = gm.to_polars(loss, raw=names_of(z))
    named = [e.alias(f"e{i}") for i, e in enumerate((said.value, *said.signal))]
    return apart(polars.DataFrame(columns(y, z)).select(named).to_numpy().T, z)


def apart(found, z):
    value, *signal = (np.asarray(each, float) for each in found)
    return value, np.stack(signal, -1).reshape(z.shape)


HOSTS = {
    "compiled kernels": Host(compiled),
    "torch": Host(in_torch),
    "JAX": Host(in_jax),
    "Keras": Host(in_keras),
    "DuckDB": Host(in_duckdb, (DOUBLE,)),
    "Polars": Host(in_polars, (DOUBLE,)),
    "XGBoost": Host(booster(gm.to_xgboost), (DOUBLE,)),
    "LightGBM": Host(booster(gm.to_lightgbm), (DOUBLE,)),
}


def points(loss, precision):
    """Targets and raw outputs: near zero, and in the tails."""
    r, rows = np.random.default_rng(11), 12
    count = (len(loss.class_weight) or 3) if loss.is_classwise else len(loss.activation)
    z = np.concatenate([r.normal(0.1, 1.5, (rows, count)), r.normal(0, 1, (4, count)) * 18]).astype(precision)
    y = r.choice(range(count) if loss.is_classwise else [v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target], rows + 4)
    return (y if loss.is_classwise else y.astype(precision)), (z if count > 1 else z[:, 0])


@pytest.fixture(autouse=True)
def _compiled_soon(request):
    """What JAX does not optimise it compiles in two thirds of the time; it does optimise every eighth by day and all at night."""
    by_day = request.node.get_closest_marker("nightly") is None
    jax.config.update("jax_disable_most_optimizations", by_day and crc32(request.node.name.encode()) % 8 > 0)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


# Columns of tables and scores of boosters are doubles. Elsewhere each loss takes its turn in one precision, for which it is
# compiled: the formula that this begins with is the same.
CASES = [
    at_night(
        host, loss, precision,
        unless=len(about.precisions) == 1 or precision_of(loss) == precision, id=f"{host}-{loss!r}-{precision}",
    )
    for host, about in HOSTS.items()
    for loss in LOSSES
    for precision in about.precisions
]  # fmt: skip


@pytest.mark.parametrize(("host", "loss", "precision"), CASES)
def test_a_host_gives_the_numbers_of_the_formula(host, loss, precision):
    y, z = points(loss, precision)
    if host in ("XGBoost", "LightGBM") and not loss.gradient(y, z).any():
        with pytest.raises(NoSuchReading):
            HOSTS[host].numbers(loss, y, z)
        return
    values, signal = HOSTS[host].numbers(loss, y, z)
    close = {"rtol": 1e-11, "atol": 1e-13} if precision == DOUBLE else {"rtol": 3e-5, "atol": 1e-6}
    assert precision == DOUBLE or (values.dtype, signal.dtype) == (SINGLE, SINGLE)
    wanted = loss.value(y, z)
    np.testing.assert_allclose(values, wanted if values.ndim else wanted.mean(), **close)
    np.testing.assert_allclose(signal, loss.gradient(y, z), **close)


# --- the page of the hosts ---


@pytest.fixture(scope="module")
def asked(script):
    """Each question of the page with what ours answers."""
    hosts = script("hosts")
    return [(each, hosts.answer(each.ours)) for each in hosts.questions()]


def test_what_the_page_says_of_ours_is_true(asked):
    for each, said in asked:
        if each.truth == "error":
            assert said.startswith("error ("), each.what
        elif each.truth == "the same twice":
            before, after = said.split()
            assert before == after
        else:
            assert said in each.truth.split(" or "), each.what


def test_the_page_is_what_would_be_written_with_these_versions(script):
    hosts = script("hosts")
    written, made = hosts.PAGE.read_text(encoding="utf-8"), hosts.page()
    named = [line for line in made.splitlines() if line.startswith("Asked of")]
    assert made == written or not set(named) <= set(written.splitlines()), "run python scripts/docs.py hosts"


def test_the_examples_of_the_page_give_what_is_shown(script):
    known, parser = {}, doctest.DocTestParser()
    blocks = re.findall(
        r"^```python\n(.*?)^```$", script("hosts").PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for block in blocks:
        shown = parser.get_doctest(block, known, "docs/hosts.md", None, 0)
        assert doctest.DocTestRunner().run(shown, clear_globs=False).failed == 0
        known = shown.globs
    assert len(blocks) == 2


def _beyond(loss):
    """Predictions beyond what an activation reaches: which of the loss's, and what."""
    for k, activation in enumerate(loss.activation):
        reaches = activation.reaches
        yield from [(k, reaches.low - 0.5)] if np.isfinite(reaches.low) else []
        yield from [(k, reaches.high + 0.5)] if np.isfinite(reaches.high) else []


MADE = [made for made in everything() if not made.is_classwise and list(_beyond(made))]


@pytest.mark.parametrize("loss", MADE, ids=str)
def test_a_prediction_that_nothing_could_make_costs_no_number_in_a_table(loss):
    """Of a probability of 1.5 the logarithm is a number, and minus it one below zero."""
    columns = [f"p{k}" for k in range(len(loss.activation))]
    inside = [0.5 / (k + 1) for k in range(len(columns))]  # probabilities of grades fall
    rows = [inside, *([*inside[:k], bad, *inside[k + 1 :]] for k, bad in _beyond(loss))]
    frame = polars.DataFrame(
        {"y": [1.0] * len(rows), **dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))}
    )
    asked = columns if len(columns) > 1 else columns[0]
    for part in ("value", "signal"):
        found, said = (getattr(to(loss, target="y", prediction=asked), part) for to in (gm.to_polars, gm.to_sql))
        for column in found if isinstance(found, tuple) else (found,):
            first, *others = frame.select(column).to_series().to_list()
            assert not np.isnan(first)
            assert np.isnan(others).all()
        for text in said if isinstance(said, tuple) else (said,):
            first, *others = (row[0] for row in duckdb.sql(f"select {text} from frame").fetchall())
            assert not np.isnan(first)
            assert np.isnan(others).all()
