import json

import numpy as np
import pytest

from experiments.report.compare.reading import read, read_items, recorded
from experiments.run.record import files
from tests import made


@pytest.fixture
def study(tmp_path):
    return made.study(tmp_path / "study", ("same", "valid"), (0, 1))


def only(study, padding="same", seed=0):
    (directory,) = study.glob(f"small_cnn-{padding}-*/seed={seed}")
    return directory


def reasons(found):
    return {(run.cell.split("-")[1], run.seed): run.why for run in found.absent}


def test_complete_runs_are_read_cell_by_cell(study):
    same, valid = read(study).cells
    assert (same.label, list(same.records), valid.label) == ("same", [0, 1], "valid")
    record = same.records[1]
    assert record.points() == 100 * made.outcomes("same", 1).mean()
    assert record.items.correct.tolist() == made.outcomes("same", 1).tolist()
    assert record.items.sizes.tolist() == [1] * made.ITEMS
    assert [row["epoch"] for row in record.curve] == [1, 2]
    assert read(study, brief=True).cells[0].records[1].items is None


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("results.json", "{", "results.json cannot be read"),
        ("results.json", "{}", "holds no test result"),
        ("results.json", '{"test_accuracy": NaN}', "holds no test result"),
        ("config.json", '{"of": "another version"}', "config.json cannot be read"),
        ("config.json", None, "config.json is missing"),
        ("meta.json", None, "meta.json or data.json is missing"),
        ("data.json", "{}", "meta.json or data.json is missing"),
        ("metrics.csv", "epoch,loss\n1", "metrics.csv cannot be read"),
        ("metrics.csv", None, "metrics.csv is missing"),
        ("predictions.npz", "PK", "predictions.npz cannot be read"),
        ("predictions.npz", None, "predictions.npz is missing"),
        ("predictions.npz", "", "predictions.npz cannot be read: it is empty"),
        ("status.json", "{", "status.json cannot be read"),
        ("status.json", "[]", "status.json cannot be read"),
        ("results.json", '"text"', "results.json cannot be read: it holds a text"),
        ("results.json", '{"test_accuracy": 0.5, "epochs": "two"}', "epochs is not a number"),
        ("results.json", '{"test_accuracy": 0.5, "accuracy_by_margin": [1]}', "no accuracies"),
        ("results.json", '{"test_accuracy": 0.5, "per_class_accuracy": [0]}', "no accuracies"),
        ("results.json", '{"test_accuracy": 0.5, "final_map_size": 3}', "is not a list"),
        ("meta.json", "[]", "meta.json cannot be read: it holds a list"),
        ("meta.json", '{"starts": [1]}', "meta.json cannot be read"),
        ("meta.json", '{"starts": [{"time": 3}]}', "meta.json cannot be read"),
        ("data.json", '"text"', "data.json cannot be read"),
        ("metrics.csv", "what,else\n1,2\n", "metrics.csv cannot be read"),
        ("status.json", None, "status.json is missing or empty"),
        ("status.json", '{"status": "RUNNING"}', "still running, or killed"),
        ("status.json", '{"status": "INTERRUPTED"}', "interrupted"),
        ("status.json", '{"status": "FAILED", "error": "no memory"}', "failed: no memory"),
    ],
)
def test_a_run_that_is_not_whole_is_listed_and_left_out(study, name, content, why):
    path = only(study) / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    found = read(study)
    assert list(found.cells[0].records) == [1]
    assert why in reasons(found)["same", 0]
    assert len(found.absent) == 1


def test_predictions_that_are_not_those_of_the_results_are_not_believed(study):
    path = only(study) / "results.json"
    files.write_json(path, json.loads(path.read_text()) | {"test_accuracy": 0.99})
    assert "disagree" in reasons(read(study))["same", 0]


def test_a_plan_says_what_is_missing_and_what_nobody_asked_for(study):
    plan = made.plan(study, seeds=(0, 1, 2))
    made.run(study, "valid", 7)
    made.run(study, "reflect", 0)
    found = read(study, plan=plan)
    assert not found.whole
    assert found.planned == 6
    assert reasons(found) == {
        ("same", 2): "missing: there are no files",
        ("valid", 2): "missing: there are no files",
    }
    assert [(cell.split("-")[1], seed) for cell, seed in found.unplanned] == [
        ("reflect", 0),
        ("valid", 7),
    ]
    assert [list(cell.records) for cell in found.cells] == [[0, 1], [0, 1]]


