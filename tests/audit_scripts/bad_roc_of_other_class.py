"""ROC of other class."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
X, y = make_classification(600, 10, random_state=0)
a, b, c, d = train_test_split(X, y, random_state=0)
m = LogisticRegression().fit(a, c)
print(roc_auc_score(d, m.predict_proba(b)[:, 0]))
