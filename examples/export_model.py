"""A model in four languages, asked beside the model itself: ``python examples/export_model.py``."""

import tempfile
from pathlib import Path

import duckdb

import goodmeasure as gm


def main() -> float:
    """Train on a small table, export, and return how far SQL is from the model."""
    hours = [i % 12 for i in range(240)]
    place = [("north", "south", None)[i % 3] for i in range(240)]
    passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
    rows = {"hours": hours, "place": place}
    costs = gm.Costs(false_negative=5, false_positive=1)
    model = gm.run({**rows, "passed": passed}, "passed", positive="yes", costs=costs).model
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("sql", "py", "js", "onnx"):
            model.export(Path(folder) / f"passing.{ending}")
            print(f"passing.{ending}: {(Path(folder) / f'passing.{ending}').stat().st_size:,} bytes")
        question = (Path(folder) / "passing.sql").read_text()
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT unnest(?) AS hours, unnest(?) AS place", [hours, place])
        said = [row[2] for row in connection.execute(question).fetchall()]
    apart = max(abs(a - b) for a, b in zip(said, model.predict(rows), strict=True))
    print(f"SQL and the model are {apart:.0e} apart on {len(hours)} rows")
    return float(apart)


if __name__ == "__main__":
    main()
