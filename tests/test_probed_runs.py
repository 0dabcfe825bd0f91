"""Probes of a finished run, from the command to what it leaves."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.probes import leak, shift
from experiments.report import writing as report
from experiments.run.record import files
from tests import made
from tests.helpers import only_run

TIMES = ("images_per_second", "step_ms", "setup_seconds", "train_seconds")


def results(run):
    return json.loads((run / "results.json").read_text())


def numbers(run):
    return {k: v for k, v in results(run).items() if k not in (*TIMES, "probes")}


def digests(run):
    """Of every file but those that hold what was measured."""
    measured = ("results.json", "probes.npz")
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run.iterdir()
        if path.is_file() and path.name not in measured and not path.name.endswith(".probes")
    }


def images(run):
    events = EventAccumulator(str(run), size_guidance={"images": 0, "scalars": 0}).Reload()
    return events, [tag for tag in events.Tags()["images"] if tag.startswith("probes/")]


@pytest.mark.slow
def test_a_run_is_probed_once_it_is_trained(tiny, finished):
    outcome = tiny("probes=[leak,shift]", "study=probed")
    assert (outcome.code, outcome.err) == (0, "")
    (probed,) = Path("runs/probed").glob("*/seed=0")
    assert probed.parent.name == finished.parent.name
    assert numbers(probed) == numbers(finished)
    found = results(probed)["probes"]
    assert list(found) == ["leak", "shift"]
    share = found["shift"]["circular"]["consistency"]
    assert f"consistency circular {100 * share:.1f} % [" in outcome.out
    assert "not applicable: the data holds images" in outcome.out
    assert "images" in found["leak"]["not_applicable"]
    with np.load(probed / "probes.npz", allow_pickle=False) as maps:
        assert set(maps.files) >= {"shift/along", "shift/circular_accuracy"}


def test_a_finished_run_is_probed_and_is_otherwise_as_it_was(finished, program):
    run = finished
    before, files_before = results(run), digests(run)
    outcome = program(f"evaluate={run}", "probes=[shift,swap]")
    assert (outcome.code, outcome.err) == (0, "")
    after = results(run)
    assert list(after.pop("probes")) == ["shift", "swap"]
    assert after == before
    assert digests(run) == files_before
    events, tags = images(run)
    assert tags == ["probes/shift", "probes/swap"]
    (shown,) = events.Images("probes/shift")
    stored = (run / "probes" / "shift.png").read_bytes()
    assert shown.encoded_image_string == stored
    assert Image.open(io.BytesIO(stored)).size == (shown.width, shown.height)
    assert [point.step for point in events.Scalars("accuracy/train")] == [1, 2]

    # Again, one of them: the other stays, and each picture is there once.
    assert program(f"evaluate={run}", "probes=shift").code == 0
    assert list(results(run)["probes"]) == ["shift", "swap"]
    assert len(list(run.glob("*.probes"))) == 1
    events, tags = images(run)
    assert tags == ["probes/shift", "probes/swap"]
    assert all(len(events.Images(tag)) == 1 for tag in tags)


@pytest.mark.full
def test_a_complete_run_is_probed_by_its_own_command(tiny, finished):
    run = finished
    outcome = tiny("probes=shift")
    assert "complete:" in outcome.out
    assert list(results(run)["probes"]) == ["shift"]
    at = (run / "results.json").stat().st_mtime_ns
    assert "consistency" not in tiny("probes=shift").out
    assert (run / "results.json").stat().st_mtime_ns == at
    tiny("rerun=true")
    assert "probes" not in results(run)
    assert not (run / "probes").exists()
    assert not (run / "probes.npz").exists()
    assert images(run)[1] == []


@pytest.mark.full
def test_on_other_data_the_runs_own_results_stay(finished, tiny, program, tmp_path):
    run = finished
    tiny("probes=leak")
    own = (run / "results.json").read_bytes()
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "other.npz",
        x_train=rng.integers(0, 255, (40, 32, 32, 1), dtype=np.uint8),
        y_train=np.arange(40) % 10,
        x_test=rng.integers(0, 255, (30, 32, 32, 1), dtype=np.uint8),
        y_test=np.arange(30) % 10,
    )
    other = ("data=npz", "data.path=other.npz", "data.validation=0", "data.data_dir=null")
    outcome = program(f"evaluate={run}", *other, "probes=[shift,leak]")
    assert (outcome.code, outcome.err) == (0, "")
    assert (run / "results.json").read_bytes() == own
    (file,) = run.glob("evaluations/npz*.json")
    assert file.with_suffix("").joinpath("probes", "shift.png").is_file()
    assert images(run)[1] == []
    program(f"evaluate={run}", *other)
    content = json.loads(file.read_text())
    assert content["probes"]["shift"]["circular"]["pairs"] == content["examples"] == 30


@pytest.mark.full
def test_a_probe_that_fails_is_told_and_the_others_are_kept(finished, tiny, program, monkeypatch):
    run = finished
    tiny("probes=shift")
    before = results(run)["probes"]["shift"]

    def fails(_):
        raise ArithmeticError("of no\nuse")

    monkeypatch.setattr(shift, "probe", fails)
    outcome = program(f"evaluate={run}", "probes=[shift,leak]")
    assert outcome.code == 1
    assert outcome.err.startswith("error: probe shift failed: ArithmeticError: of no use; ")
    assert outcome.err.count("\n") == 1
    found = results(run)["probes"]
    assert found["shift"] == before
    assert "not_applicable" in found["leak"]
    assert "ArithmeticError" in (run / "probes" / "shift.txt").read_text()


@pytest.mark.full
def test_a_failing_probe_after_a_training_leaves_the_run_complete(tiny, monkeypatch):
    monkeypatch.setattr(leak, "probe", lambda _: 1 / 0)
    outcome = tiny("probes=leak")
    assert outcome.code == 1
    assert "ZeroDivisionError" in outcome.err
    run = only_run()
    assert json.loads((run / "status.json").read_text())["status"] == "COMPLETED"
    assert "complete:" in tiny().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["probes=shfit"], "did you mean shift?"),
        (["probes=[shift,lek]"], "unknown probe 'lek': did you mean leak?"),
        (["probes=7"], "probes takes all, a name or a list"),
        (["probes=shift,swap"], "probes=[shift,swap]"),
        (["-m", "probes=shift,swap"], "probes is one list for every run"),
        (["-m", "seed=0,1", "probes=shfit"], "did you mean shift?"),
        (["evaluate=nowhere", "probes=shfit"], "did you mean shift?"),
    ],
)
def test_a_misspelt_probe_is_one_line_and_leaves_nothing(program, arguments, message):
    outcome = program(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_a_sweep_probes_all_its_runs_also_the_complete_ones(tiny, finished):
    outcome = tiny("-m", "padding=same,reflect", "seed=0", "probes=leak")
    assert (outcome.code, outcome.err) == (0, "")
    runs = [path.parent for path in Path("runs").glob("*/*/seed=*/results.json")]
    assert len(runs) == 2
    assert all("leak" in results(run)["probes"] for run in runs)
    cells = json.loads(Path("runs/default/study.json").read_text())["cells"]
    assert not any("probes" in text for cell in cells.values() for text in cell["overrides"])


def test_a_report_is_the_same_with_and_without_measurements(tmp_path):
    study = made.study(tmp_path / "study", seeds=range(3))

    def reported():
        report.main([str(study)])
        folder = study / "report"
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in (".md", ".csv")}

    before = reported()
    for path in study.glob("*/*/results.json"):
        values = {"shift": {"circular": {"consistency": 0.5}}, "test_accuracy": 0.1}
        files.write_json(path, {**files.read_json(path), "probes": values})
        config = path.parent / "config.json"
        files.write_json(config, {**files.read_json(config), "probes": ["shift"]})
    assert len(before) >= 4
    assert reported() == before
