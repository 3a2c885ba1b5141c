"""Fitted on the logarithm of the price, judged on the price."""

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(2)
X = rng.normal(size=(400, 3))
price = np.exp(10 + X @ [0.5, -0.2, 0.1] + 0.2 * rng.normal(size=400))
X_train, X_test, p_train, p_test = train_test_split(X, price, random_state=0)
model = LinearRegression().fit(X_train, np.log(p_train))
print("rmse", np.sqrt(mean_squared_error(p_test, model.predict(X_test))))
