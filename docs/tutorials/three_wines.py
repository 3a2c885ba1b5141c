# %% [markdown]
# # Three wines: classes, and costs that are a table
#
# Thirteen measurements of 178 Italian wines from three cultivars (the table comes with scikit-learn). Calling a costly wine a
# cheap one is worse than the other way round, so the most likely class is not always the one to name.

# %%
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_predict

import goodmeasure as gm

X, y = load_wine(return_X_y=True)
X = (X[:, :4] - X[:, :4].mean(axis=0)) / X[:, :4].std(axis=0)
print(np.bincount(y))

# %% [markdown]
# ## Probabilities of classes
#
# Four of the measurements, so that it is not too easy. Every row is judged by a model that did not see it.

# %%
plan = gm.choose(y, name="cultivar", represents="classes")
print(plan.loss)
p = cross_val_predict(gm.LossClassifier(plan.loss), X, y, cv=5, method="predict_proba")
print(gm.risk(plan.loss, y, prediction=p))
print(gm.calibration(y, p).verdict)

# %% [markdown]
# ## Costs
#
# A row of the table is what happened, a column what was named. To name cultivar 2 where it was 0 costs 10, the other errors 1.

# %%
table = np.array([[0, 1, 10], [1, 0, 1], [1, 1, 0]])
costs = gm.ClassCosts(table)
for rule, act in (("least expected cost", gm.bayes_act(p, costs)), ("largest probability", p.argmax(axis=1))):
    print(f"{rule}: {np.bincount(act, minlength=3)} of each named, {table[y, act].mean():.3f} a row")

# %% [markdown]
# The costs with their intervals, beside rules that look at nothing:

# %%
print(gm.decide(y, p, costs))
