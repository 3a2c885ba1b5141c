"""The pictures of a study, each with the sentence that says what is to be seen on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import Curves, priced
from goodmeasure.drawing import pictures
from goodmeasure.drawing.marks import LOSS, SIGNAL
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.scales import Ends
from goodmeasure.drawing.terminal import printable
from goodmeasure.making.loss import Loss
from goodmeasure.report.classes import taken
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.names import plain_label
from goodmeasure.study.segmenting import GroupsOf
from goodmeasure.study.study import Study
from goodmeasure.study.verdict import number

# Probabilities of yes/no are drawn from .002 to .998: beyond, the loss of a wrong answer would leave the picture.
_SURE = 6.0
# Of more groups than these the dearest and the cheapest are drawn.
MOST_GROUPS = 12
# Of a longer name of a group as much stands beside its part of the rows.
MOST_LETTERS = 24


def drawn(study: Study, found_curves: Curves | None) -> dict[str, Picture]:
    """Every picture of the page that this study has, by name; the curves are of its reported rows of yes and no."""
    judged, trained = study.judged, study.trained
    verdict = study.verdict
    found = {
        "risks": replace(judged._picture(), said=verdict.sentences[0]),
        **_of_loss(study),
        "calibration": replace(_calibration(study), said=verdict.sentences[2]),
        **_of_predictions(study),
        "carried": replace(pictures.concentration(_carried(study, judged.raw)), said=_worst(study)),
        "choice": pictures.choice(
            trained.path, trained.setting, trained.chosen, "rows left out" if trained.folds else "rows to tune"
        ),
    }
    if found_curves is not None:
        costs = None if study.decided is None else study.decided.costs
        found["prices"] = priced(found_curves, costs.threshold if isinstance(costs, Costs) else None)
    return found


def effects_drawn(study: Study) -> list[tuple[str, Picture]]:
    """The columns whose curves are drawn, with their pictures."""
    names = [plain_label(label) for label in study.plan.labels]
    names = names or [f"{level:g} quantile" for level in study.plan.loss.levels]
    curves = [(one.feature, one.curve) for one in study.effects.each if one.curve is not None]
    several = [(name, curve) for name, curve in curves if len(curve.places) > 1]
    ends = _ends([curve.means for _, curve in several])
    return [
        (name, pictures.effect(k, name, curve.places, curve.means, names, ends))
        for k, (name, curve) in enumerate(several)
    ]


def groups_drawn(study: Study) -> list[tuple[str, Picture]]:
    """The columns by which groups were compared, with what the groups of each cost more than the other rows."""
    return [(of.column, _groups(k, of)) for k, of in enumerate(study.segments.by) if of.each]


def _groups(k: int, of: GroupsOf) -> Picture:
    rows = [
        (f"{pictures.shortened(group.name, MOST_LETTERS)} ({group.share_of_rows:.0%})", group.excess.interval)
        for group in of.each
    ]
    shown = rows if len(rows) <= MOST_GROUPS else [*rows[: MOST_GROUPS // 2], *rows[-MOST_GROUPS // 2 :]]
    drawn = pictures.intervals(
        f"groups-{k}", printable(f"Which {of.column} costs more?"), shown, "more a row than the others", zero=True
    )
    weak = [group.name for group in of.each if group.verdict == "weak"]
    said = f"{', '.join(weak)} surely cost more" if weak else "none can be told to cost more"
    return replace(drawn, said=printable(f"{of.column}: {said}"))


def _ends(means: Sequence[Floats]) -> Ends:
    """One height for all curves, so that a column that moves the prediction more looks so; none where none moves it."""
    every = np.concatenate([each.ravel() for each in means]) if means else np.empty(0)
    known = every[np.isfinite(every)]
    if not len(known) or known.min() == known.max():
        return None, None
    room = 0.05 * (known.max() - known.min())
    return float(known.min() - room), float(known.max() + room)


def _of_loss(study: Study) -> dict[str, Picture]:
    raw = study.judged.raw
    if raw.ndim > 1:
        return {}
    return {"loss": pictures.loss_and_signal(*_loss_curves(study.plan.loss, _targets(study), raw))}


def _calibration(study: Study) -> Picture:
    judged = study.judged
    curves = [(judged.before.curve, "as trained")]
    if judged.after is not None and judged.recalibrated is not None:
        curves.append((judged.after.curve, "recalibrated"))
    return pictures.calibration_curves(curves, bool(study.plan.labels))


def _of_predictions(study: Study) -> dict[str, Picture]:
    prediction, y = study.judged.prediction, study.prepared.report.y
    if (found := taken(study)) is not None:
        rows = zip(found.labels, found.predicted.tolist(), found.seen.tolist(), strict=True)
        return {"shares": pictures.shares(list(rows))}
    if prediction.ndim > 1:
        return {}
    if not study.plan.labels:
        return {"amounts": pictures.amounts(prediction, y)}
    no, yes = map(plain_label, study.plan.labels)
    return {"spread": pictures.spread(prediction, y, (no, yes))}


def _worst(study: Study) -> str:
    share = study.judged.report.worst_share
    return "" if share != share else f"the worst 1 % of the reported rows carry {share:.1%} of the loss"


def _loss_curves(
    loss: Loss, targets: list[tuple[str, float]], raw: Floats
) -> tuple[Floats, list[tuple[str, Floats, Floats]]]:
    """Predictions over the raw outputs that occur, with the loss and the signal of each for a few targets."""
    low, high = np.quantile(raw, [0.005, 0.995])
    pad = max(0.15 * (high - low), 0.5)
    ends = (-_SURE, _SURE) if loss.is_binary else (low - pad, high + pad)
    z = np.linspace(float(ends[0]), float(ends[1]), 240)
    rows = [(name, np.full(len(z), y)) for name, y in targets]
    return np.asarray(loss.predict(z)), [(name, loss.value(y, z), loss.gradient(y, z)) for name, y in rows]


def _targets(study: Study) -> list[tuple[str, float]]:
    if study.plan.labels:
        no, yes = map(plain_label, study.plan.labels)
        return [(yes, 1.0), (no, 0.0)]
    middle = np.quantile(study.prepared.fit.y, [0.5, 0.9, 0.1])
    return [(f"target {number(value)}", float(value)) for value in np.unique(middle)]


def _carried(study: Study, raw: Floats) -> list[tuple[str, str, Floats]]:
    """The signal of each row, and its loss where no row's is below zero: only then have rows a share of it."""
    report, loss = study.prepared.report, study.plan.loss
    values = np.asarray(loss.value(report.y, raw), dtype=np.float64)
    pulls = np.abs(np.asarray(loss.gradient(report.y, raw), dtype=np.float64))
    pulls = pulls if pulls.ndim == 1 else pulls.sum(axis=1)
    signal = ("signal", SIGNAL, pulls * report.weights)
    return [("loss", LOSS, values * report.weights), signal] if values.min() >= 0 else [signal]
