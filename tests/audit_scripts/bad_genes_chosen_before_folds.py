# gene expression, 60 patients
import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

rng = np.random.RandomState(0)
X = rng.randn(60, 3000)
y = np.array([0, 1] * 30)

selector = SelectKBest(f_classif, k=20)
X_sel = selector.fit_transform(X, y)
clf = LogisticRegression(max_iter=500)
scores = cross_val_score(clf, X_sel, y, cv=StratifiedKFold(5, shuffle=True, random_state=0))
print("CV accuracy: %.2f +- %.2f" % (scores.mean(), scores.std()))
