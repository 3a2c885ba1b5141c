"""What predictions in a database cost, by region, and what to do about each row: ``python examples/score_in_sql.py``.

The model wrote its raw outputs into a table; the loss, the probability and the decision are read there, row by row.
"""

import duckdb

import goodmeasure as gm

SCORED = """
    CREATE TABLE scored AS
    SELECT CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS region,
           sin(i * 0.7) * 3 AS "raw score",
           CASE WHEN sin(i * 0.7) * 3 + sin(i * 1.9) > 0 THEN 1 ELSE 0 END AS churned
    FROM range(1000) t(i)
"""


def report(costs: gm.Costs) -> list[tuple[str, float, int]]:
    """Of each region the mean loss, and how many rows to act on."""
    loss = gm.to_sql(gm.losses.binary_cross_entropy(positive_weight=3.0), target="churned", raw="raw score")
    table = duckdb.connect()
    table.execute(SCORED)
    asked = f"SELECT region, avg({loss.value}), sum({loss.decision(costs)}) FROM scored GROUP BY region ORDER BY region"
    return [(region, mean, int(acts)) for region, mean, acts in table.execute(asked).fetchall()]


if __name__ == "__main__":
    for region, mean, acts in report(gm.Costs(false_negative=40, false_positive=5)):
        print(f"{region}: mean loss {mean:.4f}, {acts} rows to act on")
