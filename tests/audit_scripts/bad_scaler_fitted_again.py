"""fit_transform on the test rows too."""

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

frame = load_diabetes(as_frame=True).frame
features = frame.drop(columns="target")
X_train, X_test, y_train, y_test = train_test_split(features, frame["target"], test_size=0.25, random_state=3)
scaler = MinMaxScaler()
X_train = pd.DataFrame(scaler.fit_transform(X_train), columns=features.columns)
X_test = pd.DataFrame(scaler.fit_transform(X_test), columns=features.columns)
model = Ridge(alpha=0.1).fit(X_train, y_train)
predicted = model.predict(X_test)
print(mean_squared_error(y_test, predicted), r2_score(y_test, predicted))
