"""Cross-validation by hand: everything is fitted inside the fold, out-of-fold probabilities are judged once."""
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True)
said = np.zeros(len(y))
for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
    scaler = StandardScaler().fit(X[train])
    chosen = SelectKBest(k=10).fit(scaler.transform(X[train]), y[train])
    model = LogisticRegression(C=1.0, max_iter=500).fit(chosen.transform(scaler.transform(X[train])), y[train])
    said[test] = model.predict_proba(chosen.transform(scaler.transform(X[test])))[:, 1]
print(roc_auc_score(y, said), average_precision_score(y, said), brier_score_loss(y, said))
