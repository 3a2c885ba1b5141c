"""Labels and categories are coded before the split, scales are learned after it."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

rng = np.random.default_rng(1)
colour = rng.choice(["red", "green", "blue"], 450)
size = rng.normal(size=(450, 2))
kind = np.where(size[:, 0] + (colour == "red") > 0.4, "plum", "pear")
y = LabelEncoder().fit_transform(kind)
codes = OneHotEncoder(sparse_output=False).fit_transform(colour[:, None])
X = np.hstack([codes, size])
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler().fit(X_train)
model = RandomForestClassifier(40, random_state=0).fit(scaler.transform(X_train), y_train)
predicted = model.predict(scaler.transform(X_test))
print(classification_report(y_test, predicted))
print(confusion_matrix(y_test, predicted))
