"""What hosts call our losses: one table a host, from our name to the host's own spelling of the same loss on raw outputs.

A loss that a host does not have, or has in another meaning, is absent; where the host scales it or keeps other constants
the spelling is followed by a remark.
"""

from __future__ import annotations

TORCH = {
    "squared_error": "torch.nn.MSELoss()",
    "absolute_error": "torch.nn.L1Loss()",
    "huber": "torch.nn.HuberLoss(delta={delta})",
    "poisson": "torch.nn.PoissonNLLLoss(log_input=True)",
    "binary_cross_entropy": "torch.nn.BCEWithLogitsLoss()",
    "cross_entropy": "torch.nn.CrossEntropyLoss(label_smoothing={smoothing})",
    "gaussian_nll": "torch.nn.GaussianNLLLoss(full=True)  # takes the variance, not the raw output",
}
KERAS = {
    "squared_error": "keras.losses.MeanSquaredError()",
    "absolute_error": "keras.losses.MeanAbsoluteError()",
    "huber": "keras.losses.Huber(delta={delta})",
    "log_cosh": "keras.losses.LogCosh()",
    "poisson": "keras.losses.Poisson()  # takes the rate, not the raw output",
    "squared_log_error": "keras.losses.MeanSquaredLogarithmicError()  # takes the amount, not the raw output",
    "absolute_percentage_error": "keras.losses.MeanAbsolutePercentageError()  # times 100; takes the amount",
    "binary_cross_entropy": "keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing={smoothing})",
    "cross_entropy": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    "generalized_cross_entropy": "keras.losses.CategoricalGeneralizedCrossEntropy(q={q})  # takes probabilities",
    "hinge": "keras.losses.Hinge()",
    "squared_hinge": "keras.losses.SquaredHinge()",
}
OPTAX = {
    "squared_error": "optax.losses.squared_error",
    "huber": "optax.losses.huber_loss",
    "log_cosh": "optax.losses.log_cosh",
    "binary_cross_entropy": "optax.losses.sigmoid_binary_cross_entropy",
    "cross_entropy": "optax.losses.softmax_cross_entropy_with_integer_labels",
    "binary_focal": "optax.losses.sigmoid_focal_loss",
    "poly": "optax.losses.poly_loss_cross_entropy",
    "hinge": "optax.losses.hinge_loss  # labels -1 and 1",
    "perceptron": "optax.losses.perceptron_loss  # labels -1 and 1",
    "multiclass_hinge": "optax.losses.multiclass_hinge_loss",
}
SKLEARN = {
    "squared_error": "sklearn.linear_model.LinearRegression()",
    "absolute_error": "sklearn.linear_model.QuantileRegressor(quantile=0.5)",
    "pinball": "sklearn.linear_model.QuantileRegressor(quantile={level})",
    "huber": 'sklearn.linear_model.SGDRegressor(loss="huber", epsilon={delta})',
    "epsilon_insensitive": "sklearn.svm.LinearSVR(epsilon={epsilon})",
    "poisson": "sklearn.linear_model.PoissonRegressor()",
    "gamma": "sklearn.linear_model.GammaRegressor()",
    "tweedie": "sklearn.linear_model.TweedieRegressor(power={power})",
    "binary_cross_entropy": "sklearn.linear_model.LogisticRegression()",
    "cross_entropy": "sklearn.linear_model.LogisticRegression()",
    "hinge": 'sklearn.svm.LinearSVC(loss="hinge")',
    "squared_hinge": 'sklearn.svm.LinearSVC(loss="squared_hinge")',
    "modified_huber": 'sklearn.linear_model.SGDClassifier(loss="modified_huber")',
    "perceptron": "sklearn.linear_model.Perceptron()",
    "exponential": 'sklearn.ensemble.GradientBoostingClassifier(loss="exponential")',
}
LIGHTGBM = {
    "squared_error": 'objective="regression"',
    "absolute_error": 'objective="regression_l1"',
    "huber": 'objective="huber", alpha={delta}',
    "fair": 'objective="fair", fair_c={scale}',
    "pinball": 'objective="quantile", alpha={level}',
    "poisson": 'objective="poisson"',
    "gamma": 'objective="gamma"',
    "tweedie": 'objective="tweedie", tweedie_variance_power={power}',
    "binary_cross_entropy": 'objective="binary"',
    "cross_entropy": 'objective="multiclass"',
}
XGBOOST = {
    "squared_error": 'objective="reg:squarederror"',
    "absolute_error": 'objective="reg:absoluteerror"',
    "pseudo_huber": 'objective="reg:pseudohubererror", huber_slope={delta}',
    "pinball": 'objective="reg:quantileerror", quantile_alpha={level}',
    "poisson": 'objective="count:poisson"',
    "gamma": 'objective="reg:gamma"',
    "tweedie": 'objective="reg:tweedie", tweedie_variance_power={power}',
    "squared_log_error": 'objective="reg:squaredlogerror"  # raw outputs are amounts',
    "binary_cross_entropy": 'objective="binary:logistic"',
    "cross_entropy": 'objective="multi:softprob"',
}


def own_names(name: str, values: dict[str, float]) -> dict[str, str]:
    """How each host spells the loss of this name with these hyperparameters, for those that have it."""
    tables = {key.lower(): table for key, table in globals().items() if key.isupper() and isinstance(table, dict)}
    return {
        host: table[name].format(**{k: f"{v:g}" for k, v in values.items()})
        for host, table in tables.items()
        if name in table
    }
