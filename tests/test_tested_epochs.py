"""When the test split is used: after the last epoch, after others too, or never."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from conf.commandline import ROOT
from tests.helpers import full


def the_run(study="default"):
    (run,) = Path("runs", study).glob("*/seed=0")
    return run


def results(run):
    return json.loads((run / "results.json").read_text())


def test_an_earlier_epoch_is_tested_and_changes_nothing_else(tiny):
    assert tiny("study=once").code == 0
    outcome = tiny("study=twice", "trainer.test_epochs=[1]")
    assert outcome.code == 0 and "after epoch" in outcome.out
    once, twice = the_run("once"), the_run("twice")
    with np.load(twice / "predictions-1.npz") as earlier, np.load(twice / "predictions.npz") as end:
        right = earlier["predicted"] == earlier["label"]
        assert not np.array_equal(earlier["probability"], end["probability"])
    assert results(twice)["test_accuracy_at"] == {"1": right.mean()}
    with np.load(once / "predictions.npz") as alone, np.load(twice / "predictions.npz") as end:
        np.testing.assert_array_equal(alone["probability"], end["probability"])
    assert once.parent.name != twice.parent.name  # the cell says what it tests


def test_a_run_that_leaves_the_test_split_alone_is_complete(tiny):
    outcome = tiny("trainer.test=false")
    assert outcome.code == 0 and "not tested" in outcome.out
    run = the_run()
    found = results(run)
    assert found["test_accuracy"] is None and found["validation_accuracy"] > 0
    assert not list(run.glob("predictions*")) and "accuracy_by_margin" not in found
    again = tiny("trainer.test=false")
    assert again.code == 0 and again.out.startswith("complete: ")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("trainer.test_epochs=[0]", "must be different epochs from 1 on"),
        ("trainer.test_epochs=[1,1]", "must be different epochs from 1 on"),
        ("trainer.test_epochs=1", "must be different epochs from 1 on"),
        ("trainer.test_epochs=[3]", "at most trainer.epochs=2"),
        ("sweep.metric=test_accuracy@1", "needs trainer.test_epochs=[1]"),
        ("sweep.metric=test_loss@1", "needs trainer.test_epochs=[1]"),
        ("sweep.metric=test_accurcy", "did you mean test_accuracy or "),
        ("sweep.metric=loss", "allowed: test_accuracy, test_mae, "),
        ("sweep.metric=acuracy_of/3", "did you mean accuracy_of/<class>"),
        ("sweep.metric=training_loss@7", "needs an epoch from 1 to trainer.epochs=2"),
        ("sweep.metric=error_at/0", "is not measured by task=classification"),
        ("sweep.tuned={optimizer.learning_rate:[0.1]}", "two or more different values"),
        ("sweep.tuned={optimizer:[sgd,adamw]}", "two or more different values"),
        ("sweep.tuned={trainer.batch_size:[[1],[2]]}", "two or more different values"),
        ("sweep.tuned={optimizer.learning_rate:[0.1,0.2]}", "add -m"),
        ("sweep.contrasts=[{padding:[valid]}]", "must be a list of"),
        ("sweep.contrasts=5", "must be a list of"),
        ("sweep.contrasts=[{padding:[a,a],between:{model:[b,c]}}]", "nothing named twice"),
    ],
)
def test_what_cannot_be_meant_is_one_line(tiny, setting, why):
    outcome = tiny(setting)
    (line,) = outcome.err.splitlines()
    assert outcome.code == 2 and why in line and not Path("runs").exists()


@pytest.mark.parametrize(
    "settings", [(), full(("sweep.tuned={optimizer.learning_rate:[0.1,0.2]}",))]
)
def test_what_the_data_does_not_have_is_not_declared(tiny, settings):
    outcome = tiny("-m", "padding=same", "seed=0,1", "sweep.metric=accuracy_of/11", *settings)
    (line,) = outcome.err.splitlines()
    assert outcome.code == 2 and not list(Path("runs").glob("*/*"))
    assert line.endswith("where accuracy_of/ takes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9")


def test_probes_need_the_test_split(tiny):
    outcome = tiny("trainer.test=false", "probes=shift")
    assert outcome.code == 2 and "probes needs the test split" in outcome.err


@pytest.mark.full
def test_a_tuned_sweep_compares_arms_at_their_own_values_and_at_two_budgets(tiny):
    command = ("-m", "padding=same,valid", "seed=0,1", "study=s", "trainer.test_epochs=[1]")
    heads = "sweep.tuned={model.head:[average,max]}"
    outcome = tiny(*command, heads)
    assert outcome.code == 0, outcome.err
    chosen = {
        arm["arm"][0].removeprefix("padding="): arm["chosen"]["model.head"]
        for arm in json.loads(Path("runs/s/tuning.json").read_text())["arms"]
    }
    assert set(chosen) == {"same", "valid"}
    assert all(
        f"tuned: padding={p}: model.head={head} (" in outcome.out for p, head in chosen.items()
    )
    with open("runs/s/report/differences.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["cell"] == "valid" and row["n"] == "2"
    page = Path("runs/s/report/report.md").read_text().replace("\\", "")
    assert "## Tuned per padding" in page and "test_accuracy@1" in page
    assert f"valid (head {chosen['valid']})" in page
    for run in Path("runs/s").glob("*/seed=0"):
        config = json.loads((run / "config.json").read_text())
        assert config["model"]["head"] == chosen["valid" if "-valid-" in str(run) else "same"]
    tuned = list(Path("runs/s-tuning").glob("*/seed=*"))
    assert len(tuned) == 12 and {run.name[:8] for run in tuned} == {"seed=100"}
    assert not [run for run in tuned if list(run.glob("predictions*"))]
    again = tiny(*command, heads)
    assert again.code == 0 and "4 runs, 4 of them complete" in again.out
    other = tiny(*command, "sweep.tuned={model.head:[max,average]}")
    assert other.code == 2 and "declared with another tuned" in other.err


def test_every_preset_can_declare_contrasts_and_tuning():
    for preset in (ROOT / "sweep").glob("*.yaml"):
        content = preset.read_text()
        assert "\ncontrasts:" in content and "\ntuned:" in content, preset.name
