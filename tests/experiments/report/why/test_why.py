import csv

import numpy as np
import pytest
from PIL import Image

from data.tasks import RECONSTRUCTION, SEGMENTATION, SUPER_RESOLUTION, TASKS
from experiments.report.why import __main__ as why
from experiments.run.record import files
from tests import made

MAPS = {
    "foveation/paths": np.arange(16.0).reshape(4, 4),
    "position/circular": np.full((3, 3), 0.5),
}


def measure(study, padding, seed, **probes):
    (directory,) = study.glob(f"small_cnn-{padding}-*/seed={seed}")
    results = files.read_json(directory / "results.json")
    files.write_json(directory / "results.json", results | {"probes": probes})
    files.write_npz(directory / "probes.npz", MAPS)


@pytest.fixture
def study(tmp_path):
    study = made.study(tmp_path / "study", ("same", "valid", "reflect"), (0, 1))
    for seed, spc in ((0, 0.4), (1, 0.5)):
        measure(study, "same", seed, readout={"H": {"spc": spc}}, swap=swap("same", "valid"))
    border = {"rolled": {"layer1": {"distances": [0.5, 0.1], "noise": 0.01}}}
    measure(
        study, "valid", 0, readout={"H": {"spc": 0.1}}, swap=swap("valid", "same"), border=border
    )
    return study


def swap(own, other):
    under = {other: {"accuracy": 0.5, "fall": 12.5, "also": ["half"]}}
    return {"own": [own], "accuracy": 0.8, "under": under}


def test_the_table_holds_the_means_of_what_was_measured(study, tmp_path):
    assert why.main([str(study), "--out", str(tmp_path / "out")]) == 0
    heading, _, same, valid = (tmp_path / "out" / "probes.md").read_text().splitlines()
    names = [name.strip() for name in heading.split("|")]
    told = dict(zip(names, (part.strip() for part in same.split("|")), strict=True))
    assert (told["padding"], told["n"], told["position H, SPC"]) == ("same", "2", "0.45 (0.07)")
    told = dict(zip(names, (part.strip() for part in valid.split("|")), strict=True))
    assert (told["n"], told["position H, SPC"], told["under same, points"]) == (
        "1",
        "0.10",
        "-12.5",
    )
    assert "saliency of the first ring" not in names  # nobody measured it
    with open(tmp_path / "out" / "probes.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["padding"], row["seed"], row["readout/H/spc"]) for row in rows] == [
        ("same", "0", "0.4"),
        ("same", "1", "0.5"),
        ("valid", "0", "0.1"),
    ]


def test_the_pictures_are_drawn(study, tmp_path):
    why.main([str(study), "--out", str(tmp_path / "out")])
    sizes = {name: Image.open(tmp_path / "out" / name).size for name in ("maps.png", "swap.png")}
    assert all(min(size) > 100 for size in sizes.values())


def test_paddings_swapped_for_one_another_stand_where_they_belong(study):
    results = {
        cell.label: next(iter(cell.records.values())).results
        for cell in why.probed(study, "small_cnn")
    }
    (axis, _) = why.swap_picture(results, TASKS["classification"]).axes
    columns = [label.get_text() for label in axis.get_xticklabels()]
    assert columns == ["same", "valid"]
    values = np.asarray(axis.images[0].get_array())
    np.testing.assert_allclose(values, [[80, 50], [50, 80]])


def test_a_study_without_measurements_is_told_how_to_make_them(tmp_path, capsys):
    study = made.study(tmp_path / "study", ("same",), (0,))
    with pytest.raises(SystemExit) as caught:
        why.main([str(study)])
    assert caught.value.code == 2
    assert "probes=all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "tested", "swapped", "change"),
    [
        (SEGMENTATION, "test mean IoU, %", "under same, points", -2.5),
        (RECONSTRUCTION, "test MAE", "under same, MAE", 2.5),
        (SUPER_RESOLUTION, "test PSNR, dB", "under same, dB", -2.5),
    ],
)
def test_what_is_in_a_tasks_unit_is_told_in_it(task, tested, swapped, change):
    """A fall is a lower accuracy, but a larger error."""
    columns = {heading: (path, factor) for heading, path, factor, _ in why.columns_of(TASKS[task])}
    path, factor = columns[swapped]
    results = {"probes": {"swap": {"under": {"same": {"fall": 2.5}}}}}
    assert factor * why._at(results, path) == change
    assert columns[tested] == ((f"test_{TASKS[task].measure}",), TASKS[task].scale)


def test_a_picture_of_errors_has_a_scale_of_its_own():
    part = {"mae": 9.0, "also": [], "pixels": 0.5}  # not compared: other pixels
    under = {"reflect": {"mae": 0.75, "also": [], "pixels": 1.0}, "valid": part}
    one = {"own": ["same"], "mae": 0.25, "under": under}
    figure = why.swap_picture({"same": {"probes": {"swap": one}}}, TASKS[RECONSTRUCTION])
    axis = figure.axes[0]
    assert axis.images[0].get_clim() == (0.25, 0.75)
    assert axis.get_title().split() == ["MAE", "of", "the", "trained", "weights"]


def test_networks_of_another_task_are_left_out(study):
    """Their measure and its unit are others."""
    for file in study.glob("small_cnn-valid-*/seed=*/config.json"):
        files.write_json(file, {**files.read_json(file), "task": "forecasting"})
    assert {cell.config.task for cell in why.probed(study, None)} == {"classification"}