def test_a_failed_run_that_no_plan_asks_for_leaves_the_study_whole(study):
    plan = made.plan(study)
    files.write_json(
        made.run(study, "reflect", 0) / "status.json", {"status": "FAILED", "error": "x"}
    )
    found = read(study, plan=plan)
    assert found.whole
    assert reasons(found) == {("reflect", 0): "failed: x"}


def test_aliases_are_the_cells_that_run_in_anothers_stead(study):
    plan = made.plan(study, aliases=[("half", "same"), ("same_lower", "same")])
    same, valid = read(study, plan=plan).cells
    assert (same.aliases, valid.aliases) == (("half", "same_lower"), ())


def test_items_of_a_metric_are_those_of_its_subset(tmp_path):
    subsets = np.repeat(["near", "far"], made.ITEMS // 2)
    groups = np.arange(made.ITEMS) // 4
    made.run(tmp_path, subsets=subsets, groups=groups)
    right = made.outcomes("same", 0)
    for metric, part in (
        ("test_accuracy", slice(0, 200)),
        ("accuracy_on/near", slice(0, 200)),
        ("accuracy_on/far", slice(200, 400)),
    ):
        (cell,) = read(tmp_path, metric).cells
        items = cell.records[0].items
        assert items.correct.tolist() == right[part].reshape(-1, 4).sum(axis=1).tolist()
        assert items.sizes.tolist() == [4] * 50
        assert cell.records[0].points(metric) == pytest.approx(100 * right[part].mean())
    (cell,) = read(tmp_path, "accuracy_on/nowhere").cells
    assert cell.records[0].points("accuracy_on/nowhere") is None


def test_items_of_a_source_are_counted_wherever_they_stand(tmp_path):
    groups = np.random.default_rng(0).integers(5, 25, made.ITEMS)
    run = made.run(tmp_path, groups=groups)
    items, right = read_items(run / "predictions.npz", "test_accuracy"), made.outcomes("same", 0)
    for source in range(20):
        assert items.sizes[source] == (groups == source + 5).sum()
        assert items.correct[source] == right[groups == source + 5].sum()
    other = made.run(tmp_path / "other", groups=groups + 1)
    assert read_items(other / "predictions.npz", "test_accuracy").key != items.key


def test_neighbouring_steps_of_a_series_are_one_source(tmp_path):
    run = made.run(tmp_path / "study", groups=np.arange(7, 7 + made.ITEMS))
    items = read_items(run / "predictions.npz", "test_accuracy", scored_steps=32)
    assert items.sizes.tolist() == [32] * 12 + [16]
    assert items.correct[1] == made.outcomes("same", 0)[32:64].sum()
    described = files.read_json(run / "data.json") | {"scored_steps": 32}
    files.write_json(run / "data.json", described)
    (cell,) = read(tmp_path / "study").cells
    assert cell.records[0].items.sizes.tolist() == items.sizes.tolist()


def test_other_folders_are_no_runs(study):
    for name in ("_summary", "report", "small_cnn-same-x/seed=x"):
        (study / name).mkdir(parents=True)
    assert read(study).absent == []


def test_a_metric_of_a_part_is_found_where_the_results_have_it():
    results = {
        "test_accuracy": 0.5,
        "test_accuracy_at": {"3": 0.4},
        "per_class_accuracy": {"cat": 0.25, "dog": 0.75},
        "accuracy_by_margin": {"-4 to 0": {"accuracy": 0.125, "n": 8}},
        "error_by_distance": [{"distance": d, "error": d / 8, "pixels": 4} for d in range(3)],
    }
    found = {
        "test_accuracy@3": 0.4,
        "balanced_accuracy": 0.5,
        "accuracy_of/dog": 0.75,
        "accuracy_by_margin/-4 to 0": 0.125,
        "error_at/2": 0.25,
        "error_at/3": None,
        "accuracy_on/far": None,
        "test_loss": None,
        "test_accuracy@2": None,
    }
    assert {metric: recorded(results, metric) for metric in found} == found
