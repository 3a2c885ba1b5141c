"""The page of the hosts: docs/hosts.md, what each host's own losses answer beside ours, asked when the page is made."""

from __future__ import annotations

import math
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import duckdb
import jax
import jax.numpy as jnp
import keras
import lightgbm
import numpy as np
import optax
import torch
from sklearn.metrics import log_loss

import goodmeasure as gm

PAGE = Path(__file__).resolve().parent.parent / "docs" / "hosts.md"
L = gm.losses
PROPERTIES = {
    "torch": "`gm.to_torch`|raw outputs, target|a mean|error|yes|single, double, half|yes",
    "JAX": "`gm.to_jax`|raw outputs, target|one an example, as optax|NaN|yes|single, double, half|yes, static argument",
    "Keras 3 (torch, JAX)": "`gm.to_keras`|target, raw outputs|as Keras|NaN|yes|single, double, half|yes, in `.keras`",
    "XGBoost": "`gm.to_xgboost`|target, raw outputs|weighted rows|error|curvature|double|start and predictions",
    "LightGBM": "`gm.to_lightgbm`|target, raw outputs|weighted rows|error|curvature|double|start and predictions",
    "CatBoost": "`gm.to_catboost`|raw outputs, target|weighted rows|error|curvature|double|start and predictions",
    "SQL (DuckDB)": "`gm.to_sql`|names of columns|one a row|NaN; NULL stays NULL|no|double|a text",
    "Polars": "`gm.to_polars`|names of columns|one a row|NaN; null stays null|no|double|an expression",
}


TABLES = """
## Where the rows live

`gm.to_sql` and `gm.to_polars` say a loss in the language of a table. What they return has four parts, expressions of a row:
`value` is what it costs, `signal` its derivative by each raw output, `prediction` what the raw outputs stand for (a column
each, with weights, focus and smoothing undone), and `decision(costs)` the act of least expected cost.

```python
>>> import duckdb
>>> import goodmeasure as gm
>>> import polars
>>> loss, costs = gm.losses.binary_focal(gamma=2.0), gm.Costs(false_negative=40, false_positive=5)
>>> rows = polars.DataFrame({"gone": [1, 0, 0], "score": [2.0, -1.5, 3.0]})
>>> said = gm.to_sql(loss, target="gone", raw="score")
>>> query = f"SELECT {said.value}, {said.signal[0]}, {said.prediction[0]}, {said.decision(costs)} FROM rows"
>>> for row in duckdb.sql(query).fetchall():
...     print([round(each, 4) for each in row])
[0.0018, -0.0049, 0.9955, 1.0]
[0.0067, 0.017, 0.0174, 0.0]
[2.7663, 1.1267, 0.9997, 1.0]
>>> said = gm.to_polars(loss, target="gone", raw="score")
>>> parts = {"costs": said.value, "pull": said.signal[0], "p": said.prediction[0], "act": said.decision(costs)}
>>> rows.select(**parts)["act"].to_list()
[1.0, 0.0, 1.0]
```

Of classes name a column of raw outputs for each, and there are as many signals and predictions; of predictions that a table holds
already, name these:

```python
>>> said = gm.to_sql(gm.losses.cross_entropy(), target="kind", raw=["a", "b", "c"])
>>> len(said.signal), len(said.prediction)
(3, 3)
>>> rows = polars.DataFrame({"sold": [3, 4], "said": [1.5, 4.5]})
>>> rows.select(gm.to_polars(gm.losses.absolute_error(), target="sold", prediction="said").value.mean()).item()
1.0
```

`gm.to_sql(loss, "bigquery")` says the same in another dialect, through SQLGlot: `duckdb`, `postgres`, `spark`, `bigquery` and
`snowflake`.
"""


@dataclass(frozen=True)
class Asked:
    """A question of a host's own loss and of ours, and the true answer."""

    host: str
    what: str
    truth: str
    theirs: Callable[[], Any]
    ours: Callable[[], Any]


