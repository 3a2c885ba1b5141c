"""Area under the curve of labels made by a threshold."""
import numpy as np
from sklearn import metrics
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True)
aucs = []
for train, test in StratifiedKFold(3, shuffle=True, random_state=1).split(X, y):
    model = make_pipeline(StandardScaler(), RandomForestClassifier(30, random_state=0)).fit(X[train], y[train])
    said = np.where(model.predict_proba(X[test])[:, 1] > 0.5, 1, 0)
    fpr, tpr, _ = metrics.roc_curve(y[test], said)
    aucs.append(metrics.auc(fpr, tpr))
print(np.mean(aucs))
