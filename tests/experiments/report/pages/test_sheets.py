"""A report's CSV files at another epoch: the same runs, tested earlier."""

import csv
import json
import re

import numpy as np
import pytest

from experiments.report.writing import write
from tests import made

PADDINGS = ("same", "reflect", "valid")
NETWORKS = {"small_cnn": {}, "inception": {"name": "inception"}}
AT = "test_accuracy@1"
SEEDS = 3


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def early(model, padding, seed):
    return made.outcomes(f"{model}{padding} early", seed)


def run_tested_early(study, model, padding, seed):
    options = {"model": NETWORKS[model], "trainer": {"test_epochs": [1]}}
    run = made.run(study, padding, seed, **options)
    right = early(model, padding, seed)
    results = json.loads((run / "results.json").read_text())
    results["test_accuracy_at"] = {"1": float(right.mean())}
    (run / "results.json").write_text(json.dumps(results))
    predicted = dict(np.load(run / "predictions.npz"))
    label = predicted["label"]
    predicted["predicted"] = np.where(right, label, (label + 1) % 10).astype(np.int32)
    np.savez(run / "predictions-1.npz", **predicted)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Of a study whose runs were tested after epoch 1 too, and that declares a contrast."""
    study = tmp_path_factory.mktemp("budgets") / "some"
    for model in NETWORKS:
        for padding in PADDINGS:
            for seed in range(SEEDS):
                run_tested_early(study, model, padding, seed)
    contrast = {"padding": ["valid"], "between": {"model": [*NETWORKS]}}
    made.plan(study, contrasts=[contrast])
    write(study)
    return study / "report"


def test_the_comparisons_at_another_epoch_are_those_of_its_column(report):
    runs = {(r["model"], r["padding"], int(r["seed"])): r for r in rows(report / "runs.csv")}
    assert [float(row[AT]) for row in runs.values()] == pytest.approx(
        [early(*run).mean() for run in runs]
    )
    compared = rows(report / "differences_at.csv")
    assert [(row["metric"], row["model"], row["cell"], row["n"]) for row in compared] == [
        (AT, model, padding, str(SEEDS))
        for model in sorted(NETWORKS)
        for padding in ("reflect", "valid")
    ]
    for row in compared:
        own, base = (
            np.array([float(runs[row["model"], padding, seed][AT]) for seed in range(SEEDS)])
            for padding in (row["cell"], "same")
        )
        assert float(row["mean"]) == pytest.approx(100 * (own - base).mean())
        assert row["new_items_verdict"]
    (contrast,) = rows(report / "contrasts_at.csv")
    of = {row["model"]: float(row["mean"]) for row in compared if row["cell"] == "valid"}
    assert float(contrast["mean"]) == pytest.approx(of["small_cnn"] - of["inception"])
    assert contrast["metric"] == AT


def test_they_are_those_of_the_reports_tables(report):
    text = (report / "report.md").read_text().partition("### At another epoch")[2]
    assert "not what a shorter training would give; at a constant rate it is" in text
    told = re.findall(r"\| ([+-]\d+\.\d\d \[.*?\]) \|", text)
    held = [*rows(report / "differences_at.csv"), *rows(report / "contrasts_at.csv")]
    numbers = [[float(row[key]) for key in ("mean", "low", "high")] for row in held]
    written = ["{:+.2f} [{:+.2f}, {:+.2f}]".format(*three) for three in numbers]
    assert written == told[: len(written)] and len(written) == 5


def test_a_study_that_is_tested_once_has_no_such_files(tmp_path):
    write(made.study(tmp_path / "some", seeds=range(2)))
    assert not list((tmp_path / "some" / "report").glob("*_at.csv"))
    assert "@" not in "".join(rows(tmp_path / "some" / "report" / "runs.csv")[0])


def test_a_family_that_was_not_tested_then_has_no_line(tmp_path):
    study = tmp_path / "some"
    for padding in ("same", "valid"):
        for seed in range(SEEDS):
            run_tested_early(study, "small_cnn", padding, seed)
            made.run(study, padding, seed, model=NETWORKS["inception"])
    write(study)
    assert len(rows(study / "report" / "differences.csv")) == 2
    (row,) = rows(study / "report" / "differences_at.csv")
    assert (row["metric"], row["model"]) == (AT, "small_cnn") and row["mean"]