def answer(question: Callable[[], Any]) -> str:
    """What is answered: a number to four digits, or the name of the error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = question()
        except Exception as error:
            return f"error ({type(error).__name__})"
    said = " ".join(number(v) for v in np.ravel(np.asarray(found, dtype=float)))
    return f"{said}, with a warning" if any("target size" in str(w.message) for w in told) else said


def number(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value + 0.0:.4g}"


def in_torch(theirs: Any, ours: gm.Loss, z: Any, y: Any, slope: bool = False) -> tuple[Callable[[], Any], ...]:
    def asked(criterion: Any) -> Callable[[], Any]:
        def ask() -> Any:
            raw = torch.tensor(z, requires_grad=True)
            value = criterion(raw, torch.tensor(y))
            return torch.autograd.grad(value, raw)[0].numpy() if slope else value.item()

        return ask

    return asked(theirs), asked(gm.to_torch(ours))


def in_jax(theirs: Any, ours: gm.Loss, z: Any, y: Any, order: int = 0) -> tuple[Callable[[], Any], ...]:
    def asked(function: Any) -> Callable[[], Any]:
        derived = function
        for _ in range(order):
            derived = jax.grad(derived)
        return lambda: derived(jnp.asarray(z), jnp.asarray(y))

    return asked(theirs), asked(gm.to_jax(ours))


def in_keras(theirs: Any, ours: gm.Loss, y: Any, z: Any, weight: Any = None) -> tuple[Callable[[], Any], ...]:
    def asked(criterion: Any) -> Callable[[], Any]:
        return lambda: float(criterion(np.asarray(y), np.asarray(z, "float32"), weight))

    return asked(theirs), asked(gm.to_keras(ours))


def kept(criterion: Any) -> Callable[[], Any]:
    """The loss of a model before it is saved, and after it is loaded."""

    def ask() -> Any:
        keras.utils.set_random_seed(0)
        x, y = np.arange(8.0)[:, None], 100 * np.ones(8)
        model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
        model.compile(loss=criterion)
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model.keras")
            again = keras.models.load_model(Path(folder) / "model.keras")
        return model.evaluate(x, y, verbose=0), again.evaluate(x, y, verbose=0)

    return ask


def ours_in_duckdb(loss: gm.Loss, y: float, z: float) -> Callable[[], Any]:
    said = gm.to_sql(loss, target="y", raw="z").value
    return lambda: duckdb.connect().execute(f"SELECT {said} FROM (SELECT {y!r} AS y, {z!r} AS z)").fetchone()[0]


def theirs_in_duckdb(text: str, y: float, z: float) -> Callable[[], Any]:
    return lambda: (
        duckdb.connect().execute(f"SELECT {text} FROM (SELECT {y!r}::DOUBLE AS y, {z!r}::DOUBLE AS z)").fetchone()[0]
    )


def questions() -> list[Asked]:
    """What is asked; the true answers are those of catalogues of such faults, held to 40 digits where they are numbers."""
    bce, ce = torch.nn.BCEWithLogitsLoss(), torch.nn.CrossEntropyLoss()
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    of_logits = keras.losses.BinaryCrossentropy(from_logits=True)
    binary, classes = L.binary_cross_entropy(), L.cross_entropy()
    f = np.float32
    naive = "-(y * ln(1 / (1 + exp(-z))) + (1 - y) * ln(1 - 1 / (1 + exp(-z))))"
    tail, lost = "z = -18, y = 0, in single precision", "a row of NaN that weighs 0: its own share of the sum"
    asked: list[tuple[Any, ...]] = [
        ("torch", f"BCEWithLogitsLoss: {tail}", "1.523e-08", *in_torch(bce, binary, [f(-18)], [f(0)])),
        ("torch", "CrossEntropyLoss: z = [20, 0], y = 0", "2.061e-09", *in_torch(ce, classes, [[f(20), f(0)]], [0])),
        ("torch", "its gradient there", "-2.061e-09 2.061e-09", *in_torch(ce, classes, [[f(20), f(0)]], [0], True)),
        ("torch", "BCEWithLogitsLoss: target 255", "error", *in_torch(bce, binary, [f(0.5)], [f(255)])),
        ("torch", "CrossEntropyLoss: shares 5, -2 and 0", "error",
         *in_torch(ce, classes, [[f(1), f(2), f(3)]], [[f(5), f(-2), f(0)]])),
        ("torch", "MSELoss: (2, 1) beside (2,)", "error",
         *in_torch(torch.nn.MSELoss(), L.squared_error(), [[f(1)], [f(2)]], [f(1), f(2)])),
        ("torch", "CrossEntropyLoss of one class", "error", *in_torch(ce, classes, [[f(3)]], [0])),
        ("torch", "SoftMarginLoss: z = -100, y = 1", "100",
         in_torch(torch.nn.SoftMarginLoss(), binary, [f(-100)], [f(1)])[0],
         in_torch(bce, binary, [f(-100)], [f(1)])[1]),
        ("optax", "log_cosh: z - y = 1e-4, in single precision", "5e-09",
         *in_jax(optax.losses.log_cosh, L.log_cosh(), f(1e-4), f(0))),
        ("optax", "huber_loss: second derivative at z - y = delta", "0 or 1",
         *in_jax(optax.losses.huber_loss, L.huber(), f(1), f(0), 2)),
        ("optax", "softmax_cross_entropy_with_integer_labels: label -1 of three", "NaN",
         *in_jax(optax.losses.softmax_cross_entropy_with_integer_labels, classes, np.array([1, 2, 3], f), -1)),
        ("optax", "sigmoid_binary_cross_entropy: label 255", "NaN",
         *in_jax(optax.losses.sigmoid_binary_cross_entropy, binary, f(10), f(255))),
        ("optax", "softmax_cross_entropy: one label of shares for two rows", "error",
         *in_jax(optax.losses.softmax_cross_entropy, classes, np.eye(2, 3, dtype=f), np.array([1, 0, 0], f))),
        ("optax", "z = infinity, y = 1", "0", *in_jax(optax.losses.sigmoid_binary_cross_entropy, binary, f(math.inf), f(1))),
        ("Keras", f"BinaryCrossentropy: {tail}", "1.523e-08", *in_keras(of_logits, binary, [0.0], [-18.0])),
        ("Keras", "BinaryCrossentropy given raw outputs as probabilities: z = -3, y = 1", "3.049",
         *in_keras(keras.losses.BinaryCrossentropy(), binary, [1.0], [-3.0])),
        ("Keras", "CategoricalHinge: z = [-1, -5], y = 0", "0",
         in_keras(keras.losses.CategoricalHinge(), L.multiclass_hinge(), [[1.0, 0.0]], [[-1.0, -5.0]])[0],
         in_keras(sparse, L.multiclass_hinge(), [0], [[-1.0, -5.0]])[1]),
        ("Keras", f"BinaryCrossentropy: {lost}", "0.3466",
         *in_keras(of_logits, binary, [1.0, 1.0], [0.0, math.nan], [1.0, 0.0])),
        ("Keras", "Huber(delta=50) before a model is saved, and after", "the same twice",
         kept(keras.losses.Huber(delta=50)), kept(gm.to_keras(L.huber(delta=50.0)))),
        ("scikit-learn", "log_loss: p = 0 of what happened", "inf",
         lambda: log_loss([1], [[1.0, 0.0]], labels=[0, 1]), lambda: binary([1], prediction=[0.0])),
        ("LightGBM", "objective binary: what one round makes of labels 0.5", "0",
         lightgbm_of_half, lambda: gm.to_lightgbm(binary)([0.5], [0.0])[0]),
        ("SQL", "the book's formula: z = -40, y = 0", "4.248e-18",
         theirs_in_duckdb(naive, 0, -40), ours_in_duckdb(binary, 0, -40)),
        ("SQL", "the book's formula: z = 800, y = 0", "800", theirs_in_duckdb(naive, 0, 800), ours_in_duckdb(binary, 0, 800)),
    ]  # fmt: skip
    return [Asked(*each) for each in asked]


def lightgbm_of_half() -> Any:
    """The raw output of a model of one leaf after one round on labels of one half: what its objective pulls to."""
    data = lightgbm.Dataset(np.zeros((40, 1)), np.full(40, 0.5))
    trained = lightgbm.train({"objective": "binary", "verbose": -1, "boost_from_average": False}, data, 1)
    return trained.predict(np.zeros((1, 1)), raw_score=True)


def page() -> str:
    """The page."""
    return "\n".join([*lines(), ""])


def lines() -> Iterator[str]:
    yield from ("# Hosts", "", "<!-- made by scripts/docs.py hosts: ask there, not on this page -->", "")
    yield "One formula of a loss is a loss of every host below, with the host's own conventions. The tests hold each to the"
    yield "numbers of the plain formula, for every loss of the catalogue and in every precision (`tests/test_conformance.py`)."
    heads = "host | made by | called with | gives | a target outside the domain | second derivatives | computes in | is kept"
    yield from ("", f"| {heads} |", "|---|---|---|---|---|---|---|---|")
    for host, told in PROPERTIES.items():
        yield f"| {host} | {' | '.join(told.split('|'))} |"
    yield from ("", "## What their own losses answer", "")
    packages = ("torch", "jax", "optax", "keras", "scikit-learn", "lightgbm", "duckdb")
    yield f"Asked of {', '.join(f'{name} {version(name)}' for name in packages)}, when this page was made."
    yield from ("", "| host | asked | true | its own | ours |", "|---|---|---|---|---|")
    for each in questions():
        yield f"| {each.host} | {each.what} | {each.truth} | {answer(each.theirs)} | {answer(each.ours)} |"
    yield ""
    yield "An error is better than a number where there is none to give. A traced program (JAX, a compiled step of Keras) cannot"
    yield "stop, so there it is NaN, in the value and in the gradient; `gm.to_jax(loss).check(z, y)` and"
    yield "`gm.to_keras(loss).check(y, z)` look at a batch outside of it, and say which target is wrong."
    yield "SQL other than DuckDB's is said by SQLGlot and read back by it in the tests; no server of another dialect was at"
    yield "hand to run it."
    yield from TABLES.rstrip().splitlines()


if __name__ == "__main__":
    print(page())
