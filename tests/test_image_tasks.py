"""Networks that give images, trained by the program on a tiny part of real data."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from conf.choices import PROBES
from data.tasks import TASKS
from tests.helpers import full, only_run, read_back

TINY = (
    *("data.examples=60", "trainer.epochs=2", "trainer.batch_size=30", "trainer.progress=false"),
    "data.validation=0.1",
)
NETWORKS = {
    "segmentation": ("model=unet", "model.depth=1", "model.width=2"),
    "reconstruction": ("model=autoencoder", "model.widths=[3,4]", "task=reconstruction"),
    "super_resolution": ("model=subpixel", "model.widths=[3]", "model.factor=2"),
}


@pytest.mark.parametrize("task", ["segmentation", full("reconstruction"), full("super_resolution")])
def test_a_run_leaves_its_measure_its_errors_and_its_pictures(program, task):
    outcome = program(*NETWORKS[task], *TINY)
    assert outcome.code == 0, outcome.err
    run, measure = only_run(), TASKS[task].measure
    results = json.loads((run / "results.json").read_text())
    assert np.isfinite(results[f"test_{measure}"])
    assert np.isfinite(results[f"validation_{measure}"])
    assert [ring["distance"] for ring in results["error_by_distance"]] == list(range(16))
    assert sum(ring["pixels"] for ring in results["error_by_distance"]) == 3000 * 32 * 32
    assert (run / "images.png").stat().st_size > 10_000
    events = read_back(run)
    assert [point.step for point in events.Scalars("test/error_by_distance")] == list(range(16))
    assert {f"{measure}/train", f"{measure}/validation"} <= set(events.Tags()["scalars"])
    assert "images" in events.Tags()["images"]
    assert f"test {TASKS[task].label} " in outcome.out
    assert "by border, px" in outcome.out
    again = program(*NETWORKS[task], *TINY)
    assert again.code == 0
    assert "complete: " in again.out


def test_a_sweep_compares_by_the_measure_of_its_task(program, tmp_path):
    outcome = program("-m", *NETWORKS["reconstruction"], *TINY, "padding=same,reflect", "seed=0,1")
    assert outcome.code == 0, outcome.err
    report = tmp_path / "runs" / "default" / "report"
    text = (report / "report.md").read_text()
    assert "primary metric test\\_mae" in text
    assert "## Error by distance to the border" in text
    for name in ("border", "examples", "differences"):
        assert (report / f"{name}.png").exists()
    with open(report / "border.csv", newline="") as file:
        rings = list(csv.DictReader(file))
    assert len(rings) == 2 * 2 * 16
    with open(report / "runs.csv", newline="") as file:
        runs = list(csv.DictReader(file))
    values = {(r["padding"], r["seed"]): float(r["test_mae"]) for r in runs}
    with open(report / "differences.csv", newline="") as file:
        (compared,) = csv.DictReader(file)
    by_seed = [values["reflect", s] - values["same", s] for s in "01"]
    assert float(compared["mean"]) == pytest.approx(np.mean(by_seed))
    assert compared["new_items_low"] != ""
    assert "test MAE" in outcome.out


@pytest.mark.full
def test_a_padding_under_which_less_is_predicted_is_not_compared(program, tmp_path):
    outcome = program("-m", *NETWORKS["segmentation"], *TINY, "padding=same,valid", "seed=0,1")
    assert outcome.code == 0, outcome.err
    text = (tmp_path / "runs" / "default" / "report" / "report.md").read_text()
    assert "differs from same in number of predicted pixels" in text
    valid = next(tmp_path.glob("runs/default/unet-valid-*/seed=0/results.json"))
    rings = json.loads(valid.read_text())["error_by_distance"]
    assert [ring["distance"] for ring in rings] == list(range(8, 16))


@pytest.mark.full
def test_a_run_is_resumed_after_its_last_epoch(program, monkeypatch):
    """Interrupted in the second epoch, it gives the same numbers as a run that was not."""
    from experiments.run.loop import training

    arguments = (*NETWORKS["reconstruction"], *TINY)
    assert program(*arguments, "runs_dir=whole").code == 0
    train, calls = training.train_epoch, []

    def interrupted(*args, **kwargs):
        calls.append(kwargs["epoch"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_epoch", interrupted)
        assert program(*arguments, "runs_dir=cut").code == 130
    assert program(*arguments, "runs_dir=cut").code == 0
    whole, cut = (
        json.loads((only_run(Path(folder)) / "results.json").read_text())
        for folder in ("whole", "cut")
    )
    assert whole["test_mae"] == cut["test_mae"]
    assert whole["error_by_distance"] == cut["error_by_distance"]


@pytest.mark.parametrize("task", ["super_resolution", full("segmentation"), full("reconstruction")])
def test_a_run_is_probed_in_the_units_of_its_task(program, task):
    """Under valid fewer pixels are given, and every probe of images looks at these."""
    kind = {"segmentation": "padding=valid"}.get(task, "padding=reflect")
    outcome = program(*NETWORKS[task], *TINY, kind, "probes=all")
    assert (outcome.code, outcome.err) == (0, "")
    results = json.loads((only_run() / "results.json").read_text())
    probes, of = results["probes"], TASKS[task]
    assert [name for name in probes if "not_applicable" in probes[name]] == ["leak", "position"]
    assert f"own {of.label} " in outcome.out
    assert set(probes["swap"]) >= {of.measure, "under"}
    assert set(probes["shift"]["circular"]) >= {"agreement" if of.target == "mask" else "change"}
    assert set(probes) == set(PROBES)
    for name in set(probes) - {"leak", "position"}:
        assert (only_run() / "probes" / f"{name}.png").stat().st_size > 1000
