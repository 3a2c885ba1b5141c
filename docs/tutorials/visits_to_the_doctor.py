# %% [markdown]
# # Visits to the doctor: counts, and the wrong loss for them
#
# The RAND health insurance experiment counted visits to the doctor in a year (the table comes with statsmodels; every tenth of
# its 20,190 rows is taken). Counts are never below zero, their spread grows with their mean, and many are zero.

# %%
import numpy as np
import statsmodels.api as sm

import goodmeasure as gm

table = sm.datasets.randhie.load_pandas().data.iloc[::10].reset_index(drop=True)
visits = table["mdvis"].to_numpy(float)
X = table.drop(columns="mdvis").to_numpy(float)
X = (X - X.mean(axis=0)) / X.std(axis=0)
print(len(visits), "rows,", f"{(visits == 0).mean():.0%} without a visit, the most", int(visits.max()))

# %% [markdown]
# ## Which loss?

# %%
plan = gm.choose(visits, name="visits")
print(plan.represents, "|", plan.activation, "|", plan.loss)

# %% [markdown]
# ## Three losses on the same rows
#
# Each is trained on two thirds of the rows. All of them ask for the mean, so a common ruler may judge them on the rest: here the
# Poisson loss. Squared error predicts visits below zero for some rows, of which no count can be the mean.

# %%
rows = np.arange(len(visits)) % 3 > 0
means = {}
for loss in (gm.losses.squared_error(), gm.losses.poisson(), gm.losses.negative_binomial()):
    model = gm.LossRegressor(loss).fit(X[rows], visits[rows])
    means[loss.spelling.factory] = model.predict(X[~rows])
    print(f"{loss!s:<25} least prediction {means[loss.spelling.factory].min():6.3f}")

# %%
ruler = gm.losses.poisson()
found = gm.compare(ruler, visits[~rows], prediction=(means["negative_binomial"], means["poisson"]))
print(found, found.verdict)

# %% [markdown]
# ## Does it mean what it says?
#
# A model of counts is calibrated if, among rows that were given a mean of 3, the mean is 3.

# %%
print(gm.calibration(visits[~rows], means["poisson"], loss=ruler).verdict)

# %% [markdown]
# ## Who carries the loss?
#
# Few rows with many visits may decide everything. The report of a risk says how much of it the worst hundredth carries.

# %%
risk = gm.risk(ruler, visits[~rows], prediction=means["poisson"])
print(risk)
print(f"the worst 1 % of rows carry {risk.worst_share:.0%} of it; skill {risk.skill.value:.3f}")
