"""Studies that declare another metric than the measure of their task, from runs to every page."""

import csv
import json

import numpy as np
import pytest

from experiments.report import writing
from experiments.report.kept import kept_pages
from experiments.run.record import files
from tests import made


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def with_losses(study, epoch=""):
    """Gives every run losses of its own: those of `valid` are larger."""
    for directory in study.glob("*/seed=*"):
        seed = int(directory.name.removeprefix("seed="))
        more = 0.5 if "-valid-" in directory.parent.name else 0.0
        random = np.random.default_rng([seed, int(10 * more)])
        columns = files.read_npz(directory / "predictions.npz")
        loss = more + random.uniform(0.1, 0.4, len(columns["id"])) + seed / 100
        columns["probability"] = np.exp(-loss)
        files.write_npz(directory / f"predictions{epoch}.npz", columns, compressed=True)
        curve = rows(directory / "metrics.csv")
        for row in curve:
            row["loss"] = float(row["loss"]) * loss.mean()
        files.write_csv(directory / "metrics.csv", curve)
    return study


@pytest.mark.parametrize("metric", ["test_loss", "training_loss", "training_loss@1", "test_loss@1"])
def test_of_a_loss_less_is_better_everywhere(tmp_path, capsys, metric):
    study = made.study(tmp_path / "some", ("same", "valid"), range(4))
    with_losses(study, "-1" if metric == "test_loss@1" else "")
    made.plan(study, metric=metric, margin=0.05)
    writing.finish(study)
    told, text = capsys.readouterr().out, (study / "report" / "report.md").read_text()
    worse = "with 4 seeds, valid does worse than same, by 0."
    assert worse in told and worse in text
    assert f"primary metric {metric}, of which less is better" in text.replace("\\", "")
    assert f"small_cnn on placed_digits: {metric.replace('_', ' ')}\n" in told
    (row,) = rows(study / "report" / "differences.csv")
    assert row["verdict"] == "differs" and 0.2 < float(row["mean"]) < 1.0
    assert bool(row["new_items_low"]) == metric.startswith("test")
    runs = rows(study / "report" / "runs.csv")
    of = {
        padding: np.mean([float(r[metric]) for r in runs if r["padding"] == padding])
        for padding in ("same", "valid")
    }
    assert of["valid"] - of["same"] == pytest.approx(float(row["mean"]))
    before = text, rows(study / "report" / "differences.csv")
    kept_pages.write(study / "report")
    assert (study / "report" / "report.md").read_text() == before[0]
    (again,) = rows(study / "report" / "differences.csv")
    for end in ("low", "high", *["new_items_low", "new_items_high"] * metric.startswith("test")):
        assert float(again[end]) == pytest.approx(float(row[end]), rel=1e-5)


@pytest.mark.parametrize("metric", ["balanced_accuracy", "accuracy_of/class 3"])
def test_metrics_of_classes_have_an_interval_over_new_images(tmp_path, metric):
    labels = np.repeat([0, 3, 1], [250, 100, 50])
    study = made.study(tmp_path / "some", ("same", "valid"), range(4), labels=labels)
    for path in study.glob("*/*/data.json"):
        names = [f"class {i}" for i in range(10)]
        files.write_json(path, {**json.loads(path.read_text()), "class_names": names})
    made.plan(study, metric=metric)
    writing.write(study, tmp_path / "out")
    (row,) = rows(tmp_path / "out" / "differences.csv")
    low, high, mean = (float(row[n]) for n in ("new_items_low", "new_items_high", "mean"))
    assert low <= float(row["low"]) < mean < float(row["high"]) <= high
    right = {
        p: np.array([made.outcomes(p, s)[labels == 3].mean() for s in range(4)])
        for p in ("same", "valid")
    }
    if metric != "balanced_accuracy":
        assert mean == pytest.approx(100 * (right["valid"] - right["same"]).mean())
    kept_pages.write(tmp_path / "out")
    (again,) = rows(tmp_path / "out" / "differences.csv")
    assert float(again["new_items_low"]) == pytest.approx(low, rel=1e-5)
    assert again["new_items_verdict"] == row["new_items_verdict"]


def test_an_accuracy_of_training_is_one_of_which_more_is_better(tmp_path, capsys):
    study = made.study(tmp_path / "some", ("same", "valid"), range(4))
    for directory in study.glob("*-valid-*/seed=*"):
        curve = rows(directory / "metrics.csv")
        for row in curve:
            row["accuracy"] = 0.4 + int(directory.name.removeprefix("seed=")) / 1000
        files.write_csv(directory / "metrics.csv", curve)
    made.plan(study, metric="training_accuracy")
    writing.finish(study)
    assert "valid does worse than same, by 39.9 (" in capsys.readouterr().out
