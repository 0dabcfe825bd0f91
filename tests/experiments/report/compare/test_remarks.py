"""Accuracies that compare nothing are named."""

import numpy as np

from experiments.report import writing
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.compare.remarks import remarks
from tests import made

RIGHT, WRONG = np.ones(40, bool), np.zeros(40, bool)


def said(study, metric="test_accuracy"):
    (family,) = families(read(study, metric).cells)
    return remarks(family, metric)


def test_an_ordinary_family_needs_no_remark(tmp_path):
    assert said(made.study(tmp_path)) == []


def test_a_ceiling_that_all_reach(tmp_path):
    made.study(tmp_path, ("same", "reflect"), range(3), right=RIGHT)
    line = "every padding is at 100 % with every seed: these test items cannot distinguish them"
    assert said(tmp_path) == [line]
    report = writing.write(tmp_path)
    assert writing.table(report.compared[0], report.declared)[-1] == line
    assert line in (tmp_path / "report" / "report.md").read_text()
    assert "cannot distinguish them" in (tmp_path / "report" / "report.html").read_text()


def test_a_floor_and_one_padding_alone(tmp_path):
    made.study(tmp_path, ("same",), range(3), right=RIGHT)
    made.study(tmp_path, ("valid",), range(3), right=WRONG)
    made.study(tmp_path, ("reflect",), range(3))
    assert said(tmp_path) == [
        "same: at 100 % with every seed",
        "valid: at 0 % with every seed",
    ]


def test_runs_that_predict_one_class(tmp_path):
    made.study(tmp_path, ("same", "valid"), range(3))
    for cell in tmp_path.glob("small_cnn-valid-*"):
        for seed in (0, 2):
            directory = cell / f"seed={seed}"
            with np.load(directory / "predictions.npz") as stored:
                arrays = dict(stored)
            arrays["predicted"] = np.full_like(arrays["predicted"], 4)
            np.savez(directory / "predictions.npz", **arrays)
            results = made.files.read_json(directory / "results.json")
            results["test_accuracy"] = float((arrays["label"] == 4).mean())
            made.files.write_json(directory / "results.json", results)
    assert said(tmp_path) == ["valid: 2 of 3 runs predict one class for every item"]
