# %% [markdown]
# # How far diabetes progresses: a mean, a quantile, and what each is for
#
# Of 442 patients, ten measurements and how far the disease had progressed a year later (Efron et al. 2004; the table comes with
# scikit-learn). A budget asks for the mean, care that must be there when it is needed for a quantile.

# %%
import numpy as np
from sklearn.datasets import load_diabetes

import goodmeasure as gm

table = load_diabetes(as_frame=True, scaled=False).frame
print(table["target"].describe()[["mean", "50%", "max"]].round(1).to_dict())

# %% [markdown]
# ## What the target asks for
#
# The measure of progression is above zero, and its spread grows with its mean. The plan says so, and what it would take instead.

# %%
plan = gm.choose(table["target"], name="progression")
print(plan.loss, "|", plan.asks_for)

# %% [markdown]
# ## A model of the mean
#
# `run` splits the rows, trains, and judges on rows that were used for nothing else.

# %%
study = gm.run(table, "target")
print(study.plan.loss)
print(study.judged.report)
print(study.judged.report.versus_constant.verdict)

# %% [markdown]
# Which measurements matter, in units of the loss, with intervals:

# %%
print("\n".join(str(study.effects).splitlines()[:6]))

# %% [markdown]
# ## A quantile
#
# If care that falls short of what is needed costs three times what care beyond it does, the number to plan for is no mean: it
# is the quantile 3 / (3 + 1).

# %%
costs = gm.UnderOverCosts(under=3, over=1)
pinball = gm.choose(table["target"], costs=costs, represents="real").loss
print(pinball)

# %% [markdown]
# A third of the rows are kept aside. Of those, three in four should lie at or below what the model says; and what is planned
# by it should cost less than what is planned by a mean.

# %%
X, y = table.drop(columns="target").to_numpy(), table["target"].to_numpy()
X = (X - X.mean(axis=0)) / X.std(axis=0)
kept = np.arange(len(y)) % 3 == 0
quantile = gm.LossRegressor(pinball).fit(X[~kept], y[~kept]).predict(X[kept])
mean = gm.LossRegressor(gm.losses.squared_error()).fit(X[~kept], y[~kept]).predict(X[kept])
for name, said in (("quantile", quantile), ("mean", mean)):
    print(f"{(y[kept] <= said).mean():.0%} lie at or below the {name}")

# %%
found = gm.compare(pinball, y[kept], quantile, mean)
print(found, found.verdict)
