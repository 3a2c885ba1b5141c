"""Fitted estimators and boosters, right and wrong."""

import lightgbm as lgb
import numpy as np
import xgboost as xgb
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import GammaRegressor, LinearRegression, LogisticRegression, QuantileRegressor, SGDClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC


def _yes_no(n=600, rate=0.3, seed=0):
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, 4))
    s = X[:, 0] + 0.5 * X[:, 1] + r.normal(size=n)
    return X, (s > np.quantile(s, 1 - rate)).astype(int)


def _number(n=400, seed=0):
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, 4))
    return X, 3 * X[:, 0] - 2 * X[:, 1] + 10 + 0.3 * r.normal(size=n)


def _case(framework, estimator, X, y, task, output=None, kind=None, **more):
    return {
        "framework": framework,
        "task": task,
        "estimator": estimator,
        "X": X,
        "y": y,
        "output": output,
        "output_kind": kind,
        **more,
    }


def right_logistic():
    X, y = _yes_no()
    clf = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", lambda X: clf.predict_proba(X)[:, 1], "probability")


def right_all_columns():
    X, y = _yes_no()
    clf = RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict_proba, "probability")


def right_labels_f1():
    X, y = _yes_no(rate=0.05)
    clf = LogisticRegression().fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label", metric=f1_score)


def right_labels_balanced():
    X, y = _yes_no(rate=0.05)
    clf = LogisticRegression(class_weight="balanced").fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label", metric=balanced_accuracy_score)


def right_accuracy_on_even_classes():
    X, y = _yes_no(rate=0.5)
    clf = LogisticRegression().fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label", metric=accuracy_score)


def right_cost_threshold():
    X, y = _yes_no(1500)
    clf = LogisticRegression().fit(X, y)
    p = lambda X: clf.predict_proba(X)[:, 1]  # noqa: E731
    return _case(
        "sklearn",
        clf,
        X,
        y,
        "binary",
        lambda X: (p(X) > 0.2).astype(int),
        "label",
        probability=p,
        costs={"fp": 1.0, "fn": 4.0},
    )


def right_calibrated_svm():
    X, y = _yes_no(900)
    clf = CalibratedClassifierCV(LinearSVC(), cv=3).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", lambda X: clf.predict_proba(X)[:, 1], "probability")


def right_margin_as_score():
    X, y = _yes_no()
    clf = SGDClassifier(random_state=0).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.decision_function, "score")


def right_linear_mean():
    X, y = _number()
    est = LinearRegression().fit(X, y)
    return _case("sklearn", est, X, y, "regression", est.predict, "mean")


def right_gamma_mean():
    X, y = _number()
    positive = np.exp(y / 10)
    est = GammaRegressor(alpha=1e-3).fit(X, positive)
    return _case("sklearn", est, X, positive, "regression", est.predict, "mean")


def right_smearing():
    X, y = _number()
    r = np.random.default_rng(1)
    skewed = np.exp(0.3 * y + r.normal(size=len(y)))
    est = LinearRegression().fit(X, np.log(skewed))
    factor = np.mean(np.exp(np.log(skewed) - est.predict(X)))
    return _case("sklearn", est, X, skewed, "regression", lambda X: factor * np.exp(est.predict(X)), "mean")


def right_quantile_sklearn():
    X, y = _number()
    est = GradientBoostingRegressor(loss="quantile", alpha=0.1, n_estimators=60, random_state=0).fit(X, y)
    return _case("sklearn", est, X, y, "quantile", est.predict, "quantile")


def right_lightgbm_classifier():
    X, y = _yes_no(rate=0.1)
    est = lgb.LGBMClassifier(n_estimators=30, num_leaves=7, verbosity=-1, n_jobs=1).fit(X, y)
    return _case("lightgbm", est, X, y, "binary", lambda X: est.predict_proba(X)[:, 1], "probability")


def right_lightgbm_custom_with_sigmoid():
    X, y = _yes_no(rate=0.4)

    def logloss(y_true, raw):
        p = expit(raw)
        return p - y_true, p * (1 - p)

    est = lgb.LGBMClassifier(objective=logloss, n_estimators=60, num_leaves=7, verbosity=-1, n_jobs=1).fit(X, y)
    return _case(
        "lightgbm",
        est,
        X,
        y,
        "binary",
        lambda X: expit(est.predict(X, raw_score=True)),
        "probability",
        objective=logloss,
    )


def right_xgboost_huber():
    X, y = _number()

    def huber(pred, data):
        r = pred - data.get_label()
        scale = np.sqrt(1 + r**2)
        return r / scale, 1 / scale**3

    booster = xgb.train({"max_depth": 3, "base_score": 10.0, "nthread": 1}, xgb.DMatrix(X, label=y), 40, obj=huber)
    loss = lambda p, t: np.sqrt(1 + (p - t) ** 2) - 1  # noqa: E731
    return _case(
        "xgboost",
        booster,
        X,
        y,
        "regression",
        lambda X: booster.predict(xgb.DMatrix(X)),
        "mean",
        objective=huber,
        loss=loss,
    )


