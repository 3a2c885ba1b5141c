"""Targets as textbooks and practice hold them: what each means, and what must be asked about it.

A row is a column: its name, its values, the meaning that a statistician would give it, what its values alone cannot settle
("order", "bound", "angle", "code", "rank", "whole"), and a word that the notes must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS = 600


@dataclass(frozen=True)
class Column:
    """A column and what a plan must say of it; ``meaning`` is an error code where it cannot be a target."""

    story: str
    name: str
    make: Callable[[np.random.Generator], Any]
    meaning: str
    asks: str = ""
    notes: str = ""

    @property
    def values(self) -> Any:
        """The values, the same at every call."""
        return self.make(np.random.default_rng(7))


def _labels(*labels: Any, p: Any = None) -> Callable[[np.random.Generator], Any]:
    return lambda rng: [labels[k] for k in rng.choice(len(labels), ROWS, p=p)]


def _zeros(share: float, amounts: Callable[[np.random.Generator], Any]) -> Callable[[np.random.Generator], Any]:
    return lambda rng: np.where(rng.random(ROWS) < share, 0, amounts(rng))


def _rare(events: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: rng.permutation(np.r_[np.ones(events, int), np.zeros(ROWS - events, int)])


LIKERT = ("strongly disagree", "disagree", "neutral", "agree", "strongly agree")
QUALITY = [0.01, 0.04, 0.42, 0.4, 0.11, 0.02]
TEXTBOOK = (
    Column("Titanic survival", "Survived", lambda rng: rng.binomial(1, 0.38, ROWS), "binary"),
    Column("yes and no as text", "churn", _labels("No", "Yes", p=[0.7, 0.3]), "binary"),
    Column("true and false", "defaulted", lambda rng: rng.random(ROWS) < 0.2, "binary"),
    Column("malignant or benign", "diagnosis", _labels("benign", "malignant"), "binary"),
    Column("iris species", "species", _labels("setosa", "versicolor", "virginica"), "classes"),
    Column("iris species as codes", "species", lambda rng: rng.integers(0, 3, ROWS), "classes"),
    Column("digits", "digit", lambda rng: rng.integers(0, 10, ROWS), "classes"),
    Column("codes of an unnamed column", "y", lambda rng: rng.integers(0, 4, ROWS), "classes", "order"),
    Column("Likert texts", "answer", _labels(*LIKERT), "grade", "order"),
    Column("Likert numbers", "satisfaction", lambda rng: rng.integers(1, 6, ROWS), "grade", "order"),
    Column("low, medium, high", "risk", _labels("low", "medium", "high"), "grade", "order"),
    Column("shirt sizes", "size", _labels("S", "M", "L", "XL"), "grade", "order"),
    Column("how often", "how_often", _labels("never", "rarely", "sometimes", "often", "always"), "grade", "order"),
    Column("stars", "stars", lambda rng: 1 + rng.binomial(4, 0.7, ROWS), "grade", "order"),
    Column("wine quality", "quality", lambda rng: 3 + rng.choice(6, ROWS, p=QUALITY), "grade", "order"),
    Column("grades by letter", "grade", _labels("A", "B", "C", "D", "F"), "grade", "order"),
    Column("ranks", "rank", lambda rng: 1 + rng.permutation(ROWS), "real", "rank"),
    Column("house prices", "price", lambda rng: rng.lognormal(12, 0.5, ROWS), "positive"),
    Column("claim counts", "claims", lambda rng: rng.poisson(0.15, ROWS), "count"),
    Column("claim costs", "claim_amount", _zeros(0.945, lambda rng: rng.gamma(1.5, 900, ROWS)), "non_negative"),
    Column("bike rentals", "rentals", lambda rng: rng.poisson(150, ROWS), "count"),
    Column("waiting times", "wait_minutes", lambda rng: rng.exponential(8, ROWS), "positive"),
    Column("temperatures", "temp_c", lambda rng: rng.normal(12, 9, ROWS), "real"),
    Column("heights", "height_cm", lambda rng: rng.normal(171, 9, ROWS), "real"),
    Column("returns", "log_return", lambda rng: 0.01 * rng.standard_t(3, ROWS), "real"),
    Column("shares", "share", lambda rng: rng.beta(2, 5, ROWS), "unit_interval"),
    Column("percent", "percent_owned", lambda rng: 100 * rng.beta(2, 2, ROWS), "real", "bound"),
    Column("grades of 20", "grade", lambda rng: np.round(20 * rng.beta(5, 4, ROWS), 1), "real", "bound"),
    Column("grades of 10", "exam_mark", lambda rng: np.round(10 * rng.beta(6, 3, ROWS), 1), "real", "bound"),
    Column("bearings", "wind_direction", lambda rng: rng.uniform(0, 360, ROWS), "angle", "angle"),
    Column("hours of the day", "hour", lambda rng: rng.integers(0, 24, ROWS), "angle", "angle"),
    Column("zip codes", "zip", lambda rng: rng.choice([10001, 60601, 94103, 73301], ROWS), "classes", "code"),
    Column("customer ids", "customer_id", lambda rng: rng.permutation(ROWS) + 10_000, "GM604"),
    Column("ages", "age", lambda rng: rng.integers(18, 90, ROWS), "positive", "whole"),
    Column("a rare event", "fraud", _rare(3), "binary", notes="3 of 600"),
    Column("two labels at once", "tags", lambda rng: rng.integers(0, 2, (ROWS, 3)), "multilabel"),
)

# Written before the rules were: what they said of these at first sight is a fair figure for a stranger's column.
UNSEEN = (
    Column("credit default as 1 and 2", "default", lambda rng: rng.integers(1, 3, ROWS), "binary"),
    Column("spam or ham", "label", _labels("ham", "spam"), "binary"),
    Column("pain from none to severe", "pain", _labels("none", "mild", "moderate", "severe"), "grade", "order"),
    Column("education", "education", _labels("primary", "secondary", "tertiary"), "grade", "order"),
    Column("tumour stage", "stage", _labels("I", "II", "III", "IV"), "grade", "order"),
    Column("priority", "priority", _labels("P1", "P2", "P3", "P4"), "grade", "order"),
    Column("credit rating", "rating", _labels("AAA", "AA", "A", "BBB", "BB", "B"), "grade", "order"),
    Column("quality in words", "condition", _labels("poor", "fair", "good", "excellent"), "grade", "order"),
    Column("age bands", "band", _labels("18-25", "26-40", "41-60", "61+"), "grade", "order"),
    Column("colours", "colour", _labels("red", "green", "blue", "black"), "classes"),
    Column("blood groups", "blood", _labels("A", "B", "AB", "O"), "classes"),
    Column("land cover", "cover_type", lambda rng: rng.integers(1, 8, ROWS), "classes"),
    Column("net promoter score", "nps", lambda rng: rng.choice(11, ROWS), "grade", "order"),
    Column("hours worked", "hours_per_week", lambda rng: np.round(rng.normal(40, 9, ROWS), 1), "real"),
    Column("radians", "phase", lambda rng: rng.uniform(-np.pi, np.pi, ROWS), "angle", "angle"),
    Column("degrees without a name", "y", lambda rng: rng.uniform(0, 360, ROWS), "positive", "angle"),
    Column("months", "month", lambda rng: rng.integers(1, 13, ROWS), "angle", "angle"),
    Column(
        "weekdays in words", "weekday", _labels("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "classes", "angle"
    ),
    Column("compass points", "aspect", _labels("N", "NE", "E", "SE", "S", "SW", "W", "NW"), "classes", "angle"),
    Column("humidity", "humidity", lambda rng: np.minimum(100, 100 * rng.beta(6, 2, ROWS)).round(), "real", "bound"),
    Column("conversion rates", "rate", lambda rng: rng.beta(1, 30, ROWS), "unit_interval"),
    Column("test scores of 100", "math_score", lambda rng: rng.binomial(100, 0.66, ROWS), "real", "bound"),
    Column("postcodes with zeros", "postcode", _labels("01067", "04109", "80331"), "classes", "code"),
    Column("phone numbers", "phone", lambda rng: rng.integers(2_000_000, 9_999_999, ROWS), "GM604"),
    Column("years of age of a child", "age_years", lambda rng: rng.gamma(4, 1.5, ROWS), "positive"),
    Column("lengths of stay", "length_of_stay", lambda rng: 1 + rng.poisson(3, ROWS), "positive", "whole"),
    Column("rain", "rain_mm", _zeros(0.7, lambda rng: rng.gamma(0.8, 6, ROWS)), "non_negative"),
    Column("goals", "goals", lambda rng: rng.poisson(1.4, ROWS), "count"),
    Column("profit", "profit", lambda rng: rng.normal(2, 30, ROWS) * rng.lognormal(0, 1, ROWS), "real"),
    Column(
        "a rare class", "fault", _labels("none", "pump", "valve", p=[0.985, 0.01, 0.005]), "classes", notes=" of 600"
    ),
)

# Columns of well-known data sets, written down after the rules: a second first sight.
_WEIGHTS = ("Insufficient_Weight", "Normal_Weight", "Overweight_Level_I", "Overweight_Level_II", "Obesity_Type_I")
KNOWN = (
    Column("census income", "income", _labels("<=50K", ">50K", p=[0.76, 0.24]), "binary"),
    Column("rings of abalones", "Rings", lambda rng: 1 + rng.negative_binomial(8, 0.47, ROWS), "count"),
    Column("hourly bikes", "cnt", lambda rng: 1 + rng.negative_binomial(1, 0.005, ROWS), "count"),
    Column("Boston values", "MEDV", lambda rng: np.minimum(50, rng.gamma(6, 4, ROWS)).round(1) + 5, "positive"),
    Column("diabetes progression", "target", lambda rng: 25 + rng.gamma(2.7, 47, ROWS).round(), "positive"),
    Column("burnt area", "area", _zeros(0.48, lambda rng: rng.lognormal(1, 1.5, ROWS).round(2)), "non_negative"),
    Column("final grade of pupils", "G3", lambda rng: rng.binomial(20, 0.55, ROWS), "count"),
    Column("car acceptability", "class", _labels("unacc", "acc", "good", "vgood", p=[0.7, 0.22, 0.04, 0.04]), "classes"),
    Column("heart disease", "num", lambda rng: rng.choice(5, ROWS, p=[0.54, 0.18, 0.12, 0.12, 0.04]), "count", "order"),
    Column("diabetes of the Pima", "Outcome", lambda rng: rng.binomial(1, 0.35, ROWS), "binary"),
    Column("arrival delays", "ArrDelay", lambda rng: (rng.gamma(1, 30, ROWS) - 20).round(), "real"),
    Column("sale prices", "SalePrice", lambda rng: rng.lognormal(12, 0.4, ROWS).round(-2), "positive"),
    Column("numbers of claims", "ClaimNb", lambda rng: rng.poisson(0.25, ROWS), "count"),
    Column("fares", "Fare", _zeros(0.02, lambda rng: rng.lognormal(3, 1, ROWS)), "non_negative"),
    Column("card default", "default.payment.next.month", lambda rng: rng.binomial(1, 0.22, ROWS), "binary"),
    Column("reviews", "review_score", lambda rng: rng.choice([1, 2, 3, 4, 5], ROWS, p=[0.1, 0.04, 0.08, 0.2, 0.58]),
           "grade", "order"),
    Column("sentiment", "sentiment", _labels("negative", "neutral", "positive"), "grade", "order"),
    Column("obesity, in words of its own", "NObeyesdad", _labels(*_WEIGHTS), "classes"),
    Column("happiness of nations", "Ladder score", lambda rng: rng.normal(5.5, 1, ROWS).clip(2.4, 7.9), "real", "bound"),
    Column("power", "PE", lambda rng: rng.normal(454, 17, ROWS), "real"),
    Column("wind", "wind_dir", lambda rng: rng.uniform(0, 360, ROWS), "angle", "angle"),
    Column("hour of departure", "start_hour", lambda rng: rng.integers(0, 24, ROWS), "angle", "angle"),
    Column("severity of accidents", "Severity", lambda rng: rng.choice([1, 2, 3, 4], ROWS, p=[0.01, 0.8, 0.17, 0.02]),
           "grade", "order"),
    Column("click rates", "ctr", lambda rng: rng.beta(1, 60, ROWS), "unit_interval"),
    Column("health of a fetus", "fetal_health", lambda rng: rng.choice([1, 2, 3], ROWS, p=[0.78, 0.14, 0.08]),
           "classes", "order"),
    Column("credit score in words", "Credit_Score", _labels("Poor", "Standard", "Good"), "grade", "order"),
    Column("months with a contract", "tenure", lambda rng: rng.integers(0, 73, ROWS), "non_negative", "whole"),
    Column("body mass", "bmi", lambda rng: rng.normal(28, 6, ROWS).clip(15, 60), "real"),
    Column("glucose", "glucose", lambda rng: rng.normal(121, 30, ROWS).round(), "real"),
    Column("medical charges", "charges", lambda rng: rng.lognormal(9, 0.9, ROWS), "positive"),
)  # fmt: skip
