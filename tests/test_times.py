"""Are rows in order of time whatever form dates have, and is what has no order refused?"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.reading.moments import TimeIsText

N = 300
DAYS = [datetime(2022, 12, 20) + timedelta(days=int(i)) for i in np.random.default_rng(1).permutation(N)]
X = np.random.default_rng(2).normal(size=N)
TABLE = {"x": X, "y": X + np.random.default_rng(3).normal(size=N)}
FORMS = ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y-%m-%d", "%d/%m/%y", "%Y%m%d", "%d.%m.%Y %H:%M"]


@pytest.mark.parametrize("form", FORMS)
def test_the_earliest_rows_fit_whatever_form_dates_have(form: str, tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    rows = zip(X.tolist(), TABLE["y"].tolist(), DAYS, strict=True)
    place.write_text("x\ty\tday\n" + "".join(f"{x}\t{y}\t{day.strftime(form)}\n" for x, y, day in rows))
    for data in (str(place), {**TABLE, "day": [day.strftime(form) for day in DAYS]}):
        study = gm.run(data, "y", time="day")
        parts = study.prepared.split.parts
        assert "the earliest rows fit" in study.prepared.split.how
        assert max(DAYS[i] for i in parts["fit"]) < min(DAYS[i] for i in parts["tune"])
        assert max(DAYS[i] for i in parts["tune"]) < min(DAYS[i] for i in parts["report"])


def test_texts_that_sort_as_times_do_are_an_order_and_others_are_refused() -> None:
    quarters = [f"{2000 + i // 4}-Q{1 + i % 4}" for i in range(N)]
    assert gm.run({**TABLE, "day": quarters}, "y", time="day").prepared.split.report.min() >= 200
    for wrong in (["9.1.", "10.1.", "11.1."], ["spring", "summer", "fall"], ["2024-01-01", "02.01.2024", "2024-01-03"]):
        with pytest.raises(TimeIsText):
            gm.run({**TABLE, "day": wrong * (N // 3)}, "y", time="day")


def test_a_table_to_report_that_is_not_later_is_said() -> None:
    first = {"x": X, "y": TABLE["y"], "day": np.arange(N)}
    for start, said in ((N, False), (N - 5, True)):
        study = gm.run(first, "y", time="day", test={**first, "day": np.arange(start, start + N)})
        assert ("GM248" in {remark.code for remark in study.remarks}) is said
        assert "the latest report" not in study.prepared.split.how


def test_the_time_is_learned_from_where_that_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weekend = np.array([day.weekday() >= 5 for day in DAYS])
    data = {**TABLE, "y": TABLE["y"] + 5 * weekend, "day": [day.isoformat() for day in DAYS]}
    plain, learned = (gm.run(data, "y", time="day", learn_time=asked, model="boosting") for asked in (False, True))
    assert "day" not in plain.prepared.columns.features
    assert "day" in learned.prepared.columns.features
    assert learned.judged.report.value < plain.judged.report.value / 2
    assert learned.prepared.split.parts["report"].tolist() == plain.prepared.split.parts["report"].tolist()
    numbered = {**TABLE, "day": np.arange(N)}
    assert "day" in gm.run(numbered, "y", time="day", learn_time=True).prepared.columns.features
    place = tmp_path / "t.csv"
    place.write_text("x,y,day\n" + "".join(f"{x},{y},{d}\n" for x, y, d in zip(X, data["y"], data["day"], strict=True)))
    asked = ["run", str(place), "--target", "y", "--learn-time", "--out", str(tmp_path / "out")]
    assert status_of(asked) == 2
    assert "--time day --learn-time" in capsys.readouterr().err
    assert status_of([*asked, "--time", "day"]) == 0
    assert "--learn-time" in (tmp_path / "out" / "report.html").read_text()
