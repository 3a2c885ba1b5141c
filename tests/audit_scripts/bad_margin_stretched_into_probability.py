"""A logistic regression's margin, multiplied before it is called a probability."""
import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

X, y = make_classification(4000, 12, n_informative=4, flip_y=0.15, class_sep=0.6, random_state=0)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.4, random_state=0)
clf = LogisticRegression().fit(X_tr, y_tr)
margin = clf.decision_function(X_te)
proba = 1 / (1 + np.exp(-8 * margin))
print("brier", brier_score_loss(y_te, proba))
print("log-loss", log_loss(y_te, proba))
