"""co2: windows and labels by hand from the series, and the same weeks scored in both subsets."""

import dataclasses
import itertools
from datetime import datetime, timedelta

import numpy as np
import pytest

import data
from data.builders import co2
from data.builders.digest import content_digest
from data.sources import npz_export

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def series():
    return co2.read_series()


@pytest.fixture(scope="module")
def made():
    return co2.make_splits()


@pytest.fixture(scope="module")
def cfg(data_dir):
    return data.DataConfig("co2", "built", data_dir=data_dir)


def subset(columns, name):
    chosen = columns["subset"] == co2.SUBSETS.index(name)
    return {key: column[chosen] for key, column in columns.items()}


def test_the_series_is_weekly_and_lacks_59_weeks(series):
    dates, ppm = series
    days = [datetime.strptime(str(date), "%Y%m%d") for date in dates]
    assert (dates[0], dates[-1], len(dates)) == (19580329, 20011229, 2284)
    assert {later - day for day, later in itertools.pairwise(days)} == {timedelta(7)}
    assert np.isnan(ppm).sum() == 59
    assert not np.isnan(ppm[dates > 19860000]).any()  # nothing is filled in where it is tested


def test_the_series_is_what_statsmodels_loads(series):
    from statsmodels.datasets import co2 as shipped

    np.testing.assert_array_equal(series[1], shipped.load_pandas().data["co2"])


def test_a_week_that_was_not_measured_tells_nothing_of_the_next_one():
    ppm = np.array([316.0, np.nan, np.nan, 317.5, 317.4])
    assert co2.weekly_changes(ppm).tolist() == [0, 0, 0, 15, -1]


@pytest.mark.parametrize("split", SPLITS)
def test_windows_and_labels_by_hand(series, made, split):
    """All of them, from the numbers of the file, where every week was measured."""
    ppm, columns = series[1], made[split]
    checked = 0
    for x, label, forecast in zip(
        columns["sequence"][..., 0], columns["label"], columns["source_id"], strict=True
    ):
        now = forecast[-1] - 1  # the last week that is seen
        assert forecast.tolist() == list(range(now - 30, now + 2))
        weeks = ppm[now - 96 : now + 2]
        if np.isnan(weeks).any():
            continue
        np.testing.assert_allclose(x, np.diff(weeks[:-1]), atol=1e-4)
        for step in np.flatnonzero(label >= 0):
            change = round(ppm[forecast[step]] - ppm[forecast[step] - 1], 1)
            quarter = 0 if change <= -0.3 else 1 if change <= 0 else 2 if change <= 0.3 else 3
            assert label[step] == quarter
            checked += 1
    assert checked > 200


def test_the_input_at_the_next_step_is_what_the_label_is_of(made):
    x, label = made["validation"]["sequence"][..., 0], made["validation"]["label"]
    rises = np.round(x[:, -co2.SCORED + 1 :], 1) >= 0.4
    np.testing.assert_array_equal(label[:, :-1] == 3, rises)


def test_classes_are_quarters_of_the_training_part_alone(series, monkeypatch):
    dates, ppm = series
    weeks = co2.weeks_of("train", dates)
    found = co2.thresholds(co2.weekly_changes(ppm)[weeks])
    assert found.tolist() == [-3, 0, 3]  # what the names of the classes say
    before = co2.make_splits()["train"]
    noise = np.where(dates > 19860000, 100 * np.sin(np.arange(len(dates))), 0)
    monkeypatch.setattr(co2, "read_series", lambda: (dates, ppm + noise))
    for name, column in co2.make_splits()["train"].items():
        np.testing.assert_array_equal(column, before[name])
    share = np.bincount(before["label"].ravel()) / before["label"].size
    assert np.abs(share - 0.25).max() < 0.02


def weeks_used(columns):
    """All weeks whose change a split's windows show or ask for."""
    ends = columns["source_id"][:, -1:]
    return set((ends - np.arange(co2.STEPS + 1)).ravel().tolist())


def test_no_week_is_in_two_splits(series, made):
    used = [weeks_used(made[split]) for split in SPLITS]
    assert sum(map(len, used)) == len(set.union(*used))
    for (first, last), weeks in zip(co2.YEARS.values(), used, strict=True):
        years = series[0][sorted(weeks)] // 10_000
        assert (years[0], years[-1]) == (first, last)


def test_window_and_stream_score_the_same_weeks_once(made):
    window, stream = (subset(made["test"], name) for name in ("window", "stream"))
    assert made["test"]["subset"][0] == co2.SUBSETS.index("window")
    assert (window["label"] >= 0).all()
    weeks = window["source_id"].ravel()
    assert len(weeks) == len(stream["label"])
    np.testing.assert_array_equal(np.diff(weeks), 1)
    np.testing.assert_array_equal(stream["source_id"][:, -1], weeks)
    np.testing.assert_array_equal(stream["label"][:, -1], window["label"].ravel())
    assert (stream["label"][:, :-1] == co2.UNSCORED).all()


def test_version_1_0_0_is_this_content(made):
    assert content_digest(made).startswith("77624e946711")


def test_the_prepared_set_has_a_label_a_step(cfg, made):
    d = data.load(cfg)
    assert (d.spec.kind, d.spec.input_shape, d.spec.scored_steps) == ("sequence", (96, 1), 32)
    assert (d.spec.validation, d.spec.class_names) == ("official", co2.CLASSES)
    for split in SPLITS:
        found = getattr(d, split)
        np.testing.assert_array_equal(found.y, made[split]["label"])
        np.testing.assert_array_equal(found.source_ids, made[split]["source_id"])
    assert list(dict.fromkeys(d.test.subset.tolist())) == list(co2.SUBSETS)


def test_examples_are_nested_windows(cfg):
    few, more = (data.load(dataclasses.replace(cfg, examples=n)) for n in (40, 90))
    assert len(few.train) == 40
    assert set(few.train.ids) < set(more.train.ids)
    assert np.ptp(few.train.ids) > 250  # from all years


def test_from_disk_it_is_the_same(cfg):
    streamed, held = data.load(dataclasses.replace(cfg, memory=1e-6)), data.load(cfg)
    assert streamed.streams
    np.testing.assert_array_equal(streamed.test.x[:], held.test.x)
    np.testing.assert_array_equal(streamed.test.y, held.test.y)


def test_as_a_file_it_is_the_same(cfg, tmp_path):
    held = data.load(cfg)
    copy = data.load(npz_export.write(cfg, held.spec.fingerprint, tmp_path / "co2.npz"))
    assert (copy.spec.kind, copy.spec.scored_steps) == ("sequence", 32)
    for split in SPLITS:
        for column in ("x", "y", "source_ids", "subset"):
            one, other = (getattr(getattr(d, split), column) for d in (held, copy))
            np.testing.assert_array_equal(one, other)


def test_training_without_a_label_at_every_step_is_refused(tmp_path, monkeypatch):
    made = co2.make_splits()
    made["train"]["label"][3, 5] = co2.UNSCORED
    monkeypatch.setattr(co2, "make_splits", lambda: made)
    with pytest.raises(data.DataError, match="steps without a label outside its test split"):
        data.load(data.DataConfig("co2", "built", data_dir=str(tmp_path)))


def test_reading_the_series_loads_no_pandas():
    import subprocess
    import sys

    code = "import sys\nfrom data.builders import co2\nco2.read_series()\n"
    code += "assert 'pandas' not in sys.modules and 'statsmodels.datasets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
