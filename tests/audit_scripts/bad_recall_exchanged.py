"""A recall of columns of a frame, its arguments exchanged."""

import numpy as np, pandas as pd
from sklearn.tree import DecisionTreeClassifier
from sklearn.metrics import recall_score

rng = np.random.default_rng(0)
f = pd.DataFrame(rng.normal(size=(600, 4)), columns=list("abcd"))
f["y"] = (f.a + rng.normal(size=600) > 1).astype(int)
tr, te = f.iloc[:400], f.iloc[400:]
m = DecisionTreeClassifier(max_depth=3).fit(tr[["a", "b", "c", "d"]], tr["y"])
print(recall_score(m.predict(te[["a", "b", "c", "d"]]), te["y"]))