def right_xgboost_scale_pos_weight_for_ranking():
    X, y = _yes_no(rate=0.1)
    est = xgb.XGBClassifier(n_estimators=20, max_depth=3, scale_pos_weight=9.0, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y, "binary", lambda X: est.predict(X, output_margin=True), "score")


def right_xgboost_multiclass():
    X, _ = _yes_no()
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    est = xgb.XGBClassifier(n_estimators=10, max_depth=2, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y, "multiclass", est.predict_proba, "probability")


def right_poisson_offset():
    r = np.random.default_rng(0)
    X, exposure = r.normal(size=(600, 3)), r.uniform(0.2, 5, 600)
    y = r.poisson(exposure * np.exp(0.3 * X[:, 0]))
    data = lgb.Dataset(X, label=y, init_score=np.log(exposure))
    booster = lgb.train({"objective": "poisson", "num_leaves": 7, "verbosity": -1, "num_threads": 1}, data, 40)
    return _case(
        "lightgbm", booster, X, y, "count", lambda X: exposure * booster.predict(X), "mean", offset=np.log(exposure)
    )


def right_hist_boosting_labels_as_text():
    X, y = _yes_no()
    names = np.where(y == 1, "yes", "no")
    clf = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(X, names)
    return _case("sklearn", clf, X, names, "binary", clf.predict, "label")


def bad_labels_as_probabilities():
    X, y = _yes_no()
    clf = RandomForestClassifier(30, random_state=0).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "probability")


def bad_margin_as_probability():
    X, y = _yes_no()
    clf = LinearSVC().fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.decision_function, "probability")


def bad_first_column():
    X, y = _yes_no()
    clf = LogisticRegression().fit(X, y)
    return _case("sklearn", clf, X, y, "binary", lambda X: clf.predict_proba(X)[:, 0], "probability")


def bad_balanced_probabilities():
    X, y = _yes_no(rate=0.08)
    clf = LogisticRegression(class_weight="balanced").fit(X, y)
    return _case("sklearn", clf, X, y, "binary", lambda X: clf.predict_proba(X)[:, 1], "probability")


def bad_balanced_sample_weight():
    X, y = _yes_no(rate=0.08)
    w = np.where(y == 1, 11.5, 1.0)
    clf = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(X, y, sample_weight=w)
    return _case("sklearn", clf, X, y, "binary", lambda X: clf.predict_proba(X)[:, 1], "probability", sample_weight=w)


def bad_one_half_under_costs():
    X, y = _yes_no(1500)
    clf = LogisticRegression().fit(X, y)
    return _case(
        "sklearn",
        clf,
        X,
        y,
        "binary",
        clf.predict,
        "label",
        probability=lambda X: clf.predict_proba(X)[:, 1],
        costs={"fp": 1.0, "fn": 20.0},
    )


def bad_costs_swapped():
    X, y = _yes_no(1500)
    clf = LogisticRegression().fit(X, y)
    p = lambda X: clf.predict_proba(X)[:, 1]  # noqa: E731
    return _case(
        "sklearn",
        clf,
        X,
        y,
        "binary",
        lambda X: (p(X) > 0.8).astype(int),
        "label",
        probability=p,
        costs={"fp": 1.0, "fn": 4.0},
    )


def bad_weighted_then_cost_threshold():
    X, y = _yes_no(1500, rate=0.1)
    clf = LogisticRegression(class_weight="balanced").fit(X, y)
    p = lambda X: clf.predict_proba(X)[:, 1]  # noqa: E731
    return _case(
        "sklearn",
        clf,
        X,
        y,
        "binary",
        lambda X: (p(X) > 0.1).astype(int),
        "label",
        probability=p,
        costs={"fp": 1.0, "fn": 9.0},
    )


def bad_log_target():
    X, y = _number()
    est = LinearRegression().fit(X, np.log(np.exp(y / 4)))
    return _case("sklearn", est, X, np.exp(y / 4), "regression", est.predict, "mean")


def bad_log_target_without_smearing():
    X, y = _number(1500)
    r = np.random.default_rng(1)
    skewed = np.exp(0.3 * y + 1.2 * r.normal(size=len(y)))
    est = LinearRegression().fit(X, np.log(skewed))
    return _case("sklearn", est, X, skewed, "regression", lambda X: np.exp(est.predict(X)), "mean")


def bad_median_as_mean():
    X, y = _number(1500)
    r = np.random.default_rng(1)
    skewed = np.exp(0.3 * y + 1.2 * r.normal(size=len(y)))
    est = QuantileRegressor(quantile=0.5, alpha=0).fit(X, skewed)
    return _case("sklearn", est, X, skewed, "regression", est.predict, "mean")


