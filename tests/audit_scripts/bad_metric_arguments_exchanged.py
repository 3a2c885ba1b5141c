"""Prediction first, truth second."""

from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split

X, y = make_classification(500, weights=[0.7], random_state=1)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
model = GradientBoostingClassifier(n_estimators=20).fit(X_train, y_train)
pred = model.predict(X_test)
print("precision", precision_score(pred, y_test), "recall", recall_score(pred, y_test))
