"""What each extra is for, as a short program that a user of it would write; each is run where that extra alone is installed.

``scripts/nightly_install.py`` runs them. A program may ask for another extra: what reads a workbook needs what reads tables.
"""

from __future__ import annotations

_START = """
from pathlib import Path
import numpy as np
import goodmeasure as gm

y, z, X = np.array([0.0, 1.0, 1.0, 0.0]), np.array([-1.0, 2.0, 0.5, 0.1]), np.arange(8.0).reshape(4, 2)
loss = gm.losses.binary_cross_entropy()
plain = loss.value(y, z)
columns = {"x": np.arange(400.0) % 20, "y": np.arange(400) * 7 % 11 > np.arange(400) % 20}
"""

USES = {
    "run": """
np.savetxt("rows.csv", np.column_stack([*columns.values()]), delimiter=",", header="x,y", comments="")
assert gm.run("rows.csv", "y").verdict.word
""",
    "fast": """
from goodmeasure.keeping import compiling
assert compiling.compiles()
assert np.allclose(loss.value(np.tile(y, 50_000), np.tile(z, 50_000)), np.tile(plain, 50_000), rtol=1e-12)
""",
    "boosting": """
import lightgbm, xgboost
settings = {"objective": gm.to_lightgbm(loss), "verbose": -1, "min_data_in_leaf": 1}
assert lightgbm.train(settings, lightgbm.Dataset(X, y), 2).predict(X).shape == y.shape
assert xgboost.train({}, xgboost.DMatrix(X, y), 2, obj=gm.to_xgboost(loss)).predict(xgboost.DMatrix(X)).shape == y.shape
""",
    "catboost": """
from catboost import CatBoostRegressor
objective = gm.to_catboost(loss)
model = objective.fit(CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False), X, y)
assert objective.predict(model, X).shape == y.shape
""",
    "dask": """
for name in ("a.csv", "b.csv"):
    np.savetxt(name, np.column_stack([*columns.values()]), delimiter=",", header="x,y", comments="")
if __name__ == "__main__":  # a worker is a process that reads this program again
    assert gm.fit_linear(loss, "y", ["x"], data="*.csv", alpha=0.1, engine="dask").coef_.shape
""",
    "excel": """
import openpyxl
book = openpyxl.Workbook()
for row in zip(("x", *columns["x"].tolist()), ("y", *columns["y"].tolist())):
    book.active.append(row)
book.save("rows.xlsx")
assert gm.run("rows.xlsx", "y").verdict.word
""",
    "jax": """
import jax
assert np.allclose(jax.jit(gm.to_jax(loss))(z, y), plain, rtol=1e-6)
""",
    "keras": """
import os
os.environ["KERAS_BACKEND"] = "torch"  # Keras brings none
assert np.allclose(float(gm.to_keras(loss)(y[:, None], z[:, None])), plain.mean(), rtol=1e-6)
""",
    "mlflow": """
import os
import mlflow
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a folder, where no server runs
mlflow.set_tracking_uri(Path("runs").absolute().as_uri())
assert gm.log_mlflow(gm.run(columns, "y"))
""",
    "onnx": """
gm.run(columns, "y").model.export("model.onnx")
assert Path("model.onnx").stat().st_size
""",
    "plot": """
shares = np.linspace(0.05, 0.95, 400)
gm.calibration(columns["y"].astype(float), shares).plot()
""",
    "polars": """
import polars
rows = polars.DataFrame({"y": y, "z": z})
assert np.allclose(rows.select(gm.to_polars(loss, target="y", raw="z").value).to_series(), plain)
""",
    "spark": """
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.createDataFrame([(0.0, 0.2), (1.0, 0.7), (1.0, 0.6), (0.0, 0.4)], ["y", "p"])
assert gm.tally(loss, "y", prediction="p", data=rows).risk().n == 4
""",
    "sql": """
assert "LN" in gm.to_sql(loss, "bigquery", target="y", raw="z").value
""",
    "torch": """
import torch
assert np.allclose(gm.to_torch(loss)(torch.tensor(z), torch.tensor(y)), plain.mean())
""",
}


def program(extra: str) -> str:
    """The program of an extra, whole."""
    return _START + USES[extra]