def bad_quantile_levels():
    X, y = _number()
    est = GradientBoostingRegressor(loss="quantile", alpha=0.1, n_estimators=60, random_state=0).fit(X, y)
    return _case("sklearn", est, X, y, "quantile", est.predict, "quantile", params={"alpha": 0.9})


def bad_mean_as_quantile():
    X, y = _number()
    est = LinearRegression().fit(X, y)
    return _case("sklearn", est, X, y, "quantile", est.predict, "quantile", params={"quantile": 0.95})


def bad_offset_lost():
    r = np.random.default_rng(0)
    X, exposure = r.normal(size=(900, 3)), r.uniform(0.2, 5, 900)
    y = r.poisson(exposure * np.exp(0.3 * X[:, 0]))
    data = lgb.Dataset(X, label=y, init_score=np.log(exposure))
    booster = lgb.train({"objective": "poisson", "num_leaves": 7, "verbosity": -1, "num_threads": 1}, data, 40)
    return _case("lightgbm", booster, X, y, "count", booster.predict, "mean", offset=np.log(exposure))


def bad_labels_recoded():
    X, y = _yes_no()
    est = xgb.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y + 1, "binary", est.predict, "label")


def bad_scale_pos_weight():
    X, y = _yes_no(rate=0.1)
    est = xgb.XGBClassifier(n_estimators=20, max_depth=3, scale_pos_weight=0.11, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y, "binary", est.predict, "label")


def bad_class_weight_table():
    X, y = _yes_no(rate=0.1)
    clf = LogisticRegression(class_weight={0: 0.9, 1: 0.1}).fit(X, y)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label")


def bad_softmax_objective_as_probability():
    X, _ = _yes_no()
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    booster = xgb.train(
        {"objective": "multi:softmax", "num_class": 3, "max_depth": 2, "nthread": 1}, xgb.DMatrix(X, label=y), 5
    )
    return _case("xgboost", booster, X, y, "multiclass", lambda X: booster.predict(xgb.DMatrix(X)), "probability")


def bad_squared_error_as_probability():
    X, y = _yes_no()
    est = xgb.XGBRegressor(n_estimators=60, max_depth=4, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y, "binary", est.predict, "probability")


def bad_sklearn_style_sign():
    X, y = _yes_no()

    def objective(y_true, raw):
        p = expit(raw)
        return y_true - p, p * (1 - p)

    est = xgb.XGBClassifier(objective=objective, n_estimators=5, max_depth=2, n_jobs=1).fit(X, y)
    return _case("xgboost", est, X, y, "binary", objective=objective)


def bad_zero_hessian():
    X, y = _number()

    def mae(y_true, pred):
        return np.sign(pred - y_true), np.zeros_like(pred)

    est = lgb.LGBMRegressor(objective=mae, n_estimators=20, verbosity=-1, n_jobs=1).fit(X, y)
    return _case("lightgbm", est, X, y, "regression", objective=mae)


def bad_gradient_of_probability():
    X, y = _yes_no()

    def squared(raw, data):
        p, t = expit(raw), data.get_label()
        return t - p, np.full_like(p, 0.25)

    loss = lambda z, t: (expit(z) - t) ** 2  # noqa: E731
    booster = xgb.train(
        {"max_depth": 2, "nthread": 1, "disable_default_eval_metric": 1}, xgb.DMatrix(X, label=y), 5, obj=squared
    )
    return _case("xgboost", booster, X, y, "binary", objective=squared, loss=loss)


def bad_start_score_missing():
    X, y = _yes_no(rate=0.03, n=1500)

    def logloss(raw, data):
        p = expit(raw)
        return p - data.get_label(), p * (1 - p)

    booster = lgb.train(
        {"objective": logloss, "num_leaves": 7, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1},
        lgb.Dataset(X, label=y),
        10,
    )
    return _case(
        "lightgbm", booster, X, y, "binary", lambda X: expit(booster.predict(X)), "probability", objective=logloss
    )


def bad_negative_counts():
    X, y = _number()

    def fit():
        return lgb.LGBMRegressor(objective="poisson", n_estimators=5, verbosity=-1, n_jobs=1).fit(X, y - 20)

    return _case("lightgbm", None, X, y - 20, "count", fit=fit, kind="mean")


def bad_example_weights_by_class_size():
    X, y = _yes_no(rate=0.12)
    weight = np.bincount(y)[y] / len(y)
    clf = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(X, y, sample_weight=weight)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label", sample_weight=weight, metric=f1_score)


def right_example_weights_against_class_size():
    X, y = _yes_no(rate=0.12)
    weight = len(y) / (2 * np.bincount(y)[y])
    clf = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(X, y, sample_weight=weight)
    return _case("sklearn", clf, X, y, "binary", clf.predict, "label", sample_weight=weight, metric=f1_score)
