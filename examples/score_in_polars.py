"""What predictions in a Polars frame cost, by region, and what to do about each row: ``python examples/score_in_polars.py``."""

import numpy as np
import polars as pl

import goodmeasure as gm


def scored(rows: int = 1000) -> pl.DataFrame:
    """What a model said of customers, and who left."""
    random = np.random.default_rng(0)
    raw = random.normal(size=rows)
    region = np.where(random.random(rows) < 0.5, "north", "south")
    left = random.random(rows) < 1 / (1 + np.exp(-2 * raw))
    return pl.DataFrame({"region": region, "raw score": raw, "churned": left.astype(int)})


def report(costs: gm.Costs) -> pl.DataFrame:
    """Of each region the mean loss, the mean probability, and how many rows to act on."""
    loss = gm.to_polars(gm.losses.binary_cross_entropy(), target="churned", raw="raw score")
    asked = {
        "loss": loss.value.mean(),
        "probability": loss.prediction[0].mean(),
        "acts": loss.decision(costs).sum(),
    }
    return scored().lazy().group_by("region").agg(**asked).sort("region").collect()


if __name__ == "__main__":
    print(report(gm.Costs(false_negative=40, false_positive=5)))
